package cmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func (s *tlsServer) say(id, verdict, format string, args ...any) {
	s.Checks = append(s.Checks, tlsCheck{id, verdict, fmt.Sprintf(format, args...)})
}

// judge gives the verdicts on what was seen.
func (s *tlsServer) judge(e *examination, sts *policy.STS) {
	s.Checks = []tlsCheck{}
	if s.TLS == nil {
		if s.without(); len(s.Checks) > 0 && !s.Implicit { // the policies are about STARTTLS
			s.published(sts)
		}
		return
	}
	s.certificate(e)
	s.negotiation(e.options.Active)
	s.capabilities()
	s.published(sts)
}

// without says why there is no TLS, where that is the server's doing.
func (s *tlsServer) without() {
	var failed *dialog.TLSError
	var broken *dialog.ProtocolError
	var at *dialog.Error
	switch {
	case errors.As(s.err, &failed) && (failed.Kind == dialog.TLSNotOffered || failed.Kind == dialog.TLSRefused):
		s.say("starttls", "fail", "%s: mail travels in the clear", failed.Reason)
	case errors.As(s.err, &failed):
		s.say("handshake", "fail", "%s", failed)
	case errors.As(s.err, &broken) && errors.As(s.err, &at) && at.Phase == dialog.PhaseTLS:
		s.say("starttls", "fail", "%s", broken.Reason)
	}
}

// certificate judges what proves the name, and for how long it will.
func (s *tlsServer) certificate(e *examination) {
	matched := s.DANE != nil && s.dane().State == policy.Match
	for _, v := range s.TLS.Verdicts {
		switch {
		case v.OK:
			s.say(v.Check, "pass", "%s", v.Text)
		case matched:
			s.say(v.Check, "warn", "%s (to senders that use DANE this does not matter)", v.Text)
		default:
			s.say(v.Check, "fail", "%s", v.Text)
		}
	}
	if len(s.TLS.Chain) > 0 && s.TLS.Left >= 0 {
		verdict := "pass"
		switch {
		case e.failDays > 0 && s.TLS.Left <= e.failDays: // at 0 only what has expired fails
			verdict = "fail"
		case s.TLS.Left <= e.warnDays:
			verdict = "warn"
		}
		s.say("expiry", verdict, "%s left, until %s", transcript.Count(s.TLS.Left, "day"), s.TLS.Chain[0].NotAfter.UTC().Format("2006-01-02 15:04Z"))
	}
	switch staple, err := s.TLS.OCSP(); {
	case err == nil && staple.Status == "revoked":
		s.say("ocsp", "fail", "revoked on %s, says the response in the handshake", staple.Revoked.UTC().Format("2006-01-02"))
	case err == nil:
		s.say("ocsp", "pass", "%s, says the response in the handshake, produced %s", staple.Status, staple.Produced.UTC().Format("2006-01-02 15:04Z"))
	case len(s.TLS.Staple) > 0:
		s.say("ocsp", "warn", "%v", err)
	default:
		s.say("ocsp", "info", "no response in the handshake")
	}
}

// negotiation judges versions, suites, groups and sessions.
func (s *tlsServer) negotiation(active bool) {
	s.versions()
	s.suites()
	switch {
	case s.Resumption == nil:
		s.say("resumption", "info", "no tickets are given")
	case s.Resumption.Untested != "":
		s.say("resumption", "skip", "tickets are given; not tested: %s", s.Resumption.Untested)
	case s.Resumption.Accepted:
		s.say("resumption", "info", "a session is taken up again")
	default:
		s.say("resumption", "info", "tickets are given and not taken")
	}
	if s.TLS.Asked {
		s.say("client", "info", "a client certificate is asked for")
	}
	switch s.Injection {
	case dialog.InjectionUntested:
		switch {
		case active && s.Implicit:
			s.say("injection", "skip", "there is no STARTTLS to inject behind")
		case active:
			s.say("injection", "skip", "the server was not reached again")
		}
	case dialog.InjectionAnswered:
		s.say("injection", "fail", "a command sent along with STARTTLS is answered under TLS: whoever is in between can add commands (RFC 3207 section 6)")
	case dialog.InjectionInClear:
		s.say("injection", "warn", "a command sent along with STARTTLS is answered before the handshake")
	case dialog.InjectionDiscarded:
		s.say("injection", "pass", "a command sent along with STARTTLS is not answered under TLS")
	case dialog.InjectionClosed:
		s.say("injection", "pass", "the connection ends where a command is sent along with STARTTLS")
	}
}

// versions judges those that were tried one by one.
func (s *tlsServer) versions() {
	names, untried := accepted(s.Versions)
	if seen := tls.VersionName(s.TLS.Version); !slices.Contains(names, seen) {
		names = append(names, seen) // it was negotiated, if only once
	}
	old := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "TLS 1.2" || n == "TLS 1.3" })
	text := strings.Join(names, " · ")
	switch {
	case len(old) > 0:
		s.say("versions", "warn", "%s: %s deprecated (RFC 8996)", text, are(old))
	case untried != "":
		s.say("versions", "skip", "%s; %s", text, untried)
	case !slices.Contains(names, "TLS 1.3"):
		s.say("versions", "info", "%s; no TLS 1.3", text)
	default:
		s.say("versions", "pass", "%s", text)
	}
}

