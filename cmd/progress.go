package cmd

import (
	"io"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// progress keeps the line on standard error that says what a run waits for. It
// draws from a goroutine of its own, which runs only on a terminal.
type progress struct {
	err  io.Writer
	line *transcript.Progress
	done chan struct{}
	once sync.Once

	mu    sync.Mutex
	what  string // is waited for
	from  time.Time
	limit time.Duration
	body  *flow // that is being written, or nil
}

// newProgress is nil where standard error is no terminal; every method works on
// nil.
func newProgress(env Env, colored bool) *progress {
	line := transcript.NewProgress(env.Err, env.ErrWidth, transcript.ASCII(env.Getenv), time.Now)
	if line == nil {
		return nil
	}
	line.Color = colored
	p := &progress{err: env.Err, line: line, done: make(chan struct{})}
	go p.draw()
	return p
}

func (p *progress) draw() {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
			if what, values := p.state(time.Now()); what != "" {
				p.line.Set(what, values...)
			}
		}
	}
}

// state is what the line says, "" if nothing goes on.
func (p *progress) state(now time.Time) (what string, values []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.body != nil:
		return "sending the message", p.body.values(now)
	case p.what == "":
		return "", nil
	}
	spent := seconds(now.Sub(p.from))
	if p.limit > 0 {
		spent += " of " + seconds(p.limit)
	}
	return "waiting for the " + p.what, []string{spent, "Ctrl-C ends politely"}
}

// seconds is a wait in whole seconds.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return strconv.Itoa(int(d/time.Second)) + " s"
	}
	return transcript.Duration(d.Truncate(time.Second))
}

// wait is what a conversation tells of its waits, nil without a terminal.
func (p *progress) wait() func(dialog.Waiting) {
	if p == nil {
		return nil
	}
	return func(w dialog.Waiting) { p.begin(w.For, w.Limit) }
}

func (p *progress) begin(what string, limit time.Duration) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.body = nil
	if p.what != what {
		p.what, p.from, p.limit = what, time.Now(), limit
	}
}

// write is what a conversation tells of a message that it writes, nil without a
// terminal.
func (p *progress) write() func(done, total int64) {
	if p == nil {
		return nil
	}
	return func(done, total int64) {
		if total <= shortBody {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.body == nil || done < p.body.done { // again, or another one
			p.what, p.body = "", &flow{total: total}
		}
		p.body.done = done
	}
}

// clear takes the line away before something else is printed.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.what, p.body = "", nil
	p.mu.Unlock()
	p.line.Clear()
}

// wipe takes away what stands on the terminal's line, such as the ^C that the
// terminal has put there itself.
func (p *progress) wipe() { _, _ = io.WriteString(p.err, "\r\x1b[K") }

func (p *progress) close() {
	if p == nil {
		return
	}
	p.once.Do(func() { close(p.done) })
	p.clear()
}

// shortBody is what is written so fast that nobody asks how far it is.
const shortBody = 1 << 20

// flow is how far a body is written.
type flow struct {
	done, total int64
	marks       []mark // where it was at the last drawings, the oldest first
}

type mark struct {
	at   time.Time
	done int64
}

// values are the bytes, the speed of the last seconds, in which a stall shows, and
// the time that is left at that speed:
//
//	412.0 MiB of 1.0 GiB   84.0 MiB/s   8 s left
func (f *flow) values(now time.Time) []string {
	if f.marks = append(f.marks, mark{now, f.done}); len(f.marks) > 20 {
		f.marks = f.marks[1:]
	}
	values := []string{transcript.Bytes(f.done) + " of " + transcript.Bytes(f.total)}
	first := f.marks[0]
	span := now.Sub(first.at).Seconds()
	if span <= 0 {
		return values
	}
	speed := float64(f.done-first.done) / span
	values = append(values, transcript.Bytes(int64(speed))+"/s")
	if left := float64(f.total-f.done) / speed; left < math.MaxInt32 {
		values = append(values, seconds(time.Duration(math.Ceil(left))*time.Second)+" left")
	}
	return values
}
