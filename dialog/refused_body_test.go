package dialog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// seen is a sink that closes its channel once a reply has a code.
type seen struct {
	code int
	once sync.Once
	here chan struct{}
}

func (s *seen) Write(r transcript.Record) {
	if e, ok := r.Event.(Received); ok && e.Reply.Code == s.code {
		s.once.Do(func() { close(s.here) })
	}
}

func (s *seen) Close() error { return nil }

// TestRefusedWhileRead: a refusal that comes while the message is read, before any of it
// is written, refuses the message: the server was not slow.
func TestRefusedWhileRead(t *testing.T) {
	client, server := dialed(t)
	defer client.Close()
	read, sink := make(chan struct{}), &seen{code: 554, here: make(chan struct{})}
	content := text{body: short, open: func() (io.ReadCloser, error) {
		begin := readFunc(func([]byte) (int, error) {
			close(read)
			<-sink.here
			return 0, io.EOF
		})
		return io.NopCloser(io.MultiReader(begin, strings.NewReader(short))), nil
	}}
	go func() {
		defer server.Close()
		fmt.Fprint(server, "220 hi\r\n")
		for in := bufio.NewScanner(server); in.Scan(); {
			switch strings.Fields(in.Text())[0] {
			case "DATA":
				fmt.Fprint(server, "354 go\r\n")
				<-read
				fmt.Fprint(server, "554 5.6.0 no\r\n")
			default:
				fmt.Fprint(server, "250 ok\r\n")
			}
		}
	}()
	o := testOptions()
	o.Stream = transcript.NewStream(sink, time.Now)
	d := newDelivery("a@x.test", content)
	_ = standard(d).Run(context.Background(), NewSession(client, o))
	if r := d.To[0]; r.Outcome != Refused || r.Reply == nil || r.Reply.Code != 554 {
		t.Errorf("%s %v", r.Outcome, r.Reply)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
