package spf

import (
	"fmt"
	"net/netip"
	"strings"
)

// SyntaxError is a rule of the grammar (section 12) that a record breaks.
type SyntaxError struct {
	Offset int    // of the octet, from 0
	Term   string // the term, as it is written
	Rule   string
}

// Error says where and what.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf(`offset %d, "%s": %s`, e.Offset, e.Term, e.Rule)
}

// SyntaxErrors are all that a record has, in order, and never none.
type SyntaxErrors []*SyntaxError

// Error is the first, and how many there are.
func (e SyntaxErrors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", e[0], len(e)-1)
}

// Parse takes a record apart. The error is a SyntaxErrors; the terms that are
// well formed are there all the same.
func Parse(text string) (*Record, error) {
	r := &Record{}
	if !IsRecord(text) {
		return r, SyntaxErrors{{Term: cutTerm(text), Rule: "a record begins with v=spf1 and a space (section 4.5)"}}
	}
	var wrong SyntaxErrors
	given := map[string]bool{}
	for at := len(version); at < len(text) && len(wrong) < maxErrors; {
		if text[at] == ' ' {
			at++
			continue
		}
		word := text[at:]
		if end := strings.IndexByte(word, ' '); end >= 0 {
			word = word[:end]
		}
		t, err := parseTerm(word)
		if err == nil && t.Modifier() && (t.Name == "redirect" || t.Name == "exp") {
			if given[t.Name] {
				err = &SyntaxError{Rule: t.Name + " comes again: it is allowed once (section 6)"}
			}
			given[t.Name] = true
		}
		if err != nil {
			err.Offset, err.Term = err.Offset+at, word
			wrong = append(wrong, err)
		} else {
			t.Offset, t.Text = at, word
			r.Terms = append(r.Terms, t)
		}
		at += len(word)
	}
	if len(wrong) > 0 {
		return r, wrong
	}
	return r, nil
}

// cutTerm is the first term of text.
func cutTerm(text string) string {
	term, _, _ := strings.Cut(text, " ")
	return term
}

// parseTerm reads a directive or a modifier. The offset of an error is within word.
func parseTerm(word string) (Term, *SyntaxError) {
	name := nameOf(word)
	if name != "" && len(name) < len(word) && word[len(name)] == '=' {
		return parseModifier(name, word[len(name)+1:])
	}
	t := Term{Qualifier: '+', Bits4: 32, Bits6: 128}
	start := 0
	if strings.IndexByte("+-~?", word[0]) >= 0 {
		t.Qualifier, start = word[0], 1
	}
	name = nameOf(word[start:])
	rest := word[start+len(name):]
	at := start + len(name)
	t.Name = strings.ToLower(name)
	fail := func(offset int, rule string) (Term, *SyntaxError) { return t, &SyntaxError{Offset: offset, Rule: rule} }
	if rest != "" && rest[0] != ':' && rest[0] != '/' {
		if rest[0] == '=' && start == 1 {
			return fail(0, "a modifier has no qualifier (section 4.6.1)")
		}
		return fail(at, "neither a directive nor a modifier (section 4.6.1)")
	}
	switch t.Name {
	case "all":
		if rest != "" {
			return fail(at, "all has nothing behind it (section 5.1)")
		}
		return t, nil
	case "ip4", "ip6":
		if len(rest) < 2 || rest[0] != ':' {
			return fail(at, t.Name+" needs an address: "+t.Name+":ADDRESS (section 5.6)")
		}
		return t, t.network(rest[1:], at+1)
	case "a", "mx":
		n, err := t.bits(rest, at)
		if err != nil {
			return t, err
		}
		rest = rest[:n]
	case "ptr":
	case "include", "exists":
		if rest == "" {
			return fail(at, t.Name+" needs a domain: "+t.Name+":DOMAIN (section 5)")
		}
	default:
		return fail(start, "no such mechanism: all include a mx ptr ip4 ip6 exists (section 5)")
	}
	if rest == "" {
		return t, nil
	}
	if rest[0] != ':' {
		return fail(at, "a prefix length where none is allowed, or one that is malformed (section 5)")
	}
	return t, t.domainSpec(rest[1:], at+1)
}

