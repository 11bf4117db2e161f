package route

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Route is where mail for a domain goes.
type Route struct {
	Domain string // for people: in its own script, or an address literal as it was written
	ASCII  string // for the DNS; "" for a literal
	Port   uint16 // of every host
	Hosts  []Host // best first, those too that cannot be tried

	Implicit  bool   // no MX record, so the domain itself is the host (RFC 5321 section 5.1)
	Null      bool   // the domain takes no mail (RFC 7505)
	Literal   bool   // an address: no DNS was asked
	Direct    bool   // a host was named: no MX was asked for
	Loopback  bool   // localhost: no DNS was asked (RFC 6761 section 6.3)
	HostsFile string // the hosts file that the addresses are from, if they are

	Authentic bool          // the MX records, or that there are none, are validated by DNSSEC: as that of an Answer
	Doubted   string        // as that of an Answer
	TTL       time.Duration // of the MX records; of the addresses where there are none
	Aliases   []string      // the domain's names before the last, if it is an alias
	Server    string        // who answered, as Server.String gives it
	Took      time.Duration
	Findings  []Finding // on the domain; what is on a host stands there
}

// Host is one host of a route.
type Host struct {
	Pref      uint16
	Name      string       // "" for an address literal
	Canonical string       // the name that has the addresses, behind all aliases; "" without an answer
	Addrs     []netip.Addr // to be tried in this order: IPv4 and IPv6 by turns, IPv4 first
	TTL       time.Duration
	Authentic bool     // the addresses, and the aliases before them, are validated by DNSSEC
	Doubted   string   // as that of an Answer
	Aliases   []string // the names passed on the way to the addresses
	Findings  []Finding
	Err       error // why there are no addresses, an *Error; nil if there was no reason to ask
}

// Options are what a caller may choose. The zero value is good.
type Options struct {
	Family Family
	// Queries is how many questions a route may take; 0 is 20. What is not asked for
	// is a Finding of its host, or its Err of the kind TooMany.
	Queries int
	// Shuffle puts n hosts of the same preference in a random order; nil is
	// that of math/rand.
	Shuffle func(n int, swap func(i, j int))
	// HostsFile is the file that ToHost reads first; "" is none. To reads none.
	HostsFile string
}

// To finds the route for mail to domain, which may be an address literal, by RFC
// 5321 section 5.1. The error is a *DomainError for a domain that cannot be one, else a
// *NoRoute; the Route then still has what was found.
func To(ctx context.Context, r Resolver, domain string, port uint16, opts Options) (Route, error) {
	start := time.Now()
	rt := Route{Domain: domain, Port: port}
	var err error
	if addr, ok, wrong := parseLiteral(domain); wrong != nil {
		return rt, wrong
	} else if ok {
		err = rt.literal(addr, opts)
	} else if rt.Domain, rt.ASCII, err = ParseDomain(domain); err != nil {
		rt.Domain = domain
		return rt, err
	} else if isLocalhost(rt.ASCII) {
		err = rt.loopback(opts)
	} else {
		err = rt.mail(withBudget(ctx, opts.queries()), r, opts)
	}
	rt.Took = time.Since(start)
	return rt, err
}

// ToHost finds the addresses of a host that the user named: an address with or
// without brackets, localhost, a name in the hosts file, or one in the DNS.
// The errors are those of To.
func ToHost(ctx context.Context, r Resolver, host string, port uint16, opts Options) (Route, error) {
	start := time.Now()
	rt := Route{Domain: host, Port: port, Direct: true}
	addr, ok, err := parseLiteral(host)
	if !ok {
		if addr, err = netip.ParseAddr(host); err == nil {
			ok = true
		}
	}
	switch {
	case ok && err != nil:
		return rt, err
	case ok:
		err = rt.literal(addr, opts)
	default:
		if rt.Domain, rt.ASCII, err = parseHost(host); err != nil {
			rt.Domain = host
			return rt, err
		}
		err = rt.named(withBudget(ctx, opts.queries()), r, opts)
	}
	rt.Took = time.Since(start)
	return rt, err
}

// literal is the route to an address.
func (rt *Route) literal(addr netip.Addr, opts Options) error {
	rt.Literal = true
	return rt.known([]netip.Addr{addr}, opts)
}

// loopback is the route to this machine.
func (rt *Route) loopback(opts Options) error {
	rt.Loopback = true
	return rt.known([]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, opts)
}

// known is a route of addresses that no DNS was asked for.
func (rt *Route) known(addrs []netip.Addr, opts Options) error {
	h := Host{Name: rt.ASCII}
	h.take(addrs, opts.Family)
	h.cut()
	rt.Hosts = []Host{h}
	if len(h.Addrs) == 0 {
		return rt.none(OtherFamily, nil)
	}
	return nil
}

