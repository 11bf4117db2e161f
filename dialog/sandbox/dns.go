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

// zones is what the DNS server knows. A domain's records are made by the first
// question about it.
type zones struct {
	all     []Scenario
	ca      *authority
	reverse func() zone

	mu   sync.Mutex
	made map[string]zone // by the label before "test"
}

func newZones(all []Scenario, ca *authority) *zones {
	return &zones{all: all, ca: ca, made: map[string]zone{}, reverse: sync.OnceValue(func() zone { return makeReverse(all) })}
}

// domain gives the zone of the domain with that label before "test"; false if
// the world has none.
func (z *zones) domain(label string) (zone, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if made, ok := z.made[label]; ok {
		return made, true
	}
	for _, s := range z.all {
		if s.Name == label {
			z.made[label] = makeZone(s, z.ca)
			return z.made[label], true
		}
	}
	return zone{}, false
}

// of gives the zone that holds name; false where the world has none.
func (z *zones) of(name string) (zone, bool) {
	labels := dns.SplitDomainName(name)
	switch n := len(labels); {
	case n >= 2 && labels[n-1] == "test":
		if made, ok := z.domain(labels[n-2]); ok {
			return made, true
		}
		fallthrough
	case n == 1 && labels[0] == "test":
		top := newZone("test.")
		top.add(&dns.NS{Hdr: header("test.", dns.TypeNS), Ns: "ns.test."})
		top.add(address("ns.test.", "127.0.0.1"))
		return top, true
	case n >= 2 && labels[n-1] == "arpa" && labels[n-2] == "home": // a public suffix (RFC 8375)
		home := newZone("home.arpa.")
		home.add(&dns.NS{Hdr: header("home.arpa.", dns.TypeNS), Ns: "ns.test."})
		home.add(&dns.MX{Hdr: header("home.arpa.", dns.TypeMX), Preference: 10, Mx: "mx1.good.test."})
		return home, true
	case n >= 2 && labels[n-1] == "arpa":
		reverse := z.reverse()
		for i := range labels {
			apex := strings.Join(labels[i:], ".") + "."
			if records(reverse.names[apex], dns.TypeSOA) != nil {
				reverse.apex = apex
				return reverse, true
			}
		}
	}
	return zone{}, false
}

// response is the answer to a question.
type response struct {
	rcode             int
	answer, authority []dns.RR
	secure            bool // all of it is from signed zones
	told              bool // that its signatures are bad
}

// answer answers one question, following CNAMEs as long as they stay in the
// world (RFC 1034 section 4.3.2).
func (z *zones) answer(q dns.Question) response {
	name := strings.ToLower(q.Name)
	seen := map[string]bool{}
	r := response{secure: true}
	for {
		zone, ok := z.of(name)
		switch {
		case !ok && len(r.answer) == 0, q.Qclass != dns.ClassINET:
			return response{rcode: dns.RcodeRefused}
		case !ok, seen[name]:
			r.secure = r.secure && ok
			return r
		case zone.rcode != 0:
			return response{rcode: zone.rcode}
		}
		if told, bogus := zone.bogus[name+" "+dns.TypeToString[q.Qtype]]; bogus {
			return response{rcode: dns.RcodeServerFailure, told: told}
		}
		seen[name] = true
		r.secure = r.secure && zone.signed
		found, err := zone.find(name, q.Qtype)
		if err != nil {
			return response{rcode: dns.RcodeServerFailure}
		}
		if r.answer = append(r.answer, found...); found != nil {
			return r
		}
		alias := records(zone.names[name], dns.TypeCNAME)
		if alias == nil {
			r.authority = records(zone.names[zone.apex], dns.TypeSOA)
			if !zone.exists(name) {
				r.rcode = dns.RcodeNameError
			}
			return r
		}
		r.answer = append(r.answer, alias[0])
		name = strings.ToLower(alias[0].(*dns.CNAME).Target)
	}
}

// addrs gives the addresses of a host name.
func (z *zones) addrs(name string) []netip.Addr {
	var found []netip.Addr
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		r := z.answer(dns.Question{Name: dns.Fqdn(name), Qtype: t, Qclass: dns.ClassINET})
		for _, rr := range r.answer {
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
	asked := q.AuthenticatedData
	if opt := q.IsEdns0(); opt != nil {
		asked = asked || opt.Do() // RFC 6840 section 5.8
		size = max(size, int(opt.UDPSize()))
		m.SetEdns0(dns.DefaultMsgSize, opt.Do())
	}
	r := z.answer(q.Question[0])
	m.Rcode, m.Answer, m.Ns = r.rcode, r.answer, r.authority
	m.AuthenticatedData = r.secure && asked
	if m.Rcode == dns.RcodeRefused {
		m.Authoritative = false
	}
	if opt := m.IsEdns0(); opt != nil && r.told {
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus})
	}
	trick := z.trick(q.Question[0].Name)
	if overUDP(rw) && trick != TrickLarge {
		m.Truncate(size)
	}
	if trick == NoTrick {
		_ = rw.WriteMsg(m) // a client that is gone needs no answer
		return
	}
	all, err := tricked(trick, m, overUDP(rw))
	if err != nil {
		return
	}
	for _, octets := range all {
		_, _ = rw.Write(octets)
	}
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
