package sandbox

import (
	"fmt"
	"net"
	"strings"

	"github.com/miekg/dns"
)

// ttl of every record, in seconds.
const ttl = 3600

// zone is a zone's records by name (lower case, with the final dot) and type.
type zone struct {
	apex   string
	rcode  int
	signed bool
	bogus  map[string]bool // "name TYPE"; true: the answer says why
	names  map[string][]dns.RR
	tlsa   map[string]func() ([]dns.RR, error) // by name: made from certificates, which a zone need not wait for
}

func newZone(apex string) zone {
	z := zone{apex: apex, bogus: map[string]bool{}, names: map[string][]dns.RR{}, tlsa: map[string]func() ([]dns.RR, error){}}
	z.add(soa(apex))
	return z
}

func (z zone) add(rr dns.RR) {
	name := strings.ToLower(rr.Header().Name)
	z.names[name] = append(z.names[name], rr)
}

func makeZone(s Scenario, ca *authority) zone {
	apex := s.domain() + "."
	z := newZone(apex)
	z.rcode, z.signed = s.Rcode, s.Signed
	z.add(&dns.NS{Hdr: header(apex, dns.TypeNS), Ns: "ns.test."})
	for i, h := range s.Hosts {
		name := s.hostname(h) + "."
		if s.Zone == "" {
			z.add(&dns.MX{Hdr: header(apex, dns.TypeMX), Preference: uint16(10 * (i + 1)), Mx: name})
		}
		for _, a := range strings.Fields(h.Addrs) {
			z.add(address(name, a))
		}
		for j := range h.Services {
			if v := &h.Services[j]; v.TLSA != "" {
				owner := fmt.Sprintf("_%d._tcp.%s", v.port(), name)
				z.tlsa[owner] = func() ([]dns.RR, error) { return ca.tlsa(v, s.hostname(h), owner) }
			}
		}
	}
	for _, question := range list(s.Bogus) {
		z.bogus[strings.Replace(question, " ", "."+apex+" ", 1)] = false
	}
	for _, question := range list(s.Invalid) {
		z.bogus[strings.Replace(question, " ", "."+apex+" ", 1)] = true
	}
	p := dns.NewZoneParser(strings.NewReader(s.Zone), apex, s.Name)
	p.SetDefaultTTL(ttl)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		z.add(rr)
	}
	if p.Err() != nil { // a row that does not parse is seen as such, and its test fails
		z.rcode = dns.RcodeServerFailure
	}
	return z
}

// makeReverse makes the PTR records of all hosts. Of 10.in-addr.arpa nothing is
// known, as in the real world (RFC 6303).
func makeReverse(all []Scenario) zone {
	z := zone{apex: "arpa.", names: map[string][]dns.RR{}}
	for _, apex := range []string{"2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.", "113.0.203.in-addr.arpa.",
		"10.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."} {
		z.add(soa(apex))
	}
	add := func(addr, host string) {
		if name, err := dns.ReverseAddr(addr); err == nil {
			z.add(&dns.PTR{Hdr: header(name, dns.TypePTR), Ptr: host + "."})
		}
	}
	for _, s := range all {
		for _, h := range s.Hosts {
			for _, a := range strings.Fields(h.Addrs) {
				add(a, s.hostname(h))
			}
		}
		for _, named := range list(s.PTR) {
			addr, host, _ := strings.Cut(named, " ")
			add(addr, host)
		}
	}
	return z
}

func header(name string, t uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET, Ttl: ttl}
}

// address is an A or AAAA record, as a demands.
func address(name, a string) dns.RR {
	if ip := net.ParseIP(a); ip.To4() == nil {
		return &dns.AAAA{Hdr: header(name, dns.TypeAAAA), AAAA: ip}
	}
	return &dns.A{Hdr: header(name, dns.TypeA), A: net.ParseIP(a).To4()}
}

func soa(apex string) dns.RR {
	return &dns.SOA{Hdr: header(apex, dns.TypeSOA), Ns: "ns.test.", Mbox: "hostmaster.test.",
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: 300}
}

// records gives those of all that are of a type; ANY is every type.
func records(all []dns.RR, t uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range all {
		if rr.Header().Rrtype == t || t == dns.TypeANY {
			found = append(found, rr)
		}
	}
	return found
}

// find gives the records of name that are of a type; ANY is every type.
func (z zone) find(name string, t uint16) ([]dns.RR, error) {
	found := records(z.names[name], t)
	if made, ok := z.tlsa[name]; ok && (t == dns.TypeTLSA || t == dns.TypeANY) {
		tlsa, err := made()
		if err != nil {
			return nil, err
		}
		found = append(found, tlsa...)
	}
	return found, nil
}

// exists reports whether name or a name below it has records: then the answer
// is "no data" and not NXDOMAIN (RFC 8020).
func (z zone) exists(name string) bool {
	if len(z.names[name]) > 0 {
		return true
	}
	for other := range z.names {
		if strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	for other := range z.tlsa {
		if other == name || strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	return false
}
