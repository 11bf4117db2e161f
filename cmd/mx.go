package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// mxResult is the document of mx.
type mxResult struct {
	Schema string `json:"schema"` // "ehlo.mx/1"
	OK     bool   `json:"ok"`
	verdict
	Targets []mxTarget `json:"targets"`
	TookMS  float64    `json:"took_ms"`
	lines   []transcript.Line
}

// Kind is that of a result.
func (mxResult) Kind() string { return transcript.ResultKind }

// Lines is the closing block, if something went wrong.
func (r mxResult) Lines() []transcript.Line { return r.lines }

// mxTarget is the route of one domain with what is known of its addresses.
type mxTarget struct {
	Target string         `json:"target"`
	Route  route.Resolved `json:"route"`
	Hosts  []mxHost       `json:"hosts"`
	Error  string         `json:"error,omitempty"`
	short  bool
	doubts bool // it is the first of the run with an AD bit that is not believed, and says why
}

type mxHost struct {
	Preference uint16      `json:"preference"`
	Host       string      `json:"host"`
	Addresses  []mxAddress `json:"addresses"`
	TLSA       []string    `json:"tlsa,omitempty"`
	findings   []route.Finding
}

type mxAddress struct {
	Address netip.Addr `json:"address"`
	PTR     []string   `json:"ptr,omitempty"`
	Visit   *stages    `json:"visit,omitempty"` // with --probe
}

func runMX(ctx context.Context, r *run) (exit, error) {
	began := time.Now()
	ctx, cancel := r.limited(ctx)
	defer cancel()
	for _, domain := range r.args {
		if _, _, err := route.ParseDomain(domain); err != nil && !strings.HasPrefix(domain, "[") {
			return exit{Status: StatusUsage}, &usageError{msg: err.Error(), next: r.next}
		}
	}
	w, err := r.open(ctx)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	result := mxResult{Schema: "ehlo.mx/1"}
	var all []verdict
	doubted := false
	for _, domain := range r.args {
		target, err := w.lookUp(ctx, domain)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		v := verdict{Status: StatusDone, Outcome: "done"}
		if err != nil {
			target.Error = err.Error()
			v = judge(err, domain)
		}
		target.short = r.Bool("short")
		target.doubts = target.Route.Doubted != "" && !doubted
		doubted = doubted || target.doubts
		w.stream.Emit(target)
		if err == nil && r.Bool("probe") {
			v = w.visit(ctx, &target)
		}
		result.Targets = append(result.Targets, target)
		all = append(all, v)
	}
	result.verdict = r.advise(sumTargets(all))
	result.OK = result.Status == StatusDone
	result.TookMS = transcript.Millis(time.Since(began))
	if !result.OK && !r.Bool("short") || r.Bool("probe") {
		result.lines = result.closing(time.Since(began), targetLines(r.args, all))
	}
	w.stream.Emit(result)
	err = w.close()
	if err == nil && !result.OK && r.Bool("short") { // no closing line has said it
		var reasons []string
		for _, v := range all {
			if v.Status != StatusDone {
				reasons = append(reasons, v.Sentence)
			}
		}
		err = errors.New(strings.Join(reasons, "; "))
	}
	return exit{Status: result.Status, Phase: result.Phase}, err
}

