package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// What DANE comes to at a server, beside the states of policy.
const (
	daneNoTLS    = "no-tls"    // records promise TLS, and there is none (RFC 7672 section 2.2)
	daneNoAnswer = "no-answer" // whether there are records could not be found out, and nobody calls them bogus
)

// daneAt is what the TLSA records of a host come to at a server of it, in one word, and
// the verdict of the senders that honour them where these do not deliver there. The visit
// asked for TLS as by says; d is nil where there is nothing to look up.
func daneAt(ctx context.Context, d *policy.DANE, v reach.Visit, by dialog.Policy, now time.Time) (string, *verdict) {
	switch {
	case d == nil:
		return "", nil
	case d.State == policy.Bogus:
		if ctx.Err() != nil {
			stopped := judge(context.Cause(ctx), d.Host)
			return daneNoAnswer, &stopped
		}
		var e *route.Error
		if errors.As(d.Err, &e) && e.Bogus {
			return d.State.String(), withheld(d)
		}
		return daneNoAnswer, withheld(d)
	case d.State != policy.Usable && d.State != policy.Unusable:
		return d.State.String(), nil
	case v.Report.TLS == nil && by != dialog.PolicyNever && inClear(v):
		return daneNoTLS, unkept(d, fmt.Sprintf("the TLSA records of %s promise TLS, and it has none", d.Host))
	case v.Report.TLS == nil:
		return d.State.String(), nil
	}
	state := d.Verify(v.Report.TLS.Chain, now).State
	if state == policy.Mismatch {
		return state.String(), unkept(d, "no certificate of "+d.Host+" matches its TLSA records")
	}
	return state.String(), nil
}

// inClear reports whether a server conversed, and TLS is all that may have failed.
func inClear(v reach.Visit) bool {
	var failed *dialog.TLSError
	return len(v.Report.Offers) > 0 && (v.Err == nil || errors.As(v.Err, &failed))
}

// withheld is the verdict where the records cannot be had.
func withheld(d *policy.DANE) *verdict {
	return &verdict{
		Status: StatusNoAnswer, Phase: "tls", Outcome: endingOf(StatusNoAnswer).word,
		Sentence: fmt.Sprintf("the TLSA records of %s cannot be had: %s", d.Host, d.Why),
		Means:    fmt.Sprintf("senders that honour DANE put off what they have for %s, as an attack looks the same (RFC 7672 section 2.1.3)", d.Host),
		Likely:   "DNSSEC is broken there, or a name server fails at questions for TLSA",
	}
}

// unkept is the verdict where a server does not do what the records promise.
func unkept(d *policy.DANE, sentence string) *verdict {
	return &verdict{
		Status: StatusTLS, Phase: "tls", Outcome: endingOf(StatusTLS).word, Sentence: sentence,
		Means: fmt.Sprintf("senders that honour DANE do not deliver to %s (RFC 7672 section 2.2)", d.Host),
		Next:  fmt.Sprintf("ehlo tls %s:%d", d.Host, d.Port),
	}
}

// judged is the verdict on a visit: how it ended, else what DANE makes of it.
func (s stages) judged(v reach.Visit, host string) verdict {
	switch {
	case v.Err != nil:
		return judge(v.Err, host)
	case s.broken != nil:
		return *s.broken
	}
	return verdict{Status: StatusDone, Outcome: endingOf(StatusDone).word}
}

// sum is the verdict on the servers of one target. It says how many of them fail for
// DANE alone, and what that means.
func (m matrix) sum(all []verdict) verdict {
	v := sumServers(all)
	if len(all) < 2 {
		return v
	}
	n := 0
	for _, s := range m.Rows {
		if s.broken == nil || s.broken.Means == "" || s.Error != "" { // a run that ended is not the servers' doing
			continue
		}
		if n++; n == 1 {
			v.Means = s.broken.Means
		}
	}
	if n > 0 {
		v.Sentence += fmt.Sprintf(", %d of them for senders that honour DANE", n)
	}
	return v
}

// lacks says what the servers that converse are without, "" for nothing. A sender that
// demands no proof delivers to them, and one that honours DANE has another where it matches.
func (m matrix) lacks() string {
	bare, unproven := 0, 0
	for _, s := range m.Rows {
		switch {
		case s.Error != "":
		case s.TLS == "":
			bare++
		case s.Certificate != "verified" && s.DANE != policy.Match.String():
			unproven++
		}
	}
	text := ""
	if bare > 0 {
		text += fmt.Sprintf(", %d without TLS", bare)
	}
	if unproven > 0 {
		text += fmt.Sprintf(", %d with an unverified certificate", unproven)
	}
	return text
}
