package dialog

import (
	"bytes"
	"context"
	"errors"
)

// Injection is what a server does with a command that comes in one packet with
// STARTTLS, as somebody in between could add it (RFC 3207 section 6).
type Injection int

// The ways in which servers treat such a command.
const (
	InjectionUntested  Injection = iota
	InjectionDiscarded           // it is thrown away: safe
	InjectionAnswered            // it is answered under TLS, as if the client had said it there
	InjectionInClear             // it is answered in the clear, before the handshake
	InjectionClosed              // the connection ends upon it: safe
)

var injectionNames = [...]string{"untested", "discarded", "answered", "answered-clear", "closed"}

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
			var failed *TLSError
			switch {
			case inClear(err):
				*found = InjectionInClear
				return nil
			case errors.As(err, &failed) && failed.Kind != TLSUnproven && failed.Kind != TLSStalled:
				*found = InjectionClosed
			}
			return err
		}
		turns, err = s.Exchange(ctx, quitStep())
		*found = injected(turns, err)
		return nil
	}}
}

// injected reads what came under TLS in answer to QUIT, and perhaps to NOOP before it: 250,
// or a reply too many. A 421 is a server's goodbye, whatever was said to it, and any
// other reply may be to QUIT.
func injected(turns []Turn, err error) Injection {
	code := 0
	if len(turns) > 0 && turns[0].State == Answered {
		code = turns[0].Reply().Code
	}
	var broken *ProtocolError
	switch {
	case code == 421:
		return InjectionUntested
	case errors.As(err, &broken):
		if broken.outOfStep && !bytes.HasPrefix(broken.Quote, []byte("421")) {
			return InjectionAnswered
		}
	case errors.As(err, new(*LostError)):
		return InjectionClosed
	case err == nil && code == 221:
		return InjectionDiscarded
	case err == nil && code == 250:
		return InjectionAnswered
	}
	return InjectionUntested
}

// inClear reports whether err is about a reply in place of the handshake, come with
// the 220 or behind it.
func inClear(err error) bool {
	var failed *TLSError
	return errors.As(err, new(*ProtocolError)) || errors.As(err, &failed) && failed.Kind == TLSPlain
}
