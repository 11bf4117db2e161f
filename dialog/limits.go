package dialog

import (
	"cmp"
	"time"
)

// What a server may make us hold or do, whatever it sends.
const (
	maxReplyLine    = 8 << 10         // bytes of one reply line with its line end; RFC 5321 section 4.5.3.1.5 asks for 512
	usualLine       = 2 << 10         // bytes of a reply line that there is memory for from the beginning
	maxReply        = 256 << 10       // bytes of one reply
	maxReplies      = 16 << 20        // bytes of all replies of a session
	maxKeywords     = 1000            // lines of an EHLO reply that are looked at
	maxCommand      = 8 << 10         // bytes of a command line; RFC 5321 section 4.5.3.1.4 asks for 512 and more with extensions
	maxPlainCommand = 512             // bytes of a command line that every server takes, RFC 5321 section 4.5.3.1.4
	maxAuthRounds   = 20              // challenges of one AUTH exchange
	writeBuffer     = 32 << 10        // bytes of one write; a body up to this size travels with its envelope
	maxShownData    = 1 << 20         // bytes of a message that --show-data keeps
	maxChain        = 20              // certificates of a chain that are looked at
	maxLinks        = 100             // signatures within a chain that are checked, as crypto/x509 has it
	maxStaple       = 64 << 10        // bytes of an OCSP response
	maxKeyRounds    = 5_000_000       // times that the passphrase of a private key is hashed
	blockTime       = 3 * time.Minute // to write one block of a body, RFC 5321 section 4.5.3.2.5
	lastWords       = 2 * time.Second // to read a reply that may explain why a write failed
)

// Timeouts are the limits on waiting, one for each kind of reply. They count
// from the later of the write that the reply answers and the reply before it;
// a drip of bytes resets nothing.
type Timeouts struct {
	Banner time.Duration // the greeting, RFC 5321 section 4.5.3.2.1
	Reply  time.Duration // any command but those below, and the TLS handshake
	Dot    time.Duration // the reply to the message, RFC 5321 section 4.5.3.2.6
	Quit   time.Duration
	Data   time.Duration // to write one block of the message, RFC 5321 section 4.5.3.2.5; 0 is its 3 min
}

// DefaultTimeouts are short enough for a person who waits; only the one behind
// the message is RFC 5321's, as giving up there can deliver a message twice.
func DefaultTimeouts() Timeouts {
	return Timeouts{Banner: 60 * time.Second, Reply: 30 * time.Second, Dot: 10 * time.Minute, Quit: 5 * time.Second, Data: blockTime}
}

// block is how long the server may take to read one block of the message.
func (t Timeouts) block() time.Duration { return cmp.Or(t.Data, blockTime) }

func (t Timeouts) of(p Phase) time.Duration {
	switch p {
	case PhaseConnect:
		return t.Banner
	case PhaseDot:
		return t.Dot
	case PhaseQuit:
		return t.Quit
	default:
		return t.Reply
	}
}
