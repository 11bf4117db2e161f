// Package load offers mail to a server, as much as it takes or at a rate, and
// measures what comes of it.
//
//	Offer      what is offered: sessions, messages, how long, how fast
//	Run        offers it
//	Message    a message that is ready for the wire, by DATA and by BDAT
//	Result     what came of it: outcomes, faults, latencies by what took the time
//	Histogram  latencies in buckets of nearly equal relative width
//	Threshold  a bound on a figure of a Result: "p99>250ms"
package load

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// overtime is Offer.Overtime where that is not set: a message on its way is seldom
// longer, and a server that stands still is not waited for, unless somebody has said
// how long a reply may take.
func overtime(t dialog.Timeouts) time.Duration {
	limit, usual := 10*time.Second, dialog.DefaultTimeouts()
	for _, reply := range [...]struct{ own, usual time.Duration }{{t.Banner, usual.Banner}, {t.Reply, usual.Reply}, {t.Dot, usual.Dot}} {
		if reply.own != reply.usual {
			limit = max(limit, reply.own)
		}
	}
	return limit
}

// Offer is what is offered.
type Offer struct {
	From     string
	To       []string      // the recipients of every message, without their brackets
	Messages []*Message    // sent in turn, each as often as its weight says
	Sessions int           // connections at a time
	Count    int64         // messages in all; 0 is no limit
	Duration time.Duration // after which no message is begun; 0 is no limit
	Rate     float64       // messages a second, over all sessions; 0 is as fast as they are taken
	Overtime time.Duration // for what is under way behind Duration; 0 is 10 s, and more where replies are given more than by default
	Ramp     time.Duration // over which the sessions begin, one after the other
	PerConn  int           // messages on one connection; 0 keeps it
	Lockstep bool          // each command waits for the reply before it
	Grace    time.Duration // for what is under way when ctx is cancelled
	Last     time.Duration // for the same when the time of ctx is up; no farewell is waited for behind either
}

// Run makes the offer to hop until it is used up or ctx ends. Told is called a few
// times a second, if it is set, with what has come of it so far; Run returns it all.
// Sessions are silent: r's stream is not used.
//
// The error says which address cannot stand in a command.
func Run(ctx context.Context, r *reach.Reach, hop reach.Hop, o Offer, told func(*Result)) (*Result, error) {
	said, err := newWords(&o)
	if err != nil {
		return nil, err
	}
	quiet := *r
	quiet.Session.Stream, quiet.Session.Waiting, quiet.Session.Writing, quiet.Visited = nil, nil, nil, nil
	// The end of ctx lets what is under way come to its end.
	within, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	impatient, hurry := quiet.Session.Hurry, make(chan struct{})
	quiet.Session.Hurry = hurry
	end := sync.OnceFunc(func() { close(hurry) })
	if o.Duration > 0 {
		limit := cmp.Or(o.Overtime, overtime(r.Session.Timeouts))
		timer := time.AfterFunc(o.Duration+limit, func() {
			cut(&dialog.TimeoutError{For: "reply", After: limit})
			end()
		})
		defer timer.Stop()
	}
	stop := context.AfterFunc(ctx, func() {
		grace := o.Grace
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			grace = o.Last
		}
		select {
		case <-time.After(grace):
		case <-impatient:
		case <-within.Done():
		}
		cut(context.Cause(ctx))
		end()
	})
	defer stop()

	began := time.Now()
	p := newPace(ctx, o, began)
	deck := newDeck(o.Messages)
	tallies := make([]*tally, min(o.Sessions, 8)) // few, so that many sessions cost little memory
	for i := range tallies {
		tallies[i] = &tally{result: newResult()}
	}
	var all sync.WaitGroup
	for i := range o.Sessions {
		own := quiet
		own.Session.Memory = new(dialog.Memory)
		s := &session{Offer: &o, words: said, deck: deck, reach: &own, hop: hop, pace: p, tally: tallies[i%len(tallies)]}
		all.Go(func() {
			if p.begin(began.Add(o.Ramp * time.Duration(i) / time.Duration(o.Sessions))) {
				s.run(within)
			}
		})
	}
	sum := func() *Result {
		result := newResult()
		for _, t := range tallies {
			t.mu.Lock()
			result.add(t.result)
			t.mu.Unlock()
		}
		result.Took = time.Since(began)
		return result
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	if told != nil {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for waiting := true; waiting; {
			select {
			case <-done:
				waiting = false
			case <-tick.C:
				told(sum())
			}
		}
	}
	<-done
	result := sum()
	if !result.ended.IsZero() {
		result.Took = result.ended.Sub(began)
	}
	result.Late = p.late(time.Now())
	result.Interrupted = context.Cause(ctx)
	if o.Count > 0 {
		result.Left = o.Count - p.dealt.Load()
	}
	return result, nil
}
