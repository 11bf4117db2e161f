package dialog

import (
	"context"
	"errors"
	"time"
)

// Stage is one part of a plan.
type Stage struct {
	Do     func(context.Context, *Session) error
	Always bool // done after a failure too, while the wire still holds
}

// Plan is a conversation, stage by stage.
type Plan []Stage

// Run does the stages in order, until one fails; those that are always done
// come even then, and their fate changes nothing. The connection is closed at
// the end. The error is an *Error.
func (p Plan) Run(ctx context.Context, s *Session) error {
	defer s.Close()
	var failed error
	for _, stage := range p {
		if failed != nil && !stage.Always {
			continue
		}
		within, cancel := ctx, context.CancelFunc(func() {})
		if failed != nil {
			// What interrupted the conversation must not prevent the farewell.
			within, cancel = s.farewell(ctx)
		}
		err := stage.Do(within, s)
		cancel()
		if failed == nil {
			failed = err
		}
	}
	if errors.Is(failed, ErrStopped) {
		return nil
	}
	return failed
}

// farewell bounds QUIT behind a failure: a person who interrupts does not want to
// wait, and who does so twice, or while it is waited for, not at all; a run whose
// time is nearly up ends with it.
func (s *Session) farewell(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := s.Timeouts.Quit
	const last = 300 * time.Millisecond // of what is over already; with all else half a second
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, max(time.Until(end), last))
	}
	over := ctx.Err() != nil
	if over {
		limit = min(limit, last)
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	if !over {
		go func() {
			select {
			case <-ctx.Done():
				if errors.Is(ctx.Err(), context.Canceled) { // a deadline is in limit
					cancel()
				}
			case <-within.Done():
			}
		}()
	}
	if s.Hurry != nil {
		go func() {
			select {
			case <-s.Hurry:
				cancel()
			case <-within.Done():
			}
		}()
	}
	return within, cancel
}

// Greet waits for the banner. Anything but 220 is a *Refusal.
func Greet() Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		turns, err := s.Exchange(ctx, Step{Phase: PhaseConnect})
		s.Report.Banner = turns[0].Reply()
		return refused(turns, err, 220)
	}}
}

// Quit says QUIT and waits for the reply, unless that was done or the wire does
// not hold. It never fails.
func Quit() Stage {
	return Stage{Always: true, Do: func(ctx context.Context, s *Session) error {
		if s.quit || s.Report.Banner == nil && !s.conn.begun { // nobody has listened for a banner yet
			return nil
		}
		if s.conn.awaitsText() {
			s.Stream.Emit(Finding{Text: "no QUIT: the server waits for the message and would take it for its text"})
		}
		_, _ = s.Exchange(ctx, quitStep())
		return nil
	}}
}

func quitStep() Step {
	quit, _ := NewCommand("QUIT")
	return Step{Phase: PhaseQuit, Command: quit}
}

// Ask writes a command and shows the reply, whatever it is: for a probe "no" is
// an answer too. Each reply goes to heard, which may be nil.
func Ask(c Command, heard func(*Reply)) Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		turns, err := s.Exchange(ctx, Step{Phase: PhaseAsk, Command: c, Waits: true})
		if err == nil && heard != nil {
			heard(turns[0].Reply())
		}
		return err
	}}
}

// refused is err, or a *Refusal of the first turn whose reply is not code (0:
// any positive one).
func refused(turns []Turn, err error, code int) error {
	if err != nil {
		return err
	}
	for i := range turns {
		t := &turns[i]
		if t.State != Answered {
			continue
		}
		if r := t.Reply(); code != 0 && r.Code != code || code == 0 && !r.Positive() {
			return &Error{t.Step.Phase, &Refusal{Command: t.Step.Command, Reply: r}}
		}
	}
	return nil
}
