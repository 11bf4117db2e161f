package dialog

import (
	"errors"
	"fmt"
)

// What replies to a message are worth, for Deliver and for whoever exchanges steps
// of their own.

// Surplus reports whether the server sent more replies than it owed to turns, whose
// exchange ended with err, so that a positive one to their message need not be its own.
//
// Behind an answered message every protocol error is a reply too many. Only
// nonsense in the place of QUIT's own reply is not, nor what follows a 221 to
// QUIT: that shows that all before it were in step.
func Surplus(turns []Turn, err error) bool {
	last := &turns[len(turns)-1]
	if last.Step.Phase == PhaseQuit && (last.State == Written || last.State == Answered && last.Reply().Code == 221) {
		return false
	}
	return errors.As(err, new(*ProtocolError))
}

// OutOfStep reports whether err says that the server's replies are not those to
// our commands. Messages that it has accepted are in doubt then, back to the last 354.
func OutOfStep(err error) bool {
	var p *ProtocolError
	return errors.As(err, &p) && p.outOfStep
}

// Unfit is an *Error that is OutOfStep if MAIL, RCPT or DATA got a reply that fits no
// reading: a 354 to RCPT, a 250 to DATA.
func (t *Turn) Unfit() error {
	phase, r := t.Step.Phase, t.Reply()
	switch {
	case t.State != Answered || phase < PhaseMail || phase > PhaseData:
		return nil
	case phase == PhaseData && !r.Positive(), phase != PhaseData && !r.Intermediate():
		return nil
	}
	return &Error{phase, &ProtocolError{Reason: fmt.Sprintf("%d is no answer to %s", r.Code, subject(t.Step)), Quote: quote(r.Raw), outOfStep: true}}
}

// Outcomes adds to list what the turn of a message's end means for the n recipients
// that RCPT accepted; surplus is as Surplus has it.
func (t *Turn) Outcomes(list []Outcome, n int, surplus bool) []Outcome {
	judge := func(r *Reply) Outcome {
		if vouches(r, surplus) {
			return r.outcome()
		}
		return Unknown
	}
	if t.State == Answered && len(t.Replies) == 1 { // without memory of its own
		for range n {
			list = append(list, judge(t.Reply()))
		}
		return list
	}
	for _, r := range t.each(n) {
		list = append(list, judge(r))
	}
	return list
}

// vouches reports whether a reply to the message says what became of it; nil is a
// missing one. A 221 is QUIT's: in this place it shows that a reply was lost or came
// out of turn.
func vouches(r *Reply, surplus bool) bool {
	return r != nil && !r.Intermediate() && r.Code != 221 && (!r.Positive() || !surplus)
}

// outcome is what a reply means for whom it is about.
func (r *Reply) outcome() Outcome {
	switch {
	case r.Positive():
		return Accepted
	case r.Permanent():
		return Refused
	}
	return Deferred
}

// Answer is the last reply to the first answered turn of a phase, or nil.
func Answer(done []Turn, p Phase) *Reply {
	for i := range done {
		if done[i].Step.Phase == p && done[i].State == Answered {
			return done[i].Reply()
		}
	}
	return nil
}

// NoRecipient reports whether every RCPT was answered and none accepted, or
// MAIL was refused: nothing can be delivered then.
func NoRecipient(done []Turn) bool {
	if MailRefused(done) {
		return true
	}
	for i := range done {
		if t := &done[i]; t.Step.Phase == PhaseRcpt && (t.State != Answered || t.Reply().Positive()) {
			return false
		}
	}
	return true
}

// MailRefused reports whether MAIL was answered, and not accepted.
func MailRefused(done []Turn) bool {
	mail := Answer(done, PhaseMail)
	return mail != nil && !mail.Positive()
}

// Pending reports whether a transaction is still open, so that RSET has to come
// before the next: MAIL was accepted and no message followed, or a chunk was
// refused (RFC 3030 section 2).
func Pending(turns []Turn) bool {
	mail := Answer(turns, PhaseMail)
	for i := range turns {
		t := &turns[i]
		if t.Step.Phase == PhaseDot && t.State == Answered {
			return !t.Step.Command.IsZero() && !t.Reply().Positive()
		}
	}
	return mail.Positive()
}
