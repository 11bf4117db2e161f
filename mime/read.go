package mime

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// headerMost is how much of a header is kept to be judged.
const headerMost = 256 << 10

// FaultKind says what a Fault is.
type FaultKind uint8

// The faults that keep a message from being sent as it is. Fixup mends BareCR,
// NUL, LongLine and BccField.
const (
	Empty    FaultKind = iota + 1 // no octets at all
	NoHeader                      // it begins with something else than a header field
	MboxLine                      // it begins with the "From " line of a mailbox file
	BareCR                        // a CR without its LF (RFC 5322 section 2.3)
	NUL                           // RFC 5322 section 2.2, 4
	LongLine                      // over 998 octets (RFC 5321 section 4.5.3.1.6)
	BccField                      // every recipient would read it (RFC 5322 section 3.6.3)
)

// Fault is the first thing that keeps a message from being sent. Offset counts
// the octets before it, Line from 1.
type Fault struct {
	Kind         FaultKind
	Offset, Line int64
	what         string
}

// Error says in one line what is wrong and where.
func (f *Fault) Error() string {
	if f.Kind == Empty {
		return f.what
	}
	return fmt.Sprintf("line %d, offset %d: %s", f.Line, f.Offset, f.what)
}

// Mendable reports whether Options.Fixup mends it: not a long header line
// without a space, for which that is the error then.
func (f *Fault) Mendable() bool { return f.Kind >= BareCR }

// scan reads a message in CR LF lines from one with any line ends, and takes note
// of what it is. It holds one buffer and the header.
type scan struct {
	src   *bufio.Reader
	fixup bool
	inner bool // a message within another, whose Bcc field is nobody's secret any more

	allow  Breach
	broken map[Breach]int // what was let through
	column int64          // octets of a line that were taken, where it is taken in pieces
	eight  bool           // there was one over 127 among them

	out  []byte // made and not yet read
	sent int    // of out
	err  error

	at   int64  // octets taken from src
	line int64  // the line being read
	part []byte // of a line that is being mended
	crs  int    // that came last: what follows tells if they are bare
	gone bool   // a NUL was dropped from part
	wide int64  // where part became too long for a header line, without a space to fold it at; 0: it did not

	size   int64 // octets made
	begun  bool  // a line was made, or dropped
	inBody bool
	bcc    bool // in a Bcc field
	kept   int  // octets of header in fields
	fields []Header

	lf, crcrlf, bareCR, nul, long, words, bccs int // how many were mended
	noEnd                                      bool
	stray                                      int64 // the first header line that is no field
	utf8Header, rawHeader                      bool  // rawHeader: it is not UTF-8
	rawPart                                    bool  // a part's header is not UTF-8
	eightBody                                  bool

	parts within // what the body is made of
}

func newScan(r io.Reader, fixup bool) *scan {
	return &scan{src: bufio.NewReaderSize(r, 32<<10), fixup: fixup, line: 1}
}

// Read gives the message in CR LF lines.
func (s *scan) Read(p []byte) (int, error) {
	for s.sent == len(s.out) {
		if s.err != nil {
			return 0, s.err
		}
		s.out, s.sent = s.out[:0], 0
		for len(s.out) < 16<<10 && s.err == nil {
			switch {
			case s.allow != 0:
				s.err = s.loose()
			case !s.several():
				s.err = s.next()
			}
		}
		if s.err == io.EOF && s.size == 0 {
			s.err = &Fault{Kind: Empty, what: "the message is empty"}
		}
	}
	n := copy(p, s.out[s.sent:])
	s.sent += n
	return n, nil
}

// several takes the lines of a body that are in the buffer, if they end in LF alone
// and have no fault, and reports whether there were any. It does what next does, for
// most files in less time.
func (s *scan) several() bool {
	if !s.inBody || len(s.part) > 0 || s.crs > 0 {
		return false
	}
	b, _ := s.src.Peek(s.src.Buffered())
	if bytes.IndexByte(b, '\r') >= 0 || bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	taken, made := 0, len(s.out)
	for {
		n := bytes.IndexByte(b[taken:], '\n')
		if n < 0 || n > lineMost {
			break
		}
		if s.parts.follows() {
			s.follow(b[taken : taken+n])
		}
		s.out = append(append(s.out, b[taken:taken+n]...), '\r', '\n')
		s.line++
		s.lf++
		taken += n + 1
	}
	s.eightBody = s.eightBody || eightBit(b[:taken])
	s.at += int64(taken)
	s.size += int64(len(s.out) - made)
	_, _ = s.src.Discard(taken)
	return taken > 0
}

// next takes a line, or a buffer of one.
func (s *scan) next() error {
	b, err := s.src.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
		return err
	}
	start := s.at
	s.at += int64(len(b))
	text, crlf := b, false
	if err == nil {
		text = b[:len(b)-1]
		if crlf = len(text) > 0 && text[len(text)-1] == '\r'; crlf {
			text = text[:len(text)-1]
		}
	}
	whole := err == nil || err == io.EOF
	if whole && len(s.part) == 0 && s.crs == 0 && len(text) <= lineMost &&
		bytes.IndexByte(text, '\r') < 0 && bytes.IndexByte(text, 0) < 0 {
		return s.tidy(text, start, err, crlf)
	}
	if !s.fixup {
		return s.fault(text, start)
	}
	return s.mend(text, start, err, crlf)
}

