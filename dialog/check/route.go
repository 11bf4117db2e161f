package check

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// routeChecks judge what the DNS says of a domain's mail hosts.
func routeChecks() []Check {
	row := func(id, about, ref string, run func(context.Context, *Subject) []Result, gives ...Verdict) Check {
		return Check{ID: id, Group: Receiving, Topic: "route", About: about, Ref: ref, Needs: []Need{NeedDomain}, Gives: gives, Run: run}
	}
	return []Check{
		row("mx-present", "MX records name the hosts that take mail", "RFC 5321 section 5.1", mxPresent, Pass, Info, Warn, Fail, Error),
		row("mx-null", "a null MX, which refuses all mail, stands alone or is not there", "RFC 7505 section 3", mxNull, Pass, Info, Warn, Fail, Error),
		row("mx-syntax", "MX hosts have names that can be looked up", "RFC 1035 section 3.3.9", onHosts(mxSyntax), Pass, Warn, Fail, Error, Skip),
		row("mx-cname", "MX hosts are named by their own names, not by aliases", "RFC 2181 section 10.3", onHosts(mxAlias), Pass, Warn, Fail, Error, Skip),
		row("mx-addr", "MX hosts have addresses that everybody reaches", "RFC 5321 section 5.1", onHosts(mxAddresses), Pass, Info, Warn, Fail, Error, Skip),
		row("mx-dup", "no MX host stands there twice, by its name or its address", "RFC 5321 section 5.1", mxDuplicate, Pass, Warn, Error, Skip),
		row("dnssec", "the answers that lead to the mail hosts are signed", "RFC 7672 section 2.2.1", dnssec, Pass, Info, Fail, Error, Skip),
	}
}

func mxPresent(ctx context.Context, s *Subject) []Result {
	found, err := s.Route(ctx)
	var none *route.NoRoute
	switch {
	case ctx.Err() != nil:
		return one(Untested("%v", context.Cause(ctx)))
	case found.Loopback:
		return one(Noted("%s is this host, whatever the DNS says: no MX record is asked for", s.Name).By("RFC 6761 section 6.3"))
	case found.Null:
		return one(Noted("%s takes no mail, and says so by a null MX", s.Name).By("RFC 7505"))
	case errors.As(err, &none) && none.Why == route.NoMailHost:
		return one(Failed("%s has neither an MX record nor an address", s.Name).
			Meaning("mail to it comes back at once").
			Fixed("%s. MX 10 mail.%s.   # or MX 0 . if it is to take no mail", s.ASCII, s.ASCII))
	case found.Implicit && errors.As(err, &none) && none.Why == route.Undecided:
		return one(Untested("no MX record; whether %s has an address is not known: %s", s.Name, why(none.Err)).With(none.Error()))
	case found.Implicit:
		return one(Warned("no MX record: senders fall back to the address of %s itself", s.Name).
			With(addressList(found.Hosts)...).
			Meaning("a web server there is asked to take mail").
			Fixed("%s. MX 10 %s.   # or MX 0 . if it is to take no mail", s.ASCII, s.ASCII))
	case len(found.Hosts) == 0 && err != nil:
		return one(Untested("%s", why(err)).With(err.Error()))
	}
	var evidence []string
	for _, h := range found.Hosts {
		evidence = append(evidence, s.ASCII+". "+mxRecord(h))
	}
	for _, f := range found.Findings {
		if f.ID == "many-hosts" {
			return one(Noted("%s", f.Text).With(evidence...))
		}
	}
	return one(Passed("%s", transcript.Count(len(found.Hosts), "MX host")).With(evidence...))
}

func mxNull(ctx context.Context, s *Subject) []Result {
	found, err := s.Route(ctx)
	for _, f := range found.Findings {
		switch f.ID {
		case "null-among-others":
			return one(Failed("a null MX stands among other MX records").
				Meaning("some senders refuse mail to %s at once, others deliver it", s.Name).
				Fixed("remove %s. MX 0 . or all the others", s.ASCII))
		case "null-odd":
			return one(Warned("the null MX is not one record of preference 0").Fixed("%s. MX 0 .", s.ASCII))
		}
	}
	if found.Null {
		return one(Noted("%s takes no mail", s.Name).With(s.ASCII + ". MX 0 ."))
	}
	if none := (*route.NoRoute)(nil); errors.As(err, &none) && !none.Definite() && len(found.Hosts) == 0 { // else the MX records are known
		return one(Untested("%s", why(err)).With(err.Error()))
	}
	return one(Passed("no null MX"))
}

// onHosts is the Run of a check that judges each host of the route.
func onHosts(judge func(context.Context, *Subject, route.Route, route.Host) []Result) func(context.Context, *Subject) []Result {
	return func(ctx context.Context, s *Subject) []Result {
		found, _ := s.Route(ctx)
		if len(found.Hosts) == 0 {
			return one(s.without(ctx, "no server is known"))
		}
		var results []Result
		for _, h := range found.Hosts {
			for _, r := range judge(ctx, s, found, h) {
				results = append(results, r.On(route.Unicode(h.Name)))
			}
		}
		return results
	}
}

