package dialog

import (
	"context"
	"errors"
	"slices"
)

// Smuggling is what a server makes of a message that ends with a lone dot between
// other line ends than CR LF, and goes on behind it with commands (RFC 5321 section
// 4.1.1.4: only CR LF ends a line).
type Smuggling int

// The ways in which servers treat such a message.
const (
	SmugglingUntested Smuggling = iota
	SmugglingRefused            // it is refused, or the connection is ended: safe
	SmugglingKept               // it is one message, and the commands a part of it: safe here
	SmugglingUnclear            // it has more replies than one, and they are not those to the commands
	SmugglingDone               // the message ends there, and the commands are obeyed: they send another
)

// String is the state in one word.
func (s Smuggling) String() string {
	return [...]string{"untested", "refused", "kept", "unclear", "obeyed"}[s]
}

// SmuggledEndings are the ends of a message that some servers take for one and
// others pass on.
func SmuggledEndings() []string {
	return []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\r.\r"}
}

// SmuggleMessage sends a message to a recipient, from the null sender, in whose text
// an odd ending stands with another message behind it, from MAIL to its lone dot: what
// is answered tells whether the server took the ending for one, and obeyed. It ends the
// conversation, and stores what it saw in found. What the server takes is delivered. With
// the ending "\r\n", which is none, it is a message like any: a server that does not keep
// it, or has more replies to it than one, says nothing by what it makes of the others.
//
// Where PIPELINING is offered, QUIT leaves along with the text, so that any number of
// replies has somebody to go to; with hasty also where it is not, which a server may hold
// against us. Else a surplus reply is all that is seen: SmugglingUnclear.
func SmuggleMessage(to, ending string, hasty bool, found *Smuggling) Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		for _, c := range []struct {
			phase Phase
			words []any
			code  int
		}{{PhaseMail, []any{"MAIL", "FROM:<>"}, 0}, {PhaseRcpt, []any{"RCPT", "TO:<" + to + ">"}, 0}, {PhaseData, []any{"DATA"}, 354}} {
			command, err := NewCommand(c.words[0].(string), c.words[1:]...)
			if err != nil {
				return &Error{c.phase, err}
			}
			turns, err := s.Exchange(ctx, Step{Phase: c.phase, Command: command, Waits: true})
			if err := refused(turns, err, c.code); err != nil {
				return err
			}
		}
		// The lone dot of the other message ends the one there is for who keeps to the rules.
		text := Command{parts: []any{"Subject: a test of line ends\r\n\r\nwhat follows is text" + ending + "MAIL FROM:<>\r\nRCPT TO:<" + to +
			">\r\nDATA\r\nSubject: a second message out of one\r\n\r\nit came in the text of another\r\n."}}
		quit := quitStep()
		quit.Waits = !hasty && !s.pipelines()
		quit.More = func(done []Turn) bool {
			turn := &done[len(done)-1]
			return turn.Reply().Code != 221 && len(turn.Replies) < maxSmuggled
		}
		turns, err := s.Exchange(ctx, Step{Phase: PhaseDot, Command: text, Waits: true}, quit)
		var replies []Reply
		for _, turn := range turns {
			replies = append(replies, turn.Replies...)
		}
		if *found = smuggled(replies, err); *found == SmugglingUntested {
			return err
		}
		return nil
	}}
}

// maxSmuggled is how many replies are waited for behind that to a message: those to MAIL,
// RCPT, DATA and the text, to each line of it where a server takes it for a command, and
// to QUIT.
const maxSmuggled = 10

// smuggled reads the replies to a message and to QUIT, and how they ended.
func smuggled(replies []Reply, err error) Smuggling {
	lost := errors.As(err, new(*LostError))
	if len(replies) == 0 {
		if lost {
			return SmugglingRefused
		}
		return SmugglingUntested
	}
	broken, taken, more := errors.As(err, new(*ProtocolError)), replies[0].Positive(), replies[1:]
	if n := len(more); n > 0 && (more[n-1].Code == 221 || more[n-1].Code == 421) { // to QUIT, or a goodbye
		more = more[:n-1]
	}
	// MAIL and RCPT were obeyed, or DATA was, whatever else the server says.
	obeyed := len(more) > 1 && more[0].Positive() && more[1].Positive() || slices.ContainsFunc(more, func(r Reply) bool { return r.Code == 354 })
	switch {
	case obeyed:
		return SmugglingDone
	case broken, len(more) > 0:
		return SmugglingUnclear
	case err != nil && !lost:
		return SmugglingUntested
	case taken:
		return SmugglingKept
	}
	return SmugglingRefused
}
