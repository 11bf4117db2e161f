package route

import (
	"context"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func TestKindsAreKeptApart(t *testing.T) {
	c, _ := world(t, `
		exists.test. 300 IN TXT "x"
		broken.test. SERVFAIL
		closed.test. REFUSED
		odd.test.    NOTAUTH
		a.test.      300 IN CNAME gone.test.
		here.test.   300 IN CNAME exists.test.
	`)
	for _, tt := range []struct {
		name                string
		kind                Kind
		definite, temporary bool
		text                string
	}{
		{"gone.test", NXDomain, true, false, "MX of gone.test from SERVER: no such name (NXDOMAIN)"},
		{"exists.test", NoData, true, false, "MX of exists.test from SERVER: no MX record (NODATA)"},
		{"broken.test", ServFail, false, true, "MX of broken.test from SERVER: the server could not find out (SERVFAIL)"},
		{"closed.test", Refused, false, true, "MX of closed.test from SERVER: the server does not answer us (REFUSED)"},
		{"odd.test", OtherCode, false, true, "MX of odd.test from SERVER: the server failed: NOTAUTH"},
		{"a.test", NXDomain, true, false, "MX of a.test from SERVER: no such name (NXDOMAIN): it is an alias of gone.test"},
		{"here.test", NoData, true, false, "MX of here.test from SERVER: no MX record (NODATA): it is an alias of exists.test"},
		{strings.Repeat("a", 64) + ".test", BadName, false, false, "MX of " + strings.Repeat("a", 64) + ".test: not a domain name"},
	} {
		_, err := c.MX(background(t), tt.name)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v is no *Error", tt.name, err)
			continue
		}
		if e.Kind != tt.kind || e.Definite() != tt.definite || e.Temporary() != tt.temporary {
			t.Errorf("%s: %v, definite %v, temporary %v", tt.name, e.Kind, e.Definite(), e.Temporary())
		}
		want := strings.ReplaceAll(tt.text, "SERVER", c.Servers[0].String())
		if e.Error() != want {
			t.Errorf("got  %s\nwant %s", e, want)
		}
	}
}

func TestTimeoutAndNetworkAreKeptApart(t *testing.T) {
	t.Parallel()
	silent := serveRaw(t, func([]byte) [][]byte { return nil })
	udp, tcp := listen(t)
	closed := at(udp.LocalAddr())
	_, _ = udp.Close(), tcp.Close()
	for _, tt := range []struct {
		server Server
		kind   Kind
	}{{silent, Timeout}, {closed, Network}} {
		c := client(tt.server)
		c.Timeout = silence
		_, err := c.MX(background(t), "example.net")
		var e *Error
		if !errors.As(err, &e) || e.Kind != tt.kind || !e.Temporary() || e.Server != tt.server.String() {
			t.Errorf("want %v, got %v", tt.kind, err)
		}
	}
}

