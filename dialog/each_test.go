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
		{name: "LMTP, 353 is no answer", opt: lmtp, script: hi + "S: 250 mx.test\n" + rcpts + data + theText + "S: 353 each\nS: 250 2.1.5 b\n" + bye,
			want: "a unknown dot 353\nb accepted dot 250 2.1.5"},
		{name: "LMTP, the reply to QUIT too early", opt: lmtp, script: hi + "S: 250-mx.test\nS: 250 PIPELINING\n" + pRcpts + pOK + theText + "C: QUIT\nS: 250 2.1.5 a\nS: 221 bye\nS: 550 b\n",
			want: "a unknown dot\nb unknown dot"},
		{name: "PRDR is not asked for alone", to: "a@x.test", tweak: prdr, script: ask + "C: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\n" + data + theText + "S: 250 ok\n" + bye, want: "a accepted dot 250"},
		{name: "PRDR is not offered", tweak: prdr, script: plain + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted, shows: "PRDR is not offered"},
		{name: "PRDR", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 250 2.0.0 a\nS: 550 b\nS: 250 whole\n" + bye, want: "a accepted dot 250 2.0.0\nb refused dot 550"},
		{name: "PRDR, refused as a whole", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 250 a\nS: 550 b\nS: 451 whole\n" + bye, want: "a deferred dot 451\nb deferred dot 451"},
		{name: "PRDR, all refused", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 550 5.7.1 a\nS: 552 5.2.2 b\nS: 550 whole\n" + bye, want: "a refused dot 550 5.7.1\nb refused dot 552 5.2.2"},
		{name: "PRDR, the server gives one reply", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 250 2.0.0 whole\n" + bye, want: "a accepted dot 250 2.0.0\nb accepted dot 250 2.0.0"},
		{name: "PRDR, lost before the last reply", tweak: prdr, script: ask + mailPRDR + data + theText + "S: 353 each\nS: 250 a\nS: 550 b\nS! close\n", want: "a unknown dot\nb unknown dot\nerror lost dot"},
		{name: "RCPTMAX", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTMAX=1\n" + one("a") + "S: 250 ok\n" + one("b") + "S: 550 no\n" + bye, want: "a accepted dot 250\nb refused dot 550"},
		{name: "RCPTMAX, RSET behind a transaction without a message", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTMAX=1\nC: MAIL FROM:<s@c.test>\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 550 no\nC: RSET\nS: 250 ok\n" + one("b") + "S: 250 ok\n" + bye, want: "a refused rcpt 550\nb accepted dot 250"},
		{name: "RCPTDOMAINMAX", to: "a@x.test b@y.test c@x.test", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTDOMAINMAX=1\n" + strings.ReplaceAll(rcpts, "b@", "c@") + data + theText + "S: 250 ok\n" + bye,
			want: "a accepted dot 250\nc accepted dot 250"},
		{name: "MAILMAX", script: greet + "S: 250-mx.test\nS: 250 LIMITS MAILMAX=1 RCPTMAX=1\n" + one("a") + "S: 250 ok\n" + bye, want: "a accepted dot 250"},
		{name: "limits that are none", script: greet + "S: 250-mx.test\nS: 250 LIMITS RCPTMAX=0 MAILMAX=x RCPTMAX\n" + rcpts + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "a parameter that is not offered", tweak: func(d *Delivery) { d.Mail = []Param{{"RET=HDRS", "DSN"}} }, script: plain + bye, want: "error unmet DSN mail"},
		{name: "a parameter that names the extension", tweak: func(d *Delivery) { d.Mail = []Param{{"REQUIRETLS", "REQUIRETLS"}} }, script: plain + bye, want: "error unmet REQUIRETLS mail", shows: "the server does not offer REQUIRETLS (RFC 8689)"},
		{name: "a deadline that is too near", tweak: func(d *Delivery) { d.Mail = []Param{{"BY=599;RT", "DELIVERBY"}} }, script: offers("DELIVERBY 600") + bye, want: "error unmet DELIVERBY mail", shows: "no message in less than 600"},
		{name: "a deadline that only tells", tweak: func(d *Delivery) { d.Mail = []Param{{"BY=-5;N", "DELIVERBY"}} }, script: offers("DELIVERBY 600") + strings.Replace(rcpts, "test>\n", "test> BY=-5;N\n", 1) + data + theText + "S: 250 ok\n" + bye, want: bothAccepted},
		{name: "held too long", tweak: func(d *Delivery) { d.Mail = []Param{{"HOLDFOR=61", "FUTURERELEASE"}} }, script: offers("FUTURERELEASE 60 2099-12-31T23:59:59Z") + bye, want: "error unmet FUTURERELEASE mail", shows: "holds none for more than 60"},
		{name: "a parameter by hand", tweak: func(d *Delivery) {
			d.Mail, d.To[1].Params = []Param{{Text: "RET=HDRS"}}, []Param{{Text: "NOTIFY=NEVER"}}
		},
			script: plain + "C: MAIL FROM:<s@c.test> RET=HDRS\nS: 250 ok\nC: RCPT TO:<a@x.test>\nS: 250 ok\nC: RCPT TO:<b@x.test> NOTIFY=NEVER\nS: 250 ok\n" + data + theText + "S: 250 2.0.0 ok\n" + bye, want: "a accepted dot 250 2.0.0\nb accepted dot 250 2.0.0"},
	}
	play(t, list)
}

func offers(line string) string { return greet + "S: 250-mx.test\nS: 250 " + line + "\n" }

// TestXclient: what is said for another client, and of where a message came from.
func TestXclient(t *testing.T) {
	first := func(o *Options) {
		o.XClient, o.XForward = []string{"addr=192.0.2.1", "NAME=a host=+"}, []string{"ADDR=192.0.2.1"}
	}
	forward := func(o *Options) { o.XForward = []string{"ADDR=192.0.2.1"} }
	anew := "C: XCLIENT ADDR=192.0.2.1 NAME=a+20host+3D+2B\nS: 220 mx.test\nC: EHLO c.test\n"
	to := strings.SplitAfter(rcpts, "ok\n")
	refused := to[0] + strings.Replace(to[1], "250", "550", 1) + strings.Replace(to[2], "250", "550", 1)
	play(t, []dialogue{
		{name: "both", opt: first, plan: Plan{Greet(), Hello(), Xclient(), Xforward(), Quit()},
			script: offers("XCLIENT NAME ADDR") + anew + "S: 250-mx.test\nS: 250 XFORWARD ADDR\nC: XFORWARD ADDR=192.0.2.1\nS: 250 ok\n" + bye},
		{name: "XCLIENT refused", opt: first, plan: Plan{Greet(), Hello(), Xclient(), Quit()},
			script: offers("XCLIENT NAME ADDR") + strings.Split(anew, "S:")[0] + "S: 550 no\n" + bye, want: "error refusal 550 auth"},
		{name: "XCLIENT is not offered", opt: first, plan: Plan{Greet(), Hello(), Xclient(), Quit()}, script: plain + bye, want: "error unmet XCLIENT auth", shows: "does not offer XCLIENT"},
		{name: "an attribute that XCLIENT does not take", opt: first, plan: Plan{Greet(), Hello(), Xclient(), Quit()}, script: offers("XCLIENT ADDR HELO") + bye, want: "error unmet XCLIENT auth", shows: "takes ADDR HELO here, and not NAME"},
		{name: "XFORWARD before each transaction", opt: forward, plan: Plan{Greet(), Hello(), Xforward(), deliverTwice(), Quit()},
			script: offers("XFORWARD ADDR") + "C: XFORWARD ADDR=192.0.2.1\nS: 250 ok\n" + refused + "C: RSET\nS: 250 ok\nC: XFORWARD ADDR=192.0.2.1\nS: 250 ok\n" + rcpts + data + theText + "S: 250 ok\n" + bye},
	})
}

// deliverTwice delivers two messages that nobody asks about.
func deliverTwice() Stage { return Deliver("mx.test", newDelivery("", nil), newDelivery("", nil)) }

// TestShare: no connection carries more than LIMITS allows, all of them together
// carry each message to each recipient once.
func TestShare(t *testing.T) {
	for _, test := range []struct {
		limits limits
		want   string // transactions, by commas, of connections, by semicolons
	}{
		{limits{}, "a@x b@y c@x,a@x b@y c@x"},
		{limits{mails: 1}, "a@x b@y c@x; a@x b@y c@x"},
		{limits{recipients: 2}, "a@x b@y,c@x,a@x b@y,c@x"},
		{limits{recipients: 2, mails: 3}, "a@x b@y,c@x,a@x b@y; c@x"},
		{limits{domains: 1}, "a@x c@x,a@x c@x; b@y,b@y"},
		{limits{1, 1, 1}, "a@x; b@y; c@x; a@x; b@y; c@x"},
	} {
		messages := []*Delivery{newDelivery("a@x b@y c@x", nil), newDelivery("a@x b@y c@x", nil)}
		had := map[*Recipient]bool{}
		var connections []string
		for rest := true; rest; {
			var all []transaction
			all, rest = test.limits.share(messages, had)
			var said []string
			for _, d := range all {
				var to []string
				for _, i := range d.batch {
					d.To[i].Outcome, had[&d.To[i]] = Deferred, true
					to = append(to, d.To[i].Address)
				}
				said = append(said, strings.Join(to, " "))
			}
			connections = append(connections, strings.Join(said, ","))
		}
		if got := strings.Join(connections, "; "); got != test.want {
			t.Errorf("%+v: got %s, want %s", test.limits, got, test.want)
		}
	}
}
