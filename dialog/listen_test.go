package dialog

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// TestBetweenExchanges: what comes while nobody waits is seen before the next command
// leaves, in the clear and under TLS, where a session ticket is nothing that was said.
func TestBetweenExchanges(t *testing.T) {
	const surplus, closed = "a reply before its command", "the server closed the connection"
	for _, test := range []struct {
		name    string
		secure  bool
		between string // that the server says; "close"
		want    string // the error of the second command
	}{
		{"nothing", false, "", ""},
		{"a reply", false, "250 more\r\n", surplus},
		{"a goodbye", false, "421 closing\r\n", "421 closing"},
		{"part of a reply", false, "250 mo", "bytes before any command"},
		{"the end", false, "close", closed},
		{"a ticket", true, "", ""},
		{"a reply under TLS", true, "250 more\r\n", surplus},
		{"a goodbye under TLS", true, "421 closing\r\n", "421 closing"},
		{"the end under TLS", true, "close", closed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := dialed(t)
			said, heard := make(chan struct{}), make(chan []string, 1)
			go func() {
				defer theirs.Close()
				nc := theirs
				if test.secure {
					nc = tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{testCertificate()}})
				}
				r := bufio.NewReader(nc)
				_, _ = io.WriteString(nc, "220 mx.test\r\n")
				line, _ := r.ReadString('\n')
				lines := []string{line}
				_, _ = io.WriteString(nc, "250 ok\r\n")
				time.Sleep(20 * time.Millisecond) // the reply is read without what follows
				if test.between == "close" {
					nc.Close()
				} else {
					_, _ = io.WriteString(nc, test.between)
				}
				close(said)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						break
					}
					lines = append(lines, line)
					_, _ = io.WriteString(nc, "250 ok\r\n")
				}
				heard <- lines
			}()
			nc := ours
			o := testOptions()
			o.Timeouts.Reply = 50 * time.Millisecond // is over between the two
			if test.secure {
				secured, _, err := Handshake(t.Context(), ours, o.TLS, 5*time.Second, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				nc = secured
			}
			s := NewSession(nc, o)
			noop, _ := NewCommand("NOOP")
			if _, err := s.Exchange(t.Context(), Step{Phase: PhaseConnect}, Step{Phase: PhaseAsk, Command: noop, Waits: true}); err != nil {
				t.Fatal(err)
			}
			<-said
			time.Sleep(100 * time.Millisecond)
			_, err := s.Exchange(t.Context(), Step{Phase: PhaseAsk, Command: noop})
			s.Close()
			switch {
			case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q", err, test.want)
			}
			if lines := <-heard; (len(lines) == 2) != (test.want == "") {
				t.Errorf("the server heard %q", lines)
			}
		})
	}
}

// TestInterruptedReply: a reply that is interrupted in the middle goes on where it was.
func TestInterruptedReply(t *testing.T) {
	ours, theirs := dialed(t)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		defer theirs.Close()
		r := bufio.NewReader(theirs)
		_, _ = io.WriteString(theirs, "220 mx.test\r\n")
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(theirs, "250-first\r\n250 sec")
		time.Sleep(20 * time.Millisecond)
		interrupt()
		_, _ = r.ReadString('\n') // QUIT
		_, _ = io.WriteString(theirs, "ond\r\n221 bye\r\n")
		_, _ = io.Copy(io.Discard, r)
	}()
	log := &recorder{}
	o := testOptions()
	o.Stream = transcript.NewStream(log, time.Now)
	noop, _ := NewCommand("NOOP")
	err := Plan{Greet(), Ask(noop, nil), Quit()}.Run(ctx, NewSession(ours, o))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var got []string
	for _, event := range log.records {
		if e, ok := event.(Received); ok {
			got = append(got, e.Answers+" "+strings.Join(e.Reply.Lines(), "/"))
		}
	}
	if want := "[ mx.test NOOP first/second QUIT bye]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// stalled is a sink that takes longer for a reply to MAIL than a reply may take.
type stalled struct{ limit time.Duration }

func (s stalled) Write(r transcript.Record) {
	if e, ok := r.Event.(Received); ok && e.Answers == "MAIL" {
		time.Sleep(2 * s.limit)
	}
}

func (stalled) Close() error { return nil }

// TestOutputStandsStill: replies that have come in time count, however late they are
// looked at, as nobody took what is shown before.
func TestOutputStandsStill(t *testing.T) {
	ours, theirs := dialed(t)
	go func() {
		defer theirs.Close()
		p := newPeer(theirs)
		p.to("MAIL", "250-x\n250-CHUNKING\n250 PIPELINING")
		p.say("250 ok")
		time.Sleep(20 * time.Millisecond) // apart from the rest
		p.say("250 ok\n250 ok\n250 ok\n221 bye")
		p.rest()
	}()
	o := testOptions()
	o.Timeouts.Reply, o.Timeouts.Dot = 200*time.Millisecond, 200*time.Millisecond
	o.Stream = transcript.NewStream(stalled{o.Timeouts.Reply}, time.Now)
	d := newDelivery("", nil)
	s := NewSession(ours, o)
	err := standard(d).Run(t.Context(), s)
	if got := verdict(d, s, err); got != bothAccepted {
		t.Error(got, err)
	}
}
