package dialog

import (
	"slices"
	"strings"
)

// asksEach reports whether the server is asked for a reply to each recipient
// behind the message (PRDR, draft-hall-prdr-00). With one it would say no more, and
// LMTP has them anyway.
func (s *Session) asksEach(d *transaction) bool {
	_, offered := s.Offers("PRDR")
	return d.PRDR && offered && len(d.batch) > 1 && !s.LMTP
}

// oneForAll says that the replies to each recipient that were asked for will not come.
func (s *Session) oneForAll(d *transaction) {
	if _, offered := s.Offers("PRDR"); d.PRDR && !offered && !s.LMTP && len(d.batch) > 1 {
		s.Stream.Emit(Finding{Text: "PRDR is not offered: one reply to the message stands for all recipients"})
	}
}

// more is the Step.More of a message: nil, where it has one reply.
func (s *Session) more(d *transaction) func([]Turn) bool {
	switch {
	case s.LMTP:
		return func(done []Turn) bool { return len(done[len(done)-1].Replies) < len(accepted(done)) }
	case s.asksEach(d):
		return func(done []Turn) bool {
			replies := done[len(done)-1].Replies
			// 353 announces them; behind them comes one for the whole message.
			return replies[0].Code == 353 && len(replies) < len(accepted(done))+2
		}
	}
	return nil
}

// accepted are the RCPT turns that were accepted, in order.
func accepted(done []Turn) []*Turn {
	var list []*Turn
	for i := range done {
		if t := &done[i]; t.Step.Phase == PhaseRcpt && t.State == Answered && t.Reply().Positive() {
			list = append(list, t)
		}
	}
	return list
}

// replyOf is what the last reply to a message answers: the message, or one
// recipient of it.
func replyOf(done []Turn) string {
	replies, to := done[len(done)-1].Replies, accepted(done)
	n := len(replies) - 1
	if done[len(done)-1].Step.prdr && replies[0].Code == 353 {
		n--
	}
	if n < 0 || n >= len(to) {
		return "message"
	}
	_, address, _ := strings.Cut(to[n].Step.Command.subject(), " ")
	return "message " + address
}

// each are the replies to a message, one for every recipient of n that RCPT
// accepted; nil for one that is missing.
func (t *Turn) each(n int) []*Reply {
	list := make([]*Reply, n)
	switch {
	case t.Step.prdr && len(t.Replies) > 0 && t.Replies[0].Code == 353:
		if t.State != Answered || t.Reply().Code == 221 {
			break // what the last one says is not known
		}
		for i := range list {
			// The last one decides; where it says no too, one's own says why.
			if list[i] = t.Reply(); list[i].Positive() || t.Replies[1+i].Code/100 == list[i].Code/100 {
				list[i] = &t.Replies[1+i]
			}
		}
	case t.State == Answered && len(t.Replies) == 1:
		for i := range list {
			list[i] = t.Reply()
		}
	case slices.ContainsFunc(t.Replies, func(r Reply) bool { return r.Code == 221 }): // QUIT's own: one before it is missing
	default: // LMTP, RFC 2033 section 4.2
		for i := range min(n, len(t.Replies)) {
			list[i] = &t.Replies[i]
		}
	}
	return list
}