func TestRecords(t *testing.T) {
	c, _ := world(t, `
		SECURE
		example.net. 300 IN MX 20 MX2.Example.NET.
		example.net. 300 IN MX 10 mx1.example.net.
		null.test.   300 IN MX 0 .
		txt.test.    60  IN TXT "v=DKIM1; k=rsa; " "p=\"q\\uoted\" gr\195\188n\000"
		_25._tcp.mx1.example.net. 300 IN TLSA 3 1 1 00ff
		10.2.0.192.in-addr.arpa.  300 IN PTR Mx1.Example.Net.
		alias.test.  300 IN CNAME example.net.
		odd.test.    300 IN MX 5 a\.b\000.test.
		mx1.example.net. 300 IN A 192.0.2.10
		mx1.example.net. 200 IN A 192.0.2.11
		mx1.example.net. 100 IN AAAA 2001:db8::10
	`)
	ctx := background(t)

	mx, err := c.MX(ctx, "Example.Net.")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]MX{{20, "mx2.example.net"}, {10, "mx1.example.net"}}, mx.Records); diff != "" {
		t.Error(diff)
	}
	if !mx.Authentic || mx.TTL != 300*time.Second || mx.Name != "example.net" || mx.Server != c.Servers[0].String() {
		t.Errorf("%+v", mx)
	}
	if mx, err := c.MX(ctx, "alias.test"); err != nil || mx.Name != "example.net" || !slices.Equal(mx.Aliases, []string{"alias.test"}) {
		t.Errorf("%+v, %v", mx, err)
	}
	if mx, err := c.MX(ctx, "null.test"); err != nil || mx.Records[0] != (MX{0, "."}) {
		t.Errorf("%+v, %v", mx, err)
	}
	if mx, err := c.MX(ctx, "odd.test"); err != nil || mx.Records[0].Host != `a\.b\000.test` {
		t.Errorf("%+v, %v", mx, err)
	}
	want := "v=DKIM1; k=rsa; p=\"q\\uoted\" gr\xc3\xbcn\x00"
	if txt, err := c.TXT(ctx, "txt.test"); err != nil || txt.Records[0] != want {
		t.Errorf("%q, %v", txt.Records, err)
	}
	tlsa, err := c.TLSA(ctx, "mx1.example.net", 25)
	if err != nil || hex.EncodeToString(tlsa.Records[0].Data) != "00ff" || tlsa.Records[0].Usage != 3 {
		t.Errorf("%+v, %v", tlsa, err)
	}
	if ptr, err := c.PTR(ctx, netip.MustParseAddr("::ffff:192.0.2.10")); err != nil || ptr.Records[0] != "mx1.example.net" {
		t.Errorf("%+v, %v", ptr, err)
	}
	if cname, err := c.CNAME(ctx, "alias.test"); err != nil || cname.Records[0] != "example.net" {
		t.Errorf("%+v, %v", cname, err)
	}
	for f, want := range map[Family]string{
		Both: "192.0.2.10 2001:db8::10 192.0.2.11", IPv4: "192.0.2.10 192.0.2.11", IPv6: "2001:db8::10",
	} {
		a, err := c.Addr(ctx, "mx1.example.net", f)
		if got := spaced(a.Records); err != nil || got != want {
			t.Errorf("family %d: %s, %v", f, got, err)
		}
		if f != IPv4 && a.TTL != 100*time.Second {
			t.Errorf("family %d: ttl %v", f, a.TTL)
		}
	}
}

func spaced(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, " ")
}

// One kind of address is enough, and it is said that the other is not known; with none,
// a failure is not taken for a denial.
func TestBothFamilies(t *testing.T) {
	typed := func(a, aaaa int) *Client {
		return client(serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetReply(q)
			m.RecursionAvailable = true
			m.Rcode = a
			rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN A 192.0.2.1")
			if q.Question[0].Qtype == dns.TypeAAAA {
				m.Rcode = aaaa
				rr, _ = dns.NewRR(q.Question[0].Name + " 60 IN AAAA 2001:db8::1")
			}
			if m.Rcode == -1 {
				m.Rcode = 0
			} else if m.Rcode == 0 {
				m.Answer = []dns.RR{rr}
			}
			_ = w.WriteMsg(m)
		}))
	}
	const noData, ok, nx, fail = -1, dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeServerFailure
	for _, tt := range []struct {
		a, aaaa int
		records int
		partial bool
		kind    Kind
	}{
		{ok, ok, 2, false, 0},
		{ok, noData, 1, false, 0},
		{ok, fail, 1, true, 0},
		{nx, ok, 1, false, 0},
		{noData, fail, 0, false, ServFail},
		{fail, noData, 0, false, ServFail},
		{nx, fail, 0, false, ServFail},
		{noData, noData, 0, false, NoData},
		{nx, noData, 0, false, NoData},
		{nx, nx, 0, false, NXDomain},
	} {
		a, err := typed(tt.a, tt.aaaa).Addr(background(t), "mx.test", Both)
		var e *Error
		kind := Kind(0)
		if errors.As(err, &e) {
			kind = e.Kind
		}
		if len(a.Records) != tt.records || (a.Partial != nil) != tt.partial || kind != tt.kind {
			t.Errorf("A %d, AAAA %d: %v, partial %v, %v", tt.a, tt.aaaa, a.Records, a.Partial, err)
		}
	}
}

