package spf

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// zone is what a server knows, by the names of records in lower case. A name without a
// record of the type asked for is NODATA, another name NXDOMAIN. A silent name gets
// no answer where it has no record of the type. Set failing for SERVFAIL.
type zone struct {
	records map[string][]dns.RR
	silent  map[string]bool
	failing map[string]bool

	mu    sync.Mutex
	asked int
}

// newZone reads one record a line; "name SILENT" and "name SERVFAIL" are no records.
func newZone(t testing.TB, text string) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}, silent: map[string]bool{}, failing: map[string]bool{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		switch fields[1] {
		case "SILENT":
			z.silent[fields[0]] = true
			continue
		case "SERVFAIL":
			z.failing[fields[0]] = true
			continue
		}
		rr, err := dns.NewRR(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		name := readName(rr.Header().Name)
		rr.Header().Name = name
		z.records[name] = append(z.records[name], rr)
	}
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	z.mu.Lock()
	z.asked++
	z.mu.Unlock()
	q := query.Question[0]
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable = true
	name := strings.ToLower(q.Name)
	for range 8 {
		alias := ""
		for _, rr := range z.records[name] {
			if rr.Header().Rrtype == q.Qtype {
				m.Answer = append(m.Answer, rr)
			} else if c, ok := rr.(*dns.CNAME); ok {
				m.Answer, alias = append(m.Answer, rr), strings.ToLower(c.Target)
			}
		}
		if alias == "" {
			break
		}
		name = alias
	}
	switch {
	case len(m.Answer) > 0:
	case z.silent[name]:
		return
	case z.failing[name]:
		m.Rcode = dns.RcodeServerFailure
	default:
		if !z.exists(name) {
			m.Rcode = dns.RcodeNameError
		}
		soa, _ := dns.NewRR(". 60 IN SOA ns. hostmaster. 1 2 3 4 60")
		m.Ns = append(m.Ns, soa)
	}
	if opt := query.IsEdns0(); opt != nil {
		m.SetEdns0(1232, opt.Do())
	}
	if w.RemoteAddr().Network() != "tcp" {
		m.Truncate(1232)
	}
	_ = w.WriteMsg(m)
}

// exists reports whether there is such a name, or one below it (RFC 8020).
func (z *zone) exists(name string) bool {
	if z.records[name] != nil {
		return true
	}
	for owner := range z.records {
		if strings.HasSuffix(owner, "."+name) {
			return true
		}
	}
	return false
}

// readName is a name as the DNS library writes one that it has read, in lower case.
func readName(name string) string {
	wire := make([]byte, 256)
	if _, err := dns.PackDomainName(dns.Fqdn(name), wire, 0, nil, false); err != nil {
		return dns.Fqdn(name) // a name that cannot be asked for
	}
	read, _, _ := dns.UnpackDomainName(wire, 0)
	return strings.ToLower(read)
}

// serve runs a DNS server on loopback, UDP and TCP, until the test ends.
func serve(t testing.TB, handler dns.Handler) netip.AddrPort {
	t.Helper()
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
		for _, s := range []*dns.Server{{PacketConn: udp, Handler: handler}, {Listener: tcp, Handler: handler}} {
			started := make(chan struct{})
			s.NotifyStartedFunc = func() { close(started) }
			go func() { _ = s.ActivateAndServe() }()
			<-started
			t.Cleanup(func() { _ = s.Shutdown() })
		}
		return netip.MustParseAddrPort(tcp.Addr().String())
	}
	t.Fatal("no port is free for both UDP and TCP")
	return netip.AddrPort{}
}

// client asks server, and waits for a silent name long enough for loopback.
func client(server netip.AddrPort) *route.Client {
	return &route.Client{Servers: []route.Server{{Addr: server}}, Timeout: time.Second}
}
