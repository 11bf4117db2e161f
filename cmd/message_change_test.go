package cmd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/cmd"
)

// slowServer takes one message, in lockstep. It calls meanwhile when it has read the
// first of it, and reads on then until the client goes; what came behind DATA is sent to
// got.
func slowServer(t *testing.T, meanwhile func()) (addr string, got <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	body := make(chan string, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
		in := bufio.NewReader(nc)
		_, _ = io.WriteString(nc, "220 slow.test\r\n")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				body <- "no DATA"
				return
			}
			if strings.HasPrefix(line, "DATA") {
				break
			}
			_, _ = io.WriteString(nc, "250 slow.test\r\n")
		}
		_, _ = io.WriteString(nc, "354 go on\r\n")
		first := make([]byte, 1000)
		if _, err := io.ReadFull(in, first); err != nil {
			body <- "no message"
			return
		}
		meanwhile()
		text, _ := io.ReadAll(in)
		body <- string(first) + string(text)
	}()
	return l.Addr().String(), body
}

// TestFileChanges: a file that changes while it is sent is never taken for a message.
// No dot ends it, nothing is said behind it, and the run says why.
func TestFileChanges(t *testing.T) {
	t.Parallel()
	const size = 16 << 20 // more than sockets hold
	line := strings.Repeat("x", 70) + "\n"
	message := "From: a@client.test\nSubject: big\n\n" + strings.Repeat(line, size/len(line))
	for _, c := range []struct {
		name   string
		change func(path string) error
		want   string
	}{
		{"cut short", func(path string) error { return os.Truncate(path, 1000) }, "became shorter while it was read"},
		{"grown", func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = io.WriteString(f, "more\n")
			return errors.Join(err, f.Close())
		}, "changed since it was read first"},
		{"written anew", func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("y"), size/2)
			return errors.Join(err, f.Close(), os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
		}, "changed since it was read first"},
	} {
		for _, flag := range []string{"--data", "--attach"} {
			t.Run(c.name+flag, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "message.eml")
				write(t, path, []byte(message))
				addr, got := slowServer(t, func() {
					if err := c.change(path); err != nil {
						t.Error(err)
					}
				})
				out, errs, status := ehlo(t, "send", "--server", addr, "--no-tls", "--helo", "client.test",
					"--from", "a@client.test", "--to", "b@good.test", flag, "@"+path)
				if status != int(cmd.StatusUsage) || !strings.Contains(out, path+" "+c.want) {
					t.Errorf("status %d, %s\n%s", status, errs, out)
				}
				if text := <-got; !strings.HasPrefix(text, "From: a@") && !strings.HasPrefix(text, "Date: ") || strings.Contains("\r\n"+text, "\r\n.\r\n") || strings.Contains(text, "QUIT\r\n") {
					t.Errorf("the server got %d octets, with a dot or a QUIT", len(text))
				}
			})
		}
	}
}

// TestFileChangesBetweenTries: a file that changed since an earlier try is why the run
// ends, and not what the server said then.
func TestFileChangesBetweenTries(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "message.eml")
	write(t, path, []byte("Subject: x\n\none\n"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(nc, "220 busy.test\r\n")
			for lines := bufio.NewScanner(nc); lines.Scan(); {
				reply := "250 busy.test\r\n"
				switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
				case "RCPT":
					if err := os.WriteFile(path, []byte("Subject: x\n\nanother one\n"), 0o600); err != nil {
						t.Error(err)
					}
					reply = "450 4.2.1 busy, try again in 1 second\r\n"
				case "QUIT":
					reply = "221 bye\r\n"
				}
				_, _ = io.WriteString(nc, reply)
			}
			_ = nc.Close()
		}
	}()
	out, errs, status := ehlo(t, "send", "--server", l.Addr().String(), "--no-tls", "--helo", "client.test", "--from", "a@client.test",
		"--to", "b@good.test", "--data", "@"+path, "--retry-for", "1m")
	_, end, _ := strings.Cut(out, "try 2")
	if status != int(cmd.StatusUsage) || !strings.Contains(end, path+" changed since it was read first") || strings.Contains(end, "try 3") {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
}

// TestFileUnreadable: what cannot be opened, or is gone at a later try, is named.
func TestFileUnreadable(t *testing.T) {
	if runtime.GOOS != "windows" && os.Getuid() != 0 {
		path := filepath.Join(t.TempDir(), "secret")
		write(t, path, []byte("Subject: x\n\nx\n"))
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"--data", "--body", "--html", "--attach", "--data-template"} {
			_, errs, status := ehlo(t, "send", "--sandbox", "--to", "a@good.test", flag, "@"+path)
			if status != int(cmd.StatusUsage) || !strings.Contains(errs, path+": permission denied\n") {
				t.Errorf("%s: status %d, %s", flag, status, errs)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "message.eml")
	write(t, path, []byte("Subject: x\n\n"+strings.Repeat("x\n", 1<<20)))
	addr, got := vanishing(t, path)
	out, errs, status := ehlo(t, "send", "--server", addr, "--no-tls", "--helo", "client.test", "--from", "a@client.test", "--to", "b@good.test", "--data", "@"+path)
	if status != int(cmd.StatusUsage) || !strings.Contains(out, path+": no such file or directory") {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
	if text := <-got; strings.Contains(text, "DATA") {
		t.Errorf("the server heard %q", text)
	}
}

// vanishing is a server that removes path before it greets; got is what it hears.
func vanishing(t *testing.T, path string) (addr string, got <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	heard := make(chan string, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		_ = os.Remove(path)
		_, _ = io.WriteString(nc, "220 slow.test\r\n")
		var all strings.Builder
		for lines := bufio.NewScanner(nc); lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			reply := "250 slow.test\r\n"
			if lines.Text() == "QUIT" {
				reply = "221 bye\r\n"
			}
			_, _ = io.WriteString(nc, reply)
		}
		heard <- all.String()
	}()
	return l.Addr().String(), heard
}

// TestMessageEnds: a pipe that says nothing, or that nobody reads, holds nobody up.
func TestMessageEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   string
		status cmd.Status
		why    error
	}{
		{"message show -", cmd.StatusInterrupted, cmd.ErrInterrupted},
		{"message verify - --sandbox", cmd.StatusInterrupted, cmd.ErrInterrupted},
		{"message build --data - --sandbox", cmd.StatusInterrupted, cmd.ErrInterrupted},
		{"message build --to b@good.test --sandbox", cmd.StatusInterrupted, cmd.ErrInterrupted},
		{"message show - --max-time 50ms", cmd.StatusNoAnswer, nil},
		{"message build --data - --sandbox --max-time 50ms", cmd.StatusNoAnswer, nil},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			in, _ := io.Pipe()
			_, out := io.Pipe()
			var errs sink
			env := docsEnv(out, &errs)
			env.In = in
			ctx, cancel := context.WithCancelCause(t.Context())
			if c.why != nil {
				time.AfterFunc(50*time.Millisecond, func() { cancel(c.why) })
			}
			defer cancel(nil)
			if got := cmd.Main(ctx, env, strings.Fields(c.args)); got != int(c.status) {
				t.Errorf("status %d, not %d: %s", got, c.status, errs.String())
			}
		})
	}
}
