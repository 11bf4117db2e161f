package route

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// One connection serves all questions, at the same time too; each query is padded, asks
// for the AD bit and leaves checking to the server; the answers may come in any order.
func TestOverTLS(t *testing.T) {
	a := newAuthority(t)
	var mu sync.Mutex
	var lengths []int
	config := &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)}, NextProtos: []string{"dot"}}
	var protocol, sni atomic.Value
	const together = 5
	server := serveTLS(t, config, func(socket net.Conn) {
		state := socket.(*tls.Conn).ConnectionState()
		protocol.Store(state.NegotiatedProtocol)
		sni.Store(state.ServerName)
		var held []*dns.Msg
		each(func(conn *dns.Conn, query *dns.Msg) bool {
			packed, _ := query.Pack()
			mu.Lock()
			lengths = append(lengths, len(packed))
			mu.Unlock()
			if opt := query.IsEdns0(); opt == nil || !opt.Do() || !query.AuthenticatedData || query.CheckingDisabled {
				t.Errorf("a query as it should not be: %v", query)
			}
			if held = append(held, query); len(held) < together {
				return true
			}
			for _, q := range slices.Backward(held) {
				answerTrue(conn, q)
			}
			held = nil
			return true
		})(socket)
	})
	c := dotClient(t, a, server.Server)
	var nets []string
	c.Trace = func(q Query) { nets = append(nets, q.Net+" "+q.Server) }
	for round := range 2 {
		var wg sync.WaitGroup
		for i := range together {
			wg.Go(func() {
				name := fmt.Sprintf("%s%d.test", strings.Repeat("x", 12*i), round)
				a, err := c.MX(background(t), name)
				if wantTrue(t, a, err); a.Name != name || !a.Authentic || a.Doubted != "" || a.Server != server.String() {
					t.Errorf("%+v", a)
				}
			})
		}
		wg.Wait()
	}
	if n := server.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if protocol.Load() != "dot" || sni.Load() != "dns.test" {
		t.Errorf("protocol %q, name %q", protocol.Load(), sni.Load())
	}
	for _, n := range lengths {
		if n%128 != 0 {
			t.Errorf("a query of %d octets", n)
		}
	}
	if len(nets) != 2*together || nets[0] != "tls tls://"+server.Addr.String()+"#dns.test" {
		t.Error(nets)
	}
}

// The certificate has to prove the name, or without one the address, by a trusted chain, now. What it
// lacks is said, all at once; and no query is sent, nor sent in the clear.
func TestCertificates(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	past := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-40*time.Hour), time.Now().Add(-20*time.Hour)
	}
	named := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = names, nil }
	}
	for _, tt := range []struct {
		what string
		cert tls.Certificate
		name string
		want string // of the reason; "" is success
		now  time.Duration
	}{
		{"good by name", a.issue(t, named("dns.test")), "dns.test", "", 0},
		{"good by wildcard", a.issue(t, named("*.test")), "dns.test", "", 0},
		{"good by address", a.issue(t, nil), "", "", 0},
		{"name", a.issue(t, named("a.test", "b.test")), "dns.test", "name: wanted dns.test; it is for a.test, b.test", 0},
		{"many names", a.issue(t, named(strings.Split("1.test 2.test 3.test 4.test 5.test 6.test 7.test", " ")...)), "dns.test",
			"name: wanted dns.test; it is for 1.test, 2.test, 3.test, 4.test, 5.test and 2 more", 0},
		{"CN alone", a.issue(t, named()), "dns.test", "name: wanted dns.test; it lists no name", 0},
		{"address", a.issue(t, named("dns.test")), "", "name: wanted 127.0.0.1; it is for dns.test", 0},
		{"expired", a.issue(t, past), "dns.test", "dates: expired on DATE", 0},
		{"expired by the clock given", a.issue(t, nil), "dns.test", "dates: expired on DATE", 24 * time.Hour},
		{"not yet", a.issue(t, nil), "dns.test", "dates: not valid before DATE", -24 * time.Hour},
		{"unknown CA", other.issue(t, nil), "dns.test", "chain: ends at CN=dns.test, whom no trusted certificate has signed", 0},
		{"for clients", a.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "dns.test",
			"chain: certificate specifies an incompatible key usage", 0},
		{"all of it", other.issue(t, func(c *x509.Certificate) { past(c); named("a.test")(c) }), "dns.test",
			"name: wanted dns.test; it is for a.test; dates: expired on DATE; chain: ends at CN=dns.test, whom no trusted certificate has signed", 0},
	} {
		t.Run(tt.what, func(t *testing.T) {
			var asked atomic.Int32
			server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}}, each(func(conn *dns.Conn, q *dns.Msg) bool {
				asked.Add(1)
				return answerTrue(conn, q)
			}))
			server.Name = tt.name
			c := dotClient(t, a, server.Server)
			c.Now = func() time.Time { return time.Now().Add(tt.now) }
			answer, err := askMX(t, c)
			if tt.want == "" {
				wantTrue(t, answer, err)
				return
			}
			e := wantKind(t, err, TLSFailed)
			leaf, _ := x509.ParseCertificate(tt.cert.Certificate[0])
			text := strings.NewReplacer(minute(leaf.NotAfter), "DATE", minute(leaf.NotBefore), "DATE").Replace(e.Reason())
			if want := "DNS over TLS failed: certificate: " + tt.want; text != want || !e.Temporary() || e.Server != server.String() {
				t.Errorf("got  %s\nwant %s", text, want)
			}
			if asked.Load() != 0 {
				t.Error("it was asked all the same")
			}
		})
	}
}

