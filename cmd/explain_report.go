package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/explain"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// explainResult is the document of explain.
type explainResult struct {
	Schema string `json:"schema"` // "ehlo.explain/1"
	OK     bool   `json:"ok"`
	verdict
	Replies int           `json:"replies"` // found in the text, with those that are not explained
	Answers []explanation `json:"answers"`
	TookMS  float64       `json:"took_ms"`
	quiet   bool          // what it means and what to do, and no more
}

// explanation is what one thing means.
type explanation struct {
	Kind       string   `json:"kind"`    // "reply", "status", "text", "keyword", "parameter", "mechanism"
	Subject    string   `json:"subject"` // what is explained: "550 5.1.1", "STARTTLS"
	Phase      string   `json:"phase,omitempty"`
	Code       int      `json:"code,omitempty"`
	Enhanced   string   `json:"enhanced,omitempty"`
	Text       []string `json:"lines,omitempty"`
	Recipient  string   `json:"recipient,omitempty"`
	Line       int      `json:"line,omitempty"`  // of a text of several
	Times      int      `json:"times,omitempty"` // how often it stands in that
	Title      string   `json:"title,omitempty"` // what the code's specification calls it
	Defined    string   `json:"defined_in,omitempty"`
	titled     string   // the one of its codes that is called so
	Status     string   `json:"status,omitempty"`  // of a keyword that is not current
	Command    string   `json:"command,omitempty"` // that a parameter belongs to: MAIL or RCPT
	Allows     []string `json:"allows,omitempty"`  // the parameters that a keyword brings
	Needs      string   `json:"needs,omitempty"`   // what a mechanism logs in with
	Means      string   `json:"means"`
	Likely     string   `json:"likely,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Fault      string   `json:"fault,omitempty"`
	Retry      bool     `json:"retry"`
	RetryAfter int      `json:"retry_after_seconds,omitempty"`
	Layer      string   `json:"layer,omitempty"`
	Next       string   `json:"next,omitempty"`
	Source     string   `json:"source,omitempty"`
}

// take fills in what an explanation says.
func (m *explanation) take(e explain.Explanation) {
	m.Means, m.Likely, m.Next, m.Reason = e.Means, e.Likely, e.Next, e.Reason
	m.Fault, m.Retry, m.Layer, m.Source = e.Fault, e.Retry, e.Layer, e.Source
}

// summary is what the closing line would say.
func (x explainResult) summary() string {
	if x.Replies > len(x.Answers) {
		return fmt.Sprintf("%d of %s explained", len(x.Answers), transcript.Count(x.Replies, "reply"))
	}
	return transcript.Count(len(x.Answers), "answer")
}

// Kind is that of a result.
func (explainResult) Kind() string { return transcript.ResultKind }

// Lines is a block for each answer.
func (x explainResult) Lines() []transcript.Line {
	var lines []transcript.Line
	for _, m := range x.Answers {
		lines = append(lines, transcript.Line{Mark: transcript.Head, Label: m.Subject, Aside: m.aside()})
		for _, label := range m.labels(x.quiet) {
			if label[1] != "" {
				lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: label[0], Text: label[1]})
			}
		}
	}
	return lines
}

// aside says where a reply stands and what it answers, or what a word is.
func (m explanation) aside() string {
	var parts []string
	if m.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", m.Line))
	}
	switch m.Kind {
	case ofKeyword:
		parts = append(parts, "an EHLO keyword")
	case ofMechanism:
		parts = append(parts, "an AUTH mechanism")
	case ofParameter:
		parts = append(parts, "a parameter of "+m.Command)
	case ofStatus:
		parts = append(parts, "an enhanced code")
	}
	switch m.Phase {
	case "":
	case "rcpt":
		parts = append(parts, strings.TrimSpace("at RCPT "+m.Recipient))
	default:
		parts = append(parts, when(m.Phase))
	}
	if m.Times > 1 {
		parts = append(parts, fmt.Sprintf("%d times", m.Times))
	}
	return strings.Join(parts, " · ")
}

// labels are the lines of an answer, those alone that say what to do if brief.
func (m explanation) labels(brief bool) [][2]string {
	if brief {
		return [][2]string{{"means", m.Means}, {"next", m.Next}}
	}
	said, title := "", ""
	if m.Line > 0 {
		said = strings.Join(m.Text, " ")
	}
	if m.Title != "" {
		title = m.Title + " · " + m.Defined
	}
	source := m.Source
	if source == m.Defined || m.Reason != "" {
		source = ""
	}
	return [][2]string{
		{"reply", said}, {"means", m.Means}, {m.titled, title}, {"status", m.Status}, {"allows", strings.Join(m.Allows, ", ")},
		{"needs", m.Needs}, {"likely", m.Likely}, {"fault", m.Fault}, {"retry", m.again()}, {"reason", m.because()}, {"next", m.Next}, {"source", source},
	}
}

// again says whether trying again helps.
func (m explanation) again() string {
	switch {
	case m.Reason == "" || !strings.HasPrefix(m.Means, "refused"):
		return ""
	case m.RetryAfter > 0:
		return "yes, after " + transcript.Duration(time.Duration(m.RetryAfter)*time.Second) + ": the reply asks for that"
	case m.Retry:
		return "yes, later"
	}
	switch m.Reason {
	case "rate-limited", "too-many-connections", "greylisted", "mailbox-full", "system-full", "system-error", "not-accepting":
		return "no for this message; another one later may pass"
	}
	return "no: the same would be refused again"
}

// because is the reason, and what it was found by.
func (m explanation) because() string {
	if m.Reason == "" || m.Kind == ofText && m.Layer == explain.ByClass {
		return m.Reason
	}
	by := map[string]string{
		explain.ByText: "by its wording", explain.ByEnhanced: "by the enhanced code",
		explain.ByPhase: "by the code, " + when(m.Phase), explain.ByCode: "by the code alone", explain.ByClass: "by the code's class alone",
	}[m.Layer]
	if m.Layer == explain.ByText && m.Source != "" {
		by += " (" + m.Source + ")"
	}
	return m.Reason + " · " + by
}

// when says when a reply came, to a person.
func when(phase string) string {
	p, err := dialog.ParsePhase(phase)
	if err != nil {
		return ""
	}
	return moment(p)
}
