package mime

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// domain reads what follows the '@': a domain, given in A-labels, or an address
// literal (RFC 5321 section 4.1.3).
func (p *parser) domain() (string, error) {
	start := p.pos
	if p.peek() == '[' {
		return p.literal()
	}
	s := p.run(func(r rune) bool { return r == '.' || domainRune(r) })
	if s == "" {
		if p.end() || p.peek() == '>' || p.peek() == ',' {
			return "", fmt.Errorf("nothing behind the '@' at offset %d", start-1)
		}
		return "", p.unexpected("where the domain should begin")
	}
	if r := p.peek(); r == '@' || r == '_' {
		return "", p.unexpected("in the domain")
	}
	if err := dots(s, start, "domain"); err != nil {
		return "", err
	}
	if !ascii(s) {
		a, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", fmt.Errorf("domain at offset %d: %w", start, err)
		}
		s = a
	}
	return s, labels(s, start)
}

func domainRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' ||
		r >= 0x80 && atext(r)
}

// labels checks the labels of an ASCII domain: letters, digits and inner
// hyphens, at most 63 octets (RFC 5321 section 4.1.2, RFC 1035 section 2.3.4).
func labels(domain string, offset int) error {
	for label := range strings.SplitSeq(domain, ".") {
		switch {
		case label == "":
			return fmt.Errorf("empty label in the domain at offset %d", offset)
		case len(label) > 63:
			return fmt.Errorf("a label of %d octets in the domain at offset %d, over 63 (RFC 1035 section 2.3.4)", len(label), offset)
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Errorf("label %q in the domain begins or ends with a hyphen", label)
		}
		for _, r := range label {
			if r >= 0x80 || !domainRune(r) {
				return fmt.Errorf("%q in the domain at offset %d", r, offset)
			}
		}
	}
	return nil
}

// literal reads [192.0.2.1] or [IPv6:2001:db8::1].
func (p *parser) literal() (string, error) {
	start := p.pos
	n := strings.IndexByte(p.in[start:], ']')
	if n < 0 {
		return "", fmt.Errorf("'[' at offset %d is not closed", start)
	}
	p.pos += n + 1
	text := p.in[start+1 : start+n]
	tag, six := "IPv6:", text
	if len(text) > len(tag) && strings.EqualFold(text[:len(tag)], tag) {
		six = text[len(tag):]
		if a, err := netip.ParseAddr(six); err != nil || !a.Is6() || a.Zone() != "" {
			return "", fmt.Errorf("%s at offset %d is no IPv6 address", clip(six), start+1+len(tag))
		}
		return "[" + tag + six + "]", nil
	}
	if a, err := netip.ParseAddr(text); err != nil || !a.Is4() {
		return "", fmt.Errorf("%s at offset %d is neither an IPv4 address nor IPv6: and an address (RFC 5321 section 4.1.3)", clip(text), start+1)
	}
	return "[" + text + "]", nil
}
