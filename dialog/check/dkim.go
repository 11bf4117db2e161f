package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/mime"
)

func dkimChecks() []Check {
	return []Check{
		{ID: "dkim-domainkey", Group: Sending, Topic: "dkim", About: "_domainkey exists below the domain, where DKIM keys are published",
			Ref: "RFC 6376 section 3.6.2.1", Needs: []Need{NeedDomain}, Gives: []Verdict{Pass, Warn, Skip, Error}, Run: dkimDomainkey},
		{ID: "dkim-key", Group: Sending, Topic: "dkim", About: "each selector has a key that receivers can use",
			Ref: "RFC 6376 section 3.6.1", Needs: []Need{NeedDomain, NeedSelector}, Gives: []Verdict{Pass, Info, Warn, Fail, Error}, Run: dkimKey},
	}
}

// texts looks up TXT records for package mime.
func (s *Subject) texts(ctx context.Context, name string) ([]string, error) {
	answer, err := s.Resolver.TXT(ctx, name)
	if isDefinite(err) {
		return nil, nil
	}
	return answer.Records, err
}

// isDefinite reports whether the DNS said that there are no such records.
func isDefinite(err error) bool {
	var e *route.Error
	return errors.As(err, &e) && e.Definite()
}

// isAbsent reports whether the DNS said that there is no such name, nor one below it
// (RFC 8020).
func isAbsent(err error) bool {
	var e *route.Error
	return errors.As(err, &e) && e.Kind == route.NXDomain
}

func dkimDomainkey(ctx context.Context, s *Subject) []Result {
	name := "_domainkey." + s.ASCII
	_, err := s.Resolver.TXT(ctx, name)
	switch {
	case isAbsent(err) && s.sendsNothing(ctx):
		return one(Passed("%s does not exist, nor has it to: by SPF no host sends for the domain", name).With(err.Error()))
	case isAbsent(err) && s.takesNoMail(ctx, s.ASCII):
		return one(Skipped("%s does not exist; the domain takes no mail either, so it may send none", name))
	case isAbsent(err):
		return one(Warned("%s does not exist, so no DKIM key is published", name).With(err.Error()).
			Meaning("mail of the domain is not signed, or signed in another domain's name only; a few DNS servers say so though keys are there, against RFC 8020").
			Fixed("publish the key of what sends the mail: SELECTOR._domainkey.%s. TXT \"v=DKIM1; p=...\"", s.ASCII))
	case err != nil && !isDefinite(err):
		return one(Untested("%s", err))
	}
	return one(Passed("%s exists: there may be keys below it", name).Fixed("to have keys judged, name them with --selector"))
}

// sendsNothing reports whether the domain says by SPF that no host sends for it.
func (s *Subject) sendsNothing(ctx context.Context) bool {
	p := s.published(ctx)
	return len(p.texts) == 1 && strings.EqualFold(strings.Join(strings.Fields(p.texts[0]), " "), "v=spf1 -all")
}

func dkimKey(ctx context.Context, s *Subject) []Result {
	var all []Result
	alone := true // no selector has an RSA key
	for _, selector := range s.Selectors {
		r, kind := judgeKey(ctx, s, selector)
		alone = alone && kind != "rsa"
		all = append(all, r.On(selector))
	}
	for i, r := range all {
		if alone && r.Verdict == Pass {
			r = Noted("%s", r.Summary).With(r.Evidence...).On(r.Subject).Meaning("%s: what only it signs counts for unsigned there", fewVerify)
			all[i] = r.Fixed("sign with an RSA key too, below a selector of its own").By("RFC 8463 section 6")
		}
	}
	return all
}

// fewVerify is why an Ed25519 signature is not enough today, though every verifier is to
// know them (RFC 8463 section 5).
const fewVerify = "many large receivers do not verify Ed25519"

// judgeKey judges the key of a selector; kind is "" where none can be used.
func judgeKey(ctx context.Context, s *Subject, selector string) (r Result, kind string) {
	key, found, err := mime.JudgeKey(ctx, s.texts, s.ASCII, selector)
	switch {
	case errors.As(err, new(*route.Error)):
		return Untested("%v", err), ""
	case err != nil:
		return Untested("%v", err).Fixed("name the selector as s= in a signature has it"), ""
	}
	r = Passed("RSA key of %d bits", key.Bits)
	if key.Kind == "ed25519" {
		r = Passed("Ed25519 key")
	}
	var fixes []string
	for _, f := range found {
		v := verdictOf(f.Level)
		if v > r.Verdict {
			r.Verdict, r.Summary, r.Ref, r.Result = v, f.Text, f.Ref, f.ID
		} else {
			r = r.With(f.Text)
		}
		fixes = append(fixes, keyFix(f.ID, key.Name))
	}
	r = r.With("at "+key.Name).Fixed("%s", strings.Join(fixes, "; "))
	if r.Result == "dkim-no-record" {
		if target := s.aliasOf(ctx, key.Name); target != "" {
			r.Summary = fmt.Sprintf("is an alias of %s, where no key is published", target)
			return r.Fixed("have its owner publish the key at %s, or let %s be an alias of where it is", target, key.Name), ""
		}
	}
	return r, key.Kind
}

// keyFix is what to do about a finding on the key that is published at name; "" if the
// finding is about something else.
func keyFix(id, name string) string {
	switch id {
	case "dkim-no-record":
		return fmt.Sprintf("publish it at %s, or sign with a selector that is published", name)
	case "dkim-revoked":
		return "sign with another selector: this key was withdrawn"
	case "dkim-short-key":
		return "make a key of 2048 bits, publish it below a new selector, and sign with that"
	case "dkim-testing":
		return fmt.Sprintf("take t=y out of the record at %s", name)
	case "dkim-several-records":
		return fmt.Sprintf("leave one of the records at %s, that of the key which signs", name)
	case "dkim-more-records":
		return fmt.Sprintf("take the other TXT records away from %s", name)
	case "dkim-not-permitted":
		return fmt.Sprintf("mend the record at %s: h=, if it is there, has to name sha256, and s= has to name email or *", name)
	case "dkim-bad-record":
		return fmt.Sprintf(`publish the key anew: %s. TXT "v=DKIM1; k=rsa; p=KEY"   # KEY: openssl pkey -in KEYFILE -pubout -outform DER | openssl base64 -A`, name)
	}
	return ""
}

// verdictOf is what a finding of package mime comes to.
func verdictOf(l mime.Level) Verdict {
	switch l {
	case mime.Fail:
		return Fail
	case mime.Warn:
		return Warn
	}
	return Info
}
