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
	var evidence, issuers, malformed, odd []string
	for _, r := range records {
		flag := "0"
		if r.Critical {
			flag = "128"
		}
		evidence = append(evidence, at+". CAA "+flag+" "+r.Tag+" \""+r.Value+"\"")
		known := []string{"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
		switch {
		case r.Tag == "issue":
			switch name, ok := issuer(r.Value); {
			case !ok:
				malformed = append(malformed, "\""+r.Value+"\"")
			case name != "":
				issuers = append(issuers, name)
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
		r := Warned("forbids every authority to issue a certificate").With(evidence...).
			Meaning("the next renewal of a public certificate fails").
			Fixed("%s. CAA 0 issue \"AUTHORITY\"   # unless DANE alone vouches for it", at)
		if len(malformed) > 0 {
			r.Summary += ": " + strings.Join(malformed, ", ") + " names none"
			r = r.By("RFC 8659 section 4.2")
		}
		return r
	case len(malformed) > 0:
		return Warned("certificates by %s alone: %s names none", strings.Join(issuers, ", "), strings.Join(malformed, ", ")).With(evidence...).
			Meaning("the authority that was meant by it may issue nothing").By("RFC 8659 section 4.2").
			Fixed("%s. CAA 0 issue \"AUTHORITY; NAME=VALUE\"   # its domain name, and a semicolon before parameters", at)
	case !restricts:
		return Noted("its CAA records restrict nothing").With(evidence...)
	}
	return Passed("certificates by %s alone", strings.Join(issuers, ", ")).With(evidence...)
}

// issuer is the domain of the authority that the value of an issue record names, "" if it
// names none. ok says that the value has the form that RFC 8659 section 4.2 demands; one that
// has not names nobody, whatever stands in it:
//
//	*WSP [domain *WSP] [";" *WSP [tag *WSP "=" *WSP value *( *WSP ";" ... ) *WSP]]
func issuer(value string) (name string, ok bool) {
	const wsp = " \t"
	name, parameters, more := strings.Cut(value, ";")
	name = strings.Trim(name, wsp)
	if name != "" && slices.ContainsFunc(strings.Split(name, "."), notLDH) {
		return "", false
	}
	if parameters = strings.Trim(parameters, wsp); !more || parameters == "" {
		return name, true
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		tag, value, has := strings.Cut(parameter, "=")
		if !has || notLDH(strings.Trim(tag, wsp)) || strings.ContainsFunc(strings.Trim(value, wsp), notPrintable) {
			return "", false
		}
	}
	return name, true
}

// notLDH reports whether label is anything else than letters, digits, and hyphens between
// them.
func notLDH(label string) bool {
	odd := func(c rune) bool { return c == '_' || notOfName(c) }
	return label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, odd)
}