// suites judges those of TLS 1.0 to 1.2, and names the groups; without --suites
// it judges the one that was chosen.
func (s *tlsServer) suites() {
	weak := map[string]bool{}
	for _, suite := range tls.InsecureCipherSuites() {
		weak[suite.Name] = true
	}
	if len(s.Suites) == 0 {
		if name := tls.CipherSuiteName(s.TLS.Suite); weak[name] {
			s.say("suite", "warn", "%s is weak", name)
		}
		return
	}
	names, untried := accepted(s.Suites)
	bad := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !weak[n] })
	switch {
	case len(bad) > 0:
		s.say("suites", "warn", "%s; weak: %s", strings.Join(names, " "), both(bad, untried))
	case untried != "":
		s.say("suites", "skip", "%s", both(names, untried))
	case len(names) == 0:
		s.say("suites", "pass", "none of TLS 1.0 to 1.2")
	default:
		s.say("suites", "pass", "%s", both(names, ""))
	}
	names, untried = accepted(s.Groups)
	verdict := "info"
	if untried != "" {
		verdict = "skip"
	}
	if list := both(names, untried); list != "" {
		s.say("groups", verdict, "%s", list)
		return
	}
	s.say("groups", verdict, "none: no suite that it accepts exchanges keys by a group")
}

// both is a list of what was accepted, and behind it what could not be tried.
func both(names []string, untried string) string {
	list := strings.Join(names, " ")
	if list != "" && untried != "" {
		return list + "; " + untried
	}
	return list + untried
}

func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, " and ") + " are"
}

// capabilities judges what is offered where.
func (s *tlsServer) capabilities() {
	if s.offers(false, "AUTH") {
		s.say("auth-clear", "warn", "AUTH is offered before TLS: passwords may travel in the clear")
	}
	if s.offers(true, "STARTTLS") {
		s.say("starttls", "warn", "STARTTLS is offered again under TLS (RFC 3207 section 4.2)")
	}
}

// offers reports whether the server offers a keyword before or under TLS.
func (s *tlsServer) offers(secure bool, keyword string) bool {
	return slices.ContainsFunc(s.Offers, func(o dialog.Offers) bool {
		_, ok := o.Find(keyword)
		return ok && o.Secure == secure
	})
}

// dane is what the certificates say to the TLSA records.
func (s *tlsServer) dane() policy.Verdict {
	if s.TLS == nil {
		return policy.Verdict{State: s.DANE.State}
	}
	return s.DANE.Verify(s.TLS.Chain, s.at)
}

// published holds the server to what its domain says of it.
func (s *tlsServer) published(sts *policy.STS) {
	if s.DANE != nil {
		s.records(s.dane())
	}
	switch {
	case sts == nil || sts.Stage == policy.NoRecord:
		return
	case sts.Err != nil:
		s.say("mta-sts", "warn", "%v", sts.Err)
		return
	case !sts.Active():
		s.say("mta-sts", "info", "mode %s", sts.Policy.Mode)
		return
	}
	verdict, so := "warn", "in mode enforce, senders would not deliver here"
	if sts.Enforced() {
		verdict, so = "fail", "senders that honour it do not deliver here"
	}
	switch {
	case !sts.Allows(s.Host):
		s.say("mta-sts", verdict, "the policy does not list %s: %s", s.Host, so)
	case s.TLS == nil:
		s.say("mta-sts", verdict, "the policy demands TLS: %s", so)
	case !s.TLS.Verified():
		s.say("mta-sts", verdict, "the certificate does not prove %s: %s", s.Host, so)
	default:
		s.say("mta-sts", "pass", "mode %s, and the policy lists %s", sts.Policy.Mode, s.Host)
	}
}

// records tells what the TLSA records come to.
func (s *tlsServer) records(v policy.Verdict) {
	promised := s.TLS == nil && (v.State == policy.Usable || v.State == policy.Unusable)
	switch {
	case promised:
		s.say("dane", "fail", "the TLSA records promise TLS: senders that honour them do not deliver here (RFC 7672 section 2.2)")
	case v.State == policy.Match:
		for i, l := range v.Lines {
			verdict := "info"
			if i == 0 {
				verdict = "pass"
			}
			s.say("dane", verdict, "%s", about(l))
		}
	case v.State == policy.Mismatch:
		faults := len(v.Lines) - len(v.Would) // the rest say what would match
		for i, l := range v.Lines {
			switch {
			case i >= faults:
				s.say("dane", "info", "%s", l.Text)
			case !l.OK:
				s.say("dane", "fail", "%s", about(l))
			}
		}
	case v.State == policy.Bogus:
		s.say("dane", "fail", "the TLSA records cannot be had: %s", s.DANE.Why)
	case v.State == policy.Unusable:
		s.say("dane", "warn", "none of the TLSA records can be used: TLS is a must, without proof (RFC 7672 section 2.2)")
	case v.State == policy.Missing:
		s.say("dane", "info", "no TLSA records")
	default:
		s.say("dane", "info", "none: %s", s.DANE.Why)
	}
}

// about is a line of a verdict on DANE, with what it concerns where that is a part
// of the proof.
func about(l policy.Line) string {
	if l.Check == "dane" {
		return l.Text
	}
	return l.Check + ": " + l.Text
}
