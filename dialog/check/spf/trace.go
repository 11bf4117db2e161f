package spf

import (
	"fmt"
	"net/netip"
	"strings"
)

// Result is what a check came to.
type Result struct {
	Outcome  Outcome    `json:"result"`
	IP       netip.Addr `json:"ip"`
	Identity string     `json:"identity"` // "mailfrom", or "helo" where MAIL FROM is null (section 2.4)
	Sender   string     `json:"sender"`   // what %{s} stands for
	Domain   string     `json:"domain"`   // whose policy was asked for, as the DNS has it
	Reason   string     `json:"reason"`   // why, in one sentence
	// Directive is the one that decided, as it is written, in the record of At: not
	// that of Domain behind a redirect. Both are empty if none did.
	Directive   string `json:"directive,omitempty"`
	At          string `json:"at,omitempty"`
	Explanation string `json:"explanation,omitempty"` // of a fail, in the domain's own words (section 6.2)
	Lookups     int    `json:"lookups"`               // terms that asked the DNS, at most 10
	Voids       int    `json:"void_lookups"`          // questions of theirs without an answer, at most 2
	Trace       *Trace `json:"trace,omitempty"`
}

// Trace is one evaluation of check_host() (section 4), step by step.
type Trace struct {
	Domain  string     `json:"domain"`
	Asked   []Question `json:"asked,omitempty"`
	Record  string     `json:"record,omitempty"` // as it came
	Steps   []Step     `json:"steps,omitempty"`
	Outcome Outcome    `json:"result"`
	Reason  string     `json:"reason"`
}

// Step is one term as it was evaluated.
type Step struct {
	Term    string     `json:"term"` // as it is written
	Asked   []Question `json:"asked,omitempty"`
	Within  *Trace     `json:"within,omitempty"` // of include and redirect
	Matched bool       `json:"matched"`
	Why     string     `json:"why"`

	network bool // an ip4 or ip6
}

// Question is one question to the DNS with what came.
type Question struct {
	Type   string   `json:"type"`
	Name   string   `json:"name"`
	Answer []string `json:"answer,omitempty"`
	Void   bool     `json:"void,omitempty"`  // no such name, or no such record
	Error  string   `json:"error,omitempty"` // why there is no answer
}

// String is the question with its answer, as one line.
func (q Question) String() string {
	came := strings.Join(q.Answer, ", ")
	if q.Error != "" {
		came = q.Error
	}
	return fmt.Sprintf("%s of %s: %s", q.Type, q.Name, came)
}

// Lines is the proof, to be read from top to bottom: what an include or a redirect
// led to is indented below it.
func (r *Result) Lines() []string {
	lines := []string{fmt.Sprintf("check_host(%s, %s, %s)", r.IP, r.Domain, r.Sender)}
	if r.Trace != nil {
		lines = r.Trace.lines(lines, "")
	}
	return append(lines, fmt.Sprintf("%d of %d look-ups, %d of %d void", r.Lookups, MaxLookups, r.Voids, MaxVoids))
}

func (t *Trace) lines(to []string, indent string) []string {
	for _, q := range t.Asked {
		to = append(to, indent+q.String())
	}
	for i := 0; i < len(t.Steps); i++ {
		s := t.Steps[i]
		if n := t.passedOver(i); n > 1 {
			last := t.Steps[i+n-1]
			to = append(to, fmt.Sprintf("%s  %s to %s: the host is in none of %d networks", indent, s.Term, last.Term, n))
			i += n - 1
			continue
		}
		to = append(to, fmt.Sprintf("%s  %s: %s", indent, s.Term, s.Why))
		for _, q := range s.Asked {
			to = append(to, indent+"    "+q.String())
		}
		if s.Within != nil {
			to = s.Within.lines(to, indent+"    ")
		}
	}
	return append(to, fmt.Sprintf("%s%s: %s", indent, t.Outcome, t.Reason))
}

// passedOver counts the networks from step i on that do not match.
func (t *Trace) passedOver(i int) int {
	n := 0
	for i+n < len(t.Steps) && t.Steps[i+n].network && !t.Steps[i+n].Matched {
		n++
	}
	return n
}
