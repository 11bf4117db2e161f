package route

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
)

// DomainError is a domain that cannot be one, and the rule that it breaks.
type DomainError struct{ Domain, Rule string }

func (e *DomainError) Error() string { return fmt.Sprintf("domain %q: %s", e.Domain, e.Rule) }

// ParseDomain reads a domain that a user wrote, in any script, with or without
// its last dot. It gives the name for people (u) and for the DNS (a), both in lower
// case; they differ only where IDNA (RFC 5891) is at work. The error is a
// *DomainError that names the rule broken: RFC 5321 section 4.1.2 and 4.5.3.1.2,
// RFC 1035 section 2.3.4, RFC 1123 section 2.1.
func ParseDomain(s string) (u, a string, err error) { return parseName(s, hostRule) }

// parseHost is ParseDomain for the name of a host that the user chose: hosts files
// and containers have names with underscores.
func parseHost(s string) (u, a string, err error) { return parseName(s, looseRule) }

func parseName(s string, rule func(string) string) (u, a string, err error) {
	wrong := func(rule string) (string, string, error) { return "", "", &DomainError{s, rule} }
	if addr, err := netip.ParseAddr(s); err == nil {
		return wrong("an address, not a domain: write [" + addr.WithZone("").String() + "]") // a zone may be any bytes
	}
	if strings.HasPrefix(s, "[") {
		return wrong("an address literal, not a domain")
	}
	a = s
	if !utf8.ValidString(s) {
		return wrong("it is not UTF-8")
	}
	if foreign(s) {
		if a, err = lookupProfile().ToASCII(s); err != nil {
			return wrong(idnaRule(err))
		}
	}
	a = strings.ToLower(strings.TrimSuffix(a, "."))
	if broken := rule(a); broken != "" {
		return wrong(broken)
	}
	return Unicode(a), a, nil
}

// Unicode is a name of the DNS for people: in its own script, if IDNA allows that.
func Unicode(name string) string {
	if !foreign(name) {
		return name
	}
	if u, err := lookupProfile().ToUnicode(name); err == nil {
		return u
	}
	return name
}

// ValidDomain reports whether ParseDomain takes s.
func ValidDomain(s string) bool {
	_, _, err := ParseDomain(s)
	return err == nil
}

// foreign reports whether IDNA has anything to say on s. Names that are plainly
// ASCII are left alone: its rules on hyphens would turn down names that exist.
func foreign(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return true
		}
	}
	lower := strings.ToLower(s)
	return strings.HasPrefix(lower, "xn--") || strings.Contains(lower, ".xn--")
}

// lookupProfile is that of RFC 5891 section 5, with the mapping of UTS 46 so that
// capitals and the ideographic full stop work. Lengths are for hostRule to name.
func lookupProfile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckHyphens(false))
}

// idnaRule words an error of IDNA, whose own text is for programmers.
func idnaRule(err error) string {
	if strings.HasPrefix(err.Error(), "idna: invalid label") {
		return "a label that IDNA does not allow (RFC 5891 section 5.4)"
	}
	return "a character that IDNA does not allow (RFC 5892): " + strings.TrimPrefix(err.Error(), "idna: ")
}

// hostRule names the rule of RFC 1123 section 2.1 and RFC 1035 section 2.3.4 that
// a host name breaks, or gives "".
func hostRule(name string) string {
	switch {
	case name == "" || name == ".":
		return "it is empty"
	case len(name) > 253: // with the first length octet and the root it is 255
		return fmt.Sprintf("%d octets: a name has at most 253, 255 on the wire (RFC 1035 section 2.3.4)", len(name))
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if rule := labelRule(label); rule != "" {
			return rule
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" {
		return fmt.Sprintf("the last label %q is all digits: neither a name nor an address (RFC 3696 section 2)", last)
	}
	return ""
}

// looseRule is hostRule with underscores allowed.
func looseRule(name string) string { return hostRule(strings.ReplaceAll(name, "_", "x")) }

func labelRule(label string) string {
	switch {
	case label == "":
		return "an empty label: two dots in a row, or one at the start"
	case len(label) > 63:
		return fmt.Sprintf("a label of %d octets, %.8q...: it has at most 63 (RFC 1035 section 2.3.4)", len(label), label)
	}
	for _, r := range label {
		if r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return fmt.Sprintf("the character %q: a name has letters, digits and hyphens (RFC 1123 section 2.1)", r)
		}
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return fmt.Sprintf("the label %q begins or ends with a hyphen (RFC 1123 section 2.1)", label)
	}
	return ""
}

// parseLiteral reads an address literal (RFC 5321 section 4.1.3): [192.0.2.1],
// [IPv6:2001:db8::1], and leniently [2001:db8::1], which may have a zone. ok says
// that s is meant as one, err that it is a wrong one.
func parseLiteral(s string) (addr netip.Addr, ok bool, err error) {
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return addr, false, nil
	}
	inner, closed := strings.CutSuffix(inner, "]")
	if !closed {
		return addr, true, &DomainError{s, "an address literal ends with ] (RFC 5321 section 4.1.3)"}
	}
	const tag = "IPv6:"
	tagged := len(inner) >= len(tag) && strings.EqualFold(inner[:len(tag)], tag)
	if tagged {
		inner = inner[len(tag):]
	}
	addr, err = netip.ParseAddr(inner)
	if err != nil || tagged && (addr.Is4() || addr.Zone() != "") {
		return netip.Addr{}, true, &DomainError{s, "not an address: write [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 section 4.1.3)"}
	}
	return addr, true, nil
}

// isLocalhost reports whether name is loopback by its name alone (RFC 6761 section 6.3).
func isLocalhost(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// canonical is name as the DNS library writes a name that it has read: absolute, with the
// escapes that are needed and no others, in lower case. ok is false if it
// cannot be asked for.
func canonical(name string) (fqdn string, ok bool) {
	if _, valid := dns.IsDomainName(name); !valid || name == "" {
		return "", false
	}
	wire := make([]byte, 256)
	if _, err := dns.PackDomainName(dns.Fqdn(name), wire, 0, nil, false); err != nil {
		return "", false
	}
	fqdn, _, err := dns.UnpackDomainName(wire, 0)
	return strings.ToLower(fqdn), err == nil
}

// escaped is the first octet that a name as the DNS library writes it has escaped,
// as itself (RFC 1035 section 5.1).
func escaped(name string) (octet string, ok bool) {
	_, rest, ok := strings.Cut(name, `\`)
	if !ok || rest == "" {
		return "", false
	}
	if n, err := strconv.ParseUint(rest[:min(3, len(rest))], 10, 8); err == nil && len(rest) >= 3 {
		return string([]byte{byte(n)}), true
	}
	return rest[:1], true
}

// trim takes the last dot off an absolute name.
func trim(fqdn string) string {
	if fqdn == "." {
		return fqdn
	}
	return strings.TrimSuffix(fqdn, ".")
}
