package route

import (
	"fmt"
	"strings"
)

// Kind says why a question has no records.
type Kind uint8

// The kinds. Of several servers' failures the one that stands first here is told.
const (
	NXDomain  Kind = iota + 1 // no such name (RFC 8020)
	NoData                    // the name exists, without such records (RFC 2308 section 2.2)
	Loop                      // its aliases run in a circle
	TooMany                   // too many aliases, or too many queries for one route
	BadName                   // it cannot be asked: no domain name (RFC 1035 section 2.3.4)
	ServFail                  // the server could not find out; a DNSSEC failure looks so too
	Refused                   // the server does not answer us
	OtherCode                 // another response code
	Malformed                 // an answer that makes no sense
	TLSFailed                 // no handshake for DNS over TLS, or a certificate that does not prove the server
	Timeout                   // no answer in time
	Network                   // the server cannot be reached
	Stopped                   // the caller's context ended
)

// Error is a question that brought no records.
type Error struct {
	Name      string // what was asked
	Type      string // the record type, "MX"
	Server    string // who answered or did not, as Server.String gives it; "" if nobody was asked
	Kind      Kind
	Authentic bool   // a denial that is proven: validated by DNSSEC, by a server that may vouch for it
	Doubted   string // as that of an Answer
	Bogus     bool   // with ServFail: the server says that DNSSEC validation failed (RFC 8914)
	Err       error  // details, or nil
}

// Error is one line: what was asked, of whom, what came.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s", e.Type, e.Name)
	if e.Server != "" {
		fmt.Fprintf(&b, " from %s", e.Server)
	}
	b.WriteString(": ")
	b.WriteString(e.Reason())
	return b.String()
}

// Reason is what came, without what was asked.
func (e *Error) Reason() string {
	what := e.Kind.String()
	if e.Kind == NoData {
		what = "no " + e.Type + " record (NODATA)"
	}
	if e.Err != nil {
		what += ": " + e.Err.Error()
	}
	return what
}

// Unwrap gives the details.
func (e *Error) Unwrap() error { return e.Err }

// Definite reports whether the DNS says that there are no such records, as
// opposed to not being able to say.
func (e *Error) Definite() bool { return e.Kind == NXDomain || e.Kind == NoData }

// Temporary reports whether asking again later may help.
func (e *Error) Temporary() bool { return e.Kind >= ServFail }

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case NXDomain:
		return "no such name (NXDOMAIN)"
	case NoData:
		return "no such record (NODATA)"
	case Loop:
		return "its CNAME records run in a circle"
	case TooMany:
		return "too much to follow"
	case BadName:
		return "not a domain name"
	case ServFail:
		return "the server could not find out (SERVFAIL)"
	case Refused:
		return "the server does not answer us (REFUSED)"
	case OtherCode:
		return "the server failed"
	case Malformed:
		return "an answer that makes no sense"
	case TLSFailed:
		return "DNS over TLS failed"
	case Timeout:
		return "no answer"
	case Network:
		return "the server cannot be reached"
	case Stopped:
		return "stopped"
	}
	return "unknown"
}

// NoServers says that no DNS server is known.
type NoServers struct{ Err error }

// Error says what to do about it.
func (e *NoServers) Error() string {
	if e.Err == nil {
		return "no DNS server is known: name one with --dns-server"
	}
	return "no DNS server is known (" + e.Err.Error() + "): name one with --dns-server"
}

// Unwrap gives what kept the system's servers from being known.
func (e *NoServers) Unwrap() error { return e.Err }
