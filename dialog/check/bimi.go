package check

import (
	"context"
	"net/url"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
)

func bimiChecks() []Check {
	return []Check{{ID: "bimi", Group: Sending, Topic: "bimi", About: "the logo that mail is shown with can be shown, if one is published",
		Ref: "draft-brand-indicators-for-message-identification", Needs: []Need{NeedDomain}, Gives: []Verdict{Pass, Info, Warn, Fail, Error}, Run: bimi}}
}

// bimi looks at the record of the domain, or else of its organisational domain. Neither
// the logo nor its certificate is fetched.
func bimi(ctx context.Context, s *Subject) []Result {
	d := s.dmarc(ctx)
	if d.Err != nil {
		return one(Untested("%v", d.Err))
	}
	names := []string{"default._bimi." + s.ASCII}
	if d.Source == dmarc.Organisation && d.At != s.ASCII {
		names = append(names, "default._bimi."+d.At)
	}
	for _, name := range names {
		texts, err := s.texts(ctx, name)
		if err != nil {
			return one(Untested("%v", err))
		}
		var records, near []string
		for _, text := range texts {
			if isBIMI(text) {
				records = append(records, text)
			} else if strings.Contains(strings.ToLower(text), "bimi1") {
				near = append(near, text)
			}
		}
		switch {
		case len(records) == 1:
			return one(judgeBIMI(records[0], d).With(records[0], "at "+name))
		case len(records) == 0 && len(near) == 0:
			continue
		case len(records) == 0:
			return one(Failed("a TXT record that is none of BIMI, though it was meant as one").With(near...).With("at "+name).
				Meaning("receivers pass it over: no logo is shown").Fixed("begin the record at %s with v=BIMI1;", name))
		}
		return one(Failed("%d BIMI records, which are all ignored", len(records)).Fixed("leave one of them at %s", name))
	}
	return one(Noted("no logo is published").With("no BIMI record at " + names[0]))
}

// isBIMI reports whether a text is a record: the version is its first tag.
func isBIMI(text string) bool {
	first, _, _ := strings.Cut(text, ";")
	name, value, _ := strings.Cut(first, "=")
	return strings.EqualFold(strings.TrimSpace(name), "v") && strings.EqualFold(strings.TrimSpace(value), "BIMI1")
}

func judgeBIMI(record string, d *dmarc.Discovery) Result {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(record, ";") {
		if name, value, ok := strings.Cut(tag, "="); ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	logo, evidence := tags["l"], tags["a"]
	switch {
	case logo == "" && evidence == "":
		return Noted("the domain declines to show a logo").As("declined")
	case !secureURL(logo) || !strings.HasSuffix(strings.ToLower(logo), ".svg") && !strings.HasSuffix(strings.ToLower(logo), ".svgz"):
		return Failed("l= is not the https address of an SVG file").Fixed("l=https://HOST/logo.svg")
	case evidence != "" && !secureURL(evidence):
		return Failed("a= is not an https address").Fixed("a=https://HOST/certificate.pem")
	case !enforced(d):
		return Failed("no receiver shows the logo: the DMARC policy is not enforced for the whole domain").
			Fixed("p=quarantine or p=reject, without t=y and without sp=none; then: ehlo check %s --only 'dmarc-*'", d.Domain)
	case evidence == "":
		return Warned("a logo without a certificate, which most receivers demand").Meaning("Gmail and Apple Mail show no logo").
			Fixed("a= with the address of a Verified or Common Mark Certificate")
	}
	return Passed("a logo with a certificate is published; neither was fetched")
}

func secureURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// enforced reports whether the policy is acted on, for subdomains too.
func enforced(d *dmarc.Discovery) bool {
	if !d.Applies() || d.Requested == dmarc.None || d.Record.Testing {
		return false
	}
	sub, _ := d.Record.For(true, true)
	return sub != dmarc.None
}
