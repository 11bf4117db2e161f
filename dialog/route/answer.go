package route

import (
	"context"
	"net/netip"
	"time"
)

// Answer is what the DNS said to one question. Records is never empty where the
// error is nil: a name without such records is an *Error of kind NoData.
type Answer[T any] struct {
	Records   []T
	Authentic bool          // all of it, aliases too, was validated by DNSSEC, by servers that may vouch for it
	TTL       time.Duration // the least of all records, those of the aliases too
	Name      string        // the owner of the records, behind all aliases
	Aliases   []string      // the names passed on the way there, the one asked for first
	Server    string        // who answered, and vouches where it is authentic, as Server.String gives it
	Doubted   string        // a server that says that all of it is authentic, and may not vouch for it; "" if none
	Took      time.Duration
	Partial   error // why one of A and AAAA could not be asked for, while the other is here
}

// MX is a mail exchanger (RFC 1035 section 3.3.9). Host is "." in a null MX.
type MX struct {
	Pref uint16
	Host string
}

// TLSA is a certificate association (RFC 6698 section 2.1).
type TLSA struct {
	Usage, Selector, Matching uint8
	Data                      []byte
}

// Family chooses the kinds of address to ask for.
type Family uint8

// The families.
const (
	Both Family = iota
	IPv4
	IPv6
)

// Resolver asks the DNS. Every error that an answer led to is an *Error.
type Resolver interface {
	// MX asks for the mail exchangers of domain, in the order of the answer.
	MX(ctx context.Context, domain string) (Answer[MX], error)
	// Addr asks for the addresses of host. For Both it asks for A and AAAA at the
	// same time and alternates them, IPv4 first, each kind in the order of its
	// answer (RFC 5321 section 5.1). If only one kind could be asked for, that
	// one is the answer.
	Addr(ctx context.Context, host string, f Family) (Answer[netip.Addr], error)
	// TXT asks for text; the strings of one record are joined, as raw bytes.
	TXT(ctx context.Context, name string) (Answer[string], error)
	// TLSA asks at _port._tcp.host (RFC 6698 section 3).
	TLSA(ctx context.Context, host string, port uint16) (Answer[TLSA], error)
	// PTR asks for the names of addr.
	PTR(ctx context.Context, addr netip.Addr) (Answer[string], error)
	// CNAME asks what name is an alias of, and follows no further.
	CNAME(ctx context.Context, name string) (Answer[string], error)
}
