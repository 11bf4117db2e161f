package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// certChecks judge the certificates that servers show.
func certChecks() []Check {
	row := func(id, about, ref string, judge func(context.Context, *Subject, *Server) []Result) Check {
		return Check{ID: id, Group: Receiving, Topic: "transport", About: about, Ref: ref, Needs: []Need{NeedDomain}, Looks: LookName,
			Gives: []Verdict{Pass, Warn, Fail, Error, Skip}, Run: onServers(secured, "no server spoke TLS", byName(judge))}
	}
	return []Check{
		row("cert-chain", "certificates lead to an authority that senders trust", "RFC 5280 section 6", certificate("chain", "usage", "signature")),
		row("cert-name", "certificates are for the name of the MX host", "RFC 9525 section 6", certificate("name")),
		row("cert-expiry", "certificates are valid now and for some time to come", "RFC 5280 section 4.1.2.5", certExpiry),
		row("cert-key", "keys are strong enough", "NIST SP 800-57 part 1", certificate("key")),
		{ID: "caa", Group: Receiving, Topic: "transport", About: "CAA records name the authorities that may issue certificates for MX hosts",
			Ref: "RFC 8659", Needs: []Need{NeedDomain}, Gives: []Verdict{Pass, Info, Warn, Fail, Error, Skip}, Run: onNames(caa)},
	}
}

// certificate is the judge of some of the verdicts on a certificate.
func certificate(sides ...string) func(context.Context, *Subject, *Server) []Result {
	return func(ctx context.Context, s *Subject, v *Server) []Result {
		var good []string
		var results []Result
		for _, seen := range v.verdicts() {
			for _, side := range sides {
				switch {
				case seen.Check != side:
				case seen.OK:
					good = append(good, seen.Text)
				default:
					results = append(results, s.unproven(ctx, v, Failed("%s", seen.Text)))
				}
			}
		}
		if len(results) == 0 {
			return one(Passed("%s", strings.Join(good, "; ")))
		}
		for i := range results {
			results[i] = results[i].With(chain(v)...)
		}
		return results
	}
}

// verdicts are all on the certificates of v.
func (v *Server) verdicts() []dialog.TLSVerdict {
	return append(append([]dialog.TLSVerdict{}, v.TLS().Verdicts...), v.TLS().Observed...)
}

// chain are the certificates that v sent, as evidence.
func chain(v *Server) []string {
	var list []string
	for i, c := range v.TLS().Chain {
		d := dialog.Describe(c)
		list = append(list, fmt.Sprintf("%d %s, by %s, %s, until %s", i, dialog.CertificateTitle(c), d.Issuer, d.Key, d.NotAfter.Format("2006-01-02")))
		if i == maxEvidence {
			break
		}
	}
	return list
}

// proven reports whether v proved its name, to senders that ask for it by
// authorities or by DANE.
func proven(v *Server) bool {
	return secured(v) && (v.TLS().Verified() || matched(v))
}

// matched reports whether v's certificate is the one that its TLSA records promise.
func matched(v *Server) bool {
	return v.DANE != nil && secured(v) && v.DANE.State == policy.Usable && v.DANE.Verify(v.TLS().Chain, v.at).State == policy.Match
}

// unproven adds to a fault of a certificate what it means here, and whether it is one.
func (s *Subject) unproven(ctx context.Context, v *Server, r Result) Result {
	host := v.Host
	sts := s.STS(ctx)
	switch {
	case matched(v) && !sts.Enforced():
		r.Verdict = Warn
		r = r.Meaning("to senders that use DANE this does not matter")
	case sts.Enforced():
		r = r.Meaning("MTA-STS is in mode enforce: senders that honour it stop delivering to %s", host).By("RFC 8461 section 4.2")
	default: // no policy demands proof, and without one senders ask for none (RFC 7435)
		r.Verdict = Warn
		r = r.Meaning("no policy demands proof, so most senders encrypt and deliver all the same, without knowing to whom; those that verify do not")
	}
	return r.Fixed("a certificate for %s from an authority that senders trust, then: ehlo tls %s", host, host)
}

func certExpiry(ctx context.Context, s *Subject, v *Server) []Result {
	leaf, now := v.TLS().Chain[0], v.at
	const day = 24 * time.Hour
	renew := fmt.Sprintf("renew the certificate on %s, then: ehlo tls %s", v.Host, v.Host)
	left := leaf.NotAfter.Sub(now)
	until := leaf.NotAfter.UTC().Format("2006-01-02")
	if now.After(leaf.NotAfter) {
		return one(s.outOfDate(ctx, v, Failed("expired %s ago, on %s", days(-left), until)).Fixed("%s", renew))
	}
	if now.Before(leaf.NotBefore) {
		r := s.outOfDate(ctx, v, Failed("not valid before %s, in %s", leaf.NotBefore.UTC().Format("2006-01-02 15:04Z"), days(leaf.NotBefore.Sub(now))))
		return one(r.Fixed("show the certificate that it replaces until then, or have it issued anew"))
	}
	for _, seen := range v.verdicts() {
		if seen.Check == "dates" && !seen.OK { // of an authority
			return one(s.unproven(ctx, v, Failed("%s", seen.Text).With(chain(v)...)).Fixed("%s", renew))
		}
	}
	switch {
	case s.FailDays > 0 && int(left/day) <= s.FailDays: // at 0 only what has expired fails
		return one(Failed("%s left, until %s: --fail-days is %d", days(left), until, s.FailDays).
			Meaning("it is valid until then; senders that verify stop delivering when it is not").Fixed("%s", renew))
	case int(left/day) <= s.WarnDays:
		return one(Warned("%s left, until %s", days(left), until).Fixed("%s", renew))
	}
	return one(Passed("%s left, until %s", days(left), until))
}

// outOfDate is a fault of a certificate that is not valid now. It fails without a policy that
// demands proof, too: somebody forgot it. DANE does not look at dates (RFC 7672 section 3.1.1).
func (s *Subject) outOfDate(ctx context.Context, v *Server, r Result) Result {
	if r = s.unproven(ctx, v, r.With(chain(v)...)); !matched(v) {
		r.Verdict = Fail
	}
	return r
}

// days is a time in whole days, or below one in hours.
func days(d time.Duration) string {
	if d < 24*time.Hour {
		return transcript.Count(int(d/time.Hour), "hour")
	}
	return transcript.Count(int(d/(24*time.Hour)), "day")
}
