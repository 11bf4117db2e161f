package mime

import "bytes"

// base64Decoder decodes base64 as it comes in lines (RFC 2045 section 6.8). What
// is none of its characters is passed over, and told.
type base64Decoder struct {
	bits  uint32
	n     int  // characters in bits
	ended bool // by padding
	pads  int  // '=' since then
}

// encodedMost bounds a line of base64 and of quoted-printable.
const encodedMost = 76

// lengthen adds p to the length of an encoded line.
func (l *leaf) lengthen(p piece, ref string) {
	before := l.long
	if l.long += int64(len(p.text)); before <= encodedMost && l.long > encodedMost {
		l.note(Warn, "long-encoded-line", ref, p, 0, "a line of %s with over %d characters", l.part.Encoding, encodedMost)
	}
}

func (b *base64Decoder) take(out []byte, p piece, l *leaf) []byte {
	if p.first {
		l.long = 0
	}
	l.lengthen(p, "RFC 2045 section 6.8")
	for i, c := range p.text {
		v := base64Value(c)
		switch {
		case v < 64 && b.ended:
			l.note(Fail, "bad-base64", "RFC 2045 section 6.8", p, i, "base64 goes on behind its end: readers differ on whether they show that")
			b.ended, b.n, b.bits, b.pads = false, 0, 0, 0
			fallthrough
		case v < 64:
			b.bits = b.bits<<6 | uint32(v)
			if b.n++; b.n == 4 {
				out = append(out, byte(b.bits>>16), byte(b.bits>>8), byte(b.bits))
				b.bits, b.n = 0, 0
			}
		case c == '=' && b.ended:
			if b.pads++; b.pads > 2 {
				l.note(Fail, "bad-base64", "RFC 2045 section 6.8", p, i, "more '=' than base64 can end with")
			}
		case c == '=':
			out = b.pad(out, p, i, l)
		case c == ' ' || c == '\t':
		default:
			l.note(Fail, "bad-base64", "RFC 2045 section 6.8", p, i, "%q is no character of base64", rune(c))
		}
	}
	return out
}

// pad ends the last group at its first '='.
func (b *base64Decoder) pad(out []byte, p piece, i int, l *leaf) []byte {
	switch b.n {
	case 2:
		out = append(out, byte(b.bits>>4))
		b.pads = 1
	case 3:
		out = append(out, byte(b.bits>>10), byte(b.bits>>2))
		b.pads = 2
	default:
		l.note(Fail, "bad-base64", "RFC 2045 section 6.8", p, i, "'=' where no group of four can end")
		b.pads = 1
	}
	b.ended, b.n, b.bits = true, 0, 0
	return out
}

// base64Value is the value of a character, 64 and more for what is none.
func base64Value(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 64
}

// printable decodes a piece of quoted-printable text (RFC 2045 section 6.7).
func (l *leaf) printable(out []byte, p piece, held lineEnd) []byte {
	if p.first {
		if held != noEnd && !l.soft {
			out = append(out, held.String()...)
		}
		l.soft, l.long = false, 0
	}
	l.lengthen(p, "RFC 2045 section 6.7")
	for i, c := range p.text {
		switch {
		case len(l.hex) > 0:
			out = l.escape(out, c, p, i)
		case c == '=':
			out = append(out, l.space...)
			l.space = l.space[:0]
			l.hex = append(l.hex, c)
		case c == ' ' || c == '\t':
			l.space = append(l.space, c)
		default:
			out = append(out, l.space...)
			l.space = l.space[:0]
			if c < ' ' || c > '~' {
				l.note(Fail, "bad-quoted-printable", "RFC 2045 section 6.7", p, i, "octet 0x%02x in quoted-printable: =%02X is wanted", c, c)
			}
			out = append(out, c)
		}
		if len(l.space) > lineMost { // no line that can be sent has so much
			out = append(out, l.space...)
			l.space = l.space[:0]
		}
	}
	if p.end == noEnd {
		return out
	}
	l.space = l.space[:0]
	if len(l.hex) > 0 {
		if rest := bytes.Trim(l.hex[1:], " \t"); len(rest) == 0 {
			l.soft = true
		} else {
			l.note(Fail, "bad-quoted-printable", "RFC 2045 section 6.7", p, len(p.text), "%s at the end of a line is neither an octet nor a soft line break", clip(string(l.hex)))
			out = append(out, l.hex...)
		}
		l.hex = l.hex[:0]
	}
	return out
}

// escape takes a character behind '='.
func (l *leaf) escape(out []byte, c byte, p piece, i int) []byte {
	if white := c == ' ' || c == '\t'; white && len(bytes.Trim(l.hex[1:], " \t")) == 0 {
		if len(l.hex) < lineMost {
			l.hex = append(l.hex, c) // a soft break, if the line ends
		}
		return out
	}
	l.hex = append(l.hex, c)
	if hexValue(c) > 15 || len(l.hex) > 3 || len(l.hex) == 3 && hexValue(l.hex[1]) > 15 {
		l.note(Fail, "bad-quoted-printable", "RFC 2045 section 6.7", p, i, "%s is no octet: two hexadecimal digits are wanted behind '='", clip(string(l.hex)))
		out = append(out, l.hex...)
		l.hex = l.hex[:0]
		return out
	}
	if len(l.hex) == 3 {
		out = append(out, hexValue(l.hex[1])<<4|hexValue(l.hex[2]))
		l.hex = l.hex[:0]
	}
	return out
}

// hexValue is the value of a digit, 16 and more for what is none. Lower case is
// tolerated (RFC 2045 section 6.7, robust implementations).
func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}
