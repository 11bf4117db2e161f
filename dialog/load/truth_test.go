package load

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// times sums how often faults were met, in a phase and in all.
func times(r *Result, p dialog.Phase) (inPhase, all int64) {
	for _, f := range r.Faults() {
		all += f.Times
		if f.Phase == p && f.Text != "" {
			inPhase += f.Times
		}
	}
	return inPhase, all
}

// TestDoubt believes a reply to the message only where it can be its own; each
// message that was not accepted has a fault in its phase.
func TestDoubt(t *testing.T) {
	at := func(verb, reply string) func(string, string, int) string {
		return func(v, _ string, _ int) string {
			if v == verb {
				return reply
			}
			return ""
		}
	}
	for _, test := range []struct {
		name            string
		answer          func(string, string, int) string
		unknown, failed int64
		phase           dialog.Phase
	}{
		{"221 to the message", at(".", "221 bye"), 6, 0, dialog.PhaseDot},
		{"354 to the message", at(".", "354 more"), 6, 0, dialog.PhaseDot},
		{"221 to a chunk", at("BDAT", "221 bye"), 6, 0, dialog.PhaseDot},
		{"two replies to the message", at(".", "250 ok\r\n250 ok again"), 6, 0, dialog.PhaseDot},
		{"250 and 550 to the message", at(".", "250 ok\r\n550 no"), 6, 0, dialog.PhaseDot},
		{"250 to DATA", at("DATA", "250 ok "), 0, 5, dialog.PhaseData},
		{"354 to RCPT", at("RCPT", "354 go"), 0, 5, dialog.PhaseRcpt},
	} {
		for _, extension := range []string{"", "PIPELINING", "CHUNKING"} {
			if chunks := extension == "CHUNKING"; chunks != strings.Contains(test.name, "chunk") {
				continue
			}
			t.Run(test.name+" "+extension, func(t *testing.T) {
				s := &server{offers: strings.Fields(extension), answer: test.answer}
				r := run(t, t.Context(), s.start(t), Offer{Count: 6, PerConn: 1})
				in, all := times(r, test.phase)
				if strings.Contains(test.name, "550") { // QUIT's refusal, as it seems, is a fault too
					all = in
				}
				if r.Accepted != 0 || r.Recipients != 0 || r.Unknown != test.unknown || r.Failed != test.failed || in != all || all != r.Errors() {
					t.Errorf("accepted %d, unknown %d, failed %d, %v", r.Accepted, r.Unknown, r.Failed, r.Faults())
				}
			})
		}
	}
}

// TestOutOfStep takes back the acceptance of a message, when the reply that was one
// too many shows only behind the next one's commands.
func TestOutOfStep(t *testing.T) {
	for _, extension := range []string{"", "PIPELINING"} {
		s := &server{offers: strings.Fields(extension), answer: func(verb, _ string, n int) string {
			if n == 3 && verb == "RCPT" { // the first of two is answered twice
				return "250 ok\r\n250 ok"
			}
			return ""
		}}
		r := run(t, t.Context(), s.start(t), Offer{Count: 4, PerConn: 4})
		if r.Accepted != 2 || r.Unknown != 1 || r.Failed != 1 || r.Recipients != 4 {
			t.Errorf("%q: accepted %d, unknown %d, failed %d, %v", extension, r.Accepted, r.Unknown, r.Failed, r.Faults())
		}
	}
}

// TestTooEarly: a reply that comes too early says nothing of a message, which may be taken.
func TestTooEarly(t *testing.T) {
	for _, early := range []string{"451 4.0.0 later", "550 no", "354 go", "421 bye"} {
		for _, extensions := range []string{"PIPELINING", "PIPELINING CHUNKING"} {
			s := &server{offers: strings.Fields(extensions), answer: func(verb, _ string, n int) string {
				if n == 1 && verb == "MAIL" {
					return early + "\r\n250 ok"
				}
				return ""
			}}
			r := run(t, t.Context(), s.start(t), Offer{Count: 2, PerConn: 2})
			s.mu.Lock()
			taken := int64(len(s.texts))
			s.mu.Unlock()
			no := r.Refused + r.Deferred
			if early == "421 bye" && taken == 1 {
				no-- // the server went on, and nothing was left to it
			}
			if no != 0 || r.Accepted > taken || r.Accepted+r.Unknown < taken {
				t.Errorf("%s, %s: accepted %d, unknown %d, refused %d of %d that were taken, %v", early, extensions, r.Accepted, r.Unknown, no, taken, r.Faults())
			}
		}
	}
}

// TestFollows counts what a refusal of MAIL drags along as one fault.
func TestFollows(t *testing.T) {
	s := &server{offers: []string{"PIPELINING"}, answer: func(verb, _ string, _ int) string {
		return map[string]string{"MAIL": "451 4.3.0 later", "RCPT": "503 MAIL first", "DATA": "503 MAIL first"}[verb]
	}}
	r := run(t, t.Context(), s.start(t), Offer{Count: 6})
	if in, all := times(r, dialog.PhaseMail); in != 6 || all != 6 || r.Deferred != 6 {
		t.Errorf("%d deferred, %v", r.Deferred, r.Faults())
	}
}

// mute is a server that takes connections and says nothing.
func mute(t *testing.T) reach.Hop {
	return listen(t, func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) })
}

// TestEnd ends soon after the time is up, or an interrupt, whatever is waited for;
// what that kept from being sent has a fault.
func TestEnd(t *testing.T) {
	enough := errors.New("enough")
	silent := &server{answer: func(verb, _ string, _ int) string {
		if verb == "MAIL" {
			time.Sleep(4 * time.Second)
		}
		return ""
	}}
	for name, hop := range map[string]reach.Hop{"mute": mute(t), "MAIL": silent.start(t)} {
		for _, timed := range []bool{true, false} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, enough)
			if !timed {
				interrupted, interrupt := context.WithCancelCause(t.Context())
				ctx = interrupted
				time.AfterFunc(100*time.Millisecond, func() { interrupt(enough) })
			}
			began := time.Now()
			o := offer(Offer{Count: 50, Sessions: 2, Last: 50 * time.Millisecond})
			o.Grace = 50 * time.Millisecond
			r, err := Run(ctx, reaching(), hop, o, nil)
			cancel()
			if took := time.Since(began); err != nil || took > 3*time.Second {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			if _, all := times(r, 0); !errors.Is(r.Interrupted, enough) || r.Failed != 2 || r.Left != 48 || all != 2 || !errors.Is(r.Err, enough) {
				t.Errorf("%s: failed %d, left %d, %v, %v", name, r.Failed, r.Left, r.Err, r.Faults())
			}
		}
	}
}

// TestLate counts what was due and is not sent, also what a session had taken.
func TestLate(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	slow := &server{answer: func(verb, _ string, _ int) string {
		if verb == "DATA" {
			time.Sleep(100 * time.Millisecond)
		}
		return ""
	}}
	o := offer(Offer{Count: 1000, Rate: 200})
	r, err := Run(ctx, reaching(), slow.start(t), o, nil)
	if err != nil || r.Late == 0 || r.Messages()+r.Left != 1000 || r.Late > r.Left {
		t.Errorf("%d tried, %d late, %d left, %v", r.Messages(), r.Late, r.Left, err)
	}
	if bound, err := ParseThreshold("late>1%"); err != nil || bound.Broken(r) == "" || !bound.Late() || bound.Errors() {
		t.Errorf("%+v, %v", bound, err)
	}
}
