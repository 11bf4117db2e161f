package cmd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
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
	Why     string `json:"reason"`
	By      string `json:"by,omitempty"` // the command that decided: "VRFY", "EXPN", "RCPT"
	Code    int    `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
	Host    string `json:"host,omitempty"`
	status  Status
}

// Kind is that of a result.
func (verifyResult) Kind() string { return transcript.ResultKind }

// Lines is a line for each mailbox, and the closing block if one is not there.
func (r verifyResult) Lines() []transcript.Line { return r.lines }

// mailboxes are those of one target: they share its connection.
type mailboxes struct {
	target reach.Target
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
	w, err := r.open(ctx)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	for i, g := range groups {
		if len(groups) > 1 {
			w.stream.Emit(reach.Head{Name: g.target.Text, What: "target", Index: i + 1, Of: len(groups)})
			w.Session.Stream = w.stream.For(g.target.Text)
		}
		w.Session.TLS.Policy = r.policy(g.target)
		if note := r.Weakened(policies[standardPolicy(g.target)]); note != "" {
			w.Session.Stream.Emit(dialog.Finding{Text: note})
		}
		w.verify(ctx, g)
	}
	result := verifyResult{Schema: "ehlo.verify/1", TookMS: float64(time.Since(began).Microseconds()) / 1000}
	var statuses []Status
	for _, m := range all {
		statuses = append(statuses, m.status)
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
	var groups []*mailboxes
	var all []*mailboxFacts
	byKey := map[string]*mailboxes{}
	for _, arg := range r.args {
		m, err := mime.ParseMailbox(arg)
		if err != nil {
			return nil, nil, &usageError{msg: err.Error(), next: r.next}
		}
		key, direct := strings.ToLower(m.Domain), false
		if server := r.String("server"); server != "" {
			key, direct = server, true
		}
		g := byKey[key]
		if g == nil {
			target, err := r.target(key, direct)
			if err != nil {
				return nil, nil, err
			}
			g = &mailboxes{target: target}
			byKey[key] = g
			groups = append(groups, g)
		}
		facts := &mailboxFacts{Address: m.Path(), Answer: "unknown", status: StatusUnknown}
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
				dialog.Greet(), dialog.Hello(), dialog.StartTLS(),
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
	for _, m := range g.list {
		if m.By == "" {
			m.Why, m.status = v.Sentence, v.Status
		}
	}
}

// asker asks one server, and remembers what it says of a mailbox that cannot
// exist: an answer counts only if that one gets another.
type asker struct {
	ctx     context.Context
	session *dialog.Session
	madeUp  map[string]*dialog.Reply // by verb
	opened  bool                     // MAIL was accepted
	err     error
}

func (a *asker) say(phase dialog.Phase, verb string, args ...any) *dialog.Reply {
	if a.err != nil {
		return nil
	}
	c, err := dialog.NewCommand(verb, args...)
	if err != nil {
		a.err = err
		return nil
	}
	turns, err := a.session.Exchange(a.ctx, dialog.Step{Phase: phase, Command: c, Waits: true})
	if err != nil {
		a.err = err
		return nil
	}
	return turns[0].Reply()
}

// ask settles every mailbox of g at one server, without ever sending a message.
func (g *mailboxes) ask(ctx context.Context, s *dialog.Session, host string) error {
	a := &asker{ctx: ctx, session: s, madeUp: map[string]*dialog.Reply{}}
	for i, m := range g.list {
		if m.By != "" {
			continue
		}
		a.mailbox(m, g.to[i])
		m.Host = host
		if a.err != nil {
			return a.err
		}
	}
	return nil
}

// mailbox asks VRFY, then EXPN, then RCPT, until one of them gives an answer that
// counts (RFC 5321 section 3.5).
func (a *asker) mailbox(m *mailboxFacts, to mime.Mailbox) {
	for _, verb := range []string{"VRFY", "EXPN"} {
		r := a.say(dialog.PhaseAsk, verb, to.Path())
		switch {
		case r == nil:
			return
		case r.Positive() && r.Code != 252 && !a.takesAll(verb, to):
			m.settle(verb, r, StatusDone, "a made-up name was refused, so the answer counts")
			return
		case verb == "VRFY" && absent(r):
			m.settle(verb, r, StatusRefused, "")
			return
		}
	}
	if !a.opened {
		r := a.say(dialog.PhaseMail, "MAIL", "FROM:<>")
		switch {
		case r == nil:
			return
		case !r.Positive():
			m.settle("MAIL", r, statusOf(r), "the null sender was refused, so no recipient could be tried")
			return
		}
		a.opened = true
	}
	r := a.say(dialog.PhaseRcpt, "RCPT", "TO:<"+to.Path()+">")
	switch {
	case r == nil:
	case r.Positive() && a.takesAll("RCPT", to):
		if a.err == nil {
			m.settle("RCPT", r, StatusUnknown, "for a made-up name too: the server takes every address")
		}
	case r.Positive():
		m.settle("RCPT", r, StatusDone, "a made-up name was refused, so the answer counts")
	case absent(r):
		m.settle("RCPT", r, StatusRefused, "")
	default:
		m.settle("RCPT", r, statusOf(r), "the server did not say whether there is such a mailbox")
	}
}

// takesAll reports whether verb is answered for a mailbox that cannot exist as it
// is for one that does.
func (a *asker) takesAll(verb string, to mime.Mailbox) bool {
	r := a.madeUp[verb]
	if r == nil {
		name := madeUp() + "@" + to.Domain
		if verb == "RCPT" {
			name = "TO:<" + name + ">"
		}
		phase := dialog.PhaseAsk
		if verb == "RCPT" {
			phase = dialog.PhaseRcpt
		}
		if r = a.say(phase, verb, name); r == nil {
			return true
		}
		a.madeUp[verb] = r
	}
	return r.Positive()
}

// madeUp is a local part that nobody has.
func madeUp() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "no-such-user-" + hex.EncodeToString(b[:])
}

// absent reports whether a reply says that there is no such mailbox, rather than
// that the question is not answered.
func absent(r *dialog.Reply) bool {
	if !r.Permanent() {
		return false
	}
	if !r.Enhanced.IsZero() {
		return r.Enhanced.Subject == 1 && r.Enhanced.Detail != 7 && r.Enhanced.Detail != 8 // X.1.7 and X.1.8 are the sender's
	}
	return r.Code == 550 || r.Code == 551 || r.Code == 553
}

func statusOf(r *dialog.Reply) Status {
	if r.Temporary() {
		return StatusDeferred
	}
	return StatusUnknown
}

func (m *mailboxFacts) settle(by string, r *dialog.Reply, s Status, why string) {
	m.By, m.Code, m.Text, m.Why, m.status = by, r.Code, r.String(), why, s
	switch s {
	case StatusDone:
		m.Answer = "exists"
	case StatusRefused:
		m.Answer = "absent"
	}
}

func mailboxLines(all []*mailboxFacts) []transcript.Line {
	marks := map[string]transcript.Mark{"exists": transcript.Pass, "absent": transcript.Fail, "unknown": transcript.Untested}
	var lines []transcript.Line
	for _, m := range all {
		detail := m.Text
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
