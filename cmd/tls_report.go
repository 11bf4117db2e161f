package cmd

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/scan"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// tlsServer is what one address showed, and what is to be thought of it.
type tlsServer struct {
	Host       string            `json:"host"`
	Port       uint16            `json:"port"`
	Address    string            `json:"address"` // with the port
	Implicit   bool              `json:"implicit"`
	Error      string            `json:"error,omitempty"`
	Banner     *dialog.Reply     `json:"banner,omitempty"`
	Offers     []dialog.Offers   `json:"offers,omitempty"`
	TLS        *dialog.TLSReport `json:"tls,omitempty"`
	Versions   []attempt         `json:"versions,omitempty"`
	Suites     []attempt         `json:"suites,omitempty"`
	Groups     []attempt         `json:"groups,omitempty"`
	Tickets    int               `json:"tickets"`
	Resumption *attempt          `json:"resumption,omitempty"` // where tickets were given
	Injection  dialog.Injection  `json:"injection"`
	DANE       *policy.DANE      `json:"dane,omitempty"`
	Checks     []tlsCheck        `json:"checks"`
	NotTested  []string          `json:"not_tested"`
	Tries      int               `json:"connections"`

	err    error
	domain string    // whose mail goes there; "" if the user named the host
	at     time.Time // that certificates are judged by
	store  string
}

// attempt is one handshake that offered one thing only.
type attempt struct {
	What     string `json:"what"`
	Accepted bool   `json:"accepted"`
	Untested string `json:"untested,omitempty"`
	Suite    string `json:"suite,omitempty"`
	Group    string `json:"group,omitempty"`
}

// tlsCheck is one verdict.
type tlsCheck struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"` // pass, info, warn, fail or skip
	Summary string `json:"summary"`
}

func attempts(all []scan.Attempt) []attempt {
	var list []attempt
	for _, a := range all {
		row := attempt{What: a.What, Accepted: a.Accepted, Untested: a.Untested}
		if a.Accepted {
			row.Suite = tls.CipherSuiteName(a.Suite)
			if a.Group != 0 {
				row.Group = a.Group.String()
			}
		}
		list = append(list, row)
	}
	return list
}

// accepted names what was accepted; untried says what could not be tried, and why.
func accepted(all []attempt) (names []string, untried string) {
	var left []string
	why := ""
	for _, a := range all {
		switch {
		case a.Accepted:
			names = append(names, a.What)
		case a.Untested != "":
			if left = append(left, a.What); len(left) == 1 {
				why = a.Untested
			}
		}
	}
	if len(left) > 0 {
		untried = fmt.Sprintf("not tested: %s: %s", strings.Join(left, " "), why)
	}
	return names, untried
}

// notTested is what no answer here says anything about.
func notTested(o scan.Options) []string {
	list := []string{"TLS 1.3 suites one by one", "the server's order of preference", "SSLv2 and SSLv3", "DHE suites", "compression", "renegotiation"}
	if !o.Suites {
		list = append(list, "suites and groups one by one (--suites)")
	}
	if !o.Active {
		list = append(list, "a command injected behind STARTTLS (--active)")
	}
	return list
}

// Kind is that of a report.
func (tlsServer) Kind() string { return transcript.ReportKind }

// Lines is a head, the session, the chain, the verdicts, and what is offered
// before and after TLS.
func (s tlsServer) Lines() []transcript.Line {
	how := "STARTTLS"
	switch {
	case s.Implicit:
		how = "TLS from the first byte"
	case s.TLS == nil:
		how = "no TLS"
	}
	label, aside := headOf(s.Host, s.Port, s.Address)
	if aside != "" {
		aside += " · "
	}
	lines := []transcript.Line{
		{Mark: transcript.Blank},
		{Mark: transcript.Head, Label: label, Aside: aside + how},
	}
	if s.TLS != nil {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: "session", Text: s.session()}, transcript.Line{Mark: transcript.Blank})
		lines = append(lines, s.chain()...)
		lines = append(lines, transcript.Line{Mark: transcript.Blank})
	}
	for _, c := range s.Checks {
		lines = append(lines, transcript.Line{Mark: c.mark(), Cells: []string{c.ID, c.Summary}})
	}
	if s.TLS != nil {
		lines = append(lines, transcript.Line{Mark: transcript.Untested, Cells: []string{"not tested", strings.Join(s.NotTested, " · ")}})
	}
	if table := (server{Offers: s.Offers}).keywords(); len(table) > 0 {
		lines = append(append(lines, transcript.Line{Mark: transcript.Blank}), table...)
	}
	return lines
}

func (c tlsCheck) mark() transcript.Mark {
	switch c.Verdict {
	case "pass":
		return transcript.Pass
	case "warn":
		return transcript.Warn
	case "fail":
		return transcript.Fail
	case "skip":
		return transcript.Untested
	}
	return transcript.Info
}

