package mime

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser reads addresses from the left, one token at a time.
type parser struct {
	in         string
	pos        int
	postmaster bool   // Postmaster needs no domain
	comment    string // the last comment skipped
}

// quoted reads a Quoted-string and gives what it stands for.
func (p *parser) quoted() (string, error) {
	open := p.pos
	var b strings.Builder
	for p.pos++; p.pos < len(p.in); p.pos++ {
		switch c := p.in[p.pos]; c {
		case '"':
			p.pos++
			return b.String(), nil
		case '\\':
			if p.pos++; p.pos < len(p.in) {
				b.WriteByte(p.in[p.pos])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("'\"' at offset %d is not closed", open)
}

// skip passes over spaces and comments, which nest.
func (p *parser) skip() error {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ':
			p.pos++
		case '(':
			open, depth := p.pos, 0
			for ; p.pos < len(p.in); p.pos++ {
				switch p.in[p.pos] {
				case '\\':
					p.pos++
				case '(':
					depth++
				case ')':
					depth--
				}
				if depth == 0 {
					break
				}
			}
			if p.pos >= len(p.in) {
				return fmt.Errorf("'(' at offset %d is not closed", open)
			}
			p.comment = strings.Trim(p.in[open+1:p.pos], " ")
			p.pos++
		default:
			return nil
		}
	}
	return nil
}

func (p *parser) run(in func(rune) bool) string {
	start := p.pos
	for p.pos < len(p.in) {
		r, n := utf8.DecodeRuneInString(p.in[p.pos:])
		if !in(r) {
			break
		}
		p.pos += n
	}
	return p.in[start:p.pos]
}

func (p *parser) end() bool { return p.pos == len(p.in) }

// peek is the next character, -1 at the end.
func (p *parser) peek() rune {
	if p.end() {
		return -1
	}
	r, _ := utf8.DecodeRuneInString(p.in[p.pos:])
	return r
}

func (p *parser) unclosed(c rune, open int) error {
	if p.end() {
		return fmt.Errorf("%q at offset %d is not closed", c, open)
	}
	return p.unexpected("in the domain")
}

func (p *parser) unexpected(where string) error {
	switch r := p.peek(); r {
	case -1:
		return fmt.Errorf("nothing %s", where)
	case ' ':
		return fmt.Errorf("space at offset %d %s, outside quotes", p.pos, where)
	default:
		return fmt.Errorf("%q at offset %d %s", r, p.pos, where)
	}
}

// atext is RFC 5322 section 3.2.3, with RFC 6532 section 3.2's UTF-8 but for
// characters that look like a space.
func atext(r rune) bool {
	switch {
	case r < 0:
		return false
	case r >= 0x80:
		return !unicode.IsSpace(r) && !unicode.IsControl(r)
	case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		return true
	}
	return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// plain refuses what must be in no header field and no command: control
// characters and what is not UTF-8. It lets tabs pass if told to.
func plain(s string, tabs bool) error {
	for i, r := range s {
		switch {
		case r == '\r':
			return fmt.Errorf("CR at offset %d", i)
		case r == '\n':
			return fmt.Errorf("LF at offset %d", i)
		case r == 0:
			return fmt.Errorf("NUL at offset %d", i)
		case r == '\t' && tabs:
		case unicode.IsControl(r):
			return fmt.Errorf("control character %U at offset %d", r, i)
		case r == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return fmt.Errorf("octet 0x%02x at offset %d is not UTF-8", s[i], i)
			}
		}
	}
	return nil
}

// clip quotes s for an error, the first of it if it is long.
func clip(s string) string {
	text, more := opening(s)
	return fmt.Sprintf("%q", text) + more
}

// verbatim is clip for what came from the DNS or in a message: between quotation marks, its
// bytes as they are. It is escaped once, where it is shown.
func verbatim(s string) string {
	text, more := opening(s)
	return `"` + text + `"` + more
}

// opening is as much of s as an error quotes, and "..." if there is more.
func opening(s string) (text, more string) {
	const most = 80
	if len(s) <= most {
		return s, ""
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], "..."
}
