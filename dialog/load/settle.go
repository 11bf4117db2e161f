package load

import (
	"errors"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// doubtful are messages that were counted as accepted since the last 354: where the
// replies turn out to be out of step, each may have stood for another.
type doubtful struct{ messages, recipients, bytes int64 }

// settle counts what turns say of a message, of which they are the last; err is what
// ended their exchange. What a reply is worth, dialog says.
func (s *session) settle(j *job, turns []dialog.Turn, err error) {
	s.count(turns, err)
	if dialog.Answer(turns, dialog.PhaseData).Intermediate() {
		s.doubtful = doubtful{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	if dialog.OutOfStep(err) {
		s.doubt()
	}
	if at := known(turns, err); at.After(r.ended) {
		r.ended = at
	}
	took := max(j.took, accepted(turns))
	if dialog.MailRefused(turns) { // whatever is said of the recipients
		took = 0
	}
	doubt := dialog.Doubts(turns, err)
	var dot *dialog.Turn
	for i := range turns {
		if turns[i].Step.Phase == dialog.PhaseDot && turns[i].State >= dialog.Written {
			dot = &turns[i]
		}
	}
	switch {
	case dot != nil && took == 0 && doubt != dialog.DoubtAll && (refusesAll(turns) || s.over): // what is said of a chunk for nobody only follows from that
		s.carried++
		s.open = dot.State == dialog.Answered && dialog.Pending(turns)
		r.no(refusal(turns))
	case dot != nil:
		if dot.State == dialog.Answered {
			s.carried++
			s.open = dialog.Pending(turns)
		}
		s.outcomes = dot.Outcomes(s.outcomes[:0], max(1, took), doubt)
		n := int64(0)
		for _, o := range s.outcomes {
			if o == dialog.Accepted {
				n++
			}
		}
		switch {
		case slices.Contains(s.outcomes, dialog.Unknown):
			r.Unknown++
			s.failed(err, dialog.PhaseDot)
			s.vain(j, err)
		case n == 0:
			r.no(dot.Reply())
		default:
			r.Accepted++
			r.Recipients += n
			r.Bytes += int64(len(j.text))
			r.Whole.Add(dot.Reply().Came.Sub(j.due))
			s.doubtful.messages++
			s.doubtful.recipients += n
			s.doubtful.bytes += int64(len(j.text))
		}
	case err != nil && !s.over:
		r.Failed++
		s.failed(err, reached(turns))
		s.vain(j, err)
	default:
		if !s.over { // who is sent away was not let in
			s.carried++
		}
		s.open = dialog.Pending(turns)
		r.no(refusal(turns))
	}
}

// known is when it was known what became of a message: with the last reply about it,
// or now if one is missing.
func known(turns []dialog.Turn, err error) time.Time {
	for i := len(turns) - 1; i >= 0; i-- {
		t := &turns[i]
		if t.State == dialog.Answered && t.Step.Phase != dialog.PhaseQuit && (err == nil || t.Step.Phase == dialog.PhaseDot) {
			return t.Reply().Came
		}
	}
	return time.Now()
}

// failed notes why a message failed, where a reply has not said so; s.mu is held.
func (s *session) failed(err error, p dialog.Phase) {
	if err == nil {
		return
	}
	s.told = true
	if s.result.Err == nil {
		s.result.Err = err
	}
	if !s.over || errors.As(err, new(*dialog.ProtocolError)) { // else it only follows
		s.result.failed(err, p)
	}
}

// vain counts the time of a message that has no answer, as err says; s.mu is held.
func (s *session) vain(j *job, err error) {
	if waited := time.Since(j.due); s.inVain(err, waited) {
		s.result.Whole.Add(waited)
	}
}

// reached is the phase of the first step of a message that has no answer.
func reached(turns []dialog.Turn) dialog.Phase {
	for i := range turns {
		if p := turns[i].Step.Phase; turns[i].State != dialog.Answered && p != dialog.PhaseAsk {
			return p
		}
	}
	return dialog.PhaseQuit
}

// doubt takes back what was counted as accepted and may not be; s.mu is held.
func (s *session) doubt() {
	d, r := s.doubtful, s.result
	if d.messages == 0 {
		return
	}
	r.fault(Fault{Phase: dialog.PhaseDot, Text: "was accepted, by a reply that may be another's"}, d.messages)
	r.Accepted -= d.messages
	r.Unknown += d.messages
	r.Recipients -= d.recipients
	r.Bytes -= d.bytes
	s.doubtful = doubtful{}
}

// refusesAll reports whether nobody is left to whom the message could go: MAIL was
// refused, or each RCPT.
func refusesAll(turns []dialog.Turn) bool {
	return dialog.MailRefused(turns) || slices.ContainsFunc(turns, isRcpt) && dialog.NoRecipient(turns)
}

func isRcpt(t dialog.Turn) bool { return t.Step.Phase == dialog.PhaseRcpt }

// unfit is an error if a reply fits no reading.
func unfit(turns []dialog.Turn) error {
	for i := range turns {
		if err := turns[i].Unfit(); err != nil {
			return err
		}
	}
	return nil
}

// refusal is the reply that says why a message was not to be sent: that to MAIL, or
// the last one that says no, before DATA if there is one.
func refusal(turns []dialog.Turn) *dialog.Reply {
	if dialog.MailRefused(turns) {
		return dialog.Answer(turns, dialog.PhaseMail)
	}
	var no *dialog.Reply
	for i := range turns {
		t := &turns[i]
		r := t.Reply()
		if r != nil && r.Code == 421 {
			return r
		}
		if r != nil && !r.Positive() && !r.Intermediate() && (no == nil || t.Step.Phase < dialog.PhaseData) {
			no = r
		}
	}
	return no
}

// no counts a message that was not taken, for the reason that a reply gives.
func (r *Result) no(reply *dialog.Reply) {
	switch {
	case reply.Permanent():
		r.Refused++
	case reply.Temporary():
		r.Deferred++
	default:
		r.Failed++
	}
}

// count adds the replies of turns to what is known of their phases, with the one that
// was waited for in vain if err says so. A refusal that only follows from an earlier
// one, as the commands left together, is no fault of its own.
func (s *session) count(turns []dialog.Turn, err error) {
	mail, all := dialog.MailRefused(turns), refusesAll(turns)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range turns {
		t := &turns[i]
		p := t.Step.Phase
		if t.State != dialog.Answered {
			if t.State != dialog.Unsent && err != nil {
				waited := min(time.Since(s.left), time.Since(s.heard))
				if s.inVain(err, waited) {
					s.result.Latency[p].Add(waited)
				}
				err = nil // it is the oldest alone that was waited for
			}
			continue
		}
		follows := mail && p == dialog.PhaseRcpt || all && (p == dialog.PhaseData || p == dialog.PhaseDot)
		for k := range t.Replies {
			reply := &t.Replies[k]
			early := reply.Came.IsZero()
			s.over = s.over || reply.Code == 421 || early
			if !early {
				s.result.Latency[p].Add(min(reply.Took, reply.Came.Sub(s.heard)))
				s.heard = reply.Came
			}
			amiss := !reply.Positive() && !reply.Intermediate() || p == dialog.PhaseDot && (reply.Intermediate() || reply.Code == 221)
			if amiss && !follows {
				s.result.refused(p, reply)
			}
		}
	}
}