// sumTargets is the verdict on several targets: of one, it is its own.
func sumTargets(all []verdict) verdict {
	var statuses []Status
	failed := 0
	var first verdict
	for _, v := range all {
		statuses = append(statuses, v.Status)
		if v.Status != StatusDone {
			if failed++; failed == 1 {
				first = v
			}
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	v := verdict{Status: combine(statuses...)}
	v.Outcome = endingOf(v.Status).word
	v.Sentence = fmt.Sprintf("%d of %d targets", len(all)-failed, len(all))
	if failed > 0 {
		v.Phase = first.Phase
		v.Sentence = fmt.Sprintf("%d of %d targets failed", failed, len(all))
	}
	return v
}

// lookUp finds the route of a domain, and for its hosts at the same time what
// the table shows beside it.
func (w *outlook) lookUp(ctx context.Context, domain string) (mxTarget, error) {
	found, err := route.To(ctx, w.Resolver, domain, 25, route.Options{Family: w.Family})
	t := mxTarget{Target: domain, Route: route.Resolved{Route: found, Err: err}, Hosts: make([]mxHost, len(found.Hosts))}
	var group sync.WaitGroup
	for i, h := range found.Hosts {
		row, name := &t.Hosts[i], h.Name
		if name == "" {
			name = domain // an address literal
		}
		*row = mxHost{Preference: h.Pref, Host: name, Addresses: make([]mxAddress, len(h.Addrs)), findings: h.Findings}
		for j, addr := range h.Addrs {
			row.Addresses[j].Address = addr
			group.Go(func() {
				if answer, err := w.Resolver.PTR(ctx, addr); err == nil {
					row.Addresses[j].PTR = answer.Records
				}
			})
		}
		if len(h.Addrs) > 0 && h.Name != "" {
			group.Go(func() {
				row.TLSA = w.tlsa(ctx, h)
			})
		}
	}
	group.Wait()
	return t, err
}

// visit greets every address of a route that was found, and shows the matrix.
func (w *outlook) visit(ctx context.Context, t *mxTarget) verdict {
	var hops []reach.Hop
	var addresses []*mxAddress
	for i := range t.Hosts {
		h := &t.Hosts[i]
		for j := range h.Addresses {
			a := &h.Addresses[j]
			addresses = append(addresses, a)
			hops = append(hops, reach.Hop{
				Host: h.Host, Addr: netip.AddrPortFrom(a.Address, 25), Port: 25, Pref: h.Preference,
				Domain: t.Route.Domain, Signed: t.Route.Authentic,
			})
		}
	}
	rows, all := w.survey(ctx, hops)
	for i := range rows.Rows {
		addresses[i].Visit = &rows.Rows[i]
	}
	w.stream.Emit(rows)
	v := rows.sum(all)
	if v.Status == StatusDone {
		v.Sentence = "every address of " + t.Target + " answers" + rows.lacks()
	}
	return v
}

// tlsa are the TLSA records of a host by their parameters: those of the name that
// has the addresses, else those of the host's own (RFC 7672 section 2.2.3).
func (w *outlook) tlsa(ctx context.Context, h route.Host) []string {
	names := []string{h.Name}
	if h.Canonical != "" && h.Canonical != h.Name {
		names = []string{h.Canonical, h.Name}
	}
	for _, name := range names {
		answer, err := w.Resolver.TLSA(ctx, name, 25)
		if err != nil {
			continue
		}
		var found []string
		for _, r := range answer.Records {
			found = append(found, fmt.Sprintf("%d %d %d", r.Usage, r.Selector, r.Matching))
		}
		return found
	}
	return nil
}

// targetLines lists several targets with what became of each.
func targetLines(names []string, all []verdict) []transcript.Line {
	if len(all) < 2 {
		return nil
	}
	var lines []transcript.Line
	for i, v := range all {
		lines = append(lines, transcript.Line{Mark: v.item(), Cells: []string{v.Outcome, names[i], strings.TrimPrefix(v.Sentence, names[i]+": ")}})
	}
	return lines
}

// Kind is that of a report.
func (mxTarget) Kind() string { return transcript.ReportKind }

// Lines is a head, a table with the findings under the rows they concern, and
// the findings on the domain; or with --short the hosts alone.
func (t mxTarget) Lines() []transcript.Line {
	var lines []transcript.Line
	if t.short {
		for _, h := range t.Hosts {
			for _, a := range h.Addresses {
				lines = append(lines, transcript.Line{Text: fmt.Sprintf("%d %s %s", h.Preference, h.Host, a.Address)})
			}
		}
		return lines
	}
	lines = []transcript.Line{{Mark: transcript.Blank}, {Mark: transcript.Head, Label: t.Route.Domain, Aside: t.aside(), Took: t.Route.Took}}
	if len(t.Hosts) > 0 && !t.Route.Null {
		lines = append(lines, transcript.Line{Mark: transcript.RowHead, Cells: []string{"PREF", "HOST", "ADDRESS", "PTR", "TLSA"}, Spare: []int{3, 4}})
	}
	for _, h := range t.Hosts {
		lines = append(lines, h.rows()...)
	}
	for _, f := range t.Route.Findings {
		lines = append(lines, f.Line(""))
	}
	if t.doubts {
		lines = append(lines, transcript.Line{Mark: transcript.Note, Text: t.Route.Doubted + " says DNSSEC secure, which counts only from 127.0.0.1 or ::1, " +
			"over TLS (--dns-server tls://ADDR#NAME), or with --dns-trust-ad"})
	}
	var none *route.NoRoute
	if errors.As(t.Route.Err, &none) && (len(t.Hosts) == 0 || t.Route.Implicit) {
		lines = append(lines, transcript.Line{Mark: transcript.Failure, Text: none.Reason()})
	}
	return lines
}

// rows are a host's: one for each address, its findings behind the last.
func (h mxHost) rows() []transcript.Line {
	tlsa := "–"
	if len(h.TLSA) > 0 {
		tlsa = strings.Join(h.TLSA, ", ")
	}
	pref := fmt.Sprint(h.Preference)
	var lines []transcript.Line
	for _, a := range h.Addresses {
		ptr := "–"
		if len(a.PTR) > 0 {
			ptr = strings.Join(a.PTR, ", ")
		}
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{pref, route.Unicode(h.Host), a.Address.String(), ptr, tlsa}})
		for _, f := range h.findings {
			if f.Address == a.Address {
				lines = append(lines, f.Line(""))
			}
		}
	}
	if len(h.Addresses) == 0 {
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{pref, route.Unicode(h.Host), "–", "–", "–"}})
	}
	for _, f := range h.findings {
		if !slices.ContainsFunc(h.Addresses, func(a mxAddress) bool { return a.Address == f.Address }) {
			lines = append(lines, f.Line(""))
		}
	}
	return lines
}

// aside sums the table up.
func (t mxTarget) aside() string {
	addresses := 0
	for _, h := range t.Hosts {
		addresses += len(h.Addresses)
	}
	parts := []string{transcript.Count(len(t.Hosts), "host"), transcript.Count(addresses, "address")}
	if t.Route.Implicit {
		parts = append(parts, "no MX record: the domain itself")
	}
	if t.Route.TTL > 0 {
		parts = append(parts, "ttl "+route.TTL(t.Route.TTL))
	}
	switch {
	case t.Route.Authentic:
		parts = append(parts, "DNSSEC secure by "+t.Route.Server)
	case t.Route.Doubted != "":
		parts = append(parts, "DNSSEC not proven")
	}
	return strings.Join(parts, " · ")
}