// finding is that of an id on a host.
func finding(h route.Host, ids ...string) []route.Finding {
	var found []route.Finding
	for _, f := range h.Findings {
		if slices.Contains(ids, f.ID) {
			found = append(found, f)
		}
	}
	return found
}

func mxSyntax(_ context.Context, s *Subject, _ route.Route, h route.Host) []Result {
	if found := finding(h, "address-as-name", "localhost", "bad-name", "underscore", "single-label"); len(found) > 0 {
		f := found[0]
		r := Warned("%s", f.Text)
		if f.Fail {
			r = Failed("%s", f.Text).Meaning("mail never reaches this host")
		}
		return one(r.With(s.ASCII+". "+mxRecord(h)).
			Fixed("%s. MX %d HOST.   # the name of a host that has an A or AAAA record", s.ASCII, h.Pref))
	}
	return one(Passed("a host name"))
}

func mxAlias(ctx context.Context, s *Subject, _ route.Route, h route.Host) []Result {
	var told *route.Error
	switch {
	case len(finding(h, "alias")) > 0:
		return one(Warned("is an alias of %s", h.Canonical).
			With(h.Name+". CNAME "+h.Canonical+".").
			Meaning("senders may refuse it, and DANE needs its records at the other name").
			Fixed("%s. MX %d %s.", s.ASCII, h.Pref, h.Canonical))
	case errors.As(h.Err, &told) && told.Kind == route.Loop:
		return one(Failed("its aliases lead nowhere: %s", told.Reason()).Meaning("no sender finds this host").
			Fixed("%s. MX %d HOST.   # a name with an address of its own", s.ASCII, h.Pref))
	case h.Err != nil && !(errors.As(h.Err, &told) && told.Definite()):
		return one(Untested("not known: %s", why(h.Err)).With(h.Err.Error()))
	}
	if target := s.dangling(ctx, h); target != "" {
		return one(Failed("is an alias of %s, which has no address", target).With(h.Name+". CNAME "+target+".").
			Meaning("no sender finds this host").Fixed("%s. MX %d HOST.   # a name with an address of its own", s.ASCII, h.Pref))
	}
	return one(Passed("no alias"))
}

// dangling is what a host without an address is an alias of, "" if it is none.
func (s *Subject) dangling(ctx context.Context, h route.Host) string {
	if len(finding(h, "no-such-host", "no-address")) == 0 {
		return ""
	}
	return s.aliasOf(ctx, h.Name)
}

// aliasOf is what name is an alias of, "" if it is none or the DNS does not say.
func (s *Subject) aliasOf(ctx context.Context, name string) string {
	answer, err := s.Resolver.CNAME(ctx, name)
	if err != nil || len(answer.Records) == 0 {
		return ""
	}
	return strings.TrimSuffix(answer.Records[0], ".")
}

func mxAddresses(ctx context.Context, s *Subject, found route.Route, h route.Host) []Result {
	if len(finding(h, "address-as-name", "localhost", "bad-name")) > 0 {
		return one(Skipped("its name is none"))
	}
	if gone := finding(h, "no-such-host", "no-address"); len(gone) > 0 {
		if target := s.dangling(ctx, h); target != "" { // beside a CNAME there is nothing else (RFC 2181 section 10.1)
			return one(Failed("is an alias of %s, which has no address", target).Meaning("%s", otherHosts(found, h)).
				Fixed("%s. A ADDRESS   # or remove %s. %s", target, s.ASCII, mxRecord(h)))
		}
		return one(Failed("%s", gone[0].Text).Meaning("%s", otherHosts(found, h)).
			Fixed("%s. A ADDRESS   # or remove %s. %s", h.Name, s.ASCII, mxRecord(h)))
	}
	var told *route.Error
	switch {
	case errors.As(h.Err, &told) && told.Kind == route.Loop:
		return one(Failed("no address: %s", told.Reason()).Meaning("%s", otherHosts(found, h)).
			Fixed("%s. A ADDRESS   # in place of its CNAME, or remove %s. %s", h.Name, s.ASCII, mxRecord(h)))
	case errors.As(h.Err, &told) && told.Definite(): // and no MX record, which mx-present tells
		return one(Skipped("it has none"))
	case h.Err != nil:
		return one(Untested("its addresses are not known: %s", why(h.Err)).With(h.Err.Error()))
	}
	evidence := addressList([]route.Host{h})
	var results []Result
	inner := map[netip.Addr]bool{}
	for _, f := range h.Findings {
		if !f.Address.IsValid() {
			continue
		}
		inner[f.Address] = true
		r := Warned("%s: %s", f.Address, f.Text)
		if !slices.ContainsFunc(h.Addrs, public) {
			r = Failed("%s: %s", f.Address, f.Text).Meaning("%s", otherHosts(found, h))
		}
		results = append(results, r.With(evidence...).Fixed("remove the record, or publish an address that everybody reaches"))
	}
	for _, f := range finding(h, "lookup-failed") {
		results = append(results, Untested("%s", f.Text))
	}
	for _, f := range finding(h, "many-addresses", "not-asked") {
		results = append(results, Noted("%s", f.Text))
	}
	if len(results) == 0 {
		results = one(Passed("%s", transcript.Count(len(h.Addrs), "address")).With(evidence...))
	}
	return results
}

