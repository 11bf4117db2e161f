package reach

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// shownBy is what r shows from now on, with every note.
func shownBy(r *Reach) *bytes.Buffer {
	var b bytes.Buffer
	sink, _ := transcript.New(&b, transcript.Options{Format: "text", Verbose: true})
	r.Session.Stream = transcript.NewStream(sink, time.Now)
	return &b
}

// onSocket serves a host of the world at a UNIX socket, and gives its path.
func onSocket(t *testing.T, world Dialer, address string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ehlo") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		_ = os.RemoveAll(dir)
	})
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				far, err := world.Dial("tcp", address)
				if err != nil {
					return
				}
				defer far.Close()
				go func() { _, _ = io.Copy(far, nc); _ = far.Close() }()
				_, _ = io.Copy(nc, far)
			}()
		}
	}()
	return path
}

func TestUnixSocket(t *testing.T) {
	r := inWorld(t)
	path := onSocket(t, r.Dial, "192.0.2.13:25")
	r.Dial = nil // no address is dialled
	target, local, err := ParseLocal("unix:" + path)
	if err != nil || !local {
		t.Fatal(err)
	}
	hops, err := r.Hops(t.Context(), target)
	if err != nil || len(hops) != 1 {
		t.Fatalf("%v, %v", hops, err)
	}
	shown := shownBy(r)
	r.Via, r.ConnectTo, r.PublicOnly = "socks5://127.0.0.1:1", []Redirect{{To: "127.0.0.1", ToPort: "1"}}, true // none of them concerns it
	plan := dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Quit()}
	v := r.Visit(t.Context(), hops[0], plan)
	if v.Err != nil || v.Addr != "unix:"+path || v.Report.TLS == nil || v.Report.TLS.Verified() {
		t.Errorf("%v at %s, %+v", v.Err, v.Addr, v.Report.TLS)
	}
	if first, _, _ := strings.Cut(shown.String(), "\n"); !strings.HasPrefix(first, "● connect   unix:"+path) || strings.Contains(first, "through") {
		t.Errorf("shown as %s", first)
	}
	if !strings.Contains(shown.String(), "wanted localhost") {
		t.Errorf("the certificate had not to prove localhost:\n%s", shown)
	}
	r.Session.TLS.Name, r.Session.TLS.Policy = "mx1.starttls.test", dialog.PolicyVerify
	if v := r.Visit(t.Context(), hops[0], plan); v.Err != nil || !v.Report.TLS.Verified() {
		t.Errorf("by its own name: %v", v.Err)
	}
}

func TestUnixSocketUnreached(t *testing.T) {
	r := inWorld(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"):     "cannot be reached: no such file or directory",
		file:                           "refused the connection",
		"/" + strings.Repeat("x", 200): "cannot be reached: invalid argument",
	} {
		v := r.Visit(t.Context(), Hop{Host: "localhost", Socket: path}, nil)
		var failed *ConnectError
		if v.Reached || !errors.As(v.Err, &failed) || failed.Short() != want {
			t.Errorf("%.40s: %v; want %s", path, v.Err, want)
		}
		if next, _ := TryNext(v.Err); !next {
			t.Errorf("%.40s ends the search", path)
		}
	}
}

func TestPublicOnly(t *testing.T) {
	var dialled []string
	r := &Reach{PublicOnly: true, ConnectTimeout: time.Second, Session: dialog.Options{Now: time.Now}}
	r.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return nil, errors.New("stop")
	}
	for _, addr := range []string{
		"10.0.0.5:25", "172.16.0.1:25", "192.168.1.1:25", "127.0.0.1:25", "169.254.169.254:80", "100.64.0.1:25", "0.0.0.0:25", "224.0.0.1:25",
		"[::1]:25", "[::]:25", "[fe80::1%lo]:25", "[fc00::1]:25", "[::ffff:127.0.0.1]:25", "[::ffff:10.0.0.1]:25",
	} {
		hop := Hop{Host: "mx.example.net", Addr: netip.MustParseAddrPort(addr), Port: 25}
		v := r.Visit(t.Context(), hop, nil)
		var special *SpecialError
		if !errors.As(v.Err, &special) || v.Reached {
			t.Errorf("%s: %v", addr, v.Err)
		}
		if next, why := TryNext(v.Err); !next || why != "has no public address there" {
			t.Errorf("%s: %v %s", addr, next, why)
		}
	}
	if len(dialled) > 0 {
		t.Errorf("dialled %s", dialled)
	}
	hop := Hop{Host: "mx.example.net", Addr: netip.MustParseAddrPort("198.51.100.1:25"), Port: 25}
	r.Visit(t.Context(), hop, nil)
	r.ConnectTo = []Redirect{{To: "127.0.0.1"}}
	if v := r.Visit(t.Context(), hop, nil); !errors.As(v.Err, new(*SpecialError)) {
		t.Errorf("redirected: %v", v.Err)
	}
	if want := "198.51.100.1:25"; strings.Join(dialled, " ") != want {
		t.Errorf("dialled %s, not %s", dialled, want)
	}
}
