package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// count fills in how many checks came to what.
func (t *checkTarget) count() {
	for _, o := range t.outcomes {
		switch o.Verdict {
		case check.Pass:
			t.Pass++
		case check.Info:
			t.Info++
		case check.Warn:
			t.Warn++
		case check.Fail:
			t.Fail++
		case check.Skip:
			t.Skip++
		default:
			t.Error++
		}
	}
}

// tested is how many checks came to something.
func (t *checkTarget) tested() int { return len(t.outcomes) - t.Skip }

// verdict is what the checks of t come to together; strict holds warnings for failures.
func (c *checking) verdict(ctx context.Context, t checkTarget, strict bool) verdict {
	bad := t.Fail
	if strict {
		bad += t.Warn
	}
	v := verdict{Status: StatusDone, Outcome: "passed", Sentence: transcript.Count(t.tested(), "check")}
	switch {
	case errors.Is(context.Cause(ctx), ErrInterrupted):
		v = judge(context.Cause(ctx), t.Target)
	case bad > 0:
		v = verdict{Status: StatusRefused, Outcome: "failed", Sentence: fmt.Sprintf("%d of %s", bad, transcript.Count(t.tested(), "check"))}
	case t.Error == t.tested(): // if only because everything was skipped
		v = verdict{Status: StatusPartly, Outcome: endingOf(StatusPartly).word, Sentence: "nothing could be tested"}
		if why := t.skipped(); why != "" {
			v.Sentence += ": " + why
		}
	case t.Error > 0:
		v.Status, v.Outcome = StatusPartly, endingOf(StatusPartly).word
	}
	for _, part := range []struct {
		n    int
		text string
	}{{t.Warn, transcript.Count(t.Warn, "warning")}, {t.Error, fmt.Sprintf("%d not tested", t.Error)}, {t.Skip, fmt.Sprintf("%d skipped", t.Skip)}} {
		if part.n > 0 {
			v.Sentence += " · " + part.text
		}
	}
	if v.Status != StatusDone && v.Next == "" && !c.explicit && !c.Bool("verbose") {
		v.Next = "again with -v   # every check with its evidence"
	}
	return v
}

// skipped is why every check was skipped, "" if one was not.
func (t *checkTarget) skipped() string {
	if t.tested() > 0 || len(t.outcomes) == 0 {
		return ""
	}
	return t.outcomes[0].Results[0].Summary
}

// sumChecks is what several targets come to: it has failed if one of them failed, whatever
// else could not be tested.
func sumChecks(all []verdict) verdict {
	v := sumTargets(all)
	if len(all) == 1 || v.Status == StatusInterrupted {
		return v
	}
	counted := map[Status]int{}
	next := ""
	for _, one := range all {
		counted[one.Status]++
		if next == "" {
			next = one.Next
		}
	}
	bad := counted[StatusRefused]
	untested := len(all) - bad - counted[StatusDone]
	switch {
	case bad > 0:
		v.Sentence = fmt.Sprintf("%d of %d targets failed", bad, len(all))
	case untested > 0:
		v.Sentence = fmt.Sprintf("%d of %d targets", counted[StatusDone], len(all))
	}
	if bad > 0 && untested > 0 {
		v.Sentence += fmt.Sprintf(" · %d not tested in full", untested)
	}
	v.Next = next
	return v
}

// checkReport is a part of what is shown of one subject; its value is that of the
// result that it shows, or of the whole.
type checkReport struct {
	value any
	lines []transcript.Line
}

// Kind is that of a report.
func (checkReport) Kind() string { return transcript.ReportKind }

// Lines are a head, an item with its labels, or what is summed up.
func (r checkReport) Lines() []transcript.Line { return r.lines }

// MarshalJSON gives the value.
func (r checkReport) MarshalJSON() ([]byte, error) { return json.Marshal(r.value) }

// shown is the report on t: the head, what is not as it should be, the worst first,
// and what is, summed up.
func (c *checking) shown(t checkTarget) []transcript.Event {
	quiet, full := c.Bool("quiet"), c.Bool("verbose") || c.explicit
	var events []transcript.Event
	echoes, first := t.echoes(), ""
	if o := t.outcomes; len(o) > 0 && o[0].Check.Group == check.Always {
		first = o[0].Results[0].Summary
	}
	head := transcript.Line{Mark: transcript.Head, Label: t.Target,
		Aside: fmt.Sprintf("%s · %s · %s", transcript.Count(t.tested(), "check"), transcript.Count(t.Lookups, "lookup"), transcript.Count(t.Connections, "connection"))}
	for _, v := range []check.Verdict{check.Fail, check.Warn, check.Error, check.Info, check.Pass, check.Skip} {
		for _, o := range t.outcomes {
			for i, found := range o.Results {
				e := checkReport{value: checkVerdict{t.Target, found}}
				listed := v != check.Pass && v != check.Skip || full
				if quiet {
					listed = v == check.Fail || v == check.Warn || v == check.Error
				}
				if found.Verdict != v {
					continue
				}
				if v == check.Info && !full {
					who, told := alike(o.Results, i)
					found.Subject, listed = who, listed && !told
				}
				if listed && (full || !echoes[echo(found)] || quiet && found.Summary != first) {
					e.lines = itemLines(found, full)
				}
				events = append(events, e)
			}
		}
	}
	if quiet && !slices.ContainsFunc(events, func(e transcript.Event) bool { return len(e.Lines()) > 0 }) {
		return events
	}
	events = slices.Insert(events, 0, transcript.Event(checkReport{value: t, lines: []transcript.Line{{Mark: transcript.Blank}, head, {Mark: transcript.Blank}}}))
	if !quiet && !full {
		events = append(events, checkReport{value: t, lines: t.summedUp()})
	}
	return events
}

