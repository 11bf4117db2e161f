package transcript

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// document is the sink of "json": it holds everything back and writes one
// document at the end.
type document struct {
	w       io.Writer
	before  func()
	records [][]byte
	result  []byte
	err     error
}

func newJSON(w io.Writer, o Options) Sink { return &document{w: w, before: o.Before} }

// Write keeps r. The result's value becomes the document, every other record a
// member of its transcript.
func (d *document) Write(r Record) {
	if r.Event.Kind() == ResultKind {
		b, err := object(r.Event)
		d.result, d.err = b, cmp.Or(d.err, err)
		return
	}
	b, err := marshal(r)
	if err != nil {
		d.err = cmp.Or(d.err, err)
		return
	}
	d.records = append(d.records, b)
}

// Close writes the document, which without a result is only the transcript.
func (d *document) Close() error {
	b := []byte("{")
	if len(d.result) > len("{}") {
		b = append(b, d.result[1:len(d.result)-1]...)
		b = append(b, ',')
	}
	b = append(b, `"transcript":[`...)
	b = append(b, bytes.Join(d.records, []byte(","))...)
	b = append(b, "]}"...)
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return cmp.Or(d.err, err)
	}
	out.WriteByte('\n')
	if d.before != nil {
		d.before()
	}
	_, err := d.w.Write(out.Bytes())
	return cmp.Or(err, d.err)
}

// jsonl is the sink of "jsonl": each record is written as it happens, because
// a program at the other end of the pipe acts on it.
type jsonl struct {
	w      io.Writer
	before func()
	err    error
}

func newJSONL(w io.Writer, o Options) Sink { return &jsonl{w: w, before: o.Before} }

func (l *jsonl) Write(r Record) {
	if l.err != nil {
		return
	}
	b, err := marshal(r)
	if err == nil {
		if l.before != nil {
			l.before()
		}
		_, err = l.w.Write(append(b, '\n'))
	}
	l.err = err
}

func (l *jsonl) Close() error { return l.err }

// marshal gives r on one line: when, what and to whom it happened, and then
// the event's own fields.
func marshal(r Record) ([]byte, error) {
	own, err := object(r.Event)
	if err != nil {
		return nil, err
	}
	head, err := compact(struct {
		At     string `json:"at"`
		Event  string `json:"event"`
		Target string `json:"target,omitempty"`
	}{r.At.UTC().Format("2006-01-02T15:04:05.000Z"), r.Event.Kind(), r.Target})
	if err != nil {
		return nil, err
	}
	if len(own) > len("{}") {
		head[len(head)-1] = ','
		head = append(head, own[1:]...)
	}
	return head, nil
}

var errNotObject = errors.New("its JSON is not an object")

// object gives the JSON object of e on one line.
func object(e Event) ([]byte, error) {
	b, err := compact(e)
	if err == nil && b[0] != '{' {
		err = errNotObject
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Kind(), err)
	}
	return b, nil
}

// compact marshals v on one line. Nothing is escaped for HTML, which this is
// not, so that an address is found by grep; everything that Escape would not
// show is.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return visible(unescapeHTML(bytes.TrimSuffix(b.Bytes(), []byte("\n")))), nil
}

// unescapeHTML writes <, > and & as themselves in the JSON text b: an encoder can
// be told so, but the MarshalJSON method of a value within cannot.
func unescapeHTML(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u00`)) {
		return b
	}
	// A backslash goes with the one that it escapes: \\u003c is no escape.
	return []byte(strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b)))
}

// visible writes each character of the JSON text b that is not Printable as
// \uXXXX (RFC 8259 section 7), which leaves its value what it was: outside of
// strings JSON has no such characters. b must be valid UTF-8, as encoding/json
// writes it.
func visible(b []byte) []byte {
	i := hiddenAt(b)
	if i == len(b) {
		return b
	}
	out := make([]byte, 0, len(b)+32)
	for {
		out = append(out, b[:i]...)
		if b = b[i:]; len(b) == 0 {
			return out
		}
		r, n := utf8.DecodeRune(b)
		out = appendUnicode(out, r)
		b = b[n:]
		i = hiddenAt(b)
	}
}

// appendUnicode appends r as a JSON escape, beyond U+FFFF as a surrogate pair.
func appendUnicode(b []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return appendUnicode(appendUnicode(b, hi), lo)
	}
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// hiddenAt is the offset of the first character that is not Printable.
func hiddenAt(b []byte) int {
	for i := 0; i < len(b); {
		if c := b[i]; ' ' <= c && c < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if !Printable(r) {
			return i
		}
		i += n
	}
	return len(b)
}
