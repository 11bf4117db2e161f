package cmd

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/explain"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// verdict is how something ended, and what a person is told about it.
type verdict struct {
	Status   Status `json:"exit_status"`
	Phase    string `json:"phase,omitempty"`  // where it ended, as exit has it
	Outcome  string `json:"outcome"`          // one word
	Sentence string `json:"summary"`          // what follows the word
	Reason   string `json:"reason,omitempty"` // one of explain's, for scripts
	Means    string `json:"means,omitempty"`
	Seen     string `json:"seen,omitempty"`
	Likely   string `json:"likely,omitempty"`
	Next     string `json:"next,omitempty"`
	Source   string `json:"source,omitempty"`
}

// ending is a row of endings: the word and the mark of an exit status.
type ending struct {
	status Status
	word   string
	mark   transcript.Mark
}

var endings = [...]ending{
	{StatusDone, "done", transcript.ClosingOK},
	{StatusRefused, "refused", transcript.ClosingFailed},
	{StatusUsage, "failed", transcript.ClosingFailed},
	{StatusDeferred, "deferred", transcript.ClosingDeferred},
	{StatusNoAnswer, "no answer", transcript.ClosingFailed},
	{StatusTLS, "TLS failed", transcript.ClosingFailed},
	{StatusAuth, "not authenticated", transcript.ClosingFailed},
	{StatusProtocol, "protocol broken", transcript.ClosingFailed},
	{StatusPartly, "partly", transcript.ClosingPartly},
	{StatusUnknown, "unknown", transcript.ClosingUnknown},
	{StatusInterrupted, "interrupted", transcript.ClosingFailed},
}

func endingOf(s Status) ending {
	for _, e := range endings {
		if e.status == s {
			return e
		}
	}
	return ending{s, "failed", transcript.ClosingFailed}
}

// closing is the last line of a run, and the block of labels below it.
func (v verdict) closing(took time.Duration, items []transcript.Line, labels ...[2]string) []transcript.Line {
	e := endingOf(v.Status)
	lines := []transcript.Line{
		{Mark: transcript.Blank},
		{Mark: e.mark, Label: v.Outcome, Text: v.Sentence, Aside: "exit " + v.Status.String(), Took: took},
	}
	lines = append(lines, items...)
	labels = append([][2]string{{"means", v.Means}, {"seen", v.Seen}, {"likely", v.Likely}, {"next", v.Next}, {"source", v.Source}}, labels...)
	for _, label := range labels {
		if label[1] != "" {
			lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: label[0], Text: label[1]})
		}
	}
	return lines
}

// item is the mark of v in a list of several.
func (v verdict) item() transcript.Mark {
	switch v.Status {
	case StatusDone:
		return transcript.Pass
	case StatusDeferred:
		return transcript.Deferred
	case StatusUnknown:
		return transcript.Untested
	}
	return transcript.Fail
}

// advise fits what v proposes to the run: what was put off is tried again where
// the command can, a flag that it lacks is no advice, and commands stay in the
// sandbox if the run was there.
func (r *run) advise(v verdict) verdict {
	if v.Status == StatusDeferred && v.Next == "" {
		v.Next = "again with --retry-for 30m"
	}
	if again, ok := strings.CutPrefix(v.Next, "again with --"); ok {
		name, _, _ := strings.Cut(again, " ")
		if f, _ := findFlag(r.command, name); f == nil {
			v.Next = ""
		}
	}
	words := strings.SplitN(v.Next, " ", 3)
	if r.Bool("sandbox") && len(words) == 3 && words[0] == "ehlo" {
		v.Next = strings.Join([]string{words[0], words[1], "--sandbox", words[2]}, " ")
	}
	return v
}

// judgeReply is the verdict on a refusal by host in a phase.
func judgeReply(r *dialog.Reply, phase dialog.Phase, host string) verdict {
	v := verdict{Status: StatusRefused, Phase: phase.String()}
	how := "for good"
	if !r.Permanent() {
		v.Status, how = StatusDeferred, "for now"
	}
	v.Outcome = endingOf(v.Status).word
	v.Sentence = fmt.Sprintf("%s %s, with %s", how, moment(phase), r.Codes())
	v.explain(r, phase, host)
	return v
}

// explain adds what the reply means.
func (v *verdict) explain(r *dialog.Reply, phase dialog.Phase, host string) {
	e := explained(r, phase)
	v.Means, v.Likely, v.Reason, v.Source = e.Brief, e.Likely, e.Reason, e.Source
	v.Next = strings.NewReplacer("TARGET", host).Replace(e.Next)
}

func explained(r *dialog.Reply, phase dialog.Phase) explain.Explanation {
	enhanced := ""
	if !r.Enhanced.IsZero() {
		enhanced = r.Enhanced.String()
	}
	return explain.Reply(phase.String(), r.Code, enhanced, r.Lines())
}

// fill puts a recipient where an explanation speaks of one.
func (v *verdict) fill(address string) {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	v.Next = strings.NewReplacer("ADDRESS", address, "DOMAIN", domain).Replace(v.Next)
}