// session is what the first conversation negotiated.
func (s tlsServer) session() string {
	parts := []string{tls.VersionName(s.TLS.Version), tls.CipherSuiteName(s.TLS.Suite)}
	if s.TLS.Group != 0 {
		parts = append(parts, s.TLS.Group.String())
	}
	alpn := "no ALPN"
	if s.TLS.ALPN != "" {
		alpn = "ALPN " + s.TLS.ALPN
	}
	tickets := "no tickets"
	if s.Tickets > 0 {
		tickets = fmt.Sprintf("tickets %d", s.Tickets)
	}
	return strings.Join(append(parts, alpn, tickets), " · ")
}

// chain is a row for each certificate that was sent, and for the one in the store
// that they lead to.
func (s tlsServer) chain() []transcript.Line {
	var lines []transcript.Line
	label := func(name, text string) {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: name, Text: text})
	}
	for i, c := range s.TLS.Chain {
		d := dialog.Describe(c)
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{
			fmt.Sprint(i), dialog.CertificateTitle(c),
			fmt.Sprintf("%s · %s · until %s · %s", d.Key, d.Signature, d.NotAfter.Format("2006-01-02"), lifetime(c, s.at)),
		}})
		label("subject", d.Subject)
		if len(d.Names) > 0 {
			label("names", strings.Join(d.Names, " "))
		}
		label("issuer", d.Issuer)
		label("serial", fmt.Sprintf("%s · from %s", d.Serial, d.NotBefore.Format("2006-01-02")))
		label("spki", d.SPKI)
	}
	if n := len(s.TLS.Path); n > 0 && !sent(s.TLS.Chain, s.TLS.Path[n-1]) {
		root := s.TLS.Path[n-1]
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{
			fmt.Sprint(len(s.TLS.Chain)), dialog.CertificateTitle(root), dialog.Describe(root).Key + " · in " + s.store,
		}})
	}
	return lines
}

// lifetime is how long a certificate still lives, or that it does not.
func lifetime(c *x509.Certificate, now time.Time) string {
	const day = 24 * time.Hour
	switch {
	case now.After(c.NotAfter):
		return fmt.Sprintf("expired %s ago", transcript.Count(int(now.Sub(c.NotAfter)/day), "day"))
	case now.Before(c.NotBefore):
		return fmt.Sprintf("valid only in %s", transcript.Count(int(c.NotBefore.Sub(now)/day), "day"))
	}
	return transcript.Count(int(c.NotAfter.Sub(now)/day), "day") + " left"
}

func sent(chain []*x509.Certificate, c *x509.Certificate) bool {
	for _, other := range chain {
		if other.Equal(c) {
			return true
		}
	}
	return false
}

// comparison is the table of several servers, side by side.
type comparison struct {
	Rows []compared `json:"rows"`
}

// compared is one server in the table.
type compared struct {
	Host     string   `json:"host"`
	Address  string   `json:"address"` // with the port
	Version  string   `json:"version,omitempty"`
	Verified bool     `json:"verified"`
	DaysLeft *int     `json:"days_left,omitempty"`
	DANE     string   `json:"dane,omitempty"` // its state
	Faults   []string `json:"faults"`         // the checks that failed
	Error    string   `json:"error,omitempty"`
}

// compare puts servers side by side.
func compare(all []tlsServer) comparison {
	table := comparison{Rows: []compared{}}
	for _, s := range all {
		row := compared{Host: s.Host, Address: s.Address, Error: s.Error, Faults: []string{}}
		if s.TLS != nil {
			row.Version, row.Verified, row.DaysLeft = tls.VersionName(s.TLS.Version), s.TLS.Verified(), &s.TLS.Left
		}
		if s.DANE != nil {
			row.DANE = s.dane().State.String()
		}
		for _, c := range s.Checks {
			if c.Verdict == "fail" && !slices.Contains(row.Faults, c.ID) {
				row.Faults = append(row.Faults, c.ID)
			}
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// Kind is that of a report.
func (comparison) Kind() string { return transcript.ReportKind }

// Lines is the table.
func (t comparison) Lines() []transcript.Line {
	lines := []transcript.Line{
		{Mark: transcript.Blank},
		{Mark: transcript.RowHead, Cells: []string{"HOST", "ADDRESS", "TLS", "CERTIFICATE", "DAYS", "DANE", "FAULTS"}, Spare: []int{4, 1}},
	}
	or := func(text string) string { return cmp.Or(text, "–") }
	for _, row := range t.Rows {
		address, _, err := net.SplitHostPort(row.Address)
		if err != nil {
			address = row.Address
		}
		certificate, days := "", ""
		if row.DaysLeft != nil {
			certificate, days = "not verified", fmt.Sprint(*row.DaysLeft)
		}
		if row.Verified {
			certificate = "verified"
		}
		faults := strings.Join(row.Faults, " ")
		if row.Version == "" {
			faults = cmp.Or(faults, row.Error)
		}
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{
			row.Host, address, or(row.Version), or(certificate), or(days), or(row.DANE), or(faults),
		}})
	}
	return lines
}
