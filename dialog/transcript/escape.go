package transcript

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Escape makes foreign text printable without losing a byte of it:
//
//	\x1b       a byte: C0 (TAB too), DEL, C1, or not part of valid UTF-8
//	\u{202e}   a character that is valid UTF-8 but not seen: bidirectional
//	           controls, zero-width and other invisible ones, line and
//	           paragraph separators, any space but U+0020, variation
//	           selectors, private, unassigned and non-characters; with ascii,
//	           every character beyond ASCII
//	\\         a backslash that would otherwise begin one of these three
//
// Digits are lower-case hex. Any other backslash stands for itself. A C1
// control that came as UTF-8 is shown as its two bytes, \xc2\x85, so that \x is
// always a byte of what came and the original can be read back. A string that
// needs no escape is returned as it is, without allocating.
func Escape(s string, ascii bool) string {
	plain, foreign, rest := cut(s, ascii)
	if foreign == "" {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for {
		b = append(b, plain...)
		if foreign == "" {
			return string(b)
		}
		b = appendEscaped(b, foreign)
		plain, foreign, rest = cut(rest, ascii)
	}
}

// Printable reports whether r is shown as it is where UTF-8 may be written.
// It is a letter, digit, punctuation, symbol or combining mark of the Unicode
// version that Go knows, or U+0020, and leaves something to be seen.
func Printable(r rune) bool {
	if r < utf8.RuneSelf {
		return ' ' <= r && r < 0x7f
	}
	return strconv.IsPrint(r) && !invisible(r)
}

// invisible reports whether r shows nothing although its category says that it
// is a letter, a mark or a symbol.
func invisible(r rune) bool {
	switch r {
	case 0x2800, // BRAILLE PATTERN BLANK
		0x16fe4, // KHITAN SMALL SCRIPT FILLER
		0x1d159: // MUSICAL SYMBOL NULL NOTEHEAD
		return true
	}
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// cut splits s before and behind the first character that needs an escape;
// foreign is "" if there is none.
func cut(s string, ascii bool) (plain, foreign, rest string) {
	for i := 0; i < len(s); {
		n, itself := first(s[i:], ascii)
		if !itself {
			return s[:i], s[i : i+n], s[i+n:]
		}
		i += n
	}
	return s, "", ""
}

// first measures the first character of s, or its first byte if that is not
// UTF-8, and reports whether it stands for itself.
func first(s string, ascii bool) (n int, itself bool) {
	if c := s[0]; c < utf8.RuneSelf {
		if c == '\\' {
			return 1, !opens(s[1:], ascii)
		}
		return 1, ' ' <= c && c != 0x7f
	}
	r, n := utf8.DecodeRuneInString(s)
	if ascii || r == utf8.RuneError && n == 1 {
		return n, false
	}
	return n, Printable(r)
}

// opens reports whether a backslash before s would read as the begin of an
// escape, or as half of one when the escape of s follows it.
func opens(s string, ascii bool) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case 'x', 'u', '\\':
		return true
	}
	_, itself := first(s, ascii)
	return !itself
}

// appendEscaped appends the escape of one character that cut found.
func appendEscaped(b []byte, foreign string) []byte {
	if foreign == `\` {
		return append(b, `\\`...)
	}
	r, n := utf8.DecodeRuneInString(foreign)
	if n == 1 || r < 0xa0 {
		for i := range len(foreign) {
			c := foreign[i]
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		}
		return b
	}
	b = append(b, `\u{`...)
	b = strconv.AppendUint(b, uint64(r), 16)
	return append(b, '}')
}

const hex = "0123456789abcdef"
