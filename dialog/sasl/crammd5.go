package sasl

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// cramMD5 is CRAM-MD5 (RFC 2195): the answer to the challenge is the user name
// and HMAC-MD5 of the challenge with the password as the key.
type cramMD5 struct {
	Credentials
	answered bool
}

func newCramMD5(c Credentials) (Client, error) {
	if err := cmp.Or(c.login("CRAM-MD5"), c.alone("CRAM-MD5")); err != nil {
		return nil, err
	}
	return &cramMD5{Credentials: c}, nil
}

func (c *cramMD5) Start() (Message, bool, error) { return Message{}, false, nil }

func (c *cramMD5) Next(challenge []byte) (Message, error) {
	switch {
	case c.answered:
		return Message{}, &Error{Mechanism: "CRAM-MD5", Reason: "the server sends a second challenge"}
	case len(challenge) == 0: // the answer to nothing would be good for ever
		return Message{}, &Error{Mechanism: "CRAM-MD5", Reason: "the challenge is empty"}
	}
	c.answered = true
	mac := hmac.New(md5.New, []byte(c.Password.Reveal()))
	mac.Write(challenge)
	sum := mac.Sum(nil)
	digest := hex.EncodeToString(sum)
	data := c.User + " " + digest
	return Message{
		Data:    []byte(data),
		Shape:   c.User + " " + transcript.Hidden,
		Secrets: []transcript.Secret{c.Password, transcript.NewSecret(digest), transcript.NewSecret(string(sum)), transcript.NewSecret(data)},
	}, nil
}

func (c *cramMD5) Done() error {
	if !c.answered {
		return &Error{Mechanism: "CRAM-MD5", Reason: "the server is content before it has sent a challenge"}
	}
	return nil
}
