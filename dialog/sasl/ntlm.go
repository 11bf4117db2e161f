package sasl

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/Azure/go-ntlmssp"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// ntlm is NTLM over SMTP (MS-SMTPNTLM): three messages of MS-NLMP, of which the
// second is the server's. The answer is NTLMv2's; version 1 is never spoken.
type ntlm struct {
	Credentials
	answered bool
}

func newNTLM(c Credentials) (Client, error) {
	if err := cmp.Or(c.login("NTLM"), c.alone("NTLM")); err != nil {
		return nil, err
	}
	return &ntlm{Credentials: c}, nil
}

func (n *ntlm) Start() (Message, bool, error) {
	// Neither the name nor the domain of this computer is the server's business.
	data, err := ntlmssp.NewNegotiateMessage("", "")
	if err != nil {
		return Message{}, false, fmt.Errorf("NTLM: the first message cannot be made: %w", err)
	}
	return Message{Data: data, Shape: "NTLM negotiate"}, true, nil
}

func (n *ntlm) Next(challenge []byte) (Message, error) {
	if n.answered {
		return Message{}, n.breach("the server sends a second challenge")
	}
	n.answered = true
	if _, err := readNTLMChallenge(challenge); err != nil {
		return Message{}, n.breach("the challenge cannot be read: " + err.Error())
	}
	data, err := ntlmssp.NewAuthenticateMessage(challenge, n.User, n.Password.Reveal(), nil)
	if err != nil {
		return Message{}, n.breach("the challenge cannot be answered: " + n.mask(err.Error()))
	}
	who := "user " + n.User + ", no domain"
	if domain, user, ok := strings.Cut(n.User, `\`); ok {
		who = "user " + user + ", domain " + domain
	}
	secrets := []transcript.Secret{n.Password, transcript.NewSecret(string(data))}
	for _, at := range []int{12, 20} { // the responses, MS-NLMP section 2.2.1.3
		if response, err := ntlmField(data, at); err == nil && len(response) > 0 {
			secrets = append(secrets, transcript.NewSecret(string(response)))
		}
	}
	return Message{
		Data:    data,
		Shape:   "NTLM authenticate: " + who + ", responses " + transcript.Hidden,
		Secrets: secrets,
	}, nil
}

func (n *ntlm) Done() error {
	if !n.answered {
		return n.breach("the server is content before it has sent a challenge")
	}
	return nil
}

// Tell is what the server's message says of the server.
func (n *ntlm) Tell(challenge []byte) string {
	c, err := readNTLMChallenge(challenge)
	if err != nil {
		return ""
	}
	return n.mask(c.String())
}

func (n *ntlm) breach(reason string) error { return &Error{Mechanism: "NTLM", Reason: reason} }
