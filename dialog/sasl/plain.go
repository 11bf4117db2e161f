package sasl

import "github.com/ehlo-mail/ehlo/dialog/transcript"

// newPlain begins PLAIN (RFC 4616): [authzid] NUL authcid NUL passwd.
func newPlain(c Credentials) (Client, error) {
	if err := c.login("PLAIN"); err != nil {
		return nil, err
	}
	names := c.Authzid + "\x00" + c.User + "\x00"
	data := names + c.Password.Reveal()
	return once{"PLAIN", Message{
		Data:    []byte(data),
		Shape:   names + transcript.Hidden,
		Secrets: []transcript.Secret{c.Password, transcript.NewSecret(data)},
	}}, nil
}
