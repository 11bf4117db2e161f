package cmd

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// listen serves each connection to a listener with what serve does, until the end
// of the test.
func listen(t *testing.T, network, address string, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				serve(nc)
			}()
		}
	}()
	return l.Addr().String()
}

// join carries bytes between a client, of whom some may be read already, and a
// host of a sandbox.
func join(world *sandbox.World, client net.Conn, read io.Reader, address string) {
	far, err := world.Dial(context.Background(), "tcp", address)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(far, read); _ = far.Close() }()
	_, _ = io.Copy(client, far)
}

func TestWays(t *testing.T) {
	world, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	dir, err := os.MkdirTemp("", "ehlo") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := listen(t, "tcp", "127.0.0.1:0", func(nc net.Conn) {
		b := bufio.NewReader(nc)
		r, err := http.ReadRequest(b)
		if err != nil || r.Method != "CONNECT" {
			return
		}
		if r.Header.Get("Proxy-Authorization") != "Basic YWxpY2U6aHVudGVyMg==" { // alice:hunter2
			_, _ = io.WriteString(nc, "HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic\r\n\r\n")
			return
		}
		_, _ = io.WriteString(nc, "HTTP/1.1 200 Connected\r\n\r\n")
		join(world, nc, b, r.RequestURI)
	})
	socket := filepath.Join(dir, "s")
	listen(t, "unix", socket, func(nc net.Conn) { join(world, nc, nc, "192.0.2.12:25") })

	w := newWorld()
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"probe mx1.plain.test:25 --dns-server " + world.DNS() + " --via http://alice@" + proxy + " --via-password-file " + password, 0, " · through http://alice@" + proxy},
		{"probe 192.0.2.12 --via http://" + proxy, 4, "192.0.2.12:25: cannot be reached, says the proxy: 407 Who are you?"},
		{"probe 192.0.2.12 --via http://" + proxy, 4, "next    again with --via http://USER@" + proxy + " --via-password-file FILE"},
		{"probe 192.0.2.12 --via socks5://" + proxy + " --connect-timeout 200ms", 4, "cannot be reached: the proxy " + proxy + " took the connection and did not answer within 200 ms"},
	} {
		out, errs, status := w.run(strings.Fields(test.args)...)
		if status != test.status || errs != "" || !strings.Contains(out, test.want) || strings.Contains(out, "hunter2") {
			t.Errorf("%s: status %d, stderr %q, no %q in\n%s", test.args, status, errs, test.want, out)
		}
	}
	out, _, _ := w.run("verify", "--socket", socket, "bob@plain.test")
	if !strings.HasPrefix(out, "● connect   unix:"+socket) || !strings.Contains(out, "220 mx1.plain.test") {
		t.Errorf("a UNIX socket:\n%s", out)
	}
}

// A proxy that does not answer is no firewall before port 25.
func TestUnreachedProxy(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&reach.ProxyError{Addr: "127.0.0.1:1080", Reached: true, Err: os.ErrDeadlineExceeded}, "what listens there speaks another protocol, or the proxy waits for the target itself"},
		{&reach.ProxyError{Addr: "127.0.0.1:1080", Err: os.ErrDeadlineExceeded}, "the proxy's address or port is another, or a firewall stands in between"},
		{&reach.ProxyError{Addr: "127.0.0.1:1080", Err: syscall.ECONNREFUSED}, "nothing listens on that port, or a firewall refuses it"},
		{os.ErrDeadlineExceeded, "a firewall in between: many networks let nothing out to port 25"},
	} {
		if got := unreached(&reach.ConnectError{Err: test.err}); got != test.want {
			t.Errorf("%v: %s; want %s", test.err, got, test.want)
		}
	}
}
