package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

func dmarcChecks() []Check {
	domain := []Need{NeedDomain}
	return []Check{
		{ID: "dmarc-record", Group: Sending, Topic: "dmarc", About: "a DMARC record applies to the domain, and means what it says",
			Ref: "RFC 9989 section 4.7", Needs: domain, Gives: []Verdict{Pass, Info, Warn, Fail, Error}, Run: dmarcRecord},
		{ID: "dmarc-policy", Group: Sending, Topic: "dmarc", About: "the policy, for subdomains too, has receivers act on mail that fails",
			Ref: "RFC 9989 section 4.7", Needs: domain, Gives: []Verdict{Pass, Warn, Error, Skip}, Run: dmarcPolicy},
		{ID: "dmarc-rua", Group: Sending, Topic: "dmarc", About: "aggregate reports are asked for, and their addresses can take mail",
			Ref: "RFC 9989 section 4.6", Needs: domain, Gives: []Verdict{Pass, Warn, Fail, Error, Skip}, Run: dmarcRUA},
		{ID: "dmarc-rua-auth", Group: Sending, Topic: "dmarc", About: "addresses of other organisations agreed to take the reports",
			Ref: "RFC 9990 section 4", Needs: domain, Gives: []Verdict{Pass, Fail, Error, Skip}, Run: dmarcRUAAuth},
	}
}

// dmarc is the policy that applies to the domain.
func (s *Subject) dmarc(ctx context.Context) *dmarc.Discovery {
	return Once(s, "dmarc", func() *dmarc.Discovery { return dmarc.Discover(ctx, s.Resolver, s.ASCII) })
}

func dmarcRecord(ctx context.Context, s *Subject) []Result {
	d := s.dmarc(ctx)
	if d.Err != nil {
		return one(Untested("%v", d.Err))
	}
	if own := d.Walk.Steps[0]; own.Record == nil && (own.Count > 1 || len(own.Near) > 0) {
		return one(spoilt(own))
	}
	if d.Record == nil {
		r := Failed("no DMARC record applies").With(lookedAt(d)...).
			Meaning("receivers have no policy to apply to mail in the domain's name, and large ones refuse bulk mail without one").
			Fixed("_dmarc.%s. TXT \"v=DMARC1; p=none; rua=mailto:postmaster@%s\"", s.ASCII, s.ASCII)
		if s.takesNoMail(ctx, s.ASCII) { // nor reports
			r = r.Fixed("_dmarc.%s. TXT \"v=DMARC1; p=reject\"   # or p=none, if it sends mail though it takes none", s.ASCII)
		}
		return one(r)
	}
	return one(judgeRecord(d))
}

// spoilt is about something at _dmarc that was meant as a record.
func spoilt(own dmarc.Step) Result {
	if own.Count > 1 {
		return Failed("%d DMARC records, which receivers all ignore", own.Count).
			Fixed("leave one of them at _dmarc.%s", own.Domain).By("RFC 9989 section 4.10")
	}
	return Failed("what stands at _dmarc.%s is no DMARC record", own.Domain).With(own.Near...).
		Meaning("receivers ignore it").Fixed("begin it with v=DMARC1; in capitals and with nothing before it").By("RFC 9989 section 4.8")
}

// lookedAt are the names that a record was looked for at.
func lookedAt(d *dmarc.Discovery) []string {
	var names []string
	for _, step := range d.Walk.Steps {
		names = append(names, "no record at _dmarc."+step.Domain)
	}
	return names
}

