// Package scan tries the TLS of one server piece by piece: a connection for each
// thing that a handshake can be made to show.
//
//	Options  what to try
//	Report   what was seen
//	Attempt  one handshake that was made for one version, suite or group
package scan

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// Options are what is tried beyond the first conversation, the versions and
// whether a session is resumed.
type Options struct {
	Brief  bool // nothing but the versions that the first conversation does not show
	Once   bool // not even these
	Suites bool // each suite of TLS 1.0 to 1.2 and each group by itself
	Active bool // a command injected behind STARTTLS
	// Tried is told of every attempt as it ends; may be nil.
	Tried func(Attempt)
}

// Attempt is one handshake that offered one thing only.
type Attempt struct {
	What     string // "TLS 1.2", "X25519", "TLS_RSA_WITH_AES_128_CBC_SHA"
	Accepted bool
	// Untested is why the attempt says nothing: the server was not reached, say.
	Untested string
	Suite    uint16 // that was negotiated
	Group    tls.CurveID
	Took     time.Duration
}

// Report is what one address showed.
type Report struct {
	Visit     reach.Visit // the first conversation
	Versions  []Attempt   // oldest first
	Suites    []Attempt
	Groups    []Attempt
	Tickets   int     // session tickets that the first conversation was given
	Resumed   Attempt // accepted: a second connection took the session up; the zero Attempt without tickets
	Injection dialog.Injection
	Tries     int // connections that were made
}

// patience is how many attempts in a row may say nothing. A server that lets nobody
// in any more is left alone after them.
const patience = 3

// Versions are those that are tried, oldest first.
func Versions() []uint16 {
	return []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}
}

// Connections is how many an address will see at most.
func (o Options) Connections() int {
	n := 1 // the conversation first
	switch {
	case o.Once:
	case o.Brief:
		n += len(Versions()) - 1
	default:
		n += len(Versions()) + 1 // resumption
	}
	if o.Suites {
		n += len(dialog.Suites()) + len(dialog.Groups())
	}
	if o.Active {
		n++
	}
	return n
}

// Run converses with hop once, as r says, and then tries the rest, one connection
// at a time and in silence. Without a handshake in the first conversation there
// is no rest. What could not be tried, as the server took no more connections or ctx
// ended, stands in the lists as untested.
func Run(ctx context.Context, r *reach.Reach, hop reach.Hop, o Options) Report {
	sessions := &sessions{}
	first := *r
	first.Session.TLS.Sessions = sessions
	report := Report{Visit: first.Visit(ctx, hop, Conversation()), Tries: 1}
	report.Tickets = sessions.count()
	rest(ctx, r, hop, o, sessions, &report)
	return report
}

// Rest tries what is left behind a first conversation with hop that was had before: it is
// Run without it. A session is not resumed.
func Rest(ctx context.Context, r *reach.Reach, hop reach.Hop, first reach.Visit, o Options) Report {
	report := Report{Visit: first}
	rest(ctx, r, hop, o, &sessions{}, &report)
	return report
}

func rest(ctx context.Context, r *reach.Reach, hop reach.Hop, o Options, sessions *sessions, report *Report) {
	first := report.Visit.Report.TLS
	if first == nil || ctx.Err() != nil {
		return
	}
	s := &scanner{Reach: *r, hop: hop, Options: o, report: report}
	s.Session.Stream, s.Session.TLS.Prove = nil, nil
	s.Session.TLS.Policy = dialog.PolicyMust
	list := func(to *[]Attempt, what string, change func(*dialog.TLS)) {
		*to = append(*to, s.try(ctx, what, change))
	}
	for _, v := range Versions() {
		switch {
		case o.Once:
		case o.Brief && v == first.Version:
			report.Versions = append(report.Versions, Attempt{What: tls.VersionName(v), Accepted: true, Suite: first.Suite, Group: first.Group})
		default:
			list(&report.Versions, tls.VersionName(v), func(t *dialog.TLS) { t.MinVersion, t.MaxVersion = v, v })
		}
	}
	switch {
	case report.Tickets == 0 || o.Brief || o.Once:
	case time.Now().After(first.Chain[0].NotAfter):
		report.Resumed = Attempt{What: "resumption", Untested: "the Go library takes up no session of an expired certificate"}
	default:
		report.Resumed = s.try(ctx, "resumption", func(t *dialog.TLS) { t.Sessions = sessions })
	}
	if o.Suites {
		for _, id := range dialog.Suites() {
			list(&report.Suites, tls.CipherSuiteName(id), func(t *dialog.TLS) {
				t.MinVersion, t.MaxVersion, t.Suites = tls.VersionTLS10, tls.VersionTLS12, []uint16{id}
			})
		}
		for _, g := range dialog.Groups() {
			list(&report.Groups, g.String(), func(t *dialog.TLS) { t.Groups = []tls.CurveID{g} })
			// Where the server chose RSA key exchange instead, the group was not used.
			last := &report.Groups[len(report.Groups)-1]
			last.Accepted = last.Accepted && last.Group == g
		}
	}
	if o.Active && !hop.Implicit {
		s.inject(ctx)
	}
}

