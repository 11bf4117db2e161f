package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// verifyResult is the document of verify.
type verifyResult struct {
	Schema string `json:"schema"` // "ehlo.verify/1"
	OK     bool   `json:"ok"`
	verdict
	Targets []mailboxFacts `json:"targets"`
	TookMS  float64        `json:"took_ms"`
	lines   []transcript.Line
}

// mailboxFacts is what is known of one mailbox.
type mailboxFacts struct {
	Address string `json:"address"`
	Answer  string `json:"answer"` // "exists", "absent", "unknown"
	Status  Status `json:"exit_status"`
	Why     string `json:"why,omitempty"`
	By      string `json:"by,omitempty"` // the command that decided: "VRFY", "EXPN", "MAIL", "RCPT"
	replied
	Host  string `json:"host,omitempty"`
	reply string // on one line, with its codes
}

// Kind is that of a result.
func (verifyResult) Kind() string { return transcript.ResultKind }

// Lines is a line for each mailbox, and the closing block if one is not there.
func (r verifyResult) Lines() []transcript.Line { return r.lines }

// mailboxes are those of one target: they share its connection.
type mailboxes struct {
	target reach.Target
	login  *dialog.Login // nil: nobody logs in
	list   []*mailboxFacts
	to     []mime.Mailbox
}

func runVerify(ctx context.Context, r *run) (exit, error) {
	began := time.Now()
	groups, all, err := r.divideMailboxes()
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	ctx, cancel := r.limited(ctx)
	defer cancel()
	for _, g := range groups {
		if g.login, err = r.loginAt(ctx, g.target); err != nil {
			return exit{}, err
		}
	}
	w, err := r.open(ctx)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	for i, g := range groups {
		if len(groups) > 1 {
			w.stream.Emit(reach.Head{Name: g.target.Text, What: "target", Index: i + 1, Of: len(groups)})
			w.Session.Stream = w.stream.For(g.target.Text)
		}
		w.toward(r, g.target, g.login)
		w.verify(ctx, g)
	}
	result := verifyResult{Schema: "ehlo.verify/1", TookMS: transcript.Millis(time.Since(began))}
	var statuses []Status
	for _, m := range all {
		statuses = append(statuses, m.Status)
		result.Targets = append(result.Targets, *m)
	}
	result.verdict = sumMailboxes(combine(statuses...), all)
	result.OK = result.Status == StatusDone
	result.lines = result.closing(time.Since(began), mailboxLines(all))
	w.stream.Emit(result)
	return exit{Status: result.Status, Phase: "rcpt"}, w.close()
}

// divideMailboxes reads the addresses and groups them by target.
func (r *run) divideMailboxes() ([]*mailboxes, []*mailboxFacts, error) {
	fixed, err := r.fixed()
	if err != nil {
		return nil, nil, err
	}
	var groups []*mailboxes
	var all []*mailboxFacts
	byKey := map[string]*mailboxes{}
	for _, arg := range r.args {
		m, err := mime.ParseMailbox(arg)
		if err != nil {
			return nil, nil, &usageError{msg: err.Error(), next: r.next}
		}
		key := strings.ToLower(m.Domain)
		if fixed != nil {
			key = fixed.Text
		}
		g := byKey[key]
		if g == nil {
			target := fixed
			if target == nil {
				own, err := r.target(key, false)
				if err != nil {
					return nil, nil, err
				}
				target = &own
			}
			g = &mailboxes{target: *target}
			byKey[key] = g
			groups = append(groups, g)
		}
		facts := &mailboxFacts{Address: m.Path(), Answer: "unknown", Status: StatusUnknown}
		g.list, g.to, all = append(g.list, facts), append(g.to, m), append(all, facts)
	}
	return groups, all, nil
}

// verify asks the first server of g's target that converses.
func (w *outlook) verify(ctx context.Context, g *mailboxes) {
	hops, err := w.Hops(ctx, g.target)
	if err == nil {
		plan := func(hop reach.Hop) dialog.Plan {
			return dialog.Plan{
				dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Auth(),
				{Do: func(ctx context.Context, s *dialog.Session) error { return g.ask(ctx, s, hop.Host) }},
				dialog.Quit(),
			}
		}
		w.Tour(ctx, hops, plan, func(v reach.Visit) (bool, string) {
			err = v.Err
			return tryNextHop(v.Err)
		})
	}
	if err == nil {
		return
	}
	v := judge(err, g.target.Text)
	var noRoute *route.NoRoute
	for _, m := range g.list {
		switch {
		case m.By != "":
			continue
		case errors.As(err, &noRoute) && noRoute.Definite():
			m.Answer = "absent" // where no mail can go there is no mailbox
		case v.Status == StatusRefused:
			v.Status = StatusUnknown // we are, not the mailbox
		}
		m.Why, m.Status = v.Sentence, v.Status
		if errors.As(err, new(*dialog.Refusal)) {
			m.Why = v.Outcome + " " + v.Sentence
		}
	}
}

func mailboxLines(all []*mailboxFacts) []transcript.Line {
	marks := map[string]transcript.Mark{"exists": transcript.Pass, "absent": transcript.Fail, "unknown": transcript.Untested}
	var lines []transcript.Line
	for _, m := range all {
		detail := m.reply
		switch {
		case detail == "":
			detail = m.Why
		case m.Why != "":
			detail += "; " + m.Why
		}
		lines = append(lines, transcript.Line{Mark: marks[m.Answer], Cells: []string{m.Answer, m.Address, detail}})
	}
	return lines
}

// sumMailboxes is the verdict on all mailboxes.
func sumMailboxes(status Status, all []*mailboxFacts) verdict {
	counts := map[string]int{}
	for _, m := range all {
		counts[m.Answer]++
	}
	var parts []string
	for _, word := range []string{"exists", "absent", "unknown"} {
		if counts[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[word], word))
		}
	}
	v := verdict{Status: status, Outcome: endingOf(status).word, Sentence: strings.Join(parts, " · ")}
	if status == StatusRefused {
		v.Outcome = "failed"
	}
	return v
}
