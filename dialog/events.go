package dialog

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Sent is one write: the commands and bodies whose last byte it carries. It is
// emitted just before the bytes leave.
type Sent struct {
	Secure bool       `json:"secure"`
	Items  []SentItem `json:"items"`
}

// SentItem is one line of a Sent, or a body.
type SentItem struct {
	Text    string   `json:"text"`              // the command, "." or "(message, 812 bytes)"
	Decoded string   `json:"decoded,omitempty"` // what base64 of AUTH is in it, without its secrets
	Bytes   int64    `json:"bytes,omitempty"`   // of a body, as the message counts them
	Data    []string `json:"data,omitempty"`    // the body's lines, as far as they are to be shown
	body    bool
}

// Kind is "sent".
func (Sent) Kind() string { return "sent" }

// Lines shows each command, bracketed if there are several.
func (e Sent) Lines() []transcript.Line {
	var lines []transcript.Line
	for _, item := range e.Items {
		line := transcript.Line{Mark: transcript.Sent, Secure: e.Secure, Text: item.Text, Aside: quoted(item.Decoded)}
		if item.Text == "" {
			line.Aside = "an empty line"
		}
		if !item.body {
			line.Raw = item.Text + "\r\n"
		}
		lines = append(lines, line)
		for _, data := range item.Data {
			lines = append(lines, transcript.Line{Mark: transcript.Data, Secure: e.Secure, Text: data})
		}
	}
	if len(lines) > 1 {
		for i := range lines {
			lines[i].Group = transcript.Middle
		}
		lines[0].Group, lines[len(lines)-1].Group = transcript.First, transcript.Last
	}
	return lines
}

// Received is one reply.
type Received struct {
	Secure   bool
	Reply    *Reply
	Answers  string   // the command it answers; "" for the banner or when nothing was owed
	Group    bool     // it answers a command of a group, so people need to be told which
	Findings []string // what is odd about it
}

// Kind is "received".
func (Received) Kind() string { return "received" }

// MarshalJSON gives the reply's fields, what it answers and the findings.
func (e Received) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Secure  bool   `json:"secure"`
		Answers string `json:"answers"`
		replyFields
		Decoded  string   `json:"decoded,omitempty"`
		Findings []string `json:"findings,omitempty"`
	}{e.Secure, e.Answers, e.Reply.fields(), e.decoded(), e.Findings})
}

// decoded is what a 334 asks, where that is text.
func (e Received) decoded() string {
	if e.Reply.Code != 334 || e.Answers != "AUTH" {
		return ""
	}
	text, err := base64.StdEncoding.DecodeString(e.Reply.Text())
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return `"` + text + `"`
}

// Lines shows the reply line by line, as it came, and its findings.
func (e Received) Lines() []transcript.Line {
	var lines []transcript.Line
	for raw := range strings.Lines(string(e.Reply.Raw)) {
		code, text := splitLine(string(trimEnd([]byte(raw))))
		if enhanced, rest, ok := cutEnhanced(text); ok && enhanced == e.Reply.Enhanced {
			code, text = code+text[:len(text)-len(rest)], rest
		}
		mark := transcript.Continued
		if len(lines) == 0 {
			mark = transcript.Received
		}
		lines = append(lines, transcript.Line{Mark: mark, Secure: e.Secure, Label: code, Text: text, Raw: raw})
	}
	if last := len(lines) - 1; last >= 0 {
		lines[last].Took = e.Reply.Took
		if e.Group {
			lines[last].Aside = e.Answers
		}
		if text := e.decoded(); text != "" {
			lines[last].Aside = quoted(text)
		}
	}
	for _, finding := range e.Findings {
		lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: finding})
	}
	return lines
}

// Finding is something worth knowing about what stands above it.
type Finding struct {
	Fail bool   `json:"fail"` // it ended the conversation or a part of it
	Text string `json:"text"`
	Note bool   `json:"-"` // for those who want to know everything
}

// Kind is "finding", or "note" for a note.
func (e Finding) Kind() string {
	if e.Note {
		return "note"
	}
	return "finding"
}

// Lines is one line.
func (e Finding) Lines() []transcript.Line {
	mark := transcript.Finding
	switch {
	case e.Note:
		mark = transcript.Note
	case e.Fail:
		mark = transcript.Failure
	}
	return []transcript.Line{{Mark: mark, Text: e.Text}}
}

// Message is the message that is about to be sent.
type Message struct {
	Bytes      int64    `json:"bytes"`
	Recipients int      `json:"recipients"`
	About      string   `json:"about"` // what the content says of itself
	Findings   []string `json:"findings,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

// Kind is "message".
func (Message) Kind() string { return "message" }

// Lines is one line, and one for each finding and note.
func (m Message) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.Phase, Label: "message", Text: m.About + " · " + transcript.Count(m.Recipients, "recipient")}}
	for _, finding := range m.Findings {
		lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: finding})
	}
	for _, note := range m.Notes {
		lines = append(lines, transcript.Line{Mark: transcript.Note, Text: note})
	}
	return lines
}

// announce shows what is about to be sent, in the content's own words if it has
// some.
func (s *Session) announce(content Content, recipients int) {
	if !s.Stream.Live() {
		return
	}
	m := Message{Bytes: content.Size(), Recipients: recipients, About: fmt.Sprintf("%d bytes", content.Size())}
	if c, ok := content.(interface{ Summary() string }); ok {
		m.About = c.Summary()
	}
	if c, ok := content.(interface{ Findings() []string }); ok {
		m.Findings = c.Findings()
	}
	if c, ok := content.(interface{ Notes() []string }); ok {
		m.Notes = c.Notes()
	}
	s.Stream.Emit(m)
}

// Waiting says what a conversation waits for; see Options.Waiting.
type Waiting struct {
	For   string        // "the reply to RCPT TO:<...>"
	Limit time.Duration // how long it will wait; 0 where no one limit says
}
