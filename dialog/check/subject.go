package check

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/mime"
)

// Options are what a user says of the subject, and what is allowed to be done.
type Options struct {
	Domain    string        // as ParseDomain takes it; "" if none is judged
	IP        netip.Addr    // that mail is sent from; the zero Addr if it was not given
	HELO      string        // the name that it greets with
	MailFrom  string        // the sender's address; "" if it was not given, "<>" is the null sender
	Selectors []string      // of DKIM keys
	Message   *mime.Reading // nil if none was given
	DNSBLs    []string      // the zones of lists to ask

	Active    bool // servers may be asked about mailboxes, and sent a command behind STARTTLS
	RelayOpen bool // servers may be asked to relay
	Smuggling bool // servers may be sent messages that differ in their line ends
	Own       bool // every server is the user's own: the sandbox

	WarnDays, FailDays int           // of a certificate that are few, and too few
	Pause              time.Duration // between two connections to one public address
	Visits             *Visits       // of the run, which its subjects share; nil is a run of one

	Fetch policy.Fetcher // for MTA-STS policies; Dial and Family are filled in
}

// Subject is what is judged, with the facts about it. It is safe for concurrent
// use.
type Subject struct {
	Options
	Name     string // the domain for people, in its own script
	ASCII    string // the domain for the DNS
	Resolver Resolver
	Reach    *reach.Reach // how servers are reached; nil keeps every check from connecting

	facts sync.Map      // by factKey: what was found out once
	looks atomic.Uint32 // the Looks of the checks that were run
}

// Resolver asks the DNS and remembers: checks that ask the same question, even at
// the same time, share one answer. A *route.Client is one.
type Resolver interface {
	route.Resolver
	// CAA asks which authorities may issue certificates for name (RFC 8659).
	CAA(ctx context.Context, name string) (route.Answer[route.CAA], error)
}

// NewSubject makes a subject of what the options say. The error is a
// *route.DomainError for a domain that cannot be one.
func NewSubject(o Options, r Resolver, to *reach.Reach) (*Subject, error) {
	s := &Subject{Options: o, Resolver: r, Reach: to}
	if o.Domain == "" {
		return s, nil
	}
	var err error
	s.Name, s.ASCII, err = route.ParseDomain(o.Domain)
	return s, err
}

// has reports whether what n stands for was given.
func (s *Subject) has(n Need) bool {
	switch n {
	case NeedDomain:
		return s.ASCII != ""
	case NeedIP:
		return s.IP.IsValid()
	case NeedHELO:
		return s.HELO != ""
	case NeedSender:
		return s.MailFrom != "" || s.HELO != "" || s.ASCII != ""
	case NeedGreeting:
		return s.MailFrom == "" || s.Sender() != "" || s.HELO != ""
	case NeedSelector:
		return len(s.Selectors) > 0
	case NeedMessage:
		return s.Message != nil
	case NeedDNSBL:
		return len(s.DNSBLs) > 0
	case NeedActive:
		return s.Active
	case NeedRelayOpen:
		return s.RelayOpen
	case NeedSmuggling:
		return s.Smuggling
	}
	return false
}

// Sender is the address whose domain SPF is asked for: MailFrom, without brackets;
// "" where it is the null sender or was not given.
func (s *Subject) Sender() string { return strings.Trim(s.MailFrom, "<>") }

// factKey is the name of a fact; facts of different types do not meet.
type factKey[T any] string

type fact[T any] struct {
	found chan struct{} // closed when value is there
	value T
}

// Once gives the fact of that name about s. Whoever asks first finds it out, and the
// others wait for it. find must not ask for the fact itself.
func Once[T any](s *Subject, name string, find func() T) T {
	kept, known := s.facts.LoadOrStore(factKey[T](name), &fact[T]{found: make(chan struct{})})
	f := kept.(*fact[T])
	if known {
		<-f.found
		return f.value
	}
	defer close(f.found)
	f.value = find()
	return f.value
}
