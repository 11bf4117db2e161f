package mime

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// mend takes a piece of a line that has a fault and makes it fit: NUL is dropped,
// a bare CR made a line end, CRs before CR LF are left out, a long line is broken.
func (s *scan) mend(text []byte, start int64, end error, crlf bool) error {
	for i, c := range text {
		at := start + int64(i)
		if c == '\r' {
			if s.crs++; s.crs > lineMost { // nobody means that as one line end
				s.crs--
				if err := s.bare(at); err != nil {
					return err
				}
			}
			continue
		}
		for ; s.crs > 0; s.crs-- {
			if err := s.bare(at); err != nil {
				return err
			}
		}
		if c == 0 {
			s.nul++
			s.gone = true
			continue
		}
		if s.part = append(s.part, c); len(s.part) > lineMost {
			if err := s.split(at); err != nil {
				return err
			}
		}
	}
	at := start + int64(len(text))
	switch {
	case end == bufio.ErrBufferFull:
		return nil
	case end == nil:
		if s.crs > 0 { // the last is LF's, or was cut off as the text ends before CR LF
			if s.crs > 1 || crlf {
				s.crcrlf++
			}
			s.crs, crlf = 0, true
		}
		if !crlf {
			s.lf++
		}
	default:
		for ; s.crs > 0; s.crs-- {
			if err := s.bare(at); err != nil {
				return err
			}
		}
		if len(s.part) == 0 {
			return end
		}
		s.noEnd = true
	}
	if s.gone {
		if err := s.blanked(NUL, nulFault, at); err != nil {
			return err
		}
	}
	if err := s.flush(at); err != nil {
		return err
	}
	s.line++
	return end
}

// bare makes a line end of a CR without its LF.
func (s *scan) bare(at int64) error {
	s.bareCR++
	if err := s.blanked(BareCR, bareCRFault, at-int64(s.crs)); err != nil {
		return err
	}
	return s.flush(at)
}

// blanked refuses a repair that would end a header with a blank line which was none:
// the fields behind it, a Bcc perhaps, would be text.
func (s *scan) blanked(kind FaultKind, what string, at int64) error {
	if len(s.part) > 0 || s.inBody && s.parts.header == nil {
		return nil
	}
	return &Fault{Kind: kind, Offset: at, Line: s.line, what: what + ", and mended it would end the header here: take it out by hand"}
}

func (s *scan) flush(at int64) error {
	if s.wide > 0 {
		if err := s.encode(at); err != nil {
			return err
		}
	} else if err := s.emit(s.part, at); err != nil {
		return err
	}
	s.part, s.gone = s.part[:0], false
	return nil
}

// split breaks the line in part, which has become too long: a header field before
// a space, which folds it, a body where the content is the same afterwards.
func (s *scan) split(at int64) error {
	if s.wide > 0 {
		if len(s.part) > headerMost {
			return s.unbroken(s.wide, "a header line over 998 octets without a space to fold it at")
		}
		return nil
	}
	n, soft := lineMost, ""
	switch encoding, charset := s.parts.encoding, s.parts.charset; {
	case !s.inBody || s.parts.header != nil:
		value := 0
		if !blank(s.part[0]) {
			value = bytes.IndexByte(s.part[:lineMost], ':') + 1
		}
		n = bytes.LastIndexByte(s.part[:lineMost], ' ')
		if n <= value || len(bytes.Trim(s.part[value:n], " \t")) == 0 {
			s.wide = at // its words can still be encoded
			return nil
		}
	case encoding == "base64":
		n -= n % 4
	case encoding == "quoted-printable": // a soft break, not within "=C3" (RFC 2045 section 6.7)
		n, soft = lineMost-1, "="
		for n > lineMost-4 && (s.part[n-1] == '=' || s.part[n-2] == '=') {
			n--
		}
	case switches(charset):
		return s.unbroken(at, fmt.Sprintf("%s of text in %s, which cannot be broken: it switches between sets of characters", longFault, clip(charset)))
	default:
		if space := bytes.LastIndexByte(s.part[:lineMost], ' '); space >= 0 {
			n = space + 1
			break
		}
		if eightBit(s.part) && wide(charset) {
			return s.unbroken(at, fmt.Sprintf("%s of text in %s without a space to break it at", longFault, clip(charset)))
		}
		for n > lineMost-utf8.UTFMax && !utf8.RuneStart(s.part[n]) {
			n--
		}
	}
	s.long++
	rest := bytes.Clone(s.part[n:])
	if err := s.emit(append(s.part[:n], soft...), at); err != nil {
		return err
	}
	s.part = append(s.part[:0], rest...)
	return nil
}

