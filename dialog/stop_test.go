package dialog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// TestStop stops a conversation at each phase in each way. The wanted text is
// what the server hears behind EHLO, a word a command; "|" parts the writes. A
// server with no STARTTLS on offer has phases that never come: nothing later is
// written there either.
func TestStop(t *testing.T) {
	accept := map[string]string{"": "220 x", "EHLO": "250-x\r\n250 PIPELINING", "DATA": "354 go", "QUIT": "221 bye"}
	for _, test := range []struct {
		after Phase
		how   StopHow
		step  string // lockstep
		pipe  string // pipelined
	}{
		{PhaseConnect, StopQuit, "QUIT", "QUIT"},
		{PhaseConnect, StopDrop, "", ""},
		{PhaseConnect, StopUnread, "", ""},
		{PhaseFirstHello, StopQuit, "EHLO|QUIT", "EHLO|QUIT"},
		{PhaseFirstHello, StopDrop, "EHLO", "EHLO"},
		{PhaseFirstHello, StopUnread, "EHLO", "EHLO"},
		{PhaseTLS, StopQuit, "EHLO|QUIT", "EHLO|QUIT"},
		{PhaseHello, StopDrop, "EHLO", "EHLO"},
		{PhaseAsk, StopQuit, "EHLO|QUIT", "EHLO|QUIT"},
		{PhaseMail, StopQuit, "EHLO|MAIL|QUIT", "EHLO|MAIL QUIT"},
		{PhaseMail, StopDrop, "EHLO|MAIL", "EHLO|MAIL"},
		{PhaseMail, StopUnread, "EHLO|MAIL", "EHLO|MAIL"},
		{PhaseRcpt, StopQuit, "EHLO|MAIL|RCPT|RCPT|QUIT", "EHLO|MAIL RCPT RCPT QUIT"},
		{PhaseRcpt, StopDrop, "EHLO|MAIL|RCPT|RCPT", "EHLO|MAIL RCPT RCPT"},
		{PhaseRcpt, StopUnread, "EHLO|MAIL|RCPT|RCPT", "EHLO|MAIL RCPT RCPT"},
		{PhaseData, StopQuit, "EHLO|MAIL|RCPT|RCPT|DATA", "EHLO|MAIL RCPT RCPT DATA"}, // QUIT would be the message's text
		{PhaseData, StopDrop, "EHLO|MAIL|RCPT|RCPT|DATA", "EHLO|MAIL RCPT RCPT DATA"},
		{PhaseData, StopUnread, "EHLO|MAIL|RCPT|RCPT|DATA", "EHLO|MAIL RCPT RCPT DATA"},
		{PhaseDot, StopQuit, "EHLO|MAIL|RCPT|RCPT|DATA|text|QUIT", "EHLO|MAIL RCPT RCPT DATA|text QUIT"},
		{PhaseDot, StopDrop, "EHLO|MAIL|RCPT|RCPT|DATA|text", "EHLO|MAIL RCPT RCPT DATA|text"},
		{PhaseDot, StopUnread, "EHLO|MAIL|RCPT|RCPT|DATA|text", "EHLO|MAIL RCPT RCPT DATA|text"},
		{PhaseQuit, StopQuit, "EHLO|MAIL|RCPT|RCPT|DATA|text|QUIT", "EHLO|MAIL RCPT RCPT DATA|text QUIT"},
	} {
		for name, want := range map[string]string{"lockstep": test.step, "pipelined": test.pipe} {
			t.Run(strings.Join([]string{test.after.String(), [...]string{"quit", "drop", "unread"}[test.how], name}, " "), func(t *testing.T) {
				o := testOptions()
				o.Stop = &Stop{test.after, test.how}
				o.TLS.Policy = PolicyMay
				if test.after < PhaseTLS {
					o.TLS.Policy = PolicyMust // it is not asked for before the stop
				}
				if name == "lockstep" {
					o.Pipelining = Never
				}
				d := newDelivery("", nil)
				writes, s, err := converse(o, standard(d), accept)
				if err != nil {
					t.Errorf("error %v", err)
				}
				if got := verbs(writes); got != want {
					t.Errorf("wrote %q, want %q", got, want)
				}
				whole := test.after == PhaseQuit || test.after == PhaseDot && test.how == StopQuit
				if s.Report.Stopped == whole {
					t.Errorf("stopped is %v", s.Report.Stopped)
				}
				outcome := Undecided
				switch {
				case test.after == PhaseDot && test.how == StopUnread:
					outcome = Unknown
				case test.after >= PhaseDot:
					outcome = Accepted
				}
				if got := d.To[1].Outcome; got != outcome {
					t.Errorf("outcome %v, want %v", got, outcome)
				}
			})
		}
	}
}

