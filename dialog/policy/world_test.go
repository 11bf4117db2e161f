package policy

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// zone is a validating resolver's whole world: one record a line. "name SERVFAIL"
// fails what is asked at that name; "name UNSIGNED" leaves out the AD bit where an
// answer has to do with that name or one below it.
type zone struct {
	records  map[string][]dns.RR
	fails    map[string]bool
	unsigned []string

	mu    sync.Mutex
	asked []string
}

func newZone(t testing.TB, text string) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}, fails: map[string]bool{}}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[1] == "SERVFAIL":
			z.fails[words[0]] = true
			continue
		case words[1] == "UNSIGNED":
			z.unsigned = append(z.unsigned, words[0])
			continue
		}
		rr, err := dns.NewRR(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		z.records[rr.Header().Name] = append(z.records[rr.Header().Name], rr)
	}
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	q := query.Question[0]
	z.mu.Lock()
	z.asked = append(z.asked, dns.TypeToString[q.Qtype]+" "+q.Name)
	z.mu.Unlock()
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable, m.AuthenticatedData = true, true
	z.answer(m, q)
	if opt := query.IsEdns0(); opt != nil {
		m.SetEdns0(1232, opt.Do())
	}
	if w.RemoteAddr().Network() == "udp" {
		m.Truncate(1232)
	}
	_ = w.WriteMsg(m)
}

func (z *zone) answer(m *dns.Msg, q dns.Question) {
	name := strings.ToLower(q.Name)
	for range 10 {
		if z.fails[name] {
			m.Answer, m.Rcode, m.AuthenticatedData = nil, dns.RcodeServerFailure, false
			return
		}
		if slices.ContainsFunc(z.unsigned, func(zone string) bool { return dns.IsSubDomain(zone, name) }) {
			m.AuthenticatedData = false
		}
		alias, found := "", false
		for _, rr := range z.records[name] {
			c, isAlias := rr.(*dns.CNAME)
			if rr.Header().Rrtype == q.Qtype || isAlias {
				m.Answer = append(m.Answer, rr)
				found = found || rr.Header().Rrtype == q.Qtype
			}
			if isAlias {
				alias = c.Target
			}
		}
		if found || alias == "" {
			break
		}
		name = alias
	}
	if len(m.Answer) > 0 && m.Answer[len(m.Answer)-1].Header().Rrtype == q.Qtype {
		return
	}
	if z.records[name] == nil {
		m.Rcode = dns.RcodeNameError
	}
	soa, _ := dns.NewRR(". 60 IN SOA ns. hostmaster. 1 2 3 4 60")
	m.Ns = append(m.Ns, soa)
}

// world is a zone, served on loopback over UDP and TCP, and a client of it.
func world(t testing.TB, text string) (*route.Client, *zone) {
	t.Helper()
	z := newZone(t, text)
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			_ = tcp.Close()
			continue
		}
		for _, s := range []*dns.Server{{PacketConn: udp, Handler: z}, {Listener: tcp, Handler: z}} {
			started := make(chan struct{})
			s.NotifyStartedFunc = func() { close(started) }
			go func() { _ = s.ActivateAndServe() }()
			<-started
			t.Cleanup(func() { _ = s.Shutdown() })
		}
		server := route.Server{Addr: netip.MustParseAddrPort(udp.LocalAddr().String())}
		return &route.Client{Servers: []route.Server{server}, Timeout: 5 * time.Second}, z
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

func (z *zone) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.asked)
}

func background(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
