package transcript

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/fatih/color"
)

const (
	patience = 2 * time.Second        // a shorter wait is not spoken of
	redraw   = 250 * time.Millisecond // between two drawings
)

// Progress is the line on a terminal that says what a long wait waits for:
//
//	… waiting for the reply to DATA   4 s of 30 s   Ctrl-C ends politely
//
// It has no clock of its own: whoever waits calls Set a few times a second. It
// is safe for concurrent use, and a nil *Progress does nothing.
type Progress struct {
	// Color makes the line dim. It is set before the first use.
	Color bool

	w     io.Writer
	width int
	ascii bool
	now   func() time.Time

	mu    sync.Mutex
	what  string
	since time.Time // when the wait began
	drawn time.Time // when it was last drawn; zero when the line is empty
}

// NewProgress gives the progress line of a terminal of width columns, or nil
// when w is not a terminal (width 0).
func NewProgress(w io.Writer, width int, ascii bool, now func() time.Time) *Progress {
	if width <= 0 {
		return nil
	}
	return &Progress{w: w, width: width, ascii: ascii, now: now}
}

// Set says what is waited for, and how it stands. A new what begins a new
// wait; one that has lasted 2 s is drawn, at most four times a second. Values
// are left out from the right until the line fits. A failed write is ignored:
// nothing depends on this line.
func (p *Progress) Set(what string, values ...string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if what != p.what || p.since.IsZero() {
		p.what, p.since = what, now
	}
	if now.Sub(p.since) < patience || !p.drawn.IsZero() && now.Sub(p.drawn) < redraw {
		return
	}
	p.drawn = now
	_, _ = io.WriteString(p.w, "\r\x1b[K"+p.line(what, values))
}

// Clear takes the line away and ends the wait. The next one has to last 2 s
// again, so that nothing is drawn into what the caller prints now.
func (p *Progress) Clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.drawn.IsZero() {
		_, _ = io.WriteString(p.w, "\r\x1b[K")
	}
	p.since, p.drawn = time.Time{}, time.Time{}
}

// line lays out the text, one column short of the terminal: some go to the
// next line when the last column is filled.
func (p *Progress) line(what string, values []string) string {
	more := utf8Signs.more
	if p.ascii {
		more = asciiSigns.more
	}
	line, room := more+" "+Escape(what, p.ascii), p.width-1
	for columns([]byte(line)) > room {
		r := []rune(line)
		line = string(r[:len(r)-1])
	}
	for _, v := range values {
		longer := line + "   " + Escape(v, p.ascii)
		if columns([]byte(longer)) > room {
			break
		}
		line = longer
	}
	if p.Color {
		dim := color.New(color.Faint)
		dim.EnableColor()
		var b strings.Builder
		dim.Fprint(&b, line)
		return b.String()
	}
	return line
}
