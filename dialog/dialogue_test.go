package dialog

import (
	"fmt"
	"strings"
	"testing"
)

// Parts of scripts. What pipelines says so with a p.
const (
	greet = `
	S: 220 mx.test
	C: EHLO c.test
`
	plain  = greet + "S: 250 mx.test\n"
	pPlain = greet + "S: 250-mx.test\nS: 250 PIPELINING\n"
	rcpts  = `
	C: MAIL FROM:<s@c.test>
	S: 250 2.1.0 ok
	C: RCPT TO:<a@x.test>
	S: 250 2.1.5 ok
	C: RCPT TO:<b@x.test>
	S: 250 2.1.5 ok
`
	pRcpts = `
	C: MAIL FROM:<s@c.test>
	C: RCPT TO:<a@x.test>
	C: RCPT TO:<b@x.test>
	C: DATA
`
	pOK = `
	S: 250 2.1.0 ok
	S: 250 2.1.5 ok
	S: 250 2.1.5 ok
	S: 354 go
`
	data    = "C: DATA\nS: 354 go\n"
	theText = `C| Subject: x\r\n\r\n..hidden\r\n.\r\n` + "\n"
	bye     = "C: QUIT\nS: 221 bye\n"

	bothAccepted = "a accepted dot 250\nb accepted dot 250"
)

func play(t *testing.T, table []dialogue) {
	t.Helper()
	for _, g := range table {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			g.run(t)
		})
	}
}

func keywords(n int) string {
	var b strings.Builder
	b.WriteString("S: 250-mx.test\n")
	for i := range n - 1 {
		fmt.Fprintf(&b, "S: 250-X%d\n", i)
	}
	return b.String() + "S: 250 PIPELINING\n"
}

func TestGreeting(t *testing.T) {
	play(t, []dialogue{
		{name: "all is well", script: plain + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "pipelined", script: pPlain + pRcpts + pOK + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: bothAccepted},
		{name: "banner 4yz", script: "S: 450 later\n" + bye, want: "error refusal 450 connect"},
		{name: "banner 5yz", script: "S: 554 no\n" + bye, want: "error refusal 554 connect"},
		{name: "banner 250", script: "S: 250 hello\n" + bye, want: "error refusal 250 connect"},
		{name: "banner 421", script: "S: 421 busy\n", want: "error refusal 421 connect"},
		{name: "banner of lines", script: "S: 220-mx.test\nS: 220-no spam\nS: 220 ESMTP\nC: EHLO c.test\nS: 250 x\n" + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "no banner", script: "S! close\n", want: "error lost connect"},
		{name: "half a banner", script: "S| 220-mx\nS! close\n", want: "error lost connect"},
		{name: "banner of another protocol", script: "S: SSH-2.0-OpenSSH_9.2\n", want: "error protocol connect"},
		{name: "two banners", script: "S: 220 a\nS: 220 b\n", want: "error protocol connect"},
		{name: "EHLO 5yz", script: greet + "S: 502 what\nC: HELO c.test\nS: 250 hi\n" + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted, shows: "HELO is tried"},
		{name: "EHLO and HELO 5yz", script: greet + "S: 502 what\nC: HELO c.test\nS: 550 no\n" + bye, want: "error refusal 550 first-hello"},
		{name: "EHLO 421", script: greet + "S: 421 bye\n", want: "error refusal 421 first-hello"},
		{name: "EHLO 4yz", script: greet + "S: 450 later\n" + bye, want: "error refusal 450 first-hello"},
		{name: "EHLO 3yz", script: greet + "S: 350 more\n" + bye, want: "error refusal 350 first-hello"},
		{name: "EHLO answered in the banner's packet", script: "S: 220 mx.test\nS: 250 PIPELINING\n", want: "error protocol connect"},
		{name: "421 after EHLO's reply", script: greet + "S: 250 mx.test\nS: 421 shutting down\n", want: "error refusal 421 mail", shows: "the server says goodbye"},
		{name: "lost after EHLO", script: greet + "S! close\n", want: "error lost first-hello"},
		{name: "HELO offers nothing", script: greet + "S: 500 what\nC: HELO c.test\nS: 250-x\nS: 250 PIPELINING\n" + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "odd keywords", script: greet + "S: 250-mx.test\nS: 250-*ODD* x\nS: 250-\nS: 250 pipelining  \n" + pRcpts + pOK + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: bothAccepted, shows: "not a keyword: *ODD*"},
		{name: "1000 keywords", script: greet + keywords(1000) + pRcpts + pOK + theText + "C: QUIT\nS: 250 ok\nS: 221 bye\n", want: bothAccepted},
		{name: "1001 keywords", script: greet + keywords(1001) + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted, shows: "over 1000 keywords"},
	})
}