// moment says when a reply came, to a person.
func moment(p dialog.Phase) string {
	switch p {
	case dialog.PhaseConnect:
		return "by its greeting"
	case dialog.PhaseFirstHello, dialog.PhaseHello:
		return "at EHLO"
	case dialog.PhaseTLS:
		return "at STARTTLS"
	case dialog.PhaseMail:
		return "at MAIL"
	case dialog.PhaseRcpt:
		return "at RCPT"
	case dialog.PhaseData:
		return "at DATA"
	case dialog.PhaseDot:
		return "after the message"
	}
	return "at " + strings.ToUpper(p.String())
}

// judge is the verdict on an error that ended a run or a visit of host.
func judge(err error, host string) verdict {
	var (
		at       *dialog.Error
		refusal  *dialog.Refusal
		unmet    *dialog.UnmetError
		noRoute  *route.NoRoute
		connect  *reach.ConnectError
		lost     *dialog.LostError
		tlsError *dialog.TLSError
		limit    *maxTimeError
	)
	v := verdict{Status: StatusNoAnswer}
	phase := dialog.PhaseConnect
	if errors.As(err, &at) {
		phase = at.Phase
		v.Phase = phase.String()
	}
	say := func(s Status, sentence string) { v.Status, v.Sentence = s, sentence }
	switch {
	case errors.As(err, &refusal) && (refusal.Reply.Permanent() || refusal.Reply.Temporary()):
		return judgeReply(refusal.Reply, phase, host)
	case errors.As(err, &refusal):
		say(StatusProtocol, fmt.Sprintf("%s answered %s %s", host, refusal.Reply.Codes(), moment(phase)))
	case errors.Is(err, ErrInterrupted):
		say(StatusInterrupted, "before it was done")
	case errors.As(err, &limit):
		say(StatusNoAnswer, limit.Error())
		v.Next = "again with --max-time 30m   # waits longer"
	case errors.As(err, &noRoute):
		v.Phase = "route"
		say(StatusNoAnswer, noRoute.Error())
		if noRoute.Definite() {
			v.Status = StatusRefused
		} else {
			v.Next = "ehlo mx " + noRoute.Domain + " -v   # which server said what"
		}
		if noRoute.Why == route.NoDomain {
			v.Likely = "the name is misspelt, or no longer registered"
		}
	case errors.As(err, &connect):
		say(StatusNoAnswer, connect.Error())
		v.Likely = unreached(connect)
	case errors.As(err, &tlsError):
		say(StatusTLS, tlsError.Error())
		v.tls(tlsError)
	case errors.As(err, &unmet):
		say(StatusRefused, unmet.Error())
	case errors.As(err, new(*dialog.BodyError)):
		say(StatusUsage, err.Error())
	case errors.As(err, &lost) && phase == dialog.PhaseConnect:
		say(StatusNoAnswer, err.Error())
	case errors.As(err, &lost):
		say(StatusProtocol, err.Error())
		v.Means = "the connection was lost, and no message was sent"
	case errors.As(err, new(*dialog.ProtocolError)):
		say(StatusProtocol, err.Error())
		v.Means = "the server broke the protocol, so what it sent was not taken as an answer"
	case errors.As(err, new(*dialog.TimeoutError)):
		say(StatusNoAnswer, err.Error())
		v.Next = "again with --timeout " + timeClass(phase) + "5m   # waits longer"
	default:
		say(StatusNoAnswer, err.Error())
	}
	v.Outcome = endingOf(v.Status).word
	return v
}

// tls adds what a failure of TLS means.
func (v *verdict) tls(err *dialog.TLSError) {
	switch {
	case err.Unproven != "":
		v.Means = "the line is encrypted, but whoever holds it has not proved to be " + err.Unproven
		v.Next = "again with --tls   # encrypts without proof: for a test"
	case err.Err != nil && !err.Implicit:
		v.Means = "both sides found no way to encrypt; going on in the clear would hide an attack"
		v.Next = "again with --no-tls   # in the clear: for a test"
	case err.Implicit:
		v.Means = "TLS from the first byte was asked for, and something else answers there"
		v.Next = "again without TLS from the first byte: host:port, and no --tls-on-connect"
	default:
		v.Means = "TLS was demanded, and nothing is sent without it"
		v.Next = "again with --tls-optional   # goes on in the clear: for a test"
	}
}

// unreached is why a connection was likely not made.
func unreached(err *reach.ConnectError) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on that port, or a firewall refuses it"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "this host has no way to that network: no IPv6, perhaps, or a private address"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "a firewall in between: many networks let nothing out to port 25"
	}
	return ""
}

// timeClass is the class of --timeout that bounds the wait in a phase, with its
// "=", or "" for that of replies.
func timeClass(p dialog.Phase) string {
	switch p {
	case dialog.PhaseConnect:
		return "banner="
	case dialog.PhaseDot:
		return "dot="
	}
	return ""
}
