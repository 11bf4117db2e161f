package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// State is how far DANE goes at a host.
type State uint8

// The states. The first five are what the DNS says, the last two what the
// certificate says to it.
const (
	Insecure State = iota // not signed, or nobody who may vouch says so: DANE does not apply
	Bogus                 // the records cannot be had: delivery is put off (RFC 7672 section 2.1.3)
	Missing               // there are certainly none
	Unusable              // there are, and none can be used: TLS is a must, proof impossible (RFC 7672 section 2.2)
	Usable                // there are: the host has to match one
	Match                 // it does
	Mismatch              // it does not
)

// String is the state in one word.
func (s State) String() string {
	switch s {
	case Insecure:
		return "insecure"
	case Bogus:
		return "bogus"
	case Missing:
		return "missing"
	case Unusable:
		return "unusable"
	case Usable:
		return "usable"
	case Match:
		return "match"
	case Mismatch:
		return "mismatch"
	}
	return "unknown"
}

// MarshalText is the word of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Query is a host to ask the TLSA records of.
type Query struct {
	Host   string // as the MX record or the user names it
	Port   uint16
	Domain string // whose mail goes there; "" if the user named the host
	// Signed says that the MX records that name the host, or that there are none, are
	// validated. It does not count without a Domain.
	Signed bool
	Family route.Family // of the addresses that will be dialled
}

// DANE is what the DNS says of a host's certificates.
type DANE struct {
	Query
	State   State
	Base    string   // the TLSA base domain, below which the records are; "" without records
	Names   []string // one of them has to be in the certificate, with a record of usage 2
	Records []Record
	Server  string // who vouches, or said that there is nothing
	Doubted string // a server that calls it signed, and may not vouch for it; or ""
	Why     string // what State comes from, where that is not the records
	Err     error  // of Bogus: what the DNS said
	Took    time.Duration
}

// Secure reports whether the name of the host itself is beyond doubt: the user named it, or
// signed MX records did.
func (d *DANE) Secure() bool { return d.Domain == "" || d.Signed }

// Usable gives the records that count.
func (d *DANE) Usable() []Record {
	var usable []Record
	for _, r := range d.Records {
		if r.Usable() {
			usable = append(usable, r)
		}
	}
	return usable
}

// FindDANE asks for the TLSA records of a host as RFC 7672 section 2.2 says. It
// asks for the host's addresses first, and if they are not signed no more. It never
// fails: what cannot be found out is in the State. If ctx ended, that is Bogus.
func FindDANE(ctx context.Context, r route.Resolver, q Query) *DANE {
	start := time.Now()
	d := &DANE{Query: q}
	if why := nameless(q.Host); why != "" {
		d.Why = why
	} else if bases := d.bases(ctx, r); len(bases) > 0 {
		d.look(ctx, r, bases)
	}
	d.Took = time.Since(start)
	return d
}

// nameless says why there is nothing to ask the DNS about host, or gives "".
func nameless(host string) string {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case err == nil:
		return "an address has no TLSA records"
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		return "localhost is not asked for in the DNS (RFC 6761 section 6.3)"
	}
	return ""
}

// bases gives the candidates for the TLSA base domain, best first (RFC 7672 section
// 2.2.3): the name behind all aliases, and the name itself.
func (d *DANE) bases(ctx context.Context, r route.Resolver) []string {
	a, err := r.Addr(ctx, d.Host, d.Family)
	d.Server = a.Server
	var e *route.Error
	switch {
	case errors.As(err, &e) && e.Definite():
		// It has no address, and is dialled elsewhere if at all.
		d.Server = e.Server
		if e.Authentic {
			return []string{d.Host}
		}
		d.insecure("the answers on its addresses", e.Doubted)
		return nil
	case err != nil:
		d.bogus(err)
		return nil
	case a.Authentic && len(a.Aliases) > 0:
		return []string{a.Name, d.Host}
	case a.Authentic:
		return []string{d.Host}
	case len(a.Aliases) == 0:
		d.insecure("its addresses", a.Doubted)
		return nil
	}
	// An alias that leads to an unsigned zone may itself be signed (RFC 7672 section 2.2.2).
	alias, err := r.CNAME(ctx, d.Host)
	switch {
	case err == nil && alias.Authentic:
		d.Server = alias.Server
		return []string{d.Host}
	case err != nil && !(errors.As(err, &e) && e.Definite()):
		d.bogus(err)
		return nil
	}
	d.insecure("its addresses, behind the alias "+a.Aliases[0]+",", cmp.Or(a.Doubted, alias.Doubted))
	return nil
}

// look asks for the records at each base until one has some that are signed.
func (d *DANE) look(ctx context.Context, r route.Resolver, bases []string) {
	unsigned, doubted := "", "" // what is not signed, and who says that it is
	for _, base := range bases {
		a, err := r.TLSA(ctx, base, d.Port)
		var e *route.Error
		switch {
		case err == nil && a.Authentic:
			d.Base, d.Server = base, a.Server
			d.Records = judge(a.Records)
			d.Names = d.names(base)
			d.State = Unusable
			if len(d.Usable()) > 0 {
				d.State = Usable
			}
			return
		case err == nil:
			d.Server = a.Server
			unsigned, doubted = "its TLSA records", a.Doubted
		case errors.As(err, &e) && e.Definite():
			d.Server = e.Server
			if !e.Authentic && unsigned == "" {
				unsigned, doubted = "the answers on its TLSA records", e.Doubted
			}
		case errors.As(err, &e) && e.Kind == route.BadName:
			// Too long with the port before it: there is nothing.
		default:
			d.bogus(err)
			return
		}
	}
	d.State = Missing
	if unsigned != "" {
		d.insecure(unsigned, doubted)
	}
}

// insecure notes what is not signed, or is by the word of a server that may not vouch
// for it.
func (d *DANE) insecure(what, doubted string) {
	d.State, d.Doubted, d.Why = Insecure, doubted, what+" are not signed"
	if doubted != "" {
		d.Why = what + " are signed by the word of " + doubted + ", which is not protected on its way (--dns-trust-ad believes it)"
	}
}

func (d *DANE) bogus(err error) {
	d.State, d.Err, d.Why = Bogus, err, err.Error()
	var e *route.Error
	if errors.As(err, &e) {
		d.Server, d.Why = e.Server, fmt.Sprintf("%s of %s: %s", e.Type, e.Name, e.Reason())
	}
}

// names are the reference identifiers for usage 2 (RFC 7672 section 3.2.2 and 3.2.3): the
// base domain, the name before its aliases, and the domain if its MX is signed.
func (d *DANE) names(base string) []string {
	names := []string{base}
	if d.Host != base {
		names = append(names, d.Host)
	}
	if d.Signed && d.Domain != "" && !slices.Contains(names, d.Domain) {
		names = append(names, d.Domain)
	}
	return names
}
