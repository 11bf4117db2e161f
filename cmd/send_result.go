package cmd

import (
	"errors"
	"fmt"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// sendResult is the document of send.
type sendResult struct {
	Schema string `json:"schema"` // "ehlo.send/1"
	OK     bool   `json:"ok"`
	verdict
	Message    messageFacts     `json:"message"`            // the first
	Messages   []messageFacts   `json:"messages,omitempty"` // all of several
	Recipients []recipientFacts `json:"recipients"`
	Targets    []targetFacts    `json:"targets"`
	TookMS     float64          `json:"took_ms"`
	lines      []transcript.Line
}

type messageFacts struct {
	ID    string `json:"id,omitempty"`
	Bytes int64  `json:"bytes"`
	Type  string `json:"content_type"`
	From  string `json:"from"`
}

type recipientFacts struct {
	Address string         `json:"address"`
	Message string         `json:"message,omitempty"` // its Message-ID, of several
	Outcome dialog.Outcome `json:"outcome"`
	Status  Status         `json:"exit_status"` // as if it were the only one
	replied
	Host  string `json:"host,omitempty"`
	Phase string `json:"phase,omitempty"`
	Error string `json:"error,omitempty"` // why no server decided
}

// replied is the reply that decided something; zero for none.
type replied struct {
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"` // without the codes
}

func repliedWith(r *dialog.Reply) replied {
	f := replied{Code: r.Code, Text: r.Text()}
	if !r.Enhanced.IsZero() {
		f.Enhanced = r.Enhanced.String()
	}
	return f
}

type targetFacts struct {
	Target string     `json:"target"`
	Error  string     `json:"error,omitempty"`
	Hops   []hopFacts `json:"hops"`
}

type hopFacts struct {
	Host    string `json:"host"`
	Address string `json:"address,omitempty"`
	Reached bool   `json:"reached"`
	Error   string `json:"error,omitempty"`
}

// Kind is that of a result.
func (sendResult) Kind() string { return transcript.ResultKind }

// Lines is the closing block.
func (r sendResult) Lines() []transcript.Line { return r.lines }

// result sums up a run.
func (s *sending) result() sendResult {
	took := time.Since(s.began)
	r := sendResult{
		Schema:  "ehlo.send/1",
		Message: s.about(s.messages[0]),
		TookMS:  transcript.Millis(took),
	}
	if len(s.messages) > 1 {
		for _, m := range s.messages {
			r.Messages = append(r.Messages, s.about(m))
		}
	}
	var statuses []Status
	var worst []verdict // of each recipient, in order
	for _, p := range s.parts {
		for n, d := range p.mail {
			for i := range d.To {
				to := &d.To[i]
				v := s.judge(p, s.messages[n], to)
				if to.Outcome == dialog.Undecided && v.Status == StatusRefused {
					to.Outcome = dialog.Refused // without a reply: a null MX, a SIZE too small
				}
				statuses, worst = append(statuses, v.Status), append(worst, v)
				facts := factsOf(to, v)
				if len(s.messages) > 1 {
					facts.Message = s.messages[n].ID()
				}
				r.Recipients = append(r.Recipients, facts)
			}
		}
		r.Targets = append(r.Targets, p.facts())
	}
	r.verdict = s.advise(s.sumUp(combine(statuses...), worst, r.Recipients))
	if s.interrupted && r.Status != StatusUnknown {
		r.Status, r.Outcome, r.Sentence, r.Next = StatusInterrupted, endingOf(StatusInterrupted).word, "in the pause before the next try", ""
	}
	r.OK = r.Status == StatusDone
	r.lines = r.closing(took, s.items(worst), s.labels(r.verdict)...)
	return r
}

func (s *sending) about(m *mime.Message) messageFacts {
	return messageFacts{ID: m.ID(), Bytes: m.Size(), Type: m.ContentType(), From: s.from.Path()}
}

// judge is the verdict on one recipient of a message.
func (s *sending) judge(p *part, m *mime.Message, to *dialog.Recipient) verdict {
	switch {
	case to.Outcome == dialog.Accepted:
		return verdict{Status: StatusDone, Outcome: "accepted", Sentence: fmt.Sprintf("by %s for %s", to.Hop, to.Address)}
	case to.Outcome == dialog.Unknown:
		means := "every byte was sent and no reply came: it may be delivered, or lost"
		if to.Reply != nil || errors.As(p.err, new(*dialog.ProtocolError)) {
			means = "every byte was sent, and the reply cannot be trusted: it may be delivered, or lost"
		}
		ask := "for " + m.ID()
		if m.ID() == "" {
			ask = "whether it came,"
		}
		return verdict{
			Status: StatusUnknown, Phase: "dot", Outcome: "unknown", Sentence: fmt.Sprintf("if %s took the message", to.Hop),
			Means: means,
			Next:  fmt.Sprintf("ask the postmaster of %s %s before sending again: a second try may deliver it twice", p.target.Text, ask),
		}
	case to.Reply != nil && !(to.Outcome == dialog.Deferred && errors.As(p.err, new(*dialog.BodyError))): // which ended a later try
		host := to.Hop
		if p.target.Direct {
			host = p.target.Text
		}
		v := judgeReply(to.Reply, to.Phase, host)
		var refusal *dialog.Refusal
		if errors.As(p.err, &refusal) && refusal.Reply == to.Reply {
			v = judge(p.err, host) // of the whole conversation: the command is known
		}
		if v.Reason == "auth-failure" && to.Phase == dialog.PhaseDot && len(m.Signatures()) == 0 {
			v.Seen = "the message carried no DKIM signature"
		}
		v.fill(to.Address, s.from.Path())
		return v
	case to.Err != nil:
		return judge(to.Err, to.Hop)
	case p.err != nil:
		v := judge(p.err, p.host())
		s.recode(&v, p.err, m)
		if v.Status == StatusInterrupted {
			v.Sentence = "before any message was sent"
		}
		return v
	}
	return verdict{Status: StatusDone, Phase: "", Outcome: "done", Sentence: "stopped as asked, before the message"}
}

// host is where p was last, or where it was to go.
func (p *part) host() string {
	if len(p.visits) > 0 && !p.target.Direct {
		return p.visits[len(p.visits)-1].Hop.Host
	}
	return p.target.Text
}

// sumUp is the verdict on all recipients: of one, or of many alike, it is theirs.
func (s *sending) sumUp(status Status, all []verdict, to []recipientFacts) verdict {
	v := all[0]
	for _, other := range all {
		if other.Status == status {
			v = other
			break
		}
	}
	if len(all) == 1 {
		return v
	}
	alike, accepted, done := 0, 0, 0
	for _, other := range all {
		if other.Status == status && other.Sentence == v.Sentence {
			alike++
		}
		if other.Outcome == dialog.Accepted.String() {
			accepted++
		}
		if other.Status == StatusDone {
			done++
		}
	}
	switch {
	case status == StatusPartly:
		next := ""
		for i, other := range all {
			if other.Status == StatusDeferred && next == "" {
				next = "again with --to " + to[i].Address + " --retry-for 1h"
			}
		}
		sentence := fmt.Sprintf("accepted: %d of %s", accepted, s.amount(len(all)))
		if accepted == 0 {
			sentence = fmt.Sprintf("stopped as asked, with no objection to %d of %s", done, s.amount(len(all)))
		}
		return verdict{Status: status, Outcome: "partly", Sentence: sentence, Next: next}
	case status == StatusDone && v.Outcome == "accepted":
		v.Sentence = fmt.Sprintf("by %s for %s", s.parts[0].host(), s.amount(len(all)))
		if len(s.parts) > 1 {
			v.Sentence = "for " + s.amount(len(all))
		}
	case alike == len(all):
	case status == StatusUnknown:
		v.Sentence = fmt.Sprintf("for %d of %s", alike, s.amount(len(all)))
	case status == StatusInterrupted:
		v.Sentence = fmt.Sprintf("after %d of %s were accepted", accepted, s.amount(len(all)))
	default: // each for a reason of its own, which the list tells
		v = verdict{Phase: v.Phase, Sentence: "all " + s.amount(len(all))}
	}
	v.Status, v.Outcome = status, endingOf(status).word
	if status == StatusDone {
		v.Outcome = all[0].Outcome
	}
	return v
}

// amount says of what there are n: each message to each recipient.
func (s *sending) amount(n int) string {
	if len(s.messages) > 1 {
		return fmt.Sprintf("%d deliveries (%d messages)", n, len(s.messages))
	}
	return transcript.Count(n, "recipient")
}

// itemsMost is how many deliveries of several messages are listed.
const itemsMost = 20

// items lists several recipients with their outcomes: accepted, deferred,
// unknown, refused.
func (s *sending) items(all []verdict) []transcript.Line {
	if len(all) < 2 {
		return nil
	}
	var lines []transcript.Line
	for _, outcome := range []dialog.Outcome{dialog.Accepted, dialog.Deferred, dialog.Unknown, dialog.Refused, dialog.Undecided} {
		at := 0
		for _, p := range s.parts {
			for n, d := range p.mail {
				for i := range d.To {
					v := all[at]
					at++
					if d.To[i].Outcome != outcome || len(s.messages) > 1 && (outcome == dialog.Accepted || len(lines) == itemsMost) {
						continue
					}
					lines = append(lines, item(&d.To[i], v, s.name(n)))
				}
			}
		}
	}
	return lines
}

// item is one recipient, and of several messages the one that it is about.
func item(to *dialog.Recipient, v verdict, message string) transcript.Line {
	word, detail, mark := to.Outcome.String(), "", v.item()
	switch {
	case to.Reply != nil && to.Outcome == dialog.Accepted:
		detail = to.Reply.Codes()
	case to.Reply != nil && v.Status != StatusUsage:
		detail = to.Reply.String()
	case to.Outcome != dialog.Unknown:
		word, detail = v.Outcome, v.Sentence
		if v.Status == StatusDone { // stopped as asked
			mark = transcript.Info
		}
	}
	cells := []string{word, to.Address, detail}
	if message != "" {
		cells = []string{word, to.Address, message, detail}
	}
	return transcript.Line{Mark: mark, Cells: cells}
}

// labels are what a success is worth knowing for.
func (s *sending) labels(v verdict) [][2]string {
	if v.Outcome != "accepted" {
		return nil
	}
	labels := [][2]string{{"id", s.messages[0].ID()}}
	if len(s.messages) > 1 {
		return nil
	}
	if to := s.parts[0].mail[0].To; len(s.parts) == 1 && len(to) == 1 && to[0].Reply != nil {
		labels = append(labels, [2]string{"reply", to[0].Reply.String()})
	}
	return labels
}

// recipients are those of all messages, in order.
func (p *part) recipients() []*dialog.Recipient {
	var all []*dialog.Recipient
	for _, d := range p.mail {
		for i := range d.To {
			all = append(all, &d.To[i])
		}
	}
	return all
}

func factsOf(to *dialog.Recipient, v verdict) recipientFacts {
	f := recipientFacts{Address: to.Address, Outcome: to.Outcome, Status: v.Status, Host: to.Hop}
	switch {
	case to.Reply != nil && v.Status != StatusUsage:
		f.replied, f.Phase = repliedWith(to.Reply), to.Phase.String()
	case to.Outcome == dialog.Unknown:
		f.Phase = to.Phase.String()
	case v.Status != StatusDone:
		f.Phase, f.Error = v.Phase, v.Sentence
	}
	return f
}

func (p *part) facts() targetFacts {
	f := targetFacts{Target: p.target.Text, Hops: []hopFacts{}}
	if p.err != nil {
		f.Error = p.err.Error()
	}
	for _, v := range p.visits {
		h := hopFacts{Host: v.Hop.Host, Address: v.Addr, Reached: v.Reached}
		if v.Err != nil {
			h.Error = v.Err.Error()
		}
		f.Hops = append(f.Hops, h)
	}
	return f
}
