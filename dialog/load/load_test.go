package load

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// server takes messages on loopback, and keeps what a test asks for.
type server struct {
	offers []string
	answer func(verb, line string, n int) string // n messages were taken on this connection; "" is the usual answer, "drop" closes, and so does one that ends in "closing"

	mu          sync.Mutex
	texts       []string
	connections int
	unasked     int // commands that came in one write with what they follow
}

func (s *server) start(t testing.TB) reach.Hop {
	t.Helper()
	return listen(t, s.serve)
}

// listen has serve take each connection to a port on loopback, and closes it then.
func listen(t testing.TB, serve func(net.Conn)) reach.Hop {
	t.Helper()
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
			go func() { defer nc.Close(); serve(nc) }()
		}
	}()
	addr := netip.MustParseAddrPort(l.Addr().String())
	return reach.Hop{Host: "mx.test", Addr: addr, Port: addr.Port()}
}

func (s *server) serve(nc net.Conn) {
	s.mu.Lock()
	s.connections++
	s.mu.Unlock()
	r, n := bufio.NewReader(nc), 0
	say := func(text string) { _, _ = io.WriteString(nc, text+"\r\n") }
	say("220 mx.test")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		text := ""
		if verb == "BDAT" {
			size, _ := strconv.Atoi(strings.Fields(rest)[0])
			chunk := make([]byte, size)
			if _, err := io.ReadFull(r, chunk); err != nil {
				return
			}
			text = string(chunk)
		}
		reply := "250 ok"
		if s.answer != nil {
			if own := s.answer(verb, line, n); own != "" {
				reply = own
			}
		}
		switch {
		case verb == "EHLO":
			reply = "250-mx.test\r\n250-" + strings.Join(append(s.offers, "HELP"), "\r\n250-")
			reply = reply[:strings.LastIndex(reply, "-")] + " HELP"
		case verb == "DATA" && reply == "250 ok":
			say("354 go")
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text += strings.TrimPrefix(line, ".")
			}
			if own := ""; s.answer != nil {
				if own = s.answer(".", "", n); own != "" {
					reply = own
				}
			}
		case verb == "QUIT":
			say("221 bye")
			return
		}
		if reply == "drop" {
			return
		}
		if (verb == "DATA" || verb == "BDAT") && strings.HasPrefix(reply, "250") {
			n++
			s.mu.Lock()
			s.texts = append(s.texts, text)
			s.mu.Unlock()
		}
		s.mu.Lock()
		if r.Buffered() > 0 {
			s.unasked++
		}
		s.mu.Unlock()
		say(reply)
		if strings.HasSuffix(reply, "closing") {
			_ = nc.(*net.TCPConn).CloseWrite() // what was sent ahead must not cost the client this reply
			_, _ = io.Copy(io.Discard, r)
			return
		}
	}
}

func offer(o Offer) Offer {
	o.From, o.To, o.Grace = "a@c.test", []string{"b@d.test", "c@d.test"}, time.Second
	o.Sessions = max(1, o.Sessions)
	if o.Messages == nil {
		text := "Subject: x\r\n\r\n.hidden\r\n"
		o.Messages = []*Message{{text: []byte(text), dotted: stuff([]byte(text))}}
	}
	return o
}