func judgeRecord(d *dmarc.Discovery) Result {
	var harm, notes []string
	for _, p := range d.Record.Problems {
		if p.Fault.Harmful() {
			harm = append(harm, p.Text)
		} else {
			notes = append(notes, p.Text)
		}
	}
	if suffix, _ := publicsuffix.PublicSuffix(d.At); d.Source == dmarc.Author && d.Record.PSD == dmarc.SuffixYes && suffix != d.At {
		notes = append(notes, fmt.Sprintf("psd=y says that %s is a public suffix, so that no domain below it is aligned with it: "+
			"it is for registries", d.At))
	}
	at := ""
	if d.Source != dmarc.Author {
		at = fmt.Sprintf(", which it has from %s", d.At)
	}
	var r Result
	switch {
	case !d.Record.Usable():
		r = Failed("the record has no valid policy and no address for reports, so that it counts as none%s", at).
			Meaning("receivers apply no DMARC to the domain").By("RFC 9989 section 4.10.1").
			Fixed("write p=none, p=quarantine or p=reject")
		if len(harm) > 0 {
			r = r.With(harm...)
		}
		if tags := spoiltTags(d.Record); tags != "" && d.Record.P != "" {
			r = r.Fixed("mend or remove %s: none, quarantine and reject are known", tags)
		}
	case len(harm) > 0:
		r = Warned("%s%s", harm[0], at).With(harm[1:]...).Meaning("receivers act as if the record were: %s", d.Record).
			Fixed("mend the record at _dmarc.%s", d.At)
	case len(notes) > 0:
		r = Noted("%s%s", strings.Join(notes, "; "), at)
		notes = nil
	default:
		r = Passed("a record applies%s", at)
	}
	return r.With(append(notes, d.Record.Text)...)
}

// without is the result of a check for which there is no record.
func without(d *dmarc.Discovery) (Result, bool) {
	switch {
	case d.Err != nil:
		return Untested("%v", d.Err), true
	case !d.Applies():
		return Skipped("no DMARC record applies"), true
	}
	return Result{}, false
}

func dmarcPolicy(ctx context.Context, s *Subject) []Result {
	d := s.dmarc(ctx)
	if r, none := without(d); none {
		return one(r)
	}
	policy := fmt.Sprintf("%s=%s", d.Tag, d.Policy)
	if d.Source != dmarc.Author {
		policy += " of " + d.At
	}
	fix := fmt.Sprintf("after reading reports for some weeks: %s=quarantine", d.Tag)
	if p := d.Record.P; p != dmarc.None && d.Policy == dmarc.None && d.Tag != "p" { // of subdomains, the milder one
		fix += fmt.Sprintf(" in the record at _dmarc.%s, or no %s=, so that p=%s holds", d.At, d.Tag, p)
	} else if tags := spoiltTags(d.Record); d.Policy == dmarc.None && tags != "" {
		mend := fmt.Sprintf("mend or remove %s in the record at _dmarc.%s: none, quarantine and reject are known", tags, d.At)
		if fix += "; and " + mend; p != "" && p != dmarc.None {
			policy, fix = fmt.Sprintf("p=%s counts as p=none, for another policy is not valid", p), mend
		}
	}
	switch {
	case d.Policy == dmarc.None:
		return one(Warned("%s: nothing is enforced", policy).With(d.Record.Text).As(string(d.Requested)).
			Meaning("receivers deliver mail that others send in the domain's name as they deliver any").
			Fixed("%s", fix))
	case d.Requested != d.Policy:
		return one(Warned("%s with t=y: %s is asked for, as a test", policy, d.Requested).With(d.Record.Text).As(string(d.Requested)).
			Fixed("take t=y out of the record when the reports show no mail of yours that fails"))
	}
	var open []string
	for _, gap := range []struct {
		exists bool
		who    string
	}{{true, "subdomains"}, {false, "subdomains that do not exist"}} {
		if p, tag := d.Record.For(true, gap.exists); p == dmarc.None && d.Source == dmarc.Author {
			open = append(open, fmt.Sprintf("%s=none: nothing is enforced for %s", tag, gap.who))
		}
	}
	if len(open) > 0 {
		open = slices.CompactFunc(open, func(a, b string) bool { return a[:2] == b[:2] })
		return one(Warned("%s, but %s", policy, strings.Join(open, ", and ")).With(d.Record.Text).As(string(d.Requested)).
			Meaning("whoever imitates the domain takes a subdomain").Fixed("take the tag out: subdomains then have the policy of p="))
	}
	return one(Passed("%s", policy).With(d.Record.Text).As(string(d.Requested)))
}

