package sasl

import "strconv"

// newOAuthBearer begins OAUTHBEARER (RFC 7628 section 3.1). The authorization
// identity, or else the user name, goes into the GS2 header; a server that takes
// it from the token alone needs neither. An error is answered with %x01.
func newOAuthBearer(c Credentials) (Client, error) {
	head := "n,,\x01"
	if name := c.Authzid; name != "" || c.User != "" {
		if name == "" {
			name = c.User
		}
		head = "n,a=" + saslname(name) + ",\x01"
	}
	if c.Host != "" {
		head += "host=" + c.Host + "\x01"
	}
	if c.Port != 0 {
		head += "port=" + strconv.Itoa(int(c.Port)) + "\x01"
	}
	return c.newBearer("OAUTHBEARER", head+"auth=Bearer ", "\x01\x01", "\x01")
}
