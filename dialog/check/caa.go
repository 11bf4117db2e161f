package check

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// onNames is the Run of a check that asks the DNS about each MX host by its name, all
// at the same time.
func onNames(judge func(context.Context, *Subject, string) Result) func(context.Context, *Subject) []Result {
	return func(ctx context.Context, s *Subject) []Result {
		found, _ := s.Route(ctx)
		var names []string
		for _, h := range found.Hosts {
			if _, _, err := route.ParseDomain(h.Name); err == nil && len(h.Addrs) > 0 {
				names = append(names, h.Name)
			}
		}
		if len(names) == 0 {
			return one(s.without(ctx, "no server is known"))
		}
		results := make([]Result, len(names))
		var group sync.WaitGroup
		for i, name := range names {
			group.Go(func() { results[i] = judge(ctx, s, name).On(route.Unicode(name)) })
		}
		group.Wait()
		return results
	}
}

// maxClimb is how many names the climb to the root asks about.
const maxClimb = 10

// caa climbs from the host to the root until it finds records (RFC 8659 section 3).
func caa(ctx context.Context, s *Subject, host string) Result {
	name := host
	for range maxClimb {
		answer, err := s.Resolver.CAA(ctx, name)
		var told *route.Error
		switch {
		case err == nil:
			return authorities(name, answer.Records)
		case !errors.As(err, &told) || !told.Definite():
			r := Untested("CAA of %s: %s", name, why(err)).With(err.Error())
			if told != nil && told.Kind == route.ServFail {
				r = r.Meaning("no authority issues a certificate while the DNS fails so")
			}
			return r
		}
		_, rest, more := strings.Cut(name, ".")
		if !more || rest == "" {
			break
		}
		name = rest
	}
	return Noted("no CAA records: every authority may issue a certificate for it").
		Fixed("%s. CAA 0 issue \"AUTHORITY\"   # letsencrypt.org, say", host)
}

// authorities judges the records that hold for a host.
func authorities(at string, records []route.CAA) Result {
	var evidence, issuers, odd []string
	for _, r := range records {
		flag := "0"
		if r.Critical {
			flag = "128"
		}
		evidence = append(evidence, at+". CAA "+flag+" "+r.Tag+" \""+r.Value+"\"")
		known := []string{"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
		switch {
		case r.Tag == "issue":
			issuer, _, _ := strings.Cut(r.Value, ";")
			if issuer = strings.TrimSpace(issuer); issuer != "" {
				issuers = append(issuers, issuer)
			}
		case r.Critical && !slices.Contains(known, r.Tag):
			odd = append(odd, r.Tag)
		}
	}
	restricts := slices.ContainsFunc(records, func(r route.CAA) bool { return r.Tag == "issue" })
	switch {
	case len(odd) > 0:
		return Failed("the critical tag %s, which no authority knows", strings.Join(odd, ", ")).With(evidence...).
			Meaning("no authority may issue a certificate for it: the next renewal fails").
			Fixed("remove the record, or its flag 128")
	case restricts && len(issuers) == 0:
		return Warned("forbids every authority to issue a certificate").With(evidence...).
			Meaning("the next renewal of a public certificate fails").
			Fixed("%s. CAA 0 issue \"AUTHORITY\"   # unless DANE alone vouches for it", at)
	case !restricts:
		return Noted("its CAA records restrict nothing").With(evidence...)
	}
	return Passed("certificates by %s alone", strings.Join(issuers, ", ")).With(evidence...)
}
