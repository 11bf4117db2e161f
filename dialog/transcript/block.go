package transcript

import "strings"

// block is what the lines of one event have in common: the columns of its
// labels and items, and the table that is being laid out.
type block struct {
	label   int // columns of a label, with the space behind it
	subject int // column of an item's subject
	detail  int // column of an item's detail

	closes bool   // it holds a closing line: labels belong to that
	below  bool   // an item stands above
	table  *table // nil outside of one
}

// Widths of words, with the spaces behind them.
const (
	wordWidth = 8
	longWidth = 10
	labelMost = 14 // a longer label does not push the text of all others to the right
)

// measure looks at the lines of an event before they are laid out.
func (t *text) measure(lines []Line) block {
	b := block{label: wordWidth}
	items, word, subject := 0, 0, 0
	for i := range lines {
		switch l := &lines[i]; {
		case l.Mark == Labelled:
			if n := t.measured(l.Label); n >= wordWidth-1 && n <= labelMost {
				b.label = max(b.label, longWidth, n+2)
			}
		case l.Mark.item():
			items++
			word = max(word, t.measured(cell(l, 0)))
			if len(l.Cells) > 2 {
				subject = max(subject, t.measured(cell(l, 1)))
			}
		case l.Mark.Closing():
			b.closes = true
		}
	}
	// A lone item is one of many that come as events of their own: it has the
	// column that suits most words.
	field := wordWidth
	if items == 1 {
		field = longWidth
	}
	if word >= wordWidth {
		field = max(field, word+2)
	}
	b.subject = markAt + t.mark + 1 + field
	// One long subject does not push the details of all others to the right.
	far := asideAt + 4
	switch {
	case t.width < bareWidth:
		far = asideAt - 12
	case t.width < wideWidth:
		far = narrowAt + 4
	}
	b.detail = min(b.subject+subject+2, far+t.mark-1)
	return b
}

// leave ends what a head or an empty line ends.
func (b *block) leave() { b.below, b.table = false, nil }

// labelsAt is the column of the labels.
func (b *block) labelsAt() int {
	if b.below && !b.closes {
		return b.subject
	}
	return markAt
}

// item reports whether m is an item of a list.
func (m Mark) item() bool { return Pass <= m && m <= Info }

// cell is the i-th cell of l, "" beyond the last.
func cell(l *Line, i int) string {
	if i < len(l.Cells) {
		return l.Cells[i]
	}
	return ""
}

// measured is the width of s when it is shown.
func (t *text) measured(s string) int {
	t.set(s, plain)
	return columns(t.body.text)
}

// item lays out a line of a list: a word, what it is said of, and the detail.
func (t *text) item(l *Line) {
	t.block.below = true
	t.to(markAt)
	t.sign(l)
	t.to(markAt + t.mark + 1)
	t.set(cell(l, 0), strong)
	t.paint(&t.body, span{0, len(t.body.text)})

	f := frame{hang: t.block.subject, limit: t.width, items: true, aside: t.own(l.Aside)}
	t.to(f.hang)
	t.set(cell(l, 1), plain)
	if len(l.Cells) < 2 { // the aside is the text then, and wraps as such
		t.set(l.Aside, dim)
		f.aside = ""
	}
	if len(l.Cells) < 3 {
		t.lay(f)
		return
	}
	t.flow(&t.body, f)
	switch {
	case t.goal+2 <= t.block.detail || t.goal == f.hang:
		f.hang = t.block.detail
		t.to(f.hang)
	case t.whole:
		t.to(t.goal + 2)
	default:
		t.newline()
		t.to(f.hang)
	}
	t.set(strings.Join(l.Cells[2:], "  "), plain)
	t.lay(f)
}