// spoiltTags are the policies of a record for subdomains that are not valid, "sp= and
// np="; "" if there are none.
func spoiltTags(r *dmarc.Record) string {
	var tags []string
	for _, p := range r.Problems {
		if p.Fault == dmarc.BadValue && (p.Tag == "sp" || p.Tag == "np") {
			tags = append(tags, p.Tag+"=")
		}
	}
	return strings.Join(tags, " and ")
}

func dmarcRUA(ctx context.Context, s *Subject) []Result {
	d := s.dmarc(ctx)
	if r, none := without(d); none {
		return one(r)
	}
	if len(d.Record.RUA) == 0 {
		r := Warned("no valid address for aggregate reports").With(d.Record.Text).
			Meaning("nobody learns which mail in the domain's name fails").
			Fixed("add to the record: rua=mailto:postmaster@%s", d.At)
		if s.takesNoMail(ctx, d.At) {
			r = r.Fixed("add to the record: rua=mailto:ADDRESS   # in a domain that takes mail and agrees to it (RFC 9990 section 4): %s takes none", d.At)
		}
		return one(r)
	}
	var all []Result
	for _, u := range d.Record.RUA {
		all = append(all, reportAddress(ctx, s, u).On(u.Text))
	}
	return all
}

// reportAddress judges an address for reports.
func reportAddress(ctx context.Context, s *Subject, u dmarc.URI) Result {
	if u.Scheme != "mailto" {
		return Warned("is no mailto: address, and no receiver has to support another").Fixed("use mailto:")
	}
	mx, err := s.Resolver.MX(ctx, u.Host)
	switch {
	case isAbsent(err):
		return Failed("leads nowhere: %s does not exist", u.Host).Fixed("name an address that takes mail")
	case err == nil && len(mx.Records) == 1 && mx.Records[0].Host == ".":
		return Failed("leads nowhere: %s takes no mail (null MX)", u.Host).Fixed("name an address that takes mail")
	case err != nil && !isDefinite(err):
		return Untested("%v", err)
	case err != nil: // then the domain's own address takes mail (RFC 5321 section 5.1)
		if _, err = s.Resolver.Addr(ctx, u.Host, route.Both); isDefinite(err) {
			return Failed("leads nowhere: %s has neither MX nor address", u.Host).Fixed("name an address that takes mail")
		} else if err != nil {
			return Untested("%v", err)
		}
	}
	return Passed("can be written to, as far as the DNS tells")
}

func dmarcRUAAuth(ctx context.Context, s *Subject) []Result {
	d := s.dmarc(ctx)
	if r, none := without(d); none {
		return one(r)
	}
	addresses := slices.Concat(d.Record.RUA, d.Record.RUF)
	if len(addresses) == 0 {
		return one(Skipped("no address for reports"))
	}
	var all []Result
	for _, u := range addresses {
		a := dmarc.Authorise(ctx, s.Resolver, d.At, u)
		switch {
		case a.Err != nil:
			all = append(all, Untested("%v", a.Err).On(u.Text))
		case !a.External:
		case !a.Agreed:
			all = append(all, Failed("did not agree to take reports about %s", d.At).On(u.Text).With("no DMARC record at "+a.Name).
				Meaning("receivers send no report there").Fixed("have its owner publish: %s. TXT \"v=DMARC1\"", a.Name))
		case a.Astray():
			all = append(all, Failed("redirects reports to another host, which is not allowed").On(u.Text).
				With("at "+a.Name).Meaning("receivers send no report at all").Fixed("have its owner take the address out of %s", a.Name))
		default:
			all = append(all, Passed("agreed to take reports about %s", d.At).On(u.Text).With("at "+a.Name))
		}
	}
	if len(all) == 0 {
		return one(Passed("every address is of the same organisation"))
	}
	return all
}
