package route

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// silence is long enough for loopback and short enough to wait for.
const silence = 150 * time.Millisecond

// listen gives a UDP socket and a TCP listener on the same loopback port.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	return listenAt(t, "127.0.0.1")
}

// listenAt is listen at an address, and skips a test where the host does not have it.
func listenAt(t testing.TB, addr string) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
		if err != nil {
			t.Skipf("this host does not listen at %s: %v", addr, err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			return udp, tcp
		}
		_ = tcp.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// at is the plain server at a.
func at(a net.Addr) Server { return Server{Addr: netip.MustParseAddrPort(a.String())} }

// serve runs a DNS server until the test ends.
func serve(t testing.TB, handle dns.HandlerFunc) Server {
	t.Helper()
	return serveAt(t, "127.0.0.1", handle)
}

// serveAt is serve at an address.
func serveAt(t testing.TB, addr string, handle dns.HandlerFunc) Server {
	t.Helper()
	udp, tcp := listenAt(t, addr)
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: handle}, {Listener: tcp, Handler: handle}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return at(udp.LocalAddr())
}

// serveRaw answers every UDP packet with what reply gives for it.
func serveRaw(t testing.TB, reply func(query []byte) [][]byte) Server {
	t.Helper()
	udp, tcp := listen(t)
	t.Cleanup(func() { _, _ = udp.Close(), tcp.Close() })
	go func() {
		buf := make([]byte, 65535)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, packet := range reply(buf[:n]) {
				_, _ = udp.WriteTo(packet, from)
			}
		}
	}()
	return at(udp.LocalAddr())
}

func isTCP(w dns.ResponseWriter) bool { return w.RemoteAddr().Network() == "tcp" }

// zone is a resolver's whole world: one record a line. A name without a record
// of the type is NODATA, another name NXDOMAIN, both with the SOA; "name SERVFAIL" or
// another response code is what that name gives. A line SECURE sets the AD bit, but
// where a name with "insecure" in it is met.
type zone struct {
	records map[string][]dns.RR
	rcodes  map[string]int
	secure  bool // set before it serves

	mu    sync.Mutex
	asked []string // "MX example.net."
}

func newZone(t testing.TB, text string) *zone {
	t.Helper()
	z := &zone{records: map[string][]dns.RR{}, rcodes: map[string]int{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if fields[0] == "SECURE" {
			z.secure = true
			continue
		}
		if code, ok := dns.StringToRcode[fields[1]]; ok {
			z.rcodes[fields[0]] = code
			continue
		}
		rr, err := dns.NewRR(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		name := strings.ToLower(rr.Header().Name)
		z.records[name] = append(z.records[name], rr)
	}
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	q := query.Question[0]
	z.mu.Lock()
	z.asked = append(z.asked, dns.TypeToString[q.Qtype]+" "+q.Name)
	z.mu.Unlock()
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable, m.AuthenticatedData = true, z.secure && query.AuthenticatedData
	z.answer(m, q)
	if strings.Contains(m.String(), "insecure") {
		m.AuthenticatedData = false
	}
	if opt := query.IsEdns0(); opt != nil {
		m.SetEdns0(1232, opt.Do())
	}
	if !isTCP(w) {
		m.Truncate(1232)
	}
	_ = w.WriteMsg(m)
}

func (z *zone) answer(m *dns.Msg, q dns.Question) {
	name := strings.ToLower(q.Name)
	if code, ok := z.rcodes[name]; ok {
		m.Rcode = code
		return
	}
	for range 20 {
		var alias string
		var found bool
		for _, rr := range z.records[name] {
			if rr.Header().Rrtype == q.Qtype {
				m.Answer = append(m.Answer, rr)
				found = true
			} else if c, ok := rr.(*dns.CNAME); ok {
				m.Answer = append(m.Answer, rr)
				alias = strings.ToLower(c.Target)
			}
		}
		if found {
			return
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if z.records[name] == nil {
		m.Rcode = dns.RcodeNameError
	}
	soa, _ := dns.NewRR(". 60 IN SOA ns. hostmaster. 1 2 3 4 60")
	m.Ns = append(m.Ns, soa)
}

func (z *zone) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return append([]string(nil), z.asked...)
}

// client asks servers that are on loopback.
func client(servers ...Server) *Client {
	return &Client{Servers: servers, Timeout: 5 * time.Second}
}

// world is a zone and a client of it.
func world(t testing.TB, text string) (*Client, *zone) {
	t.Helper()
	z := newZone(t, text)
	return client(serve(t, z.ServeDNS)), z
}

func background(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// message is the zone's answer to q without a network.
func (z *zone) message(q question) *dns.Msg {
	m := new(dns.Msg).SetQuestion(q.name, q.typ)
	m.Response, m.RecursionAvailable = true, true
	z.answer(m, m.Question[0])
	return m
}

// asking is a Resolver for routes over an asker, counting as Client does.
type asking struct {
	Resolver
	ask asker
}

func counted(ask asker) asking {
	var mu sync.Mutex
	return asking{ask: func(ctx context.Context, q question) (*reply, error) {
		if !spend(ctx) {
			return nil, tooManyQueries(q.name, dns.TypeToString[q.typ], whole(ctx))
		}
		mu.Lock()
		defer mu.Unlock()
		return ask(ctx, q)
	}}
}

func (a asking) MX(ctx context.Context, domain string) (Answer[MX], error) {
	return lookup(ctx, a.ask, domain, dns.TypeMX, pickMX)
}

func (a asking) Addr(ctx context.Context, host string, f Family) (Answer[netip.Addr], error) {
	return addresses(ctx, a.ask, host, f)
}
