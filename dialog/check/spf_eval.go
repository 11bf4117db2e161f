package check

import (
	"context"
	"fmt"

	"github.com/ehlo-mail/ehlo/dialog/check/spf"
)

func spfEval(ctx context.Context, s *Subject) []Result {
	sender := s.Sender()
	if s.MailFrom == "" && s.ASCII != "" {
		sender = "postmaster@" + s.ASCII
	}
	checker := spf.Checker{Resolver: s.Resolver}
	found := checker.Check(ctx, s.IP, s.HELO, sender)
	subject := found.Sender
	if found.Identity == "helo" {
		subject = found.Domain
	}
	var r Result
	switch found.Outcome {
	case spf.Pass:
		r = Passed("pass: %s", found.Reason)
	case spf.Fail:
		r = Failed("fail: %s", found.Reason).Meaning("receivers may refuse such mail at once").Fixed("%s", s.admission(found))
	case spf.SoftFail:
		r = Warned("softfail: %s", found.Reason).Meaning("receivers take such mail for suspicious").Fixed("%s", s.admission(found))
	case spf.PermError:
		r = Failed("permerror: %s", found.Reason).Meaning("the policy does not count until it is mended; some receivers refuse such mail").
			Fixed("ehlo check %s --only 'spf-*'", found.Domain)
	case spf.TempError:
		r = Untested("temperror: %s", found.Reason).Meaning("receivers may defer such mail").Fixed("try again later")
	default: // none, neutral
		r = Warned("%s: %s", found.Outcome, found.Reason).Meaning("SPF vouches for nothing").Fixed("%s", s.admission(found))
	}
	if found.Explanation != "" {
		r = r.With("the domain explains: " + found.Explanation)
	}
	return one(r.On(subject).With(found.Lines()...).As(string(found.Outcome)))
}

// admission is what to do where SPF does not pass a host that is one of the domain's.
func (s *Subject) admission(found spf.Result) string {
	term := fmt.Sprintf("ip%d:%s", s.version(), s.IP.Unmap())
	at := found.Trace
	for at.Domain != found.At && len(at.Steps) > 0 && at.Steps[len(at.Steps)-1].Within != nil { // a redirect
		at = at.Steps[len(at.Steps)-1].Within
	}
	switch {
	case found.Outcome == spf.None && found.Trace.Record == "" && len(found.Trace.Asked) == 0:
		return "send from an address whose domain can have a record"
	case found.Outcome == spf.None:
		return fmt.Sprintf(`%s. TXT "v=spf1 %s -all"   # with what else sends for it`, found.Domain, term)
	case found.Directive == "":
		return "if the host is one of the domain's, add to its record: " + term
	}
	whose := "its record"
	if found.At != found.Domain {
		whose = "the record of " + found.At
	}
	if behind := s.named(at.Record, found.Directive); behind != "" {
		return fmt.Sprintf("if the host is one of the domain's, move %s before %s in %s: the first that matches decides", behind, found.Directive, whose)
	}
	return fmt.Sprintf("if the host is one of the domain's, add to %s, before %s: %s", whose, found.Directive, term)
}

// named is the term that passes the host by its address and stands behind a directive of
// the record, in vain; "" if there is none.
func (s *Subject) named(record, directive string) string {
	parsed, _ := spf.Parse(record)
	reached := false
	for _, t := range parsed.Terms {
		if reached && t.Network.IsValid() && t.Outcome() == spf.Pass && t.Network.Contains(s.IP.Unmap()) {
			return t.Text
		}
		reached = reached || t.Text == directive
	}
	return ""
}

// version is that of the host's address, as the mechanisms ip4 and ip6 have it.
func (s *Subject) version() int {
	if s.IP.Unmap().Is4() {
		return 4
	}
	return 6
}
