package mime

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	stdmime "mime"
	"slices"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// keepMost is the length of a message up to which it is made once and kept;
// a longer one is made anew at each Open, so memory does not grow.
const keepMost = 256 << 10

// body is the content of a composed message.
//
//	mixed( alternative( text, ..., related( html, inlines... ), calendar ), attachments... )
//
// A level with one part is left out.
type body struct {
	texts   []*entity // the better one later (RFC 2046 section 5.1.4)
	html    int       // which of texts the inlines belong to
	inlines []*entity
	files   []*entity
	leaves  []*entity       // all of them, in the order in which they are sent
	ids     map[string]bool // the Content-IDs
	notes   []string        // what was not done as its file's name says
	release []func() error
}

// entity is a part that has no parts.
type entity struct {
	fields []Header // but for Content-Transfer-Encoding
	in     func(carriage) (Encoding, stretch, error)
}

// errCarriage is entity.in's for an encoding that was asked for and needs more.
var errCarriage = errors.New("the encoding that was asked for needs more than the server offers")

func (b *body) compose(d *Draft, c charset, fields []Header) (*Message, error) {
	if err := b.fill(d, c); err != nil {
		return nil, err
	}
	root := b.tree()
	layout, err := lay(root)
	if err != nil {
		return nil, err
	}
	kind := root.Header.Get("Content-Type")
	if root.FirstChild == nil {
		kind = b.leaves[0].fields[0].Value
	}
	base := Message{fields: append(fields, Header{"Content-Type", kind}), parts: len(b.leaves), release: []func() error{b.close}}
	if base.kind, _, err = stdmime.ParseMediaType(kind); err != nil {
		return nil, err
	}
	base.findings = append(judge(base.fields), b.notes...)
	var header []byte
	for _, f := range fields {
		if header, err = appendField(header, f.Name, f.Value); err != nil {
			return nil, err
		}
	}
	return b.forms(base, header, layout)
}

// forms makes the message for each carriage for which that makes a difference,
// and gives the one that asks least.
func (b *body) forms(base Message, header []byte, layout [][]byte) (*Message, error) {
	var last []Encoding
	var forms []*Message
	for c := carries7bit; c <= carriesBinary; c++ {
		m := base
		encodings, err := b.form(&m, c, header, layout)
		if err == errCarriage || err == nil && slices.Equal(encodings, last) {
			continue
		}
		if err != nil {
			return nil, err
		}
		last, forms = encodings, append([]*Message{&m}, forms...)
	}
	for _, m := range forms {
		m.forms = forms
	}
	return forms[len(forms)-1], nil // one at least, as everything goes by BINARYMIME
}

// form puts the message together for c, and says how each leaf is encoded.
func (b *body) form(m *Message, c carriage, header []byte, layout [][]byte) ([]Encoding, error) {
	var encodings []Encoding
	var contents []stretch
	var most carriage
	for _, l := range b.leaves {
		encoding, content, err := l.in(c)
		if err != nil {
			return nil, err
		}
		encodings, contents = append(encodings, encoding), append(contents, content)
		most = max(most, encoding.carriage())
	}
	var stretches []stretch
	text := slices.Clone(header)
	for i, l := range b.leaves {
		text = append(text, labelled(layout[i], most)...)
		for _, f := range l.fields {
			var err error
			if text, err = appendField(text, f.Name, f.Value); err != nil {
				return nil, err
			}
			if f.Name == "Content-Type" && encodings[i] != SevenBit { // the default (RFC 2045 section 6.1)
				text = append(text, "Content-Transfer-Encoding: "+encodings[i].String()+"\r\n"...)
			}
		}
		text = append(text, "\r\n"...)
		stretches = append(stretches, bytesStretch(text), contents[i])
		text = nil
	}
	stretches = append(stretches, bytesStretch(layout[len(b.leaves)]))
	m.needs = most.need()
	if !ascii(header) {
		m.needs = append(m.needs, "SMTPUTF8")
	}
	whole := join(stretches)
	if whole.size <= keepMost {
		kept, err := whole.read()
		if err != nil {
			return nil, err
		}
		whole = bytesStretch(kept)
	}
	m.size, m.open = whole.size, whole.open
	return encodings, nil
}

