package load

import (
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// settle counts what turns say of a message, of which they are the last.
func (s *session) settle(j *job, turns []dialog.Turn, ended time.Time, err error) {
	s.count(turns)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	took := max(j.took, accepted(turns))
	if mailRefused(turns) { // whatever is said of the recipients
		took = 0
	}
	var dot *dialog.Turn
	for i := range turns {
		if turns[i].Step.Phase == dialog.PhaseDot && turns[i].State > dialog.Unsent {
			dot = &turns[i]
		}
	}
	switch {
	case dot != nil && dot.State == dialog.Written:
		r.Unknown++
	case dot != nil && dot.State == dialog.Answered:
		s.carried++
		s.open = !dot.Step.Command.IsZero() && !dot.Reply().Positive() // RFC 3030 section 2
		if took == 0 {                                                 // what is said of a chunk for nobody only follows from that
			r.no(refusal(turns))
			return
		}
		if len(dot.Replies) > 1 || dot.Step.More != nil {
			took = 0
			for i := range dot.Replies {
				if dot.Replies[i].Positive() {
					took++
				}
			}
		}
		if took == 0 || !positive(dot) {
			r.no(dot.Reply())
			return
		}
		r.Accepted++
		r.Recipients += int64(took)
		r.Bytes += int64(len(j.text))
		r.Whole.Add(ended.Sub(j.due))
	case err != nil:
		r.Failed++
	default:
		s.carried++
		s.open = answer(turns, dialog.PhaseMail).Positive()
		r.no(refusal(turns))
	}
}

// positive reports whether a message was taken for anybody.
func positive(dot *dialog.Turn) bool {
	for i := range dot.Replies {
		if dot.Replies[i].Positive() {
			return true
		}
	}
	return false
}

// refusal is the reply that says why a message was not to be sent: the last one that
// says no, before DATA if there is one.
func refusal(turns []dialog.Turn) *dialog.Reply {
	var no *dialog.Reply
	for i := range turns {
		t := &turns[i]
		if r := t.Reply(); r != nil && !r.Positive() && !r.Intermediate() && (no == nil || t.Step.Phase < dialog.PhaseData) {
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

// count adds the replies of turns to what is known of their phases.
func (s *session) count(turns []dialog.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range turns {
		t := &turns[i]
		if t.State != dialog.Answered {
			continue
		}
		for k := range t.Replies {
			reply := &t.Replies[k]
			s.result.Latency[t.Step.Phase].Add(reply.Took)
			if !reply.Positive() && !reply.Intermediate() {
				s.result.refused(t.Step.Phase, reply)
			}
		}
	}
}
