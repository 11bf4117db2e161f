package reach

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Head begins one of several targets or hops.
type Head struct {
	Name  string `json:"name"`
	What  string `json:"what"` // "target", "hop" or "connection"
	Index int    `json:"index"`
	Of    int    `json:"of"`              // 0: how many there will be is not known
	After string `json:"after,omitempty"` // why it is tried
}

// Kind is "head".
func (Head) Kind() string { return "head" }

// Lines is one line, set off by a blank one.
func (h Head) Lines() []transcript.Line {
	aside := fmt.Sprintf("%s %d", h.What, h.Index)
	if h.Of > 0 {
		aside += fmt.Sprintf(" of %d", h.Of)
	}
	if h.After != "" {
		aside += " · after " + h.After
	}
	return []transcript.Line{{Mark: transcript.Blank}, {Mark: transcript.Head, Label: h.Name, Aside: aside}}
}

// Connected is a connection that was made, or was not.
type Connected struct {
	Host       string
	Addr       string // that was dialled
	Instead    string // the host and port that --connect-to sent elsewhere
	Via        string // the proxy that it goes through
	Local      string
	Header     string // the PROXY header that it begins with, in a few words; "" without one
	HeaderFull string // all that the header says; the line itself of version 1
	Failed     string // why it was not made
	Took       time.Duration
}

// Kind is "connect".
func (Connected) Kind() string { return "connect" }

// Lines is one line, and one that says why it failed.
func (c Connected) Lines() []transcript.Line {
	text := []string{c.Addr}
	if c.Instead != "" {
		text = append(text, "instead of "+c.Instead)
	}
	if c.Via != "" {
		text = append(text, "through "+c.Via)
	}
	if c.Header != "" {
		text = append(text, c.Header)
	}
	lines := []transcript.Line{{Mark: transcript.Phase, Label: "connect", Text: strings.Join(text, " · "), Took: c.Took}}
	if c.Local != "" {
		lines = append(lines, transcript.Line{Mark: transcript.Note, Text: "from " + c.Local})
	}
	if c.HeaderFull != c.Header {
		lines = append(lines, transcript.Line{Mark: transcript.Note, Text: c.HeaderFull})
	}
	if c.Failed != "" {
		lines = append(lines, transcript.Line{Mark: transcript.Failure, Text: c.Addr + " " + c.Failed})
	}
	return lines
}

// MarshalJSON gives host, address, local, proxy_header, error and took_ms.
func (c Connected) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Host    string  `json:"host"`
		Address string  `json:"address"`
		Instead string  `json:"instead_of,omitempty"`
		Via     string  `json:"via,omitempty"`
		Local   string  `json:"local,omitempty"`
		Header  string  `json:"proxy_header,omitempty"`
		Error   string  `json:"error,omitempty"`
		TookMS  float64 `json:"took_ms"`
	}{c.Host, c.Addr, c.Instead, c.Via, c.Local, c.HeaderFull, c.Failed, transcript.Millis(c.Took)})
}
