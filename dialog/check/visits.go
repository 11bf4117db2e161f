package check

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/scan"
)

// Look is what a check has to see of a server. What is asked for by several checks, hosts
// or domains of a run is looked at once.
type Look uint8

// What is looked at, each a bit.
const (
	lookGreeting  Look = 1 << iota // the banner and the reply to EHLO: a connection to an address
	lookTLS                        // on the same connection, STARTTLS and EHLO behind it
	lookName                       // a handshake for each name that leads to the address
	lookVersions                   // a connection for each further version of TLS
	lookInjection                  // a connection more
	lookMailboxes                  // likewise
	lookRelay                      // likewise
)

// The looks of checks. What is behind STARTTLS needs what is before it.
const (
	LookGreeting  = lookGreeting
	LookTLS       = LookGreeting | lookTLS  // what does not depend on the server's name
	LookName      = LookTLS | lookName      // what does: its certificate
	LookVersions  = LookTLS | lookVersions  // which versions it speaks
	LookInjection = LookTLS | lookInjection // what it makes of a command behind STARTTLS
	LookMailboxes = LookTLS | lookMailboxes // what it says of mailboxes
	LookRelay     = LookTLS | lookRelay     // whether it relays
)

// has reports whether l has all of other in it.
func (l Look) has(other Look) bool { return l&other == other }

// talks is how many conversations beyond those of visits an address will see.
func (l Look) talks() int {
	n := 0
	for _, talk := range []Look{lookMailboxes, lookRelay} {
		if l.has(talk) {
			n++
		}
	}
	return n
}

// Visits are what addresses showed to the subjects of a run that share them, and what they
// were bothered with. The zero value is good. It is safe for concurrent use.
type Visits struct {
	mu     sync.Mutex
	places map[string]*place
}

// place is an address with its port, as a run has seen it.
type place struct {
	turn chan struct{} // holds a token while nobody converses

	// Guarded by Visits.mu.
	seen int       // connections
	last time.Time // when the last one ended

	// Guarded by turn.
	shown     []shown
	versions  []scan.Attempt // nil before they were tried
	injected  bool
	injection dialog.Injection
}

// shown is what a place showed in one conversation.
type shown struct {
	name  string // that TLS was asked for
	tls   bool   // STARTTLS was tried
	visit reach.Visit
}

// at is the place that an address names.
func (v *Visits) at(address string) *place {
	if at, err := netip.ParseAddrPort(address); err == nil {
		address = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.places[address]
	if p == nil {
		p = &place{turn: make(chan struct{}, 1)}
		p.turn <- struct{}{}
		if v.places == nil {
			v.places = map[string]*place{}
		}
		v.places[address] = p
	}
	return p
}

// visit fills in what v shows: by what its address showed before, and what is looked at now.
func (s *Subject) visit(ctx context.Context, v *Server, looks Look) {
	r, manners := s.polite()
	here := *r
	here.Session.TLS.Name = v.Host
	v.at = r.Session.Now()
	if v.DANE != nil && v.DANE.State == policy.Usable && here.Session.TLS.SNI == "" {
		here.Session.TLS.SNI = v.DANE.Base // RFC 7672 section 8.1
	}
	err := manners.converse(ctx, v.address, func() {
		p := manners.visits.at(v.address)
		room := manners.room(v.address, looks.talks())
		v.Report.Visit, v.apart = p.meet(ctx, &here, v.hop, looks, room)
		p.search(ctx, &here, v, looks)
	})
	if err != nil {
		v.Report.Visit.Err = err
	}
}

// meet gives what a conversation with p shows by the name that r wants. One that was had
// before does where nothing in it depends on the name. The error says why there is none by
// that name: then it is one by another. room says whether p may be connected to for it.
func (p *place) meet(ctx context.Context, r *reach.Reach, hop reach.Hop, looks Look, room error) (reach.Visit, error) {
	name := r.Session.TLS.Name + " " + r.Session.TLS.SNI
	var before *shown
	for i := range p.shown {
		had := &p.shown[i]
		if !had.tls && looks.has(lookTLS) {
			continue
		}
		if had.name == name || !looks.has(lookName) || !had.shook() {
			return had.visit, nil
		}
		before = had
	}
	apart := func(err error) (reach.Visit, error) {
		return before.visit, fmt.Errorf("what it shows by this name is not known: %w", reason(err))
	}
	if before != nil && room != nil {
		return apart(room)
	}
	plan := dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.Quit()}
	if looks.has(lookTLS) {
		plan = scan.Conversation()
	}
	now := shown{name: name, tls: looks.has(lookTLS), visit: r.Visit(ctx, hop, plan)}
	switch {
	case ctx.Err() != nil && before == nil:
		return now.visit, nil
	case before != nil && !now.shook(): // it has shown before that it takes mail
		return apart(now.visit.Err)
	}
	p.shown = append(p.shown, now)
	return now.visit, nil
}

// shook reports whether a handshake began, by whose name a server may choose what it shows
// (RFC 6066 section 3).
func (s *shown) shook() bool {
	var at *dialog.Error
	var failed *dialog.TLSError
	switch err := s.visit.Err; {
	case s.visit.Report.TLS != nil:
		return true
	case errors.As(err, &failed):
		return failed.Kind != dialog.TLSNotOffered && failed.Kind != dialog.TLSRefused
	default:
		return errors.As(err, &at) && at.Phase == dialog.PhaseTLS
	}
}

// search fills in what p shows beyond a conversation, whatever its name.
func (p *place) search(ctx context.Context, r *reach.Reach, v *Server, looks Look) {
	o := scan.Options{Brief: true, Once: !looks.has(lookVersions) || p.versions != nil, Active: looks.has(lookInjection) && !p.injected}
	if (o.Active || !o.Once) && v.Report.Visit.Report.TLS != nil && ctx.Err() == nil {
		found := scan.Rest(ctx, r, v.hop, v.Report.Visit, o)
		if !o.Once {
			p.versions = found.Versions
		}
		if o.Active {
			p.injected, p.injection = true, found.Injection
		}
	}
	v.Report.Versions, v.Report.Injection = p.versions, p.injection
}
