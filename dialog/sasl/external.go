package sasl

import "strings"

// newExternal begins EXTERNAL (RFC 4422 appendix A): the server knows who the
// client is, from its certificate, and hears at most whom it wants to act as.
func newExternal(c Credentials) (Client, error) {
	switch {
	case !c.Certificate:
		return nil, &LackError{"EXTERNAL", "a client certificate, shown in the handshake"}
	case strings.Contains(c.Authzid, "\x00"):
		return nil, &LackError{"EXTERNAL", "an authorization identity without NUL"}
	}
	return once{"EXTERNAL", Message{Data: []byte(c.Authzid), Shape: c.Authzid}}, nil
}
