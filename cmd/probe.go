package cmd

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// probeResult is the document of probe.
type probeResult struct {
	Schema string `json:"schema"` // "ehlo.probe/1"
	OK     bool   `json:"ok"`
	verdict
	Targets []probeTarget `json:"targets"`
	TookMS  float64       `json:"took_ms"`
	lines   []transcript.Line
}

type probeTarget struct {
	Target  string   `json:"target"`
	Error   string   `json:"error,omitempty"`
	Servers []server `json:"servers"`
}

// Kind is that of a result.
func (probeResult) Kind() string { return transcript.ResultKind }

// Lines is the closing block.
func (r probeResult) Lines() []transcript.Line { return r.lines }

// prober is one run of probe.
type prober struct {
	*run
	*outlook
	questions []dialog.Command
}

func runProbe(ctx context.Context, r *run) (exit, error) {
	began := time.Now()
	p := &prober{run: r}
	targets, err := p.prepare()
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	ctx, cancel := r.limited(ctx)
	defer cancel()
	logins, err := r.loginsAt(ctx, targets)
	if err != nil {
		return exit{}, err
	}
	if p.outlook, err = r.open(ctx); err != nil {
		return exit{Status: StatusUsage}, err
	}
	p.Session.Pipelining = dialog.Never // each reply has to be seen with its command
	result := probeResult{Schema: "ehlo.probe/1"}
	all := p.each(r, targets, func(i int, t reach.Target) verdict {
		p.toward(r, t, logins[i])
		facts, v := p.probe(ctx, t)
		result.Targets = append(result.Targets, facts)
		return v
	})
	result.verdict = r.advise(sumTargets(all))
	result.OK = result.Status == StatusDone
	result.TookMS = transcript.Millis(time.Since(began))
	result.lines = result.closing(time.Since(began), targetLines(p.args, all))
	p.stream.Emit(result)
	return exit{Status: result.Status, Phase: result.Phase}, p.outlook.close()
}

// each visits targets in order; each of several has a head, and an end of its own.
func (w *outlook) each(r *run, targets []reach.Target, visit func(int, reach.Target) verdict) []verdict {
	var all []verdict
	for i, t := range targets {
		if len(targets) > 1 {
			w.stream.Emit(reach.Head{Name: t.Text, What: "target", Index: i + 1, Of: len(targets)})
			w.Session.Stream = w.stream.For(t.Text)
		}
		start := time.Now()
		v := visit(i, t)
		if len(targets) > 1 {
			w.Session.Stream.Emit(concluded{r.advise(v), time.Since(start)})
		}
		all = append(all, v)
	}
	return all
}

// concluded is the end of one of several targets.
type concluded struct {
	verdict
	took time.Duration
}

// Kind is "target".
func (concluded) Kind() string { return "target" }

// Lines is the target's closing block.
func (c concluded) Lines() []transcript.Line { return c.closing(c.took, nil) }

// prepare reads the targets and the questions, all of them before the first
// connection.
func (p *prober) prepare() ([]reach.Target, error) {
	targets, err := p.allNamed()
	if err != nil {
		return nil, err
	}
	verbs := map[string]string{"help-topic": "HELP", "vrfy": "VRFY", "expn": "EXPN", "etrn": "ETRN"}
	for _, q := range p.Ordered("help-topic", "vrfy", "expn", "etrn", "command") {
		var c dialog.Command
		var err error
		verb, known := verbs[q.Name]
		switch {
		case known && q.Value != "":
			c, err = dialog.NewCommand(verb, q.Value)
		case known:
			c, err = dialog.NewCommand(verb)
		default:
			c, err = dialog.NewCommand(q.Value)
		}
		if err == nil {
			err = notAQuestion(c)
		}
		if err != nil {
			return nil, &usageError{msg: fmt.Sprintf("--%s: %v", q.Name, err), next: p.next}
		}
		p.questions = append(p.questions, c)
	}
	return targets, nil
}

// notAQuestion refuses the commands after which the two sides no longer agree on
// what the next line is.
func notAQuestion(c dialog.Command) error {
	switch c.Verb() {
	case "DATA", "BDAT":
		return fmt.Errorf("%s begins a message: ehlo send does that", c.Verb())
	case "STARTTLS":
		return fmt.Errorf("STARTTLS is done by --tls-policy")
	case "AUTH":
		return fmt.Errorf("AUTH begins an exchange of its own: --auth does that")
	}
	return nil
}

// probe visits the first server of a target that converses, or with --all-mx
// every address of every host.
func (p *prober) probe(ctx context.Context, t reach.Target) (probeTarget, verdict) {
	facts := probeTarget{Target: t.Text, Servers: []server{}}
	hops, err := p.Hops(ctx, t)
	if err != nil {
		facts.Error = err.Error()
		return facts, judge(err, t.Text)
	}
	if p.Bool("all-mx") && len(hops) > 1 {
		p.Session.Stream.Emit(reach.Head{Name: hops[0].Host, What: "hop", Index: 1, Of: len(hops)})
	}
	var asked []answer
	plan := func(reach.Hop) dialog.Plan {
		asked = nil
		plan := dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Auth()}
		for _, c := range p.questions {
			plan = append(plan, dialog.Ask(c, func(r *dialog.Reply) { asked = append(asked, answer{c, r}) }))
		}
		return append(plan, dialog.Quit())
	}
	var all []verdict
	var rows matrix
	p.Tour(ctx, hops, plan, func(v reach.Visit) (bool, string) {
		s := newServer(v, asked)
		var row stages
		if p.Bool("all-mx") {
			row = p.stages(ctx, v, p.Session.TLS.Policy)
			s.ConnectMS, s.DANE = row.ConnectMS, row.DANE
			rows.Rows = append(rows.Rows, row)
		}
		facts.Servers = append(facts.Servers, s)
		if v.Report.Banner != nil {
			p.Session.Stream.Emit(s)
		}
		name := v.Hop.Host
		if v.Hop.Port != 25 {
			name = net.JoinHostPort(name, strconv.Itoa(int(v.Hop.Port)))
		}
		end := row.judged(v, name)
		if end.Status == StatusDone {
			end.Sentence = s.sentence()
		}
		all = append(all, end)
		if p.Bool("all-mx") {
			return ctx.Err() == nil, ""
		}
		return tryNextHop(v.Err)
	})
	if p.Bool("all-mx") {
		if len(rows.Rows) > 1 {
			p.Session.Stream.Emit(rows)
		}
		return facts, rows.sum(all)
	}
	return facts, all[len(all)-1]
}

// sumServers is the verdict on the servers of one target.
func sumServers(all []verdict) verdict {
	v := sumTargets(all)
	if len(all) > 1 {
		v.Sentence = strings.Replace(v.Sentence, "targets", "servers", 1)
	}
	return v
}

// tryNextHop is reach.TryNext for a question, which one good answer settles.
func tryNextHop(err error) (bool, string) {
	if err == nil {
		return false, ""
	}
	return reach.TryNext(err)
}
