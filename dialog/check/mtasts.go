package check

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// stsChecks judge what a domain asks of senders by MTA-STS and TLS-RPT.
func stsChecks() []Check {
	row := func(id, about, ref string, looks Look, run func(context.Context, *Subject) []Result, gives ...Verdict) Check {
		return Check{ID: id, Group: Receiving, Topic: "transport", About: about, Ref: ref, Needs: []Need{NeedDomain}, Looks: looks, Gives: gives, Run: run}
	}
	return []Check{
		row("mtasts-dns", "one record at _mta-sts says that there is a policy", "RFC 8461 section 3.1", 0, stsRecord, Pass, Info, Warn, Fail, Error, Skip),
		row("mtasts-policy", "the policy can be had by HTTPS, and is valid", "RFC 8461 section 3.2", 0, stsPolicy, Pass, Warn, Fail, Error, Skip),
		row("mtasts-match", "the policy lists every MX host, and each proves its name", "RFC 8461 section 4", LookName, stsMatch, Pass, Warn, Fail, Error, Skip),
		row("mtasts-mode", "the policy is enforced", "RFC 8461 section 5", 0, stsMode, Pass, Info, Warn, Error, Skip),
		row("tlsrpt", "senders are told where to report failures of TLS", "RFC 8460 section 3", 0, tlsReports, Pass, Info, Warn, Fail, Error, Skip),
	}
}

// STS is the domain's MTA-STS policy, looked for once.
func (s *Subject) STS(ctx context.Context) *policy.STS {
	return Once(s, "sts", func() *policy.STS {
		f := s.Fetch
		if s.Reach != nil {
			f = s.Reach.Fetcher(f, s.ASCII)
		}
		return policy.FindSTS(ctx, s.Resolver, f, s.ASCII)
	})
}

func stsRecord(ctx context.Context, s *Subject) []Result {
	p := s.STS(ctx)
	var evidence []string
	if p.Record != "" {
		evidence = []string{"_mta-sts." + s.ASCII + ". TXT \"" + p.Record + "\""}
	}
	switch p.Stage {
	case policy.NoRecord:
		if near := s.nearSTS(ctx); near != "" {
			return one(Failed("a TXT record that is none of MTA-STS, though it was meant as one").With("_mta-sts."+s.ASCII+". TXT \""+near+"\"").
				Meaning("senders take it that there is no policy").
				Fixed("_mta-sts.%s. TXT \"v=STSv1; id=1;\"   # v=STSv1 first, in this case, and with nothing before it", s.ASCII))
		}
		if s.takesNoMail(ctx, s.ASCII) {
			return one(Skipped("the domain takes no mail"))
		}
		return one(Noted("no MTA-STS record").
			Meaning("whoever is on the way can keep senders from using TLS, unless DANE protects the hosts").
			Fixed("_mta-sts.%s. TXT \"v=STSv1; id=1;\"   # and a policy at https://mta-sts.%s/.well-known/mta-sts.txt", s.ASCII, s.ASCII))
	case policy.Unknown:
		return one(Untested("whether there is an MTA-STS record: %s", why(p.Err)))
	case policy.BadRecord:
		return one(Failed("the MTA-STS record does not count: %v", p.Err).With(evidence...).
			Meaning("senders take it that there is no policy").
			Fixed("_mta-sts.%s. TXT \"v=STSv1; id=1;\"   # one record, a new id at every change", s.ASCII))
	}
	for _, f := range p.Findings {
		if f.ID == "sts-record-again" {
			return one(Warned("%s", f.Text).With(evidence...).Meaning("the first one counts").
				Fixed("_mta-sts.%s. TXT \"v=STSv1; id=%s;\"", s.ASCII, p.ID))
		}
	}
	return one(Passed("id %s", p.ID).With(evidence...))
}

// nearSTS is a record at _mta-sts that senders pass over and that names the version all
// the same, "" if there is none.
func (s *Subject) nearSTS(ctx context.Context) string {
	texts, err := s.texts(ctx, "_mta-sts."+s.ASCII)
	for _, text := range texts {
		if err == nil && strings.Contains(strings.ToLower(text), "stsv1") {
			return text
		}
	}
	return ""
}

// noPolicy is the verdict of what needs a policy where there is none; ok is false then.
func noPolicy(p *policy.STS) (r Result, ok bool) {
	switch p.Stage {
	case policy.NoRecord:
		return Skipped("there is no MTA-STS record"), false
	case policy.BadRecord:
		return Skipped("the MTA-STS record does not count"), false
	case policy.Unknown:
		return Untested("whether there is an MTA-STS record is not known"), false
	case policy.NotFetched:
		if unsure(p.Err) {
			return Untested("the policy could not be had"), false
		}
	case policy.Fetched:
		return Result{}, true
	}
	return Skipped("the policy cannot be had"), false
}

