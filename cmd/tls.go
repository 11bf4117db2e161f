package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/scan"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// tlsResult is the document of tls.
type tlsResult struct {
	Schema string `json:"schema"` // "ehlo.tls/1"
	OK     bool   `json:"ok"`
	verdict
	Targets []tlsTarget `json:"targets"`
	TookMS  float64     `json:"took_ms"`
	lines   []transcript.Line
}

// Kind is that of a result.
func (tlsResult) Kind() string { return transcript.ResultKind }

// Lines is the closing block.
func (r tlsResult) Lines() []transcript.Line { return r.lines }

type tlsTarget struct {
	Target  string          `json:"target"`
	Error   string          `json:"error,omitempty"`
	STS     *policy.STS     `json:"mta_sts,omitempty"` // of a domain
	Reports *policy.Reports `json:"tls_rpt,omitempty"`
	Servers []tlsServer     `json:"servers"`
}

// examination is one run of tls.
type examination struct {
	*run
	*outlook
	options  scan.Options
	warnDays int
	failDays int
}

func runTLS(ctx context.Context, r *run) (exit, error) {
	began := time.Now()
	e := &examination{run: r, warnDays: r.Int("warn-days"), failDays: r.Int("fail-days")}
	e.options = scan.Options{Suites: r.Bool("suites"), Active: r.Bool("active")}
	targets, err := r.allNamed()
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	ctx, cancel := r.limited(ctx)
	defer cancel()
	if e.outlook, err = r.open(ctx); err != nil {
		return exit{Status: StatusUsage}, err
	}
	// Everything is to be seen, so nothing ends a conversation but the server.
	e.Session.TLS.Policy, e.Discover = dialog.PolicyMust, nil
	result := tlsResult{Schema: "ehlo.tls/1"}
	all := e.each(r, targets, func(_ int, t reach.Target) verdict {
		facts, v := e.examine(ctx, t)
		result.Targets = append(result.Targets, facts)
		return v
	})
	result.verdict = r.advise(sumTargets(all))
	result.OK = result.Status == StatusDone
	result.TookMS = transcript.Millis(time.Since(began))
	result.lines = result.closing(time.Since(began), targetLines(r.args, all))
	e.stream.Emit(result)
	return exit{Status: result.Status, Phase: result.Phase}, e.outlook.close()
}

// examine looks at the first server of a target that converses, or with --all-mx
// at every address of every host.
func (e *examination) examine(ctx context.Context, t reach.Target) (tlsTarget, verdict) {
	facts := tlsTarget{Target: t.Text, Servers: []tlsServer{}}
	hops, err := e.Hops(ctx, t)
	if err != nil {
		facts.Error = err.Error()
		return facts, judge(err, t.Text)
	}
	if domain := hops[0].Domain; domain != "" {
		fetcher := e.Fetcher(e.fetcher(e.Session.TLS, e.Session.Now), domain)
		facts.STS = policy.FindSTS(ctx, e.Resolver, fetcher, domain)
		e.Session.Stream.Emit(facts.STS)
		facts.Reports = policy.FindReports(ctx, e.Resolver, domain)
		e.Session.Stream.Emit(facts.Reports)
	}
	side := e.Bool("all-mx") && len(hops) > 1
	var all []verdict
	for i, hop := range hops {
		if side {
			e.Session.Stream.Emit(reach.Head{Name: hop.Host, What: "hop", Index: i + 1, Of: len(hops)})
		}
		e.Session.Stream.Emit(announced{hop.Host, hop.Port, e.options.Connections()})
		s := e.server(ctx, hop, facts.STS)
		facts.Servers = append(facts.Servers, s)
		if len(s.Checks) > 0 { // it was reached, and had something to show
			e.Session.Stream.Emit(s)
		}
		v := s.verdict()
		all = append(all, v)
		more, _ := reach.TryNext(s.err)
		if ctx.Err() != nil || !side && !more {
			break
		}
	}
	if side {
		e.Session.Stream.Emit(compare(facts.Servers))
		v := sumTargets(all)
		v.Sentence = strings.Replace(v.Sentence, "targets", "servers", 1)
		return facts, v
	}
	return facts, all[len(all)-1]
}

// announced says beforehand what a server is going to see.
type announced struct {
	Host        string `json:"host"`
	Port        uint16 `json:"port"`
	Connections int    `json:"connections"` // at most
}

// Kind is "scan".
func (announced) Kind() string { return "scan" }

// Lines is one line.
func (a announced) Lines() []transcript.Line {
	name, _ := headOf(a.Host, a.Port, a.Host)
	text := fmt.Sprintf("%s · up to %s, one at a time", name, transcript.Count(a.Connections, "connection"))
	return []transcript.Line{{Mark: transcript.Phase, Label: "scan", Text: text}}
}

// server examines one address.
func (e *examination) server(ctx context.Context, hop reach.Hop, sts *policy.STS) tlsServer {
	options := e.options
	options.Tried = func(a scan.Attempt) {
		text := a.What + ": not accepted"
		switch {
		case a.Untested != "":
			text = a.What + ": not tested: " + a.Untested
		case a.Accepted:
			text = a.What + ": accepted"
		}
		e.Session.Stream.Emit(dialog.Finding{Text: text, Note: true})
	}
	r := *e.Reach
	var dane *policy.DANE
	if dane = r.DANE(ctx, hop); dane != nil {
		e.Session.Stream.Emit(dane)
		if dane.State == policy.Usable && r.Session.TLS.SNI == "" {
			r.Session.TLS.SNI = dane.Base
		}
	}
	report := scan.Run(ctx, &r, hop, options)
	s := tlsServer{
		Host: hop.Host, Port: hop.Port, Address: report.Visit.Addr, Implicit: hop.Implicit,
		Banner: report.Visit.Report.Banner, Offers: report.Visit.Report.Offers, TLS: report.Visit.Report.TLS,
		Versions: attempts(report.Versions), Suites: attempts(report.Suites), Groups: attempts(report.Groups),
		Tickets: report.Tickets, Injection: report.Injection, Tries: report.Tries,
		DANE: dane, NotTested: notTested(e.options), err: report.Visit.Err, domain: hop.Domain, at: e.Session.Now(), store: e.Session.TLS.Store,
	}
	if report.Tickets > 0 && report.Resumed.What != "" {
		s.Resumption = &attempts([]scan.Attempt{report.Resumed})[0]
	}
	if s.err == nil && ctx.Err() != nil {
		s.err = context.Cause(ctx)
	}
	if s.err != nil {
		s.Error = s.err.Error()
	}
	s.judge(e, sts)
	return s
}
