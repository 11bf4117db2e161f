package reach

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/ehlo-mail/ehlo/dialog"
)

func TestProxiedHeader(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:4711"), netip.MustParseAddrPort("[2001:db8::1]:4712")
	far4, far6 := netip.MustParseAddrPort("192.0.2.10:25"), netip.MustParseAddrPort("[2001:db8::10]:25")
	none := netip.AddrPort{}
	client := netip.MustParseAddr("198.51.100.7")
	client6 := netip.MustParseAddr("2001:db8::7")
	const signature = "0d0a0d0a000d0a515549540a"
	for _, test := range []struct {
		p             Proxied
		local, remote netip.AddrPort
		want          string // a line of version 1, the bytes of version 2 in hex, or an error
	}{
		{Proxied{Version: 1}, four, far4, "PROXY TCP4 192.0.2.1 192.0.2.10 4711 25\r\n"},
		{Proxied{Version: 1}, six, far6, "PROXY TCP6 2001:db8::1 2001:db8::10 4712 25\r\n"},
		{Proxied{Version: 1}, none, none, "PROXY UNKNOWN\r\n"},
		{Proxied{Version: 1, Family: "UNKNOWN"}, four, far4, "PROXY UNKNOWN\r\n"},
		{Proxied{Version: 1, Source: client}, four, far4, "PROXY TCP4 198.51.100.7 192.0.2.10 4711 25\r\n"},
		{Proxied{Version: 1, Source: client, SourcePort: 1, Dest: client, DestPort: 2}, none, none, "PROXY TCP4 198.51.100.7 198.51.100.7 1 2\r\n"},
		{Proxied{Version: 1, Source: client6}, four, far4, "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.10 4711 25\r\n"},
		{Proxied{Version: 1, Family: "AF_INET6", Source: client}, four, far4, "PROXY TCP6 ::ffff:198.51.100.7 ::ffff:192.0.2.10 4711 25\r\n"},
		{Proxied{Version: 1}, netip.MustParseAddrPort("[fe80::1%lo]:1"), netip.MustParseAddrPort("[fe80::2%lo]:25"), "PROXY TCP6 fe80::1 fe80::2 1 25\r\n"},
		{Proxied{Version: 1}, netip.MustParseAddrPort("[::ffff:192.0.2.1]:4711"), far4, "PROXY TCP4 192.0.2.1 192.0.2.10 4711 25\r\n"},
		{Proxied{Version: 1, Family: "TCP4", Source: client}, six, far6, "the PROXY header is of the family TCP4, and the connection's own addresses are not: 198.51.100.7, 2001:db8::10"},
		{Proxied{Version: 1, Source: client}, none, none, "the connection has no addresses: its PROXY header needs a source and a destination"},
		{Proxied{Version: 2}, four, far4, signature + "2111000c" + "c0000201c000020a12670019"},
		{Proxied{Version: 2, Datagram: true}, four, far4, signature + "2112000c" + "c0000201c000020a12670019"},
		{Proxied{Version: 2}, six, far6, signature + "21210024" + "20010db8000000000000000000000001" + "20010db8000000000000000000000010" + "12680019"},
		{Proxied{Version: 2, Source: client6}, four, far4, signature + "21210024" + "20010db8000000000000000000000007" + "00000000000000000000ffffc000020a" + "12670019"},
		{Proxied{Version: 2, Local: true}, four, far4, signature + "20000000"},
		{Proxied{Version: 2, Local: true, Source: client}, four, far4, signature + "2011000c" + "c6336407c000020a12670019"},
		{Proxied{Version: 2, Family: "AF_UNSPEC"}, four, far4, signature + "21000000"},
	} {
		if err := test.p.Check(); err != nil {
			t.Errorf("%+v: %v", test.p, err)
		}
		var got string
		h, err := test.p.header(test.local, test.remote)
		if err == nil {
			got = string(h.bytes())
			if _, err := proxyproto.Read(bufio.NewReader(strings.NewReader(got))); err != nil && test.p.Family != "AF_UNSPEC" { // which it does not know
				t.Errorf("%+v: a reader that is not ours: %v", test.p, err)
			}
		}
		if err != nil {
			got = err.Error()
		} else if test.p.Version == 2 {
			got = hex.EncodeToString([]byte(got))
		}
		if got != test.want {
			t.Errorf("%+v:\n%s; want\n%s", test.p, got, test.want)
		}
	}
}

