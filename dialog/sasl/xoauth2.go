package sasl

// newXOAuth2 begins XOAUTH2 (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol).
// An error is answered with an empty line.
func newXOAuth2(c Credentials) (Client, error) {
	if c.User == "" {
		return nil, &LackError{"XOAUTH2", "a user name"}
	}
	if err := c.alone("XOAUTH2"); err != nil {
		return nil, err
	}
	return c.newBearer("XOAUTH2", "user="+c.User+"\x01auth=Bearer ", "\x01\x01", "")
}
