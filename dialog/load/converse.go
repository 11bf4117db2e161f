package load

import (
	"context"
	"errors"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// converse sends message after message on one connection, in the fewest round
// trips that the server's extensions allow: one group a message by BDAT (RFC 3030),
// and the next one's envelope behind the text of each where only PIPELINING is
// offered (RFC 2920).
func (s *session) converse(ctx context.Context, d *dialog.Session) error {
	send := s.whole
	if s.pipelines(d) && !s.chunks(d) && !d.LMTP {
		send = s.linked
	}
	s.most = s.PerConn
	if n := d.MostMessages(); n > 0 && (s.most == 0 || n < s.most) {
		s.most = n
	}
	for !s.over && s.more() && s.take() {
		if err := send(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// more reports whether this connection carries another message.
func (s *session) more() bool { return s.most == 0 || s.sent < s.most }

func (s *session) pipelines(d *dialog.Session) bool {
	_, offered := d.Offers("PIPELINING")
	return offered && !s.Lockstep
}

func (s *session) chunks(d *dialog.Session) bool {
	_, offered := d.Offers("CHUNKING")
	return offered && d.Chunking != dialog.Never && !d.LMTP
}

// begin takes the job that is next onto this connection.
func (s *session) begin() *job {
	j := s.job
	if s.sent == 0 && s.PerConn == 0 && !s.pace.timed() { // a kept connection is none of its cost
		j.due = time.Now()
	}
	s.job = nil
	s.sent++
	return j
}

// back takes a job that the server was not heard of for the next connection.
func (s *session) back(j *job) {
	if !s.pace.timed() { // it is begun once more
		j.due = time.Now()
	}
	s.job = j
	s.sent--
}

// unheard reports whether nothing is known of a message but its envelope's way onto a
// connection that was over: it did not leave, or the server closed without a word
// about it, as behind its last message it may at any time.
func unheard(turns []dialog.Turn, err error) bool {
	for i := range turns {
		t := &turns[i]
		if t.Reply() != nil || t.Step.Phase == dialog.PhaseDot && t.State == dialog.Written {
			return false
		}
	}
	return turns[0].State == dialog.Unsent || errors.As(err, new(*dialog.LostError))
}

// exchange has the server answer the steps that were added.
func (s *session) exchange(ctx context.Context, d *dialog.Session) ([]dialog.Turn, error) {
	s.left = time.Now()
	return d.Recur(ctx, s.steps...)
}

// envelope adds the commands before a message, the first of them waiting if first
// is set.
func (s *session) envelope(d *dialog.Session, j *job, first bool) {
	wait := !s.pipelines(d)
	if s.open {
		s.steps = append(s.steps, dialog.Step{Phase: dialog.PhaseAsk, Command: s.reset, Waits: true})
		first = false
	}
	mail := s.mail
	if _, offered := d.Offers("SIZE"); offered {
		mail = s.mails[j.Message]
	}
	s.steps = append(s.steps, dialog.Step{Phase: dialog.PhaseMail, Command: mail, Waits: wait || first})
	for _, rcpt := range s.rcpts {
		s.steps = append(s.steps, dialog.Step{Phase: dialog.PhaseRcpt, Command: rcpt, Waits: wait, Unless: dialog.MailRefused})
	}
}

// farewell adds QUIT if this connection carries no more messages.
func (s *session) farewell(d *dialog.Session) {
	if !s.more() || s.pace.over(time.Now()) {
		s.steps = append(s.steps, dialog.Step{Phase: dialog.PhaseQuit, Command: s.quit, Waits: !s.pipelines(d)})
	}
}

// atOnce is the longest message that leaves with its envelope: both fit into one
// write.
const atOnce = 24 << 10

// whole sends one message in one exchange: by BDAT, or in lockstep.
func (s *session) whole(ctx context.Context, d *dialog.Session) error {
	j := s.begin()
	s.steps = s.steps[:0]
	s.envelope(d, j, true)
	if s.chunks(d) {
		j.body = body{j.text, int64(len(j.text))}
		s.steps = append(s.steps, dialog.Step{
			Phase: dialog.PhaseDot, Command: s.words.chunks[j.Message], Body: &j.body,
			Waits: !s.pipelines(d) || len(j.text) > atOnce, Unless: dialog.NoRecipient,
		})
	} else {
		j.body = body{j.dotted, int64(len(j.text))}
		s.steps = append(s.steps,
			dialog.Step{Phase: dialog.PhaseData, Command: s.data, Waits: !s.pipelines(d), Unless: dialog.NoRecipient},
			dialog.Step{Phase: dialog.PhaseDot, Body: &j.body, Waits: true, Unless: notAsked, More: s.each(d, j)})
	}
	s.farewell(d)
	turns, err := s.exchange(ctx, d)
	if err != nil && s.sent > 1 && unheard(turns, err) {
		s.back(j)
		return err
	}
	if err == nil {
		err = unfit(turns)
	}
	s.settle(j, turns, err)
	return past(turns, err)
}

// each is the Step.More of a message by LMTP, which has a reply for each recipient
// that was accepted (RFC 2033 section 4.2).
func (s *session) each(d *dialog.Session, j *job) func([]dialog.Turn) bool {
	if !d.LMTP {
		return nil
	}
	return func(done []dialog.Turn) bool { return len(done[len(done)-1].Replies) < accepted(done) }
}

func accepted(done []dialog.Turn) int {
	n := 0
	for i := range done {
		if t := &done[i]; t.Step.Phase == dialog.PhaseRcpt && t.State == dialog.Answered && t.Reply().Positive() {
			n++
		}
	}
	return n
}

// linked sends messages by DATA, each with the envelope of the next behind it, as
// long as another one is due.
func (s *session) linked(ctx context.Context, d *dialog.Session) error {
	j := s.begin()
	s.steps = s.steps[:0]
	s.envelope(d, j, true)
	s.steps = append(s.steps, dialog.Step{Phase: dialog.PhaseData, Command: s.data})
	turns, err := s.exchange(ctx, d)
	if err != nil && s.sent > 1 && unheard(turns, err) {
		s.back(j)
		return err
	}
	for {
		if err == nil {
			err = unfit(turns)
		}
		text := s.enveloped(j, turns, err)
		if err != nil || text == nil {
			return err
		}
		s.steps = append(s.steps[:0], dialog.Step{Phase: dialog.PhaseDot, Body: text, Waits: true})
		var next *job
		if s.more() && s.peek(false) {
			next = s.begin()
			s.envelope(d, next, false)
			s.steps = append(s.steps, dialog.Step{Phase: dialog.PhaseData, Command: s.data})
		} else {
			s.farewell(d)
		}
		turns, err = s.exchange(ctx, d)
		mine := turns // the farewell too
		if next != nil {
			mine = turns[:1]
		}
		if j.took > 0 {
			s.settle(j, mine, err)
		}
		if next == nil {
			return past(turns, err)
		}
		dot := turns[0].Reply()
		if turns[0].State != dialog.Answered || dot.Code == 421 || unheard(turns[1:], err) {
			s.back(next)
			return err
		}
		if s.heard = dot.Came; !s.pace.timed() {
			next.due = s.heard
		}
		j, turns = next, turns[1:]
	}
}

// enveloped settles what the replies to an envelope and DATA mean, and gives what
// is to be written then: the message, the end of none (RFC 2920 section 3.1) or
// nothing.
func (s *session) enveloped(j *job, turns []dialog.Turn, err error) *body {
	data := dialog.Answer(turns, dialog.PhaseData)
	j.took = accepted(turns)
	j.body = body{j.dotted, int64(len(j.text))}
	if data.Intermediate() {
		s.doubtful = doubtful{}
	}
	if err == nil && data.Intermediate() && j.took > 0 {
		s.count(turns, nil)
		return &j.body
	}
	j.took = 0
	s.settle(j, turns, err)
	if err == nil && data.Intermediate() {
		s.open = false
		j.body = body{bytes: []byte(".\r\n")}
		return &j.body
	}
	return nil
}

// past is err, but for one at QUIT, which changes nothing unless it shows that
// there were too many replies.
func past(turns []dialog.Turn, err error) error {
	var at *dialog.Error
	if errors.As(err, &at) && at.Phase == dialog.PhaseQuit && dialog.Doubts(turns, err) == dialog.DoubtNothing {
		return nil
	}
	return err
}
