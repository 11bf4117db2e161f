package load

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// TestGoodbye counts a 421 once, for the message that it answers; one that was on its
// way behind that goes over another connection, as it does if a connection is lost.
func TestGoodbye(t *testing.T) {
	for _, test := range []struct{ verb, reply string }{
		{".", "421 4.3.2 closing"}, {"MAIL", "421 4.3.2 closing"}, {"RCPT", "421 4.3.2 closing"}, {"DATA", "421 4.3.2 closing"}, {".", "drop"},
	} {
		each(t, func(t *testing.T, offers []string) {
			chunks := strings.Contains(strings.Join(offers, ""), "CHUNKING")
			if chunks && test.verb == "DATA" {
				return
			}
			var mails, said atomic.Int64
			s := &server{offers: offers, answer: func(verb, line string, _ int) string {
				n := mails.Load()
				if verb == "MAIL" {
					n = mails.Add(1)
				}
				if strings.Contains(line, "c@d") || n%5 != 0 || verb != test.verb && !(test.verb == "." && verb == "BDAT") {
					return ""
				}
				said.Add(1)
				return test.reply
			}}
			r := run(t, t.Context(), s.start(t), Offer{Count: 40})
			deferred, unknown := int64(8), int64(0)
			if test.reply == "drop" {
				deferred, unknown = 0, 8
			}
			_, all := times(r, 0)
			if mails.Load() != 40 || said.Load() != 8 || r.Accepted != 32 || r.Deferred != deferred || r.Unknown != unknown || r.Failed != 0 || all != 8 {
				t.Errorf("%s %s: %d MAIL, said %d times, %d accepted, %d deferred, %d unknown, %d failed, %v", test.verb, test.reply, mails.Load(), said.Load(), r.Accepted, r.Deferred, r.Unknown, r.Failed, r.Faults())
			}
		})
	}
}

// TestClosed loses no message where a server takes so many on a connection and closes
// then: those that it has not heard of go over the next.
func TestClosed(t *testing.T) {
	for _, way := range []string{"", "PIPELINING", "CHUNKING"} {
		s := &server{offers: strings.Fields(way), answer: func(verb, _ string, n int) string {
			if n == 2 && ends(verb) {
				return "250 ok, closing"
			}
			return ""
		}}
		r := run(t, t.Context(), s.start(t), Offer{Count: 12})
		if r.Accepted != 12 || r.Errors() != 0 || s.connections != 4 {
			t.Errorf("%s: %d accepted, %d failed, %d unknown, on %d connections", way, r.Accepted, r.Failed, r.Unknown, s.connections)
		}
	}
}

// TestMostMessages keeps to what a server takes on a connection (RFC 9422 section 4.1).
func TestMostMessages(t *testing.T) {
	for _, way := range ways {
		s := &server{offers: append(strings.Fields(way), "LIMITS MAILMAX=3"), answer: func(verb, _ string, n int) string {
			if verb == "MAIL" && n == 3 {
				return "421 4.7.0 closing"
			}
			return ""
		}}
		for per, want := range map[int]int{0: 4, 2: 5, 5: 4} {
			s.connections = 0
			r := run(t, t.Context(), s.start(t), Offer{Count: 10, PerConn: per})
			if r.Accepted != 10 || r.Errors() != 0 || len(r.Faults()) != 0 || s.connections != want {
				t.Errorf("%s, %d a connection: %d accepted, %d connections, %v", way, per, r.Accepted, s.connections, r.Faults())
			}
		}
	}
}

// TestEarly has a server refuse each message before its end and close: those behind them
// have not left, and go over other connections.
func TestEarly(t *testing.T) {
	for _, offers := range []string{"8BITMIME", "PIPELINING"} {
		hop := listen(t, func(nc net.Conn) {
			r := bufio.NewReader(nc)
			answers := map[string]string{"EHLO": "250-mx.test\r\n250 " + offers, "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go"}
			_, _ = io.WriteString(nc, "220 mx.test\r\n")
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				_, _ = io.WriteString(nc, answers[line[:4]]+"\r\n")
				if line == "DATA\r\n" {
					_, _ = io.CopyN(io.Discard, r, 100)
					_, _ = io.WriteString(nc, "552 5.3.4 too big\r\n")
					_ = nc.(*net.TCPConn).CloseWrite()
					_, _ = io.Copy(io.Discard, r)
					return
				}
			}
		})
		text := strings.Repeat(strings.Repeat("x", 78)+"\r\n", 100_000)
		r := run(t, t.Context(), hop, Offer{Count: 4, Messages: []*Message{ready([]byte(text), nil)}})
		if r.Refused != 4 || r.Errors() != 4 || r.Connections != 4 {
			t.Errorf("%s: refused %d, failed %d, unknown %d, on %d connections, %v", offers, r.Refused, r.Failed, r.Unknown, r.Connections, r.Faults())
		}
	}
}

// TestLeft says what was not sent, whatever the reason.
func TestLeft(t *testing.T) {
	slow := &server{answer: func(verb, _ string, _ int) string {
		if verb == "MAIL" {
			time.Sleep(50 * time.Millisecond)
		}
		return ""
	}}
	hop := slow.start(t)
	for _, o := range []Offer{{Count: 1000}, {Count: 100, Rate: 40}} {
		o.Duration = 300 * time.Millisecond
		r := run(t, t.Context(), hop, o)
		if r.Accepted == 0 || r.Left == 0 || r.Messages()+r.Left != o.Count || r.Interrupted != nil {
			t.Errorf("%d accepted, %d left of %d, %v", r.Accepted, r.Left, o.Count, r.Interrupted)
		}
	}
}

// TestOvertime bounds a run of so long, also where the server does not answer any more.
func TestOvertime(t *testing.T) {
	for verb, unknown := range map[string]int64{"MAIL": 0, ".": 2} {
		over := make(chan struct{})
		s := &server{offers: []string{"PIPELINING"}, answer: func(v, _ string, _ int) string {
			if v == verb {
				<-over
			}
			return ""
		}}
		began := time.Now()
		r := run(t, t.Context(), s.start(t), Offer{Sessions: 2, Duration: 200 * time.Millisecond, Overtime: 100 * time.Millisecond})
		close(over)
		var limit *dialog.TimeoutError
		if took := time.Since(began); took > 3*time.Second || r.Unknown != unknown || r.Failed != 2-unknown || r.Interrupted != nil || !errors.As(r.Err, &limit) {
			t.Errorf("%s: unknown %d, failed %d, %v, after %v", verb, r.Unknown, r.Failed, r.Err, took)
		}
	}
	usual := dialog.DefaultTimeouts()
	patient, hasty := usual, usual
	patient.Dot, hasty.Reply, hasty.Banner = time.Hour, time.Second, time.Second
	for _, test := range []struct {
		limits dialog.Timeouts
		want   time.Duration
	}{{usual, 10 * time.Second}, {patient, time.Hour}, {hasty, 10 * time.Second}} {
		if got := overtime(test.limits); got != test.want {
			t.Errorf("%+v: %v, want %v", test.limits, got, test.want)
		}
	}
}
