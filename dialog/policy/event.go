package policy

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Kind is "dane".
func (d *DANE) Kind() string { return "dane" }

// Lines is the phase line, a line for each record that cannot be used, and notes with
// those that can.
func (d *DANE) Lines() []transcript.Line {
	lines := []transcript.Line{phase("DANE: "+d.summary(), d.Took)}
	if d.State == Usable && !d.Secure() {
		lines = append(lines, finding("the MX records of "+d.Domain+" are not signed: who forges them names another host"))
	}
	for _, r := range d.Records {
		text := r.String()
		if !r.Usable() {
			lines = append(lines, finding(text+" cannot be used: "+r.Fault))
			continue
		}
		lines = append(lines, note(text))
	}
	if d.Base != "" && d.Base != d.Host {
		lines = append(lines, note(fmt.Sprintf("found at %s, which %s is an alias of", d.Base, d.Host)))
	}
	return lines
}

// summary is the state with its reason, in one line.
func (d *DANE) summary() string {
	switch d.State {
	case Bogus:
		return fmt.Sprintf("the TLSA records of %s cannot be had: %s", d.Host, d.Why)
	case Missing:
		return fmt.Sprintf("no TLSA record for %s, %s", d.Host, d.vouched())
	case Unusable:
		return fmt.Sprintf("%s for %s, none of use: TLS is a must, without proof (RFC 7672 section 2.2), %s",
			transcript.Count(len(d.Records), "TLSA record"), d.Host, d.vouched())
	case Usable:
		return fmt.Sprintf("%s for %s, %s", transcript.Count(len(d.Usable()), "usable TLSA record"), d.Host, d.vouched())
	}
	return fmt.Sprintf("none for %s: %s", d.Host, d.Why)
}

func (d *DANE) vouched() string { return "vouched for by " + d.Server }

// MarshalJSON gives every fact, in snake_case.
func (d *DANE) MarshalJSON() ([]byte, error) {
	type record struct {
		Usage    uint8  `json:"usage"`
		Selector uint8  `json:"selector"`
		Matching uint8  `json:"matching"`
		Data     string `json:"data"`
		Usable   bool   `json:"usable"`
		Fault    string `json:"fault,omitempty"`
	}
	doc := struct {
		Host    string   `json:"host"`
		Port    uint16   `json:"port"`
		State   State    `json:"state"`
		Base    string   `json:"base,omitempty"`
		Names   []string `json:"names,omitempty"`
		Signed  bool     `json:"mx_signed"`
		Records []record `json:"records"`
		Server  string   `json:"server,omitempty"`
		Doubted string   `json:"doubted,omitempty"`
		Why     string   `json:"why,omitempty"`
		Took    float64  `json:"took_ms"`
	}{d.Host, d.Port, d.State, d.Base, d.Names, d.Secure(), []record{}, d.Server, d.Doubted, d.Why, transcript.Millis(d.Took)}
	for _, r := range d.Records {
		doc.Records = append(doc.Records, record{r.Usage, r.Selector, r.Matching, hex.EncodeToString(r.Data), r.Usable(), r.Fault})
	}
	return json.Marshal(doc)
}

// Kind is "mta_sts".
func (s *STS) Kind() string { return "mta_sts" }

// Lines is the phase line, what is wrong below it, and notes with the rest.
func (s *STS) Lines() []transcript.Line {
	lines := []transcript.Line{phase("MTA-STS"+s.summary(), s.Took)}
	if s.Stage == NotFetched {
		for _, c := range s.Checks {
			mark := transcript.Failure
			if c.OK {
				mark = transcript.Good
			}
			lines = append(lines, transcript.Line{Mark: mark, Text: c.Check + ": " + c.Text})
		}
	}
	for _, f := range s.Findings {
		lines = append(lines, f.Line(""))
	}
	if s.Record != "" {
		lines = append(lines, note("_mta-sts."+s.Domain+": "+clip(s.Record)))
	}
	if s.Address != "" {
		lines = append(lines, note("the policy host is "+s.Address))
	}
	return lines
}

// summary is what the domain says, or why it says nothing.
func (s *STS) summary() string {
	if s.Stage != Fetched {
		return ": " + s.lack()
	}
	parts := []string{string(s.Policy.Mode)}
	if len(s.Policy.MX) > 0 {
		parts = append(parts, listing(s.Policy.MX))
	}
	return " " + strings.Join(append(parts, "max_age "+route.TTL(s.Policy.MaxAge)), " · ")
}

