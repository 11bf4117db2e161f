package sasl

// once is the Client of a mechanism that has a single message.
type once struct {
	mechanism string
	message   Message
}

func (c once) Start() (Message, bool, error) { return c.message, true, nil }

func (c once) Next([]byte) (Message, error) {
	return Message{}, &Error{Mechanism: c.mechanism, Reason: "the server asks for more than the mechanism has"}
}

func (c once) Done() error { return nil }
