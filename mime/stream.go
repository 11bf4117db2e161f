package mime

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// keep builds a short message once.
func (m *Message) keep(b *body, header []byte) (string, error) {
	var buf bytes.Buffer
	files := &opened{}
	defer files.close()
	kind, err := b.write(&buf, header, files.reader)
	if err != nil {
		return "", err
	}
	m.size = int64(buf.Len())
	m.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	return kind, nil
}

// stream makes a long message anew at each Open. Its size needs no reading: it is
// that of the message with files of one octet, and what base64 makes of the rest.
func (m *Message) stream(b *body, header []byte) (string, error) {
	var n counter
	kind, err := b.write(&n, header, func(f *file) io.Reader { return strings.NewReader("-"[:min(1, f.size)]) })
	if err != nil {
		return "", err
	}
	m.size = int64(n)
	for _, f := range b.all() {
		m.size += base64Len(f.size) - base64Len(min(1, f.size))
	}
	m.open = func() (io.ReadCloser, error) {
		for _, f := range b.all() {
			if err := f.unchanged(); err != nil {
				return nil, err
			}
		}
		return b.pipe(header, m.size), nil
	}
	return kind, nil
}

// pipe writes the message in a goroutine, which ends before Close returns.
func (b *body) pipe(header []byte, size int64) io.ReadCloser {
	pr, pw := io.Pipe()
	p := &piped{PipeReader: pr, left: size, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		files := &opened{}
		defer files.close()
		w := bufio.NewWriterSize(pw, 32<<10)
		_, err := b.write(w, header, files.reader)
		if err == nil {
			err = w.Flush()
		}
		pw.CloseWithError(err)
	}()
	return p
}

type piped struct {
	*io.PipeReader
	left int64
	done chan struct{}
}

// Read gives an error rather than an end before its time.
func (p *piped) Read(b []byte) (int, error) {
	n, err := p.PipeReader.Read(b)
	p.left -= int64(n)
	if p.left < 0 || err == io.EOF && p.left != 0 {
		return n, fmt.Errorf("message changed its size while it was read: %d octets are missing", p.left)
	}
	return n, err
}

func (p *piped) Close() error {
	err := p.PipeReader.Close()
	<-p.done
	return err
}

// opened are the files that one writing of a message reads.
type opened struct{ last *fileReader }

func (o *opened) reader(f *file) io.Reader { return &fileReader{held: f.held, among: o} }

func (o *opened) close() {
	if o.last != nil {
		o.last.close()
	}
}

// fileReader opens a file when it is first read, so that one is open at a time,
// and never gives octets together with an error: enmime would lose them.
type fileReader struct {
	*held
	among *opened
	rc    io.ReadCloser
	err   error
}

func (f *fileReader) Read(p []byte) (int, error) {
	if f.rc == nil && f.err == nil {
		f.among.last = f
		f.rc, f.err = f.open()
	}
	for f.err == nil {
		var n int
		n, f.err = f.rc.Read(p)
		if f.err != nil {
			f.close()
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
	return 0, f.err
}

func (f *fileReader) close() {
	if f.rc != nil {
		f.rc.Close()
	}
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// base64Len is what n octets become in lines of 76 with CR LF (RFC 2045
// section 6.8).
func base64Len(n int64) int64 {
	n = (n + 2) / 3 * 4
	return n + (n+75)/76*2
}

func validUTF8(b []byte) (int, bool) {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i, false
		}
		i += n
	}
	return 0, true
}