func (s *scan) unbroken(at int64, what string) error {
	return &Fault{Kind: LongLine, Offset: at, Line: s.line, what: what}
}

// switches reports whether a charset is one of 7 bits in which an octet means what
// the escape sequences before it say: each line begins anew (RFC 1468, RFC 2152).
func switches(charset string) bool {
	return strings.HasPrefix(charset, "iso-2022-") || charset == "hz-gb-2312" || charset == "utf-7"
}

// wide reports whether the characters of a charset have several octets that do not
// tell where one begins.
func wide(charset string) bool {
	for _, prefix := range []string{"gb", "big5", "shift", "sjis", "windows-31j", "euc-", "ks_c", "cp9", "johab"} {
		if strings.HasPrefix(charset, prefix) {
			return true
		}
	}
	return false
}

// encode makes RFC 2047 words of a header line that cannot be folded, if its field
// holds text or addresses.
func (s *scan) encode(at int64) error {
	place := s.wide
	s.wide = 0
	line := string(s.part)
	name, value, colon := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	goesOn := blank(line[0])
	switch {
	case goesOn:
		name, value = s.field(), line
	case !colon || len(name) >= lineMost: // no field, or one whose name alone is too long
		return s.unbroken(place, "a header line over 998 octets without a space to fold it at")
	}
	h := Header{name, strings.Trim(value, " \t")}
	var err error
	switch {
	case !utf8.ValidString(h.Value) && textField(name):
		h.Value = charset{name: unknown8bit}.text(h.Value, wordMost, false)
	case textField(name), !goesOn && addressField(name) && !ascii(h.Value):
		h, err = h.fit(charset{})
	case !goesOn && len(h.Value) < lineMost: // a fold before it is enough
		s.long++
		if err := s.emit([]byte(name+":"), at); err != nil {
			return err
		}
		return s.emit([]byte(" "+h.Value), at)
	default:
		err = fmt.Errorf("field %s holds no text", clip(name))
	}
	var field []byte
	if err == nil {
		field, err = appendField(nil, h.Name, h.Value)
	}
	if err != nil {
		return s.unbroken(place, "a header line over 998 octets without a space to fold it at")
	}
	if goesOn {
		field = append([]byte(" "), field[len(h.Name)+2:]...)
	}
	s.words++
	for line := range bytes.SplitSeq(bytes.TrimSuffix(field, []byte("\r\n")), []byte("\r\n")) {
		if err := s.emit(line, at); err != nil {
			return err
		}
	}
	return nil
}

// field is the name of the header field that was read last.
func (s *scan) field() string {
	if h := s.parts.header; h != nil && len(h.fields) > 0 {
		name, _ := split(h.fields[len(h.fields)-1])
		return name
	}
	if n := len(s.fields); n > 0 && !s.inBody {
		return s.fields[n-1].Name
	}
	return ""
}

// textField reports whether a field is unstructured (RFC 5322 section 2.2.1): those
// that are known, and what nobody has registered.
func textField(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "subject", "comments", "content-description", "thread-topic", "organization", "user-agent":
		return true
	}
	return strings.HasPrefix(name, "x-")
}
