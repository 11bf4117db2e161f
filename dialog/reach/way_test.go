package reach

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/sandbox"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func TestParseProxy(t *testing.T) {
	for text, want := range map[string]Proxy{
		"socks5://127.0.0.1":           {"socks5", "127.0.0.1", "1080", ""},
		"socks5://[::1]:9050/":         {"socks5", "::1", "9050", ""},
		"SOCKS5://proxy.test:1":        {"socks5", "proxy.test", "1", ""},
		"http://proxy.test":            {"http", "proxy.test", "80", ""},
		"http://alice@proxy.test:3128": {"http", "proxy.test", "3128", "alice"},
		"https://proxy.test/":          {"https", "proxy.test", "443", ""},
		"https://a%40b@[::1]":          {"https", "::1", "443", "a@b"},
	} {
		if got, err := ParseProxy(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "127.0.0.1:1080", "ftp://x", "socks5://", "socks5h://x", "http://x/path", "http://x?q", "http://x#f",
		"http://x:0", "http://x:99999", "http://x:port", "socks5://%zz", "http://a:hunter2@x", "socks5://a:hunter2@x", "http://a%3ab@x",
		"http://a:hunter2@x:99999", "http://a:hunter2@x/%zz", "http://a:hunter2@x y/",
	} {
		got, err := ParseProxy(text)
		if err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the password is in %q", text, err)
		}
	}
}

func TestNewDialerSOCKS(t *testing.T) {
	world, err := sandbox.Start(context.Background(), sandbox.Options{SOCKSAddr: "127.0.0.1:0", DNSAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = world.Close() }()
	dial, err := NewDialer(Way{Local: "127.0.0.1", Via: "socks5://" + world.SOCKS()})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := dial(t.Context(), "tcp", "192.0.2.12:25")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	banner := make([]byte, 4)
	if _, err := io.ReadFull(nc, banner); err != nil || string(banner) != "220 " {
		t.Errorf("%q, %v", banner, err)
	}
	_, err = dial(t.Context(), "tcp", "198.51.100.250:25")
	var failed *ProxyError
	if !errors.As(err, &failed) || !failed.Reached || failed.Said == "" {
		t.Errorf("no such host: %#v", err)
	}
}

func TestNewDialerErrors(t *testing.T) {
	secret := transcript.NewSecret("hunter2")
	for _, test := range []struct {
		way  Way
		rule string
	}{
		{Way{Via: "ftp://127.0.0.1"}, "socks5://HOST:PORT"},
		{Way{Via: "http://alice@127.0.0.1"}, "alice needs a password"},
		{Way{Via: "socks5://alice@127.0.0.1"}, "alice needs a password"},
		{Way{Via: "http://127.0.0.1", Password: secret}, "no use without a user"},
		{Way{Via: "socks5://alice@127.0.0.1", Password: transcript.NewSecret(strings.Repeat("hunter2", 40))}, "at most 255 bytes"},
		{Way{Local: "no-such-interface"}, "neither an IP address nor an interface"},
	} {
		_, err := NewDialer(test.way)
		if err == nil || !strings.Contains(err.Error(), test.rule) {
			t.Errorf("%+v: %v; want %q", test.way, err, test.rule)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: the password is in %q", test.way, err)
		}
	}
}

// serveOnce accepts connections on loopback, one after the other, and gives each
// to serve. It ends with the test.
func serveOnce(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serve(nc)
			_ = nc.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// A SOCKS5 proxy that wants user and password as RFC 1929 has them.
func TestSOCKSLogin(t *testing.T) {
	heard := make(chan string, 1)
	proxy := serveOnce(t, func(nc net.Conn) {
		read := func(n int) []byte {
			b := make([]byte, n)
			_, _ = io.ReadFull(nc, b)
			return b
		}
		read(int(read(2)[1]))
		_, _ = nc.Write([]byte{5, 2})
		user := read(int(read(2)[1]))
		password := read(int(read(1)[0]))
		heard <- string(user) + ":" + string(password)
		if string(password) != "hunter2" {
			_, _ = nc.Write([]byte{1, 1})
			return
		}
		_, _ = nc.Write([]byte{1, 0})
		read(10)
		_, _ = nc.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0}) // not allowed by its rules
	})
	for password, want := range map[string]string{
		"hunter2": "cannot be reached, says the proxy: connection not allowed by ruleset",
		"wrong!!": "cannot be reached: the proxy " + proxy + " username/password authentication failed",
	} {
		dial, err := NewDialer(Way{Via: "socks5://alice@" + proxy, Password: transcript.NewSecret(password)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t.Context(), "tcp", "192.0.2.1:25")
		if got := (&ConnectError{Err: err}).Short(); got != want {
			t.Errorf("%s; want %s", got, want)
		}
		if got := <-heard; got != "alice:"+password {
			t.Errorf("the proxy heard %q", got)
		}
	}
}

// A method that was not offered is a breach; what follows is never said to it.
func TestSOCKSMethod(t *testing.T) {
	for method, want := range map[byte]string{
		2:    "chose method 2, which was not offered: it does not speak SOCKS5 (RFC 1928 section 3)",
		5:    "chose method 5, which was not offered: it does not speak SOCKS5 (RFC 1928 section 3)",
		0xff: "no acceptable authentication methods",
	} {
		heard := make(chan int, 1)
		addr := serveOnce(t, func(nc net.Conn) {
			_, _ = io.ReadFull(nc, make([]byte, 3))
			_, _ = nc.Write([]byte{5})
			_, _ = nc.Write([]byte{method})
			rest, _ := io.ReadAll(nc)
			heard <- len(rest)
		})
		dial, err := NewDialer(Way{Via: "socks5://" + addr})
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t.Context(), "tcp", "192.0.2.1:25")
		if got := (&ConnectError{Err: err}).Short(); got != "cannot be reached: the proxy "+addr+" "+want {
			t.Errorf("%s; want %s", got, want)
		}
		if n := <-heard; n != 0 {
			t.Errorf("method %d: %d octets more", method, n)
		}
	}
}

