package dialog

import "fmt"

// Phase is a part of the conversation. Phases are ordered as a conversation
// meets them, so that they can be compared.
type Phase int

// The phases of a conversation.
const (
	PhaseConnect    Phase = iota // the banner
	PhaseFirstHello              // EHLO or HELO before any handshake
	PhaseTLS                     // STARTTLS and the handshake
	PhaseHello                   // EHLO after a handshake
	PhaseAuth                    // AUTH
	PhaseAsk                     // VRFY, EXPN, HELP and whatever else is only asked
	PhaseMail                    // MAIL
	PhaseRcpt                    // RCPT
	PhaseData                    // DATA
	PhaseDot                     // the message: the text behind DATA's 354, or a BDAT chunk
	PhaseQuit                    // QUIT
)

var phaseNames = [...]string{
	"connect", "first-hello", "tls", "hello", "auth", "ask", "mail", "rcpt", "data", "dot", "quit",
}

// String is the phase's name as the stop flags and JSON spell it.
func (p Phase) String() string {
	if p < 0 || int(p) >= len(phaseNames) {
		return fmt.Sprintf("phase %d", int(p))
	}
	return phaseNames[p]
}

// MarshalText gives the name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ParsePhase is the phase of that name.
func ParsePhase(name string) (Phase, error) {
	for i, n := range phaseNames {
		if n == name {
			return Phase(i), nil
		}
	}
	return 0, fmt.Errorf("no phase is called %q", name)
}
