package route

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// question is what is asked: an absolute name as canonical gives it, and a type.
type question struct {
	name string
	typ  uint16
}

// cache remembers answers, so that the same question asked twice, even at the
// same time, is asked once. Its zero value is ready.
type cache struct {
	mu      sync.Mutex
	entries map[question]*entry
}

type entry struct {
	done  chan struct{} // closed when rep and err are set
	rep   *reply
	err   error
	until time.Time // the zero time while it is being asked
}

// do gives what is known of q, or asks. A failure of the asker's own context is
// not shared: whoever waited for it asks again.
func (c *cache) do(ctx context.Context, q question, ask func() (*reply, error)) (*reply, error) {
	for {
		e, mine := c.claim(q, time.Now())
		if mine {
			rep, err := ask()
			c.settle(q, e, rep, err, time.Now())
			return rep, err
		}
		select {
		case <-e.done:
			if !stopped(e.err) {
				return e.rep, e.err
			}
		case <-ctx.Done():
			return nil, &Error{Name: trim(q.name), Type: dns.TypeToString[q.typ], Kind: Stopped, Err: context.Cause(ctx)}
		}
	}
}

// claim finds the entry for q, or makes one that the caller has to settle.
func (c *cache) claim(q question, now time.Time) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[q]; e != nil && !e.over(now) {
		return e, false
	}
	if c.entries == nil {
		c.entries = make(map[question]*entry)
	}
	if len(c.entries) >= maxCached {
		c.forget(now)
	}
	e = &entry{done: make(chan struct{})}
	c.entries[q] = e
	return e, true
}

func (c *cache) settle(q question, e *entry, rep *reply, err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.rep, e.err = rep, err
	keep := minCached
	if rep != nil {
		keep = max(keep, rep.keep)
	}
	e.until = now.Add(keep)
	if stopped(err) && c.entries[q] == e {
		delete(c.entries, q)
	}
	close(e.done)
}

// forget makes room: what is over goes, or else whatever comes first.
func (c *cache) forget(now time.Time) {
	for q, e := range c.entries {
		if e.over(now) {
			delete(c.entries, q)
		}
	}
	for q := range c.entries {
		if len(c.entries) < maxCached {
			return
		}
		delete(c.entries, q)
	}
}

func (e *entry) over(now time.Time) bool { return !e.until.IsZero() && now.After(e.until) }

func stopped(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == Stopped
}
