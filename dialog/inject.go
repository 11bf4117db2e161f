package dialog

import (
	"context"
	"errors"
)

// Injection is what a server does with a command that comes in one packet with
// STARTTLS, as somebody in between could add it (RFC 3207 section 6).
type Injection int

// The ways in which servers treat such a command.
const (
	InjectionUntested  Injection = iota
	InjectionDiscarded           // it is thrown away, or the connection is: safe
	InjectionAnswered            // it is answered under TLS, as if the client had said it there
	InjectionInClear             // it is answered in the clear, before the handshake
)

var injectionNames = [...]string{"untested", "discarded", "answered", "answered-clear"}

// String is the word in JSON.
func (i Injection) String() string { return injectionNames[i] }

// MarshalText gives the word.
func (i Injection) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// InjectCommand sends NOOP in the same packet as STARTTLS, does the handshake and
// says QUIT: the first reply under TLS tells whether NOOP got that far. It ends
// the conversation, and stores what it saw in found, if it saw something.
func InjectCommand(found *Injection) Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		two := Command{parts: []any{"STARTTLS\r\nNOOP"}}
		turns, err := s.Exchange(ctx, Step{Phase: PhaseTLS, Command: two, Waits: true})
		if inClear(err) {
			*found = InjectionInClear
			return nil
		}
		if err := refused(turns, err, 220); err != nil {
			return err
		}
		if err := s.handshake(ctx); err != nil {
			if inClear(err) {
				*found = InjectionInClear
				return nil
			}
			*found = InjectionDiscarded
			return err
		}
		turns, err = s.Exchange(ctx, quitStep())
		switch {
		case errors.As(err, new(*ProtocolError)), err == nil && turns[0].Reply().Code != 221:
			*found = InjectionAnswered
		case err == nil, errors.As(err, new(*LostError)):
			*found = InjectionDiscarded
		}
		return nil
	}}
}

// inClear reports whether err is about a reply in place of the handshake, come with
// the 220 or behind it.
func inClear(err error) bool {
	var failed *TLSError
	return errors.As(err, new(*ProtocolError)) || errors.As(err, &failed) && failed.Kind == TLSPlain
}
