package sasl

import "unicode/utf8"

// newAnonymous begins ANONYMOUS (RFC 4505). The user name, if there is one, goes
// as trace information: an address, or any text of up to 255 characters.
func newAnonymous(c Credentials) (Client, error) {
	if !utf8.ValidString(c.User) || utf8.RuneCountInString(c.User) > 255 {
		return nil, &LackError{"ANONYMOUS", "a trace of at most 255 characters in UTF-8"}
	}
	if c.User == "" {
		return &nobody{}, nil
	}
	return once{"ANONYMOUS", Message{Data: []byte(c.User), Shape: c.User}}, nil
}

// nobody is ANONYMOUS without a trace. An empty initial response would say so
// too, but Cyrus SASL takes it for none and asks.
type nobody struct{ asked bool }

func (*nobody) Start() (Message, bool, error) { return Message{}, false, nil }

func (n *nobody) Next([]byte) (Message, error) {
	if n.asked {
		return Message{}, &Error{Mechanism: "ANONYMOUS", Reason: "the server asks for more than the mechanism has"}
	}
	n.asked = true
	return Message{}, nil
}

func (*nobody) Done() error { return nil }