func TestProxiedCheck(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, test := range []struct {
		p    Proxied
		rule string
	}{
		{Proxied{}, "versions 1 and 2, not 0"},
		{Proxied{Version: 3}, "versions 1 and 2, not 3"},
		{Proxied{Version: 1, Local: true}, "LOCAL is of version 2"},
		{Proxied{Version: 1, Datagram: true}, "DGRAM is of version 2"},
		{Proxied{Version: 1, Family: "UNKNOWN", Source: four}, "family UNKNOWN has no addresses"},
		{Proxied{Version: 2, Family: "AF_UNSPEC", DestPort: 25}, "family AF_UNSPEC has no addresses"},
		{Proxied{Version: 2, Family: "AF_INET", Dest: six}, "2001:db8::1 does not go with the family AF_INET"},
	} {
		if err := test.p.Check(); err == nil || !strings.Contains(err.Error(), test.rule) {
			t.Errorf("%+v: %v; want %q", test.p, err, test.rule)
		}
	}
}

// A server behind the header hears it before anything else, TLS from the first
// byte or not, and the transcript shows it.
func TestProxiedConnection(t *testing.T) {
	r := inWorld(t)
	heard := make(chan string, 1)
	world, inner := r.Dial, make(chan string, 1)
	server := serveOnce(t, func(nc net.Conn) {
		b := bufio.NewReader(nc)
		_ = nc.SetReadDeadline(time.Now().Add(5 * time.Second))
		h, err := proxyproto.Read(b)
		_ = nc.SetReadDeadline(time.Time{})
		if err != nil {
			heard <- err.Error()
			return
		}
		if h.SourceAddr == nil {
			heard <- "nobody"
		} else {
			heard <- h.SourceAddr.String() + " to " + h.DestinationAddr.String()
		}
		far, err := world.Dial("tcp", <-inner)
		if err != nil {
			return
		}
		defer func() { _ = far.Close() }()
		go func() { _, _ = io.Copy(far, b) }()
		_, _ = io.Copy(nc, far)
	})
	at := netip.MustParseAddrPort(server)
	lines := shownBy(r)
	direct, err := NewDialer(Way{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		p     Proxied
		inner string
		hop   Hop
		heard string
		shown string
	}{
		{Proxied{Version: 1, Source: netip.MustParseAddr("198.51.100.7"), SourcePort: 4711}, "192.0.2.12:25", Hop{Host: "mx1.plain.test", Addr: at}, "198.51.100.7:4711 to " + server, " · PROXY v1 as 198.51.100.7:4711 "},
		{Proxied{Version: 2, Source: netip.MustParseAddr("2001:db8::7"), SourcePort: 4711}, "192.0.2.15:465", Hop{Host: "mx1.smtps.test", Addr: at, Implicit: true}, "[2001:db8::7]:4711 to " + server, " · PROXY v2 as [2001:db8::7]:4711 "},
		{Proxied{Version: 2, Local: true}, "192.0.2.12:25", Hop{Host: "mx1.plain.test", Addr: at}, "nobody", " · PROXY v2 LOCAL "},
		{Proxied{Version: 1, Family: "UNKNOWN"}, "192.0.2.12:25", Hop{Host: "mx1.plain.test", Addr: at}, "nobody", "  ·   PROXY UNKNOWN\n"},
	} {
		inner <- test.inner
		r.Proxied = &test.p
		r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == server {
				return direct(ctx, network, address)
			}
			return world(ctx, network, address)
		}
		lines.Reset()
		v := r.Visit(t.Context(), test.hop, dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.Quit()})
		if v.Err != nil {
			t.Errorf("%+v: %v", test.p, v.Err)
		}
		if got := <-heard; got != test.heard {
			t.Errorf("%+v: heard %s; want %s", test.p, got, test.heard)
		}
		if !strings.Contains(lines.String(), test.shown) {
			t.Errorf("%+v: no %q in\n%s", test.p, test.shown, lines)
		}
	}
	r.Proxied = &Proxied{Version: 1, Family: "TCP4", Source: netip.MustParseAddr("198.51.100.7"), Dest: netip.MustParseAddr("198.51.100.8")}
	r.Dial = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		_ = far.Close()
		return near, nil
	}
	v := r.Visit(t.Context(), Hop{Host: "mx1.plain.test", Addr: at}, nil)
	if v.Reached || !errors.As(v.Err, new(*ConnectError)) {
		t.Errorf("a connection that takes no header: %v", v.Err)
	}
}
