package cmd

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// sender is what SPF asks about.
type sender struct {
	ip   netip.Addr
	helo string
	from string // MAIL FROM, "<>" for the null sender

	assumed bool // from is the author, as nobody said who sent it
}

// of fills in what was not given: MAIL FROM is what the last hop wrote down (RFC 5321
// section 4.4), or else the author.
func (s sender) of(found *mime.Verification) sender {
	switch {
	case s.from != "":
	case found.ReturnPath != nil:
		s.from = *found.ReturnPath
	default:
		s.from, s.assumed = found.Author, found.Author != ""
	}
	s.from = strings.Trim(s.from, "<>")
	return s
}

// dmarcVerdict is what DMARC says of a message, as a document.
type dmarcVerdict struct {
	Result      dmarc.Result       `json:"result"`
	Why         string             `json:"why"`
	Domain      string             `json:"domain"`               // of From
	Org         string             `json:"org,omitempty"`        // its organisational domain, where it was asked for
	At          string             `json:"record_at,omitempty"`  // the domain whose record applies
	Record      string             `json:"record,omitempty"`     // as it was published
	Policy      dmarc.Policy       `json:"policy,omitempty"`     // that applies
	Tag         string             `json:"policy_tag,omitempty"` // where it stands: p, sp or np
	Requested   dmarc.Policy       `json:"requested,omitempty"`  // what t=y makes of it
	Identifiers []dmarc.Identifier `json:"identifiers"`
	Trace       []string           `json:"trace"`
	unsound     bool               // it passes by a signature alone that leaves the message open
	bySPF       bool               // it passes by SPF alone
}

// authenticate evaluates SPF and DMARC as a receiver would.
func (v *verified) authenticate(ctx context.Context, r route.Resolver, s sender) {
	result := spf.Check(ctx, r, s.ip, s.helo, s.from)
	result.Trace = nil
	v.SPF, v.SenderAssumed = &result, s.assumed
	m := dmarc.Message{From: v.From, SPF: []dmarc.Authenticated{{Domain: result.Domain, Result: string(result.Outcome)}}}
	for _, sig := range v.Signatures {
		m.DKIM = append(m.DKIM, dmarc.Authenticated{Domain: sig.Domain, Result: string(sig.Verdict)})
	}
	found := dmarc.Evaluate(ctx, r, m)
	v.DMARC = newDMARCVerdict(found)
	v.realign(found)
	v.verdict = v.judgeDMARC(v.verdict)
}

func newDMARCVerdict(found *dmarc.Verdict) *dmarcVerdict {
	d := found.Discovery
	v := &dmarcVerdict{Result: found.Result, Why: found.Why, Domain: d.Domain, Org: found.Org, At: d.At, Policy: d.Policy,
		Tag: d.Tag, Requested: d.Requested, Identifiers: found.Identifiers, Trace: found.Trace}
	if d.Record != nil {
		v.Record = d.Record.Text
	}
	return v
}

// realign puts the alignment that the DNS tells in the place of that by the public
// suffix list, and sees whether what makes the pass covers the message.
func (v *verified) realign(found *dmarc.Verdict) {
	v.Aligned, v.DMARC.unsound = false, found.Result == dmarc.Pass
	for i, id := range found.Identifiers {
		vouches := id.Aligned && id.Result == string(dmarc.Pass)
		if id.Method == "spf" {
			v.DMARC.bySPF = vouches
			v.DMARC.unsound = v.DMARC.unsound && !vouches
			continue
		}
		s := &v.Signatures[i-1]
		switch {
		case !vouches && s.Verdict == mime.VerdictPass:
			s.Alignment = mime.NotAligned
		case vouches && s.Alignment == mime.NotAligned:
			s.Alignment = mime.RelaxedAligned
		}
		v.DMARC.bySPF = v.DMARC.bySPF && !vouches
		v.Aligned = v.Aligned || vouches && s.Sound()
		v.DMARC.unsound = v.DMARC.unsound && !(vouches && s.Sound())
	}
}

// judgeDMARC is what the message comes to: what DMARC says, or where it says nothing what
// SPF or a signature vouches for.
func (v *verified) judgeDMARC(signatures verdict) verdict {
	d := v.DMARC
	switch d.Result {
	case dmarc.Pass:
		if d.unsound {
			return verdict{Status: StatusRefused, Outcome: "failed", Sentence: "DMARC passes by a signature that does not cover the whole message",
				Means: "what is signed is as it was; the rest anybody may have written"}
		}
		passed := verdict{Status: StatusDone, Outcome: "passed", Sentence: "DMARC: " + d.Why}
		if d.bySPF && v.SenderAssumed {
			passed.Means = "so it is if the envelope's sender is in the domain of From too: name it with --mail-from"
		}
		return passed
	case dmarc.NoPolicy:
		if signatures.Status != StatusDone && v.SPF.Outcome == spf.Pass {
			return verdict{Status: StatusDone, Outcome: "passed", Sentence: "SPF for " + v.SPF.Domain + ", and no DMARC policy applies"}
		}
		signatures.Sentence += ", and no DMARC policy applies"
		signatures.Means = ""
		return signatures
	case dmarc.TempError:
		return verdict{Status: StatusNoAnswer, Outcome: endingOf(StatusNoAnswer).word, Sentence: "DMARC: " + d.Why}
	}
	failed := verdict{Status: StatusRefused, Outcome: "failed", Sentence: "DMARC: " + d.Why}
	if d.Result == dmarc.Fail {
		failed.Means = d.demands()
	}
	return failed
}

// demands is what the owner of the domain wants done with a message that fails.
func (d *dmarcVerdict) demands() string {
	if d.Requested == dmarc.None {
		return fmt.Sprintf("%s asks receivers to do nothing about it (%s=%s%s)", d.At, d.Tag, d.Policy, d.tested())
	}
	return fmt.Sprintf("%s asks receivers to %s it (%s=%s%s)", d.At, d.Requested, d.Tag, d.Policy, d.tested())
}

func (d *dmarcVerdict) tested() string {
	if d.Requested != d.Policy {
		return ", t=y"
	}
	return ""
}

func spfLine(r *spf.Result, assumed bool) transcript.Line {
	mark := transcript.Fail
	switch r.Outcome {
	case spf.Pass:
		mark = transcript.Pass
	case spf.SoftFail, spf.Neutral:
		mark = transcript.Warn
	case spf.None:
		mark = transcript.Info
	case spf.TempError:
		mark = transcript.Untested
	}
	facts := r.Identity + " " + r.Sender
	if assumed {
		facts += ", assumed from From"
	}
	facts += " · " + r.Reason
	if r.Domain == "" {
		facts = r.Reason
	}
	return transcript.Line{Mark: mark, Cells: []string{string(r.Outcome), cmp.Or(r.Domain, "–") + " (SPF)", facts}}
}

func (d *dmarcVerdict) line() transcript.Line {
	mark := transcript.Fail
	switch d.Result {
	case dmarc.Pass:
		mark = transcript.Pass
	case dmarc.NoPolicy:
		mark = transcript.Info
	case dmarc.TempError:
		mark = transcript.Untested
	}
	facts := d.Why
	if d.Record != "" {
		facts = d.Record
		if d.At != d.Domain {
			facts += " at " + d.At
		}
	}
	return transcript.Line{Mark: mark, Cells: []string{string(d.Result), cmp.Or(d.Domain, "–") + " (DMARC)", facts}}
}
