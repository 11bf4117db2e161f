package mime

import (
	"bytes"
	"unicode/utf8"
)

// within follows a body line by line and knows what each line belongs to: the header
// of a part, or the content of one.
type within struct {
	open     []multipart   // from the outside in
	header   *entityHeader // of a part; nil: a body is read
	encoding string        // of the content: the Content-Transfer-Encoding in lower case
	charset  string        // of the content, in lower case
}

// follows reports whether there is something to follow: a body of one part is the
// same to its end.
func (w *within) follows() bool { return len(w.open) > 0 || w.header != nil }

// begin takes the header of the whole.
func (w *within) begin(fields []Header) {
	h := &entityHeader{message: true}
	for _, f := range fields {
		h.fields = append(h.fields, []byte(f.Name+": "+f.Value))
	}
	w.enter(h)
}

// line takes a line of the body, without its CR LF.
func (w *within) line(text []byte) {
	if bytes.HasPrefix(text, []byte("--")) {
		if i, last := boundaryOf(w.open, text); i >= 0 {
			w.encoding, w.charset, w.header = "", "", nil
			if last {
				w.open = w.open[:i]
				return
			}
			w.open = w.open[:i+1]
			w.header = &entityHeader{digest: w.open[i].digest}
			return
		}
	}
	switch {
	case w.header == nil:
	case len(text) == 0:
		w.enter(w.header)
	case w.header.add(text) != nil: // too long to be a header
		w.header = nil
	}
}

// enter begins the body behind a header.
func (w *within) enter(h *entityHeader) {
	h.judge()
	w.header, w.encoding, w.charset = nil, "", ""
	switch {
	case h.container() && len(w.open) < depthMost:
		w.open = append(w.open, multipart{h.boundary, h.media == "multipart/digest"})
	case h.identity() && h.media == "message/rfc822":
		w.header = &entityHeader{message: true}
	default:
		w.encoding, w.charset = h.encoding, h.charset
	}
}

// follow takes a line of the body, and looks at it if it is of a part's header: what
// is not ASCII there is internationalised as in the message's own (RFC 6532 section 3).
func (s *scan) follow(text []byte) {
	s.parts.line(text)
	switch {
	case s.parts.header == nil || ascii(text) || bytes.HasPrefix(text, []byte("--")):
	case utf8.Valid(text):
		s.utf8Header = true
	default:
		s.rawPart = true
	}
}
