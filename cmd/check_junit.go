package cmd

import (
	"io"
	"strings"
	"text/template"

	"github.com/ehlo-mail/ehlo/dialog/check"
)

// junit is the document that builds read (the schema of the Ant JUnit task). urfave/cli
// has text/template at hand; encoding/xml would cost every run a third of a MiB.
const junit = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
{{- range .}}
  <testsuite name="{{html .Name}}" tests="{{len .Cases}}" failures="{{.Failures}}" errors="{{.Errors}}" skipped="{{.Skipped}}">
  {{- range .Cases}}
    <testcase name="{{html .Name}}" classname="{{html .Class}}">
    {{- if .Outcome}}
      <{{.Outcome}} message="{{html .Summary}}">{{html .Text}}</{{.Outcome}}>
    {{- else}}
      <system-out>{{html .Summary}}</system-out>
    {{- end}}
    </testcase>
  {{- end}}
  </testsuite>
{{- end}}
</testsuites>
`

type junitSuite struct {
	Name                      string
	Failures, Errors, Skipped int
	Cases                     []junitCase
}

type junitCase struct {
	Name, Class   string
	Outcome       string // failure, error or skipped; "" of what passes
	Summary, Text string
}

// writeJUnit makes a test case of every result. A warning is a case that passes, with
// its text as output, unless --fail-on warn holds it for a failure.
func writeJUnit(w io.Writer, r checkResult) error {
	var suites []*junitSuite
	for _, t := range r.Targets {
		suite := &junitSuite{Name: line(t.Target)}
		for _, c := range r.Checks {
			if c.Target == t.Target {
				suite.take(c, r.strict)
			}
		}
		suites = append(suites, suite)
	}
	t, err := template.New("junit").Parse(junit)
	if err != nil {
		return err
	}
	return t.Execute(w, suites)
}

// take adds a result.
func (s *junitSuite) take(c checkVerdict, strict bool) {
	test := junitCase{Name: line(strings.TrimSpace(c.ID + " " + c.Subject)), Class: "ehlo." + string(c.Group), Summary: line(c.Summary)}
	var lines []string
	for _, text := range append([]string{c.Means, c.Fix, c.Ref}, c.Evidence...) {
		if text != "" {
			lines = append(lines, line(text))
		}
	}
	test.Text = strings.Join(lines, "\n")
	switch {
	case c.Verdict == check.Fail, c.Verdict == check.Warn && strict:
		s.Failures++
		test.Outcome = "failure"
	case c.Verdict == check.Error:
		s.Errors++
		test.Outcome = "error"
	case c.Verdict == check.Skip:
		s.Skipped++
		test.Outcome = "skipped"
	default:
		test.Summary = c.Verdict.String() + ": " + test.Summary
	}
	s.Cases = append(s.Cases, test)
}
