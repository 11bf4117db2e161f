package mime

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// Mailbox is an address. The zero value is the null sender. Local is without
// quotes, Domain in A-labels or an address literal with its brackets, and empty
// only for the null sender and for Postmaster. Group is the name of the group that
// it stands in, in a list (RFC 5322 section 3.4).
type Mailbox struct{ Name, Local, Domain, Group string }

// IsNull reports whether m is the null sender, written <>.
func (m Mailbox) IsNull() bool { return m.Local == "" && m.Domain == "" }

// UTF8 reports whether m can be sent only with SMTPUTF8 (RFC 6531). That is for
// its local part to say: a domain alone goes in A-labels (RFC 5891).
func (m Mailbox) UTF8() bool { return !ascii(m.Local) }

// Path is what MAIL FROM and RCPT TO carry between the angle brackets (RFC 5321
// section 4.1.2): the local part is quoted if it needs to be, the domain is in
// U-labels only where the local part needs SMTPUTF8 anyway. The null sender is "".
func (m Mailbox) Path() string {
	if m.Domain == "" {
		return m.Local
	}
	local := m.Local
	if !dotAtom(local) {
		local = quote(local)
	}
	if m.UTF8() {
		return local + "@" + unicodeDomain(m.Domain)
	}
	return local + "@" + m.Domain
}

// Header is m as a From or To field shows it: the name as atoms, a quoted
// string or RFC 2047 words.
func (m Mailbox) Header() string { return m.header(charset{}) }

func (m Mailbox) header(c charset) string {
	if m.Name == "" {
		return m.Path()
	}
	return c.phrase(m.Name) + " <" + m.Path() + ">"
}

// check is for a Mailbox that was not made by parsing.
func (m Mailbox) check() error {
	if err := plain(m.Name, false); err != nil {
		return fmt.Errorf("name of %q: %w", m.Path(), err)
	}
	if err := plain(m.Group, false); err != nil {
		return fmt.Errorf("group of %q: %w", m.Path(), err)
	}
	again, err := ParseRecipient(m.Path())
	if err != nil {
		return err
	}
	if again.Local != m.Local || again.Domain != m.Domain {
		return fmt.Errorf("address %s: not in the form that parsing gives", clip(m.Path()))
	}
	return nil
}

// unicodeDomain is domain in U-labels, or as it is where that would not lead
// back to the same A-labels.
func unicodeDomain(domain string) string {
	u, err := idna.Lookup.ToUnicode(domain)
	if err != nil {
		return domain
	}
	if back, err := idna.Lookup.ToASCII(u); err != nil || back != domain {
		return domain
	}
	return u
}

// dotAtom reports whether s is a Dot-string (RFC 5321 section 4.1.2, with RFC
// 6531's UTF-8).
func dotAtom(s string) bool {
	dot := true
	for _, r := range s {
		if !atext(r) && (r != '.' || dot) {
			return false
		}
		dot = r == '.'
	}
	return !dot
}

// quote makes s a Quoted-string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r == '"' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

// ascii reports whether s has no octet over 127.
func ascii[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
