package mime

import (
	"bufio"
	"bytes"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Canonicalization is how a header or a body is made ready for a hash (RFC 6376
// section 3.4): what a relay may change on the way without breaking a signature.
type Canonicalization string

// The canonicalizations of RFC 6376 sections 3.4.1 to 3.4.4.
const (
	Simple  Canonicalization = "simple"  // nothing may change, but for blank lines at the end of a body
	Relaxed Canonicalization = "relaxed" // runs of white space may change, and how a header is folded
)

// ParseCanonicalization reads what a c= tag holds: "relaxed/simple" for header
// and body, or a word alone for the header, which makes the body simple (RFC
// 6376 section 3.5).
func ParseCanonicalization(s string) (header, body Canonicalization, err error) {
	h, b, ok := strings.Cut(s, "/")
	if !ok {
		b = string(Simple)
	}
	for _, c := range []string{h, b} {
		if c != string(Simple) && c != string(Relaxed) {
			return "", "", fmt.Errorf("canonicalization %s: simple or relaxed is wanted, for header and body: relaxed/relaxed", clip(s))
		}
	}
	return Canonicalization(h), Canonicalization(b), nil
}

// header makes a field ready: it comes and leaves with its CR LF.
func (c Canonicalization) header(field string) string {
	if c == Simple {
		return field
	}
	name, value, _ := strings.Cut(field, ":")
	return strings.ToLower(trimFWS(name)) + ":" + strings.Join(strings.FieldsFunc(value, isFWS), " ") + "\r\n"
}

// bodyHash hashes a body that comes line by line. It holds one buffer however
// long a line or a run of blank lines is.
type bodyHash struct {
	by     Canonicalization
	exact  bool // a bare LF is an octet like any other and no line end: the body comes as it is on the wire
	hash   hash.Hash
	out    *bufio.Writer
	left   int64 // of l=, which is how much is hashed; < 0: all
	blanks int64 // CR LFs read and not hashed: those at the end count as one or none
	space  bool  // white space read and not hashed: at the end of a line it does not count
	any    bool
	line   []byte // scratch
	octets int64  // of the canonical body
}

func newBodyHash(by Canonicalization, h hash.Hash, limit int64) *bodyHash {
	b := &bodyHash{by: by, hash: h, left: limit}
	b.out = bufio.NewWriterSize(writerFunc(b.limited), 8<<10)
	return b
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// limited hashes what l= lets it (RFC 6376 section 3.4.5).
func (b *bodyHash) limited(p []byte) (int, error) {
	n := len(p)
	b.octets += int64(n)
	if b.left >= 0 {
		p = p[:min(int64(n), b.left)]
		b.left -= int64(len(p))
	}
	b.hash.Write(p)
	return n, nil
}

// add takes the next piece of the body.
func (b *bodyHash) add(p piece) {
	text := p.text
	b.text(text)
	switch {
	case p.end == endLF && b.exact:
		b.text([]byte{'\n'})
	case p.end != noEnd:
		b.space = false
		b.blanks++
	}
}

func (b *bodyHash) text(text []byte) {
	if len(text) == 0 {
		return
	}
	if b.by == Simple || !b.space && bytes.IndexByte(text, ' ') < 0 && bytes.IndexByte(text, '\t') < 0 {
		b.flush()
		b.out.Write(text)
		return
	}
	line := b.line[:0]
	for _, c := range text {
		if blank(c) {
			b.space = true
			continue
		}
		if b.space {
			b.space = false
			line = append(line, ' ')
		}
		line = append(line, c)
	}
	if b.line = line; len(line) > 0 {
		b.flush()
		b.out.Write(line)
	}
}

// flush hashes the line ends that turned out not to be the last ones.
func (b *bodyHash) flush() {
	b.any = true
	for ; b.blanks > 0; b.blanks-- {
		b.out.WriteString("\r\n")
	}
}

// sum ends the body: with one CR LF, and an empty one is empty if it is
// relaxed (RFC 6376 sections 3.4.3 and 3.4.4).
func (b *bodyHash) sum() []byte {
	if b.any || b.by == Simple {
		b.out.WriteString("\r\n")
	}
	b.out.Flush()
	return b.hash.Sum(nil)
}

// rawField is a header field as it stands, with its folds and its last CR LF;
// line ends are CR LF.
type rawField struct{ name, text string }

// rawMost bounds a header that is signed or verified, in octets and in fields.
const (
	rawMost    = 1 << 20
	fieldsMost = 10000
)

// rawHeader reads a header to its blank line, or to the end of the message.
func rawHeader(l *lineReader) ([]rawField, error) {
	var all []rawField
	var field strings.Builder
	done := func() {
		if field.Len() > 0 {
			text := strings.TrimSuffix(field.String(), "\r\n") + "\r\n"
			name, _, _ := strings.Cut(text, ":")
			all = append(all, rawField{strings.ToLower(trimFWS(name)), text})
			field.Reset()
		}
	}
	size := 0
	for {
		p, err := l.next()
		if err == io.EOF || err == nil && p.first && len(p.text) == 0 && p.end != noEnd {
			done()
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if p.first && (len(p.text) == 0 || !blank(p.text[0])) {
			done()
		}
		if size += len(p.text) + 2; size > rawMost || len(all) > fieldsMost {
			return nil, fmt.Errorf("a header of over %d octets or %d fields", rawMost, fieldsMost)
		}
		field.Write(p.text)
		if p.end != noEnd {
			field.WriteString("\r\n")
		}
	}
}

// picker finds the fields that h= names: of several by one name the last one
// first (RFC 6376 section 5.4.2).
type picker map[string][]string

func newPicker(fields []rawField) picker {
	p := picker{}
	for _, f := range fields {
		p[f.name] = append(p[f.name], f.text)
	}
	return p
}

// pick gives the next field of that name, "" if there is none left.
func (p picker) pick(name string) string {
	name = strings.ToLower(name)
	all := p[name]
	if len(all) == 0 {
		return ""
	}
	p[name] = all[:len(all)-1]
	return all[len(all)-1]
}

// headerHash hashes the fields that h= names, and the signature itself with an
// empty b= and no line end (RFC 6376 section 3.7).
func headerHash(h hash.Hash, by Canonicalization, fields []rawField, names []string, signature string) []byte {
	p := newPicker(fields)
	for _, name := range names {
		if f := p.pick(name); f != "" {
			io.WriteString(h, by.header(f))
		}
	}
	io.WriteString(h, strings.TrimSuffix(by.header(withoutB(signature)), "\r\n"))
	return h.Sum(nil)
}
