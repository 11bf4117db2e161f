package sasl

import (
	"cmp"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// login is LOGIN (draft-murchison-sasl-login): the server asks twice, and the
// first answer is the user name, the second the password. The prompts are not
// looked at, as servers disagree on them: "Username:" and "User Name\x00", with
// "Password:" and "Password\x00", or nothing at all.
type login struct {
	Credentials
	asked int
}

func newLogin(c Credentials) (Client, error) {
	if err := cmp.Or(c.login("LOGIN"), c.alone("LOGIN")); err != nil {
		return nil, err
	}
	return &login{Credentials: c}, nil
}

func (c *login) Start() (Message, bool, error) { return Message{}, false, nil }

func (c *login) Next(prompt []byte) (Message, error) {
	c.asked++
	if c.asked == 1 && len(prompt) >= 4 && strings.EqualFold(string(prompt[:4]), "pass") {
		return Message{}, &Error{Mechanism: "LOGIN", Reason: "the server asks for the password first: it would get the user name there, and the password for a name, which servers log"}
	}
	switch c.asked {
	case 1:
		return Message{Data: []byte(c.User), Shape: c.User}, nil
	case 2:
		return Message{
			Data:    []byte(c.Password.Reveal()),
			Shape:   transcript.Hidden,
			Secrets: []transcript.Secret{c.Password},
		}, nil
	default:
		return Message{}, &Error{Mechanism: "LOGIN", Reason: "the server asks for more than a user name and a password"}
	}
}

func (c *login) Done() error {
	if c.asked < 2 {
		return &Error{Mechanism: "LOGIN", Reason: "the server is content before it has asked for the password"}
	}
	return nil
}
