package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// pace deals out the messages of an offer to its sessions.
type pace struct {
	ctx   context.Context
	began time.Time
	until time.Time     // after which none is begun; zero is never
	count int64         // 0 is no limit
	every time.Duration // between the times at which two are due; 0 is at once
	dealt atomic.Int64
	once  sync.Once
	spent chan struct{} // closed when a session has asked in vain
}

func newPace(ctx context.Context, o Offer, began time.Time) *pace {
	p := &pace{ctx: ctx, began: began, count: o.Count, spent: make(chan struct{})}
	if o.Duration > 0 {
		p.until = began.Add(o.Duration)
	}
	if o.Rate > 0 {
		p.every = o.every()
	}
	return p
}

// every is the time between two messages that the rate makes due.
func (o *Offer) every() time.Duration { return max(1, time.Duration(float64(time.Second)/o.Rate)) }

// Due is how many messages the rate, of which there has to be one, makes due in the
// first d of a run, whether Count allows as many or not.
func (o *Offer) Due(d time.Duration) int64 { return dueIn(d, o.every()) }

func dueIn(d, every time.Duration) int64 { return int64((d-1)/every) + 1 }

// timed reports whether messages are due at times of their own.
func (p *pace) timed() bool { return p.every > 0 }

// due is when message n is due: with a rate that is not when a session is free for
// it, so that waiting for one counts as part of its latency.
func (p *pace) due(n int64, now time.Time) time.Time {
	if p.timed() {
		return p.began.Add(time.Duration(n) * p.every)
	}
	return now
}

// none reports whether message n is beyond what is offered.
func (p *pace) none(n int64, now time.Time) bool {
	if p.ctx.Err() != nil || p.count > 0 && n >= p.count {
		return true
	}
	return !p.until.IsZero() && (!now.Before(p.until) || !p.due(n, now).Before(p.until))
}

// over reports whether no message is left to deal out.
func (p *pace) over(now time.Time) bool { return p.none(p.dealt.Load(), now) }

// next gives the number of another message and the time at which it is due; where
// early is not set, only one that is due by now: whoever is busy leaves the others
// to those who are not.
func (p *pace) next(now time.Time, early bool) (n int64, due time.Time, ok bool) {
	for {
		n = p.dealt.Load()
		if p.none(n, now) {
			p.once.Do(func() { close(p.spent) })
			return 0, due, false
		}
		if due = p.due(n, now); !early && due.After(now) {
			return 0, due, false
		}
		if p.dealt.CompareAndSwap(n, n+1) {
			return n, due, true
		}
	}
}

// wait waits until due, and reports whether ctx goes on.
func (p *pace) wait(due time.Time) bool { return p.waitUnless(due, nil) }

// waitUnless is wait, given up once vain is closed.
func (p *pace) waitUnless(due time.Time, vain <-chan struct{}) bool {
	d := time.Until(due)
	if d <= 0 {
		return p.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-vain:
	case <-p.ctx.Done():
	}
	return false
}

// begin waits until a session is to begin, and reports whether anything is left
// for it then.
func (p *pace) begin(at time.Time) bool {
	return (p.until.IsZero() || at.Before(p.until)) && p.waitUnless(at, p.spent)
}

// late is how many messages were due before now, or the end, and not dealt out.
func (p *pace) late(now time.Time) int64 {
	if !p.timed() {
		return 0
	}
	if !p.until.IsZero() && now.After(p.until) {
		now = p.until
	}
	due := dueIn(now.Sub(p.began), p.every)
	if p.count > 0 {
		due = min(due, p.count)
	}
	return max(0, due-p.dealt.Load())
}
