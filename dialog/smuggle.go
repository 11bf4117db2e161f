package dialog

import (
	"context"
	"errors"
)

// Smuggling is what a server makes of a message that ends with a lone dot between
// other line ends than CR LF, and goes on behind it with a command (RFC 5321 section
// 4.1.1.4: only CR LF ends a line).
type Smuggling int

// The ways in which servers treat such a message.
const (
	SmugglingUntested Smuggling = iota
	SmugglingRefused            // it is refused, or the connection is ended: safe
	SmugglingKept               // it is one message, and the command a part of it: safe here
	SmugglingDone               // the message ends there, and the command is obeyed
)

// String is the state in one word.
func (s Smuggling) String() string {
	return [...]string{"untested", "refused", "kept", "obeyed"}[s]
}

// SmuggledEndings are the ends of a message that some servers take for one and
// others pass on.
func SmuggledEndings() []string {
	return []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\r.\r"}
}

// SmuggleMessage sends a message to a recipient, from the null sender, in whose text
// an odd ending stands with RSET behind it: more replies than one tell that the server
// took it for the end. It ends the conversation, and stores what it saw in found. The
// message is delivered if the server takes it. With the ending "\r\n", which is none, it is
// a message like any: a server that does not keep it says nothing by refusing the others.
func SmuggleMessage(to, ending string, found *Smuggling) Stage {
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
		// The command's own CR LF ends the message for who keeps to the rules.
		text := Command{parts: []any{"Subject: a test of line ends\r\n\r\nwhat follows is text" + ending + "RSET\r\n."}}
		turns, err := s.Exchange(ctx, Step{Phase: PhaseDot, Command: text, Waits: true})
		switch {
		case errors.As(err, new(*ProtocolError)):
			*found = SmugglingDone
			return nil
		case errors.As(err, new(*LostError)):
			*found = SmugglingRefused
			return nil
		case err != nil:
			return err
		}
		taken := turns[0].Reply().Positive()
		turns, err = s.Exchange(ctx, quitStep())
		switch {
		case errors.As(err, new(*ProtocolError)), err == nil && turns[0].Reply().Code != 221:
			*found = SmugglingDone
		case taken && (err == nil || errors.As(err, new(*LostError))):
			*found = SmugglingKept
		case err == nil || errors.As(err, new(*LostError)):
			*found = SmugglingRefused
		}
		return nil
	}}
}
