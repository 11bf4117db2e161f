package sasl

import "unicode/utf8"

// newAnonymous begins ANONYMOUS (RFC 4505). The user name, if there is one, goes
// as trace information: an address, or any text of up to 255 characters.
func newAnonymous(c Credentials) (Client, error) {
	if !utf8.ValidString(c.User) || utf8.RuneCountInString(c.User) > 255 {
		return nil, &LackError{"ANONYMOUS", "a trace of at most 255 characters in UTF-8"}
	}
	return once{"ANONYMOUS", Message{Data: []byte(c.User), Shape: c.User}}, nil
}
