package sandbox

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// param is one parameter of MAIL or RCPT; a keyword in capitals.
type param struct{ keyword, value string }

// parsePath takes "FROM:<path> PARAM..." or "TO:..." apart (RFC 5321 section
// 4.1.2). The path comes back without brackets and source route, "" for the null one.
func parsePath(prefix, arg string) (path string, params []param, err error) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return "", nil, errors.New("expected " + prefix + "<address>")
	}
	rest := arg[len(prefix):]
	if !strings.HasPrefix(rest, "<") {
		return "", nil, errors.New("expected < behind " + prefix)
	}
	end := closing(rest)
	if end < 0 {
		return "", nil, errors.New("the address has no closing >")
	}
	path, rest = rest[1:end], rest[end+1:]
	if strings.HasPrefix(path, "@") { // a source route, to be ignored: RFC 5321 appendix C
		route, mailbox, ok := strings.Cut(path, ":")
		if !ok || strings.Contains(route, `"`) {
			return "", nil, errors.New("source route without a colon")
		}
		path = mailbox
	}
	if rest != "" && rest[0] != ' ' {
		return "", nil, errors.New("expected a space behind the address")
	}
	seen := map[string]bool{}
	for _, word := range strings.Fields(rest) {
		keyword, value, hasValue := strings.Cut(word, "=")
		keyword = strings.ToUpper(keyword)
		switch {
		case !validKeyword(keyword), hasValue && (value == "" || strings.Contains(value, "=")):
			return "", nil, errors.New("bad parameter " + word)
		case seen[keyword]:
			return "", nil, errors.New("parameter " + keyword + " given twice")
		}
		seen[keyword] = true
		params = append(params, param{keyword, value})
	}
	return path, params, nil
}

// closing finds the ">" that ends the path which s begins with; one within a
// quoted string does not. -1: there is none.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted:
			return i
		}
	}
	return -1
}

func validKeyword(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// splitMailbox checks a mailbox and gives its parts (RFC 5321 section 4.1.2; with
// international, RFC 6531 section 3.3).
func splitMailbox(s string, international bool) (local, domain string, ok bool) {
	at := strings.LastIndexByte(s, '@')
	if strings.HasSuffix(s, "]") { // an address literal holds no @
		at = strings.LastIndex(s, "@[")
	}
	if at < 0 {
		return "", "", false
	}
	local, domain = s[:at], s[at+1:]
	return local, domain, len(s) <= 254 && validLocal(local, international) &&
		(validDomain(domain, international) || validLiteral(domain))
}

// validLocal checks a dot-string or a quoted string of at most 64 octets.
func validLocal(s string, international bool) bool {
	if len(s) > 64 || !validText(s, international) {
		return false
	}
	if strings.HasPrefix(s, `"`) {
		return len(s) >= 2 && strings.HasSuffix(s, `"`) && validQuoted(s[1:len(s)-1])
	}
	for _, atom := range strings.Split(s, ".") {
		if atom == "" || strings.ContainsAny(atom, ` "(),:;<>@[\]`) {
			return false
		}
	}
	return true
}

// validQuoted checks what stands between the quotes.
func validQuoted(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return false
		case '\\':
			i++
			if i == len(s) {
				return false
			}
		}
	}
	return true
}

// validText refuses controls, and what is not ASCII unless it is UTF-8 and allowed.
func validText(s string, international bool) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f || s[i] >= 0x80 && !international {
			return false
		}
	}
	return utf8.ValidString(s)
}

// validDomain checks labels of letters, digits and hyphens, of UTF-8 too where allowed.
func validDomain(s string, international bool) bool {
	if len(s) > 253 || !validText(s, international) {
		return false
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !alphanumeric(c) && c != '-' && c < 0x80 {
				return false
			}
		}
	}
	return true
}

// validLiteral checks an address literal (RFC 5321 section 4.1.3).
func validLiteral(s string) bool {
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return false
	}
	s = s[1 : len(s)-1]
	v6 := len(s) > 5 && strings.EqualFold(s[:5], "IPv6:")
	if v6 {
		s = s[5:]
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == "" && a.Is4() != v6
}

// validXtext checks the encoding of ENVID and ORCPT (RFC 3461 section 4).
func validXtext(s string) bool {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			if i+2 >= len(s) || !upperHex(s[i+1]) || !upperHex(s[i+2]) {
				return false
			}
			i += 2
		case s[i] <= ' ' || s[i] > '~' || s[i] == '=':
			return false
		}
	}
	return s != ""
}

func upperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }
