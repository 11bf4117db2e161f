package dialog

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

var errEarly = errors.New("the body was answered before its end")

// Exchange writes steps and reads their replies. Steps that do not wait leave
// together with the one before them, in one write (RFC 2920 section 3.1); that
// is all the difference between lockstep and pipelining.
//
// It returns the turns so far, also with an error, which is always an *Error. A
// negative reply is no error: the caller judges. ErrStopped says that Options.Stop
// ended it.
func (s *Session) Exchange(ctx context.Context, steps ...Step) ([]Turn, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	s.unbind()
	turns := make([]Turn, len(steps))
	for i, step := range steps {
		turns[i].Step = step
	}
	s.bind(ctx)
	err := s.perform(ctx, turns)
	s.unbind() // so that it does not cut the next exchange, the farewell
	return s.conn.settled(turns), err
}

// settled is a copy of turns: a late reply still finds its turn in the original,
// so that what is shown stays true, and the caller's does not change any more.
func (c *conn) settled(turns []Turn) []Turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := make([]Turn, len(turns))
	copy(copied, turns)
	return copied
}

// perform does the steps of turns.
func (s *Session) perform(ctx context.Context, turns []Turn) error {
	c := s.conn
	s.ours = s.ours[:0]
	for i := range turns {
		if s.Stop.allows(turns[i].Step.Phase) {
			s.ours = append(s.ours, i)
		}
	}
	c.mu.Lock()
	if len(c.owed) == 0 {
		c.debts = c.debts[:0]
	} else { // those of an exchange that failed
		c.debts = nil
	}
	c.mu.Unlock()
	stopped := len(s.ours) < len(turns)
	err := s.run(ctx, turns, s.ours, stopped)
	s.lament(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range turns {
		if turns[i].Step.Phase == PhaseQuit && turns[i].State > Unsent {
			s.quit = true
		}
		if turns[i].State == Answered && turns[i].Step.Phase > s.Report.Reached {
			s.Report.Reached = turns[i].Step.Phase
		}
	}
	if err == nil && (stopped || s.Stop.unread(turns, stopped)) {
		s.Report.Stopped = true
		err = &Error{s.Stop.After, ErrStopped}
	}
	return err
}

// lament shows what ended an exchange, where the reason is not a reply, which is
// shown already. How a QUIT fares is worth a note at most.
func (s *Session) lament(err error) {
	if err == nil {
		return
	}
	var e *Error
	switch {
	case s.lamented || !s.Stream.Live() || !errors.As(err, &e):
	case errors.As(e.Err, new(*UnmetError)), errors.As(e.Err, new(*LostError)), errors.As(e.Err, new(*TLSError)), errors.As(e.Err, new(*TimeoutError)), errors.As(e.Err, new(*ProtocolError)), errors.As(e.Err, new(*BodyError)):
		quit := e.Phase == PhaseQuit && !errors.As(e.Err, new(*ProtocolError))
		s.Stream.Emit(Finding{Fail: true, Text: e.Error(), Note: quit})
		s.lamented = true // it ends every later exchange too
	}
}

func (s *Session) run(ctx context.Context, turns []Turn, ours []int, stopped bool) error {
	c := s.conn
	held := false
	for len(ours) > 0 {
		if held || turns[ours[0]].Step.Waits {
			if err := c.await(ctx, s.Options); err != nil {
				return err
			}
		}
		size := 1
		for size < len(ours) && !turns[ours[size]].Step.Waits && turns[ours[size-1]].Step.Phase != PhaseData {
			size++
		}
		// What follows DATA in its group would be the message's text (RFC 2920
		// section 3.1).
		held = turns[ours[size-1]].Step.Phase == PhaseData
		if size == len(ours) && s.Stop.unread(turns, stopped) {
			c.stopReading()
		}
		switch err := s.writeGroup(ctx, turns, ours[:size]); {
		case errors.Is(err, errEarly):
			return nil // it has its reply, and nothing more can be written
		case err != nil:
			return err
		}
		ours = ours[size:]
	}
	if s.Stop.unread(turns, stopped) || c.silent(turns) {
		return nil
	}
	if err := c.await(ctx, s.Options); err != nil {
		return err
	}
	return s.surplus(ctx, turns)
}

// silent reports whether nothing was written, as after a failure that leaves
// QUIT no sense: what earlier steps are owed is not waited for then.
func (c *conn) silent(turns []Turn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(turns, func(t Turn) bool { return t.State > Unsent })
}

// surplus looks for replies beyond the last one that was owed: a server that
// answered ahead shows it there. An odd reply to QUIT alone changes nothing, but
// the user should know that it may be the message's own.
func (s *Session) surplus(ctx context.Context, turns []Turn) error {
	c := s.conn
	last := &turns[len(turns)-1]
	c.mu.Lock()
	var odd *Reply // to QUIT
	if last.Step.Phase == PhaseQuit && last.State == Answered && last.Reply().Code != 221 {
		odd = last.Reply()
	}
	ahead := c.ahead
	c.mu.Unlock()
	if odd != nil && odd.Code != 421 {
		s.Stream.Emit(Finding{Text: fmt.Sprintf("QUIT was answered with %d instead of 221: if an earlier reply was one too many, this one belongs to the message", odd.Code)})
		c.drain(ctx, s.Timeouts.Quit, false)
	}
	if ahead {
		_ = c.clear(ctx) // until the reader has the whole reply
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		return nil
	}
	var protocol *ProtocolError
	if errors.As(c.end, &protocol) {
		return &Error{last.Step.Phase, protocol}
	}
	return nil
}

// writeGroup writes the steps of one group that are still wanted.
func (s *Session) writeGroup(ctx context.Context, turns []Turn, group []int) error {
	c := s.conn
	wanted := s.wanted[:0]
	c.mu.Lock()
	for _, i := range group {
		step := &turns[i].Step
		pointless := step.Unless != nil && step.Unless(turns[:i])
		if step.Phase == PhaseQuit && !hasBody(turns, wanted) && c.deaf() {
			pointless = true
		}
		if !pointless {
			wanted = append(wanted, i)
		}
	}
	c.mu.Unlock()
	s.wanted = wanted
	if len(wanted) == 0 {
		return nil
	}
	first := &turns[wanted[0]].Step
	if err := c.clear(ctx); err != nil {
		return failure(*first, err)
	}
	if err := context.Cause(ctx); err != nil {
		return &Error{first.Phase, err}
	}
	if c.refused(&turns[wanted[0]]) {
		return errEarly
	}
	w := &c.writer
	*w = groupWriter{conn: c, turns: turns, group: wanted, limit: s.Timeouts.of(first.Phase), line: w.line}
	if hasBody(turns, wanted) {
		w.limit = s.Timeouts.block()
	}
	c.watch()
	defer c.unwatch()
	for _, i := range wanted {
		if err := w.step(i); err != nil {
			return w.failed(ctx, err)
		}
	}
	if err := w.flush(); err != nil {
		return w.failed(ctx, err)
	}
	return nil
}

// refused settles the body of turn, if the server has refused it behind its 354: a
// moment later the same reply would have come while it was written.
func (c *conn) refused(turn *Turn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusal == nil || turn.Step.Body == nil {
		return false
	}
	turn.Replies, turn.State = append(turn.Replies, *c.refusal), Answered
	c.early, c.broken = true, true
	return true
}

// deaf reports whether QUIT would not be heard as a command: the server closes,
// waits for the rest of something, for a message's text, or for an answer of AUTH;
// c.mu is held.
func (c *conn) deaf() bool {
	for _, o := range c.owed {
		if p := o.turn().Step.Phase; p == PhaseData || p == PhaseAuth {
			return true
		}
	}
	return c.goodbye != nil || c.broken || c.inData || c.inAuth
}

// awaitsText reports whether a 354 was given and no text sent.
func (c *conn) awaitsText() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inData && !c.broken
}

func hasBody(turns []Turn, indexes []int) bool {
	for _, i := range indexes {
		if turns[i].Step.Phase == PhaseDot {
			return true
		}
	}
	return false
}