// labelled has multiparts say what is in them (RFC 2045 section 6.4). More than
// there is does no harm.
func labelled(layout []byte, c carriage) []byte {
	label := ""
	switch c {
	case carries8bit:
		label = EightBit.String()
	case carriesBinary:
		label = Binary.String()
	default:
		return layout
	}
	const field = "Content-Type: multipart/"
	return bytes.ReplaceAll(layout, []byte(field), []byte("Content-Transfer-Encoding: "+label+"\r\n"+field))
}

// fill makes the leaves of d.
func (b *body) fill(d *Draft, c charset) error {
	var bodies []Body
	if d.Text != "" || d.HTML == "" && len(d.Bodies) == 0 && d.Calendar == nil {
		bodies = append(bodies, Body{"text/plain", d.Text})
	}
	bodies = append(bodies, d.Bodies...)
	if d.HTML != "" {
		b.html = len(bodies)
		bodies = append(bodies, Body{"text/html", d.HTML})
	}
	for _, body := range bodies {
		l, err := body.leaf(c, d.Encoding)
		if err != nil {
			return err
		}
		b.texts = append(b.texts, l)
	}
	if d.Calendar != nil {
		if err := b.calendar(d.Calendar, d.Encoding); err != nil {
			return err
		}
	}
	for _, group := range []struct {
		from   []Attachment
		to     *[]*entity
		inline bool
	}{{d.Inlines, &b.inlines, true}, {d.Attachments, &b.files, false}} {
		for _, a := range group.from {
			l, err := b.attach(a, group.inline, d.Encoding)
			if err != nil {
				return err
			}
			*group.to = append(*group.to, l)
		}
	}
	if d.HTML == "" { // nothing refers to them
		b.files = append(b.inlines, b.files...)
		b.inlines = nil
	}
	return nil
}

// placeholder stands for a leaf in the tree that enmime writes.
const placeholder = "a leaf"

// tree makes the tree of parts, and notes the order of the leaves. enmime writes
// the multiparts; it streams nothing but base64, and its headers are sorted and
// wrapped as it likes, so leaves are placeholders.
func (b *body) tree() *enmime.Part {
	boundaries, id := 0, ""
	leaves := func(list []*entity) (all []*enmime.Part) {
		for range list {
			p := enmime.NewPart("")
			p.Content = []byte(placeholder)
			all = append(all, p)
		}
		return all
	}
	join := func(kind string, params map[string]string, parts []*enmime.Part) []*enmime.Part {
		if len(parts) < 2 {
			return parts
		}
		if boundaries++; id == "" {
			id = strings.ToLower(rand.Text())
		}
		p := enmime.NewPart(kind)
		p.ContentTypeParams = params
		p.Boundary = fmt.Sprintf("=_%d_%s", boundaries, id) // "=_" is in no encoded text (RFC 2045 section 6.7)
		for _, c := range parts {
			p.AddChild(c)
		}
		return []*enmime.Part{p}
	}
	texts := leaves(b.texts)
	b.leaves = slices.Clone(b.texts)
	if len(b.inlines) > 0 {
		related := join("multipart/related", map[string]string{"type": "text/html"}, // RFC 2387 section 3.1
			append(texts[b.html:b.html+1:b.html+1], leaves(b.inlines)...))
		texts[b.html] = related[0]
		b.leaves = slices.Insert(b.leaves, b.html+1, b.inlines...)
	}
	all := append(join("multipart/alternative", nil, texts), leaves(b.files)...)
	b.leaves = append(b.leaves, b.files...)
	return join("multipart/mixed", nil, all)[0]
}

// lay has enmime write the tree, and gives what stands before, between and
// behind the leaves.
func lay(root *enmime.Part) ([][]byte, error) {
	var buf bytes.Buffer
	if err := root.Encode(&buf); err != nil {
		return nil, err
	}
	return bytes.Split(buf.Bytes(), []byte("\r\n"+placeholder)), nil
}

func (b *body) close() error {
	var all error
	for _, f := range b.release {
		all = errors.Join(all, f())
	}
	b.release = nil
	return all
}