func stsPolicy(ctx context.Context, s *Subject) []Result {
	p := s.STS(ctx)
	where := "https://mta-sts." + s.ASCII + "/.well-known/mta-sts.txt"
	lost := "senders that know no earlier policy do without it"
	switch p.Stage {
	case policy.NotFetched:
		r := Failed("%v", p.Err).With(where).With(faults(p.Checks)...).Meaning("%s", lost).Fixed("serve it there: text/plain, status 200, a certificate for mta-sts.%s", s.ASCII)
		if unsure(p.Err) || ctx.Err() != nil {
			r = Untested("%v", p.Err).With(where)
		}
		return one(r)
	case policy.BadPolicy:
		return one(Failed("the policy is not valid: %v", p.Err).With(where).Meaning("%s", lost).
			Fixed("version: STSv1, mode: enforce, mx: and max_age: a line each, at %s", where))
	case policy.Fetched:
	default:
		r, _ := noPolicy(p)
		return one(r)
	}
	evidence := []string{where, "mode: " + string(p.Policy.Mode), "mx: " + strings.Join(p.Policy.MX, " "), "max_age: " + strconv.Itoa(int(p.Policy.MaxAge.Seconds()))}
	for _, f := range p.Findings {
		switch f.ID {
		case "sts-testing", "sts-none", "sts-record-again": // of other checks
		default:
			return one(Warned("%s", f.Text).With(evidence...).Fixed("mend the policy at %s, and publish a new id", where))
		}
	}
	return one(Passed("valid for %s", route.TTL(p.Policy.MaxAge)).With(evidence...))
}

// unsure reports whether a policy is not known for a reason that may be ours: nobody
// says that it is not there.
func unsure(err error) bool {
	var told *route.Error
	var failed *policy.FetchError
	var timeout net.Error
	switch {
	case errors.As(err, &told):
		return !told.Definite()
	case errors.As(err, &failed) && failed.Step == policy.StepConnect:
		return errors.As(failed.Err, &timeout) && timeout.Timeout()
	}
	return false
}

// faults are those of a policy host's certificate.
func faults(all []policy.Line) []string {
	var lines []string
	for _, l := range all {
		if !l.OK {
			lines = append(lines, l.Check+": "+l.Text)
		}
	}
	return lines
}

func stsMatch(ctx context.Context, s *Subject) []Result {
	p := s.STS(ctx)
	if r, ok := noPolicy(p); !ok {
		return one(r)
	}
	if !p.Active() {
		return one(Skipped("the policy is in mode none"))
	}
	results := each(s.Servers(ctx), anyServer, func(v *Server) []Result { return one(stsHost(p, v)) })
	if len(results) == 0 {
		return one(s.without(ctx, "no server is known"))
	}
	return results
}

// stsHost holds a server to the policy.
func stsHost(p *policy.STS, v *Server) Result {
	bad := func(format string, args ...any) Result {
		r := Failed(format, args...).Meaning("MTA-STS is in mode enforce: senders that honour it do not deliver to %s", v.Host)
		if !p.Enforced() {
			r = Warned(format, args...).Meaning("in mode enforce, senders would not deliver to %s", v.Host)
		}
		return r
	}
	switch {
	case !p.Allows(v.Host):
		return bad("is not listed in the policy").By("RFC 8461 section 4.1").With("mx: "+strings.Join(p.Policy.MX, " ")).
			Fixed("mx: %s   # in the policy, and a new id in the record", v.Host)
	case v.apart != nil:
		return v.unseen()
	case !connected(v):
		return Untested("was not reached")
	case !v.greeted():
		return Untested("did not greet")
	case !secured(v):
		return bad("is listed, and TLS does not come about").By("RFC 8461 section 4.2").Fixed("ehlo tls %s", v.Host)
	case !v.TLS().Verified():
		return bad("is listed, and does not prove its name").By("RFC 8461 section 4.2").
			Fixed("a certificate for %s from an authority that senders trust", v.Host)
	}
	return Passed("is listed, and proves its name")
}

func stsMode(ctx context.Context, s *Subject) []Result {
	p := s.STS(ctx)
	if r, ok := noPolicy(p); !ok {
		return one(r)
	}
	switch p.Policy.Mode {
	case policy.Testing:
		return one(Warned("mode testing: failures are reported, and mail is delivered all the same").
			Fixed("when the reports show no failures: mode: enforce, and a new id in the record"))
	case policy.None:
		return one(Noted("mode none: there is no policy any more").By("RFC 8461 section 8.3").
			Fixed("once max_age is over, remove the record and the policy"))
	}
	return one(Passed("mode enforce"))
}

func tlsReports(ctx context.Context, s *Subject) []Result {
	p := policy.FindReports(ctx, s.Resolver, s.ASCII)
	publish := "_smtp._tls." + s.ASCII + ". TXT \"v=TLSRPTv1; rua=mailto:tls-reports@" + s.ASCII + "\""
	var evidence []string
	if p.Record != "" {
		evidence = []string{"_smtp._tls." + s.ASCII + ". TXT \"" + p.Record + "\""}
	}
	switch p.Stage {
	case policy.NoRecord:
		if sts := s.STS(ctx); sts.Active() {
			return one(Warned("no TLS-RPT record, beside an MTA-STS policy").
				Meaning("nobody learns of the mail that the policy keeps away").Fixed("%s", publish))
		}
		if s.takesNoMail(ctx, s.ASCII) {
			return one(Skipped("the domain takes no mail"))
		}
		return one(Noted("no TLS-RPT record").Fixed("%s", publish))
	case policy.Unknown:
		return one(Untested("whether there is a TLS-RPT record: %s", why(p.Err)))
	case policy.BadRecord:
		return one(Failed("the TLS-RPT record does not count: %v", p.Err).With(evidence...).
			Meaning("senders send no reports").Fixed("%s", publish))
	}
	for _, f := range p.Findings {
		return one(Warned("%s", f.Text).With(evidence...).Fixed("_smtp._tls.%s. TXT \"v=TLSRPTv1; rua=%s\"", s.ASCII, strings.Join(p.To, ",")))
	}
	return one(Passed("reports to %s", strings.Join(slices.Clone(p.To), ", ")).With(evidence...))
}