func run(t *testing.T, ctx context.Context, hop reach.Hop, o Offer) *Result {
	t.Helper()
	result, err := Run(ctx, reaching(), hop, offer(o), nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func reaching() *reach.Reach {
	return &reach.Reach{
		Dial: new(net.Dialer).DialContext, ConnectTimeout: 10 * time.Second,
		Session: dialog.Options{Hello: "c.test", Now: time.Now, Timeouts: dialog.DefaultTimeouts()},
	}
}

// TestRun delivers the same messages in every way that a server's extensions allow.
func TestRun(t *testing.T) {
	for name, offers := range map[string][]string{"lockstep": nil, "PIPELINING": {"PIPELINING"}, "CHUNKING": {"CHUNKING"}, "both": {"PIPELINING", "CHUNKING", "SIZE 1000"}} {
		for _, per := range []int{0, 1, 3} {
			t.Run(name+" "+strconv.Itoa(per), func(t *testing.T) {
				s := &server{offers: offers}
				r := run(t, t.Context(), s.start(t), Offer{Count: 20, Sessions: 2, PerConn: per})
				if r.Accepted != 20 || r.Errors() != 0 || r.Recipients != 40 || len(s.texts) != 20 || len(r.Faults()) != 0 {
					t.Errorf("%+v, %d arrived, %v", r, len(s.texts), r.Faults())
				}
				for _, text := range s.texts {
					if text != "Subject: x\r\n\r\n.hidden\r\n" {
						t.Errorf("arrived as %q", text)
					}
				}
				if r.Connections != int64(s.connections) || per == 1 && s.connections != 20 || per == 0 && s.connections > 2 {
					t.Errorf("%d connections, %d counted", s.connections, r.Connections)
				}
				if piped := s.unasked > 0; piped != strings.Contains(strings.Join(offers, ""), "PIPELINING") {
					t.Errorf("%d commands were ahead", s.unasked)
				}
				if r.Whole.Count() != 20 || r.Latency[dialog.PhaseRcpt].Count() != 40 || r.Latency[dialog.PhaseDot].Count() != 20 {
					t.Error("latencies are missing")
				}
			})
		}
	}
}

// TestRefused counts what a server refuses, and goes on.
func TestRefused(t *testing.T) {
	refuse := func(verb, text, reply string) func(string, string, int) string {
		return func(v, line string, n int) string {
			if v == verb && strings.Contains(line, text) {
				return reply
			}
			return ""
		}
	}
	for _, test := range []struct {
		name                               string
		answer                             func(string, string, int) string
		accepted, deferred, refused, heard int64
		fault                              string
		times                              int64
	}{
		{"MAIL", refuse("MAIL", "", "451 4.3.0 later"), 0, 6, 0, 0, "451 4.3.0", 6},
		{"every RCPT", refuse("RCPT", "", "550 5.1.1 no"), 0, 0, 6, 0, "550 5.1.1", 12},
		{"one RCPT", refuse("RCPT", "c@d", "550 5.1.1 no"), 6, 0, 0, 6, "550 5.1.1", 6},
		{"the message", refuse(".", "", "552 5.3.4 big"), 0, 0, 6, 0, "552 5.3.4", 6},
		{"a chunk", refuse("BDAT", "", "452 4.3.1 full"), 0, 6, 0, 0, "452 4.3.1", 6},
	} {
		for _, extension := range []string{"", "PIPELINING", "CHUNKING", "PIPELINING CHUNKING"} {
			if chunks := strings.Contains(extension, "CHUNKING"); test.name == "the message" && chunks || test.name == "a chunk" && !chunks {
				continue
			}
			t.Run(test.name+" "+extension, func(t *testing.T) {
				answer := test.answer
				nobody := strings.Contains("MAIL, every RCPT", test.name)
				s := &server{offers: strings.Fields(extension), answer: func(verb, line string, n int) string {
					if nobody && (verb == "DATA" || verb == "BDAT") {
						return "503 5.5.1 nobody"
					}
					return answer(verb, line, n)
				}}
				r := run(t, t.Context(), s.start(t), Offer{Count: 6})
				if r.Accepted != test.accepted || r.Deferred != test.deferred || r.Refused != test.refused || int64(len(s.texts)) != test.heard {
					t.Errorf("accepted %d, deferred %d, refused %d, failed %d, unknown %d; %d arrived", r.Accepted, r.Deferred, r.Refused, r.Failed, r.Unknown, len(s.texts))
				}
				found := false
				for _, f := range r.Faults() {
					found = found || f.Codes == test.fault && (f.Times == test.times || test.name == "MAIL" || test.name == "every RCPT")
				}
				if !found || s.connections != 1 {
					t.Errorf("%v, on %d connections", r.Faults(), s.connections)
				}
			})
		}
	}
}

// TestLost opens another connection for what is left, and says of a message that
// was written to its end that nobody knows.
func TestLost(t *testing.T) {
	for _, extension := range []string{"", "PIPELINING", "PIPELINING CHUNKING"} {
		s := &server{offers: strings.Fields(extension), answer: func(verb, line string, n int) string {
			if n == 2 && (verb == "." || verb == "BDAT") {
				return "drop"
			}
			return ""
		}}
		r := run(t, t.Context(), s.start(t), Offer{Count: 9})
		if r.Accepted+r.Unknown+r.Failed != 9 || r.Unknown == 0 || int64(len(s.texts)) != r.Accepted || r.Connections < 2 {
			t.Errorf("%q: accepted %d, unknown %d, failed %d, %d arrived, %d connections", extension, r.Accepted, r.Unknown, r.Failed, len(s.texts), r.Connections)
		}
	}
}

// TestUnreached leaves a server alone that lets nobody in.
func TestUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(l.Addr().String())
	_ = l.Close()
	r := run(t, t.Context(), reach.Hop{Host: "mx.test", Addr: addr}, Offer{Count: 1000, Sessions: 2})
	if r.Failed != 2*patience || r.Left != 1000-r.Failed || r.GaveUp != 2 || r.Err == nil || r.Connections != 0 {
		t.Errorf("%+v", r)
	}
}

// TestRate counts from the moment at which a message was due: while a server stands
// still all that were due wait.
func TestRate(t *testing.T) {
	const still = 500 * time.Millisecond
	var once sync.Once
	s := &server{answer: func(verb, line string, n int) string {
		if verb == "MAIL" {
			once.Do(func() { time.Sleep(still) })
		}
		return ""
	}}
	r := run(t, t.Context(), s.start(t), Offer{Count: 30, Rate: 100})
	// The last is due 290 ms after the first.
	if r.Accepted != 30 || r.Whole.Min() < still-300*time.Millisecond {
		t.Errorf("%d accepted, the fastest in %v", r.Accepted, r.Whole.Min())
	}
	if r.Latency[dialog.PhaseMail].Quantile(0.5) > r.Whole.Min() {
		t.Error("most replies to MAIL came at once")
	}
}

// TestInterrupted ends what is under way and begins nothing more.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	s := &server{offers: []string{"PIPELINING"}, answer: func(verb, line string, n int) string {
		if verb == "." && n == 3 {
			cancel(enough)
		}
		return ""
	}}
	r := run(t, ctx, s.start(t), Offer{})
	if r.Accepted < 4 || r.Errors() != 0 || !errors.Is(r.Interrupted, enough) || int64(len(s.texts)) != r.Accepted {
		t.Errorf("%d accepted of %d, %v", r.Accepted, len(s.texts), r.Interrupted)
	}
}
