package dialog

// Extension is one row of Extensions: an EHLO keyword and what it brings.
type Extension struct {
	Keyword string   // in capitals, as servers list it
	RFC     string   // where it is defined, "RFC 1870"; "" for a vendor's own
	About   string   // one line of meaning, without a full stop
	Mail    []string // the MAIL parameters it allows
	Rcpt    []string // the RCPT parameters it allows
	Status  string   // "current", "obsolete", "historic", "vendor"
}
