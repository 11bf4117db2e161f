package load

import (
	"context"
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
}

func newPace(ctx context.Context, o Offer, began time.Time) *pace {
	p := &pace{ctx: ctx, began: began, count: o.Count}
	if o.Duration > 0 {
		p.until = began.Add(o.Duration)
	}
	if o.Rate > 0 {
		p.every = max(1, time.Duration(float64(time.Second)/o.Rate))
	}
	return p
}

// next gives the number of another message and the time at which it is due: with
// a rate that is not when a session is free for it, so that waiting for one counts
// as part of its latency.
func (p *pace) next(now time.Time) (n int64, due time.Time, ok bool) {
	if p.ctx.Err() != nil || !p.until.IsZero() && !now.Before(p.until) {
		return 0, due, false
	}
	n = p.dealt.Add(1) - 1
	if due = now; p.every > 0 {
		due = p.began.Add(time.Duration(n) * p.every)
	}
	if p.count > 0 && n >= p.count || !p.until.IsZero() && !due.Before(p.until) {
		p.dealt.Add(-1)
		return 0, due, false
	}
	return n, due, true
}

// wait waits until due, and reports whether ctx goes on.
func (p *pace) wait(due time.Time) bool {
	d := time.Until(due)
	if d <= 0 {
		return p.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// late is how many messages were due before now, or the end, and not dealt out.
func (p *pace) late(now time.Time) int64 {
	if p.every == 0 {
		return 0
	}
	if !p.until.IsZero() && now.After(p.until) {
		now = p.until
	}
	due := int64((now.Sub(p.began)-1)/p.every) + 1
	if p.count > 0 {
		due = min(due, p.count)
	}
	return max(0, due-p.dealt.Load())
}
