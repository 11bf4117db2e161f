package check

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// What one check may say, whatever the DNS and the servers gave it.
const (
	maxResults  = 100
	maxEvidence = 100
	maxText     = 2000 // octets of a line
)

// Outcome is what a check came to.
type Outcome struct {
	Check   Check
	Verdict Verdict  // the worst of Results
	Results []Result // never empty
}

// Run runs checks side by side and gives their outcomes in the same order. If ctx
// ends before them, what is not known by then is Error.
func Run(ctx context.Context, s *Subject, checks []Check) []Outcome {
	for _, c := range checks {
		if c.Lacks(s) == 0 {
			s.looks.Or(uint32(c.Looks))
		}
	}
	all := make([]Outcome, len(checks))
	var group sync.WaitGroup
	for i, c := range checks {
		group.Go(func() { all[i] = outcome(c, run(ctx, s, c)) })
	}
	group.Wait()
	return all
}

// run runs one check, if it can be.
func run(ctx context.Context, s *Subject, c Check) (results []Result) {
	defer func() {
		if p := recover(); p != nil { // here, as nobody can in a goroutine's caller
			results = one(Untested("a defect in ehlo: %v", p))
		}
	}()
	if lacking := c.Lacks(s); lacking != 0 {
		return one(Skipped("needs %s", lacking))
	}
	if c.needs(NeedDomain) && c.Group != Always {
		switch d := s.domain(ctx); d.Verdict {
		case Error:
			return one(Untested("%s", d.Summary))
		case Fail:
			return one(Skipped("%s", d.Summary))
		}
	}
	if ctx.Err() != nil {
		return one(Untested("%v", context.Cause(ctx)))
	}
	return c.refuse(c.Run(ctx, s))
}

// refuse takes out verdicts that c's row does not name: who reads the table, to act on what a
// check comes to, is to know them all. A test finds such a defect before a user does. Error is
// taken from any check: what stood in the way may be anything.
func (c Check) refuse(results []Result) []Result {
	results = slices.Clone(results)
	for i, r := range results {
		if r.Verdict != Error && !slices.Contains(c.Gives, r.Verdict) {
			results[i] = Untested("a defect in ehlo: the table does not say that %s can be %s: %s", c.ID, r.Verdict, r.Summary).On(r.Subject)
		}
	}
	return results
}

// outcome bounds what a check said, and fills in what is the same for all of it.
func outcome(c Check, results []Result) Outcome {
	if len(results) == 0 {
		results = one(Passed("nothing to judge"))
	}
	if n := len(results); n > maxResults {
		results = append(results[:maxResults:maxResults], Untested("%d more are left out", n-maxResults))
	}
	o := Outcome{Check: c, Results: slices.Clone(results)}
	for i := range o.Results {
		r := &o.Results[i]
		r.ID, r.Group = c.ID, c.Group
		if r.Ref == "" {
			r.Ref = c.Ref
		}
		if n := len(r.Evidence); n > maxEvidence {
			r.Evidence = append(r.Evidence[:maxEvidence:maxEvidence], fmt.Sprintf("%d more lines are left out", n-maxEvidence))
		}
		r.Evidence = slices.Clone(r.Evidence)
		for j := range r.Evidence {
			r.Evidence[j] = bounded(r.Evidence[j])
		}
		r.Summary = bounded(r.Summary)
		o.Verdict = max(o.Verdict, r.Verdict)
	}
	return o
}

// bounded is text, cut where it is too long for a line.
func bounded(text string) string {
	if len(text) <= maxText {
		return text
	}
	return text[:maxText] + " (cut)"
}

// Select gives the rows of the table that are of one of the groups, and of those the
// ones that only names, if it names any, but for those that skip names; both may have
// patterns: "mx-*". What only names is taken from any group; whether the domain exists is
// joined to what is about one, as nothing else says that it does not. The error names an
// id that no row has.
func Select(groups []Group, only, skip []string) ([]Check, error) {
	all := All()
	for _, pattern := range slices.Concat(only, skip) {
		if !slices.ContainsFunc(all, func(c Check) bool { return fits(c.ID, pattern) }) {
			return nil, &UnknownError{ID: pattern}
		}
	}
	var chosen []Check
	for _, c := range all {
		by := func(pattern string) bool { return fits(c.ID, pattern) }
		wanted := c.Group == Always || slices.Contains(groups, c.Group)
		if len(only) > 0 {
			wanted = slices.ContainsFunc(only, by)
		}
		if wanted && !slices.ContainsFunc(skip, by) {
			chosen = append(chosen, c)
		}
	}
	return joined(chosen, skip), nil
}

// joined adds the rows that are Always, but for those that skip names, to a choice
// without them that has a row about a domain.
func joined(chosen []Check, skip []string) []Check {
	if slices.ContainsFunc(chosen, func(c Check) bool { return c.Group == Always }) || !slices.ContainsFunc(chosen, func(c Check) bool { return c.needs(NeedDomain) }) {
		return chosen
	}
	var first []Check
	for _, c := range All() {
		if c.Group == Always && !slices.ContainsFunc(skip, func(pattern string) bool { return fits(c.ID, pattern) }) {
			c.Joined = true
			first = append(first, c)
		}
	}
	return append(first, chosen...)
}

// fits reports whether id fits a pattern.
func fits(id, pattern string) bool {
	ok, err := path.Match(pattern, id)
	return err == nil && ok
}

// UnknownError is an id that no check has.
type UnknownError struct{ ID string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no check %q", e.ID) }

// Nearest is the id of the table that is most like the unknown one, "" if none is.
func (e *UnknownError) Nearest() string {
	for _, c := range All() {
		if strings.Contains(c.ID, e.ID) || strings.Contains(e.ID, c.ID) {
			return c.ID
		}
	}
	return ""
}
