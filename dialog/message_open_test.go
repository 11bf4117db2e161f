package dialog

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// closing is a message that tells when it is closed.
type closing struct {
	io.Reader
	closed chan struct{}
}

func (c closing) Close() error {
	close(c.closed)
	return nil
}

// TestInterruptedOpen: a message that takes long to open, as one does that is
// signed there, does not hold up an interrupt, and is closed when it opens at last.
func TestInterruptedOpen(t *testing.T) {
	ctx, interrupt := context.WithCancelCause(context.Background())
	gone := errors.New("interrupted")
	slow, closed := make(chan struct{}), make(chan struct{})
	content := text{body: short, open: func() (io.ReadCloser, error) {
		interrupt(gone)
		<-slow
		return closing{strings.NewReader(short), closed}, nil
	}}
	client, server := dialed(t)
	defer client.Close()
	srv := &taking{nc: server, sizes: []int{4096}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		srv.serve("HELP")
	}()
	d := newDelivery("a@x.test", content)
	err := standard(d).Run(ctx, NewSession(client, testOptions()))
	var e *Error
	if !errors.As(err, &e) || e.Phase != PhaseMail || !errors.Is(err, gone) || d.To[0].Outcome != Undecided {
		t.Errorf("%v, %s", err, d.To[0].Outcome)
	}
	close(slow)
	<-closed
	client.Close()
	<-done
	if got := strings.Join(srv.verbs, " "); got != "EHLO QUIT" {
		t.Errorf("heard %q", got)
	}
}