// named is the route to a host by its name.
func (rt *Route) named(ctx context.Context, r Resolver, opts Options) error {
	if isLocalhost(rt.ASCII) {
		return rt.loopback(opts)
	}
	if opts.HostsFile != "" {
		addrs, err := HostsFile(opts.HostsFile, rt.ASCII)
		if err != nil {
			rt.Findings = append(rt.Findings, Finding{ID: "hosts-file", Text: err.Error()})
		}
		if len(addrs) > 0 {
			rt.HostsFile = opts.HostsFile
			return rt.known(addrs, opts)
		}
	}
	h := Host{Name: rt.ASCII}
	a, err := r.Addr(ctx, rt.ASCII, opts.Family)
	rt.Authentic, rt.Doubted, rt.TTL, rt.Server, rt.Aliases = a.Authentic, a.Doubted, a.TTL, a.Server, a.Aliases
	if err != nil {
		h.Err = err
		rt.denied(err)
		rt.Hosts = []Host{h}
		return rt.none(hostReason(err, opts.Family), err)
	}
	h.answer(a, opts.Family)
	h.cut()
	rt.Hosts = []Host{h}
	return nil
}

// mail is the route by MX records.
func (rt *Route) mail(ctx context.Context, r Resolver, opts Options) error {
	a, err := r.MX(ctx, rt.ASCII)
	var e *Error
	switch {
	case err == nil:
		rt.Authentic, rt.Doubted, rt.TTL, rt.Server, rt.Aliases = a.Authentic, a.Doubted, a.TTL, a.Server, a.Aliases
	case errors.As(err, &e) && e.Kind == NoData:
		return rt.implicit(ctx, r, e, opts)
	default:
		rt.denied(err)
		if e != nil && e.Kind == NXDomain {
			return rt.none(NoDomain, err)
		}
		return rt.none(Undecided, err)
	}
	if !slices.ContainsFunc(a.Records, func(mx MX) bool { return mx.Host != "." }) {
		rt.Null = true
		rt.nullFindings(a.Records)
		return rt.none(TakesNoMail, nil)
	}
	rt.choose(a.Records, opts)
	rt.lookUp(ctx, r, opts)
	return rt.usable(opts.Family)
}

// implicit is the route to a domain without MX records: its own addresses. It is
// taken only where the DNS says that there are none.
func (rt *Route) implicit(ctx context.Context, r Resolver, noMX *Error, opts Options) error {
	rt.Implicit = true
	rt.denied(noMX)
	h := Host{Name: rt.ASCII}
	a, err := r.Addr(ctx, rt.ASCII, opts.Family)
	if err != nil {
		h.Err = err
		rt.Hosts = []Host{h}
		switch {
		case !definite(err):
			return rt.none(Undecided, err)
		case opts.Family != Both:
			return rt.none(OtherFamily, err)
		}
		return rt.none(NoMailHost, err)
	}
	rt.TTL, rt.Aliases = a.TTL, a.Aliases
	h.answer(a, opts.Family)
	h.judge()
	h.cut()
	rt.Hosts = []Host{h}
	return rt.usable(opts.Family)
}

// usable is nil if some host has an address.
func (rt *Route) usable(f Family) error {
	var failed error
	why := NoAddress
	for _, h := range rt.Hosts {
		if len(h.Addrs) > 0 {
			return nil
		}
		if h.Err != nil && !definite(h.Err) && failed == nil {
			failed = h.Err
		}
		if definite(h.Err) && f != Both {
			why = OtherFamily // as far as we asked
		}
	}
	if failed != nil {
		return rt.none(Undecided, failed)
	}
	return rt.none(why, nil)
}

func (rt *Route) none(why Reason, err error) error {
	return &NoRoute{Domain: rt.Domain, Why: why, Err: err}
}

func (o Options) queries() int {
	if o.Queries > 0 {
		return o.Queries
	}
	return maxQueries
}

func shuffle(opts Options) func(int, func(i, j int)) {
	if opts.Shuffle != nil {
		return opts.Shuffle
	}
	return rand.Shuffle
}

// denied takes over who said that there are no records, and whether that is proven.
func (rt *Route) denied(err error) {
	var e *Error
	if errors.As(err, &e) {
		rt.Server, rt.Authentic, rt.Doubted = e.Server, e.Authentic, e.Doubted
	}
}

func hostReason(err error, f Family) Reason {
	var e *Error
	switch {
	case !errors.As(err, &e) || !e.Definite():
		return Undecided
	case e.Kind == NXDomain:
		return NoDomain
	case f != Both:
		return OtherFamily
	}
	return NoAddress
}