// Whatever a server does, the failure says what it was, in the time of a try; the next question
// has a new connection.
func TestBadServersOverTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)}}
	hang := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	raw := func(bytes func(m []byte) []byte) *dot {
		return serveTLS(t, config, each(func(conn *dns.Conn, q *dns.Msg) bool {
			packed, _ := trueMX(q).Pack()
			_, err := conn.Conn.Write(bytes(packed))
			return err == nil
		}))
	}
	framed := func(n int, m []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(n)), m...) }
	wrong := func(change func(*dns.Msg)) *dot {
		return serveTLS(t, config, each(func(conn *dns.Conn, q *dns.Msg) bool {
			m := trueMX(q)
			change(m)
			return conn.WriteMsg(m) == nil
		}))
	}
	closed := serveTCP(t, func(net.Conn) {})
	_ = closed.listener.Close()
	for what, tt := range map[string]struct {
		server *dot
		kind   Kind
		reason string
	}{
		"nobody there": {closed, Network, "the server cannot be reached: connect: connection refused"},
		"no TLS": {serveTCP(t, func(conn net.Conn) {
			_, _ = conn.Write([]byte("220 mx.test ESMTP\r\n"))
			_, _ = io.Copy(io.Discard, conn)
		}), TLSFailed,
			"DNS over TLS failed: handshake: tls: first record does not look like a TLS handshake"},
		"silent before TLS":     {serveTCP(t, hang), Timeout, "no answer: handshake: within 0.15 s"},
		"closed before TLS":     {serveTCP(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }), TLSFailed, "DNS over TLS failed: handshake: it closed the connection: EOF"},
		"old TLS":               {serveTLS(t, &tls.Config{Certificates: config.Certificates, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, nil), TLSFailed, "DNS over TLS failed: handshake: tls: protocol version not supported"},
		"another protocol":      {serveTLS(t, &tls.Config{Certificates: config.Certificates, NextProtos: []string{"h2"}}, nil), TLSFailed, "DNS over TLS failed: handshake: tls: no application protocol"},
		"silent":                {serveTLS(t, config, each(func(*dns.Conn, *dns.Msg) bool { return true })), Timeout, "no answer: within 0.15 s"},
		"closes before":         {serveTLS(t, config, each(func(*dns.Conn, *dns.Msg) bool { return false })), Network, "the server cannot be reached: it closed the connection: EOF"},
		"wrong id":              {wrong(func(m *dns.Msg) { m.Id++ }), Timeout, "no answer: within 0.15 s (1 packets that answer something else)"},
		"wrong question":        {wrong(func(m *dns.Msg) { m.Question[0].Name = "evil.test." }), Timeout, "no answer: within 0.15 s (1 packets that answer something else)"},
		"a query back":          {wrong(func(m *dns.Msg) { m.Response = false }), Timeout, "no answer: within 0.15 s (1 packets that answer something else)"},
		"truncated":             {wrong(func(m *dns.Msg) { m.Truncated = true }), Malformed, "an answer that makes no sense: truncated, though not over UDP"},
		"length beyond":         {raw(func(m []byte) []byte { return framed(65535, m) }), Timeout, "no answer: within 0.15 s"},
		"length short":          {raw(func(m []byte) []byte { return framed(len(m)-4, m) }), Malformed, "an answer that makes no sense: dns: overflowing header size"},
		"length of a stump":     {raw(func(m []byte) []byte { return framed(3, m[:3]) }), Timeout, "no answer: within 0.15 s (1 packets that answer something else)"},
		"ends within an answer": {serveTLS(t, config, each(func(conn *dns.Conn, q *dns.Msg) bool { _, _ = conn.Conn.Write([]byte{1, 0, 9}); return false })), Network, "the server cannot be reached: it closed the connection: unexpected EOF"},
		"endless without answer": {serveTLS(t, config, each(func(conn *dns.Conn, _ *dns.Msg) bool {
			for conn.WriteMsg(new(dns.Msg).SetQuestion("evil.test.", 1)) == nil {
			}
			return false
		})), Network, "the server cannot be reached: too many messages that answer nothing"},
		"slow drip": {serveTLS(t, config, each(func(conn *dns.Conn, q *dns.Msg) bool {
			packed, _ := trueMX(q).Pack()
			for _, b := range framed(len(packed), packed) {
				time.Sleep(20 * time.Millisecond) // slower than the time limit, faster than any wait for a byte
				if _, err := conn.Conn.Write([]byte{b}); err != nil {
					return false
				}
			}
			return true
		})), Timeout, "no answer: within 0.15 s"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := dotClient(t, a, tt.server.Server)
			if tt.kind == Timeout && what != "silent before TLS" { // short, but for the handshake
				_, _ = c.MX(background(t), "warm.test")
			}
			if tt.kind == Timeout {
				c.Timeout = silence
			}
			e := wantKind(t, func() error { _, err := askMX(t, c); return err }(), tt.kind)
			if e.Reason() != tt.reason || e.Server != tt.server.String() {
				t.Errorf("got  %s\nwant %s", e.Reason(), tt.reason)
			}
		})
	}
}

