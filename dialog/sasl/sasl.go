// Package sasl is the client's side of the authentication mechanisms (RFC 4422).
//
//	Mechanisms   the table of them, strongest first: to add one, add a row and a file
//	Credentials  who logs in, and with what
//	Client       one exchange of one mechanism
//	Message      what the client sends, and how it may be shown
//	Teller       a Client that understands its challenges well enough to show them
//	Error        a server that breaks its mechanism, or refuses in the mechanism's words
//	LackError    credentials that do not suffice
//
// Passwords and tokens are revealed here, put into Message.Data, and into
// nothing else: no shape, no error and nothing told of a challenge holds one.
// What a server sends is bounded in size and in the work that it causes.
package sasl

import (
	"crypto/tls"
	"errors"
	"io"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Credentials are who logs in, with what, and where.
type Credentials struct {
	User     string            // the authentication identity; NTLM takes DOMAIN\user
	Authzid  string            // the identity to act as, "" for the user's own
	Password transcript.Secret // Empty: there is none
	Token    transcript.Secret // an OAuth access token (RFC 6750). Empty: there is none
	// Certificate says that the client showed a certificate in the handshake.
	Certificate bool

	Host string               // the server's name, as the certificate has to prove it
	Port uint16               // for OAUTHBEARER
	TLS  *tls.ConnectionState // nil without TLS: for channel bindings (RFC 5929, RFC 9266)
	Rand io.Reader            // where nonces come from; nil is crypto/rand
	// Binding is the type of channel binding that a -PLUS form uses, one of
	// Bindings; "" is the best one that the connection gives.
	Binding string
	// Offered are the mechanisms that the server listed. SCRAM says that the
	// server cannot bind (RFC 5802 section 6) only if they are given.
	Offered []string
}

// Need is what a mechanism logs in with.
type Need uint8

// The needs.
const (
	NeedNothing Need = iota
	NeedPassword
	NeedToken
	NeedCertificate
)

// Mechanism is a row of the table.
type Mechanism struct {
	Name  string // as the server lists it (RFC 4422 section 3.1)
	RFC   string // where it is specified
	About string // what it does, in a few words
	Needs Need
	Binds bool // it binds the login to the TLS connection: a -PLUS form
	Bares bool // the server, and without TLS everybody in between, learns the secret itself
	// New begins an exchange. The error is a *LackError that says what the
	// credentials lack or why they do not fit, or that Rand failed; it holds no
	// secret.
	New func(Credentials) (Client, error)
}

// Client is one exchange. It is used once.
type Client interface {
	// Start gives the initial response. ok is false for a mechanism in which the
	// server speaks first.
	Start() (m Message, ok bool, err error)
	// Next answers a challenge, decoded from base64. An error cancels the exchange
	// with "*" (RFC 4954 section 4), but for one that wraps ErrSay, which comes
	// with a message that still has to be said. It is an *Error where the server
	// is at fault.
	Next(challenge []byte) (Message, error)
	// Done is asked when the server says that all is well: an error means that
	// it has not proved what the mechanism lets it prove.
	Done() error
}

// ErrSay says that the message beside it is to be sent although the exchange has
// failed: the answer to an OAuth error (RFC 7628 section 3.2.3), the empty line to
// SCRAM's e=. The server's reply to it is the refusal.
var ErrSay = errors.New("the exchange has failed, but one more answer is owed")

// Message is what the client sends: an initial response, or an answer.
type Message struct {
	Data []byte // before base64
	// Shape is Data for people: what is secret in it is transcript.Hidden.
	Shape string
	// Secrets are what must not be shown if the server repeats it: passwords,
	// tokens, proofs, digests. With none, Data itself is shown.
	Secrets []transcript.Secret
	// Awaited are what the server is to prove itself with. They are not shown
	// either, as a password can be tried out on them.
	Awaited []transcript.Secret
}

// Teller is a Client that can say what it understood of a challenge: the fields
// of it, a decoded OAuth error. Nothing in it is secret. "" is for a challenge
// whose own text says it all. The text holds foreign bytes, to be escaped.
type Teller interface {
	Tell(challenge []byte) string
}

// Find is the mechanism of that name, in any case.
func Find(name string) (Mechanism, bool) {
	for _, m := range Mechanisms() {
		if strings.EqualFold(m.Name, name) {
			return m, true
		}
	}
	return Mechanism{}, false
}
