package mime

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// walker takes a message piece by piece and builds its tree of parts.
type walker struct {
	findings
	lines lineJudge
	sink  func(*Part) (io.WriteCloser, error) // nil: nowhere

	whole func(*Part) bool // is a message within kept in one? nil: never

	root   *Part
	stack  []*Part // parts of parts that are open, outermost first; a message within has no boundary
	part   *Part   // whose header or content is read; nil: what belongs to none
	header *headerReader
	leaf   *leaf   // the content of part
	held   lineEnd // of the line before: the end before a boundary belongs to the boundary (RFC 2046 section 5.1.1)
	heldAt int64
	behind bool // behind the last boundary of the innermost open part
	count  int
	budget int // octets of the headers of parts that may still be kept
	ids    map[string]bool
	fields []Field
}

func newWalker(sink func(*Part) (io.WriteCloser, error)) *walker {
	w := &walker{sink: sink, budget: partsKept, ids: map[string]bool{}}
	w.lines = lineJudge{findings: &w.findings, line: 1}
	w.root = &Part{Line: 1}
	w.begin(w.root)
	return w
}

// begin makes p the part whose header is read.
func (w *walker) begin(p *Part) {
	w.count++
	w.part, w.held, w.behind = p, noEnd, false
	room := min(partHeader, w.budget)
	if p == w.root {
		room = headerKept
	}
	w.header = &headerReader{w: w, part: p, room: room}
}

// id is that of the part being read.
func (w *walker) id() string {
	if w.part == nil {
		return ""
	}
	return w.part.ID
}

// walk reads a message to its end.
func (w *walker) walk(in io.Reader) (*Structure, error) {
	l := newLineReader(in)
	for {
		p, err := l.next()
		if err == io.EOF {
			return w.finish(l.at)
		}
		if err != nil {
			return nil, fmt.Errorf("message: %w", err)
		}
		if err := w.take(p); err != nil {
			return nil, err
		}
	}
}

// take takes the next piece.
func (w *walker) take(p piece) error {
	w.lines.take(p, w.id(), w.header != nil)
	if p.first && bytes.HasPrefix(p.text, []byte("--")) && len(w.stack) > 0 {
		if i, last := w.boundary(p); i >= 0 {
			return w.delimit(i, last, p)
		}
	}
	switch {
	case w.header != nil:
		if p.first && len(p.text) == 0 {
			w.part.Body = p.offset + int64(len(p.end.String()))
			return w.body(w.part.Body, p.line+1)
		}
		w.header.take(p)
		w.held, w.heldAt = p.end, p.offset+int64(len(p.text))
		return nil
	case w.leaf != nil:
		if err := w.leaf.take(p, w.held); err != nil {
			return err
		}
	case w.behind && len(bytes.TrimSpace(p.text)) > 0:
		w.add(Info, "epilogue", "RFC 2046 section 5.1.1", Place{p.offset, p.line, w.id()}, 1,
			"text behind the last boundary: readers do not show it")
	}
	w.held, w.heldAt = p.end, p.offset+int64(len(p.text))
	return nil
}

// boundary finds the open part that a line is the boundary of, the innermost
// first, and whether it is the last one.
func (w *walker) boundary(p piece) (int, bool) {
	if p.end == noEnd && len(p.text) > 4*boundaryMost {
		return -1, false
	}
	line := bytes.TrimRight(p.text[2:], " \t")
	for i := len(w.stack) - 1; i >= 0; i-- {
		b := w.stack[i].boundary
		if b == "" || len(line) < len(b) || string(line[:len(b)]) != b {
			continue
		}
		switch rest := line[len(b):]; {
		case len(rest) == 0:
			return i, false
		case string(rest) == "--":
			return i, true
		}
	}
	return -1, false
}

// delimit ends what is open within the part at i of the stack, and begins its next
// part or ends it.
func (w *walker) delimit(i int, last bool, p piece) error {
	at := p.offset
	if w.held != noEnd {
		at = w.heldAt
	}
	if w.header != nil {
		w.add(Warn, "no-blank-line", "RFC 2046 section 5.1", Place{p.offset, p.line, w.id()}, 1,
			"the part's header is not ended by a blank line")
		if err := w.bodiless(at, p.line); err != nil {
			return err
		}
	}
	if err := w.end(at); err != nil {
		return err
	}
	w.unwind(i+1, at, true)
	parent := w.stack[i]
	w.part, w.held, w.heldAt = nil, noEnd, 0
	if last {
		if len(parent.Parts) == 0 {
			w.add(Fail, "no-parts", "RFC 2046 section 5.1", Place{p.offset, p.line, parent.ID}, 1,
				"the %s has no part in it", clip(parent.Type))
		}
		parent.Size = at - parent.Body
		w.stack = w.stack[:i]
		w.behind = true
		return nil
	}
	if w.behind = false; w.count >= partsMost {
		w.add(Warn, "many-parts", "", Place{p.offset, p.line, parent.ID}, 1,
			"over %d parts: further ones are not looked at", partsMost)
		return nil
	}
	next := p.offset + int64(len(p.text)+len(p.end.String()))
	w.begin(w.child(parent, next, p.line+1))
	return nil
}

