package mime

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on a line without its CR LF: RFC 5322 section 2.1.1; and on an RFC 2047 word
// (section 2).
const (
	lineMost = 998
	lineGood = 78
	wordMost = 75
	wordLong = 500 // longer words of a text are encoded, as nothing else can part them
)

// appendField writes a header field, folded to 78 octets where single spaces
// allow it. Runs of spaces are not parted: readers make one space of a fold.
func appendField(b []byte, name, value string) ([]byte, error) {
	line := len(b)
	b = append(b, name...)
	b = append(b, ": "...)
	for i, word := range parts(value) {
		switch {
		case i == 0:
		case len(b)-line+1+len(word) > lineGood:
			b = append(b, "\r\n "...)
			line = len(b) - 1
		default:
			b = append(b, ' ')
		}
		b = append(b, word...)
		if n := len(b) - line; n > lineMost {
			return nil, fmt.Errorf("header %s: %d octets without a space to fold at, over %d (RFC 5322 section 2.1.1)", name, n, lineMost)
		}
	}
	return append(b, "\r\n"...), nil
}

// parts cuts s where it can be folded: at a lone space with text on both sides.
func parts(s string) []string {
	var all []string
	start := 0
	for i := 1; i+1 < len(s); i++ {
		if s[i] == ' ' && !blank(s[i-1]) && !blank(s[i+1]) {
			all, start = append(all, s[start:i]), i+1
		}
	}
	return append(all, s[start:])
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// text makes s fit for an unstructured field (RFC 2047 section 5, rule
// 1): from the first word that needs it to the last, words are encoded. room is
// what the first line has left. literal means that a word which looks encoded
// is text too, and that spaces at the ends count.
func (c charset) text(s string, room int, literal bool) string {
	if literal && s != strings.Trim(s, " \t") {
		return c.words(s, room)
	}
	first, last := -1, 0
	for i := 0; i <= len(s); {
		end := len(s)
		if n := strings.IndexByte(s[i:], ' '); n >= 0 {
			end = i + n
		}
		if w := s[i:end]; !ascii(w) || len(w) > wordLong || literal && strings.Contains(w, "=?") {
			if first < 0 {
				first = i
			}
			last = end
		}
		i = end + 1
	}
	if first < 0 {
		return s
	}
	if first > 0 {
		room = wordMost
	}
	return s[:first] + c.words(s[first:last], room) + s[last:]
}

// words makes RFC 2047 words of s: by Q, which a person can read, unless B is
// much shorter. No character is parted (section 5). The first word is made to fit
// in room. Text with a character that c does not have goes in UTF-8.
func (c charset) words(s string, room int) string {
	c = c.forWords(s)
	whole, _ := c.encode(s)
	kind := "q"
	if c.stateful() || wordLen(whole, "q") > wordLen(whole, "b")*3/2 {
		kind = "b"
	}
	frame := len("=?" + c.name + "?q?" + "?=")
	if room < frame+12 || room > wordMost { // 12: one character of four octets, by Q
		room = wordMost
	}
	var b strings.Builder
	for len(s) > 0 {
		chunk, n := c.fitting(s, kind, room-frame)
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("=?" + c.name + "?" + kind + "?")
		if kind == "q" {
			writeQ(&b, chunk)
		} else {
			b.WriteString(base64.StdEncoding.EncodeToString(chunk))
		}
		b.WriteString("?=")
		s, room = s[n:], wordMost
	}
	return b.String()
}

// fitting gives as many characters of s, in c, as a word of room octets holds, at
// least one; and how many octets of s that are.
func (c charset) fitting(s, kind string, room int) (chunk []byte, n int) {
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		more, err := c.encode(s[:n+size])
		if err != nil || n > 0 && wordLen(more, kind) > room {
			break
		}
		chunk, n = more, n+size
	}
	return chunk, n
}

// wordLen is what b becomes within a word.
func wordLen(b []byte, kind string) int {
	if kind == "b" {
		return base64.StdEncoding.EncodedLen(len(b))
	}
	n := 0
	for _, c := range b {
		n += qLen(c)
	}
	return n
}

// qSafe are the characters that stand for themselves even in a phrase (RFC 2047
// section 5, rule 3).
func qSafe(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!*+-/", c) >= 0
}

func qLen(c byte) int {
	if c == ' ' || qSafe(c) {
		return 1
	}
	return 3
}

func writeQ(b *strings.Builder, chunk []byte) {
	for _, c := range chunk {
		switch {
		case c == ' ':
			b.WriteByte('_')
		case qSafe(c):
			b.WriteByte(c)
		default:
			fmt.Fprintf(b, "=%02X", c)
		}
	}
}

// phrase makes a display name of s (RFC 5322 section 3.2.5): atoms, else a
// quoted string, else RFC 2047 words.
func (c charset) phrase(s string) string {
	if !ascii(s) || len(s) > wordLong {
		return c.words(s, wordMost) // a fold makes room for it
	}
	for word := range strings.SplitSeq(s, " ") {
		if !dotAtom(word) || strings.ContainsAny(word, ".=") {
			return quote(s)
		}
	}
	return s
}

// param writes a media type's parameter: a quoted string, or where that does
// not serve, RFC 2231's extended form, continued in pieces (sections 3, 4).
func param(name, value string) string {
	const most = 50
	if ascii(value) && len(value) <= most && plain(value, false) == nil &&
		value == strings.Trim(value, " ") && !strings.Contains(value, "  ") {
		return "; " + name + "=" + quote(value)
	}
	var pieces []string
	var b strings.Builder
	for _, r := range value {
		if b.Len() > most-12 {
			pieces = append(pieces, b.String())
			b.Reset()
		}
		for _, c := range []byte(string(r)) {
			if c >= 0x80 || !qSafe(c) && c != '.' && c != '_' || c == '*' || c == '/' {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
	}
	pieces = append(pieces, b.String())
	if len(pieces) == 1 {
		return "; " + name + "*=utf-8''" + pieces[0]
	}
	b.Reset()
	for i, piece := range pieces {
		charset := ""
		if i == 0 {
			charset = "utf-8''"
		}
		fmt.Fprintf(&b, "; %s*%d*=%s%s", name, i, charset, piece)
	}
	return b.String()
}
