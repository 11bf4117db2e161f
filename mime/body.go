package mime

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	stdmime "mime"
	"mime/quotedprintable"
	"net/textproto"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// keepMost is the length of content up to which a message is built once and
// kept; longer ones are made anew at each Open, so memory does not grow.
const keepMost = 180 << 10

// body is the content of a composed message, from which its tree of parts is
// made anew for each writing: enmime's readers are single-use.
//
//	mixed( alternative( text, related( html, inlines... ) ), attachments... )
//
// A level with one part is left out.
type body struct {
	texts   []*text // text/plain, text/html: the better one last (RFC 2046 section 5.1.4)
	inlines []*file
	files   []*file
	id      string // what boundaries are made of, once
}

// text is a text body in CR LF lines, and how enmime is to encode it.
type text struct {
	kind     string
	content  []byte
	encoding encoding
}

type encoding uint8

const (
	sevenBit encoding = iota
	quotedPrintable
	inBase64
)

func (d *Draft) body() (*body, error) {
	b := &body{id: strings.ToLower(rand.Text())}
	if d.Text != "" || d.HTML == "" {
		b.texts = append(b.texts, &text{kind: "text/plain; charset=utf-8", content: []byte(d.Text)})
	}
	if d.HTML != "" {
		b.texts = append(b.texts, &text{kind: "text/html; charset=utf-8", content: []byte(d.HTML)})
	}
	for _, t := range b.texts {
		if err := t.settle(); err != nil {
			return nil, err
		}
	}
	for _, group := range []struct {
		from   []Attachment
		to     *[]*file
		inline bool
	}{{d.Inlines, &b.inlines, true}, {d.Attachments, &b.files, false}} {
		for _, a := range group.from {
			f, err := a.prepare(group.inline)
			if err != nil {
				b.close()
				return nil, err
			}
			*group.to = append(*group.to, f)
		}
	}
	if d.HTML == "" { // nothing refers to them
		b.files = append(b.inlines, b.files...)
		b.inlines = nil
	}
	return b, nil
}

// settle makes all line ends CR LF, adds a last one, and chooses the encoding: none
// if it can go as it is, else the shorter one.
func (t *text) settle() error {
	if off, ok := validUTF8(t.content); !ok {
		return fmt.Errorf("%s body: octet 0x%02x at offset %d is not UTF-8", t.kind[:strings.IndexByte(t.kind, ';')], t.content[off], off)
	}
	t.content = lines(t.content)
	if clean(t.content) {
		return nil
	}
	t.encoding = inBase64
	var n counter
	w := quotedprintable.NewWriter(&n)
	w.Write(t.content)
	w.Close()
	if int64(n) <= base64Len(int64(len(t.content))) {
		t.encoding = quotedPrintable
	}
	return nil
}

// lines gives text with CR LF for every CR LF, CR and LF, and at its end.
func lines(s []byte) []byte {
	if len(s) == 0 {
		return nil
	}
	out := make([]byte, 0, len(s)+len(s)/32+2)
	for i, c := range s {
		switch {
		case c == '\r':
			out = append(out, '\r', '\n')
		case c != '\n':
			out = append(out, c)
		case i == 0 || s[i-1] != '\r':
			out = append(out, '\r', '\n')
		}
	}
	if c := s[len(s)-1]; c != '\r' && c != '\n' {
		out = append(out, '\r', '\n')
	}
	return out
}

// clean reports whether CR LF text can go as 7bit: printable ASCII in lines of
// at most 998 octets, none of which could be taken for one of our boundaries.
func clean(s []byte) bool {
	for line := range bytes.SplitSeq(s, []byte("\r\n")) {
		if len(line) > lineMost || bytes.HasPrefix(line, []byte("--=_")) {
			return false
		}
		for _, c := range line {
			if (c < ' ' || c > '~') && c != '\t' {
				return false
			}
		}
	}
	return true
}

