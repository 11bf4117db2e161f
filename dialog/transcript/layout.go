package transcript

import (
	"strings"
)

// Columns, counted from 0.
const (
	markAt   = 2  // of all marks but those of heads, phases and closing lines
	phaseAt  = 12 // the text of a phase
	asideAt  = 48 // asides of wire lines
	narrowAt = 40 // the same below wideWidth
	hang     = 2  // continuations of wire text and findings

	wideWidth = 96
)

// frame says where a text goes that begins at the current goal.
type frame struct {
	hang    int    // column of its continuations
	limit   int    // column behind the last one that it may fill
	items   bool   // it may hold items parted by " · "
	aside   string // dim, behind it
	asideAt int    // the column of the aside, if it can stand there; 0 is two spaces behind
	right   string // at the right edge of the last line
}

// line lays out lines[i].
func (t *text) line(lines []Line, i int) {
	l := &lines[i]
	if l.Mark == Blank || l.Mark == Head || l.Mark.Closing() {
		t.blank = t.begun
		t.block.leave()
	}
	if l.Mark == Blank {
		return
	}
	if t.blank {
		t.newline()
	}
	t.begun, t.blank = true, false
	switch m := l.Mark; {
	case m == Plain || m == Head:
		t.head(l)
	case m == Phase:
		t.phase(l)
	case m == Sent || m == Received || m == Continued || m == Data:
		t.wire(l)
	case m == Finding || m == Failure || m == Good || m == Note:
		t.finding(l)
	case m == Row || m == RowHead:
		t.row(lines[i:])
	case m == Labelled:
		t.labelled(l)
	case m.Closing():
		t.closing(l)
	default:
		t.item(l)
	}
	t.newline()
}

// head lays out the name of what follows, and plain text, which has no mark
// and no name.
func (t *text) head(l *Line) {
	f := frame{hang: hang, limit: t.width, items: true, right: took(l.Took), aside: t.own(l.Aside)}
	if l.Took > 0 {
		f.limit -= timeWidth
	}
	t.body.reset()
	if l.Mark == Head {
		t.sign(l)
		t.to(markAt)
	}
	if l.Label != "" {
		t.body.add(t.own(l.Label), strong, t.o.ASCII)
		t.paint(&t.body, span{0, len(t.body.text)})
		t.to(t.col + 2)
		t.body.reset()
	}
	t.body.add(t.own(l.Text), plain, t.o.ASCII)
	if l.Text == "" { // the aside is the text then, and wraps as such
		t.body.add(f.aside, dim, t.o.ASCII)
		f.aside = ""
	}
	t.lay(f)
}

// phase lays out what no wire line shows.
func (t *text) phase(l *Line) {
	t.sign(l)
	t.to(markAt)
	t.body.reset()
	t.body.add(t.own(l.Label), strong, t.o.ASCII)
	t.paint(&t.body, span{0, len(t.body.text)})
	t.to(max(phaseAt, t.col+2))
	f := frame{hang: phaseAt, limit: t.width, items: true, aside: t.own(l.Aside)}
	if !t.bare() {
		if f.right = took(l.Took); f.right != "" {
			f.limit -= timeWidth
		}
	}
	t.set(l.Text, plain)
	t.lay(f)
}

// wire lays out a line that passed between client and server, as it was.
func (t *text) wire(l *Line) {
	at := markAt + t.mark + 3
	t.to(markAt)
	t.sign(l)
	bracket := t.signs.group[l.Group]
	if l.Mark == Data {
		bracket = t.signs.data
	}
	t.to(at - 2)
	t.put(bracket, dim)
	t.to(at)

	f := frame{hang: at + hang, limit: t.width, aside: l.Aside, asideAt: asideAt + t.mark - 1}
	if t.width < wideWidth {
		f.asideAt = narrowAt + t.mark - 1
	}
	if !t.bare() {
		f.limit -= timeWidth
		if f.right = took(l.Took); f.right != "" && l.Mark != Sent {
			f.right = "+" + f.right // since its group left
		}
	}

	label, rest := l.Label, l.Text
	if t.o.Raw && l.Raw != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(l.Raw, label); !ok {
			label = ""
		}
	}
	code, text := plain, plain
	switch l.Mark {
	case Sent, Data:
		code, text = dim, dim
	case Received:
		if code = class(label); code == soft {
			code = strong // the mark is yellow
		}
	case Continued:
		code = dim // one reply, one colour
	}
	t.body.reset()
	n := len(strings.TrimRight(label, " -"))
	t.body.add(label[:n], code, t.o.ASCII)
	t.body.add(label[n:]+rest, text, t.o.ASCII)
	t.lay(f)
}

