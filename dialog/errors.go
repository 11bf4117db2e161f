package dialog

import (
	"errors"
	"fmt"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Error is where a conversation ended, and why. It unwraps to one of the types
// below, to context's cause (an interrupt, the end of --max-time), or to what
// the connection gave.
type Error struct {
	Phase Phase
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ErrStopped ends a conversation that was told to stop where it did.
var ErrStopped = errors.New("stopped as asked")

// Refusal is a reply that says no: 4yz, 5yz, or a positive one that does not fit.
type Refusal struct {
	Command Command // zero for the banner
	Reply   *Reply
}

func (e *Refusal) Error() string {
	if e.Command.IsZero() {
		return fmt.Sprintf("the server greets with %s", e.Reply)
	}
	return fmt.Sprintf("%s was answered with %s", e.Command.Verb(), e.Reply)
}

// ProtocolError is something that no reading of the protocol allows. It ends
// the session, and what was read is not taken as an answer.
type ProtocolError struct {
	Reason string
	Quote  []byte // what the server sent, at most 200 bytes of it

	outOfStep bool // replies are not those to our commands
}

func (e *ProtocolError) Error() string {
	if len(e.Quote) == 0 {
		return "protocol error: " + e.Reason
	}
	return fmt.Sprintf("protocol error: %s: %q", e.Reason, e.Quote)
}

// LostError is a connection that ended before everything owed was answered.
type LostError struct {
	For   string        // "reply to the message"; "" if nothing was owed
	After time.Duration // since the last byte that For answers
	Err   error
}

func (e *LostError) Error() string {
	if e.For == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v before the %s (%s after its last byte)", e.Err, e.For, transcript.Duration(e.After))
}
func (e *LostError) Unwrap() error { return e.Err }

// TimeoutError is a reply that did not come in time, or a message that was not read.
type TimeoutError struct {
	For     string // "the reply to RCPT TO:<...>"
	After   time.Duration
	Writing bool // the server stopped reading what is sent, a message in it
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no %s within %s", e.For, transcript.Duration(e.After))
}

// Timeout reports true, as net.Error has it.
func (e *TimeoutError) Timeout() bool { return true }

// TLSError is a handshake that failed, a certificate that did not satisfy the
// policy, or TLS that was asked for and not offered.
type TLSError struct {
	Kind     TLSKind
	Reason   string
	Likely   string // what probably causes it, for a person; "" if Reason says all
	Alert    int    // the alert with which the server ended it (RFC 8446 section 6), 0 without one
	Unproven string // the name that the certificate does not prove, if that is it
	Implicit bool   // TLS was begun with the first byte, not by STARTTLS
	Err      error  // of the handshake, or nil
}

func (e *TLSError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}
func (e *TLSError) Unwrap() error { return e.Err }

// BodyError is a message that could not be read to its end: the connection is
// dropped then, so that no part of it passes for the whole.
type BodyError struct{ Err error }

func (e *BodyError) Error() string { return "the message cannot be read: " + e.Err.Error() }
func (e *BodyError) Unwrap() error { return e.Err }

// UnmetError is a message that needs what the server does not offer.
type UnmetError struct {
	Keyword string // the EHLO keyword
	Reason  string
	Address bool // an address needs it, not the message
	// Param is the parameter of MAIL or RCPT that needs it, as it would have been sent,
	// or the attribute that XCLIENT or XFORWARD does not take; "" if it is neither.
	Param string
}

func (e *UnmetError) Error() string { return e.Reason }

// AuthError is a login that was asked for and did not come about.
type AuthError struct {
	Kind      AuthKind
	Reason    string
	Mechanism string   // that was tried last; "" if none was
	Reply     *Reply   // that refused it, or nil
	Offered   []string // the mechanisms that the server listed
	Fatal     bool     // the two sides no longer agree on where they stand
	shown     bool     // it stands in the transcript
}

func (e *AuthError) Error() string { return e.Reason }

// AuthKind says at what a login failed.
type AuthKind int

// The ways in which a login fails.
const (
	AuthRefused     AuthKind = iota // the server said no: see Reply
	AuthNotOffered                  // the server does not offer AUTH
	AuthNoMechanism                 // nothing is offered that the credentials fit
	AuthClear                       // the connection is not encrypted
	AuthUnproven                    // the server has not proved its name
	AuthBroken                      // the server broke the mechanism, or could not prove itself
)
