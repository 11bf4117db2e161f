package load

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Threshold is a bound that a Result is not to be beyond, as "p99>250ms",
// "rcpt.p50>=20ms", "errors>1%" or "rate<500".
type Threshold struct {
	Text   string
	phase  dialog.Phase // whose latency; whole says that it is the message's
	whole  bool
	metric string  // "p99", "max", "errors", "late", "rate"
	q      float64 // of a percentile
	below  bool    // it is broken below the limit, else above
	equal  bool    // at the limit too
	limit  float64 // a time in nanoseconds, a share, a number
	share  bool    // of the messages, from 0 to 1
}

var errThreshold = errors.New("a threshold is written p99>250ms, rcpt.p50>20ms, errors>0, errors>1%, late>0 or rate<500")

// ParseThreshold reads FIGURE, one of > >= < <=, and a limit. A figure is min, mean,
// max or a percentile (p50, p99.9) of the time that a message takes, as "message.max"
// says too, or behind the name of a phase and a dot that of its replies; errors or late,
// with a number or a percentage of what was tried or due; or rate, in messages a second.
func ParseThreshold(text string) (Threshold, error) {
	t := Threshold{Text: strings.ReplaceAll(text, " ", ""), whole: true}
	i := strings.IndexAny(t.Text, "<>")
	if i < 0 {
		return t, errThreshold
	}
	figure, limit := t.Text[:i], t.Text[i+1:]
	t.below = t.Text[i] == '<'
	limit, t.equal = strings.CutPrefix(limit, "=")
	name, metric, named := strings.Cut(figure, ".")
	if named = named && !strings.HasPrefix(figure, "p"); named {
		if figure = metric; name != wholeName {
			phase, err := phaseNamed(name)
			if err != nil {
				return t, err
			}
			t.phase, t.whole = phase, false
		}
	}
	t.metric = figure
	switch {
	case !named && (figure == "errors" || figure == "late" || figure == "rate"):
		return t, t.number(limit)
	case figure == "min", figure == "mean", figure == "max":
	case strings.HasPrefix(figure, "p"):
		p, err := decimal(figure[1:])
		if err != nil || p > 100 {
			return t, fmt.Errorf("%q is no percentile: p50, p99.9", figure)
		}
		t.q = p / 100
	default:
		return t, fmt.Errorf("%q is none of p50 (any percentile), min, mean, max, errors, late and rate", figure)
	}
	d, err := time.ParseDuration(limit)
	if err != nil || strings.ContainsAny(limit, "+-") {
		return t, fmt.Errorf("%q is no time: 250ms, 2s", limit)
	}
	t.limit = float64(d)
	return t, nil
}

func (t *Threshold) number(limit string) error {
	if t.metric != "rate" {
		limit, t.share = strings.CutSuffix(limit, "%")
	}
	var err error
	if t.limit, err = decimal(limit); err != nil {
		return fmt.Errorf("%q is no number", limit)
	}
	if t.share {
		t.limit /= 100
	}
	return nil
}

// decimal reads digits with at most one point among them.
func decimal(text string) (float64, error) {
	if strings.Trim(text, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// wholeName is what the time of a message is called beside those of the phases.
const wholeName = "message"

// phaseNamed is a phase by the name that a table has for it.
func phaseNamed(name string) (dialog.Phase, error) {
	for _, p := range Phases() {
		if Name(p) == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s, %s", name, strings.Join(names(), ", "), wholeName)
}

// Phases are those whose latency is measured, in order.
func Phases() []dialog.Phase {
	return []dialog.Phase{
		dialog.PhaseConnect, dialog.PhaseFirstHello, dialog.PhaseTLS, dialog.PhaseAuth,
		dialog.PhaseMail, dialog.PhaseRcpt, dialog.PhaseData, dialog.PhaseDot, dialog.PhaseQuit,
	}
}

// Name is what a phase is called in a table of latencies.
func Name(p dialog.Phase) string {
	if p == dialog.PhaseFirstHello {
		return "hello"
	}
	return p.String()
}

func names() []string {
	var list []string
	for _, p := range Phases() {
		list = append(list, Name(p))
	}
	return list
}

// Errors reports whether t bounds the errors.
func (t Threshold) Errors() bool { return t.metric == "errors" }

// Late reports whether t bounds the messages that were due and not sent.
func (t Threshold) Late() bool { return t.metric == "late" }

// Measured reports whether r has the figure that t bounds: of a phase that never came
// there is none.
func (t Threshold) Measured(r *Result) bool {
	_, text := t.figure(r)
	return text != ""
}

// Broken says what is beyond the threshold: "p99 is 312 ms"; "" if nothing is, or if
// nothing was measured.
func (t Threshold) Broken(r *Result) string {
	value, text := t.figure(r)
	if text == "" {
		return ""
	}
	beyond := value > t.limit
	if t.below {
		beyond = value < t.limit
	}
	if !beyond && !(t.equal && value == t.limit) {
		return ""
	}
	name := t.metric
	if !t.whole {
		name = Name(t.phase) + " " + name
	}
	return name + " is " + text
}

// figure is what t bounds, and for people.
func (t Threshold) figure(r *Result) (float64, string) {
	n, of := r.Errors(), r.Messages()
	if t.metric == "late" {
		n, of = r.Late, of+r.Late
	}
	switch {
	case t.share && of == 0:
		return 0, ""
	case t.share:
		share := float64(n) / float64(of)
		return share, strconv.FormatFloat(100*share, 'g', 3, 64) + "%"
	case t.metric == "errors", t.metric == "late":
		return float64(n), strconv.FormatInt(n, 10)
	case t.metric == "rate":
		return r.Speed(), strconv.FormatFloat(r.Speed(), 'f', 0, 64) + " a second"
	}
	h := &r.Whole
	if !t.whole {
		h = &r.Latency[t.phase]
	}
	if h.Count() == 0 {
		return 0, ""
	}
	var d time.Duration
	switch t.metric {
	case "min":
		d = h.Min()
	case "mean":
		d = h.Mean()
	case "max":
		d = h.Max()
	default:
		d = h.Quantile(t.q)
	}
	return float64(d), transcript.Duration(d)
}