// What the proxy itself does is not taken for what the server does.
func TestProxyUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	for _, scheme := range []string{"socks5", "http", "https"} {
		dial, err := NewDialer(Way{Via: scheme + "://" + addr})
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t.Context(), "tcp", "192.0.2.1:25")
		want := "cannot be reached: the proxy " + addr + " refused the connection"
		if got := (&ConnectError{Err: err}).Short(); got != want {
			t.Errorf("%s: %s; want %s", scheme, got, want)
		}
	}
}

// A proxy that says nothing is given up in time, and at once if the run ends.
func TestProxySilent(t *testing.T) {
	end := make(chan struct{})
	silent := serveOnce(t, func(net.Conn) { <-end })
	t.Cleanup(func() { close(end) }) // before the listener's own
	dial, err := NewDialer(Way{Via: "http://" + silent})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = dial(ctx, "tcp", "192.0.2.1:25")
	want := "cannot be reached: the proxy " + silent + " took the connection and did not answer within 15.0 s"
	if got := (&ConnectError{After: 15 * time.Second, Err: err}).Short(); got != want {
		t.Errorf("%s; want %s", got, want)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err = dial(ctx, "tcp", "192.0.2.1:25"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// loopback is the name of an interface with the address 127.0.0.1.
func loopback(t *testing.T) string {
	t.Helper()
	all, _ := net.Interfaces()
	for _, i := range all {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if strings.HasPrefix(a.String(), "127.0.0.1/") {
				return i.Name
			}
		}
	}
	t.Skip("no interface has 127.0.0.1")
	return ""
}

func TestLocalInterface(t *testing.T) {
	from := make(chan string, 1)
	server := serveOnce(t, func(nc net.Conn) { from <- nc.RemoteAddr().String() })
	dial, err := NewDialer(Way{Local: loopback(t)})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := dial(t.Context(), "tcp", server)
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.Close()
	if got := <-from; !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("from %s", got)
	}
}

// The same local port serves one connection after the other.
func TestLocalPort(t *testing.T) {
	from := make(chan string, 1)
	server := serveOnce(t, func(nc net.Conn) {
		from <- nc.RemoteAddr().String()
		_, _ = io.Copy(io.Discard, nc)
	})
	other := serveOnce(t, func(nc net.Conn) {
		from <- nc.RemoteAddr().String()
		_, _ = io.Copy(io.Discard, nc)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dial, err := NewDialer(Way{Port: uint16(port)})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{server, other} {
		nc, err := dial(t.Context(), "tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.Close()
		if got := <-from; !strings.HasSuffix(got, ":"+strconv.Itoa(port)) {
			t.Errorf("from %s, not port %d", got, port)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dial, _ = NewDialer(Way{Local: "127.0.0.1", Port: uint16(taken.Addr().(*net.TCPAddr).Port)})
	_, err = dial(t.Context(), "tcp", server)
	if got := (&ConnectError{Err: err}).Short(); !strings.HasPrefix(got, "was not tried: the local address or port cannot be had: ") {
		t.Errorf("a port that is taken: %s", got)
	}
}

func TestNear(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, test := range []struct {
		local   []netip.Addr
		address string
		want    string
	}{
		{[]netip.Addr{four, six}, "198.51.100.1:25", "192.0.2.1"},
		{[]netip.Addr{four, six}, "[2001:db8::2]:25", "2001:db8::1"},
		{[]netip.Addr{four, six}, "[::ffff:198.51.100.1]:25", "192.0.2.1"},
		{[]netip.Addr{six, four}, "mx.example.net:25", "2001:db8::1"},
		{[]netip.Addr{four}, "[2001:db8::2]:25", "has no IPv6 address to connect from"},
		{[]netip.Addr{six}, "198.51.100.1:25", "has no IPv4 address to connect from"},
	} {
		addr, err := near(test.local, test.address)
		got := addr.String()
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s; want %s", test.address, got, test.want)
		}
	}
}
