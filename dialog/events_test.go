package dialog

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// sketch is a transcript without columns, colours and times: "->" sent, "<-"
// received, with the bracket of a group and, behind " | ", what a reply answers.
func sketch(events []transcript.Event) string {
	mark := map[transcript.Mark]string{
		transcript.Phase: "*", transcript.Sent: "->", transcript.Received: "<-", transcript.Continued: "<-",
		transcript.Data: "->", transcript.Finding: "!", transcript.Failure: "x", transcript.Note: ".",
	}
	group := map[transcript.Group]string{transcript.First: "/ ", transcript.Middle: "- ", transcript.Last: "\\ "}
	var lines []string
	for _, event := range events {
		for _, l := range event.Lines() {
			line := mark[l.Mark] + " " + group[l.Group]
			if l.Mark == transcript.Data {
				line += ": "
			}
			if line += l.Label + l.Text; l.Aside != "" {
				line += " | " + l.Aside
			}
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	return strings.Join(lines, "\n")
}

func TestTranscript(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers map[string]string
		opt     func(*Options)
		body    Content
		want    string
	}{
		{"a group", map[string]string{"RCPT TO:<b@x.test>": "550-5.1.1 no\r\n550 5.1.1 b"}, nil, nil, `
			<- 220 x
			-> EHLO c.test
			<- 250-x
			<- 250-SIZE
			<- 250 PIPELINING
			* message23 bytes · 2 recipients
			-> / MAIL FROM:<s@c.test> SIZE=23
			-> - RCPT TO:<a@x.test>
			-> - RCPT TO:<b@x.test>
			-> \ DATA
			<- 250 ok | MAIL
			<- 250 ok | RCPT a@x.test
			<- 550-5.1.1 no
			<- 550 5.1.1 b | RCPT b@x.test
			<- 354 go | DATA
			-> / (message, 23 bytes)
			-> - .
			-> \ QUIT
			<- 250 ok | message
			<- 221 bye | QUIT`},
		{"lockstep, with its text", nil, func(o *Options) { o.Pipelining, o.ShowData = Never, ShowAll }, nil, `
			<- 220 x
			-> EHLO c.test
			<- 250-x
			<- 250-SIZE
			<- 250 PIPELINING
			* message23 bytes · 2 recipients
			-> MAIL FROM:<s@c.test> SIZE=23
			<- 250 ok
			-> RCPT TO:<a@x.test>
			<- 250 ok
			-> RCPT TO:<b@x.test>
			<- 250 ok
			-> DATA
			<- 354 go
			-> / (message, 23 bytes)
			-> - : Subject: x
			-> - :
			-> - : .hidden
			-> \ .
			<- 250 ok
			-> QUIT
			<- 221 bye`},
		{"chunks, and headers", map[string]string{"EHLO": "250-x\r\n250-CHUNKING\r\n250 PIPELINING"}, func(o *Options) { o.ShowData = ShowHeaders }, nil, `
			<- 220 x
			-> EHLO c.test
			<- 250-x
			<- 250-CHUNKING
			<- 250 PIPELINING
			* message23 bytes · 2 recipients
			-> / MAIL FROM:<s@c.test>
			-> - RCPT TO:<a@x.test>
			-> - RCPT TO:<b@x.test>
			-> - BDAT 23 LAST
			-> - (message, 23 bytes)
			-> - : Subject: x
			-> - : (body, 9 bytes)
			-> \ QUIT
			<- 250 ok | MAIL
			<- 250 ok | RCPT a@x.test
			<- 250 ok | RCPT b@x.test
			<- 250 ok | BDAT
			<- 221 bye | QUIT`},
		{"a body that fails is not shown", nil, nil, failing(lines(70 << 10)), `
			<- 220 x
			-> EHLO c.test
			<- 250-x
			<- 250-SIZE
			<- 250 PIPELINING
			* message102400 bytes · 2 recipients
			-> / MAIL FROM:<s@c.test> SIZE=102400
			-> - RCPT TO:<a@x.test>
			-> - RCPT TO:<b@x.test>
			-> \ DATA
			<- 250 ok | MAIL
			<- 250 ok | RCPT a@x.test
			<- 250 ok | RCPT b@x.test
			<- 354 go | DATA
			x the message cannot be read: the disk is gone`},
		{"what ends it is said once", map[string]string{"MAIL": "250 ok\r\n250 too\r\nmany"}, func(o *Options) { o.Pipelining = Never }, nil, `
			<- 220 x
			-> EHLO c.test
			<- 250-x
			<- 250-SIZE
			<- 250 PIPELINING
			* message23 bytes · 2 recipients
			-> MAIL FROM:<s@c.test> SIZE=23
			<- 250 ok
			<- 250 too
			x protocol error: a reply before its command: "250 too"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			answers := base(false)
			for k, v := range test.answers {
				answers[k] = v
			}
			log := &recorder{}
			o := testOptions()
			o.Stream = transcript.NewStream(log, time.Now)
			if test.opt != nil {
				test.opt(&o)
			}
			_, _, _ = converse(o, standard(newDelivery("", test.body)), answers)
			if got, want := sketch(log.records), unindent(test.want); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			for _, event := range log.records {
				if _, err := json.Marshal(event); err != nil || event.Kind() == "" {
					t.Errorf("%s: %v", event.Kind(), err)
				}
			}
		})
	}
}
