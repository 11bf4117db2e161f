package spf

import (
	"strings"
)

// macro is a macro-string taken apart (section 7.1).
type macro []piece

// piece is a literal, or a macro-expand if it has a letter.
type piece struct {
	literal string // "%%", "%_" and "%-" are literals too
	letter  byte   // in lower case
	escape  bool   // it was a capital: the value is escaped as for a URL (section 7.3)
	keep    int    // labels that are kept, from the right; 0 is all
	reverse bool
	delims  string // what divides the value; "" is "."
	percent bool   // a literal that was written with a percent sign
}

// parseMacro takes s apart. In an explain-string (section 6.2) spaces and the
// letters c, r and t are allowed too. The offset of an error is within s.
func parseMacro(s string, explain bool) (macro, *SyntaxError) {
	var m macro
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '%':
			p, n, rule := parseExpand(s[i:], explain)
			if rule != "" {
				return nil, &SyntaxError{Offset: i, Rule: rule}
			}
			m = append(m, p)
			i += n
			continue
		case c == ' ' && explain, 0x21 <= c && c <= 0x7e:
		case c >= 0x80:
			return nil, &SyntaxError{Offset: i, Rule: "a character that is not ASCII: a name in another script is written as xn-- (section 7.1)"}
		default:
			return nil, &SyntaxError{Offset: i, Rule: "a control character or a space (section 7.1)"}
		}
		if k := len(m) - 1; k >= 0 && m[k].letter == 0 && !m[k].percent {
			m[k].literal += s[i : i+1]
		} else {
			m = append(m, piece{literal: s[i : i+1]})
		}
		i++
	}
	return m, nil
}

// parseExpand reads the macro-expand that s begins with, n octets of it, or names
// the rule that it breaks.
func parseExpand(s string, explain bool) (p piece, n int, rule string) {
	if len(s) < 2 {
		return p, 0, "a percent sign alone: write %% (section 7.1)"
	}
	switch s[1] {
	case '%':
		return piece{literal: "%", percent: true}, 2, ""
	case '_':
		return piece{literal: " ", percent: true}, 2, ""
	case '-':
		return piece{literal: "%20", percent: true}, 2, ""
	case '{':
	default:
		return p, 0, "a percent sign that begins no macro: write %% (section 7.1)"
	}
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return p, 0, "a macro without its } (section 7.1)"
	}
	body := s[2:end]
	if body == "" {
		return p, 0, "a macro without a letter (section 7.1)"
	}
	p.letter = body[0] | 0x20
	p.escape = body[0] != p.letter
	switch {
	case !isAlpha(body[0]) || !strings.ContainsRune("slodiphcrtv", rune(p.letter)):
		return p, 0, "no such macro letter: s l o d i p h v, and c r t in explanations (section 7.2)"
	case strings.ContainsRune("crt", rune(p.letter)) && !explain:
		return p, 0, "the macro letters c, r and t are for explanations only (section 7.2)"
	}
	rest := body[1:]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits > 0 {
		p.keep = number(rest[:digits])
		if p.keep == 0 {
			return p, 0, "a macro that keeps 0 labels (section 7.3)"
		}
	}
	rest = rest[digits:]
	if rest != "" && rest[0]|0x20 == 'r' {
		p.reverse, rest = true, rest[1:]
	}
	if strings.Trim(rest, ".-+,/_=") != "" {
		return p, 0, "a macro with something that is no delimiter (section 7.1)"
	}
	p.delims = rest
	return p, end + 1, ""
}

// uses reports whether m has one of the letters.
func (m macro) uses(letters string) bool {
	for _, p := range m {
		if p.letter != 0 && strings.IndexByte(letters, p.letter) >= 0 {
			return true
		}
	}
	return false
}

// fixed reports whether m is the same for every host and sender: of macros it may
// have %{d}, which the record's domain is.
func (m macro) fixed() bool { return !m.uses("sloiphcrtv") }

// transform divides the value of a macro, turns it round, keeps its right end and
// joins it with dots (section 7.3).
func (p piece) transform(value string) string {
	delims := p.delims
	if delims == "" {
		delims = "."
	}
	if p.keep == 0 && !p.reverse && delims == "." {
		return value
	}
	parts := split(value, delims)
	if p.reverse {
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	if p.keep > 0 && p.keep < len(parts) {
		parts = parts[len(parts)-p.keep:]
	}
	return strings.Join(parts, ".")
}

// split divides s at each of the delimiters.
func split(s, delims string) []string {
	var parts []string
	for {
		i := strings.IndexAny(s, delims)
		if i < 0 {
			return append(parts, s)
		}
		parts, s = append(parts, s[:i]), s[i+1:]
	}
}

// urlEscape escapes what RFC 3986 section 2.3 does not leave alone.
func urlEscape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isAlpha(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// number reads digits; one that is too large for any use is a large one.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = min(n*10+int(digits[i]-'0'), 1<<20)
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