// Conversation is the plan that shows everything once: the banner, EHLO, STARTTLS, EHLO
// under TLS.
func Conversation() dialog.Plan {
	return dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Quit()}
}

// scanner tries one thing after the other at one address.
type scanner struct {
	reach.Reach
	Options
	hop    reach.Hop
	report *Report
	vain   int // attempts in a row that said nothing
}

// try makes one handshake that change has narrowed, or taken up a session with.
func (s *scanner) try(ctx context.Context, what string, change func(*dialog.TLS)) Attempt {
	a := Attempt{What: what}
	switch {
	case ctx.Err() != nil:
		a.Untested = context.Cause(ctx).Error()
	case s.vain == patience:
		a.Untested = fmt.Sprintf("left out, as %d attempts before it came to nothing", patience)
	default:
		s.handshake(ctx, &a, change)
	}
	if s.Tried != nil {
		s.Tried(a)
	}
	return a
}

func (s *scanner) handshake(ctx context.Context, a *Attempt, change func(*dialog.TLS)) {
	r := s.Reach
	change(&r.Session.TLS)
	began := time.Now()
	visit := r.Visit(ctx, s.hop, Conversation())
	a.Took = time.Since(began)
	s.report.Tries++
	switch seen := visit.Report.TLS; {
	case seen != nil:
		a.Accepted, a.Suite, a.Group = true, seen.Suite, seen.Group
		if r.Session.TLS.Sessions != nil {
			a.Accepted = seen.Resumed
		}
	case ctx.Err() != nil:
		a.Untested = context.Cause(ctx).Error()
	case !rejected(visit.Err):
		a.Untested = "no handshake"
		if visit.Err != nil {
			a.Untested = visit.Err.Error()
		}
	}
	if s.vain++; a.Untested == "" {
		s.vain = 0
	}
}

// rejected reports whether err is the server's answer to what the handshake
// offered. What ended before the handshake, or for another reason, is none.
func rejected(err error) bool {
	var failed *dialog.TLSError
	if !errors.As(err, &failed) {
		return false
	}
	switch failed.Kind {
	case dialog.TLSFailed, dialog.TLSClosed, dialog.TLSVersion, dialog.TLSSuite:
		return true
	}
	return false
}

// inject is left out where the server lets nobody in any more.
func (s *scanner) inject(ctx context.Context) {
	if ctx.Err() != nil || s.vain == patience {
		return
	}
	s.report.Tries++
	s.Visit(ctx, s.hop, dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.InjectCommand(&s.report.Injection)})
	if ctx.Err() != nil {
		s.report.Injection = dialog.InjectionUntested
	}
}

// sessions keeps the last session and counts the tickets.
type sessions struct {
	mu    sync.Mutex
	last  *tls.ClientSessionState
	given int
}

// Get gives the last session.
func (s *sessions) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.last != nil
}

// Put keeps one; nil takes the last one back, as the library does with one that
// it has used up.
func (s *sessions) Put(_ string, state *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != nil {
		s.given++
	}
	s.last = state
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given
}
