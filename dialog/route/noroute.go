package route

// Reason says why there is no route.
type Reason uint8

// The reasons. All but Undecided are definite.
const (
	Undecided   Reason = iota // the DNS could not say
	NoDomain                  // no such domain or host
	TakesNoMail               // null MX (RFC 7505)
	NoMailHost                // neither an MX record nor an address
	NoAddress                 // no host can be connected to: no addresses, or useless ones
	OtherFamily               // no address of the family that was asked for
)

// NoRoute says that there is nowhere to connect to.
type NoRoute struct {
	Domain string
	Why    Reason
	Err    error // what the DNS said, an *Error; or nil
}

func (e *NoRoute) Error() string { return e.Domain + ": " + e.Reason() }

// Unwrap gives what the DNS said.
func (e *NoRoute) Unwrap() error { return e.Err }

// Definite reports whether asking again is of no use, as opposed to a DNS that
// could not say.
func (e *NoRoute) Definite() bool { return e.Why != Undecided }

// Reason is the error without the domain.
func (e *NoRoute) Reason() string {
	if e.Why == Undecided && e.Err != nil {
		return e.Err.Error()
	}
	return e.Why.String()
}

// String is the reason in words.
func (r Reason) String() string {
	switch r {
	case NoDomain:
		return "no such name (NXDOMAIN)"
	case TakesNoMail:
		return "takes no mail, as its null MX says (RFC 7505)"
	case NoMailHost:
		return "no MX record and no address"
	case NoAddress:
		return "no host with an address to connect to"
	case OtherFamily:
		return "no address of the family asked for"
	}
	return "the DNS could not say"
}
