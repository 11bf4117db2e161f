package sasl

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// bearer is the Client of the mechanisms that hand over an OAuth token: one
// message, and if the server refuses it, an error in JSON that is to be answered
// before the refusal itself comes.
type bearer struct {
	Credentials
	name    string
	message Message
	owed    string // the answer to an error
	refused bool
}

// newBearer begins with head, the token, tail.
func (c Credentials) newBearer(name, head, tail, owed string) (Client, error) {
	token := c.Token.Reveal()
	switch {
	case token == "":
		return nil, &LackError{name, "a token"}
	case !printableASCII(token): // RFC 6750 section 2.1, and some
		return nil, &LackError{name, "a token of printable ASCII characters"}
	case strings.ContainsAny(c.User+c.Authzid+c.Host, "\x00\x01"):
		return nil, &LackError{name, "a user name without control characters"}
	}
	data := head + token + tail
	return &bearer{Credentials: c, name: name, owed: owed, message: Message{
		Data:    []byte(data),
		Shape:   head + transcript.Hidden + tail,
		Secrets: []transcript.Secret{c.Token, transcript.NewSecret(data)},
	}}, nil
}

func (b *bearer) Start() (Message, bool, error) { return b.message, true, nil }

func (b *bearer) Next(challenge []byte) (Message, error) {
	switch {
	case b.refused:
		return Message{}, &Error{Mechanism: b.name, Reason: "the server goes on after it has refused the token"}
	case len(challenge) == 0:
		return Message{}, &Error{Mechanism: b.name, Reason: "the server asks for more than the token"}
	}
	b.refused = true
	told := b.Tell(challenge)
	if told == "" {
		told = b.quote(string(challenge))
	}
	return Message{Data: []byte(b.owed), Shape: b.owed},
		&Error{b.name, "the server refuses the token: " + told, true}
}

func (b *bearer) Done() error {
	if b.refused {
		return &Error{Mechanism: b.name, Reason: "the server has refused the token, and then lets it pass"}
	}
	return nil
}

// Tell is the members of the JSON error in their order (RFC 7628 section 3.2.2:
// status, scope, openid-configuration; Google's also schemes), "" if it is none.
func (b *bearer) Tell(challenge []byte) string {
	const mostMembers, mostBytes = 16, 512
	d := json.NewDecoder(bytes.NewReader(challenge))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return ""
	}
	var members []string
	for d.More() && len(members) < mostMembers {
		key, err := d.Token()
		name, ok := key.(string)
		var raw json.RawMessage
		if err != nil || !ok || d.Decode(&raw) != nil {
			return ""
		}
		value := string(raw)
		if text := ""; json.Unmarshal(raw, &text) == nil {
			value = text
		}
		member := b.mask(name + " " + value)
		if len(member) > mostBytes {
			member = member[:mostBytes] + "..."
		}
		members = append(members, member)
	}
	return strings.Join(members, ", ")
}
