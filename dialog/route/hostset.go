package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// choose puts the hosts in the order in which a sender tries them: by
// preference, and equal ones at random (RFC 5321 section 5.1).
func (rt *Route) choose(records []MX, opts Options) {
	rt.nullFindings(records)
	records = slices.DeleteFunc(slices.Clone(records), func(mx MX) bool { return mx.Host == "." })
	shuffle(opts)(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	slices.SortStableFunc(records, func(a, b MX) int { return cmp.Compare(a.Pref, b.Pref) })

	at := map[string]int{}
	for _, mx := range records {
		if i, again := at[mx.Host]; again {
			if i < maxHosts {
				rt.Hosts[i].find(Finding{ID: "duplicate", Text: fmt.Sprintf("listed again at %d: a sender tries it once", mx.Pref)})
			}
			continue
		}
		at[mx.Host] = len(at)
		if len(rt.Hosts) < maxHosts {
			rt.Hosts = append(rt.Hosts, Host{Pref: mx.Pref, Name: mx.Host})
		}
	}
	if len(at) > maxHosts {
		rt.Findings = append(rt.Findings, Finding{ID: "many-hosts",
			Text: fmt.Sprintf("%d MX hosts: the best %d are taken", len(at), maxHosts)})
	}
}

// nullFindings says what is wrong with the "." among records.
func (rt *Route) nullFindings(records []MX) {
	nulls, odd := 0, false
	for _, mx := range records {
		if mx.Host == "." {
			nulls++
			odd = odd || mx.Pref != 0
		}
	}
	switch {
	case nulls == 0:
	case nulls < len(records):
		rt.Findings = append(rt.Findings, Finding{ID: "null-among-others",
			Text: "a null MX among other MX records: it is passed over, and must stand alone (RFC 7505 section 3)"})
	case odd || nulls > 1:
		rt.Findings = append(rt.Findings, Finding{ID: "null-odd", Text: "a null MX is one record of preference 0 (RFC 7505 section 3)"})
	}
}

// lookUp asks for the addresses of all hosts at the same time, of the best first where the
// number of queries does not suffice.
func (rt *Route) lookUp(ctx context.Context, r Resolver, opts Options) {
	each := 1
	if opts.Family == Both {
		each = 2
	}
	rest := min(left(ctx), opts.queries()-1) // a resolver may not count the MX query
	var names []*Host
	for i := range rt.Hosts {
		if h := &rt.Hosts[i]; h.nameable() {
			names = append(names, h)
		}
	}
	spare := max(0, rest-each*len(names)) / max(1, len(names)) // for the aliases of each

	var wg sync.WaitGroup
	defer wg.Wait()
	for _, h := range names {
		family := opts.Family
		switch {
		case rest == 0:
			h.fail(tooManyQueries(h.Name, "A", opts.queries()), family)
			continue
		case rest < each:
			family = IPv4
			h.find(Finding{ID: "not-asked", Text: fmt.Sprintf("AAAA not asked for: a route takes at most %d queries", opts.queries())})
		}
		mine := min(rest, each)
		rest -= mine
		wg.Go(func() {
			a, err := r.Addr(withShare(ctx, mine+spare), h.Name, family)
			if definite(err) && mine < each {
				err = tooManyQueries(h.Name, "AAAA", opts.queries()) // half the truth is not definite
			}
			if err != nil {
				h.fail(err, family)
				return
			}
			h.answer(a, family)
			h.judge()
			h.cut()
			if len(a.Aliases) > 0 {
				h.find(Finding{ID: "alias", Text: "an alias of " + a.Name + ": an MX names a host by its own name (RFC 2181 section 10.3)"})
			}
		})
	}
}

// nameable judges the name of an MX host: whether it can be looked up.
func (h *Host) nameable() bool {
	bad := func(id, text string) bool {
		h.find(Finding{ID: id, Fail: true, Text: text})
		return false
	}
	if _, err := netip.ParseAddr(strings.Trim(h.Name, "[]")); err == nil {
		return bad("address-as-name", "an address where a host name belongs: a sender skips this host (RFC 1035 section 3.3.9)")
	}
	if isLocalhost(h.Name) {
		return bad("localhost", "localhost: each sender would reach itself (RFC 6761 section 6.3)")
	}
	if octet, ok := escaped(h.Name); ok {
		return bad("bad-name", "not a host name: the character '"+octet+"': a name has letters, digits and hyphens (RFC 1123 section 2.1)")
	}
	if rule := looseRule(h.Name); rule != "" {
		return bad("bad-name", "not a host name: "+rule)
	}
	if strings.Contains(h.Name, "_") {
		h.find(Finding{ID: "underscore", Text: "an underscore: not a host name by RFC 1123 section 2.1, though most senders take it"})
	}
	if !strings.Contains(h.Name, ".") {
		h.find(Finding{ID: "single-label", Text: "a name of one label: MX hosts are named in full (RFC 5321 section 2.3.5)"})
	}
	return true
}

// fail notes why the host has no addresses.
func (h *Host) fail(err error, f Family) {
	h.Err = err
	what := map[Family]string{Both: "no A and no AAAA record", IPv4: "no A record", IPv6: "no AAAA record"}[f]
	var e *Error
	switch {
	case !errors.As(err, &e) || !e.Definite():
		h.find(Finding{ID: "lookup-failed", Fail: true, Text: "its addresses are not known: " + err.Error()})
	case e.Kind == NXDomain:
		h.find(Finding{ID: "no-such-host", Fail: true, Text: "no such name (NXDOMAIN): a sender skips this host"})
	default:
		h.find(Finding{ID: "no-address", Fail: true, Text: what + ": a sender skips this host"})
	}
}

// answer takes over what the DNS said of the host.
func (h *Host) answer(a Answer[netip.Addr], f Family) {
	h.TTL, h.Authentic, h.Doubted, h.Canonical, h.Aliases = a.TTL, a.Authentic, a.Doubted, a.Name, a.Aliases
	h.take(a.Records, f)
	if a.Partial != nil {
		h.find(Finding{ID: "lookup-failed", Text: "not all of its addresses are known: " + a.Partial.Error()})
	}
}

// take keeps the addresses of the family, each once.
func (h *Host) take(addrs []netip.Addr, f Family) {
	for _, addr := range addrs {
		if f == IPv4 && !addr.Is4() || f == IPv6 && !addr.Is6() || slices.Contains(h.Addrs, addr) {
			continue
		}
		h.Addrs = append(h.Addrs, addr)
	}
}

// cut leaves no more addresses than a route may try.
func (h *Host) cut() {
	if n := len(h.Addrs); n > maxAddresses {
		h.Addrs = h.Addrs[:maxAddresses]
		h.find(Finding{ID: "many-addresses", Text: fmt.Sprintf("%d addresses: the first %d are taken", n, maxAddresses)})
	}
}

// judge finds the addresses that a stranger does not reach; those that nobody
// can connect to are taken out.
func (h *Host) judge() {
	kept := h.Addrs[:0]
	for _, addr := range h.Addrs {
		f, bad := Special(addr)
		if bad {
			h.find(f)
		}
		if addr.Is4In6() {
			h.find(Finding{ID: "mapped", Address: addr, Text: "IPv4 address mapped into an AAAA record: not every sender can use it (RFC 4291 section 2.5.5.2)"})
		}
		if !f.Fail {
			kept = append(kept, addr)
		}
	}
	h.Addrs = kept
}

func (h *Host) find(f Finding) { h.Findings = append(h.Findings, f) }
