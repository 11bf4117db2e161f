package check

import (
	"context"
	"errors"
	"fmt"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/mime"
)

func dkimChecks() []Check {
	return []Check{
		{ID: "dkim-domainkey", Group: Sending, Topic: "dkim", About: "_domainkey exists below the domain, where DKIM keys are published",
			Ref: "RFC 6376 section 3.6.2.1", Needs: []Need{NeedDomain}, Gives: []Verdict{Pass, Warn, Error}, Run: dkimDomainkey},
		{ID: "dkim-key", Group: Sending, Topic: "dkim", About: "each selector has a key that receivers can use",
			Ref: "RFC 6376 section 3.6.1", Needs: []Need{NeedDomain, NeedSelector}, Gives: []Verdict{Pass, Warn, Fail, Error}, Run: dkimKey},
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
	case isAbsent(err):
		return one(Warned("%s does not exist, so no DKIM key is published", name).With(err.Error()).
			Meaning("mail of the domain is not signed, or signed in another domain's name only; a few DNS servers say so though keys are there, against RFC 8020").
			Fixed("publish the key of what sends the mail: SELECTOR._domainkey.%s TXT \"v=DKIM1; p=...\"", s.ASCII))
	case err != nil && !isDefinite(err):
		return one(Untested("%s", err))
	}
	return one(Passed("%s exists: there may be keys below it", name).Fixed("to have keys judged, name them with --selector"))
}

func dkimKey(ctx context.Context, s *Subject) []Result {
	var all []Result
	for _, selector := range s.Selectors {
		all = append(all, judgeKey(ctx, s, selector).On(selector))
	}
	return all
}

func judgeKey(ctx context.Context, s *Subject, selector string) Result {
	key, found, err := mime.JudgeKey(ctx, s.texts, s.ASCII, selector)
	if err != nil {
		return Untested("%v", err)
	}
	r := Passed("RSA key of %d bits", key.Bits)
	if key.Kind == "ed25519" {
		r = Passed("Ed25519 key").Meaning("not every receiver verifies Ed25519: an RSA signature beside it is still needed")
	}
	for _, f := range found {
		v := verdictOf(f.Level)
		if v > r.Verdict {
			r.Verdict, r.Summary, r.Ref = v, f.Text, f.Ref
		} else {
			r = r.With(f.Text)
		}
		r.Result = f.ID
	}
	r = r.With("at " + key.Name)
	switch r.Result {
	case "dkim-no-record":
		if target := s.aliasOf(ctx, key.Name); target != "" {
			r.Summary = fmt.Sprintf("is an alias of %s, where no key is published", target)
			return r.Fixed("have its owner publish the key at %s, or let %s be an alias of where it is", target, key.Name)
		}
		return r.Fixed("publish it at %s, or sign with a selector that is published", key.Name)
	case "dkim-revoked":
		return r.Fixed("sign with another selector: this key was withdrawn")
	case "dkim-short-key":
		return r.Fixed("make a key of 2048 bits, publish it below a new selector, and sign with that")
	case "dkim-testing":
		return r.Fixed("take t=y out of the record")
	}
	return r
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
