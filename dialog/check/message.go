package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/mime"
)

func messageChecks() []Check {
	message := []Need{NeedMessage}
	return []Check{
		{ID: "msg-dkim", Group: Message, Topic: "message", About: "the message has a DKIM signature that passes, that every receiver counts, and that covers body, From, Subject and Date",
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
	return time.Now()
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
		r := judgeSignature(sig, s.now())
		switch {
		case r.Verdict == Fail && good:
			r.Verdict = Warn
		case sig.Sound() && sig.Algorithm == ed25519 && !slices.ContainsFunc(found.Signatures, besides(sig)):
			r = onlyEd25519(r)
		}
		all = append(all, r.On(fmt.Sprintf("%s (%s)", sig.Domain, sig.Selector)).As(string(sig.Verdict)))
	}
	return all
}