func TestReplies(t *testing.T) {
	ask := func() Plan {
		c, _ := NewCommand("NOOP")
		return Plan{Greet(), Hello(), Ask(c, nil), Quit()}
	}
	to := plain + "C: NOOP\n"
	long := strings.Repeat("x", maxReplyLine)
	lines := strings.Repeat("S: 250-"+strings.Repeat("y", 1018)+"\n", maxReply/1024)
	play(t, []dialogue{
		{name: "codes differ", plan: ask(), script: to + "S: 250-a\nS: 251 b\n", want: "error protocol ask"},
		{name: "code 199", plan: ask(), script: to + "S: 199 x\n", want: "error protocol ask"},
		{name: "code 600", plan: ask(), script: to + "S: 600 x\n", want: "error protocol ask"},
		{name: "code 000", plan: ask(), script: to + "S: 000 x\n", want: "error protocol ask"},
		{name: "code abc", plan: ask(), script: to + "S: abc x\n", want: "error protocol ask"},
		{name: "code 2500", plan: ask(), script: to + "S: 2500 x\n", want: "error protocol ask"},
		{name: "code 25", plan: ask(), script: to + "S: 25\n", want: "error protocol ask"},
		{name: "empty line", plan: ask(), script: to + "S: \n", want: "error protocol ask"},
		{name: "space before the code", plan: ask(), script: to + "S:  250 x\n", want: "error protocol ask"},
		{name: "line of 8 KiB", plan: ask(), script: to + "S: 250 " + long[:maxReplyLine-6] + "\n" + bye, want: ""},
		{name: "line over 8 KiB", plan: ask(), script: to + "S: 250 " + long[:maxReplyLine-5] + "\n", want: "error protocol ask"},
		{name: "reply of 256 KiB", plan: ask(), script: to + strings.TrimSuffix(lines, "S: 250-"+strings.Repeat("y", 1018)+"\n") + "S: 250 " + strings.Repeat("y", 1018) + "\n" + bye, want: ""},
		{name: "reply over 256 KiB", plan: ask(), script: to + lines + "S: 250 x\n", want: "error protocol ask"},
		{name: "bare LF", plan: ask(), script: to + "S| 250 x\\n\n" + bye, want: "", shows: "LF without CR"},
		{name: "no text", plan: ask(), script: to + "S: 250\n" + bye, want: "", shows: "no space behind the code"},
		{name: "no text behind the space", plan: ask(), script: to + "S: 250 \n" + bye, want: ""},
		{name: "trailing spaces", plan: ask(), script: to + "S: 250 x  \n" + bye, want: "", shows: "spaces at the end"},
		{name: "contradiction", plan: ask(), script: to + "S: 250 5.1.1 x\n" + bye, want: "", shows: "contradicts 250"},
		{name: "control characters", plan: ask(), script: to + "S: 250 \x1b[2J\n" + bye, want: "", shows: "1 control character in the reply to NOOP"},
		{name: "no is an answer", plan: ask(), script: to + "S: 502 no\n" + bye, want: ""},
		{name: "421 is none", plan: ask(), script: to + "S: 421 bye\n", want: ""},
		{name: "two replies", plan: ask(), script: to + "S: 250 a\nS: 250 b\n", want: "error protocol ask"},
		{name: "lost within a reply", plan: ask(), script: to + "S| 250-x\\r\\n\nS! close\n", want: "error lost ask"},
		{name: "QUIT answered 250", plan: ask(), script: to + "S: 250 x\nC: QUIT\nS: 250 bye\nS! close\n", want: ""},
		{name: "QUIT answered twice", plan: ask(), script: to + "S: 250 x\nC: QUIT\nS: 250 bye\nS: 221 bye\n", want: ""},
		{name: "QUIT answered by closing", plan: ask(), script: to + "S: 250 x\nC: QUIT\nS! close\n", want: ""},
		{name: "QUIT not answered", plan: ask(), script: to + "S: 250 x\nC: QUIT\n", want: "", opt: func(o *Options) { o.Timeouts.Quit = 50e6 }},
	})
}
