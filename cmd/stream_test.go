package cmd

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jhillyerd/enmime/v2"
)

// taker is an SMTP server for one conversation, which keeps the message.
type taker struct {
	addr     string
	keywords string
	amid     func() // called once, after a MiB of a body; nothing more is read before it ends

	declared int // by SIZE
	message  bytes.Buffer
	whole    bool // the message came to its end
	quit     bool // QUIT was said
	done     chan struct{}
}

func (s *taker) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.done = listener.Addr().String(), make(chan struct{})
	t.Cleanup(func() { listener.Close() })
	go func() {
		defer close(s.done)
		nc, err := listener.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		s.serve(nc)
	}()
}

func (s *taker) serve(nc net.Conn) {
	r := bufio.NewReader(nc)
	say := func(reply string) { _, _ = io.WriteString(nc, reply+"\r\n") }
	say("220 taker.test")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, rest, _ := strings.Cut(strings.TrimSpace(line), " "); verb {
		case "EHLO":
			say("250-taker.test\r\n250-SIZE\r\n250-" + strings.ReplaceAll(s.keywords, " ", "\r\n250-") + "\r\n250 8BITMIME")
		case "MAIL":
			_, size, _ := strings.Cut(rest, " SIZE=")
			_, _ = fmt.Sscan(size, &s.declared)
			say("250 ok")
		case "DATA":
			say("354 go")
			for line != ".\r\n" {
				if line, err = r.ReadString('\n'); err != nil {
					return
				}
				if line != ".\r\n" {
					s.keep([]byte(strings.TrimPrefix(line, ".")))
				}
			}
			s.whole = true
			say("250 ok")
		case "BDAT":
			var n int64
			_, _ = fmt.Sscan(rest, &n)
			for p := make([]byte, 32<<10); n > 0; {
				got, err := r.Read(p[:min(n, int64(len(p)))])
				if err != nil {
					return
				}
				n -= int64(got)
				s.keep(p[:got])
			}
			s.whole = true
			say("250 ok")
		case "QUIT":
			s.quit = true
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *taker) keep(p []byte) {
	s.message.Write(p)
	if s.amid != nil && s.message.Len() > 1<<20 {
		s.amid()
		s.amid = nil
	}
}

// TestStreamed: a composed message with attachments of sizes about every boundary
// comes to the server and is read back, every octet of it, whatever carries it.
func TestStreamed(t *testing.T) {
	r := rand.New(rand.NewPCG(2045, 1))
	const line, block, kept = 57, 576 * 57, 256 << 10 * 57 / 78 / 2 // of base64; of its encoder; of a message that is made once
	dir := t.TempDir()
	for _, keywords := range []string{"HELP", "PIPELINING", "CHUNKING PIPELINING", "CHUNKING PIPELINING BINARYMIME"} {
		for _, size := range []int{0, 1, line - 1, line, line + 1, 32<<10 - 900, 32 << 10, block - 1, block, block + 1, kept - 900 + r.IntN(900), 2*block + 1, 1 << 20} {
			want := make([]byte, size)
			for i := range want {
				want[i] = "\r\n.-=\x00\xffab"[r.IntN(9)]
			}
			text := strings.Repeat(".", r.IntN(900)) + "\n.\n..\nx"
			path := filepath.Join(dir, "any.bin")
			put(t, path, want)
			srv := &taker{keywords: keywords}
			srv.start(t)
			out, errs, status := newWorld().run("send", "--server", srv.addr, "--from", "a@x.test", "--to", "b@x.test", "--body", text,
				"--attach", "@"+path, "--attach", "@"+path)
			<-srv.done
			if status != 0 || errs != "" || !srv.whole || !srv.quit {
				t.Fatalf("%s, %d octets: status %d, %s%s", keywords, size, status, errs, out)
			}
			if srv.declared != srv.message.Len() {
				t.Errorf("%s, %d octets: %d were declared, and %d sent", keywords, size, srv.declared, srv.message.Len())
			}
			if strings.HasSuffix(keywords, "BINARYMIME") { // enmime takes a CR at the end of a part for its boundary's
				if n := bytes.Count(srv.message.Bytes(), []byte("\r\n\r\n"+string(want)+"\r\n--=_")); n != 2 {
					t.Errorf("%d octets as they are: %d times", size, n)
				}
				continue
			}
			env, err := enmime.ReadEnvelope(&srv.message)
			if err != nil || len(env.Attachments) != 2 {
				t.Fatalf("%s, %d octets: %v, %d attachments", keywords, size, err, len(env.Attachments))
			}
			if got := strings.ReplaceAll(env.Text, "\r\n", "\n"); got != text && got != text+"\n" {
				t.Errorf("%s: text %q became %q", keywords, text, got)
			}
			for _, a := range env.Attachments {
				if !bytes.Equal(a.Content, want) || a.FileName != "any.bin" {
					t.Fatalf("%s: %d octets became %d of %s", keywords, size, len(a.Content), a.FileName)
				}
			}
		}
	}
}

// TestBroken: a message that cannot be read to its end is not ended, whatever
// carries it, nor is a conversation that is interrupted within it.
func TestBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 32 MiB twenty times")
	}
	const size = 32 << 20 // more than the sockets hold, so that the end is not yet read
	path := filepath.Join(t.TempDir(), "big.bin")
	head := "From: <a@x.test>\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: <1@x.test>\r\n\r\n"
	body := []byte(head + strings.Repeat(strings.Repeat("x", 76)+"\r\n", size/78))
	for _, test := range []struct {
		name   string
		amid   func(t *testing.T, interrupt func())
		status int
		says   string // in the transcript
	}{
		{"it is cut off", func(t *testing.T, _ func()) { truncate(t, path, size/2) }, 2, "became shorter while it was read"},
		{"it is emptied", func(t *testing.T, _ func()) { truncate(t, path, 0) }, 2, "became shorter while it was read"},
		{"it grows", func(t *testing.T, _ func()) { truncate(t, path, 2*size) }, 2, "changed since it was read first"},
		{"it is written anew", func(t *testing.T, _ func()) { put(t, path, bytes.ToUpper(body)) }, 2, "changed since it was read first"},
		{"it is written anew, and its time set back", func(t *testing.T, _ func()) {
			info, err := os.Stat(path)
			if err != nil {
				t.Error(err)
				return
			}
			put(t, path, bytes.ToUpper(body))
			if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
				t.Error(err)
			}
		}, 2, "changed since it was read first"},
		{"interrupted", func(_ *testing.T, interrupt func()) { interrupt() }, 130, "interrupted"},
	} {
		for _, keywords := range []string{"PIPELINING", "CHUNKING"} {
			for _, flag := range []string{"--data", "--attach"} {
				t.Run(test.name+"/"+keywords+flag, func(t *testing.T) {
					if flag == "--attach" && strings.Contains(test.name, "set back") {
						return // it was never read before
					}
					put(t, path, body)
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					var since time.Time
					srv := &taker{keywords: keywords}
					srv.amid = func() {
						since = time.Now()
						test.amid(t, func() { cancel(ErrInterrupted) })
					}
					srv.start(t)
					w := newWorld()
					status := Main(ctx, w.Env, []string{"send", "--server", srv.addr, "--from", "a@x.test", "--to", "b@x.test", flag, "@" + path})
					ended := time.Now()
					<-srv.done
					took := ended.Sub(since)
					if status != test.status || !strings.Contains(w.out.String()+w.err.String(), test.says) {
						t.Errorf("status %d: %s%s", status, w.err.String(), w.out.String())
					}
					if srv.whole || srv.quit {
						t.Errorf("the message was ended: %v, with QUIT: %v", srv.whole, srv.quit)
					}
					if strings.Contains(w.out.String(), "accepted") || strings.Contains(w.out.String(), "unknown") {
						t.Errorf("the outcome: %s", w.out.String())
					}
					if took > 4*time.Second {
						t.Errorf("it took %v", took)
					}
				})
			}
		}
	}
}

func truncate(t *testing.T, path string, size int64) {
	if err := os.Truncate(path, size); err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, path string, content []byte) {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Error(err)
	}
}
