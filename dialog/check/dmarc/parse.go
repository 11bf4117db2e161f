package dmarc

import (
	"fmt"
	"slices"
	"strings"
)

// Fault says what kind of Problem one is.
type Fault string

// The faults, the gravest first.
const (
	BadValue  Fault = "bad-value"  // the tag counts as not there
	BadSyntax Fault = "bad-syntax" // no tag at all
	Repeated  Fault = "repeated"   // the first counts here; some receivers ignore the record
	BadURI    Fault = "bad-uri"    // no report goes there
	Idle      Fault = "idle"       // valid, and without an effect
	Removed   Fault = "removed"    // it was in RFC 7489, and means nothing any more
	SizeLimit Fault = "size-limit" // likewise, behind the address for reports
	Unknown   Fault = "unknown"    // a tag that no RFC knows is ignored
)

// Harmful reports whether something that was meant has no effect, or another one.
func (f Fault) Harmful() bool {
	return f == BadValue || f == BadSyntax || f == Repeated || f == BadURI
}

// Problem is something in a record that does not say what it should.
type Problem struct {
	Fault  Fault
	Tag    string // "" where it is no tag
	Offset int    // octets of the record before it
	Text   string // in words; it may quote foreign bytes
}

// What one record may cost.
const (
	problemsMost = 20 // that are told
	urisMost     = 20 // addresses of one tag that are read
	quoteMost    = 60 // octets of foreign text in one problem
)

type parser struct {
	record *Record
	seen   [knownTags]bool
}

func (p *parser) note(f Fault, tag string, offset int, format string, args ...any) {
	if len(p.record.Problems) < problemsMost {
		p.record.Problems = append(p.record.Problems, Problem{f, tag, offset, fmt.Sprintf(format, args...)})
	}
}

// tag reads one tag-spec, which begins at offset.
func (p *parser) tag(spec string, offset int) {
	offset += len(spec) - len(strings.TrimLeft(spec, " \t"))
	if spec = trim(spec); spec == "" {
		if offset < len(p.record.Text) { // else it is the end, where a ';' may stand
			p.note(Idle, "", offset, "nothing stands between two ';'")
		}
		return
	}
	name, value, ok := strings.Cut(spec, "=")
	name, value = strings.ToLower(trim(name)), trim(value)
	switch {
	case !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "":
		p.note(BadSyntax, "", offset, "%s is no tag: a name of letters, '=' and a value are wanted", clip(spec))
	case tagNumber(name) >= 0 && p.seen[tagNumber(name)]:
		p.note(Repeated, name, offset, "%s= stands there twice: receivers differ on what that means", name)
	case tagNumber(name) >= 0:
		p.seen[tagNumber(name)] = true
		p.value(name, value, offset)
	case name == "pct" || name == "rf" || name == "ri":
		p.removed(name, value, offset)
	default:
		p.note(Unknown, name, offset, "%s= is no tag of DMARC, and is ignored", clip(name))
	}
}

// knownTags is how many tags RFC 9989 section 4.7 has.
const knownTags = 11

// tagNumber numbers the known tags; of another it is -1.
func tagNumber(name string) int {
	for i, known := range [knownTags]string{"v", "p", "sp", "np", "psd", "t", "adkim", "aspf", "rua", "ruf", "fo"} {
		if name == known {
			return i
		}
	}
	return -1
}

func (p *parser) removed(name, value string, offset int) {
	switch {
	case name == "pct" && value != "100":
		p.note(Removed, name, offset, "pct=%s means nothing any more, so the policy holds for all mail: t=y is there to test one", clip(value))
	default:
		p.note(Removed, name, offset, "%s= is no part of DMARC any more, and is ignored", name)
	}
}

// value reads the value of a tag that is known. Words are compared as ABNF has
// them, without regard to case.
func (p *parser) value(name, value string, offset int) {
	r, low := p.record, strings.ToLower(value)
	one := func(words ...string) bool {
		if slices.Contains(words, low) {
			return true
		}
		p.note(BadValue, name, offset, "%s=%s: %s are known", name, clip(value), strings.Join(words, ", "))
		return false
	}
	policy := func(to *Policy) bool {
		ok := one(string(None), string(Quarantine), string(Reject))
		if ok {
			*to = Policy(low)
		}
		return ok
	}
	switch name {
	case "p":
		policy(&r.P)
	case "sp":
		r.spoilt = !policy(&r.SP) || r.spoilt
	case "np":
		r.spoilt = !policy(&r.NP) || r.spoilt
	case "psd":
		if one("y", "n", "u") {
			r.PSD = PSD(low)
		}
	case "t":
		r.Testing = one("y", "n") && low == "y"
	case "adkim":
		if one("r", "s") {
			r.ADKIM = Mode(low)
		}
	case "aspf":
		if one("r", "s") {
			r.ASPF = Mode(low)
		}
	case "rua":
		r.RUA = p.uris(name, value, offset)
	case "ruf":
		r.RUF = p.uris(name, value, offset)
	case "fo":
		p.options(low, offset)
	}
}

// options reads fo=: 0 or 1, d, s, each at most once.
func (p *parser) options(value string, offset int) {
	words := strings.Split(value, ":")
	for i, w := range words {
		words[i] = trim(w)
		known := words[i] == "0" || words[i] == "1" || words[i] == "d" || words[i] == "s"
		if !known || slices.Contains(words[:i], words[i]) {
			p.note(BadValue, "fo", offset, "fo=%s: one of 0 and 1, d and s, each at most once, with ':' between", clip(value))
			return
		}
	}
	if slices.Contains(words, "0") && slices.Contains(words, "1") {
		p.note(BadValue, "fo", offset, "fo=%s: 0 and 1 exclude each other", clip(value))
		return
	}
	p.record.FO = strings.Join(words, ":")
}

// clip shortens foreign text.
func clip(s string) string {
	if len(s) > quoteMost {
		return s[:quoteMost-3] + "..."
	}
	return s
}
