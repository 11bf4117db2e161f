package check

import (
	"context"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
)

// extensionChecks show what servers offer.
func extensionChecks() []Check {
	var checks []Check
	for _, keyword := range []string{"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES", "LIMITS"} {
		known, _ := dialog.LookupExtension(keyword)
		gives := []Verdict{Pass, Info, Error, Skip}
		if keyword == "SIZE" || keyword == "LIMITS" { // their parameters can be wrong
			gives = []Verdict{Pass, Info, Warn, Error, Skip}
		}
		checks = append(checks, Check{ID: "ext-" + strings.ToLower(keyword), Group: Receiving, Topic: "extensions",
			About: "every server offers " + keyword + ": " + known.About, Ref: known.RFC, Needs: []Need{NeedDomain}, Looks: LookTLS, Gives: gives,
			Run: func(ctx context.Context, s *Subject) []Result { return one(s.extension(ctx, keyword)) }})
	}
	return append(checks, Check{ID: "ext-other", Group: Receiving, Topic: "extensions",
		About: "no server offers what is obsolete, or meant for its own kind", Ref: "IANA, SMTP Service Extensions", Needs: []Need{NeedDomain}, Looks: LookTLS,
		Gives: []Verdict{Pass, Info, Warn, Error, Skip},
		Run:   onServers((*Server).greeted, "no server greeted", otherExtensions)})
}

// extension says who offers a keyword, and with which parameters.
func (s *Subject) extension(ctx context.Context, keyword string) Result {
	var with, without, faults, evidence []string
	values, rule := map[string]bool{}, ""
	for _, v := range s.Servers(ctx) {
		if !v.greeted() {
			continue
		}
		o := v.offers()
		offer, ok := o.Find(keyword)
		if !ok {
			without = append(without, v.title())
			continue
		}
		if fault, ref := misstated(keyword, offer.Params); fault != "" {
			faults, rule = append(faults, v.title()+" "+fault), ref
		}
		value := strings.Join(offer.Params, " ")
		values[value] = true
		with = append(with, v.title())
		evidence = append(evidence, strings.TrimSpace(v.Name()+" "+keyword+" "+value))
	}
	without, faults = slices.Compact(without), slices.Compact(faults)
	switch {
	case len(faults) > 0:
		return Warned("the parameters of %s are wrong: %s", keyword, strings.Join(faults, "; ")).With(evidence...).By(rule).
			Meaning("senders ignore what they cannot read, and learn of it by a refusal").Fixed("%s", stated(keyword))
	case len(with)+len(without) == 0:
		return s.without(ctx, "no server greeted")
	case len(with) == 0:
		return Noted("no server offers %s", keyword)
	case len(without) > 0:
		return Noted("%s is not offered by %s", keyword, strings.Join(without, ", ")).With(evidence...)
	case len(values) > 1:
		return Noted("servers offer %s differently", keyword).With(evidence...)
	}
	for value := range values {
		keyword = strings.TrimSpace(keyword + " " + value)
	}
	return Passed("every server offers %s", keyword).With(evidence...)
}

// otherExtensions are those that strangers have no use for.
func otherExtensions(_ context.Context, _ *Subject, v *Server) []Result {
	var odd, risky, evidence []string
	for _, offer := range v.offers().Extensions {
		known, ok := dialog.LookupExtension(offer.Keyword)
		switch {
		case offer.Keyword == "XCLIENT" || offer.Keyword == "XFORWARD":
			risky = append(risky, offer.Keyword)
		case !ok, known.Status == "obsolete", known.Status == "historic", known.Status == "vendor":
			odd = append(odd, offer.Keyword)
		default:
			continue
		}
		about := "not registered"
		if ok {
			about = known.About
		}
		evidence = append(evidence, strings.TrimSpace(offer.Keyword+" "+strings.Join(offer.Params, " "))+"   # "+about)
	}
	switch {
	case len(risky) > 0:
		return one(Warned("lets strangers speak for other clients: %s", strings.Join(risky, " ")).With(evidence...).
			Meaning("whoever uses it passes for any address, unless the server is asked from one that it trusts").
			Fixed("name the proxies that may use it; Postfix: smtpd_authorized_xclient_hosts"))
	case len(odd) > 0:
		return one(Noted("%s", strings.Join(odd, " ")).With(evidence...))
	}
	return one(Passed("nothing odd"))
}