// tidy takes a line without a fault; end is io.EOF if no line end follows it.
func (s *scan) tidy(text []byte, start int64, end error, crlf bool) error {
	if end == io.EOF {
		if len(text) == 0 {
			return io.EOF
		}
		s.noEnd = true
	} else if !crlf {
		s.lf++
	}
	if err := s.emit(text, start); err != nil {
		return err
	}
	s.line++
	return end
}

const (
	bareCRFault = "a CR without its LF (RFC 5322 section 2.3)"
	nulFault    = "a NUL (RFC 5322 section 4)"
	longFault   = "a line over 998 octets (RFC 5321 section 4.5.3.1.6)"
)

// fault is the first one in text.
func (s *scan) fault(text []byte, start int64) error {
	f := &Fault{Kind: LongLine, Offset: lineMost, Line: s.line, what: longFault}
	if i := bytes.IndexByte(text, '\r'); i >= 0 && (len(text) <= lineMost || i <= lineMost) {
		f.Kind, f.Offset, f.what = BareCR, int64(i), bareCRFault
	}
	if i := bytes.IndexByte(text, 0); i >= 0 && (len(text) <= lineMost || i <= lineMost) && (f.Kind == LongLine || int64(i) < f.Offset) {
		f.Kind, f.Offset, f.what = NUL, int64(i), nulFault
	}
	f.Offset += start
	return f
}

// emit makes a line of text, and looks at it.
func (s *scan) emit(text []byte, start int64) error {
	if s.inBody {
		s.eightBody = s.eightBody || eightBit(text)
		if s.parts.follows() {
			s.follow(text)
		}
	} else if err := s.header(text, start); err != nil {
		return err
	}
	if s.begun = true; s.bcc && s.fixup {
		return nil
	}
	s.out = append(append(s.out, text...), '\r', '\n')
	s.size += int64(len(text)) + 2
	return nil
}

// eightBit reports whether text has an octet over 127. A big message is asked
// line by line, so it looks at eight at a time.
func eightBit(text []byte) bool {
	var all uint64
	for ; len(text) >= 8; text = text[8:] {
		all |= binary.NativeEndian.Uint64(text)
	}
	return all&0x8080808080808080 != 0 || !ascii(text)
}

// header looks at a line of the header.
func (s *scan) header(text []byte, start int64) error {
	first := !s.begun
	if len(text) == 0 && !first {
		s.inBody, s.bcc = true, false
		s.parts.begin(s.fields)
		return nil
	}
	if err := s.secret(text, start); err != nil || s.bcc && s.fixup {
		return err
	}
	if !ascii(text) {
		s.utf8Header = true
		s.rawHeader = s.rawHeader || !utf8.Valid(text)
	}
	name, value, colon := bytes.Cut(text, []byte(":"))
	name = bytes.TrimRight(name, " \t") // RFC 5322 section 4.5
	switch {
	case first && bytes.HasPrefix(text, []byte("From ")):
		return &Fault{Kind: MboxLine, Offset: start, Line: s.line, what: `a "From " line, which belongs to a mailbox file and not to a message: leave it out`}
	case !first && len(text) > 0 && blank(text[0]):
		if n := len(s.fields); n > 0 && s.keep(len(text)) {
			s.fields[n-1].Value += string(text)
		}
	case colon && fieldName(name):
		if s.keep(len(text)) {
			s.fields = append(s.fields, Header{string(name), strings.Trim(string(value), " \t")})
		}
	case first:
		return &Fault{Kind: NoHeader, Offset: start, Line: s.line, what: fmt.Sprintf(
			"%s is no header field: a whole message begins with fields such as Subject, then a blank line", clip(string(text)))}
	case s.stray == 0:
		s.stray = s.line
	}
	return nil
}

// secret looks for a Bcc field with an address in it: without one it is as the
// RFC wants it (RFC 5322 section 3.6.3). Fixup drops the field.
func (s *scan) secret(text []byte, start int64) error {
	name, value, colon := bytes.Cut(text, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	switch {
	case s.inner:
		return nil
	case s.begun && len(text) > 0 && blank(text[0]):
		value = text // of the field that goes on
	case colon && (bytes.EqualFold(name, []byte("bcc")) || bytes.EqualFold(name, []byte("resent-bcc"))):
		s.bcc = true
		if s.fixup {
			s.bccs++
		}
	default:
		s.bcc = false
	}
	if s.bcc && !s.fixup && len(bytes.TrimSpace(value)) > 0 {
		return &Fault{Kind: BccField, Offset: start, Line: s.line,
			what: "a Bcc field, which every recipient would read (RFC 5322 section 3.6.3)"}
	}
	return nil
}

// keep reports whether n octets more of header may be kept.
func (s *scan) keep(n int) bool {
	s.kept += n
	return s.kept <= headerMost
}
