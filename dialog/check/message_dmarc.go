package check

import (
	"context"
	"fmt"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/mime"
)

// envelope is whom SPF is asked about: the sender that was given, or that the last hop wrote
// down (RFC 5321 section 4.4), "" for the null one; or else the author, which is assumed.
func (s *Subject) envelope(found *mime.Verification) (sender string, assumed bool) {
	switch {
	case s.MailFrom != "":
		return s.Sender(), false
	case found.ReturnPath != nil:
		return *found.ReturnPath, false
	}
	return found.Author, true
}

// lacksForSPF is the flag that SPF cannot be asked without; "" if all is there.
func (s *Subject) lacksForSPF(found *mime.Verification) string {
	switch sender, assumed := s.envelope(found); {
	case !s.IP.IsValid():
		return "--ip"
	case sender == "" && assumed: // nor does From name anybody
		return "--mail-from"
	case sender == "" && s.HELO == "": // whose policy stands in for that of the null sender (RFC 7208 section 2.4)
		return "--helo"
	}
	return ""
}

// spf is what SPF says of the message, which is sent from --ip. It is asked only where
// nothing lacks.
func (s *Subject) spf(ctx context.Context, found *mime.Verification) spf.Result {
	return Once(s, "message spf", func() spf.Result {
		from, _ := s.envelope(found)
		return spf.Check(ctx, s.Resolver, s.IP, s.HELO, from)
	})
}

// authentic is what DMARC makes of the message: by DKIM alone where SPF cannot be asked.
func (s *Subject) authentic(ctx context.Context, found *mime.Verification) *dmarc.Verdict {
	return Once(s, "message dmarc", func() *dmarc.Verdict {
		m := dmarc.Message{From: found.From}
		if s.lacksForSPF(found) == "" {
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
	lacks := s.lacksForSPF(found)
	var seen []string
	if sender, assumed := s.envelope(found); assumed && lacks == "" {
		seen = append(seen, "SPF is judged by "+sender+", the address in From: --mail-from does not name the envelope's sender")
	}
	seen = append(seen, v.Trace...)
	r := Untested("%s", v.Why).Fixed("try again later")
	switch v.Result {
	case dmarc.Pass:
		r = Passed("%s", v.Why)
		if b := s.backing(v, found); b.doubt != "" {
			r = r.Meaning("receivers may see a fail: %s", b.doubt)
		} else if b.assumed {
			r = r.Meaning("so it is if the envelope's sender is in the domain of From too: name it with --mail-from")
		}
	case dmarc.NoPolicy:
		r = Warned("%s, so nothing is demanded of the message", v.Why).Fixed("ehlo check %s --only dmarc-record", found.From)
		if !route.ValidDomain(found.From) {
			r = r.Fixed("write an address at a domain in From")
		}
	case dmarc.PermError:
		r = Failed("%s", v.Why).Fixed("write one author in From, at one domain")
		if route.ValidDomain(found.From) {
			r = r.Fixed("ehlo check %s --only dmarc-record", found.From)
		}
	case dmarc.Fail:
		if lacks != "" {
			return one(Skipped("DKIM does not make it pass, and SPF needs %s", lacks).With(seen...))
		}
		d := v.Discovery
		r = Failed("%s", v.Why).Meaning("%s of %s asks receivers for: %s", d.Tag+"="+string(d.Policy), d.At, d.Requested).
			Fixed("%s, or send it from a host that SPF allows, with a sender in %s", signingFix(d, found), found.From)
	}
	return one(r.With(seen...).As(string(v.Result)))
}

// signingFix is how a signature could make the message pass.
func signingFix(d *dmarc.Discovery, found *mime.Verification) string {
	for _, sig := range found.Signatures {
		aligned := sig.Alignment == mime.StrictAligned || sig.Alignment == mime.RelaxedAligned && d.Record.ADKIM != dmarc.Strict
		if aligned && sig.Verdict != mime.VerdictPass {
			return fmt.Sprintf("mend the signature with d=%s and s=%s, as msg-dkim says", sig.Domain, sig.Selector)
		}
	}
	return fmt.Sprintf("sign with d=%s", found.From)
}

// backing is what of a message is aligned with From and passes.
type backing struct {
	aligned bool
	doubt   string // why receivers may not count it; "" if nothing speaks against it
	assumed bool   // it is SPF, and its sender is assumed
}

// backing gives the best of what DMARC found.
func (s *Subject) backing(v *dmarc.Verdict, found *mime.Verification) backing {
	_, assumed := s.envelope(found)
	var best backing
	signature := 0 // the identifiers of signatures stand in their order
	for _, id := range v.Identifiers {
		b := backing{aligned: id.Aligned && id.Result == string(dmarc.Pass)}
		if id.Method == "dkim" {
			b.doubt = doubt(found.Signatures[signature])
			signature++
		} else {
			b.assumed = assumed
		}
		if b.aligned && (!best.aligned || b.rank() < best.rank()) {
			best = b
		}
	}
	return best
}

// rank orders what is aligned: first what every receiver counts.
func (b backing) rank() int {
	switch {
	case b.doubt != "":
		return 2
	case b.assumed:
		return 1
	}
	return 0
}