// A server may end a connection when it likes (RFC 7766 section 6.2.4): a new one carries on, with
// all that was under way.
func TestClosesAfterEachAnswer(t *testing.T) {
	a := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)}}
	server := serveTLS(t, config, each(func(conn *dns.Conn, q *dns.Msg) bool { answerTrue(conn, q); return false }))
	c := dotClient(t, a, server.Server)
	for round := range 2 {
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				answer, err := c.MX(background(t), fmt.Sprintf("x%d.y%d.test", i, round))
				wantTrue(t, answer, err)
			})
		}
		wg.Wait()
	}
	if n := server.accepted.Load(); n < 20 {
		t.Errorf("%d connections for 20 answers", n)
	}
}

// A caller that gives up leaves the connection to the others.
func TestCancelOverTLS(t *testing.T) {
	a := newAuthority(t)
	asked := make(chan struct{}, 1)
	server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)}}, each(func(conn *dns.Conn, q *dns.Msg) bool {
		if strings.HasPrefix(q.Question[0].Name, "slow.") {
			asked <- struct{}{}
			return true
		}
		return answerTrue(conn, q)
	}))
	c := dotClient(t, a, server.Server)
	ctx, cancel := context.WithCancel(background(t))
	defer cancel()
	gone := make(chan error)
	go func() { _, err := c.MX(ctx, "slow.test"); gone <- err }()
	<-asked
	cancel()
	wantKind(t, <-gone, Stopped)
	answer, err := askMX(t, c)
	wantTrue(t, answer, err)
	if n := server.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A server that fails over TLS is not asked in the clear; the next one is, and its AD bit counts as
// what it is.
func TestTLSThenPlain(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	bad := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{other.issue(t, nil)}}, nil)
	z := newZone(t, "SECURE\nexample.net. 60 IN MX 10 true.test.")
	plain := serve(t, z.ServeDNS)
	answer, err := askMX(t, dotClient(t, a, bad.Server, plain))
	wantTrue(t, answer, err)
	if !answer.Authentic || answer.Server != plain.String() {
		t.Errorf("%+v", answer)
	}
	_, err = askMX(t, dotClient(t, a, bad.Server))
	wantKind(t, err, TLSFailed)
}

// EDNS0 is left out where the server knows none, over TLS too.
func TestNoEDNSOverTLS(t *testing.T) {
	a := newAuthority(t)
	server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)}}, each(func(conn *dns.Conn, q *dns.Msg) bool {
		if q.IsEdns0() != nil {
			return conn.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeFormatError)) == nil
		}
		return answerTrue(conn, q)
	}))
	answer, err := askMX(t, dotClient(t, a, server.Server))
	wantTrue(t, answer, err)
}