// part gives t to enmime in the one way that makes it choose t's encoding: plain
// content for 7bit, its encoder's option for quoted-printable, a reader for base64.
func (t *text) part() *enmime.Part {
	p := bare(t.kind)
	switch t.encoding {
	case sevenBit:
		p.Content = t.content
	case quotedPrintable:
		p.Content = t.content
		p.WithEncoder(enmime.NewEncoder(enmime.ForceQuotedPrintableCte(true)))
	case inBase64:
		p.ContentReader = bytes.NewReader(t.content)
	}
	return p
}

// bare is a leaf whose Content-Type enmime leaves as it is.
func bare(kind string) *enmime.Part {
	p := enmime.NewPart("")
	p.Header = textproto.MIMEHeader{"Content-Type": {kind}}
	return p
}

func (f *file) part(content io.Reader) *enmime.Part {
	p := bare(f.kind)
	p.Header["Content-Disposition"] = []string{f.disposition}
	if f.id != "" {
		p.Header["Content-Id"] = []string{"<" + f.id + ">"}
	}
	p.ContentReader = content
	return p
}

// tree makes the parts, reading each file from what open gives.
func (b *body) tree(open func(*file) io.Reader) *enmime.Part {
	boundaries := 0
	join := func(kind string, parts []*enmime.Part) []*enmime.Part {
		if len(parts) < 2 {
			return parts
		}
		p := enmime.NewPart(kind)
		boundaries++
		p.Boundary = fmt.Sprintf("=_%d_%s", boundaries, b.id) // "=_" is in no encoded text (RFC 2045 section 6.7)
		for _, c := range parts {
			p.AddChild(c)
		}
		return []*enmime.Part{p}
	}
	var texts []*enmime.Part
	for _, t := range b.texts {
		texts = append(texts, t.part())
	}
	last := texts[len(texts)-1:]
	for _, f := range b.inlines {
		last = append(last, f.part(open(f)))
	}
	related := join("multipart/related", last)
	all := join("multipart/alternative", append(texts[:len(texts)-1:len(texts)-1], related...))
	for _, f := range b.files {
		all = append(all, f.part(open(f)))
	}
	return join("multipart/mixed", all)[0]
}

// write writes the message and gives the Content-Type of its root.
func (b *body) write(w io.Writer, header []byte, open func(*file) io.Reader) (string, error) {
	if _, err := w.Write(header); err != nil {
		return "", err
	}
	root := b.tree(open)
	if err := root.Encode(w); err != nil {
		return "", err
	}
	if root.FirstChild == nil && len(b.texts[0].content) == 0 { // enmime leaves out the blank line
		if _, err := io.WriteString(w, "\r\n"); err != nil {
			return "", err
		}
	}
	return root.Header.Get("Content-Type"), nil
}

// message makes the Message, whose header fields but for Content-* are given.
func (b *body) message(fields []Header) (*Message, error) {
	var header []byte
	var err error
	for _, f := range fields {
		if header, err = appendField(header, f.Name, f.Value); err != nil {
			return nil, err
		}
	}
	m := &Message{parts: len(b.texts) + len(b.inlines) + len(b.files), release: []func() error{b.close}}
	if !ascii(header) {
		m.needs = []string{"SMTPUTF8"}
	}
	var kind string
	if b.length() <= keepMost {
		kind, err = m.keep(b, header)
	} else {
		kind, err = m.stream(b, header)
	}
	if err != nil {
		return nil, err
	}
	m.fields = append(fields, Header{"Content-Type", kind})
	m.findings = judge(m.fields)
	m.kind, _, err = stdmime.ParseMediaType(kind)
	return m, err
}

func (b *body) all() []*file { return append(b.inlines[:len(b.inlines):len(b.inlines)], b.files...) }

// length is that of the content before it is encoded.
func (b *body) length() int64 {
	var n int64
	for _, t := range b.texts {
		n += int64(len(t.content))
	}
	for _, f := range b.all() {
		n += f.size
	}
	return n
}

func (b *body) close() error {
	var first error
	for _, f := range b.all() {
		if err := f.held.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
