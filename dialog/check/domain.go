package check

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/net/publicsuffix"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

func domainChecks() []Check {
	return []Check{{
		ID: "domain", Group: Always, Topic: "route", About: "the domain exists, and is not one that registries keep for others",
		Ref: "RFC 5321 section 2.3.5", Needs: []Need{NeedDomain}, Gives: []Verdict{Pass, Info, Warn, Fail, Error},
		Run: func(ctx context.Context, s *Subject) []Result { return one(s.domain(ctx)) },
	}}
}

// domain says whether there is such a domain. Where that fails, or is not known, no
// other check of the domain says anything.
func (s *Subject) domain(ctx context.Context) Result {
	return Once(s, "domain", func() Result {
		_, err := s.Resolver.MX(ctx, s.ASCII)
		var told *route.Error
		if errors.As(err, &told) && !told.Definite() && !told.Bogus && ctx.Err() == nil {
			if _, other := s.Resolver.TXT(ctx, s.ASCII); other == nil || isDefinite(other) {
				err = other // a server that fails at MX alone: the checks of mail hosts tell of that
			}
		}
		switch {
		case errors.As(err, &told) && told.Kind == route.NXDomain:
			return Failed("%s does not exist", s.Name).With(told.Error()).
				Meaning("nobody can write to it, and what claims to be from it is refused").
				Fixed("look for a typing error, or whether its registration has run out")
		case errors.As(err, &told) && told.Bogus: // the check dnssec fails it
			return Noted("%s exists, and its signatures are broken", s.Name).With(told.Error())
		case ctx.Err() != nil:
			return Untested("%v", context.Cause(ctx))
		case err != nil && !(errors.As(err, &told) && told.Definite()):
			return Untested("the DNS does not say whether %s exists: %s", s.Name, why(err)).With(err.Error()).
				Fixed("try again later, or ask another server with --dns-server")
		}
		if suffix, icann := publicsuffix.PublicSuffix(s.ASCII); suffix == s.ASCII && icann {
			if err != nil {
				return Failed("%s is a public suffix: the domains below it belong to others, and it has no mail host of its own", s.Name).
					Meaning("nobody has an address in it").Fixed("name the domain below it that is meant").By("https://publicsuffix.org/")
			}
			return Warned("%s is a public suffix: the domains below it belong to others", s.Name).
				Meaning("what is found here is the registry's own, and says nothing of the domains below it").
				Fixed("name the domain below it that is meant").
				By("https://publicsuffix.org/")
		}
		return Passed("%s exists", s.Name)
	})
}

// takesNoMail reports whether domain says by a null MX that nobody can write to it (RFC
// 7505). Where the DNS does not answer it may be written to.
func (s *Subject) takesNoMail(ctx context.Context, domain string) bool {
	mx, err := s.Resolver.MX(ctx, domain)
	return err == nil && len(mx.Records) > 0 && !slices.ContainsFunc(mx.Records, func(r route.MX) bool { return r.Host != "." })
}

// why is what came in place of an answer, in a few words.
func why(err error) string {
	var told *route.Error
	if errors.As(err, &told) {
		return told.Reason()
	}
	return err.Error()
}
