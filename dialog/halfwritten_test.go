package dialog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// brittle is a connection that breaks within the write that begins the message,
// for writing only.
type brittle struct{ net.Conn }

func (b brittle) Write(p []byte) (int, error) {
	at := bytes.Index(p, []byte("Subject:"))
	if at < 0 {
		return b.Conn.Write(p)
	}
	n, _ := b.Conn.Write(p[:at+10])
	return n, errors.New("broken")
}

// TestHalfWritten: a message whose dot did not leave is never accepted, whatever
// the server says, and not unknown either: it may be sent again.
func TestHalfWritten(t *testing.T) {
	refused := "a refused dot 552\nb refused dot 552"
	for _, test := range []struct {
		name  string
		wrap  bool // the writing breaks by itself, not by the server's closing
		reply string
		want  string
	}{
		{"the server closes", false, "", "error lost dot"},
		{"the writing breaks", true, "", "error lost dot"},
		{"the server refuses and closes", false, "552 no", refused},
		{"the writing breaks, refused", true, "552 no", refused},
		{"the writing breaks, goodbye", true, "421 no", "a deferred dot 421\nb deferred dot 421"},
		{"the server accepts the half and closes", false, "250 ok", "error protocol dot"},
		{"the writing breaks, accepted", true, "250 ok", "error protocol dot"},
	} {
		for name, ehlo := range map[string]string{"lockstep": "250 x", "pipelined": "250-x\n250 PIPELINING"} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, far := net.Pipe()
					done := make(chan struct{})
					go func() {
						defer close(done)
						defer far.Close()
						p := newPeer(far)
						p.to("DATA", ehlo)
						p.say("354 go")
						_, _ = io.ReadFull(far, make([]byte, 10)) // and no more: p reads ahead
						if test.reply != "" {
							time.Sleep(time.Second)
							p.say(test.reply)
						}
						if test.wrap {
							p.rest()
						}
					}()
					var nc net.Conn = client
					if test.wrap {
						nc = brittle{client}
					}
					d := newDelivery("", nil)
					s := NewSession(nc, testOptions())
					err := standard(d).Run(context.Background(), s)
					<-done
					got := verdict(d, s, err)
					if got != test.want {
						t.Errorf("got\n%s\nwant\n%s\n(%v)", got, test.want, err)
					}
				})
			})
		}
	}
}
