package policy

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Verdict is what a server's certificates say to the records.
type Verdict struct {
	State State // Match or Mismatch; without usable records that of the DNS
	// Lines are what was checked, none of them a fault if State is Match.
	Lines []Line
	Spare []Record     // usable records that match nothing: keys to come, or gone
	Roll  bool         // a spare one is a key to come, it seems (RFC 7671 section 8)
	Keys  int          // how many keys the records that match stand for: the server's, and those of authorities
	Would []route.TLSA // records that would match, if none does: the server's key, then its authority's
}

// Verify holds a server's certificates, as it sent them, to the records. One that
// matches is enough. It is a Match if
//
//   - a record of usage 3 stands for the first certificate, whatever its names and
//     dates (RFC 7672 section 3.1.1);
//   - or one of usage 2 stands for an authority of it, which need not be sent if it is in the
//     record as a whole, and then the name, the dates and the signatures are in order (section
//     3.1.2).
func (d *DANE) Verify(chain []*x509.Certificate, now time.Time) Verdict {
	usable := d.Usable()
	if len(usable) == 0 {
		return Verdict{State: d.State}
	}
	if len(chain) == 0 {
		return Verdict{State: Mismatch, Lines: []Line{{"dane", false, "the server sent no certificate"}}}
	}
	p := &paths{chain: chain[:min(len(chain), maxChain)], now: now}
	results := make([]result, len(usable))
	best := -1
	for i, r := range usable {
		if r.Usage == daneEE {
			results[i] = entity(r, p.chain)
		} else {
			results[i] = d.authority(r, p)
		}
		if results[i].match && (best < 0 || r.Usage == daneEE && usable[best].Usage != daneEE) {
			best = i
		}
	}
	v := Verdict{State: Mismatch}
	keys := map[string]bool{}
	for i, r := range usable {
		if !results[i].stands {
			v.Spare = append(v.Spare, r)
		}
		if results[i].match {
			keys[results[i].key] = true
		}
	}
	v.Keys = len(keys)
	if best < 0 {
		v.Lines = faults(results)
		v.Would = d.would(usable, p)
		for _, r := range v.Would {
			v.Lines = append(v.Lines, Line{"dane", false, "this one would match: " + Long(r)})
		}
		return v
	}
	v.State, v.Lines = Match, results[best].lines
	v.Roll = slices.ContainsFunc(v.Spare, func(r Record) bool { return params(r.TLSA) == params(usable[best].TLSA) })
	if len(v.Spare) > 0 {
		v.Lines = append(slices.Clip(v.Lines), Line{"dane", true, v.spare()})
	}
	return v
}

// result is what one record came to.
type result struct {
	lines  []Line
	stands bool   // it stands for a certificate here
	match  bool   // and all that it takes is in order
	key    string // that of the certificate; "" if there is none
}

// entity holds the server's own certificate to a record of usage 3.
func entity(r Record, chain []*x509.Certificate) result {
	if matches(r.TLSA, chain[0]) {
		return result{match: true, stands: true, key: string(chain[0].RawSubjectPublicKeyInfo), lines: []Line{{"dane", true,
			fmt.Sprintf("%s matches certificate 0, by its %s; its names and dates do not count", r, selected(r.TLSA))}}}
	}
	text := fmt.Sprintf("%s does not match certificate 0: its %s is %s", r, selected(r.TLSA), like(r.TLSA, chain[0]))
	for i, c := range chain[1:] {
		if matches(r.TLSA, c) {
			text = fmt.Sprintf("%s is certificate %d, not the server's own: an authority is published with usage 2", r, i+1)
			break
		}
	}
	return result{lines: []Line{{"dane", false, text}}}
}

