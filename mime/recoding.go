package mime

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
)

// recoding takes the lines of an entity's content and encodes them.
type recoding struct {
	to     io.WriteCloser
	out    *bytes.Buffer
	base64 bool
	owes   bool // the CR LF of the last line: a boundary takes it as its own
}

func newQuotedLines(out *bytes.Buffer) *recoding {
	return &recoding{to: quotedprintable.NewWriter(out), out: out}
}

func newBase64Lines(out *bytes.Buffer) *recoding {
	return &recoding{to: base64.NewEncoder(base64.StdEncoding, &wrapped{out: out}), out: out, base64: true}
}

// line takes one without its CR LF.
func (r *recoding) line(text []byte) {
	if r.owes {
		io.WriteString(r.to, "\r\n")
	}
	r.to.Write(text)
	r.owes = true
}

// end ends the content, before a boundary or at the message's end. Either way a
// line has ended then.
func (r *recoding) end(message bool) {
	if message && r.owes {
		io.WriteString(r.to, "\r\n")
	}
	r.to.Close()
	if !message || r.base64 {
		r.out.WriteString("\r\n")
	}
}

// wrapped breaks what is written into lines of 76.
type wrapped struct {
	out    *bytes.Buffer
	column int
}

func (w *wrapped) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if w.column == lineOut-2 {
			w.out.WriteString("\r\n")
			w.column = 0
		}
		n := min(len(p), lineOut-2-w.column)
		w.out.Write(p[:n])
		w.column += n
		p = p[n:]
	}
	return total, nil
}
