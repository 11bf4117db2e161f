package transcript

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// span is a piece of a text, by offsets.
type span struct{ from, to int }

// columns is the width of s on a terminal, without its escape sequences.
func columns(s []byte) (n int) {
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		n += runeColumns(r)
		s = s[size:]
	}
	return n
}

// runeColumns is the width of r: 2 for what Unicode's annex 11 calls wide or
// fullwidth, 0 for combining marks and the conjoining vowels and finals of
// Hangul, else 1, also where the width is ambiguous. x/text/width costs no
// start-up time; go-runewidth reads the locale before main.
func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me), 0x1160 <= r && r <= 0x11ff:
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fold cuts s into lines: the first of at most first columns, the others of at
// most rest. It breaks at spaces, which it drops; but where items are parted
// by " sep ", it breaks behind the separator if the item that does not fit
// then has a line to itself. A separator never begins a line. A word that is
// longer than a line is left whole on a line of its own, for the terminal to
// break, so that it copies whole. sep is "" for text that has no items.
func fold(dst []span, s []byte, first, rest int, sep string) []span {
	from, room := 0, first
	for {
		to, next := breakAt(s, from, room, rest, sep)
		dst = append(dst, span{from, to})
		if next >= len(s) {
			return dst
		}
		from, room = next, rest
	}
}

// breakAt gives the end of the line that begins at from, and where the next
// one begins.
func breakAt(s []byte, from, room, rest int, sep string) (to, next int) {
	space, item := -1, -1 // the last breaks that fit: at a space, behind a separator
	col, word := 0, false
	for i := from; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		if r == ' ' {
			if word && s[i-1] != ' ' && !separates(s[i+1:], sep) {
				if col > room && space < 0 {
					return broken(s, i) // the first word alone is too long
				}
				if col <= room {
					space = i
					if behind(s[from:i], sep) {
						item = i
					}
				}
			}
		} else {
			word = true
		}
		col += runeColumns(r)
		if col > room && r != ' ' && space >= 0 {
			if item >= 0 && columns(s[item+1:itemEnd(s, item+1, sep)]) <= rest {
				space = item
			}
			return broken(s, space)
		}
		i += size
	}
	return len(s), len(s)
}

// broken is a break at the space s[i]: the spaces there are dropped.
func broken(s []byte, i int) (to, next int) {
	to, next = i, i
	for next < len(s) && s[next] == ' ' {
		next++
	}
	return to, next
}

// separates reports whether s begins with the separator as a word, behind any
// spaces.
func separates(s []byte, sep string) bool {
	s = bytes.TrimLeft(s, " ")
	return sep != "" && bytes.HasPrefix(s, []byte(sep)) && (len(s) == len(sep) || s[len(sep)] == ' ')
}

// behind reports whether s ends with the separator as a word.
func behind(s []byte, sep string) bool {
	before, ok := bytes.CutSuffix(s, []byte(sep))
	return ok && sep != "" && bytes.HasSuffix(before, []byte(" "))
}

// itemEnd is where the item at from ends, with the separator that follows it.
func itemEnd(s []byte, from int, sep string) int {
	if i := bytes.Index(s[from:], []byte(" "+sep+" ")); i >= 0 {
		return from + i + 1 + len(sep)
	}
	return len(s)
}
