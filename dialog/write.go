package dialog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// groupWriter writes the steps of one group, in one write as far as they fit
// into the buffer.
type groupWriter struct {
	*conn
	turns   []Turn
	group   []int         // the steps to write
	limit   time.Duration // for one write
	left    time.Time     // when the first byte left
	current int           // the step whose bytes are being written
	within  bool          // some of them are written or waiting, and not the last
	line    []byte        // memory for a command line
	sink    bodyWriter
}

// step appends a step to what goes out.
func (w *groupWriter) step(i int) error {
	step := &w.turns[i].Step
	w.current, w.within = i, true
	if !step.Command.IsZero() {
		if w.stream.Live() {
			w.items = append(w.items, SentItem{Text: step.Command.String(), Decoded: step.Command.shape})
		}
		w.line = append(step.Command.append(w.line[:0]), '\r', '\n')
		if err := w.append(w.line); err != nil {
			return err
		}
	}
	if step.Body != nil {
		if err := w.body(i, step); err != nil {
			return err
		}
	}
	w.within = false
	w.debts = append(w.debts, owing{turns: w.turns, index: i, group: len(w.group) > 1, until: len(w.out)})
	w.ready = append(w.ready, &w.debts[len(w.debts)-1])
	return nil
}

func (w *groupWriter) body(i int, step *Step) error {
	w.sink = bodyWriter{group: w}
	n, err := step.Body.WriteTo(&w.sink)
	w.turns[i].BodyBytes = n
	if err != nil {
		if w.sink.err == nil {
			err = &BodyError{err}
		}
		return err
	}
	if !w.stream.Live() {
		return nil
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
	if err := w.owe(); err != nil {
		return err
	}
	c.begun = true
	if w.within || c.wire.now == nil {
		c.listen() // not before something is owed: the banner may be here already
	}
	if len(c.out) == 0 {
		c.ready = c.ready[:0]
		return nil
	}
	n, err := c.nc.Write(c.out)
	w.wrote(n, err)
	c.out = c.out[:0]
	if err == nil {
		c.ready = c.ready[:0]
	}
	return err
}

// owe shows what is about to leave and makes its steps owed their replies, all
// at once: a reply is read either before or behind it.
func (w *groupWriter) owe() error {
	c := w.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.over(); err != nil {
		return err
	}
	now := time.Now()
	if w.left.IsZero() {
		w.left = now
		if len(c.out) == 0 {
			w.left = c.opened // the banner counts from the connection
		}
	}
	if items := w.complete(); c.stream.Live() && len(items) > 0 {
		c.stream.Emit(Sent{Secure: c.secure, Items: items})
	}
	empty := len(c.owed) == 0
	if empty {
		c.owed = c.spare[:0]
	}
	for _, o := range c.ready {
		o.left, o.since = w.left, now
		o.turn().State = Written
		if o.turn().Step.Phase == PhaseDot {
			c.inData = false
		}
		c.owed = append(c.owed, o)
	}
	if empty {
		c.spare = c.owed
	}
	c.body = nil
	if current := &w.turns[w.current]; w.within {
		current.State = Begun
		if current.Step.Body != nil {
			c.body = current
		}
	}
	c.bound(w.limit)
	return nil
}

// wrote notes that the first n bytes of the buffer have left. A step whose last
// byte is not among them was not written: the server cannot take its message.
func (w *groupWriter) wrote(n int, err error) {
	c := w.conn
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.ready {
		turn := o.turn()
		switch {
		case err == nil || o.until <= n:
			o.since = now
		case turn.State == Written:
			o.cut, turn.State = true, Begun
		case turn.Reply().Code < 400: // to half of it: no answer
			c.end = &ProtocolError{Reason: "a reply before its command", outOfStep: true, Quote: quote(turn.Reply().Raw)}
			turn.Replies, turn.State = nil, Begun
		}
	}
}

// complete are the items of the steps that end in this write. One that goes on
// is named with the write that ends it.
func (w *groupWriter) complete() []SentItem {
	items := w.items
	w.items = nil
	if len(items) > 0 && w.within && !w.turns[w.current].Step.Command.IsZero() {
		items, w.items = items[:len(items)-1], items[len(items)-1:]
	}
	return items
}

// failed settles what it means that the group was not written to its end: a body
// may have been answered early, or the server may have said why it closes.
func (w *groupWriter) failed(ctx context.Context, err error) error {
	c := w.conn
	answered := len(c.ready) > 0
	c.out, c.ready, c.items = c.out[:0], c.ready[:0], nil
	c.mu.Lock()
	c.broken = true
	c.mu.Unlock()
	if errors.As(err, new(*BodyError)) {
		return &Error{w.turns[w.current].Step.Phase, err}
	}
	if c.refused(&w.turns[w.group[0]]) { // it came since that was asked, and has ended the write
		return errEarly
	}
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if context.Cause(ctx) == nil && !late {
		c.drain(ctx, lastWords, answered)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	left := slices.IndexFunc(w.group, func(i int) bool { return w.turns[i].State != Answered })
	if left < 0 || c.early {
		return errEarly
	}
	step := w.turns[w.group[left]].Step
	switch over := c.over(); {
	case over != nil:
		return failure(step, over)
	case context.Cause(ctx) != nil:
		return &Error{step.Phase, context.Cause(ctx)}
	case late:
		return &Error{step.Phase, &TimeoutError{For: "sign that the server reads what is sent", After: w.limit, Writing: hasBody(w.turns, w.group)}}
	}
	return &Error{step.Phase, lost(err)}
}
