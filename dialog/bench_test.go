package dialog

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func BenchmarkReply(b *testing.B) {
	for name, reply := range map[string]string{
		"line": "250 2.1.0 Ok\r\n",
		"EHLO": "250-mx1.example.net\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(reply)))
			rr := newReplyReader(endless(reply))
			for b.Loop() {
				rr.read = 0
				if _, err := rr.next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless repeats a text for ever.
func endless(text string) io.Reader {
	block := strings.Repeat(text, 1+4096/len(text))
	return &loop{block: block}
}

type loop struct {
	block string
	at    int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.block[l.at:])
	l.at = (l.at + n) % len(l.block)
	return n, nil
}

// BenchmarkMessage is one message with two recipients on a connection that stays.
func BenchmarkMessage(b *testing.B) {
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		r := bufio.NewReader(server)
		text := false
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			var reply string
			switch {
			case text && string(line) != ".\r\n":
			case text:
				text, reply = false, "250 2.0.0 queued\r\n"
			case bytes.HasPrefix(line, []byte("DATA")):
				text, reply = true, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
			}
			if reply != "" {
				_, _ = io.WriteString(server, reply)
			}
		}
	}()
	s := NewSession(client, testOptions())
	s.Report.Offers = []Offers{{Extensions: []Offer{{Keyword: "PIPELINING"}}}}
	d := newDelivery("", text{body: lines(2 << 10)})
	b.ReportAllocs()
	for b.Loop() {
		if err := s.transact(b.Context(), &transaction{Delivery: d, hop: "mx.test", batch: []int{0, 1}}); err != nil || d.To[0].Outcome != Accepted {
			b.Fatal(err, d.To)
		}
		d.To[0].Outcome, d.To[1].Outcome = Undecided, Undecided
	}
}

func BenchmarkDot(b *testing.B) {
	for name, line := range map[string]string{"plain": strings.Repeat("x", 76) + "\r\n", "dots": ".\r\n"} {
		b.Run(name, func(b *testing.B) {
			block := []byte(strings.Repeat(line, writeBuffer/len(line)))
			b.ReportAllocs()
			b.SetBytes(int64(len(block)))
			s := stuffer{w: io.Discard, atStart: true}
			for b.Loop() {
				if err := s.write(block); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// answering is a connection that has the answer to every write ready at once, and
// no cost of its own.
type answering struct {
	net.Conn
	answer  []byte
	waiting chan struct{}
	left    []byte
}

func (a *answering) Write(p []byte) (int, error) {
	a.waiting <- struct{}{}
	return len(p), nil
}

func (a *answering) Read(p []byte) (int, error) {
	if len(a.left) == 0 {
		if _, open := <-a.waiting; !open {
			return 0, io.EOF
		}
		a.left = a.answer
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

func (a *answering) SetWriteDeadline(time.Time) error { return nil }
func (a *answering) SetReadDeadline(time.Time) error  { return nil }
func (a *answering) SetDeadline(time.Time) error      { return nil }

func (a *answering) Close() error {
	close(a.waiting)
	return nil
}

// looked is one into which can be looked, as into a socket.
type looked struct{ *answering }

func (looked) readNow([]byte) (int, error) { return 0, errNothing }

// recurring is a conversation in which one group recurs.
func recurring(tb testing.TB, socket bool) (*Session, []Step) {
	a := &answering{answer: []byte("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 queued\r\n"), waiting: make(chan struct{}, 1)}
	var nc net.Conn = a
	if socket {
		nc = looked{a}
	}
	s := NewSession(nc, testOptions())
	tb.Cleanup(func() { _ = s.Close() })
	var steps []Step
	for i, line := range []string{"MAIL FROM:<a@c.test>", "RCPT TO:<b@d.test>", "BDAT 1024 LAST"} {
		c, err := NewCommand(line)
		if err != nil {
			tb.Fatal(err)
		}
		steps = append(steps, Step{Phase: []Phase{PhaseMail, PhaseRcpt, PhaseDot}[i], Command: c, Waits: i == 0})
	}
	steps[2].Body = ready(make([]byte, 1024))
	return s, steps
}

// ready is a body that is in memory.
type ready []byte

func (r ready) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(r)
	return int64(n), err
}

// BenchmarkRecur is the engine alone: a message that goes out by BDAT in one group.
func BenchmarkRecur(b *testing.B) {
	for name, socket := range map[string]bool{"socket": true, "pipe": false} {
		b.Run(name, func(b *testing.B) {
			s, steps := recurring(b, socket)
			b.ReportAllocs()
			for b.Loop() {
				if turns, err := s.Recur(b.Context(), steps...); err != nil || !turns[2].Reply().Positive() {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestRecurAllocates nothing, once there is memory for one exchange.
func TestRecurAllocates(t *testing.T) {
	for name, socket := range map[string]bool{"socket": true, "pipe": false} {
		s, steps := recurring(t, socket)
		ctx := t.Context()
		exchange := func() {
			if turns, err := s.Recur(ctx, steps...); err != nil || len(turns) != 3 {
				t.Fatal(turns, err)
			}
		}
		exchange()
		// Not 0: what else runs in the test program allocates too, now and then.
		if n := testing.AllocsPerRun(1000, exchange); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
