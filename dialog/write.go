package dialog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// groupWriter writes the steps of one group, in one write as far as they fit
// into the buffer.
type groupWriter struct {
	*conn
	session *Session
	turns   []Turn
	several bool
	left    time.Time // when the first byte left
	current int       // the step whose bytes are being written
	within  bool      // some of them are written or waiting, and not the last
}

// step appends a step to what goes out.
func (w *groupWriter) step(i int) error {
	step := &w.turns[i].Step
	w.current, w.within = i, true
	if !step.Command.IsZero() {
		w.items = append(w.items, SentItem{Text: step.Command.String()})
		if err := w.append([]byte(step.Command.line() + "\r\n")); err != nil {
			return err
		}
	}
	if step.Body != nil {
		if err := w.body(i, step); err != nil {
			return err
		}
	}
	w.within = false
	w.ready = append(w.ready, &owing{turns: w.turns, index: i, group: w.several})
	return nil
}

func (w *groupWriter) body(i int, step *Step) error {
	sink := &bodyWriter{group: w}
	n, err := step.Body.WriteTo(sink)
	w.turns[i].BodyBytes = n
	if err != nil {
		if sink.err == nil {
			err = &BodyError{err}
		}
		return err
	}
	item := SentItem{Text: fmt.Sprintf("(message, %d bytes)", n), Bytes: n, body: true}
	if shower, ok := step.Body.(interface{ shown() []string }); ok {
		item.Data = shower.shown()
	}
	if n > 0 || !step.Command.IsZero() {
		w.items = append(w.items, item)
	}
	if step.Command.IsZero() {
		w.items = append(w.items, SentItem{Text: "."})
	}
	return nil
}

// bodyWriter tells an error of the wire from one of the body's source.
type bodyWriter struct {
	group *groupWriter
	err   error
}

func (b *bodyWriter) Write(p []byte) (int, error) {
	if b.err = b.group.append(p); b.err != nil {
		return 0, b.err
	}
	return len(p), nil
}

// append adds p to the buffer, writing whenever it is full.
func (w *groupWriter) append(p []byte) error {
	for len(w.out)+len(p) > writeBuffer {
		n := writeBuffer - len(w.out)
		w.out = append(w.out, p[:n]...)
		p = p[n:]
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.out = append(w.out, p...)
	return nil
}

// flush writes the buffer. From just before, the steps that end in it are owed
// their replies.
func (w *groupWriter) flush() error {
	c := w.conn
	now := time.Now()
	if w.left.IsZero() {
		w.left = now
		if len(c.out) == 0 {
			w.left = c.opened // the banner counts from the connection
		}
	}
	if w.within {
		if err := c.cutShort(); err != nil {
			return err
		}
	}
	if items := w.complete(); c.stream.Live() && len(items) > 0 {
		c.stream.Emit(Sent{Secure: c.secure, Items: items})
	}
	c.mu.Lock()
	for _, o := range c.ready {
		o.left, o.since = w.left, now
		o.turn().State = Written
		if o.turn().Step.Phase == PhaseDot {
			c.inData = false
		}
		c.owed = append(c.owed, o)
	}
	if w.within {
		w.turns[w.current].State = Begun
		c.body = w.turns[w.current].Step.Body != nil
	} else {
		c.body = false
	}
	c.mu.Unlock()
	c.listen() // not before something is owed: the banner may be here already
	c.ready = c.ready[:0]
	if len(c.out) == 0 {
		return nil
	}
	if w.within {
		_ = c.nc.SetWriteDeadline(now.Add(blockTime))
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	return err
}

// cutShort is why the rest of a body must not be written.
func (c *conn) cutShort() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.early != nil {
		return errEarly
	}
	return c.end
}

// complete are the items of the steps that end in this write. One that goes on
// is named with the write that ends it.
func (w *groupWriter) complete() []SentItem {
	items := w.items
	w.items = nil
	if w.within && !w.turns[w.current].Step.Command.IsZero() {
		items, w.items = items[:len(items)-1], items[len(items)-1:]
	}
	return items
}

// failed settles what a failed write means for step i: the body may have been
// answered early, or the server may have said why it closes.
func (w *groupWriter) failed(ctx context.Context, i int, err error) error {
	c := w.conn
	c.out, c.ready, c.items = c.out[:0], nil, nil
	c.mu.Lock()
	c.broken = true
	c.mu.Unlock()
	phase := w.turns[i].Step.Phase
	if errors.As(err, new(*BodyError)) {
		return &Error{phase, err}
	}
	if cause := context.Cause(ctx); cause != nil {
		return &Error{phase, cause}
	}
	if !errors.Is(err, errEarly) {
		c.drain(ctx, lastWords)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.early != nil:
		turn := &w.turns[w.current]
		turn.Replies, turn.State = append(turn.Replies, *c.early), Answered
		return errEarly
	case c.goodbye != nil:
		return &Error{phase, &Refusal{Command: w.turns[i].Step.Command, Reply: c.goodbye}}
	case c.end != nil:
		return &Error{phase, c.end}
	}
	return &Error{phase, lost(err)}
}
