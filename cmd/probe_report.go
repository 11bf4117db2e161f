package cmd

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// answer is what a server said to a question of the user's.
type answer struct {
	Command dialog.Command `json:"command"`
	Reply   *dialog.Reply  `json:"reply"`
}

// server is what one server said that it can do; probe reports it.
type server struct {
	Host      string             `json:"host"`
	Port      uint16             `json:"port"`
	Address   string             `json:"address,omitempty"`    // with the port
	ConnectMS *float64           `json:"connect_ms,omitempty"` // with --all-mx
	Banner    *dialog.Reply      `json:"banner,omitempty"`
	Offers    []dialog.Offers    `json:"offers,omitempty"`
	TLS       *dialog.TLSReport  `json:"tls,omitempty"`
	DANE      string             `json:"dane,omitempty"` // with --all-mx: what the TLSA records say of its certificate
	Auth      *dialog.AuthReport `json:"auth,omitempty"`
	Answers   []answer           `json:"answers,omitempty"`
	Error     string             `json:"error,omitempty"`
}

func newServer(v reach.Visit, asked []answer) server {
	s := server{
		Host: v.Hop.Host, Address: v.Addr, Banner: v.Report.Banner, Offers: v.Report.Offers, TLS: v.Report.TLS, Auth: v.Report.Auth, Answers: asked, Port: v.Hop.Port,
	}
	if v.Err != nil {
		s.Error = v.Err.Error()
	}
	return s
}

// Kind is that of a report.
func (server) Kind() string { return transcript.ReportKind }

// Lines is a head, the keywords before and after TLS with their meaning, and the
// answers to what was asked.
func (s server) Lines() []transcript.Line {
	protocol := "ESMTP"
	switch {
	case len(s.Offers) == 0:
		protocol = "no EHLO"
	case s.Offers[len(s.Offers)-1].Verb == "HELO":
		protocol = "SMTP: HELO only"
	case s.Offers[len(s.Offers)-1].Verb == "LHLO":
		protocol = "LMTP"
	}
	label, aside := headOf(s.Host, s.Port, s.Address)
	if aside != "" {
		aside += " · "
	}
	lines := []transcript.Line{
		{Mark: transcript.Blank},
		{Mark: transcript.Head, Label: label, Aside: aside + protocol},
	}
	if s.Banner != nil {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: "banner", Text: s.Banner.String()})
	}
	lines = append(lines, s.keywords()...)
	if s.TLS != nil {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: "tls", Text: s.TLS.Summary()})
	}
	if s.Auth != nil {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: "auth", Text: s.login()})
	}
	if len(s.Answers) == 0 {
		return lines
	}
	lines = append(lines, transcript.Line{Mark: transcript.Blank}, transcript.Line{Mark: transcript.RowHead, Cells: []string{"ASKED", "CODE", "ANSWER"}})
	for _, a := range s.Answers {
		for _, text := range a.Reply.Lines() {
			lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{a.Command.String(), fmt.Sprint(a.Reply.Code), text}})
		}
	}
	return lines
}

// keywords is the table of what is offered, in the order of the server.
func (s server) keywords() []transcript.Line {
	var before, after *dialog.Offers
	for i := range s.Offers {
		if s.Offers[i].Secure {
			after = &s.Offers[i]
		} else {
			before = &s.Offers[i]
		}
	}
	var columns []*dialog.Offers
	head := []string{"KEYWORD"}
	if before != nil {
		columns, head = append(columns, before), append(head, "BEFORE TLS")
	}
	if after != nil {
		columns, head = append(columns, after), append(head, "AFTER TLS")
	}
	var lines []transcript.Line
	done := map[string]bool{}
	for _, column := range columns {
		for _, offer := range column.Extensions {
			if done[offer.Keyword] {
				continue
			}
			done[offer.Keyword] = true
			cells := []string{offer.Keyword}
			for _, c := range columns {
				cells = append(cells, offered(c, offer.Keyword))
			}
			lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: append(cells, meaning(offer.Keyword))})
			if finding := judgeKeyword(offer.Keyword, before, after); finding != "" {
				lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: finding})
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]transcript.Line{{Mark: transcript.RowHead, Cells: append(head, "MEANING"), Spare: []int{len(head)}}}, lines...)
}

// offered is a cell: the parameters of a keyword, "yes" without any, or none.
func offered(o *dialog.Offers, keyword string) string {
	offer, ok := o.Find(keyword)
	switch {
	case !ok:
		return "–"
	case len(offer.Params) == 0:
		return "yes"
	}
	return strings.Join(offer.Params, " ")
}

// meaning explains a keyword in a few words.
func meaning(keyword string) string {
	e, ok := dialog.LookupExtension(keyword)
	switch {
	case !ok:
		return "unknown: not registered"
	case e.RFC == "":
		return e.About
	}
	return e.About + " (" + e.RFC + ")"
}

// judgeKeyword is what is wrong with where a keyword is offered.
func judgeKeyword(keyword string, before, after *dialog.Offers) string {
	in := func(o *dialog.Offers) bool {
		if o == nil {
			return false
		}
		_, ok := o.Find(keyword)
		return ok
	}
	switch {
	case keyword == "AUTH" && in(before):
		return "passwords are asked for before TLS: anyone on the path can read them"
	case keyword == "STARTTLS" && in(after):
		return "STARTTLS is offered again under TLS (RFC 3207 section 4.2)"
	}
	return ""
}

// sentence sums a server up.
func (s server) sentence() string {
	offers := map[string]bool{}
	for _, o := range s.Offers {
		for _, e := range o.Extensions {
			offers[e.Keyword] = true
		}
	}
	text := fmt.Sprintf("%s offers %s", s.Host, transcript.Count(len(offers), "extension"))
	switch {
	case s.TLS == nil:
		text += " · no TLS"
	case s.TLS.Verified():
		text += " · " + tls.VersionName(s.TLS.Version) + ", verified"
	default:
		text += " · " + tls.VersionName(s.TLS.Version) + ", not verified"
	}
	if s.Auth != nil {
		text += " · " + s.login()
	}
	return text
}

// login is what became of a login.
func (s server) login() string {
	who := ""
	if s.Auth.User != "" {
		who = " as " + s.Auth.User
	}
	switch {
	case s.Auth.Mechanism != "":
		return "logged in" + who + " by " + s.Auth.Mechanism
	case len(s.Auth.Tries) == 0:
		return "no login" + who + " was tried"
	}
	var tried []string
	for _, t := range s.Auth.Tries {
		tried = append(tried, t.Mechanism)
	}
	return "not logged in" + who + ": tried " + strings.Join(tried, ", ")
}