// alike names those of whom a check says the same as all[i] does, who are told of in one
// line, and whether the line of an earlier one has told of them.
func alike(all []check.Result, i int) (who string, told bool) {
	const most = 3 // names in a line
	var names []string
	for j, r := range all {
		if r.Verdict == all[i].Verdict && r.Summary == all[i].Summary {
			told = told || j < i
			names = append(names, r.Subject)
		}
	}
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), n-most+1), told
	}
	return strings.Join(names, ", "), told
}

// itemLines are one result, with its labels where it is not good.
func itemLines(r check.Result, full bool) []transcript.Line {
	text := r.Summary
	if r.Subject != "" {
		text = r.Subject + " " + text
	}
	lines := []transcript.Line{{Mark: markOf(r.Verdict), Cells: []string{r.Verdict.String(), r.ID, text}}}
	label := func(name, text string) {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: name, Text: text})
	}
	bad := r.Verdict == check.Fail || r.Verdict == check.Warn || r.Verdict == check.Error
	if (bad || full) && r.Means != "" {
		label("means", r.Means)
	}
	if full {
		for _, seen := range r.Evidence {
			label("seen", seen)
		}
	}
	if (bad || full) && r.Fix != "" {
		label("fix", r.Fix)
	}
	if r.Ref != "" && (r.Verdict == check.Fail || full && r.Verdict > check.Pass && echo(r) == "") {
		label("ref", r.Ref)
	}
	if len(lines) > 1 {
		lines = append(append([]transcript.Line{{Mark: transcript.Blank}}, lines...), transcript.Line{Mark: transcript.Blank})
	}
	return lines
}

func markOf(v check.Verdict) transcript.Mark {
	switch v {
	case check.Pass:
		return transcript.Pass
	case check.Info:
		return transcript.Info
	case check.Warn:
		return transcript.Warn
	case check.Fail:
		return transcript.Fail
	}
	return transcript.Untested
}

// summedUp are the checks that pass, by topic, and those that were skipped, by why.
func (t *checkTarget) summedUp() []transcript.Line {
	var lines []transcript.Line
	add := func(mark transcript.Mark, word string, list []string) {
		lines = append(lines, transcript.Line{Mark: mark, Cells: []string{fmt.Sprintf("%d %s", len(list), word), strings.Join(list, " ")}})
	}
	passed, skipped, untested := idsBy{}, idsBy{}, idsBy{}
	echoes := t.echoes()
	for _, o := range t.outcomes {
		for _, r := range o.Results {
			if echoes[echo(r)] {
				untested.add(echo(r), o.Check.ID)
			}
		}
		switch o.Verdict {
		case check.Pass:
			passed.add(o.Check.Topic, o.Check.ID)
		case check.Skip:
			skipped.add(o.Results[0].Summary, o.Check.ID)
		}
	}
	if passed.each(func(word string, list []string) { add(transcript.Pass, word, list) }); len(lines) > 0 {
		lines = append([]transcript.Line{{Mark: transcript.Blank}}, lines...)
	}
	if o := t.outcomes; len(o) > 0 && o[0].Check.ID == "domain" && (o[0].Verdict == check.Fail || o[0].Verdict == check.Error) {
		return lines // which says why all the rest is skipped
	}
	untested.each(func(why string, list []string) {
		add(transcript.Untested, "error", append(list, "("+why+")"))
		lines[len(lines)-1].Cells[0] = fmt.Sprintf("%d error", len(list))
	})
	skipped.each(func(why string, list []string) {
		add(transcript.Untested, "skip", append(list, "("+why+")"))
		lines[len(lines)-1].Cells[0] = fmt.Sprintf("%d skip", len(list))
	})
	return lines
}

// echo is what is the same in the results of checks that rest on one thing that could not
// be had: nothing but whom they are about, and why; "" of other results.
func echo(r check.Result) string {
	if r.Verdict != check.Error || r.Means != "" || r.Fix != "" {
		return ""
	}
	return strings.TrimSpace(r.Subject + " " + r.Summary)
}

// echoes are those that two checks have, or the check of the domain has.
func (t *checkTarget) echoes() map[string]bool {
	seen := map[string]int{}
	for _, o := range t.outcomes {
		for _, r := range o.Results {
			if seen[echo(r)]++; o.Check.Group == check.Always {
				seen[r.Summary]++
			}
		}
	}
	found := map[string]bool{}
	for text, n := range seen {
		found[text] = text != "" && n > 1
	}
	return found
}

// idsBy are ids by a word, in the order in which the words came.
type idsBy struct {
	words []string
	ids   map[string][]string
}

func (g *idsBy) add(word, id string) {
	if g.ids == nil {
		g.ids = map[string][]string{}
	}
	if g.ids[word] == nil {
		g.words = append(g.words, word)
	}
	g.ids[word] = append(g.ids[word], id)
}

func (g *idsBy) each(do func(word string, ids []string)) {
	for _, word := range g.words {
		do(word, g.ids[word])
	}
}
