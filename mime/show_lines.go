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

// lineJudge looks at the lines as such.
type lineJudge struct {
	findings *findings
	start    int64 // of the line
	length   int64
	line     int64
	count    int64 // lines
	lf, crlf int64
	firstLF  Place
	last     lineEnd
}

func (j *lineJudge) take(p piece, part string, header bool) {
	f := j.findings
	if p.first {
		j.start, j.length, j.line = p.offset, 0, p.line
		j.count++
	}
	before := j.length
	j.length += int64(len(p.text))
	switch j.last = p.end; p.end {
	case endLF:
		if j.lf++; j.lf == 1 {
			j.firstLF = Place{p.offset + int64(len(p.text)), p.line, part}
		}
	case endCRLF:
		j.crlf++
	}
	switch {
	case before <= lineMost && j.length > lineMost:
		f.add(Fail, "long-line", "RFC 5321 section 4.5.3.1.6", Place{j.start + lineMost, p.line, part}, 1,
			"a line over %d octets: servers refuse it, or break it and any signature", lineMost)
	case p.first && j.length > lineGood && j.length <= lineMost:
		f.add(Info, "line-over-78", "RFC 5322 section 2.1.1", Place{j.start + lineGood, p.line, part}, 1,
			"a line over %d characters, which should not be", lineGood)
	}
	if i := bytes.IndexByte(p.text, '\r'); i >= 0 {
		f.add(Fail, "bare-cr", "RFC 5322 section 2.3", Place{p.offset + int64(i), p.line, part}, int64(bytes.Count(p.text, []byte{'\r'})),
			"a CR without its LF: some readers take it for a line end")
	}
	if i := bytes.IndexByte(p.text, 0); i >= 0 {
		f.add(Fail, "nul", "RFC 5322 section 4", Place{p.offset + int64(i), p.line, part}, int64(bytes.Count(p.text, []byte{0})),
			"a NUL: readers and servers drop it, or what comes after it")
	}
	if header && !ascii(p.text) {
		i := bytes.IndexFunc(p.text, func(r rune) bool { return r >= 0x80 })
		f.add(Warn, "header-utf8", "RFC 6532", Place{p.offset + int64(i), p.line, part}, 1,
			"a header line with octets over 127: only SMTPUTF8 can carry it")
	}
}

// finish tells what line ends there are.
func (j *lineJudge) finish(size int64) string {
	f := j.findings
	if j.last == noEnd && size > 0 {
		f.add(Info, "no-last-line-end", "RFC 5321 section 2.3.8", Place{size, j.line, ""}, 1, "the last line has no line end")
	}
	switch {
	case j.lf > 0 && j.crlf > 0:
		f.add(Fail, "bare-lf", "RFC 5322 section 2.3", j.firstLF, j.lf,
			"a line ends in LF alone and others in CR LF: it cannot be told which are line ends")
		return "mixed"
	case j.lf > 0:
		f.add(Info, "lf", "RFC 5322 section 2.1", j.firstLF, j.lf, "all lines end in LF, as in a file: CR LF is what is sent")
		return "lf"
	case j.crlf > 0:
		return "crlf"
	}
	return "none"
}
