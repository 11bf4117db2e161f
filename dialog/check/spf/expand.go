package spf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errTooLong = errors.New("a macro-string that grows without measure")

// target is the name that a domain-spec stands for, within the record of domain
// (section 4.8). Without one it is domain. The error is a halt, or errNoName with the
// reason.
func (e *evaluation) target(t *Term, asked *[]Question, domain string) (string, error) {
	name := domain
	if t.Value != "" {
		var err error
		if name, err = e.expand(t.macro, asked, domain); err != nil {
			return "", err
		}
		name = strings.TrimSuffix(name, ".")
		for len(name) > maxDomain {
			_, rest, ok := strings.Cut(name, ".")
			if !ok {
				break
			}
			name = rest
		}
	}
	if t.macro.uses("sl") && !isASCII(e.local) {
		return "", fmt.Errorf("%w: the local part is not ASCII, so no name has it in a label (RFC 8616 section 4)", errNoName)
	}
	if rule := domainRule(name); rule != "" {
		return "", fmt.Errorf("%w: %s", errNoName, rule)
	}
	return name, nil
}

// expand puts the values of its macros into m (section 7.3).
func (e *evaluation) expand(m macro, asked *[]Question, domain string) (string, error) {
	var b strings.Builder
	for _, p := range m {
		if p.letter == 0 {
			b.WriteString(p.literal)
			continue
		}
		value, err := e.value(p.letter, asked, domain)
		if err != nil {
			return "", err
		}
		value = p.transform(value)
		if p.escape {
			value = urlEscape(value)
		}
		b.WriteString(value)
		if b.Len() > maxExpanded {
			return "", fmt.Errorf("%w: %w", errNoName, errTooLong)
		}
	}
	return b.String(), nil
}

// value is what a macro letter stands for (section 7.2).
func (e *evaluation) value(letter byte, asked *[]Question, domain string) (string, error) {
	switch letter {
	case 's':
		return e.local + "@" + e.domain, nil
	case 'l':
		return e.local, nil
	case 'o':
		return e.domain, nil
	case 'd':
		return domain, nil
	case 'i':
		return e.dotted(), nil
	case 'p':
		return e.validName(asked, domain)
	case 'v':
		if e.ip.Is4() {
			return "in-addr", nil
		}
		return "ip6", nil
	case 'h':
		return e.helo, nil
	case 'c':
		return e.ip.String(), nil
	case 'r':
		return e.receiver, nil
	case 't':
		return strconv.FormatInt(e.now().Unix(), 10), nil
	}
	return "", fmt.Errorf("%w: no macro letter", errNoName)
}

// dotted is the address as %{i} has it: of IPv6 each nibble is a label.
func (e *evaluation) dotted() string {
	if e.ip.Is4() {
		return e.ip.String()
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i, c := range e.ip.AsSlice() {
		if i > 0 {
			b.WriteByte('.')
		}
		b.Write([]byte{hex[c>>4], '.', hex[c&15]})
	}
	return b.String()
}

// validName is %{p}: a validated name of the host, best that of domain, then one
// below it (section 7.3). It costs a look-up the first time.
func (e *evaluation) validName(asked *[]Question, domain string) (string, error) {
	if e.proven == nil {
		if err := e.count(); err != nil {
			return "", err
		}
	}
	names, err := e.validated(asked)
	switch {
	case errors.As(err, new(*halt)):
		return "", err
	case err != nil || len(names) == 0:
		return "unknown", nil
	}
	best := names[0]
	for _, name := range names {
		if strings.EqualFold(name, domain) {
			return name, nil
		}
		if below(name, domain) && !below(best, domain) {
			best = name
		}
	}
	return best, nil
}

// below reports whether name is domain or a name under it.
func below(name, domain string) bool {
	name, domain = strings.ToLower(name), strings.ToLower(domain)
	return name == domain || strings.HasSuffix(name, "."+domain)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