// authority holds the chain to a record of usage 2.
func (d *DANE) authority(r Record, p *paths) result {
	a, chain := p.anchor(r.TLSA), p.chain
	if !a.found {
		return result{lines: []Line{{"dane", false, missing(r, chain)}}}
	}
	where := fmt.Sprintf("certificate %d", a.at)
	if a.at < 0 {
		where = "an authority that is not sent"
	}
	head := Line{"dane", true, fmt.Sprintf("%s matches %s, by its %s", r, where, selected(r.TLSA))}
	names := nameLine(chain[0], d.Names)
	if a.err != nil {
		lines := []Line{head, names, datesLine(chain, p.now), {"chain", false, "does not lead to it: " + unlinked(a, chain)}}
		return result{stands: true, lines: lines}
	}
	lines := []Line{head, names, datesLine(a.path, p.now), {"chain", true, "leads to it"}}
	return result{stands: true, match: allOK(lines), key: a.key(r.TLSA, chain), lines: lines}
}

// unlinked says why no path leads to an authority that is there.
func unlinked(a anchored, chain []*x509.Certificate) string {
	var unknown x509.UnknownAuthorityError
	switch {
	case !errors.As(a.err, &unknown):
		return pathFault(a.err)
	case a.at > 0 && !chain[a.at].IsCA:
		return "it is not the certificate of an authority"
	}
	return "it signed neither the server's certificate nor one between them"
}

// missing says why a record of usage 2 matches nothing.
func missing(r Record, chain []*x509.Certificate) string {
	switch {
	case matches(r.TLSA, chain[0]):
		return fmt.Sprintf("%s is the server's own certificate: that is published with usage 3", r)
	case len(chain) == 1:
		return fmt.Sprintf("%s matches no authority: the server sends its own certificate alone, and must send the authority's too (RFC 7672 section 3.1.2)", r)
	}
	var have []string
	for _, c := range chain[1:] {
		have = append(have, like(r.TLSA, c))
	}
	what := "their " + selected(r.TLSA) + "s are "
	if len(have) == 1 {
		what = "its " + selected(r.TLSA) + " is "
	}
	return fmt.Sprintf("%s does not match %s: %s%s", r, certificates(len(have)), what, listing(have))
}

func certificates(n int) string {
	if n == 1 {
		return "certificate 1"
	}
	return fmt.Sprintf("certificates 1 to %d", n)
}

// faults are the lines of records that all fail: the nearest to a match first.
func faults(results []result) []Line {
	slices.SortStableFunc(results, func(a, b result) int {
		switch {
		case a.stands == b.stands:
			return 0
		case a.stands:
			return -1
		}
		return 1
	})
	var lines []Line
	for i, r := range results {
		if i == maxShown && len(results) > maxShown+1 {
			return append(lines, Line{"dane", false, transcript.Count(len(results)-i, "more record") + " without a match"})
		}
		lines = append(lines, r.lines...)
	}
	return lines
}

// spare says what the records are for that match nothing, beside one that matches.
func (v Verdict) spare() string {
	texts := make([]string, len(v.Spare))
	for i, r := range v.Spare {
		texts[i] = r.String()
	}
	if v.Roll {
		return listing(texts) + " for a key to come, or gone: a roll-over (RFC 7671 section 8)"
	}
	return listing(texts) + " without a match here, which does no harm"
}

// would gives the records that would match: for the key of the server, and, if an
// authority is published, for the highest that is sent and leads to the certificate.
func (d *DANE) would(usable []Record, p *paths) []route.TLSA {
	of := func(usage uint8, c *x509.Certificate) route.TLSA {
		r := route.TLSA{Usage: usage, Selector: selectSPKI, Matching: matchSHA256}
		if outdone(Record{TLSA: r}, usable) {
			r.Matching = matchSHA512
		}
		r.Data, _ = associate(r.Selector, r.Matching, c)
		return r
	}
	found := []route.TLSA{of(daneEE, p.chain[0])}
	if !slices.ContainsFunc(usable, func(r Record) bool { return r.Usage == daneTA }) {
		return found
	}
	for i := len(p.chain) - 1; i > 0; i-- {
		record := of(daneTA, p.chain[i])
		if d.authority(Record{TLSA: record}, p).match {
			return append(found, record)
		}
	}
	return found
}
