package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// session is one connection at a time.
type session struct {
	*Offer
	*words
	deck  *deck
	reach *reach.Reach
	hop   reach.Hop
	pace  *pace

	job   *job // that is to be sent next; nil asks for another
	jobs  [2]job
	turn  int // which of them was taken last
	steps []dialog.Step
	open  bool      // a transaction that RSET has to end
	sent  int       // messages on this connection
	most  int       // of them that it carries; 0 is no limit
	told  bool      // what ended it is counted
	over  bool      // a reply that is counted has ended it: a 421, or one before the end of its message
	left  time.Time // when the exchange that is under way began
	heard time.Time // when the last reply that is counted came
	doubtful
	outcomes []dialog.Outcome // of the message that is being settled

	carried int64 // messages that were answered, on all connections
	*tally
}

// tally is what came of the messages of some sessions.
type tally struct {
	mu     sync.Mutex // held to change result, and to read it meanwhile
	result *Result
}

// job is one message on its way.
type job struct {
	*Message
	due  time.Time
	body body
	took int // recipients that were accepted
}

// patience is how many connections in a row may carry no message. A server that
// lets nobody in is left alone after them.
const patience = 5

// run makes connections until the offer is used up.
func (s *session) run(ctx context.Context) {
	for idle := 0; ctx.Err() == nil && s.take(); {
		before := s.carried
		s.visit(ctx)
		if s.carried > before {
			idle = 0
			continue
		}
		if idle++; idle == patience && (s.job != nil || !s.pace.over(time.Now())) {
			s.mu.Lock()
			s.result.GaveUp++
			s.mu.Unlock()
		}
		if idle == patience || !s.pace.wait(time.Now().Add(time.Duration(idle*idle)*20*time.Millisecond)) {
			break
		}
	}
	if s.job != nil { // it was never begun, or not heard of
		s.pace.dealt.Add(-1)
	}
}

// take takes the next job, and waits until it is due.
func (s *session) take() bool { return s.peek(true) && s.pace.wait(s.job.due) }

// peek takes the next job, and does not wait; early says that it may be due later.
func (s *session) peek(early bool) bool {
	if s.job != nil {
		return true
	}
	n, due, ok := s.pace.next(time.Now(), early)
	if !ok {
		return false
	}
	s.turn = 1 - s.turn // the other one may be under way
	s.job = &s.jobs[s.turn]
	*s.job = job{Message: s.deck.deal(n), due: due}
	return true
}

// visit makes one connection and sends what it is to carry.
func (s *session) visit(ctx context.Context) {
	s.open, s.sent, s.told, s.over, s.heard, s.doubtful = false, 0, false, false, time.Time{}, doubtful{}
	began := time.Now()
	clock := func(p dialog.Phase, counts func(*dialog.Session) bool, stage dialog.Stage) dialog.Stage {
		return dialog.Stage{Do: func(ctx context.Context, d *dialog.Session) error {
			if p != dialog.PhaseConnect { // whose time began with the connection
				began = time.Now()
			}
			err := stage.Do(ctx, d)
			took := time.Since(began)
			if err == nil && counts(d) || s.inVain(err, took) {
				s.mu.Lock()
				s.result.Latency[p].Add(took)
				s.mu.Unlock()
			}
			return err
		}}
	}
	always := func(*dialog.Session) bool { return true }
	plan := dialog.Plan{
		clock(dialog.PhaseConnect, always, dialog.Greet()),
		clock(dialog.PhaseFirstHello, always, dialog.Hello()),
		clock(dialog.PhaseTLS, func(d *dialog.Session) bool { return d.Report.TLS != nil && !d.Report.TLS.Implicit }, dialog.StartTLS()),
		clock(dialog.PhaseAuth, func(d *dialog.Session) bool { return d.Report.Auth != nil }, dialog.Auth()),
		{Do: s.converse},
		dialog.Quit(),
	}
	visit := s.reach.Visit(ctx, s.hop, plan)
	s.mu.Lock()
	defer s.mu.Unlock()
	if visit.Reached {
		s.result.Connections++
	}
	if s.sent > 0 && s.result.Report.Banner == nil {
		s.result.Report = visit.Report
	}
	if visit.Err == nil {
		return
	}
	if !s.told {
		s.failed(visit.Err, dialog.PhaseQuit)
	}
	if dialog.OutOfStep(visit.Err) { // behind the last message
		s.doubt()
	}
	if waited := time.Since(began); !visit.Reached && s.inVain(visit.Err, waited) {
		s.result.Latency[dialog.PhaseConnect].Add(waited)
	}
	if s.job != nil && s.sent == 0 { // it was meant for this connection
		s.result.Failed++
		s.result.ended = time.Now()
		s.vain(s.job, visit.Err)
		s.job = nil
	}
}

// slow is how long somebody has to have waited on a connection that is lost for that
// to say something of the server's latency.
const slow = time.Second

// inVain reports whether err ended a wait that belongs to the latencies: a reply that
// did not come until the time was up is among the slowest, and leaving it out would
// flatter the server.
func (s *session) inVain(err error, waited time.Duration) bool {
	if err == nil {
		return false
	}
	var limit interface{ Timeout() bool }
	if errors.As(err, &limit) && limit.Timeout() {
		return true
	}
	if cause := context.Cause(s.pace.ctx); cause != nil && errors.Is(err, cause) {
		return true
	}
	return waited >= slow && errors.As(err, new(*dialog.LostError))
}
