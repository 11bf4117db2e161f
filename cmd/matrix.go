package cmd

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// stages are how one address of a host was reached, stage by stage: a row of the matrix.
type stages struct {
	pref        string        // of the MX record, or –
	Host        string        `json:"host"`
	Address     string        `json:"address"`                // without the port
	ConnectMS   *float64      `json:"connect_ms,omitempty"`   // until the connection was made
	BannerMS    *float64      `json:"banner_ms,omitempty"`    // from then to the greeting
	HandshakeMS *float64      `json:"handshake_ms,omitempty"` // of TLS
	Code        int           `json:"code,omitempty"`         // of the greeting
	Banner      *dialog.Reply `json:"banner,omitempty"`       // the greeting
	TLS         string        `json:"tls,omitempty"`          // the version: "TLS 1.3"
	Certificate string        `json:"certificate,omitempty"`  // "verified", or the checks that failed: "name, dates"
	Left        *int          `json:"days_left,omitempty"`    // until the certificate expires
	DANE        string        `json:"dane,omitempty"`         // match, mismatch, no-tls, missing, insecure, bogus, no-answer, unusable, usable
	Error       string        `json:"error,omitempty"`
	failed      string        // in a few words
	broken      *verdict      // of senders that honour DANE, where they do not deliver
}

// stages sums a visit up that asked for TLS as policy has it, with what the TLSA
// records of its host say of it.
func (w *outlook) stages(ctx context.Context, v reach.Visit, policy dialog.Policy) stages {
	s := stages{pref: "–", Host: v.Hop.Host, Address: v.Addr}
	if v.Hop.Domain != "" {
		s.pref = fmt.Sprint(v.Hop.Pref)
	}
	if v.Hop.Addr.IsValid() {
		s.Address = v.Hop.Addr.Addr().String()
	}
	took := func(d time.Duration) *float64 { ms := transcript.Millis(d); return &ms }
	if v.Reached {
		s.ConnectMS = took(v.Connect)
	}
	if b := v.Report.Banner; b != nil {
		s.BannerMS, s.Code, s.Banner = took(b.Took), b.Code, b
	}
	report := v.Report.TLS
	if report != nil {
		s.HandshakeMS, s.TLS = took(report.Took), tls.VersionName(report.Version)
		s.Certificate, s.Left = certified(report), &report.Left
	}
	s.DANE, s.broken = daneAt(ctx, w.DANE(ctx, v.Hop), v, policy, w.Session.Now())
	if v.Err != nil {
		s.Error = v.Err.Error()
		_, s.failed = reach.TryNext(v.Err)
	}
	return s
}

// certified is "verified", or which checks of a certificate failed.
func certified(r *dialog.TLSReport) string {
	if r.Verified() {
		return "verified"
	}
	var failed []string
	for _, v := range r.Verdicts {
		if !v.OK && !slices.Contains(failed, v.Check) {
			failed = append(failed, v.Check)
		}
	}
	return strings.Join(failed, ", ")
}

// matrix is a table of the addresses that were visited, host by host.
type matrix struct {
	Rows []stages `json:"stages"`
}

// Kind is that of a report.
func (matrix) Kind() string { return transcript.ReportKind }

// Lines is the table, without a head.
func (m matrix) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.Blank}, {
		Mark:  transcript.RowHead,
		Cells: []string{"PREF", "HOST", "ADDRESS", "CONNECT", "BANNER", "HANDSHAKE", "TLS", "CERTIFICATE", "DANE"}, Below: 2,
	}}
	for _, s := range m.Rows {
		lines = append(lines, s.lines()...)
	}
	return lines
}

// lines are the row of an address, and below it what went wrong.
func (s stages) lines() []transcript.Line {
	certificate := s.Certificate
	if s.Left != nil && certificate == "verified" {
		certificate += ", " + transcript.Count(*s.Left, "day")
	}
	banner := stage(s.BannerMS)
	if s.Code != 0 && s.Code != 220 {
		banner = fmt.Sprint(s.Code)
	}
	lines := []transcript.Line{{Mark: transcript.Row, Cells: []string{
		s.pref, route.Unicode(s.Host), s.Address, stage(s.ConnectMS), banner, stage(s.HandshakeMS),
		orNone(strings.TrimPrefix(s.TLS, "TLS ")), orNone(certificate), orNone(s.DANE),
	}}}
	switch {
	case s.failed != "":
		lines = append(lines, transcript.Line{Mark: transcript.Failure, Text: s.failed})
	case s.Error != "":
		lines = append(lines, transcript.Line{Mark: transcript.Failure, Text: s.Error})
	case s.broken != nil:
		lines = append(lines, transcript.Line{Mark: transcript.Failure, Text: s.broken.Sentence})
	}
	return lines
}

func stage(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return transcript.Duration(time.Duration(*ms * float64(time.Millisecond)))
}

// survey greets every address that hops lead to and shows nothing of it: the hosts
// side by side, the addresses of one in order. It gives a verdict on each.
func (w *outlook) survey(ctx context.Context, hops []reach.Hop) (matrix, []verdict) {
	quiet := *w.Reach
	quiet.Session.Stream, quiet.Session.TLS.Policy = nil, dialog.PolicyMay
	rows, all := make([]stages, len(hops)), make([]verdict, len(hops))
	byHost := map[string][]int{}
	for i, hop := range hops {
		byHost[hop.Host] = append(byHost[hop.Host], i)
	}
	var group sync.WaitGroup
	for _, own := range byHost {
		group.Go(func() {
			for _, i := range own {
				v := quiet.Visit(ctx, hops[i], dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Quit()})
				rows[i] = w.stages(ctx, v, quiet.Session.TLS.Policy)
				all[i] = rows[i].judged(v, hops[i].Host)
			}
		})
	}
	group.Wait()
	return matrix{rows}, all
}
