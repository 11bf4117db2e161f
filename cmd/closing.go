package cmd

import (
	"errors"
	"fmt"
	"strings"
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
	enhanced := ""
	if !r.Enhanced.IsZero() {
		enhanced = r.Enhanced.String()
	}
	e := explain.Reply(phase.String(), r.Code, enhanced, r.Lines())
	v.Means, v.Likely, v.Reason, v.Source = e.Brief, e.Likely, e.Reason, e.Source
	v.Next = strings.NewReplacer("TARGET", host).Replace(e.Next)
}

// fill puts a recipient and the sender's domain where an explanation speaks of
// them.
func (v *verdict) fill(address, senderDomain string) {
	v.Next = strings.NewReplacer("ADDRESS", address, "DOMAIN", senderDomain).Replace(v.Next)
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
		say(StatusInterrupted, "the conversation was ended before the message was sent")
	case errors.As(err, &noRoute):
		v.Phase = "route"
		say(StatusNoAnswer, noRoute.Error())
		if noRoute.Definite() {
			v.Status = StatusRefused
		}
	case errors.As(err, &connect):
		say(StatusNoAnswer, connect.Error())
		v.Likely, v.Next = "nothing listens there, or a firewall is in between", ""
	case errors.As(err, &tlsError):
		say(StatusTLS, tlsError.Error())
		v.tls(tlsError, host)
	case errors.As(err, &unmet):
		say(StatusRefused, unmet.Error())
	case errors.As(err, new(*dialog.BodyError)):
		say(StatusUsage, err.Error())
	case errors.As(err, &lost) && phase == dialog.PhaseConnect:
		say(StatusNoAnswer, err.Error())
	case errors.As(err, &lost):
		say(StatusProtocol, err.Error())
		v.Means = "the connection was lost before the message was sent"
	case errors.As(err, new(*dialog.ProtocolError)):
		say(StatusProtocol, err.Error())
		v.Means = "what the server sent is no answer that SMTP knows, so nothing was taken as one"
	default:
		say(StatusNoAnswer, err.Error())
	}
	v.Outcome = endingOf(v.Status).word
	return v
}

// tls adds what a failure of TLS means.
func (v *verdict) tls(err *dialog.TLSError, host string) {
	switch {
	case err.Unproven:
		v.Means = "the line is encrypted, but whoever holds it has not proved to be " + host
		v.Next = "again with --tls   # encrypts without proof: for a test"
	case err.Err != nil:
		v.Means = "both sides found no way to encrypt; going on in the clear would hide an attack"
		v.Next = "again with --no-tls   # in the clear: for a test"
	}
}
