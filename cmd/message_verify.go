package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// verified is the document of message verify.
type verified struct {
	Schema string `json:"schema"` // "ehlo.message-verify/1"
	OK     bool   `json:"ok"`
	verdict
	*mime.Verification
	SPF           *spf.Result   `json:"spf,omitempty"`            // with --ip
	SenderAssumed bool          `json:"sender_assumed,omitempty"` // SPF was asked about the author
	DMARC         *dmarcVerdict `json:"dmarc,omitempty"`
	TookMS        float64       `json:"took_ms"`
	took          time.Duration
}

// Kind is that of a result.
func (verified) Kind() string { return transcript.ResultKind }

// Lines is an item for each signature, and the closing block.
func (v verified) Lines() []transcript.Line {
	var lines []transcript.Line
	for _, s := range v.Signatures {
		lines = append(lines, signatureLine(s, v.From))
		lines = append(lines, findingLines(s.Findings)...)
	}
	for _, a := range v.ARC {
		lines = append(lines, transcript.Line{Mark: transcript.Info, Cells: []string{
			"arc", fmt.Sprintf("%s (%s)", a.Domain, a.Selector), fmt.Sprintf("seal %s, cv=%s · not verified", a.Instance, a.Chain)}})
	}
	lines = append(lines, findingLines(v.Findings)...)
	if v.DMARC != nil {
		lines = append(lines, spfLine(v.SPF, v.SenderAssumed), v.DMARC.line())
		for _, step := range v.DMARC.Trace {
			lines = append(lines, transcript.Line{Mark: transcript.Note, Text: step})
		}
	}
	return append(lines, v.closing(v.took, nil)...)
}

func signatureLine(s mime.SignatureVerdict, from string) transcript.Line {
	mark := transcript.Fail
	switch {
	case s.Sound():
		mark = transcript.Pass
	case s.Verdict == mime.VerdictPass: // and it leaves too much open
		mark = transcript.Warn
	case s.Verdict == mime.VerdictTempError:
		mark = transcript.Untested
	}
	var facts []string
	if s.Algorithm != "" {
		facts = append(facts, s.Algorithm)
	}
	switch {
	case s.Verdict != mime.VerdictPass:
		facts = append(facts, s.Reason)
	case s.Alignment == mime.StrictAligned:
		facts = append(facts, "aligned with From")
	case s.Alignment == mime.RelaxedAligned:
		facts = append(facts, "aligned with From ("+from+"), relaxed")
	case from != "":
		facts = append(facts, "not aligned with From ("+from+")")
	}
	subject := "–"
	if s.Domain != "" {
		subject = s.Domain + " (" + s.Selector + ")"
	}
	return transcript.Line{Mark: mark, Cells: []string{string(s.Verdict), subject, strings.Join(facts, " · ")}}
}

func faulty(found []mime.Finding) bool {
	return slices.ContainsFunc(found, func(f mime.Finding) bool { return f.Level == mime.Fail })
}

// verifyMessage says what the signatures of a message are worth.
func verifyMessage(ctx context.Context, r *run, src mime.Source) (exit, error) {
	began := time.Now()
	ctx, cancel := r.limited(ctx)
	defer cancel()
	reading, err := r.load(ctx, src)
	if err != nil {
		return exit{}, err
	}
	defer reading.Close()
	w, err := r.open(ctx)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	found, err := reading.Verify(ctx, w.texts, r.clock()())
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return exit{}, errors.Join(err, w.close())
	}
	v := verified{Verification: found, Schema: "ehlo.message-verify/1", verdict: judgeSignatures(found)}
	if ip := parseAddr(r.String("ip")); ip.IsValid() {
		v.authenticate(ctx, w.Resolver, sender{ip: ip, helo: r.String("helo"), from: r.String("mail-from")}.of(found))
		if ctx.Err() != nil {
			return exit{}, errors.Join(context.Cause(ctx), w.close())
		}
	}
	v.took = time.Since(began)
	v.OK, v.TookMS = v.Status == StatusDone, transcript.Millis(v.took)
	w.stream.Emit(v)
	return exit{Status: v.Status}, w.close()
}

// judgeSignatures is passed where a signature vouches for the message, all of it.
func judgeSignatures(found *mime.Verification) verdict {
	var passed, open []string
	aligned, unknown := false, false
	for _, s := range found.Signatures {
		switch {
		case s.Sound():
			passed = append(passed, s.Domain)
			aligned = aligned || s.Alignment != mime.NotAligned
		case s.Verdict == mime.VerdictPass:
			open = append(open, s.Domain)
		}
		unknown = unknown || s.Verdict == mime.VerdictTempError
	}
	failed := func(format string, args ...any) verdict {
		return verdict{Status: StatusRefused, Outcome: "failed", Sentence: fmt.Sprintf(format, args...)}
	}
	switch {
	case len(passed) > 0 && faulty(found.Findings):
		return failed("signed by %s, but the From field does not say who wrote it", names(passed))
	case len(passed) > 0 && aligned:
		return verdict{Status: StatusDone, Outcome: "passed", Sentence: "signed by " + names(passed)}
	case len(passed) > 0:
		v := verdict{Status: StatusDone, Outcome: "passed", Sentence: "signed by " + names(passed) + ", which says nothing about the sender"}
		v.Means = fmt.Sprintf("DMARC counts only signatures that are aligned with From (%s)", found.From)
		return v
	case unknown:
		return verdict{Status: StatusNoAnswer, Outcome: endingOf(StatusNoAnswer).word, Sentence: "a key could not be looked up"}
	case len(open) > 0:
		v := failed("the signature of %s does not cover the whole message", names(open))
		v.Means = "what is signed is as it was; the rest anybody may have written"
		return v
	case len(found.Signatures) == 0:
		return failed("the message has no DKIM signature")
	case len(found.Signatures) == 1:
		return failed("the DKIM signature does not pass")
	}
	return failed("none of %d DKIM signatures passes", len(found.Signatures))
}

// names lists domains, each once.
func names(domains []string) string {
	slices.Sort(domains)
	return strings.Join(slices.Compact(domains), ", ")
}
