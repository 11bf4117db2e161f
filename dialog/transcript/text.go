package transcript

import (
	"bytes"
	"io"
	"strings"
	"time"
)

// text is the sink for people. It lays out one event at a time and keeps
// nothing back for alignment with later ones, so columns are fixed but within
// an event.
type text struct {
	w       io.Writer
	o       Options
	width   int  // columns that a line may have
	whole   bool // not a terminal: no line is broken
	mark    int  // columns of a mark, but for # and *
	brushes [roles]brush
	signs   signs
	ours    *strings.Replacer // our own signs in ASCII; nil where they are shown

	out  []byte // not yet written
	err  error  // the first error of w; nothing is written after it
	col  int    // columns on the current line
	goal int    // column at which the next piece begins

	begun, blank bool // something was printed; an empty line is due
	warned       bool // a finding was printed, so a quiet run closes with its outcome

	body, side styled // scratch
	spans      []span
	block      block
}

const (
	minWidth  = 60
	maxWidth  = 100
	bareWidth = 72 // below it wire and phase lines have no times
	timeWidth = 10 // kept free at the right for times
)

func newText(w io.Writer, o Options) Sink {
	t := &text{w: w, o: o, width: maxWidth, whole: o.Width <= 0, mark: 1, brushes: palette(o.Color), signs: utf8Signs}
	if !t.whole {
		t.width = min(max(o.Width, minWidth), maxWidth)
	}
	if o.ASCII {
		t.signs, t.mark = asciiSigns, 2
		t.ours = strings.NewReplacer("·", "-", "–", "-", "…", "...", "→", "->", "█", "#")
	}
	return t
}

// Write lays out r and shows it at once: whoever follows a pipe or a file is
// debugging a conversation that may hang.
func (t *text) Write(r Record) {
	lines := t.shown(r.Event)
	t.block = t.measure(lines)
	for i := range lines {
		t.line(lines, i)
	}
	t.flush()
}

// Close writes what is held back.
func (t *text) Close() error {
	t.flush()
	return t.err
}

func (t *text) flush() {
	if t.err == nil && len(t.out) > 0 {
		if t.o.Before != nil {
			t.o.Before()
		}
		_, t.err = t.w.Write(t.out)
	}
	t.out = t.out[:0]
}

// shown are the lines of e at this level of detail.
func (t *text) shown(e Event) []Line {
	lines, kind := e.Lines(), e.Kind()
	keep := func(m Mark) bool { return t.o.Verbose || m != Note }
	if t.o.Quiet {
		switch {
		case kind == ResultKind && closesWell(lines) && !t.warned:
			return nil
		case kind != ResultKind && kind != ReportKind:
			keep = func(m Mark) bool {
				warns := m == Finding || m == Failure
				t.warned = t.warned || warns
				return warns
			}
		}
	}
	for i, l := range lines {
		if !keep(l.Mark) {
			kept := append([]Line(nil), lines[:i]...) // the event's own slice is left alone
			for _, l := range lines[i:] {
				if keep(l.Mark) {
					kept = append(kept, l)
				}
			}
			return kept
		}
	}
	return lines
}

// closesWell reports whether the first closing line among lines says that all
// is well.
func closesWell(lines []Line) bool {
	for _, l := range lines {
		if l.Mark.Closing() {
			return l.Mark == ClosingOK
		}
	}
	return false
}

// own is text of ours in the characters of the stream.
func (t *text) own(s string) string {
	if t.ours == nil {
		return s
	}
	return t.ours.Replace(s)
}

// took is d as it stands at the right edge, "" for none.
func took(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return Duration(d)
}

// to lets the next piece begin at column col; the spaces come with it, so that
// none ends a line.
func (t *text) to(col int) { t.goal = max(t.goal, col) }

// newline ends the line.
func (t *text) newline() {
	t.out = append(t.out, '\n')
	t.col, t.goal = 0, 0
}

// pad writes the spaces that are due.
func (t *text) pad() {
	for ; t.col < t.goal; t.col++ {
		t.out = append(t.out, ' ')
	}
}

// put writes a sign or a word of ours.
func (t *text) put(s string, r role) {
	if s == "" {
		return
	}
	t.pad()
	b := t.brushes[r]
	t.out = append(append(append(t.out, b.on...), s...), b.off...)
	t.col += columns([]byte(s))
	t.goal = t.col
}

// paint writes a piece of s, without the spaces at its end.
func (t *text) paint(s *styled, p span) {
	p.to = p.from + len(bytes.TrimRight(s.text[p.from:p.to], " "))
	if p.from == p.to {
		return
	}
	t.pad()
	from := p.from
	for _, r := range s.runs {
		if r.end <= from {
			continue
		}
		to := min(r.end, p.to)
		b := t.brushes[r.role]
		t.out = append(append(append(t.out, b.on...), s.text[from:to]...), b.off...)
		if from = to; from == p.to {
			break
		}
	}
	t.col += columns(s.text[p.from:p.to])
	t.goal = t.col
}
