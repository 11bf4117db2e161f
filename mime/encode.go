package mime

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
)

// Octets of a base64 line, in and out (RFC 2045 section 6.8).
const (
	lineIn  = 57
	lineOut = 76 + len("\r\n")
)

// base64Len is what n octets become in lines of 76 with CR LF.
func base64Len(n int64) int64 {
	n = (n + 2) / 3 * 4
	return n + (n+75)/76*2
}

// base64Stretch is p in base64, of a size that needs no reading.
func base64Stretch(p stretch) stretch {
	return stretch{base64Len(p.size), func() (io.ReadCloser, error) {
		r, err := p.open()
		if err != nil {
			return nil, err
		}
		return &base64Reader{src: r}, nil
	}}
}

// base64Reader encodes into its caller's buffer, line by line.
type base64Reader struct {
	src  io.ReadCloser
	in   []byte // read and not yet encoded
	line []byte // encoded and not yet given, in spill
	buf  []byte
	err  error

	spill [lineOut]byte
}

const base64Block = 576 * lineIn // 32 KiB and whole lines

func (e *base64Reader) Read(p []byte) (int, error) {
	total := 0
	for total < len(p) {
		switch {
		case len(e.line) > 0:
			n := copy(p[total:], e.line)
			e.line = e.line[n:]
			total += n
		case len(e.in) == 0 && e.err != nil:
			if total > 0 {
				return total, nil
			}
			return 0, e.err
		case len(e.in) == 0:
			e.fill()
		case len(e.in) >= lineIn && len(p)-total >= lineOut:
			for ; len(e.in) >= lineIn && len(p)-total >= lineOut; total += lineOut {
				encodeLine(p[total:total+lineOut], e.in[:lineIn])
				e.in = e.in[lineIn:]
			}
		default:
			n := min(lineIn, len(e.in))
			e.line = e.spill[:base64.StdEncoding.EncodedLen(n)+2]
			encodeLine(e.line, e.in[:n])
			e.in = e.in[n:]
		}
	}
	return total, nil
}

func encodeLine(out, in []byte) {
	base64.StdEncoding.Encode(out, in)
	copy(out[len(out)-2:], "\r\n")
}

// fill reads a block, short only at the end. What an error cut off is not given,
// so that it is never taken for all.
func (e *base64Reader) fill() {
	if e.buf == nil {
		e.buf = make([]byte, base64Block)
	}
	n, err := io.ReadFull(e.src, e.buf)
	switch err {
	case nil:
	case io.ErrUnexpectedEOF, io.EOF:
		e.err = io.EOF
	default:
		e.err = err
		return
	}
	e.in = e.buf[:n]
}

func (e *base64Reader) Close() error { return e.src.Close() }

// quotedStretch is p in quoted-printable. Of text, line ends stay line ends.
func quotedStretch(p stretch, text bool) (stretch, error) {
	return measure(func() (io.ReadCloser, error) {
		r, err := p.open()
		if err != nil {
			return nil, err
		}
		q := &quotedReader{src: r, buf: make([]byte, 16<<10)}
		q.to = quotedprintable.NewWriter(&q.out)
		q.to.Binary = !text
		return q, nil
	})
}

type quotedReader struct {
	src io.ReadCloser
	buf []byte
	out bytes.Buffer
	to  *quotedprintable.Writer
	err error
}

func (q *quotedReader) Read(p []byte) (int, error) {
	for q.out.Len() == 0 {
		if q.err != nil {
			return 0, q.err
		}
		n, err := q.src.Read(q.buf)
		q.to.Write(q.buf[:n]) // to memory
		if q.err = err; err == io.EOF {
			q.to.Close()
		}
	}
	return q.out.Read(p)
}

func (q *quotedReader) Close() error { return q.src.Close() }
