package mime

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// Breach is a rule that a whole message breaks because its user wants it so, to
// see what a server makes of it. Several are joined by |.
type Breach uint8

// The breaches. Without its own each is mended or refused.
const (
	BreachBareCR   Breach = 1 << iota // a CR without its LF stays (RFC 5321 section 2.3.8)
	BreachBareLF                      // a LF without its CR stays, and is no end of a line on the wire
	BreachNUL                         // a NUL stays (RFC 5321 section 4.5.2)
	BreachLongLine                    // a line over 998 octets stays whole (RFC 5321 section 4.5.3.1.6)
	Breach8Bit                        // octets over 127 need no 8BITMIME (RFC 6152)
	BreachUTF8                        // UTF-8 in the header needs no SMTPUTF8 (RFC 6531)
	BreachDots                        // a dot that begins a line is doubled (RFC 5321 section 4.5.2): whoever writes the message sees to it
)

// breach is a row of breaches.
type breach struct {
	bit       Breach
	word      string
	one, many string // what is sent as it is
}

func breaches() []breach {
	return []breach{
		{BreachBareCR, "bare-cr", "bare CR", "bare CRs"},
		{BreachBareLF, "bare-lf", "bare LF", "bare LFs"},
		{BreachNUL, "nul", "NUL", "BreachNUL"},
		{BreachLongLine, "long-lines", "line over 998 octets", "lines over 998 octets"},
		{Breach8Bit, "8bit", "line with octets over 127 without 8BITMIME", "lines with octets over 127 without 8BITMIME"},
		{BreachUTF8, "utf8", "header line beyond ASCII without SMTPUTF8", "header lines beyond ASCII without SMTPUTF8"},
		{BreachDots, "no-dot-stuffing", "line whose first dot is not doubled", "lines whose first dots are not doubled"},
	}
}

// BreachWords are the names of the breaches, in order.
func BreachWords() []string {
	var words []string
	for _, b := range breaches() {
		words = append(words, b.word)
	}
	return words
}

// ParseBreach gives the breach of a name, 0 for what is none.
func ParseBreach(word string) Breach {
	for _, b := range breaches() {
		if b.word == word {
			return b.bit
		}
	}
	return 0
}

// let notes n breaches that are let through, if they are.
func (s *scan) let(b Breach, n int) bool {
	if n > 0 && s.allow&b != 0 {
		if s.broken == nil {
			s.broken = map[Breach]int{}
		}
		s.broken[b] += n
	}
	return s.allow&b != 0
}

// loose takes a line, or a piece of one, of a message that may break rules.
func (s *scan) loose() error {
	b, err := s.src.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
		return err
	}
	if err == bufio.ErrBufferFull && b[len(b)-1] == '\r' { // the next octet tells if it is bare
		if uerr := s.src.UnreadByte(); uerr != nil {
			return uerr
		}
		b = b[:len(b)-1]
	}
	start := s.at
	s.at += int64(len(b))
	text, end := b, ""
	switch {
	case err == nil && bytes.HasSuffix(b, []byte("\r\n")):
		text, end = b[:len(b)-2], "\r\n"
	case err == nil:
		if text, end = b[:len(b)-1], "\n"; !s.let(BreachBareLF, 1) {
			s.lf++
			end = "\r\n"
		}
	case err == io.EOF && len(b) == 0 && s.column == 0:
		return io.EOF
	case err == io.EOF:
		s.noEnd, end = true, "\r\n"
	}
	if err := s.breach(text, start); err != nil {
		return err
	}
	if s.column == 0 {
		if bytes.HasPrefix(text, []byte(".")) {
			s.let(BreachDots, 1)
		}
		s.eight = false
	}
	if err := s.look(text, start); err != nil {
		return err
	}
	s.begun = true
	s.out = append(append(s.out, text...), end...)
	s.size += int64(len(text) + len(end))
	s.column += int64(len(text))
	if end != "" {
		s.column = 0
		s.line++
	}
	if err == io.EOF {
		return err
	}
	return nil
}

// breach is the first fault in a piece of a line that is not let through.
func (s *scan) breach(text []byte, start int64) error {
	bare := -1
	if !s.let(BreachBareCR, bytes.Count(text, []byte("\r"))) {
		bare = bytes.IndexByte(text, '\r')
	}
	nul := -1
	if !s.let(BreachNUL, bytes.Count(text, []byte{0})) {
		nul = bytes.IndexByte(text, 0)
	}
	long := -1
	if column := s.column + int64(len(text)); s.column <= lineMost && column > lineMost && !s.let(BreachLongLine, 1) {
		long = int(lineMost - s.column)
	}
	fault := func(kind FaultKind, at int, what string) error {
		return &Fault{Kind: kind, Offset: start + int64(at), Line: s.line, what: what}
	}
	first := func(at int) bool {
		return at >= 0 && (bare < 0 || at <= bare) && (nul < 0 || at <= nul) && (long < 0 || at <= long)
	}
	switch {
	case first(bare):
		return fault(BareCR, bare, bareCRFault)
	case first(nul):
		return fault(NUL, nul, nulFault)
	case first(long):
		return fault(LongLine, long, longFault)
	}
	return nil
}

// look takes note of what a piece of a line is.
func (s *scan) look(text []byte, start int64) error {
	eight := eightBit(text)
	if eight && !s.eight {
		s.eight = true
		kind := Breach8Bit
		if !s.inBody && utf8.Valid(text) {
			kind = BreachUTF8
		}
		s.let(kind, 1)
	}
	if s.inBody {
		s.eightBody = s.eightBody || eight
		return nil
	}
	if s.column > 0 { // of a header line that is longer than the buffer
		s.utf8Header = s.utf8Header || eight
		return nil
	}
	return s.header(text, start)
}

// breached says what is let through, for people.
func (s *scan) breached() []string {
	var all []string
	for _, b := range breaches() {
		switch n := s.broken[b.bit]; {
		case s.allow&b.bit == 0:
		case n == 0:
			all = append(all, fmt.Sprintf("--malformed %s: there is no %s in the message", b.word, b.one))
		case n == 1:
			all = append(all, fmt.Sprintf("--malformed %s: 1 %s is sent as it is", b.word, b.one))
		default:
			all = append(all, fmt.Sprintf("--malformed %s: %d %s are sent as they are", b.word, n, b.many))
		}
	}
	return all
}