// nameOf is the name that word begins with (section 12): a letter, then letters,
// digits, hyphens, underscores and dots.
func nameOf(word string) string {
	if word == "" || !isAlpha(word[0]) {
		return ""
	}
	for i := 1; i < len(word); i++ {
		if c := word[i]; !isAlpha(c) && !isDigit(c) && c != '-' && c != '_' && c != '.' {
			return word[:i]
		}
	}
	return word
}

func parseModifier(name, value string) (Term, *SyntaxError) {
	t := Term{Name: strings.ToLower(name)}
	at := len(name) + 1
	if t.Name == "redirect" || t.Name == "exp" {
		return t, t.domainSpec(value, at)
	}
	m, err := parseMacro(value, false)
	if err != nil {
		err.Offset += at
		return t, err
	}
	t.Value, t.macro = value, m
	return t, nil
}

// domainSpec reads a domain-spec that begins at an offset (section 7.1): its end is
// a macro or a dot with a top label.
func (t *Term) domainSpec(s string, at int) *SyntaxError {
	if s == "" {
		return &SyntaxError{Offset: at, Rule: "no domain (section 7.1)"}
	}
	m, err := parseMacro(s, false)
	if err != nil {
		err.Offset += at
		return err
	}
	t.Value, t.macro = s, m
	if last := m[len(m)-1]; last.letter == 0 && !last.percent && !hasTop(last.literal) {
		rule := "a domain ends with a macro, or with a dot and a top label (section 7.1)"
		if addr, err := netip.ParseAddr(s); err == nil && addr.Is4() {
			rule = "an address, not a domain: write ip4:" + addr.String()
		}
		return &SyntaxError{Offset: at, Rule: rule}
	}
	return nil
}

// hasTop reports whether s ends with a dot and a toplabel, and perhaps a dot more.
func hasTop(s string) bool {
	s = strings.TrimSuffix(s, ".")
	dot := strings.LastIndexByte(s, '.')
	top := s[dot+1:]
	if dot < 0 || top == "" || top[0] == '-' || top[len(top)-1] == '-' {
		return false
	}
	named := false
	for i := range len(top) {
		switch c := top[i]; {
		case isAlpha(c), c == '-':
			named = true
		case !isDigit(c):
			return false
		}
	}
	return named
}

// network reads what stands behind ip4: and ip6: (section 5.6).
func (t *Term) network(s string, at int) *SyntaxError {
	text, bits, sized := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.Is4() != (t.Name == "ip4") {
		return &SyntaxError{Offset: at, Rule: fmt.Sprintf(`"%s" is no %s address (section 5.6)`, text, t.Name)}
	}
	length := addr.BitLen()
	if sized {
		var ok bool
		if length, ok = prefixLength(bits, addr.BitLen()); !ok {
			return &SyntaxError{Offset: at + len(text), Rule: fmt.Sprintf("a prefix length is 0 to %d, without leading zeros (section 5.6)", addr.BitLen())}
		}
	}
	t.Network = netip.PrefixFrom(addr, length)
	return nil
}

// bits takes the dual-cidr-length off the end of rest (section 5.3), which is n octets
// long without it.
func (t *Term) bits(rest string, at int) (n int, err *SyntaxError) {
	n = len(strings.TrimRight(rest, "0123456789/"))
	slash := strings.IndexByte(rest[n:], '/')
	if slash < 0 {
		return len(rest), nil
	}
	n += slash
	four, six, dual := strings.Cut(rest[n+1:], "//")
	if strings.HasPrefix(rest[n:], "//") {
		four, six, dual = "", rest[n+2:], true
	}
	ok := true
	if four != "" || !dual {
		t.Bits4, ok = prefixLength(four, 32)
	}
	if dual && ok {
		t.Bits6, ok = prefixLength(six, 128)
	}
	if !ok {
		return n, &SyntaxError{Offset: at + n, Rule: "a prefix length is /0 to /32 for IPv4 and //0 to //128 for IPv6, without leading zeros (section 5.3)"}
	}
	return n, nil
}

// prefixLength reads a number up to limit, without leading zeros.
func prefixLength(s string, limit int) (int, bool) {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n := number(s)
	return n, n <= limit
}
