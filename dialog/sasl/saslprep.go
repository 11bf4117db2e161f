package sasl

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// saslprep prepares a user name or a password for comparison (RFC 4013), as a
// query: characters that Unicode 3.2 did not know are let through. The error
// names a character that is prohibited.
func saslprep(s string) (string, error) {
	if printableASCII(s) {
		return s, nil // nothing of it applies
	}
	if !utf8.ValidString(s) {
		return "", errors.New("it is not UTF-8")
	}
	s = norm.NFKC.String(strings.Map(mapped, s))
	if s == "" {
		return "", errors.New("nothing is left of it")
	}
	for _, r := range s {
		if prohibited(r) {
			return "", fmt.Errorf("U+%04X is prohibited", r)
		}
	}
	if !oneDirection(s) {
		return "", errors.New("it mixes the directions of writing")
	}
	return s, nil
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// mapped is RFC 4013 section 2.1: spaces become U+0020 (RFC 3454 table C.1.2),
// what is commonly mapped to nothing goes (table B.1).
func mapped(r rune) rune {
	switch {
	case r == 0xa0, r == 0x1680, 0x2000 <= r && r <= 0x200b, r == 0x202f, r == 0x205f, r == 0x3000:
		return ' '
	case r == 0xad, r == 0x34f, r == 0x1806, 0x180b <= r && r <= 0x180d, r == 0x200c, r == 0x200d,
		r == 0x2060, 0xfe00 <= r && r <= 0xfe0f, r == 0xfeff:
		return -1
	}
	return r
}

// prohibited is RFC 4013 section 2.3, by the tables of RFC 3454 appendix C. What
// mapped has replaced is left out.
func prohibited(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r <= 0x9f, // C.2.1, C.2.2
		r == 0x6dd, r == 0x70f, r == 0x180e, r == 0x2028, r == 0x2029, 0x2061 <= r && r <= 0x2063, // C.2.2
		0xfff9 <= r && r <= 0xfffd, 0x1d173 <= r && r <= 0x1d17a, // C.2.2, C.6
		0xe000 <= r && r <= 0xf8ff, 0xf0000 <= r, // C.3, and the non-characters of these planes
		0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe, 0x2ff0 <= r && r <= 0x2ffb, // C.4, C.7; C.5, surrogates, is not UTF-8
		r == 0x340, r == 0x341, r == 0x200e, r == 0x200f, 0x202a <= r && r <= 0x202e, 0x206a <= r && r <= 0x206f, // C.8
		r == 0xe0001, 0xe0020 <= r && r <= 0xe007f: // C.9
		return true
	}
	return false
}

// oneDirection is RFC 3454 section 6: a text with a character that is written
// from right to left has none from left to right, and begins and ends with one.
func oneDirection(s string) bool {
	var left, right, first, last bool
	for i, r := range s {
		p, _ := bidi.LookupRune(r)
		left = left || p.Class() == bidi.L
		last = p.Class() == bidi.R || p.Class() == bidi.AL
		right = right || last
		first = first || i == 0 && last
	}
	return !right || !left && first && last
}
