package cmd

import (
	"strings"
	"time"

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
	if v.Status == StatusDeferred && v.Next == "" && !r.Set("retry-for") {
		v.Next = "again with --retry-for 30m"
	}
	if again, ok := strings.CutPrefix(v.Next, "again with --"); ok {
		name, _, _ := strings.Cut(again, " ")
		if f, _ := findFlag(r.command, name); f == nil {
			v.Next = ""
		}
	}
	for _, narrow := range []string{"tls-protocol", "tls-cipher", "tls-groups"} {
		if r.Set(narrow) && strings.HasPrefix(v.Next, "again with --no-tls") {
			v.Next = "again without --" + narrow
		}
	}
	r.adviseTLS(&v)
	if r.Set("transfer-encoding") && strings.HasPrefix(v.Next, "write the message in quoted-printable") {
		v.Next = "again with --transfer-encoding auto"
	}
	if r.logsIn() { // a login asks for more than the policy
		if strings.HasPrefix(v.Next, "again with --no-tls") {
			v.Next = ""
		}
		v.Next = strings.NewReplacer(
			"again with --tls-optional   # goes on in the clear: for a test", "again with --tls-optional --auth-cleartext   # all in the clear, the login too: for a test",
			"again with --tls   # encrypts without proof: for a test", "again with --tls --auth-unverified   # whoever holds the line learns the login: for a test",
		).Replace(v.Next)
	}
	v.unfilled()
	words := strings.SplitN(v.Next, " ", 3)
	if servers := r.Strings("dns-server"); len(servers) > 0 && len(words) == 3 && words[0] == "ehlo" {
		words[2] = "--dns-server " + strings.Join(servers, " --dns-server ") + " " + words[2]
		v.Next = strings.Join(words, " ")
	}
	if r.Bool("sandbox") && len(words) == 3 && words[0] == "ehlo" {
		v.Next = strings.Join([]string{words[0], words[1], "--sandbox", words[2]}, " ")
	}
	return v
}