func (w *walker) child(parent *Part, offset, line int64) *Part {
	c := &Part{Offset: offset, Line: line, depth: parent.depth + 1}
	switch n := fmt.Sprint(len(parent.Parts) + 1); {
	case parent.boundary == "":
		c.ID = parent.ID + headerSection // until number knows what the message within is
	case parent.ID == "":
		c.ID = n
	default:
		c.ID = strings.TrimSuffix(parent.ID, textSection) + "." + n
	}
	parent.Parts = append(parent.Parts, c)
	return c
}

// The sections of a message within the message (RFC 3501 section 6.4.5).
const (
	headerSection = ".HEADER"
	textSection   = ".TEXT"
)

// number names a message, the whole or one within, once it is known whether it has
// parts: those have numbers of their own, else it is number 1 of itself.
func number(p *Part, several bool) {
	within, inner := strings.CutSuffix(p.ID, headerSection)
	switch {
	case inner && several:
		p.ID = within + textSection
	case inner:
		p.ID = within + ".1"
	case p.ID == "" && !several:
		p.ID = "1"
	}
}

// body begins the content of the part whose header was read.
func (w *walker) body(at, line int64) error {
	h := w.header
	h.done()
	w.header, w.part.bodyLine = nil, line
	if w.part != w.root {
		w.budget -= h.kept
	} else {
		w.fields = h.shown()
	}
	p := w.part
	w.held = noEnd
	parts := w.judge(h)
	number(p, parts && p.boundary != "" && p.depth < nestMost)
	if parts && p.boundary == "" && w.whole != nil && w.whole(p) {
		parts = false
	}
	if parts && p.depth >= nestMost {
		w.add(Warn, "deep", "", Place{at, line, p.ID}, 1, "over %d parts within one another: this one is not taken apart", nestMost)
		parts = false
	}
	switch {
	case parts && p.boundary != "":
		w.stack = append(w.stack, p)
		w.part = nil
		return nil
	case parts && w.count < partsMost:
		w.stack = append(w.stack, p)
		w.begin(w.child(p, at, line))
		return nil
	}
	var err error
	w.leaf, err = newLeaf(w, p)
	return err
}

// bodiless ends a header that no blank line ends, and the one of the message
// within that then has nothing in it.
func (w *walker) bodiless(at, line int64) error {
	for w.header != nil {
		w.part.Body = at
		if err := w.body(at, line); err != nil {
			return err
		}
	}
	return nil
}

// end ends the part that is being read.
func (w *walker) end(at int64) error {
	if w.leaf == nil {
		return nil
	}
	l := w.leaf
	w.leaf = nil
	w.part.Size = max(at-w.part.Body, 0)
	return l.close()
}

// unwind closes what is open from i of the stack on.
func (w *walker) unwind(i int, at int64, inner bool) {
	for len(w.stack) > i {
		p := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		p.Size = max(at-p.Body, 0)
		if p.boundary == "" {
			continue
		}
		where := "the message ends"
		if inner {
			where = "the part around it ends"
		}
		if len(p.Parts) == 0 {
			w.add(Fail, "no-parts", "RFC 2046 section 5.1", Place{p.Body, p.bodyLine, p.ID}, 1,
				"no line of the %s is its boundary %s", clip(p.Type), clip("--"+p.boundary))
		} else {
			w.add(Fail, "unterminated", "RFC 2046 section 5.1.1", Place{at, w.lines.line, p.ID}, 1,
				"%s before the last boundary %s: something may be missing", where, clip("--"+p.boundary+"--"))
		}
	}
}

// finish ends the message, which has size octets.
func (w *walker) finish(size int64) (*Structure, error) {
	if err := w.bodiless(size, w.lines.line); err != nil {
		return nil, err
	}
	if w.leaf != nil {
		if err := w.leaf.flush(w.held); err != nil {
			return nil, err
		}
	}
	if err := w.end(size); err != nil {
		return nil, err
	}
	w.unwind(0, size, false)
	ends := w.lines.finish(size)
	if w.fields == nil {
		w.fields = []Field{}
	}
	s := &Structure{Size: size, Lines: w.lines.count, Ends: ends, Header: w.fields, Root: w.root, Findings: w.sorted()}
	if s.Findings == nil {
		s.Findings = []Finding{}
	}
	return s, nil
}
