//go:build unix

package cmd_test

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFaults: what may go wrong on this side, on the program with its main: signals
// and all.
func TestFaults(t *testing.T) {
	p := program(filepath.Join(t.TempDir(), "ehlo"))
	if out, err := exec.Command("go", "build", "-o", string(p), "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("signals", p.signals)
	t.Run("output", p.output)
	t.Run("shell", p.shell)
}

// program is the path of ehlo.
type program string

func (p program) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(string(p), args...)
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "EHLO="+string(p), "XDG_CONFIG_HOME="+t.TempDir())
	return c
}

// staller is an SMTP server that falls silent in one phase: in place of its reply
// to the line that begins with at; "" is the banner, "tls" the handshake, "body"
// stops reading within the message, "." is the reply to it.
type staller struct {
	addr    string
	at      string
	reached chan struct{} // closed when it is silent
	after   chan string   // the lines that came then
}

func stall(t *testing.T, at string) *staller {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &staller{addr: l.Addr().String(), at: at, reached: make(chan struct{}), after: make(chan string, 1)}
	over := make(chan struct{})
	t.Cleanup(func() { close(over); l.Close() })
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		s.serve(nc)
		<-over
	}()
	return s
}

func (s *staller) serve(nc net.Conn) {
	r := bufio.NewReaderSize(nc, 512)
	rest := func() {
		close(s.reached)
		var b bytes.Buffer
		_, _ = b.ReadFrom(r)
		s.after <- b.String()
	}
	if s.at == "" {
		rest()
		return
	}
	say := func(reply string) { _, _ = nc.Write([]byte(reply + "\r\n")) }
	say("220 mx.test")
	text := false
	for {
		line, err := r.ReadString('\n')
		switch line = strings.TrimRight(line, "\r\n"); {
		case err != nil:
			return
		case !text && s.at != "." && strings.HasPrefix(line, s.at), text && line == "." && s.at == ".":
			rest()
			return
		case text && s.at == "body":
			close(s.reached) // and nothing more is read
			return
		case line == "STARTTLS":
			say("220 go")
			if s.at == "tls" {
				rest()
				return
			}
		case text && line == ".":
			text = false
			say("250 queued")
		case text:
		case strings.HasPrefix(line, "EHLO"):
			starttls := ""
			if s.at == "tls" {
				starttls = "250-STARTTLS\r\n"
			}
			say("250-mx.test\r\n" + starttls + "250 AUTH PLAIN")
		case strings.HasPrefix(line, "AUTH"):
			say("235 in")
		case line == "DATA":
			text = true
			say("354 go")
		case line == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// signals: an interrupt ends the run in any phase, within a second when the
// machine is idle, and says what became of the message; a second one at once.
func (p program) signals(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	small := put("small.eml", "From: <a@x.test>\nDate: Sun, 22 Nov 2026 01:14:02 +0000\nMessage-ID: <1@x.test>\n\nhi\n")
	big := put("big.eml", "From: <a@x.test>\nDate: Sun, 22 Nov 2026 01:14:02 +0000\nMessage-ID: <1@x.test>\n\n"+strings.Repeat(strings.Repeat("x", 70)+"\n", 32<<20/71))
	password := put("password", "wonderland\n")[1:]
	for _, test := range []struct {
		at     string
		status int
		says   string
	}{
		{"", 130, "✗ interrupted"}, {"EHLO", 130, "✗ interrupted"}, {"tls", 130, "✗ interrupted"}, {"AUTH", 130, "✗ interrupted"},
		{"MAIL", 130, "✗ interrupted"}, {"RCPT", 130, "✗ interrupted"}, {"DATA", 130, "✗ interrupted"}, {"body", 130, "✗ interrupted"},
		{".", 9, "? unknown"}, {"QUIT", 0, "✓ accepted"},
	} {
		for _, signals := range [][]os.Signal{{syscall.SIGINT}, {syscall.SIGTERM}, {syscall.SIGINT, syscall.SIGTERM}} {
			t.Run("at "+test.at+" "+signals[len(signals)-1].String(), func(t *testing.T) {
				t.Parallel()
				srv := stall(t, test.at)
				args := []string{"send", "--server", srv.addr, "--helo", "c.test", "--from", "a@x.test", "--to", "b@x.test", "--data", small}
				switch test.at {
				case "body":
					args[len(args)-1] = big
				case "AUTH":
					args = append(args, "--auth", "PLAIN", "--auth-user", "alice", "--auth-password-file", password, "--auth-cleartext")
				}
				c := p.command(t, args...)
				var out, errs bytes.Buffer
				c.Stdout, c.Stderr = &out, &errs
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				select {
				case <-srv.reached:
				case <-time.After(20 * time.Second):
					_ = c.Process.Kill()
					t.Fatalf("never there: %s", errs.String())
				}
				began := time.Now()
				for _, s := range signals {
					_ = c.Process.Signal(s)
				}
				_ = c.Wait()
				took := time.Since(began)
				t.Logf("%d ms", took.Milliseconds())
				if took > 4*time.Second {
					t.Errorf("it took %v", took)
				}
				if got := c.ProcessState.ExitCode(); got != test.status || !strings.Contains(out.String(), test.says) || errs.Len() > 0 {
					t.Errorf("status %d, %q\n%s", got, errs.String(), out.String())
				}
			})
		}
	}
}
