package mime

import (
	"bufio"
	"bytes"
	"io"
)

// lineEnd is how a line ends.
type lineEnd uint8

const (
	noEnd lineEnd = iota // the message ends, or the line goes on in the next piece
	endLF
	endCRLF
)

func (e lineEnd) String() string { return [...]string{"", "\n", "\r\n"}[e] }

// piece is a line, or a buffer full of a long one. Text is without the line end
// and holds until the next piece is read.
type piece struct {
	text   []byte
	end    lineEnd
	first  bool  // it begins a line
	offset int64 // of text, from the start of the message
	line   int64 // from 1
}

// lineReader parts a message into lines in memory that does not grow, and says
// where each is.
type lineReader struct {
	src  *bufio.Reader
	at   int64
	line int64
	mid  bool // the last piece did not end its line
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{src: bufio.NewReaderSize(r, 32<<10), line: 1}
}

// next gives the next piece, and io.EOF behind the last one. No CR is parted
// from its LF.
func (l *lineReader) next() (piece, error) {
	b, err := l.src.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		if b[len(b)-1] == '\r' && l.src.UnreadByte() == nil {
			b = b[:len(b)-1]
		}
	case err == io.EOF && len(b) == 0, err != nil && err != io.EOF:
		return piece{}, err
	}
	p := piece{text: b, first: !l.mid, offset: l.at, line: l.line}
	l.at += int64(len(b))
	l.mid = err != nil
	if !l.mid {
		l.line++
		p.text, p.end = b[:len(b)-1], endLF
		if t, ok := bytes.CutSuffix(p.text, []byte{'\r'}); ok {
			p.text, p.end = t, endCRLF
		}
	}
	return p, nil
}
