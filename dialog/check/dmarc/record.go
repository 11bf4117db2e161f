package dmarc

import (
	"strings"
)

// Policy is what the owner of a domain prefers to be done with mail that fails.
type Policy string

// The policies, the mildest first (RFC 9989 section 4.7).
const (
	None       Policy = "none"
	Quarantine Policy = "quarantine"
	Reject     Policy = "reject"
)

// milder is one level below p, which is what t=y asks for (RFC 9989 section 4.7).
func (p Policy) milder() Policy {
	if p == Reject {
		return Quarantine
	}
	return None
}

// Mode is how alike two domains have to be.
type Mode string

// The modes of alignment (RFC 9989 section 4.4).
const (
	Relaxed Mode = "r" // of one organisational domain
	Strict  Mode = "s" // the same
)

// PSD says whether a domain is a public suffix.
type PSD string

// What psd= says (RFC 9989 section 4.7).
const (
	SuffixYes     PSD = "y" // it is a public suffix
	SuffixNo      PSD = "n" // it is the organisational domain
	SuffixUnknown PSD = "u" // the tree walk has to find out
)

// Record is a policy record (RFC 9989 section 4.7). What a record does not say has its
// default; what is not valid is as if it were not there, and a Problem.
type Record struct {
	Text     string // as it was published: foreign bytes
	P        Policy // "" if there is no valid one
	SP, NP   Policy // likewise: of subdomains, of those that do not exist
	PSD      PSD
	Testing  bool // t=y
	ADKIM    Mode
	ASPF     Mode
	RUA, RUF []URI // to send aggregate and failure reports to
	FO       string
	Problems []Problem

	spoilt bool // an sp= or np= is not valid
}

// NotRecord says why a text is no policy record, so that it must be ignored.
type NotRecord struct {
	Near bool // somebody meant it as one
	Why  string
}

func (e *NotRecord) Error() string { return "no DMARC record: " + e.Why }

// Parse reads the text of a TXT record by RFC 9989 section 4.8. The error is a *NotRecord:
// whatever begins with v=DMARC1 is a record, with Problems where it has them.
func Parse(text string) (*Record, error) {
	first, rest, more := strings.Cut(text, ";")
	name, value, _ := strings.Cut(first, "=")
	if why := versionFault(name, trim(value)); why != "" {
		return nil, &NotRecord{Near: strings.Contains(strings.ToLower(text[:min(len(text), 32)]), "dmarc"), Why: why}
	}
	r := &Record{Text: text, PSD: SuffixUnknown, ADKIM: Relaxed, ASPF: Relaxed, FO: "0"}
	p := parser{record: r}
	p.seen[tagNumber("v")] = true
	for offset := len(first) + 1; more; {
		var tag string
		tag, rest, more = strings.Cut(rest, ";")
		p.tag(tag, offset)
		offset += len(tag) + 1
	}
	if p.seen[tagNumber("fo")] && !p.seen[tagNumber("ruf")] {
		p.note(Idle, "fo", 0, "fo= without ruf= asks for nothing")
	}
	return r, nil
}

// versionFault says what is wrong with the first tag of a record. That v= is in lower case
// is not demanded: a quoted string of ABNF matches either (RFC 5234 section 2.3).
func versionFault(name, value string) string {
	switch {
	case trim(name) != strings.TrimRight(name, " \t"):
		return "a space stands before v=DMARC1"
	case !strings.EqualFold(trim(name), "v"):
		return "it does not begin with v=DMARC1"
	case value != "DMARC1" && strings.EqualFold(value, "DMARC1"):
		return "v=" + value + ": DMARC1 is in capitals"
	case value != "DMARC1" && strings.HasPrefix(value, "DMARC1"):
		return "no ';' stands behind v=DMARC1"
	case value != "DMARC1":
		return "v= is not DMARC1"
	}
	return ""
}

// trim takes white space off (RFC 5234 appendix B.1: WSP).
func trim(s string) string { return strings.Trim(s, " \t") }

// Usable reports whether the record has an effect: without a valid p=, or with an sp=
// or np= that is not valid, it counts as p=none where it has an address for aggregate
// reports, and else not at all (RFC 9989 section 4.10.1).
func (r *Record) Usable() bool { return r.sound() || len(r.RUA) > 0 }

func (r *Record) sound() bool { return r.P != "" && !r.spoilt }

// For gives the policy that the record, if it is usable, sets for its own domain or a
// subdomain that exists or does not, and the tag that says so: p, sp or np.
func (r *Record) For(sub, exists bool) (Policy, string) {
	switch {
	case !r.sound():
		return None, "p"
	case sub && !exists && r.NP != "":
		return r.NP, "np"
	case sub && r.SP != "":
		return r.SP, "sp"
	}
	return r.P, "p"
}

// String is the record as a receiver acts on it, in the usual order and without defaults.
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString("v=DMARC1")
	add := func(name, value, byDefault string) {
		if value != byDefault {
			b.WriteString("; " + name + "=" + value)
		}
	}
	switch {
	case r.sound():
		add("p", string(r.P), "")
		add("sp", string(r.SP), "")
		add("np", string(r.NP), "")
	case r.Usable():
		add("p", string(None), "")
	}
	if r.Testing {
		add("t", "y", "")
	}
	add("psd", string(r.PSD), string(SuffixUnknown))
	add("adkim", string(r.ADKIM), string(Relaxed))
	add("aspf", string(r.ASPF), string(Relaxed))
	add("rua", list(r.RUA), "")
	add("ruf", list(r.RUF), "")
	if len(r.RUF) > 0 {
		add("fo", r.FO, "0")
	}
	return b.String()
}

func list(all []URI) string {
	texts := make([]string, len(all))
	for i, u := range all {
		texts[i] = u.Text
	}
	return strings.Join(texts, ",")
}
