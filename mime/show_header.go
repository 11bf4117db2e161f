package mime

import (
	"bytes"
	"fmt"
	stdmime "mime"
	"strings"
	"unicode/utf8"
)

// headerReader collects the fields of one header.
type headerReader struct {
	w    *walker
	part *Part
	room int // octets that may be kept
	kept int
	all  []headerField
	over bool
	on   bool // the last line began or went on with a field
}

// headerField is a field in the making.
type headerField struct {
	name  string
	value []byte // unfolded
	place Place
}

// take takes the next piece of the header.
func (h *headerReader) take(p piece) {
	if !p.first {
		h.keep(p.text)
		return
	}
	place := Place{p.offset, p.line, h.part.ID}
	if blank(p.text[0]) {
		switch {
		case len(bytes.Trim(p.text, " \t")) == 0:
			h.w.add(Warn, "blank-fold", "RFC 5322 section 3.2.2", place, 1, "a line of white space in the header: some readers take it for its end")
		case !h.on:
			h.w.add(Fail, "stray-line", "RFC 5322 section 2.2", place, 1, "a line that goes on with a field, and there is none before it")
		}
		h.keep(p.text)
		return
	}
	name, value, colon := bytes.Cut(p.text, []byte(":"))
	trimmed := bytes.TrimRight(name, " \t") // RFC 5322 section 4.5
	if h.on = colon && fieldName(trimmed); !h.on {
		h.odd(p, place)
		return
	}
	if len(trimmed) < len(name) {
		h.w.add(Warn, "space-before-colon", "RFC 5322 section 4.5", place, 1, "white space between the field's name %s and its colon", clip(string(trimmed)))
	}
	if len(h.all) >= fieldsMost || h.kept+len(trimmed) > h.room {
		h.on = false
		h.tooLong(place)
		return
	}
	h.kept += len(trimmed)
	h.all = append(h.all, headerField{name: string(trimmed), place: place})
	h.keep(bytes.TrimLeft(value, " \t"))
}

// odd tells of a line that is no field.
func (h *headerReader) odd(p piece, place Place) {
	if p.offset == 0 && bytes.HasPrefix(p.text, []byte("From ")) {
		h.w.add(Warn, "mbox-line", "RFC 4155", place, 1, `a "From " line, which belongs to a mailbox file and not to a message`)
		return
	}
	h.w.add(Fail, "stray-line", "RFC 5322 section 2.2", place, 1,
		"%s is neither a header field nor blank: some readers take it for the body", clip(string(p.text[:min(len(p.text), 100)])))
}

// keep adds text to the last field.
func (h *headerReader) keep(text []byte) {
	if !h.on {
		return
	}
	f := &h.all[len(h.all)-1]
	n := min(len(text), h.room-h.kept)
	f.value = append(f.value, text[:n]...)
	h.kept += n
	if n < len(text) {
		h.tooLong(f.place)
	}
}

func (h *headerReader) tooLong(p Place) {
	if !h.over {
		h.over = true
		h.w.add(Warn, "long-header", "", p, 1, "the header is over %d octets or %d fields: what comes after was not looked at", h.room, fieldsMost)
	}
}

// done ends the header.
func (h *headerReader) done() {
	for i := range h.all {
		f := &h.all[i]
		f.value = bytes.TrimRight(f.value, " \t")
		if !utf8.Valid(f.value) {
			h.w.add(Fail, "header-8bit", "RFC 6532 section 3.2", f.place, 1,
				"the field %s has octets over 127 that are not UTF-8: no standard says what they mean", clip(f.name))
		}
		if n := bytes.IndexFunc(f.value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); n >= 0 {
			h.w.add(Warn, "header-control", "RFC 5322 section 2.2", f.place, 1, "the field %s has control characters", clip(f.name))
		}
	}
}

// values gives the values of the named field.
func (h *headerReader) values(name string) []string {
	var all []string
	for _, f := range h.all {
		if strings.EqualFold(f.name, name) {
			all = append(all, string(f.value))
		}
	}
	return all
}

func (h *headerReader) value(name string) string {
	for _, v := range h.values(name) {
		return v
	}
	return ""
}

// place is where the named field is first, else where the header begins.
func (h *headerReader) place(name string) Place {
	for _, f := range h.all {
		if strings.EqualFold(f.name, name) {
			return f.place
		}
	}
	return Place{h.part.Offset, h.part.Line, h.part.ID}
}

// shown gives the fields as people read them.
func (h *headerReader) shown() []Field {
	all := make([]Field, len(h.all))
	for i, f := range h.all {
		value, err := decodeWords(string(f.value))
		if err == nil {
			err = brokenWord(string(f.value))
		}
		if err != nil {
			h.w.add(Warn, "bad-word", "RFC 2047 section 2", f.place, 1, "the field %s has an encoded word that cannot be decoded: %v", clip(f.name), err)
		}
		all[i] = Field{f.name, value, f.place.Offset, f.place.Line}
	}
	return all
}

// brokenWord is why an encoded word is none, though it looks like one: readers show
// it as it is.
func brokenWord(s string) error {
	for word := range strings.FieldsSeq(s) {
		word = strings.Trim(word, `"(),;<>`)
		if len(word) < 6 || !strings.HasPrefix(word, "=?") || !strings.HasSuffix(word, "?=") || strings.Count(word, "?") != 4 {
			continue
		}
		d := stdmime.WordDecoder{CharsetReader: charsetReader}
		if _, err := d.Decode(word); err != nil {
			return fmt.Errorf("%s: %s", clip(word), strings.TrimPrefix(err.Error(), "mime: "))
		}
	}
	return nil
}

// decodeWords decodes RFC 2047 words. With an error it gives s itself.
func decodeWords(s string) (string, error) {
	if !strings.Contains(s, "=?") {
		return s, nil
	}
	d := stdmime.WordDecoder{CharsetReader: charsetReader}
	out, err := d.DecodeHeader(s)
	if err != nil {
		return s, err
	}
	return out, nil
}