// public reports whether everybody may connect to addr.
func public(addr netip.Addr) bool {
	_, special := route.Special(addr)
	return !special
}

// otherHosts is what it means that senders do not get to h.
func otherHosts(found route.Route, h route.Host) string {
	for _, other := range found.Hosts {
		if other.Name != h.Name && slices.ContainsFunc(other.Addrs, public) {
			return "senders go on to the other hosts, later"
		}
	}
	return "mail to the domain is not delivered"
}

func mxDuplicate(ctx context.Context, s *Subject) []Result {
	found, _ := s.Route(ctx)
	if len(found.Hosts) == 0 {
		return one(s.without(ctx, "no server is known"))
	}
	var results []Result
	owner := map[netip.Addr]string{}
	for _, h := range found.Hosts {
		for _, f := range finding(h, "duplicate") {
			results = append(results, Warned("%s", f.Text).On(route.Unicode(h.Name)).Fixed("remove one of its MX records"))
		}
		for _, addr := range h.Addrs {
			if first, again := owner[addr]; again && first != h.Name {
				results = append(results, Warned("has the address %s of %s, too", addr, route.Unicode(first)).On(route.Unicode(h.Name)).
					Meaning("it is the same server: it helps nobody when the other one is down").
					Fixed("remove %s. %s", s.ASCII, mxRecord(h)))
			} else {
				owner[addr] = h.Name
			}
		}
		if unknown := addressesUnknown(h); unknown != "" && len(found.Hosts) > 1 {
			results = append(results, Untested("whether it has the address of another host is not known: %s", unknown).On(route.Unicode(h.Name)))
		}
	}
	if len(results) == 0 {
		return one(Passed("each host and each address stands there once"))
	}
	return results
}

// addressesUnknown says why the DNS does not tell all addresses of h, "" where it does. A
// circle of aliases leads to none, which is an answer.
func addressesUnknown(h route.Host) string {
	var told *route.Error
	switch {
	case errors.As(h.Err, &told) && (told.Definite() || told.Kind == route.Loop):
		return ""
	case h.Err != nil:
		return why(h.Err)
	}
	for _, f := range finding(h, "lookup-failed", "not-asked") {
		return f.Text
	}
	return ""
}

func dnssec(ctx context.Context, s *Subject) []Result {
	found, err := s.Route(ctx)
	var told *route.Error
	switch {
	case errors.As(err, &told) && told.Bogus:
		return one(Failed("the signatures of %s are broken", s.Name).With(told.Error()).
			Meaning("senders whose resolvers validate find no mail host at all").
			Fixed("sign the zone anew, or have the parent's DS record match its key"))
	case len(found.Hosts) == 0:
		return one(s.without(ctx, "no server is known"))
	case !found.Authentic && found.Doubted != "":
		return one(Noted("%s says that it is signed, and cannot be believed", found.Doubted).
			Meaning("whoever is on the way can set that bit").
			Fixed("--dns-server tls://ADDR#NAME, a validating resolver on 127.0.0.1, or --dns-trust-ad"))
	case !found.Authentic:
		return one(Noted("%s is not signed", s.Name).
			Meaning("DANE cannot protect its mail, and whoever forges the MX records gets it").
			Fixed("sign the zone, and publish its DS record at the registrar"))
	}
	var open []string
	for _, h := range found.Hosts {
		if h.Err == nil && !h.Authentic {
			open = append(open, route.Unicode(h.Name))
		}
	}
	if len(open) > 0 {
		return one(Noted("the MX records are signed; the addresses of %s are not", strings.Join(open, ", ")).
			Meaning("DANE cannot protect these hosts").Fixed("sign their zone, too"))
	}
	return one(Passed("signed, as %s says", found.Server))
}

// mxRecord is the record of h behind its owner.
func mxRecord(h route.Host) string { return "MX " + strconv.Itoa(int(h.Pref)) + " " + h.Name + "." }

// addressList are the address records of hosts.
func addressList(hosts []route.Host) []string {
	var list []string
	for _, h := range hosts {
		for _, addr := range h.Addrs {
			kind := "A"
			if addr.Is6() {
				kind = "AAAA"
			}
			list = append(list, h.Name+". "+kind+" "+addr.String())
		}
	}
	return list
}
