package dialog

import (
	"strings"
	"testing"
)

// TestEach: servers that give every recipient a reply of his own.
func TestEach(t *testing.T) {
	lmtp := func(o *Options) { o.LMTP = true }
	const hi = "S: 220 mx.test\nC: LHLO c.test\n"
	const ask = "S: 220 mx.test\nC: EHLO c.test\nS: 250-mx.test\nS: 250 PRDR\n"
	prdr := func(d *Delivery) { d.PRDR = true }
	one := func(to string) string {
		return "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<" + to + "@x.test>\nS: 250 ok\n" + data + theText
	}
	mailPRDR := "C: MAIL FROM:<s@c.test> PRDR\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\nC: RCPT TO:<b@x.test>\nS: 250 ok\n"
	list := []dialogue{
		{name: "LMTP", opt: lmtp, script: hi + "S: 250 mx.test\n" + rcpts + data + theText + "S: 250 2.1.5 a\nS: 452 4.2.2 b is full\n" + bye,
			want: "a accepted dot 250 2.1.5\nb deferred dot 452 4.2.2"},
		{name: "LMTP pipelined", opt: lmtp, script: hi + "S: 250-mx.test\nS: 250 PIPELINING\n" + pRcpts + pOK + theText + "C: QUIT\nS: 250 2.1.5 a\nS: 550 5.2.1 b\nS: 221 bye\n",
			want: "a accepted dot 250 2.1.5\nb refused dot 550 5.2.1"},
		{name: "LMTP, one of two refused at RCPT", opt: lmtp, script: hi + "S: 250 mx.test\nC: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 550 5.1.1 no\nC: RCPT TO:<b@x.test>\nS: 250 ok\n" + data + theText + "S: 250 2.1.5 b\n" + bye,
			want: "a refused rcpt 550 5.1.1\nb accepted dot 250 2.1.5"},
		{name: "LMTP, lost between the replies", opt: lmtp, script: hi + "S: 250 mx.test\n" + rcpts + data + theText + "S: 250 2.1.5 a\nS! close\n",
			want: "a accepted dot 250 2.1.5\nb unknown dot\nerror lost dot"},
		{name: "LMTP, a reply too many", opt: lmtp, script: hi + "S: 250-mx.test\nS: 250 PIPELINING\n" + pRcpts + pOK + theText + "C: QUIT\nS: 250 a\nS: 250 b\nS: 250 c\nS: 221 bye\n",
			want: "a unknown dot 250\nb unknown dot 250\nerror protocol quit"},
		{name: "LMTP is not HELO", opt: lmtp, script: hi + "S: 500 what\n" + bye, want: "error refusal 500 first-hello"},
		{name: "PRDR is not asked for alone", to: "a@x.test", tweak: prdr, script: ask + "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\n" + data + theText + "S: 250 ok\n" + bye, want: "a accepted dot 250"},
		{name: "PRDR is not offered", tweak: prdr, script: plain + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "PRDR", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 250 2.0.0 a\nS: 550 b\nS: 250 whole\n" + bye, want: "a accepted dot 250 2.0.0\nb refused dot 550"},
		{name: "PRDR, refused as a whole", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 250 a\nS: 550 b\nS: 451 whole\n" + bye, want: "a deferred dot 451\nb deferred dot 451"},
		{name: "PRDR, the server gives one reply", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 250 2.0.0 whole\n" + bye, want: "a accepted dot 250 2.0.0\nb accepted dot 250 2.0.0"},
		{name: "PRDR, lost before the last reply", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 250 a\nS: 550 b\nS! close\n", want: "a unknown dot\nb unknown dot\nerror lost dot"},
		{name: "RCPTMAX", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTMAX=1\n" + one("a") + "S: 250 ok\n" + one("b") + "S: 550 no\n" + bye, want: "a accepted dot 250\nb refused dot 550"},
		{name: "RCPTMAX, RSET behind a transaction without a message", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTMAX=1\nC: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 550 no\nC: RSET\nS: 250 ok\n" + one("b") + "S: 250 ok\n" + bye, want: "a refused rcpt 550\nb accepted dot 250"},
		{name: "RCPTDOMAINMAX", to: "a@x.test b@y.test c@x.test", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTDOMAINMAX=1\n" + one("a") + "S: 250 ok\n" + strings.ReplaceAll(one("b"), "x.test", "y.test") + "S: 250 ok\n" + one("c") + "S: 250 ok\n" + bye,
			want: "a accepted dot 250\nb@y.test accepted dot 250\nc accepted dot 250"},
		{name: "MAILMAX", script: greet + "S: 250-mx.test\nS: 250 LIMITS MAILMAX=1 RCPTMAX=1\n" + one("a") + "S: 250 ok\n" + bye, want: "a accepted dot 250"},
		{name: "limits that are none", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTMAX=0 MAILMAX=x RCPTMAX\n" + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "a parameter that is not offered", tweak: func(d *Delivery) { d.Mail = []Param{{"RET=HDRS", "DSN"}} }, script: plain + bye, want: "error unmet DSN mail"},
		{name: "a parameter by hand", tweak: func(d *Delivery) {
			d.Mail, d.To[1].Params = []Param{{Text: "RET=HDRS"}}, []Param{{Text: "NOTIFY=NEVER"}}
		},
			script: plain + "C: MAIL FROM:<s@c.test> RET=HDRS\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\nC: RCPT TO:<b@x.test> NOTIFY=NEVER\nS: 250 ok\n" + data + theText + "S: 250 2.0.0 ok\n" + bye, want: "a accepted dot 250 2.0.0\nb accepted dot 250 2.0.0"},
	}
	play(t, list)
}
