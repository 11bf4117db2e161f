package dialog

import (
	"errors"
	"fmt"
)

// What replies to a message are worth, for Deliver and for whoever exchanges steps
// of their own.

// Doubt is what of the replies to a message cannot be trusted to be its own, as the server
// sent more replies than it owed.
type Doubt int

// The doubts.
const (
	DoubtNothing Doubt = iota
	DoubtYes           // a positive one: no later one is
	DoubtAll           // neither: a positive one came behind the message, and none may be about it
)

// Doubts reports what is in doubt of turns, whose exchange ended with err.
//
// Behind an answered message every protocol error is a reply too many. Only
// nonsense in the place of QUIT's own reply is not, nor what follows a 221 to
// QUIT: that shows that all before it were in step. Replies that came early push the
// message's own one back, to where QUIT's should be; and nobody refuses MAIL, and takes
// its recipients and its message.
func Doubts(turns []Turn, err error) Doubt {
	broken := errors.As(err, new(*ProtocolError))
	if !broken && !MailRefused(turns) {
		return DoubtNothing
	}
	nobody := NoRecipient(turns) // a text that follows DATA is empty then
	var served, sent, taken bool
	for i := range turns {
		t := &turns[i]
		yes := t.State == Answered && t.Reply().Positive()
		switch phase := t.Step.Phase; {
		case phase == PhaseRcpt:
			served = served || yes
		case phase == PhaseDot && t.State >= Written && !(nobody && t.Step.Command.IsZero()):
			sent, taken = true, taken || yes
		}
	}
	last := &turns[len(turns)-1]
	quit := last.Step.Phase == PhaseQuit
	switch {
	case MailRefused(turns) && served && taken:
		return DoubtAll
	case !broken, quit && (last.State == Written || last.State == Answered && last.Reply().Code == 221):
		return DoubtNothing
	case quit && sent && last.State == Answered && last.Reply().Positive():
		return DoubtAll
	}
	return DoubtYes
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
// that RCPT accepted.
func (t *Turn) Outcomes(list []Outcome, n int, doubt Doubt) []Outcome {
	judge := func(r *Reply) Outcome {
		if vouches(r, doubt) {
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
func vouches(r *Reply, doubt Doubt) bool {
	return r != nil && !r.Intermediate() && r.Code != 221 && (doubt == DoubtNothing || doubt == DoubtYes && !r.Positive())
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
