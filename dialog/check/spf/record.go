package spf

import (
	"fmt"
	"net/netip"
	"strings"
)

// version is how a record begins, in any case (section 4.5).
const version = "v=spf1"

// Outcome is the result of an evaluation, by the word that section 2.6 gives it.
type Outcome string

// The outcomes.
const (
	None      Outcome = "none"      // no record, or no domain that could have one
	Neutral   Outcome = "neutral"   // the domain says nothing of this host
	Pass      Outcome = "pass"      // the host may send for the domain
	Fail      Outcome = "fail"      // it may not
	SoftFail  Outcome = "softfail"  // it probably may not
	TempError Outcome = "temperror" // the DNS could not be asked: later it may be known
	PermError Outcome = "permerror" // the records cannot be read, or cost too much
)

// Record is a record taken apart.
type Record struct{ Terms []Term }

// Term is a directive or a modifier. Names are in lower case.
type Term struct {
	Offset    int          // of its first octet in the record
	Text      string       // as it is written
	Qualifier byte         // '+', '-', '~' or '?'; 0 in a modifier
	Name      string       // of the mechanism or the modifier: "include", "redirect"
	Value     string       // its domain-spec, or what a modifier says; may have macros
	Network   netip.Prefix // of ip4 and ip6, its address as it is written
	Bits4     int          // of a and mx: how much of an IPv4 address counts, 32 by default
	Bits6     int          // and of an IPv6 address, 128 by default

	macro macro // Value, taken apart
}

// Modifier reports whether t is one, and no directive.
func (t *Term) Modifier() bool { return t.Qualifier == 0 }

// Outcome is what a directive says of a host that it matches (section 4.6.2).
func (t *Term) Outcome() Outcome {
	switch t.Qualifier {
	case '-':
		return Fail
	case '~':
		return SoftFail
	case '?':
		return Neutral
	}
	return Pass
}

// Asks reports whether evaluating t counts as one of the ten terms that ask the
// DNS (section 4.6.4).
func (t *Term) Asks() bool {
	switch t.Name {
	case "include", "a", "mx", "ptr", "exists":
		return !t.Modifier()
	case "redirect":
		return t.Modifier()
	}
	return false
}

// All is the mechanism of that name, or nil.
func (r *Record) All() *Term { return r.find("all", false) }

// Modifier is the one of a name, or nil.
func (r *Record) Modifier(name string) *Term { return r.find(name, true) }

func (r *Record) find(name string, modifier bool) *Term {
	for i := range r.Terms {
		if t := &r.Terms[i]; t.Name == name && t.Modifier() == modifier {
			return t
		}
	}
	return nil
}

// String is the record in its shortest form. It parses to the same terms.
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString(version)
	for i := range r.Terms {
		b.WriteByte(' ')
		b.WriteString(r.Terms[i].String())
	}
	return b.String()
}

// String is the term in its shortest form.
func (t *Term) String() string {
	if t.Modifier() {
		return t.Name + "=" + t.Value
	}
	var b strings.Builder
	if t.Qualifier != '+' {
		b.WriteByte(t.Qualifier)
	}
	b.WriteString(t.Name)
	switch {
	case t.Network.IsValid():
		b.WriteString(":" + t.Network.Addr().String())
		if t.Network.Bits() < t.Network.Addr().BitLen() {
			fmt.Fprintf(&b, "/%d", t.Network.Bits())
		}
	case t.Value != "":
		b.WriteString(":" + t.Value)
	}
	if t.Name == "a" || t.Name == "mx" {
		if t.Bits4 < 32 {
			fmt.Fprintf(&b, "/%d", t.Bits4)
		}
		if t.Bits6 < 128 {
			fmt.Fprintf(&b, "//%d", t.Bits6)
		}
	}
	return b.String()
}

// IsRecord reports whether a TXT record is one of SPF: the version, then a space or
// the end (section 4.5).
func IsRecord(text string) bool {
	if len(text) < len(version) || !strings.EqualFold(text[:len(version)], version) {
		return false
	}
	return len(text) == len(version) || text[len(version)] == ' '
}