// finding lays out a remark under the line it concerns.
func (t *text) finding(l *Line) {
	at := markAt + t.mark + 3
	t.to(markAt)
	t.sign(l)
	t.to(at)
	look := plain
	if l.Mark == Note {
		look = dim
	}
	t.body.reset()
	if l.Label != "" {
		t.body.add(t.own(l.Label)+" ", look, t.o.ASCII)
	}
	t.body.add(t.own(l.Text), look, t.o.ASCII)
	t.lay(frame{hang: at + hang, limit: t.width, items: true, aside: t.own(l.Aside)})
}

// labelled lays out one of the lines that explain: below the closing line, or
// below the item that they belong to.
func (t *text) labelled(l *Line) {
	at := t.block.labelsAt()
	t.to(at)
	t.set(l.Label, dim)
	t.paint(&t.body, span{0, len(t.body.text)})
	at += t.block.label
	t.set(l.Text, plain)
	if far := t.col + 2; far > at && !t.whole && far+columns(t.body.text) > t.width {
		t.newline()
	} else {
		t.to(far)
	}
	t.to(at)
	t.lay(frame{hang: at, limit: t.width, items: true, aside: t.own(l.Aside)})
}

// closing lays out the line that closes a run.
func (t *text) closing(l *Line) {
	at := t.mark + 1
	t.sign(l)
	t.to(at)
	t.set(l.Label, strong)
	t.paint(&t.body, span{0, len(t.body.text)})
	t.to(t.col + 2)
	tail := Escape(t.own(l.Aside), t.o.ASCII)
	if s := took(l.Took); tail == "" {
		tail = s
	} else if s != "" {
		tail += " " + t.signs.separator + " " + s
	}
	f := frame{hang: at, limit: t.width, items: true, right: tail}
	if t.bare() {
		f.right = ""
	}
	t.set(l.Text, plain)
	t.lay(f)
	if t.bare() && tail != "" {
		t.newline()
		t.to(at)
		t.put(tail, dim)
	}
}

// set begins a new body with s, which is ours.
func (t *text) set(s string, r role) {
	t.body.reset()
	t.body.add(t.own(s), r, t.o.ASCII)
}

// bare reports whether the terminal is too narrow for times.
func (t *text) bare() bool { return t.width < bareWidth }

// lay writes the body, and what f says behind it.
func (t *text) lay(f frame) {
	t.flow(&t.body, f)
	if f.aside != "" {
		t.side.reset()
		t.side.add(f.aside, dim, t.o.ASCII)
		n := columns(t.side.text)
		switch {
		case t.goal+2 <= f.asideAt && f.asideAt+n <= f.limit:
			t.to(f.asideAt)
		case t.whole || t.goal+2+n <= f.limit:
			t.to(t.goal + 2)
		default:
			t.newline()
			t.to(f.hang)
		}
		t.flow(&t.side, f)
	}
	if f.right != "" {
		n := columns([]byte(f.right))
		switch fits := t.goal+2+n <= t.width; {
		case fits && (t.whole || t.goal <= f.limit):
			t.to(t.width - n)
		case t.whole:
			t.to(t.goal + 2)
		default:
			t.newline()
			t.to(t.width - n)
		}
		t.put(f.right, dim)
	}
}

// flow writes s from the current goal on, wrapped as f says.
func (t *text) flow(s *styled, f frame) {
	if len(s.text) == 0 {
		return
	}
	sep := ""
	if f.items {
		sep = t.signs.separator
	}
	t.spans = append(t.spans[:0], span{0, len(s.text)})
	if !t.whole {
		t.spans = fold(t.spans[:0], s.text, f.limit-t.goal, f.limit-f.hang, sep)
	}
	for i, p := range t.spans {
		if i > 0 {
			t.newline()
			t.to(f.hang)
		}
		t.paint(s, p)
	}
}
