package mutate

import (
	"fmt"
	"sync/atomic"
	"time"
)

const (
	slow = 2 * time.Second  // a round may take so long
	hung = 60 * time.Second // a round that does not end is shown with its stack
)

// watch looks at the rounds from beside: a clock read in each would cost as much as
// the fast properties do.
type watch struct {
	round, behind atomic.Uint64 // the present round; the last one that was slow
	done          chan struct{}
}

// newWatch begins to watch; entry is asked for the input of a round that does not end.
func newWatch(entry func() string) *watch {
	w := &watch{done: make(chan struct{})}
	go func() {
		tick := time.NewTicker(slow / 20)
		defer tick.Stop()
		var seen uint64
		since := time.Now()
		for {
			select {
			case <-w.done:
				return
			case now := <-tick.C:
				if round := w.round.Load(); round != seen {
					seen, since = round, now
					continue
				}
				switch took := now.Sub(since); {
				case took > hung:
					// A property cannot be interrupted. The stack shows where it hangs.
					panic(fmt.Sprintf("one input takes over %v:\n%s", hung, entry()))
				case took > slow:
					w.behind.Store(seen)
				}
			}
		}
	}()
	return w
}

// begin begins a round.
func (w *watch) begin() { w.round.Add(1) }

// late reports whether the present round has taken over slow.
func (w *watch) late() bool { return w.behind.Load() == w.round.Load() }

func (w *watch) stop() { close(w.done) }
