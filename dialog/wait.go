package dialog

import (
	"context"
	"errors"
	"time"
)

// await returns when nothing is owed, with the error that ended the wait otherwise.
func (c *conn) await(ctx context.Context, o *Options) error {
	for {
		c.mu.Lock()
		if len(c.owed) == 0 {
			c.mu.Unlock()
			return nil
		}
		c.limits = nil
		if o.Waiting == nil {
			c.limits = &o.Timeouts
		}
		first, end := c.owed[0], c.end
		if end != nil {
			end = c.over()
		}
		since := later(first.since, c.heard)
		if c.cut && ctx.Err() == nil { // by what has come: reading goes on
			c.listens()
		}
		listening := c.listening || c.ended
		c.mu.Unlock()
		step := first.turn().Step
		if end != nil {
			return failure(step, lostAt(end, step, since))
		}
		limit := o.Timeouts.of(step.Phase)
		if o.Waiting != nil {
			o.Waiting(Waiting{For: replyTo(step), Limit: limit})
		}
		var came bool
		if listening {
			came = c.attend(ctx, since.Add(limit))
		} else {
			came = c.hear(since.Add(limit))
		}
		switch {
		case came:
		case ctx.Err() != nil:
			c.mu.Lock()
			if len(c.owed) > 0 { // what the wait began for may be answered
				step = c.owed[0].turn().Step
			}
			c.mu.Unlock()
			return &Error{step.Phase, context.Cause(ctx)}
		case c.overdue(first, limit):
			return &Error{step.Phase, &TimeoutError{For: replyTo(step), After: limit}}
		}
	}
}

// attend reports whether the reading goroutine has something to tell before the time
// until, or the end of ctx.
func (c *conn) attend(ctx context.Context, until time.Time) (came bool) {
	if c.timer == nil {
		c.timer = time.NewTimer(time.Until(until))
	} else {
		c.timer.Reset(time.Until(until))
	}
	defer c.timer.Stop()
	select {
	case <-c.wake:
		return true
	case <-ctx.Done():
	case <-c.timer.C:
	}
	return false
}

// overdue reports whether o is still the oldest and its time is up.
func (c *conn) overdue(o *owing, limit time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.owed) == 0 || c.owed[0] != o || c.end != nil || time.Since(later(o.since, c.heard)) < limit {
		return false
	}
	c.broken = true
	return true
}

// clear reports why no further group may begin: the connection ended, the server
// said goodbye, or it spoke before it was spoken to.
func (c *conn) clear(ctx context.Context) error {
	c.glance()
	var deadline <-chan time.Time
	for {
		c.mu.Lock()
		end, broken, ahead := c.over(), c.broken, c.ahead
		c.mu.Unlock()
		switch {
		case broken:
			return &LostError{Err: errors.New("the connection was given up within a command or a message")}
		case end != nil:
			return end
		case !ahead:
			return nil
		}
		if deadline == nil {
			c.listen()
			deadline = time.After(lastWords)
		}
		select { // the reader is within a reply that nobody asked for
		case <-c.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline:
			c.mu.Lock()
			if c.end == nil {
				c.end = &ProtocolError{Reason: "bytes before any command"}
			}
			c.mu.Unlock()
		}
	}
}

// drain waits up to limit for the server to close or to say why it will, or, if
// answered, until nothing is owed.
func (c *conn) drain(ctx context.Context, limit time.Duration, answered bool) {
	done := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.over() != nil || answered && len(c.owed) == 0
	}
	if done() {
		return
	}
	c.listen()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		}
	}
}

// failure is err as it concerns step.
func failure(step Step, err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		err = &Refusal{Command: step.Command, Reply: refusal.Reply}
	}
	return &Error{step.Phase, err}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func replyTo(s Step) string {
	switch {
	case s.Command.IsZero() && s.Body == nil:
		return "greeting"
	case s.Command.IsZero():
		return "reply to the message"
	}
	return "reply to " + s.Command.String()
}
