package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// daneChecks hold certificates to what the DNS says of them.
func daneChecks() []Check {
	row := func(id, about, ref string, run func(context.Context, *Subject) []Result, gives ...Verdict) Check {
		return Check{ID: id, Group: Receiving, Topic: "transport", About: about, Ref: ref, Needs: []Need{NeedDomain}, Looks: LookName, Gives: gives, Run: run}
	}
	return []Check{
		row("dane-tlsa", "signed TLSA records stand for the certificates that servers show", "RFC 7672", onServers(anyServer, "no server is known", daneRecords), Pass, Info, Warn, Fail, Error, Skip),
		row("dane-rollover", "a further TLSA record is there for the next key", "RFC 7671 section 8.1", onServers(anyServer, "no server is known", daneRollover), Pass, Info, Warn, Error, Skip),
	}
}

// records are TLSA records as evidence.
func records(d *policy.DANE) []string {
	var list []string
	for _, r := range d.Records {
		line := "_25._tcp." + d.Base + ". TLSA " + policy.Long(r.TLSA)
		if !r.Usable() {
			line += "   # " + r.Fault
		}
		list = append(list, line)
	}
	return list
}

func daneRecords(_ context.Context, _ *Subject, v *Server) []Result {
	d := v.DANE
	switch d.State {
	case policy.Insecure:
		return one(Noted("no DANE: %s", d.Why))
	case policy.Missing:
		return one(Noted("no TLSA records").Fixed("ehlo tls %s   # shows the hash of its key for _25._tcp.%s. TLSA 3 1 1", v.Host, v.Host))
	case policy.Bogus:
		return one(daneBogus(d))
	case policy.Unusable:
		return one(Warned("none of the TLSA records can be used").With(records(d)...).
			Meaning("senders demand TLS, and have no proof of the host").By("RFC 7672 section 2.2").
			Fixed("usage 3 or 2, selector 0 or 1, matching type 1 or 2: TLSA 3 1 1"))
	}
	switch {
	case v.apart != nil:
		return one(v.unseen().With(records(d)...))
	case !connected(v):
		return one(Untested("was not reached").With(records(d)...))
	case !secured(v):
		return one(Failed("the TLSA records promise TLS, and it does not come about").With(records(d)...).
			Meaning("senders that honour them do not deliver here").By("RFC 7672 section 2.2").
			Fixed("ehlo tls %s", v.Host))
	}
	found := d.Verify(v.TLS().Chain, v.at)
	if found.State == policy.Match {
		return one(Passed("%s", found.Lines[0].Text).With(records(d)...))
	}
	r := Failed("no TLSA record stands for its certificate").With(records(d)...).
		Meaning("senders that use DANE stop delivering to %s", v.Host)
	for _, l := range found.Lines[:max(0, len(found.Lines)-len(found.Would))] {
		r = r.With(l.Text)
	}
	if len(found.Would) > 0 {
		r = r.Fixed("_25._tcp.%s. TLSA %s", d.Base, policy.Long(found.Would[0]))
	}
	return one(r)
}

// daneBogus tells a zone that is broken from a resolver that is.
func daneBogus(d *policy.DANE) Result {
	var told *route.Error
	if errors.As(d.Err, &told) && told.Kind == route.ServFail {
		return Failed("its TLSA records cannot be had: %s", d.Why).
			Meaning("senders that use DANE put delivery off: an attack looks the same").By("RFC 7672 section 2.1.3").
			Fixed("mend its DNSSEC, or the name server that fails at questions for TLSA")
	}
	return Untested("its TLSA records: %s", d.Why)
}

func daneRollover(_ context.Context, _ *Subject, v *Server) []Result {
	d := v.DANE
	if d.State == policy.Bogus {
		return one(Untested("its TLSA records: %s", d.Why))
	}
	if d.State == policy.Unusable {
		return one(Skipped("none of its TLSA records can be used"))
	}
	if d.State != policy.Usable {
		return one(Skipped("no TLSA records to judge"))
	}
	if v.apart != nil {
		return one(v.unseen())
	}
	if !secured(v) {
		return one(Untested("no certificate to hold them to"))
	}
	found := d.Verify(v.TLS().Chain, v.at)
	var spare []string
	for _, r := range found.Spare {
		spare = append(spare, r.String())
	}
	switch {
	case found.State != policy.Match:
		return one(Skipped("none of them matches"))
	case found.Roll:
		return one(Passed("%s is there for a key to come", strings.Join(spare, ", ")).With(records(d)...))
	case len(found.Spare) > 0:
		return one(Warned("%s stands for nothing that the server shows", strings.Join(spare, ", ")).With(records(d)...).
			Meaning("it is left over from an earlier key, or for a chain that is not sent").Fixed("remove it, unless a key is about to change"))
	case found.Keys > 1:
		return one(Passed("%d records match, by %d keys", len(d.Usable()), found.Keys).With(records(d)...))
	}
	what, many := standsFor(d.Usable()), "one record"
	if n := len(d.Usable()); n > 1 {
		many = fmt.Sprintf("%d records, and all of the same %s", n, what)
	}
	return one(Noted("%s: a new %s breaks delivery unless its record comes first", many, what).With(records(d)...).
		Fixed("publish the record of the next %s two TTLs before it is used, and beside the present one", what))
}

// standsFor says what has to stay as it is for records to match: the authority with usage 2,
// the certificate as a whole with selector 0, and else the key (RFC 6698 section 2.1).
func standsFor(all []policy.Record) string {
	is := func(fits func(policy.Record) bool) bool {
		return !slices.ContainsFunc(all, func(r policy.Record) bool { return !fits(r) })
	}
	switch {
	case is(func(r policy.Record) bool { return r.Usage == 2 }):
		return "authority"
	case is(func(r policy.Record) bool { return r.Selector == 0 }):
		return "certificate"
	}
	return "key"
}
