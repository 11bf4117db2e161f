package mime

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Alignment is how the domain of a signature agrees with that of From.
type Alignment string

// The alignments that DMARC knows (RFC 9989 section 4.4).
const (
	NotAligned     Alignment = "none"
	RelaxedAligned Alignment = "relaxed" // of one organisation
	StrictAligned  Alignment = "strict"  // the same domain
)

// Align compares the domain of a signature with that of From, both in A-labels.
func Align(domain, from string) Alignment {
	domain, from = strings.ToLower(domain), strings.ToLower(from)
	switch {
	case domain == "" || from == "":
		return NotAligned
	case domain == from:
		return StrictAligned
	case OrganizationalDomain(domain) == OrganizationalDomain(from):
		return RelaxedAligned
	}
	return NotAligned
}

// OrganizationalDomain is what of a domain is registered, by the public suffix list
// that this program was built with; the domain itself if that is a public suffix. It
// needs no question: what RFC 9989 section 4.10 finds out by asking is for who evaluates DMARC.
func OrganizationalDomain(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if d, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return d
	}
	return domain
}

// from finds the one domain that From names.
func (v *Verification) from(fields []rawField) {
	var domains []string
	n := 0
	for _, f := range fields {
		if f.name == "return-path" && v.ReturnPath == nil {
			_, value, _ := strings.Cut(f.text, ":")
			path := strings.Trim(dropFWS(value), "<>")
			v.ReturnPath = &path
		}
		if f.name != "from" {
			continue
		}
		n++
		_, value, _ := strings.Cut(f.text, ":")
		list, err := addressParser().ParseList(trimFWS(value))
		if err != nil {
			v.find(Fail, "bad-from", "RFC 5322 section 3.6.2", "the From field cannot be read: %s", strings.TrimPrefix(err.Error(), "mail: "))
			return
		}
		for _, a := range list {
			v.Author = a.Address
			domains = append(domains, domainOf(a))
		}
	}
	slices.Sort(domains)
	switch domains = slices.Compact(domains); {
	case n == 0:
		v.find(Fail, "no-from", "RFC 5322 section 3.6.2", "no From field: there is nothing to align with")
	case n > 1:
		v.find(Fail, "doubled-from", "RFC 5322 section 3.6", "%d From fields: readers differ on which they show", n)
	case len(domains) > 1:
		v.find(Warn, "from-domains", "RFC 9989 section 5.3.1", "From has addresses in %d domains: receivers differ on what that means", len(domains))
	case len(domains) == 1:
		v.From = domains[0]
		return
	}
	v.Author = ""
}

func (v *Verification) find(level Level, id, ref, format string, args ...any) {
	v.Findings = append(v.Findings, Finding{ID: id, Level: level, Ref: ref, Text: fmt.Sprintf(format, args...)})
}

// domainOf is the domain of an address in A-labels and lower case.
func domainOf(a *mail.Address) string {
	_, domain, _ := cutLast(a.Address, "@")
	if d, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = d
	}
	return strings.ToLower(domain)
}

// arcSets reads what ARC seals say, the last hop first.
func arcSets(fields []rawField) []ARCSet {
	var all []ARCSet
	results := map[string]string{}
	for _, f := range fields {
		_, value, _ := strings.Cut(f.text, ":")
		switch f.name {
		case "arc-authentication-results":
			first, rest, _ := strings.Cut(value, ";")
			if _, i, ok := strings.Cut(dropFWS(first), "i="); ok && len(results) < signaturesMost {
				results[i] = strings.Join(strings.FieldsFunc(rest, isFWS), " ")
			}
		case "arc-seal":
			if tags, err := parseTags(value); err == nil && len(all) < signaturesMost {
				all = append(all, ARCSet{Instance: tags.word("i"), Domain: tags.word("d"), Selector: tags.word("s"), Chain: tags.word("cv")})
			}
		}
	}
	for i := range all {
		all[i].Results = results[all[i].Instance]
	}
	return all
}