// TestStopAfterDATA: behind a 354 QUIT would be the message's text; behind a
// refusal it is said.
func TestStopAfterDATA(t *testing.T) {
	for _, pipelining := range []Use{Never, IfOffered} {
		o := testOptions()
		o.Stop, o.Pipelining = &Stop{PhaseData, StopQuit}, pipelining
		answers := base(false)
		answers["DATA"] = "554 no"
		d := newDelivery("", nil)
		writes, s, err := converse(o, standard(d), answers)
		if got := writes[len(writes)-1]; got != "QUIT\r\n" || !s.Report.Stopped || err != nil || d.To[0].Outcome != Refused {
			t.Errorf("last wrote %q, stopped %v, %v, %v", got, s.Report.Stopped, err, d.To)
		}
	}
}

// verbs puts each write as the verbs of its lines.
func verbs(writes []string) string {
	for i, w := range writes {
		w = strings.NewReplacer(short, "text\r\n", "Subject: x\r\n\r\n..hidden\r\n.\r\n", "text\r\n").Replace(w)
		var words []string
		for line := range strings.Lines(w) {
			words = append(words, verbOf(strings.TrimSpace(line)))
		}
		writes[i] = strings.ReplaceAll(strings.Join(words, " "), "TEXT", "text")
	}
	return strings.Join(writes, "|")
}

// watched is a connection that keeps what is written to it.
type watched struct {
	net.Conn
	writes []string
}

func (w *watched) Write(p []byte) (int, error) {
	w.writes = append(w.writes, string(p))
	return w.Conn.Write(p)
}

// converse runs plan with a server that answers each command by its verb ("" is
// the banner, "text" the message), with 250 where answers has nothing, and gives
// the client's writes.
func converse(o Options, plan Plan, answers map[string]string) ([]string, *Session, error) {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		serve(server, answers)
	}()
	w := &watched{Conn: client}
	s := NewSession(w, o)
	err := plan.Run(context.Background(), s)
	<-done
	return w.writes, s, err
}

func serve(nc net.Conn, answers map[string]string) {
	said := make(chan string, 100) // net.Pipe has no buffer, and a group's replies must not hold up its commands
	written := make(chan struct{})
	go func() {
		defer close(written)
		for reply := range said {
			_, _ = io.WriteString(nc, reply+"\r\n")
		}
	}()
	defer func() { close(said); <-written }()
	answer := func(verb string) string {
		reply, ok := answers[verb]
		if !ok {
			reply = "250 ok"
		}
		said <- reply
		return reply
	}
	answer("")
	inText := false
	for r := bufio.NewReader(nc); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.TrimSuffix(line, "\r\n"); {
		case inText && line == ".":
			inText = false
			answer("text")
		case inText:
		case verbOf(line) == "BDAT":
			var n int64
			_, _ = fmt.Sscanf(line, "BDAT %d LAST", &n)
			_, _ = io.CopyN(io.Discard, r, n)
			answer("text")
		default:
			key := line
			if _, ok := answers[key]; !ok {
				key = verbOf(line)
			}
			inText = strings.HasPrefix(answer(key), "354")
			if key == "QUIT" {
				return
			}
		}
	}
}
