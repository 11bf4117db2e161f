package transcript

import "strings"

const (
	tableAt  = 4  // column of a table
	lastRoom = 20 // columns that the last cell needs before others go
	leastCol = 8  // columns below which a cell is not narrowed
)

// table is the layout of the rows of one event up to the next heading, empty
// line or head. Findings may stand between its rows.
type table struct {
	widths []int
	right  []bool // numbers
	shown  []int  // the columns that there is room for
	below  []int  // those that go below their row
	head   []string
	room   int // columns of the terminal
	above  []string
}

// measureTable looks at the rows that begin with lines[0].
func (t *text) measureTable(lines []Line) *table {
	b := &table{}
	var numbers, others []bool
	var whole, pointed []bool // numbers of both kinds are those of sections: 2 and 1.2
	for i := range lines {
		l := &lines[i]
		if i > 0 && l.Mark == RowHead || l.Mark == Blank || l.Mark == Head || l.Mark.Closing() {
			break
		}
		if l.Mark != Row && l.Mark != RowHead {
			continue
		}
		for c, s := range l.Cells {
			if c == len(b.widths) {
				b.widths = append(b.widths, 0)
				b.shown = append(b.shown, c)
				numbers, others = append(numbers, false), append(others, false)
				whole, pointed = append(whole, false), append(pointed, false)
			}
			b.widths[c] = max(b.widths[c], t.measured(s))
			if l.Mark == Row && s != "" && s != "–" {
				numbers[c] = numbers[c] || number(s)
				others[c] = others[c] || !number(s)
				whole[c] = whole[c] || digits(s)
				pointed[c] = pointed[c] || strings.Contains(s, ".")
			}
		}
	}
	for c := range numbers {
		b.right = append(b.right, numbers[c] && !others[c] && !(whole[c] && pointed[c]))
	}
	switch {
	case t.whole:
	case lines[0].Below > 0:
		b.head, b.room = lines[0].Cells, min(t.o.Width, maxWidth)
		b.stack(lines[0].Below)
	default:
		b.fit(t.width-tableAt, lines[0].Spare)
	}
	return b
}

// stack moves columns below their row, from the last one back to first, until the
// others have the room that they need.
func (b *table) stack(first int) {
	need := tableAt - 2
	for _, w := range b.widths {
		need += w + 2
	}
	for last := len(b.shown) - 1; last >= first && need > b.room; last-- {
		need -= b.widths[last] + 2
		b.shown, b.below = b.shown[:last], append([]int{last}, b.below...)
	}
}

// fit leaves out spare columns, in their order, until the last one has room
// enough, and narrows the widest where that does not help.
func (b *table) fit(room int, spare []int) {
	over := func() int {
		n := -2 - room
		for i, c := range b.shown {
			w := b.widths[c]
			if i == len(b.shown)-1 {
				w = min(w, lastRoom)
			}
			n += w + 2
		}
		return n
	}
	for ; over() > 0 && len(spare) > 0; spare = spare[1:] {
		for i, c := range b.shown {
			if c == spare[0] {
				b.shown = append(b.shown[:i:i], b.shown[i+1:]...)
				break
			}
		}
	}
	if len(b.shown) == 0 {
		return
	}
	last := len(b.shown) - 1
	for over() > 0 {
		widest := b.shown[0]
		for _, c := range b.shown[:last] {
			if b.widths[c] > b.widths[widest] {
				widest = c
			}
		}
		if last == 0 || b.widths[widest] <= leastCol {
			break
		}
		b.widths[widest]--
	}
	for _, c := range b.shown[:last] {
		room -= b.widths[c] + 2
	}
	b.widths[b.shown[last]] = min(b.widths[b.shown[last]], max(room, leastCol))
}

// row lays out the first of lines, which is a row or a heading.
func (t *text) row(lines []Line) {
	l := &lines[0]
	if t.block.table == nil || l.Mark == RowHead {
		t.block.table = t.measureTable(lines)
	}
	b := t.block.table
	cells := make([]styled, len(b.shown))
	folds := make([][]span, len(b.shown))
	height := 1
	repeated := l.Mark == Row
	seen := 0 // the cells before this one are those of the row above
	for i, c := range b.shown {
		for ; repeated && seen <= c; seen++ {
			repeated = seen < len(b.above) && b.above[seen] == cell(l, seen)
		}
		look := plain
		if repeated || l.Mark == RowHead {
			look = dim
		}
		s := &cells[i]
		s.add(t.own(cell(l, c)), look, t.o.ASCII)
		folds[i] = []span{{0, len(s.text)}}
		if !t.whole {
			folds[i] = fold(nil, s.text, b.widths[c], b.widths[c], t.signs.separator)
		}
		height = max(height, len(folds[i]))
	}
	for y := range height {
		if y > 0 {
			t.newline()
		}
		at := tableAt
		for i, c := range b.shown {
			if y < len(folds[i]) {
				p := folds[i][y]
				from := at
				if b.right[c] {
					from += b.widths[c] - columns(cells[i].text[p.from:p.to])
				}
				if p.from < p.to {
					if t.col > 0 { // a word that is left whole may reach beyond its column
						from = max(from, t.col+2)
					}
					t.to(from)
					t.paint(&cells[i], p)
				}
			}
			at += b.widths[c] + 2
		}
	}
	if l.Mark == Row {
		b.above = l.Cells
		t.under(b, l)
	}
}

// under lays out the cells of a row that go below it: "certificate verified · dane match".
func (t *text) under(b *table, l *Line) {
	if len(b.below) == 0 {
		return
	}
	at := tableAt + b.widths[0] + 2
	t.newline()
	t.to(at)
	t.body.reset()
	for i, c := range b.below {
		if i > 0 {
			t.body.add(" "+t.signs.separator+" ", dim, t.o.ASCII)
		}
		t.body.add(strings.ToLower(b.head[c])+" ", dim, t.o.ASCII)
		t.body.add(t.own(cell(l, c)), plain, t.o.ASCII)
	}
	t.lay(frame{hang: at, limit: b.room, items: true})
}

// number reports whether s is a number or a range of two: 10, 0.5–1, 99.9%. An
// address or a date is not.
func number(s string) bool {
	low, high, ranged := strings.Cut(s, "–")
	return decimal(low) && (!ranged || decimal(high))
}

func decimal(s string) bool {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "-"), "%")
	whole, part, point := strings.Cut(s, ".")
	return digits(whole) && (!point || digits(part))
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
