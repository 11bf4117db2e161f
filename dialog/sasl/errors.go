package sasl

// Error is a server that breaks its mechanism, or that refuses the login in the
// mechanism's own words.
type Error struct {
	Mechanism string
	Reason    string // what is wrong; it may quote foreign bytes, to be escaped where it is shown
	// Refused says that the server keeps to the mechanism and says no in it: an
	// OAuth error (RFC 7628 section 3.2.2), SCRAM's e= (RFC 5802 section 5.1). One
	// more answer is then owed, and the error wraps ErrSay.
	Refused bool
}

func (e *Error) Error() string { return e.Mechanism + ": " + e.Reason }

// Unwrap is ErrSay if one more answer is owed.
func (e *Error) Unwrap() error {
	if e.Refused {
		return ErrSay
	}
	return nil
}

// LackError is credentials that do not suffice for a mechanism.
type LackError struct {
	Mechanism string
	What      string // that it needs: "a password"
}

func (e *LackError) Error() string { return e.Mechanism + " needs " + e.What }
