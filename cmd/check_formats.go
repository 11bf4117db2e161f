package cmd

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// checkFormat is a format that only the verdicts of check have.
type checkFormat struct {
	name   string
	render func(io.Writer, checkResult) error
}

// checkFormats are the formats for programs that watch.
func checkFormats() []checkFormat {
	return []checkFormat{{"nagios", writeNagios}, {"junit", writeJUnit}, {"prometheus", writePrometheus}, {"csv", writeCSV}}
}

// formatWords are the words of --format.
func formatWords() []string {
	var names []string
	for _, f := range transcript.Formats {
		names = append(names, f.Name)
	}
	return names
}

// watchWords are the names of those that check alone has.
func watchWords() []string {
	var names []string
	for _, f := range checkFormats() {
		names = append(names, f.name)
	}
	return names
}

// verdictSink waits for the result of check, and renders that.
type verdictSink struct {
	w      io.Writer
	format checkFormat
	before func()
	result *checkResult
}

// Write keeps the result and lets the rest pass.
func (s *verdictSink) Write(r transcript.Record) {
	if result, ok := r.Event.(checkResult); ok {
		s.result = &result
	}
}

// Close renders.
func (s *verdictSink) Close() error {
	if s.result == nil {
		return nil
	}
	if s.before != nil {
		s.before()
	}
	return s.format.render(s.w, *s.result)
}

// The exit statuses of a plugin, by the Monitoring Plugins Development Guidelines.
const (
	pluginOK Status = iota
	pluginWarning
	pluginCritical
	pluginUnknown
)

// nagios is the exit status that a watching program expects.
func (r checkResult) nagios() (status Status, word string) {
	var sum checkTarget
	for _, t := range r.Targets {
		sum.add(t)
	}
	switch {
	case sum.Fail > 0, r.strict && sum.Warn > 0: // whatever else is not known
		return pluginCritical, "CRITICAL"
	case r.Status != StatusDone, sum.Error > 0:
		return pluginUnknown, "UNKNOWN"
	case sum.Warn > 0:
		return pluginWarning, "WARNING"
	}
	return pluginOK, "OK"
}

// unanswered is the status of a run that ended with err before it could render: where a
// watching program asked, it is told by a line as it expects one.
func (c *call) unanswered(env Env, err error) (status Status, plugin bool) {
	if c == nil || c.command == nil || c.command.name != "check" || c.asked(env, "format") != "nagios" {
		return 0, false
	}
	fmt.Fprintf(env.Out, "EHLO UNKNOWN - %s\n", line(err.Error()))
	return pluginUnknown, true
}

// line is text of a result as one line for machines: nothing that moves a cursor or
// begins a line, and no "|", which parts what a plugin says from its figures.
func line(text string) string {
	return strings.NewReplacer(" · ", ", ", "|", "/").Replace(transcript.Escape(text, false))
}

// writeNagios writes a line with figures, and one for each verdict that is not good.
func writeNagios(w io.Writer, r checkResult) error {
	_, word := r.nagios()
	var sum checkTarget
	var names []string
	for _, t := range r.Targets {
		names = append(names, t.Target)
		sum.add(t)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "EHLO %s - %s: %s | fail=%d;;0 warn=%d;0 error=%d skip=%d pass=%d info=%d time=%.3fs\n",
		word, line(strings.Join(names, " ")), line(r.Sentence), sum.Fail, sum.Warn, sum.Error, sum.Skip, sum.Pass, sum.Info, r.TookMS/1000)
	for _, v := range []check.Verdict{check.Fail, check.Warn, check.Error} {
		for _, c := range r.Checks {
			if c.Verdict == v {
				text := c.text()
				if len(r.Targets) > 1 {
					text = c.Target + ": " + text
				}
				fmt.Fprintf(&b, "%s %s %s\n", v, c.ID, line(text))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// add counts another target's checks in.
func (t *checkTarget) add(other checkTarget) {
	t.Pass += other.Pass
	t.Info += other.Info
	t.Warn += other.Warn
	t.Fail += other.Fail
	t.Skip += other.Skip
	t.Error += other.Error
}

// text is what was found, with whom it is about.
func (c checkVerdict) text() string { return strings.TrimSpace(c.Subject + " " + c.Summary) }

// writePrometheus writes metrics in the text format 0.0.4: for each check its worst
// verdict, and how many came to what.
func writePrometheus(w io.Writer, r checkResult) error {
	var b strings.Builder
	label := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	b.WriteString("# HELP ehlo_check The verdict of a check: 1 for the one that it came to.\n# TYPE ehlo_check gauge\n")
	for _, t := range r.Targets {
		for _, o := range t.outcomes {
			fmt.Fprintf(&b, "ehlo_check{target=\"%s\",id=\"%s\",verdict=\"%s\"} 1\n", label.Replace(line(t.Target)), o.Check.ID, o.Verdict)
		}
	}
	b.WriteString("# HELP ehlo_checks How many checks came to a verdict.\n# TYPE ehlo_checks gauge\n")
	for _, t := range r.Targets {
		for _, v := range []struct {
			word string
			n    int
		}{{"pass", t.Pass}, {"info", t.Info}, {"warn", t.Warn}, {"fail", t.Fail}, {"skip", t.Skip}, {"error", t.Error}} {
			fmt.Fprintf(&b, "ehlo_checks{target=\"%s\",verdict=\"%s\"} %d\n", label.Replace(line(t.Target)), v.word, v.n)
		}
	}
	b.WriteString("# HELP ehlo_check_duration_seconds How long the run took.\n# TYPE ehlo_check_duration_seconds gauge\n")
	fmt.Fprintf(&b, "ehlo_check_duration_seconds %s\n", strconv.FormatFloat(r.TookMS/1000, 'f', -1, 64))
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCSV writes a row for each result (RFC 4180). No cell begins as a formula does.
func writeCSV(w io.Writer, r checkResult) error {
	table := csv.NewWriter(w)
	table.UseCRLF = true
	rows := [][]string{{"target", "id", "group", "verdict", "subject", "summary", "means", "fix", "ref", "result"}}
	for _, c := range r.Checks {
		row := []string{c.Target, c.ID, string(c.Group), c.Verdict.String(), c.Subject, c.Summary, c.Means, c.Fix, c.Ref, c.Result.Result}
		for i, cell := range row {
			row[i] = transcript.Escape(cell, false)
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				row[i] = "'" + row[i]
			}
		}
		rows = append(rows, row)
	}
	return table.WriteAll(rows)
}
