package dialog

import (
	"context"
	"errors"
	"time"
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
	c := s.conn
	turns := make([]Turn, len(steps))
	var ours []int // the steps that Stop allows
	for i, step := range steps {
		turns[i].Step = step
		if s.Stop.allows(step.Phase) {
			ours = append(ours, i)
		}
	}
	stopped := len(ours) < len(steps)
	_ = c.nc.SetWriteDeadline(time.Time{})
	release := context.AfterFunc(ctx, c.unblock)
	defer release()

	err := s.run(ctx, turns, ours, stopped)
	s.lament(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range turns {
		if turns[i].State == Answered && turns[i].Step.Phase > s.Report.Reached {
			s.Report.Reached = turns[i].Step.Phase
		}
	}
	if err == nil && (stopped || s.Stop.unread(turns, stopped)) {
		s.Report.Stopped = true
		err = &Error{s.Stop.After, ErrStopped}
	}
	// A late reply still finds its turn in the original, so that what is shown
	// stays true; the caller's copy does not change any more.
	copied := make([]Turn, len(turns))
	copy(copied, turns)
	return copied, err
}

// lament shows what ended an exchange, where the reason is not a reply, which is
// shown already. How a QUIT fares is worth a note at most.
func (s *Session) lament(err error) {
	var e *Error
	switch {
	case !s.Stream.Live() || !errors.As(err, &e):
	case errors.As(e.Err, new(*LostError)), errors.As(e.Err, new(*TimeoutError)), errors.As(e.Err, new(*ProtocolError)), errors.As(e.Err, new(*BodyError)):
		quit := e.Phase == PhaseQuit && !errors.As(e.Err, new(*ProtocolError))
		s.Stream.Emit(Finding{Fail: true, Text: e.Error(), Note: quit})
	}
}

func (s *Session) run(ctx context.Context, turns []Turn, ours []int, stopped bool) error {
	c := s.conn
	for len(ours) > 0 {
		first := &turns[ours[0]].Step
		if first.Waits {
			if err := c.await(ctx, s.Options); err != nil {
				return err
			}
		}
		size := 1
		for size < len(ours) && !turns[ours[size]].Step.Waits {
			size++
		}
		switch err := s.writeGroup(ctx, turns, ours[:size]); {
		case errors.Is(err, errEarly):
			return nil // it has its reply, and nothing more can be written
		case err != nil:
			return err
		}
		ours = ours[size:]
	}
	if s.Stop.unread(turns, stopped) {
		return nil
	}
	if err := c.await(ctx, s.Options); err != nil {
		return err
	}
	return s.surplus(ctx, turns)
}

// surplus looks for replies beyond the last one that was owed: a server that
// answered ahead shows it there.
func (s *Session) surplus(ctx context.Context, turns []Turn) error {
	c := s.conn
	last := &turns[len(turns)-1]
	c.mu.Lock()
	odd := last.Step.Phase == PhaseQuit && last.State == Answered && last.Reply().Code != 221
	ahead := c.ahead
	c.mu.Unlock()
	if odd || ahead {
		c.drain(ctx, s.Timeouts.Quit)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var protocol *ProtocolError
	if errors.As(c.end, &protocol) {
		return &Error{last.Step.Phase, protocol}
	}
	return nil
}

// writeGroup writes the steps of one group that are still wanted.
func (s *Session) writeGroup(ctx context.Context, turns []Turn, group []int) error {
	c := s.conn
	var wanted []int
	c.mu.Lock()
	for _, i := range group {
		step := &turns[i].Step
		pointless := step.Unless != nil && step.Unless(turns[:i])
		if step.Phase == PhaseQuit && (c.gone || c.broken || c.inData && !hasBody(turns, wanted)) {
			pointless = true
		}
		if !pointless {
			wanted = append(wanted, i)
		}
	}
	c.mu.Unlock()
	if len(wanted) == 0 {
		return nil
	}
	phase := turns[wanted[0]].Step.Phase
	if err := c.clear(ctx); err != nil {
		var refusal *Refusal
		if errors.As(err, &refusal) {
			refusal.Command = turns[wanted[0]].Step.Command
		}
		return &Error{phase, err}
	}
	if err := context.Cause(ctx); err != nil {
		return &Error{phase, err}
	}
	w := &groupWriter{conn: c, session: s, turns: turns, several: len(wanted) > 1}
	for _, i := range wanted {
		if err := w.step(i); err != nil {
			return w.failed(ctx, i, err)
		}
	}
	if err := w.flush(); err != nil {
		return w.failed(ctx, wanted[len(wanted)-1], err)
	}
	return nil
}

func hasBody(turns []Turn, indexes []int) bool {
	for _, i := range indexes {
		if turns[i].Step.Phase == PhaseDot {
			return true
		}
	}
	return false
}
