package sasl

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// login checks that there are a user name and a password, as every mechanism
// with a password needs them. A NUL ends or divides them in some mechanisms, so
// that the server would check something else than what was given.
func (c Credentials) login(mechanism string) error {
	switch {
	case c.User == "":
		return &LackError{mechanism, "a user name"}
	case c.Password.Empty():
		return &LackError{mechanism, "a password"}
	case strings.Contains(c.User, "\x00"), strings.Contains(c.Authzid, "\x00"):
		return &LackError{mechanism, "a user name without NUL"}
	case strings.Contains(c.Password.Reveal(), "\x00"):
		return &LackError{mechanism, "a password without NUL"}
	}
	return nil
}

// alone checks that nobody else is to be acted for, in a mechanism that cannot.
func (c Credentials) alone(mechanism string) error {
	if c.Authzid == "" || c.Authzid == c.User {
		return nil
	}
	return &LackError{mechanism, "no other identity to act as: it cannot say one"}
}

// nonce is 18 random bytes in base64: 24 characters, none of which is a comma, a
// quote or a backslash.
func (c Credentials) nonce() (string, error) {
	source := c.Rand
	if source == nil {
		source = rand.Reader
	}
	var b [18]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return "", fmt.Errorf("no random bytes for a nonce: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b[:]), nil
}

// quote is foreign text for an error or for Tell: the begin of it, in quotes.
func (c Credentials) quote(text string) string {
	const most = 100
	text = c.mask(text)
	if len(text) > most {
		return `"` + text[:most] + `"... (` + fmt.Sprint(len(text)) + " bytes)"
	}
	return `"` + text + `"`
}

// mask hides the password and the token in what the server says. Shorter ones
// than four bytes are not looked for, as they would hide ordinary words.
func (c Credentials) mask(text string) string {
	for _, secret := range []transcript.Secret{c.Password, c.Token} {
		if value := secret.Reveal(); len(value) > 3 {
			text = strings.ReplaceAll(text, value, transcript.Hidden)
		}
	}
	return text
}