// lack says why no policy is in force. A nil s was not looked for.
func (s *STS) lack() string {
	if s == nil {
		return "no policy was looked for"
	}
	switch s.Stage {
	case NoRecord:
		if s.Err != nil {
			return s.Err.Error()
		}
		return "no record at _mta-sts." + s.Domain
	case Unknown:
		return "not known: " + s.Err.Error()
	case BadRecord:
		return fmt.Sprintf("the record of %s does not count: %v (RFC 8461 section 3.1)", s.Domain, s.Err)
	case NotFetched:
		return "no policy: " + s.Err.Error()
	case BadPolicy:
		return fmt.Sprintf("the policy of %s is not valid: %v (RFC 8461 section 3.2)", s.Domain, s.Err)
	}
	return "the policy of " + s.Domain + " is in mode none"
}

// MarshalJSON gives every fact, in snake_case.
func (s *STS) MarshalJSON() ([]byte, error) {
	doc := struct {
		Domain   string          `json:"domain"`
		State    Stage           `json:"state"`
		Record   string          `json:"record,omitempty"`
		ID       string          `json:"id,omitempty"`
		Mode     Mode            `json:"mode,omitempty"`
		MX       []string        `json:"mx,omitempty"`
		MaxAge   *int64          `json:"max_age_seconds,omitempty"`
		Address  string          `json:"address,omitempty"`
		Checks   []Line          `json:"certificate,omitempty"`
		Server   string          `json:"server,omitempty"`
		Findings []route.Finding `json:"findings"`
		Err      string          `json:"error,omitempty"`
		Step     FetchStep       `json:"failed_at,omitempty"`
		Took     float64         `json:"took_ms"`
	}{Domain: s.Domain, State: s.Stage, Record: s.Record, ID: s.ID, Address: s.Address, Checks: s.Checks, Server: s.Server,
		Findings: list(s.Findings), Took: transcript.Millis(s.Took)}
	if s.Stage == Fetched {
		seconds := int64(s.Policy.MaxAge.Seconds())
		doc.Mode, doc.MX, doc.MaxAge = s.Policy.Mode, s.Policy.MX, &seconds
	}
	if s.Err != nil {
		doc.Err = s.Err.Error()
	}
	var failed *FetchError
	if errors.As(s.Err, &failed) {
		doc.Step = failed.Step
	}
	return json.Marshal(doc)
}

// Kind is "tls_rpt".
func (p *Reports) Kind() string { return "tls_rpt" }

// Lines is the phase line, the findings, and a note with the record.
func (p *Reports) Lines() []transcript.Line {
	lines := []transcript.Line{phase("TLS-RPT"+p.summary(), p.Took)}
	for _, f := range p.Findings {
		lines = append(lines, f.Line(""))
	}
	if p.Record != "" {
		lines = append(lines, note("_smtp._tls."+p.Domain+": "+clip(p.Record)))
	}
	return lines
}

func (p *Reports) summary() string {
	switch p.Stage {
	case NoRecord:
		if p.Err != nil {
			return ": " + p.Err.Error()
		}
		return ": no record at _smtp._tls." + p.Domain
	case Unknown:
		return ": not known: " + p.Err.Error()
	case Fetched:
		return " to " + listing(p.To)
	}
	return fmt.Sprintf(": the record of %s does not count: %v (RFC 8460 section 3)", p.Domain, p.Err)
}

// MarshalJSON gives every fact, in snake_case.
func (p *Reports) MarshalJSON() ([]byte, error) {
	doc := struct {
		Domain   string          `json:"domain"`
		State    string          `json:"state"`
		Record   string          `json:"record,omitempty"`
		To       []string        `json:"rua"`
		Server   string          `json:"server,omitempty"`
		Findings []route.Finding `json:"findings"`
		Err      string          `json:"error,omitempty"`
		Took     float64         `json:"took_ms"`
	}{p.Domain, p.Stage.String(), p.Record, list(p.To), p.Server, list(p.Findings), "", transcript.Millis(p.Took)}
	if p.Stage == Fetched {
		doc.State = "found"
	}
	if p.Err != nil {
		doc.Err = p.Err.Error()
	}
	return json.Marshal(doc)
}
