package mime

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds on the structure of a message that is re-encoded.
const (
	entitiesMost = 10000
	depthMost    = 100
)

// downgrade reads a message in CR LF lines and makes it 7bit, as RFC 6152 section
// 3 wants for a server without 8BITMIME: text goes quoted-printable, other content
// base64, header fields by RFC 2047 and RFC 2231. What is ASCII stays as it is.
//
// The header says how the content is encoded before the content is seen, so the
// message is read twice: a first time to learn.
type downgrade struct {
	src    *bufio.Reader
	learns bool
	seen   []octets // of each entity, in order
	signed bool     // there is a multipart/signed

	count   int         // of headers read
	open    []multipart // from the outside in
	header  *entityHeader
	leaf    bool      // the body is an entity's content, not a preamble or an epilogue
	content *recoding // nil: it stays as it is

	out bytes.Buffer
	err error
}

// octets says what the content of an entity holds.
type octets uint8

const (
	over127 octets = 1 << iota
	notUTF8
)

type multipart struct {
	boundary string
	digest   bool
}

// downgraded is the message p in 7bit; signed says that a signed part of it may
// have been changed.
func downgraded(p stretch) (seven stretch, signed bool, err error) {
	r, err := p.open()
	if err != nil {
		return stretch{}, false, err
	}
	defer r.Close()
	first := newDowngrade(r)
	first.learns = true
	if _, err := io.Copy(io.Discard, first); err != nil {
		return stretch{}, false, err
	}
	seven, err = measure(func() (io.ReadCloser, error) {
		r, err := p.open()
		if err != nil {
			return nil, err
		}
		d := newDowngrade(r)
		d.seen = first.seen
		return reading{d, r}, nil
	})
	return seven, first.signed, err
}

func newDowngrade(r io.Reader) *downgrade {
	return &downgrade{src: bufio.NewReaderSize(r, 32<<10), header: &entityHeader{message: true}}
}

func (d *downgrade) Read(p []byte) (int, error) {
	for d.out.Len() == 0 {
		if d.err != nil {
			return 0, d.err
		}
		for d.err == nil && d.out.Len() < 16<<10 {
			d.err = d.next()
		}
		if d.learns {
			d.out.Reset()
		}
	}
	return d.out.Read(p)
}

// next takes a line. Each ends in CR LF.
func (d *downgrade) next() error {
	line, err := d.src.ReadSlice('\n')
	if err == io.EOF && len(line) == 0 {
		if d.header != nil {
			if err := d.body(false); err != nil {
				return err
			}
		}
		d.end(true)
		return io.EOF
	}
	if err != nil {
		return err
	}
	line = line[:len(line)-2]
	if len(d.open) > 0 && bytes.HasPrefix(line, []byte("--")) {
		if i, last := boundaryOf(d.open, line); i >= 0 {
			return d.part(line, i, last)
		}
	}
	switch {
	case d.header == nil:
		d.text(line)
		return nil
	case len(line) == 0:
		return d.body(true)
	}
	return d.header.add(line)
}

// boundaryOf finds the multipart whose boundary line is, and whether it is its last
// (RFC 2046 section 5.1.1).
func boundaryOf(open []multipart, line []byte) (int, bool) {
	for i := len(open) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(line[2:], []byte(open[i].boundary))
		if !ok {
			continue
		}
		rest, last := bytes.CutPrefix(rest, []byte("--"))
		if len(bytes.Trim(rest, " \t")) == 0 {
			return i, last
		}
	}
	return -1, false
}

// part ends what was read, and begins another part of the multipart i or what
// follows it.
func (d *downgrade) part(line []byte, i int, last bool) error {
	if d.header != nil {
		if err := d.body(false); err != nil {
			return err
		}
	}
	d.end(false)
	d.out.Write(masked(line))
	d.out.WriteString("\r\n")
	if last {
		d.open = d.open[:i]
		return nil
	}
	d.open = d.open[:i+1]
	d.header = &entityHeader{digest: d.open[i].digest}
	return nil
}

// text takes a line of a body.
func (d *downgrade) text(line []byte) {
	switch {
	case d.leaf && d.learns && !ascii(line):
		i := d.count - 1
		d.seen[i] |= over127
		if !utf8.Valid(line) {
			d.seen[i] |= notUTF8
		}
	case d.content != nil:
		d.content.line(line)
	case d.leaf:
		d.out.Write(line)
		d.out.WriteString("\r\n")
	default:
		d.out.Write(masked(line))
		d.out.WriteString("\r\n")
	}
}

// masked is a line that no reader shows: a preamble, say.
func masked(line []byte) []byte {
	if ascii(line) {
		return line
	}
	return bytes.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, line)
}

// end ends a body. The CR LF before a boundary is the boundary's.
func (d *downgrade) end(message bool) {
	if d.content != nil {
		d.content.end(message)
	}
	d.content, d.leaf = nil, false
}

// body ends a header, at the blank line or without one, and begins what it is
// the header of.
func (d *downgrade) body(blankLine bool) error {
	h := d.header
	d.header = nil
	d.count++
	if d.count > entitiesMost {
		return fmt.Errorf("over %d parts", entitiesMost)
	}
	if d.learns {
		d.seen = append(d.seen, 0)
	}
	h.judge()
	what := d.seen[d.count-1]
	encoding := AutoEncoding
	switch {
	case h.container() && !ascii(h.boundary):
		return fmt.Errorf("part %d has a boundary that is not ASCII", d.count)
	case h.container():
		if len(d.open) == depthMost {
			return fmt.Errorf("multiparts over %d deep", depthMost)
		}
		d.signed = d.signed || h.media == "multipart/signed"
		d.open = append(d.open, multipart{h.boundary, h.media == "multipart/digest"})
		encoding = SevenBit
	case h.identity() && h.media == "message/rfc822" && blankLine:
		d.header = &entityHeader{message: true}
		encoding = SevenBit
	case what == 0:
		d.leaf = true
	case !h.identity():
		return fmt.Errorf("part %d says that it is %s, and has octets over 127", d.count, h.encoding)
	case strings.HasPrefix(h.media, "text/"):
		d.leaf, encoding = true, QuotedPrintable
		d.content = newQuotedLines(&d.out)
	case strings.HasPrefix(h.media, "message/") && h.media != "message/global":
		return fmt.Errorf("part %d is %s, which must not be encoded (RFC 2046 section 5.2)", d.count, h.media)
	default:
		d.leaf, encoding = true, Base64
		d.content = newBase64Lines(&d.out)
	}
	if d.learns {
		return nil
	}
	text, err := h.write(encoding, what)
	if err != nil {
		return err
	}
	d.out.Write(text)
	if blankLine {
		d.out.WriteString("\r\n")
	}
	return nil
}
