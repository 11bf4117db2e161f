package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// ttl of every record, in seconds.
const ttl = 3600

// zones is what the DNS server knows. Each domain's records are made by the
// first question about it.
type zones struct {
	domains map[string]func() zone // by the label before "test"
	reverse func() zone
}

// zone is a zone's records by name (lower case, with the final dot) and type.
type zone struct {
	apex  string
	rcode int
	names map[string][]dns.RR
}

func newZones(all []Scenario) *zones {
	z := &zones{domains: make(map[string]func() zone, len(all))}
	for _, s := range all {
		z.domains[s.Name] = sync.OnceValue(func() zone { return makeZone(s) })
	}
	z.reverse = sync.OnceValue(func() zone { return makeReverse(all) })
	return z
}

func (z zone) add(rr dns.RR) {
	name := strings.ToLower(rr.Header().Name)
	z.names[name] = append(z.names[name], rr)
}

func makeZone(s Scenario) zone {
	apex := s.domain() + "."
	z := zone{apex: apex, rcode: s.Rcode, names: map[string][]dns.RR{}}
	z.add(soa(apex))
	z.add(&dns.NS{Hdr: header(apex, dns.TypeNS), Ns: "ns.test."})
	for i, h := range s.Hosts {
		name := s.hostname(h) + "."
		if s.Zone == "" {
			z.add(&dns.MX{Hdr: header(apex, dns.TypeMX), Preference: uint16(10 * (i + 1)), Mx: name})
		}
		for _, a := range strings.Fields(h.Addrs) {
			z.add(address(name, a))
		}
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
	for _, s := range all {
		for _, h := range s.Hosts {
			for _, a := range strings.Fields(h.Addrs) {
				if name, err := dns.ReverseAddr(a); err == nil {
					z.add(&dns.PTR{Hdr: header(name, dns.TypePTR), Ptr: s.hostname(h) + "."})
				}
			}
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

// of gives the zone that holds name; false where the world has none.
func (z *zones) of(name string) (zone, bool) {
	labels := dns.SplitDomainName(name)
	switch n := len(labels); {
	case n >= 2 && labels[n-1] == "test":
		if made, ok := z.domains[labels[n-2]]; ok {
			return made(), true
		}
		fallthrough
	case n == 1 && labels[0] == "test":
		top := zone{apex: "test.", names: map[string][]dns.RR{}}
		top.add(soa("test."))
		top.add(&dns.NS{Hdr: header("test.", dns.TypeNS), Ns: "ns.test."})
		top.add(address("ns.test.", "127.0.0.1"))
		return top, true
	case n >= 2 && labels[n-1] == "arpa":
		reverse := z.reverse()
		for i := range labels {
			apex := strings.Join(labels[i:], ".") + "."
			if find(reverse.names[apex], dns.TypeSOA) != nil {
				reverse.apex = apex
				return reverse, true
			}
		}
	}
	return zone{}, false
}

// find gives the records of a type; ANY is every type.
func find(all []dns.RR, t uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range all {
		if rr.Header().Rrtype == t || t == dns.TypeANY {
			found = append(found, rr)
		}
	}
	return found
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
	return false
}

// answer answers one question, following CNAMEs as long as they stay in the
// world (RFC 1034 section 4.3.2).
func (z *zones) answer(q dns.Question) (rcode int, answer, authority []dns.RR) {
	name := strings.ToLower(q.Name)
	seen := map[string]bool{}
	for {
		zone, ok := z.of(name)
		switch {
		case !ok && len(answer) == 0, q.Qclass != dns.ClassINET:
			return dns.RcodeRefused, nil, nil
		case !ok, seen[name]:
			return dns.RcodeSuccess, answer, nil
		case zone.rcode != 0:
			return zone.rcode, nil, nil
		}
		seen[name] = true
		if found := find(zone.names[name], q.Qtype); found != nil {
			return dns.RcodeSuccess, append(answer, found...), nil
		}
		alias := find(zone.names[name], dns.TypeCNAME)
		if alias == nil {
			authority = find(zone.names[zone.apex], dns.TypeSOA)
			if !zone.exists(name) {
				rcode = dns.RcodeNameError
			}
			return rcode, answer, authority
		}
		answer = append(answer, alias[0])
		name = strings.ToLower(alias[0].(*dns.CNAME).Target)
	}
}

// addrs gives the addresses of a host name.
func (z *zones) addrs(name string) []netip.Addr {
	var found []netip.Addr
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		_, answer, _ := z.answer(dns.Question{Name: dns.Fqdn(name), Qtype: t, Qclass: dns.ClassINET})
		for _, rr := range answer {
			switch rr := rr.(type) {
			case *dns.A:
				a, _ := netip.AddrFromSlice(rr.A)
				found = append(found, a)
			case *dns.AAAA:
				a, _ := netip.AddrFromSlice(rr.AAAA)
				found = append(found, a)
			}
		}
	}
	return found
}

// ServeDNS answers one query; it implements dns.Handler.
func (z *zones) ServeDNS(rw dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Authoritative = true
	m.Compress = true
	size := dns.MinMsgSize
	if opt := q.IsEdns0(); opt != nil {
		size = max(size, int(opt.UDPSize()))
		m.SetEdns0(dns.DefaultMsgSize, opt.Do())
	}
	m.Rcode, m.Answer, m.Ns = z.answer(q.Question[0])
	if m.Rcode == dns.RcodeRefused {
		m.Authoritative = false
	}
	if _, udp := rw.LocalAddr().(*net.UDPAddr); udp {
		m.Truncate(size)
	}
	_ = rw.WriteMsg(m) // a client that is gone needs no answer
}

// serveDNS starts the DNS server on one port of UDP and TCP.
func (w *World) serveDNS() error {
	want := w.opt.DNSAddr
	if want == "" {
		want = "127.0.0.1:0"
	}
	var l net.Listener
	var pc net.PacketConn
	var err error
	for range 10 { // a free TCP port may be taken on UDP
		if l, err = net.Listen("tcp", want); err != nil {
			return fmt.Errorf("sandbox: DNS server: %w", err)
		}
		if pc, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			break
		}
		_ = l.Close()
	}
	if err != nil {
		return fmt.Errorf("sandbox: DNS server: %w", err)
	}
	w.dnsAddr = l.Addr().String()
	w.tcp = &dns.Server{Listener: l, Handler: w.zones}
	w.udp = &dns.Server{PacketConn: pc, Handler: w.zones}
	for _, s := range []*dns.Server{w.tcp, w.udp} {
		w.started.Add(1)
		var once sync.Once
		started := func() { once.Do(w.started.Done) }
		s.NotifyStartedFunc = started
		w.group.Go(func() {
			defer started()
			if err := s.ActivateAndServe(); err != nil && !errors.Is(err, net.ErrClosed) {
				w.log("dns", "--", err.Error())
			}
		})
	}
	return nil
}
