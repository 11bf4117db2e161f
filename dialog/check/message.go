package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/mime"
)

func messageChecks() []Check {
	message := []Need{NeedMessage}
	return []Check{
		{ID: "msg-dkim", Group: Message, Topic: "message", About: "the message has a DKIM signature that passes and covers all of it",
			Ref: "RFC 6376 section 6.1", Needs: message, Gives: []Verdict{Pass, Warn, Fail, Error}, Run: msgDKIM},
		{ID: "msg-dmarc", Group: Message, Topic: "message", About: "SPF or DKIM passes for a domain that is aligned with From",
			Ref: "RFC 9989 section 5.3", Needs: message, Gives: []Verdict{Pass, Warn, Fail, Error, Skip}, Run: msgDMARC},
		{ID: "msg-headers", Group: Message, Topic: "message", About: "the header has what it needs, once, and well formed",
			Ref: "RFC 5322 section 3.6", Needs: message, Gives: []Verdict{Pass, Warn, Fail}, Run: msgHeaders},
		{ID: "msg-lines", Group: Message, Topic: "message", About: "lines end as they have to, and are not too long",
			Ref: "RFC 5321 section 4.5.3.1.6", Needs: message, Gives: []Verdict{Pass, Warn, Fail}, Run: msgLines},
		{ID: "msg-size", Group: Message, Topic: "message", About: "the message is small enough for large receivers",
			Ref: "RFC 1870", Needs: message, Gives: []Verdict{Pass, Warn, Fail}, Run: msgSize},
		{ID: "msg-unsub", Group: Message, Topic: "message", About: "whoever gets it can unsubscribe by one click",
			Ref: "RFC 8058 section 3", Needs: message, Gives: []Verdict{Pass, Info, Warn, Fail, Error}, Run: msgUnsub},
	}
}

// verified are the signatures of the message.
func (s *Subject) verified(ctx context.Context) (*mime.Verification, error) {
	f := Once(s, "signatures", func() failing[*mime.Verification] {
		v, err := s.Message.Verify(ctx, s.texts, s.now())
		return failing[*mime.Verification]{v, err}
	})
	return f.value, f.err
}

// structure is what the message consists of.
func (s *Subject) structure() (*mime.Structure, error) {
	f := Once(s, "structure", func() failing[*mime.Structure] {
		v, err := s.Message.Show()
		return failing[*mime.Structure]{v, err}
	})
	return f.value, f.err
}

// failing is a fact that may not be found out.
type failing[T any] struct {
	value T
	err   error
}

// now is the time that signatures are judged by.
func (s *Subject) now() time.Time {
	if s.Reach != nil && s.Reach.Session.Now != nil {
		return s.Reach.Session.Now()
	}
	return time.Time{}
}

func msgDKIM(ctx context.Context, s *Subject) []Result {
	found, err := s.verified(ctx)
	if err != nil {
		return one(Untested("%v", err))
	}
	if len(found.Signatures) == 0 {
		return one(Failed("the message has no DKIM signature").Meaning("nothing shows that it is as it was sent, nor who answers for it").
			Fixed("have the server that sends it sign: ehlo message sign FILE --dkim-domain D --dkim-selector S --dkim-key KEY"))
	}
	good := slices.ContainsFunc(found.Signatures, mime.SignatureVerdict.Sound)
	var all []Result
	for _, sig := range found.Signatures {
		r := judgeSignature(sig)
		if r.Verdict == Fail && good {
			r.Verdict = Warn
		}
		all = append(all, r.On(fmt.Sprintf("%s (%s)", sig.Domain, sig.Selector)).As(string(sig.Verdict)))
	}
	return all
}

func judgeSignature(sig mime.SignatureVerdict) Result {
	var r Result
	switch {
	case sig.Sound():
		r = Passed("passes")
	case sig.Verdict == mime.VerdictPass:
		r = Failed("passes, and leaves the message open")
	case sig.Verdict == mime.VerdictTempError:
		r = Untested("%s", sig.Reason)
	default:
		r = Failed("%s", sig.Reason)
	}
	for _, f := range sig.Findings {
		if v := verdictOf(f.Level); v == Warn && r.Verdict == Pass {
			r.Verdict, r.Summary, r.Ref = Warn, "passes, but "+f.Text, f.Ref
			continue
		}
		r = r.With(f.Text)
	}
	return r
}

// spf is what SPF says of the message, which is sent from --ip.
func (s *Subject) spf(ctx context.Context, found *mime.Verification) spf.Result {
	return Once(s, "message spf", func() spf.Result {
		from := found.Author
		switch {
		case s.MailFrom != "":
			from = s.Sender()
		case found.ReturnPath != nil:
			from = *found.ReturnPath
		}
		return spf.Check(ctx, s.Resolver, s.IP, s.HELO, from)
	})
}

// authentic is what DMARC makes of the message: without --ip by DKIM alone.
func (s *Subject) authentic(ctx context.Context, found *mime.Verification) *dmarc.Verdict {
	return Once(s, "message dmarc", func() *dmarc.Verdict {
		m := dmarc.Message{From: found.From}
		if s.IP.IsValid() {
			r := s.spf(ctx, found)
			m.SPF = []dmarc.Authenticated{{Domain: r.Domain, Result: string(r.Outcome)}}
		}
		for _, sig := range found.Signatures {
			m.DKIM = append(m.DKIM, dmarc.Authenticated{Domain: sig.Domain, Result: string(sig.Verdict)})
		}
		return dmarc.Evaluate(ctx, s.Resolver, m)
	})
}

func msgDMARC(ctx context.Context, s *Subject) []Result {
	found, err := s.verified(ctx)
	if err != nil {
		return one(Untested("%v", err))
	}
	v := s.authentic(ctx, found)
	r := Untested("%s", v.Why)
	switch v.Result {
	case dmarc.Pass:
		r = Passed("%s", v.Why)
	case dmarc.NoPolicy:
		r = Warned("%s, so nothing is demanded of the message", v.Why).Fixed("ehlo check %s --only dmarc-record", found.From)
	case dmarc.PermError:
		r = Failed("%s", v.Why)
	case dmarc.Fail:
		if !s.IP.IsValid() {
			return one(Skipped("DKIM does not make it pass, and SPF needs --ip").With(v.Trace...))
		}
		d := v.Discovery
		r = Failed("%s", v.Why).Meaning("%s of %s asks receivers for: %s", d.Tag+"="+string(d.Policy), d.At, d.Requested).
			Fixed("sign with d=%s, or send it from a host that SPF allows, with a sender in %s", found.From, found.From)
	}
	return one(r.With(v.Trace...).As(string(v.Result)))
}
