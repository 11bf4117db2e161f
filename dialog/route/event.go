package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Resolved is a route as the transcript shows it: what the run will use, and
// below it what is odd. Err is the error that To or ToHost gave with the route.
type Resolved struct {
	Route
	Err error
}

// Kind is "resolve".
func (r Resolved) Kind() string { return "resolve" }

// Lines is the phase line, a line for each finding, and notes with the details.
func (r Resolved) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.Phase, Label: "resolve", Text: r.name() + " → " + r.outcome(), Took: r.Took}}
	for _, f := range r.Findings {
		lines = append(lines, f.Line(""))
	}
	for _, h := range r.Hosts {
		for _, f := range h.Findings {
			lines = append(lines, f.Line(r.whose(h, f)))
		}
	}
	if len(r.Aliases) > 0 {
		lines = append(lines, note("an alias: "+strings.Join(r.Aliases, ", ")+" before the last name"))
	}
	for _, h := range r.Hosts {
		if len(h.Addrs) > 0 && h.TTL > 0 {
			lines = append(lines, note(h.text(r.byMX())+" · ttl "+TTL(h.TTL)+secure(h.Authentic, h.Doubted)))
		}
	}
	if r.Server != "" {
		lines = append(lines, note("answered by "+r.Server+secure(r.Authentic, r.Doubted)))
	}
	return lines
}

// Line is the finding for people, below whatever names its subject; else subject
// says whose it is.
func (f Finding) Line(subject string) transcript.Line {
	l := transcript.Line{Mark: transcript.Finding, Text: f.Text}
	if f.Fail {
		l.Mark = transcript.Failure
	}
	if subject != "" {
		l.Text = subject + ": " + f.Text
	}
	return l
}

// name is the domain, in both forms where they differ.
func (r Resolved) name() string {
	if r.ASCII == "" || r.ASCII == r.Domain {
		return r.Domain
	}
	return r.Domain + " (" + r.ASCII + ")"
}

// outcome is where the route leads, or why nowhere.
func (r Resolved) outcome() string {
	var none *NoRoute
	switch {
	case errors.As(r.Err, &none):
		return none.Reason()
	case r.Err != nil:
		return r.Err.Error()
	}
	texts := make([]string, len(r.Hosts))
	for i, h := range r.Hosts {
		texts[i] = h.text(r.byMX())
	}
	text := strings.Join(texts, " · ")
	switch {
	case r.Implicit:
		text += " · no MX record, so the domain itself"
	case r.Loopback:
		text += " · this host, no DNS asked"
	case r.HostsFile != "":
		text += " · from " + r.HostsFile
	case r.Literal:
		text += " · no DNS asked"
	}
	return text
}

// byMX reports whether the hosts have preferences.
func (r Resolved) byMX() bool {
	return !r.Implicit && !r.Direct && !r.Literal && !r.Loopback
}

// whose names the subject of a finding where the phase line leaves it open.
func (r Resolved) whose(h Host, f Finding) string {
	var parts []string
	if len(r.Hosts) > 1 || r.Err != nil {
		parts = append(parts, h.Name)
	}
	if f.Address.IsValid() && (len(h.Addrs) != 1 || f.Fail) {
		parts = append(parts, f.Address.String())
	}
	return strings.Join(parts, " ")
}

// text is a host with its addresses: 10 mx1.example.net  192.0.2.10.
func (h Host) text(pref bool) string {
	var parts []string
	if h.Name != "" {
		parts = append(parts, h.Name)
	}
	for _, addr := range h.Addrs {
		parts = append(parts, addr.String())
	}
	if len(h.Addrs) == 0 {
		parts = append(parts, "no address")
	}
	text := strings.Join(parts, "  ")
	if pref {
		return fmt.Sprintf("%d %s", h.Pref, text)
	}
	return text
}

func note(text string) transcript.Line { return transcript.Line{Mark: transcript.Note, Text: text} }

func secure(authentic bool, doubted string) string {
	switch {
	case authentic:
		return " · DNSSEC secure"
	case doubted != "":
		return " · AD bit not believed"
	}
	return ""
}

// MarshalJSON gives every fact, in snake_case.
func (r Resolved) MarshalJSON() ([]byte, error) {
	type host struct {
		Pref      *uint16      `json:"preference,omitempty"` // a host without an MX record has none
		Host      string       `json:"host,omitempty"`
		Canonical string       `json:"canonical,omitempty"` // of an alias
		Addresses []netip.Addr `json:"addresses"`
		TTL       int64        `json:"ttl_seconds"`
		Authentic bool         `json:"authentic"`
		Doubted   string       `json:"doubted,omitempty"`
		Aliases   []string     `json:"aliases,omitempty"`
		Findings  []Finding    `json:"findings"`
		Err       string       `json:"error,omitempty"`
	}
	doc := struct {
		Domain    string    `json:"domain"`
		ASCII     string    `json:"ascii,omitempty"`
		Port      uint16    `json:"port"`
		Hosts     []host    `json:"hosts"`
		Implicit  bool      `json:"implicit"`
		Null      bool      `json:"null"`
		Literal   bool      `json:"literal"`
		Direct    bool      `json:"direct"`
		Loopback  bool      `json:"loopback"`
		HostsFile string    `json:"hosts_file,omitempty"`
		Authentic bool      `json:"authentic"`
		Doubted   string    `json:"doubted,omitempty"`
		TTL       int64     `json:"ttl_seconds"`
		Aliases   []string  `json:"aliases,omitempty"`
		Server    string    `json:"server,omitempty"`
		Findings  []Finding `json:"findings"`
		Took      float64   `json:"took_ms"`
		Err       string    `json:"error,omitempty"`
		Definite  *bool     `json:"definite,omitempty"` // of an error: asking again is of no use
	}{
		Domain: r.Domain, ASCII: r.ASCII, Port: r.Port, Hosts: []host{}, Implicit: r.Implicit, Null: r.Null,
		Literal: r.Literal, Direct: r.Direct, Loopback: r.Loopback, HostsFile: r.HostsFile, Authentic: r.Authentic, Doubted: r.Doubted,
		TTL: seconds(r.TTL), Aliases: r.Aliases, Server: r.Server, Findings: list(r.Findings), Took: transcript.Millis(r.Took),
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		shown := host{Host: h.Name, Addresses: list(h.Addrs), TTL: seconds(h.TTL), Authentic: h.Authentic, Doubted: h.Doubted,
			Aliases: h.Aliases, Findings: list(h.Findings)}
		if len(h.Aliases) > 0 {
			shown.Canonical = h.Canonical
		}
		if r.byMX() {
			shown.Pref = &h.Pref
		}
		if h.Err != nil {
			shown.Err = h.Err.Error()
		}
		doc.Hosts = append(doc.Hosts, shown)
	}
	if r.Err != nil {
		doc.Err = r.Err.Error()
	}
	var none *NoRoute
	if errors.As(r.Err, &none) {
		definite := none.Definite()
		doc.Definite = &definite
	}
	return json.Marshal(doc)
}

// TTL is a time to live for people, in one unit: 1 h, 5 min, 90 s.
func TTL(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d >= 2*time.Hour || d == time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= 10*time.Minute || d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// list is s, but never null in JSON.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
