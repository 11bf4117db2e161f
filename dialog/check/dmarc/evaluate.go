package dmarc

import (
	"context"
	"fmt"
	"strings"
)

// Result is what DMARC makes of a message, in the words of RFC 8601 section 2.7.
type Result string

// The results.
const (
	Pass      Result = "pass"
	Fail      Result = "fail"
	NoPolicy  Result = "none"      // no record applies
	TempError Result = "temperror" // the DNS did not answer now
	PermError Result = "permerror" // the From field, or the record, cannot be used
)

// Message is what is known of a message.
type Message struct {
	From string // the domain of From, in A-labels; "" if there is not exactly one
	SPF  []Authenticated
	DKIM []Authenticated
}

// Authenticated is the result of SPF on MAIL FROM, or of one DKIM signature.
type Authenticated struct {
	Domain string // of MAIL FROM, or d=
	Result string // "pass", "fail", "temperror", ...: only pass vouches
}

// Identifier is an Authenticated with its alignment.
type Identifier struct {
	Method  string `json:"method"` // "spf", "dkim"
	Domain  string `json:"domain"`
	Result  string `json:"result"`
	Aligned bool   `json:"aligned"`
	Mode    Mode   `json:"mode"`          // of the alignment that is wanted
	Org     string `json:"org,omitempty"` // its organisational domain, where that was asked for
	Why     string `json:"why"`
}

// Verdict is what DMARC says of a message.
type Verdict struct {
	Result      Result
	Why         string // in words
	Discovery   *Discovery
	Org         string // the organisational domain of From, where it was asked for
	Identifiers []Identifier
	Trace       []string // step by step, as a proof; it may quote foreign bytes
}

// Evaluate applies the policy of the author's domain (RFC 9989 section 5.3). Only a pass
// of SPF or DKIM that is aligned makes a pass; an error that may hide one is an error.
func Evaluate(ctx context.Context, l Lookup, m Message) *Verdict {
	v := &Verdict{Identifiers: []Identifier{}}
	v.Discovery = Discover(ctx, l, m.From)
	d := v.Discovery
	v.traceDiscovery()
	switch {
	case d.Domain == "":
		return v.end(PermError, "the From field does not name one domain, so that there is nothing to align with")
	case d.Literal():
		return v.end(NoPolicy, "no record applies to "+d.Domain+", which is an address and not a domain")
	case d.Err != nil:
		return v.end(broken(d.Err), "the policy of "+d.Domain+" could not be found out: "+d.Err.Error())
	}
	mode := Record{ASPF: Relaxed, ADKIM: Relaxed} // where nothing is demanded, it is still said what is aligned
	if d.Applies() {
		mode = *d.Record
	}
	a := aligner{lookup: l, author: d.Walk, walks: map[string]*Walk{}}
	for _, x := range m.SPF {
		v.identify(ctx, &a, "spf", mode.ASPF, x)
	}
	for _, x := range m.DKIM {
		v.identify(ctx, &a, "dkim", mode.ADKIM, x)
	}
	v.Org = a.author.Org
	switch {
	case d.Record == nil:
		return v.end(NoPolicy, "no record applies to "+d.Domain)
	case !d.Applies():
		return v.end(PermError, "the record at _dmarc."+d.At+" has no valid policy and no address for reports, so that it counts as none")
	}
	return v.conclude(&a)
}

// identify finds out whether a result is aligned, and keeps it.
func (v *Verdict) identify(ctx context.Context, a *aligner, method string, mode Mode, x Authenticated) {
	id := Identifier{Method: method, Domain: tidy(x.Domain), Result: x.Result, Mode: mode}
	if matters(id.Result) && id.Domain != "" {
		a.align(ctx, &id)
	} else {
		id.Why = "only a pass counts"
	}
	v.Identifiers = append(v.Identifiers, id)
	v.trace("%s %s for %s: %s", method, id.Result, orNone(id.Domain), id.Why)
}

// matters reports whether the alignment of a result changes anything: a pass vouches, and
// an error may have been one.
func matters(result string) bool { return result == string(Pass) || result == string(TempError) }

func (v *Verdict) conclude(a *aligner) *Verdict {
	hidden := ""
	for _, id := range v.Identifiers {
		switch {
		case id.Aligned && id.Result == string(Pass):
			return v.end(Pass, strings.ToUpper(id.Method)+" passes for "+id.Domain+", which is aligned with "+v.Discovery.Domain)
		case id.Aligned:
			hidden = strings.ToUpper(id.Method) + " could not be tried for " + id.Domain + ", which is aligned with " + v.Discovery.Domain
		}
	}
	switch {
	case a.err != nil:
		return v.end(broken(a.err), "an organisational domain could not be found out: "+a.err.Error())
	case hidden != "":
		return v.end(TempError, hidden)
	}
	if len(v.Identifiers) == 0 || v.Identifiers[0].Method != "spf" {
		return v.end(Fail, "DKIM does not pass for a domain that is aligned with "+v.Discovery.Domain+", and SPF was not tried")
	}
	return v.end(Fail, "neither SPF nor DKIM passes for a domain that is aligned with "+v.Discovery.Domain)
}

func (v *Verdict) end(r Result, why string) *Verdict {
	v.Result, v.Why = r, why
	v.trace("%s: %s", r, why)
	if d := v.Discovery; r == Fail {
		v.trace("%s=%s of %s applies%s", d.Tag, d.Policy, d.At, d.testing())
	}
	return v
}

// testing says what t=y makes of the policy.
func (d *Discovery) testing() string {
	if d.Requested == d.Policy {
		return ""
	}
	return ", and t=y asks for " + string(d.Requested)
}

func (v *Verdict) trace(format string, args ...any) {
	v.Trace = append(v.Trace, fmt.Sprintf(format, args...))
}

func (v *Verdict) traceDiscovery() {
	d := v.Discovery
	for _, s := range d.Walk.Steps {
		v.trace("_dmarc.%s: %s", s.Domain, s.what())
	}
	if d.Absent {
		v.trace("%s does not exist", d.Domain)
	}
}

// what says what was found.
func (s Step) what() string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case s.Record != nil:
		return s.Record.Text
	case s.Count > 1:
		return fmt.Sprintf("%d records, which are all ignored", s.Count)
	case len(s.Near) > 0:
		return "no record: " + s.Near[0]
	}
	return "no record"
}

func orNone(domain string) string {
	if domain == "" {
		return "no domain"
	}
	return domain
}
