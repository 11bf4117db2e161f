package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// letter is a message of one line.
type letter string

func (l letter) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(l))), nil }
func (l letter) Size() int64                  { return int64(len(l)) }
func (l letter) Needs() []string              { return nil }

// inWorld is a Reach in a mail world of its own.
func inWorld(t *testing.T) *Reach {
	t.Helper()
	world, err := sandbox.Start(context.Background(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	times := dialog.DefaultTimeouts()
	times.Reply, times.Banner = 5*time.Second, 5*time.Second
	return &Reach{
		Resolver:       &route.Client{Servers: []route.Server{{Addr: netip.MustParseAddrPort(world.DNS())}}},
		Dial:           world.Dial,
		ConnectTimeout: 5 * time.Second,
		Session: dialog.Options{
			Timeouts: times, Hello: "client.test", Now: time.Now,
			TLS: dialog.TLS{Policy: dialog.PolicyMay, Roots: world.Roots(), Store: "the world's store"},
		},
	}
}

// deliver takes a message to recipients of one domain, and tells in a line which
// hosts were visited and what became of each recipient.
func deliver(t *testing.T, r *Reach, domain string, to ...string) string {
	t.Helper()
	target, err := ParseTarget(domain, false)
	if err != nil {
		t.Fatal(err)
	}
	hops, err := r.Hops(t.Context(), target)
	if err != nil {
		return err.Error()
	}
	d := dialog.Delivery{From: "sender@client.test", Content: []dialog.Content{letter("Subject: x\r\n\r\nText\r\n")}}
	for _, address := range to {
		d.To = append(d.To, dialog.Recipient{Address: address + "@" + domain})
	}
	var words []string
	for _, v := range r.Deliver(t.Context(), hops, &d) {
		host, _, _ := strings.Cut(v.Hop.Host, ".")
		if !v.Reached {
			host = "(" + host + ")"
		}
		words = append(words, host)
	}
	for _, to := range d.To {
		host, _, _ := strings.Cut(to.Hop, ".")
		code := 0
		if to.Reply != nil {
			code = to.Reply.Code
		}
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s:%d:%s", to.Outcome, code, host)))
	}
	return strings.Join(words, " ")
}

func TestDeliver(t *testing.T) {
	r := inWorld(t)
	for _, test := range []struct {
		domain, to, want string
	}{
		{"good.test", "alice", "mx1 accepted:250:mx1"},
		{"plain.test", "alice bob", "mx1 accepted:250:mx1 accepted:250:mx1"},
		{"implicit.test", "alice", "implicit accepted:250:implicit"},
		{"cnamemx.test", "alice", "mail accepted:250:mail"},
		{"backup.test", "alice", "(mx1) mx2 accepted:250:mx2"},
		{"smtps.test", "alice", "(mx1) undecided:0:"},
		{"reject.test", "alice dmarc", "mx1 refused:550:mx1 refused:550:mx1"},
		{"tempfail.test", "alice", "mx1 deferred:451:mx1"},
		{"busy.test", "alice bob", "mx1 deferred:421:mx1 deferred:421:mx1"},
		{"partial.test", "bob carol erin", "mx1 accepted:250:mx1 refused:550:mx1 deferred:452:mx1"},
		{"drops.test", "alice", "mx1 unknown:0:mx1"},
		{"drops.test", "rcpt", "mx1 undecided:0:"},
		{"nullmx.test", "alice", "nullmx.test: takes no mail, as its null MX says (RFC 7505)"},
		{"nosuch.test", "alice", "nosuch.test: no such name (NXDOMAIN)"},
	} {
		if got := deliver(t, r, test.domain, strings.Fields(test.to)...); got != test.want {
			t.Errorf("%s to %s: %s; want %s", test.domain, test.to, got, test.want)
		}
	}
}

// Deferred recipients go on to the next host, and only they.
func TestDeliverOverHops(t *testing.T) {
	r := inWorld(t)
	hops := func(names ...string) []Hop {
		var all []Hop
		for _, name := range names {
			target, _ := ParseTarget(name, true)
			found, err := r.Hops(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, found[0])
		}
		return all
	}
	for _, test := range []struct {
		hops, to, want string
	}{
		{"mx1.busy.test mx1.catchall.test", "a@catchall.test", "2 accepted"},
		{"mx1.busy.test mx1.smtps.test", "a@catchall.test", "2 deferred"},
		{"mx1.partial.test mx1.partial.test", "bob@partial.test carol@partial.test erin@partial.test", "2 accepted refused deferred"},
		{"mx1.greylist.test mx1.greylist.test", "alice@greylist.test bob@greylist.test", "2 accepted accepted"},
		{"mx1.drops.test mx1.drops.test", "alice@drops.test", "1 unknown"},
		{"mx1.drops.test mx1.catchall.test", "rcpt@drops.test", "2 refused"}, // relaying denied
		{"mx1.reject.test mx1.catchall.test", "a@reject.test", "1 refused"},
	} {
		d := dialog.Delivery{From: "sender@client.test", Content: []dialog.Content{letter("Subject: x\r\n\r\nText\r\n")}}
		for _, address := range strings.Fields(test.to) {
			d.To = append(d.To, dialog.Recipient{Address: address})
		}
		visits := r.Deliver(t.Context(), hops(strings.Fields(test.hops)...), &d)
		got := fmt.Sprint(len(visits))
		for _, to := range d.To {
			got += " " + to.Outcome.String()
		}
		if got != test.want {
			t.Errorf("%s: %s; want %s", test.hops, got, test.want)
		}
	}
}

func TestHops(t *testing.T) {
	r := inWorld(t)
	list := func(text string, direct bool) string {
		target, err := ParseTarget(text, direct)
		if err != nil {
			t.Fatal(err)
		}
		hops, err := r.Hops(t.Context(), target)
		if err != nil {
			return err.Error()
		}
		var words []string
		for _, h := range hops {
			word := h.Host + "=" + h.Addr.String()
			if h.Implicit {
				word += "=tls"
			}
			words = append(words, word)
		}
		return strings.Join(words, " ")
	}
	check := func(text string, direct bool, want string) {
		t.Helper()
		if got := list(text, direct); got != want {
			t.Errorf("%s: %s; want %s", text, got, want)
		}
	}
	check("backup.test", false, "mx1.backup.test=192.0.2.22:25 mx2.backup.test=192.0.2.23:25")
	check("mx1.smtps.test:465", false, "mx1.smtps.test=192.0.2.15:465=tls")
	check("[192.0.2.12]:2525", false, "192.0.2.12=192.0.2.12:2525")
	check("mx1.plain.test", true, "mx1.plain.test=192.0.2.12:25")
	check("nosuch.test", true, "nosuch.test: no such name (NXDOMAIN)")
	r.Family = route.IPv6
	check("good.test", false, "mx1.good.test=[2001:db8::10]:25 mx2.good.test=[2001:db8::11]:25")
	check("plain.test", false, "plain.test: no address of the family asked for")
	r.Family = route.Both
	r.ConnectTo = []Redirect{{Host: "nosuch.test", To: "192.0.2.12", ToPort: "25"}}
	check("nosuch.test", true, "nosuch.test=invalid AddrPort") // not looked up: it is dialled elsewhere
	r.ConnectTo = []Redirect{{ToPort: "2525"}}
	check("mx1.plain.test", true, "mx1.plain.test=192.0.2.12:25")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	target, _ := ParseTarget("good.test", false)
	if _, err := r.Hops(ctx, target); !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestVisitImplicitTLS(t *testing.T) {
	r := inWorld(t)
	target, _ := ParseTarget("smtps://mx1.smtps.test", false)
	hops, err := r.Hops(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	plan := dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Quit()}
	v := r.Visit(t.Context(), hops[0], plan)
	if v.Err != nil || v.Report.TLS == nil || !v.Report.TLS.Implicit || !v.Report.TLS.Verified() || len(v.Report.Offers) != 1 {
		t.Errorf("%v, %+v", v.Err, v.Report)
	}
	r.Session.TLS.Name, r.Session.TLS.Policy = "other.test", dialog.PolicyVerify
	v = r.Visit(t.Context(), hops[0], plan)
	if !errors.As(v.Err, new(*dialog.TLSError)) || v.Report.Banner != nil {
		t.Errorf("unproven: %v, banner %v", v.Err, v.Report.Banner)
	}
}

func TestTryNext(t *testing.T) {
	at := func(err error) error { return &dialog.Error{Phase: dialog.PhaseConnect, Err: err} }
	reply := func(code int) *dialog.Reply { return &dialog.Reply{Code: code} }
	for _, test := range []struct {
		err  error
		next bool
		why  string
	}{
		{nil, false, ""},
		{at(&ConnectError{Addr: "192.0.2.1:25", Err: syscall.ECONNREFUSED}), true, "refused the connection"},
		{at(&dialog.Refusal{Reply: reply(421)}), true, "answered 421"},
		{at(&dialog.Refusal{Reply: reply(554)}), true, "answered 554"},
		{at(&dialog.TimeoutError{For: "greeting", After: time.Second}), true, "did not answer in time"},
		{at(&dialog.LostError{Err: io.EOF}), true, "closed the connection"},
		{at(&dialog.ProtocolError{Reason: "x"}), true, "broke the protocol"},
		{&dialog.Error{Phase: dialog.PhaseTLS, Err: &dialog.ProtocolError{Reason: "injected"}}, false, ""},
		{&dialog.Error{Phase: dialog.PhaseTLS, Err: &dialog.LostError{Err: io.EOF}}, true, "closed the connection"},
		{at(&dialog.TLSError{Reason: "x"}), false, ""},
		{at(&dialog.UnmetError{Keyword: "SIZE"}), false, ""},
		{at(&dialog.BodyError{Err: os.ErrNotExist}), false, ""},
		{context.Canceled, false, ""},
	} {
		if next, why := TryNext(test.err); next != test.next || why != test.why {
			t.Errorf("%v: %v %q", test.err, next, why)
		}
	}
}

func TestConnectError(t *testing.T) {
	op := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, test := range []struct {
		err  error
		want string
	}{
		{op(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "refused the connection"},
		{op(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "cannot be reached: no route to the host"},
		{op(os.NewSyscallError("connect", syscall.ENETUNREACH)), "cannot be reached: no route to its network"},
		{op(os.ErrDeadlineExceeded), "did not answer within 15.0 s"},
		{context.DeadlineExceeded, "did not answer within 15.0 s"},
		{&ProxyError{Addr: "127.0.0.1:1080", Reached: true, Said: "host unreachable"}, "cannot be reached, says the proxy: host unreachable"},
		{op(os.NewSyscallError("connect", syscall.ENOENT)), "cannot be reached: no such file or directory"},
		{op(os.NewSyscallError("bind", syscall.EADDRINUSE)), "was not tried: the local address or port cannot be had: address already in use"},
		{op(&net.DNSError{Err: "no such host", Name: "x"}), "was not found: no such host"},
		{op(errors.New("odd")), "odd"},
		{errors.New("odder"), "odder"},
	} {
		e := &ConnectError{Addr: "192.0.2.1:25", After: 15 * time.Second, Err: test.err}
		if got := e.Short(); got != test.want || !errors.Is(e, test.err) || e.Error() != "192.0.2.1:25: "+test.want {
			t.Errorf("%v: %q", test.err, got)
		}
	}
}

// A second address of the same host is told from the first by its number.
func TestTourHeads(t *testing.T) {
	var b strings.Builder
	sink, err := transcript.New(&b, transcript.Options{Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	refused := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	r := &Reach{Dial: refused, ConnectTimeout: time.Second, Session: dialog.Options{Stream: transcript.NewStream(sink, time.Now), Now: time.Now}}
	hop := func(host, addr string) Hop { return Hop{Host: host, Addr: netip.MustParseAddrPort(addr), Port: 25} }
	visits := r.Tour(t.Context(), []Hop{hop("mx1.example.net", "192.0.2.1:25"), hop("mx1.example.net", "[2001:db8::1]:25"), hop("mx2.example.net", "192.0.2.2:25")},
		func(Hop) dialog.Plan { return nil }, func(v Visit) (bool, string) { return TryNext(v.Err) })
	if len(visits) != 3 || visits[0].Reached {
		t.Fatalf("%+v", visits)
	}
	for _, want := range []string{
		"\n■ mx1.example.net  hop 2 of 3 · after 192.0.2.1 refused the connection\n",
		"\n■ mx2.example.net  hop 3 of 3 · after mx1.example.net refused the connection\n",
		"  ✗   [2001:db8::1]:25 refused the connection\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// A run whose time is up while a proxy is silent says both.
func TestTimeUpInConnect(t *testing.T) {
	up := errors.New("time is up")
	for _, scheme := range []string{"socks5", "http"} {
		end := make(chan struct{})
		silent := serveOnce(t, func(net.Conn) { <-end })
		t.Cleanup(func() { close(end) })
		dial, err := NewDialer(Way{Via: scheme + "://" + silent})
		if err != nil {
			t.Fatal(err)
		}
		r := &Reach{Dial: dial, ConnectTimeout: time.Minute, Session: dialog.Options{Now: time.Now}}
		shown := shownBy(r)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, up)
		defer cancel()
		hop := Hop{Host: "mx.test", Addr: netip.MustParseAddrPort("192.0.2.1:25"), Port: 25}
		visits := r.Tour(ctx, []Hop{hop}, func(Hop) dialog.Plan { return nil }, func(Visit) (bool, string) { return false, "" })
		if len(visits) != 1 || !errors.Is(visits[0].Err, up) {
			t.Errorf("%s: %+v", scheme, visits)
		}
		if want := "192.0.2.1:25 cannot be reached: the proxy " + silent + " took the connection and did not answer within "; !strings.Contains(shown.String(), want) || strings.Contains(shown.String(), "within 1 min") {
			t.Errorf("%s: no %q in\n%s", scheme, want, shown)
		}
	}
}

func TestLiteral(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:5": "[127.0.0.1]", "[::1]:5": "[IPv6:::1]", "[::ffff:192.0.2.1]:5": "[192.0.2.1]", "[fe80::1%eth0]:5": "[IPv6:fe80::1]",
	} {
		if got := literal(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
	if got := literal(&net.UnixAddr{Name: "/x"}); got != "[127.0.0.1]" {
		t.Errorf("unix: %s", got)
	}
}
