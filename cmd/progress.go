package cmd

import (
	"io"
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
	what  string
	from  time.Time
	limit time.Duration
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
			p.mu.Lock()
			what, waited, limit := p.what, time.Since(p.from), p.limit
			p.mu.Unlock()
			if what == "" {
				continue
			}
			spent := seconds(waited)
			if limit > 0 {
				spent += " of " + seconds(limit)
			}
			p.line.Set("waiting for the "+what, spent, "Ctrl-C ends politely")
		}
	}
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
	if p.what != what {
		p.what, p.from, p.limit = what, time.Now(), limit
	}
}

// clear takes the line away before something else is printed.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.what = ""
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