func TestAskedOnce(t *testing.T) {
	c, z := world(t, `
		example.net. 300 IN MX 10 mx.example.net.
		short.test.  0 IN MX 10 mx.example.net.
		broken.test. SERVFAIL
	`)
	var wg sync.WaitGroup
	for range 8 {
		for _, name := range []string{"example.net", "EXAMPLE.net.", "short.test", "broken.test", "gone.test"} {
			wg.Go(func() { _, _ = c.MX(background(t), name) })
		}
	}
	wg.Wait()
	asked := z.questions()
	slices.Sort(asked)
	want := []string{"MX broken.test.", "MX example.net.", "MX gone.test.", "MX short.test."}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestCacheEndsAndIsBounded(t *testing.T) {
	var c cache
	now := time.Now()
	put := func(name string, keep time.Duration) {
		e, mine := c.claim(question{name, 1}, now)
		if mine {
			c.settle(question{name, 1}, e, &reply{keep: keep}, nil, now)
		}
	}
	known := func(name string, after time.Duration) bool {
		_, mine := c.claim(question{name, 1}, now.Add(after))
		return !mine
	}
	put("hour", time.Hour)
	put("none", 0)
	if !known("none", minCached) || !known("hour", time.Hour) {
		t.Error("forgotten too early")
	}
	if known("none", minCached+1) || known("hour", time.Hour+1) {
		t.Error("remembered too long")
	}
	for i := range 3 * maxCached {
		put(string(rune('a'+i%26))+strings.Repeat("x", i), time.Hour)
		if i > maxCached+10 {
			break
		}
	}
	if len(c.entries) > maxCached {
		t.Errorf("%d entries", len(c.entries))
	}
}

// A caller that gives up neither fails the others that wait for the same answer nor
// leaves its failure behind.
func TestCancel(t *testing.T) {
	query, answer := make(chan struct{}, 10), make(chan struct{})
	c := client(serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		query <- struct{}{}
		<-answer
		m := new(dns.Msg).SetReply(q)
		rr, _ := dns.NewRR("example.net. 60 IN MX 10 mx.example.net.")
		m.Answer = []dns.RR{rr}
		_ = w.WriteMsg(m)
	}))
	ctx, cancel := context.WithCancel(background(t))
	first := make(chan error)
	go func() { _, err := c.MX(ctx, "example.net"); first <- err }()
	<-query
	second := make(chan error)
	go func() { _, err := c.MX(background(t), "example.net"); second <- err }()
	cancel()
	var e *Error
	if err := <-first; !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Kind != Stopped || e.Name != "example.net" {
		t.Errorf("the first: %v", err)
	}
	close(answer)
	if err := <-second; err != nil {
		t.Errorf("the second: %v", err)
	}
}

func TestNoServers(t *testing.T) {
	var none *NoServers
	if _, err := new(Client).MX(background(t), "example.net"); !errors.As(err, &none) {
		t.Error(err)
	}
	why := &NoServers{errors.New("no such file")}
	c := &Client{Find: func() ([]Server, error) { return nil, why }}
	if _, err := c.MX(background(t), "example.net"); !errors.As(err, &none) || none != why {
		t.Error(err)
	}
}

// TestFind: servers are looked for when something is asked, unless some are named.
func TestFind(t *testing.T) {
	c, _ := world(t, "example.net. 300 IN MX 10 mx.example.net.")
	servers, found := c.Servers, 0
	c.Find = func() ([]Server, error) { found++; return servers, nil }
	for _, want := range []int{0, 1} {
		if _, err := c.MX(background(t), "example.net"); err != nil || found != want {
			t.Errorf("looked %d times, want %d: %v", found, want, err)
		}
		c.Servers, c.cache = nil, cache{}
	}
}

func TestTrace(t *testing.T) {
	c, _ := world(t, `
		SECURE
		example.net. 300 IN MX 10 mx.example.net.
		broken.test. SERVFAIL
	`)
	var told []string
	c.Trace = func(q Query) {
		told = append(told, strings.ReplaceAll(q.text(), c.Servers[0].String(), "SERVER"))
	}
	for _, name := range []string{"example.net", "broken.test", "gone.test"} {
		_, _ = c.MX(background(t), name)
	}
	want := []string{
		"MX example.net at SERVER (udp): NOERROR, 1 record, DNSSEC secure",
		"MX broken.test at SERVER (udp): SERVFAIL",
		"MX gone.test at SERVER (udp): NXDOMAIN, DNSSEC secure",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}
