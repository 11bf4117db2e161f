package mime

import (
	"bytes"
	"io"
	"strings"
)

// leaf takes the content of a part line by line, undoes its transfer encoding, and
// says what is wrong with it.
type leaf struct {
	w     *walker
	part  *Part
	to    io.WriteCloser // nil: nowhere
	check *charsetCheck  // nil: none

	b64   base64Decoder
	out   []byte // one piece, decoded
	space []byte // white space that ends a quoted-printable line so far: it is no content
	soft  bool   // the line so far ends in a soft break
	hex   []byte // '=' and what follows of it in the last piece
	long  int64  // octets of the line
	first bool   // no line with text has come
}

func newLeaf(w *walker, p *Part) (*leaf, error) {
	l := &leaf{w: w, part: p, first: true}
	if strings.HasPrefix(p.Type, "text/") {
		var err error
		if l.check, err = newCharsetCheck(p.Charset); err != nil {
			w.add(Warn, "unknown-charset", "RFC 2046 section 4.1.2", Place{p.Offset, p.Line, p.ID}, 1, "%v: readers that do not know it either show the text in one that they guess", err)
		}
	}
	if w.sink != nil {
		var err error
		if l.to, err = w.sink(p); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// take takes the next piece. held is the line end before it, which now turns out
// to be content.
func (l *leaf) take(p piece, held lineEnd) error {
	if l.first && p.first && len(bytes.TrimSpace(p.text)) > 0 {
		l.first = false
		l.looksLikeHeader(p)
	}
	switch l.part.Encoding {
	case "base64":
		l.out = l.b64.take(l.out[:0], p, l)
		return l.write(l.out)
	case "quoted-printable":
		l.out = l.printable(l.out[:0], p, held)
		return l.write(l.out)
	}
	if l.part.Encoding == "7bit" && !ascii(p.text) {
		i := bytes.IndexFunc(p.text, func(r rune) bool { return r >= 0x80 })
		l.note(Fail, "undeclared-8bit", "RFC 2045 section 6.2", p, i, "octets over 127 in a part that says 7bit, or says nothing: 8bit, quoted-printable or base64 is wanted")
	}
	if held != noEnd {
		if err := l.write([]byte(held.String())); err != nil {
			return err
		}
	}
	return l.write(p.text)
}

// flush takes the line end at the end of the message, which no boundary follows.
func (l *leaf) flush(held lineEnd) error {
	if !identity(l.part.Encoding) {
		if l.part.Encoding == "quoted-printable" && held != noEnd && !l.soft {
			return l.write([]byte(held.String()))
		}
		return nil
	}
	return l.write([]byte(held.String()))
}

func (l *leaf) write(b []byte) error {
	l.part.Decoded += int64(len(b))
	if l.check != nil {
		l.check.write(b)
	}
	if l.to == nil {
		return nil
	}
	_, err := l.to.Write(b)
	return err
}

// close ends the content.
func (l *leaf) close() error {
	p := l.part
	here := Place{p.Body, p.bodyLine, p.ID}
	if l.part.Encoding == "base64" && l.b64.n > 0 {
		l.w.add(Fail, "short-base64", "RFC 2045 section 6.8", here, 1, "the base64 ends within a group of four characters: something may be missing")
	}
	if len(l.hex) > 0 {
		l.w.add(Fail, "bad-quoted-printable", "RFC 2045 section 6.7", here, 1, "the quoted-printable ends within %s", clip(string(l.hex)))
		if err := l.write(l.hex); err != nil {
			return err
		}
	}
	if l.check != nil {
		if l.check.close(); l.check.wrong > 0 {
			name := p.Charset
			if name == "" {
				name = "us-ascii"
			}
			l.w.add(Warn, "bad-charset", "RFC 2046 section 4.1.2", here, l.check.wrong,
				"the text is not in %s, which it says it is: first at octet %d of its content", clip(name), l.check.wrongs)
		}
	}
	if l.to != nil {
		return l.to.Close()
	}
	return nil
}

// note adds a finding at octet i of a piece.
func (l *leaf) note(level Level, id, ref string, p piece, i int, text string, args ...any) {
	l.w.add(level, id, ref, Place{p.offset + int64(i), p.line, l.part.ID}, 1, text, args...)
}

// looksLikeHeader tells of a blank line that ends a header too early.
func (l *leaf) looksLikeHeader(p piece) {
	if l.part != l.w.root {
		return
	}
	name, _, ok := bytes.Cut(p.text, []byte(":"))
	if !ok {
		return
	}
	switch strings.ToLower(string(name)) {
	case "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding", "received", "dkim-signature":
		l.note(Warn, "header-in-body", "RFC 5322 section 2.1", p, 0, "the body begins with a field %s: a blank line too early makes the header's rest text", clip(string(name)))
	}
}
