package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExtensions holds each extension's server to what it declares, and to the
// syntax of its parameters.
func TestExtensions(t *testing.T) {
	greet := func(line string) string { return "S: 220 *\nC: EHLO client.test\nS> 250 " + line + "\n" }
	mail := func(param, reply string) string {
		return "C: MAIL FROM:<a@client.test> " + param + "\nS: " + reply + "\nC: RSET\nS: 250 *\n"
	}
	good := func(params ...string) (script string) {
		for _, p := range params {
			script += mail(p, "250 2.1.0 Ok")
		}
		return script
	}
	bad := func(params ...string) (script string) {
		for _, p := range params {
			script += mail(p, "501 5.5.4 *")
		}
		return script
	}
	const begun = "C: MAIL FROM:<a@client.test>\nS: 250 *\n"
	for _, test := range []struct{ name, addr, script string }{
		{"nothing is known that is not offered", "192.0.2.10:25", greet("HELP") +
			strings.NewReplacer("501 5.5.4 *", "555 5.5.4 parameter not recognized: *").Replace(
				bad("BY=600;R", "HOLDFOR=1", "HOLDUNTIL=2099-01-01T00:00:00Z", "MT-PRIORITY=1", "REQUIRETLS", "XVERP", "PRDR", "AUTH=<>")) +
			begun + "C: RCPT TO:<alice@good.test> RRVS=2020-01-01T00:00:00Z\nS: 555 *\nC: XCLIENT ADDR=192.0.2.1\nS: 500 *\nC: XFORWARD ADDR=192.0.2.1\nS: 500 *\nC: LHLO client.test\nS: 500 *"},
		{"DELIVERBY", "203.0.113.100:25", greet("DELIVERBY 600") + good("BY=600;R", "by=-1;n", "BY=1;NT", "BY=999999999;RT") +
			bad("BY", "BY=600", "BY=600;", "BY=600;X", "BY=;R", "BY=0;R", "BY=-1;R", "BY=+600;R", "BY=1000000000;R") +
			mail("BY=599;R", "555 5.5.4 the deadline is too near")},
		{"FUTURERELEASE", "203.0.113.101:25", greet("FUTURERELEASE 86400 2099-12-31T23:59:59Z") +
			good("HOLDFOR=1", "HOLDFOR=86400", "HOLDUNTIL=2098-01-01T00:00:00Z") +
			bad("HOLDFOR", "HOLDFOR=0", "HOLDFOR=01", "HOLDFOR=-1", "HOLDFOR=86401", "HOLDFOR=1000000000", "HOLDUNTIL=2001-01-01T00:00:00Z", "HOLDUNTIL=2098-01-01T00:00:00+01:00")},
		{"MT-PRIORITY", "203.0.113.102:25", greet("MT-PRIORITY MIXER") + good("MT-PRIORITY=0", "MT-PRIORITY=-9", "MT-PRIORITY=9") +
			bad("MT-PRIORITY", "MT-PRIORITY=10", "MT-PRIORITY=+1", "MT-PRIORITY=-0", "MT-PRIORITY=x")},
		{"REQUIRETLS", "203.0.113.103:25", greet("SMTPUTF8") + mail("REQUIRETLS", "555 *") + "TLS\nC: EHLO client.test\nS> 250 REQUIRETLS\n" +
			good("REQUIRETLS") + bad("REQUIRETLS=yes")},
		{"RRVS", "203.0.113.104:25", greet("RRVS") + begun + `
			C: RCPT TO:<alice@rrvs.test> RRVS=2020-01-01T00:00:00Z;C
			C: RCPT TO:<carol@rrvs.test>
			C: RCPT TO:<carol@rrvs.test> RRVS=2020-01-01T00:00:00+01:00
			C: RCPT TO:<nobody@rrvs.test> RRVS=2020-01-01T00:00:00Z;r
			C: RCPT TO:<alice@rrvs.test> RRVS
			C: RCPT TO:<alice@rrvs.test> RRVS=2020-01-01
			C: RCPT TO:<alice@rrvs.test> RRVS=2020-01-01T00:00:00Z;X
			S: 250 2.1.5 Ok
			S: 250 2.1.5 Ok
			S: 550 5.7.17 <carol@rrvs.test> has had another owner since then
			S: 550 5.1.1 *
			S: 501 *
			S: 501 *
			S: 501 *`},
		{"XVERP", "203.0.113.105:25", greet("XVERP") + good("XVERP", "XVERP=+-") + bad("XVERP=+", "XVERP=+++")},
		{"LIMITS", "203.0.113.109:25", greet("LIMITS MAILMAX=2 RCPTMAX=2 RCPTDOMAINMAX=1") + `
			C: MAIL FROM:<a@client.test>
			C: RCPT TO:<alice@limits.test>
			C: RCPT TO:<bob@sub.limits.test>
			C: RCPT TO:<bob@LIMITS.test>
			C: RSET
			C: MAIL FROM:<a@client.test
			C: MAIL FROM:<a@client.test>
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 452 4.5.3 too many domains on this connection
			S: 452 4.5.3 too many recipients
			S: 250 2.0.0 Ok
			S: 501 *
			S: 421 4.7.0 no more messages on this connection
			EOF`},
		{"PRDR", "203.0.113.108:25", greet("PRDR") + bad("PRDR=yes") + `
			C: MAIL FROM:<> PRDR
			C: RCPT TO:<alice@prdr.test>
			C: RCPT TO:<carol@prdr.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C: Subject: x
			C: .
			S: 353 a reply for each recipient follows
			S: 250 2.1.5 Ok
			S: 550 5.7.1 <carol@prdr.test> does not want this message
			S: 250 2.0.0 Ok: queued as sandbox-1
			C: MAIL FROM:<> PRDR
			C: RCPT TO:<alice@prdr.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C| a\nb\r\n.\r\n
			S: 554 5.6.0 *`},
		{"LMTP", "203.0.113.110:24", `
			S: 220 mx1.lmtp.test LMTP ehlo sandbox
			C: HELO client.test
			S: 500 *
			C: EHLO client.test
			S: 500 *
			C: LHLO client.test
			S> 250 SMTPUTF8
			C: MAIL FROM:<>
			C: DATA
			S: 250 2.1.0 Ok
			S: 503 5.5.1 no valid recipients
			C: RCPT TO:<alice@lmtp.test>
			C: RCPT TO:<erin@lmtp.test>
			C: RCPT TO:<nobody@lmtp.test>
			C: RCPT TO:<carol@lmtp.test>
			C: DATA
			S: 250 2.1.5 Ok
			S: 250 2.1.5 Ok
			S: 550 5.1.1 *
			S: 250 2.1.5 Ok
			S: 354 *
			C: Subject: x
			C: .
			C: NOOP
			S: 250 2.1.5 Ok: delivered as sandbox-1
			S: 452 4.2.2 <erin@lmtp.test> mailbox full
			S: 550 5.7.1 <carol@lmtp.test> does not want this message
			S: 250 2.0.0 Ok
			C: MAIL FROM:<>
			C: RCPT TO:<alice@lmtp.test>
			C: RCPT TO:<bob@lmtp.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C| a\nb\r\n.\r\n
			S: 554 5.6.0 *
			S: 554 5.6.0 *`},
		{"XCLIENT", "203.0.113.106:25", greet("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT") + `
			C: XCLIENT
			S: 501 *
			C: XCLIENT COLOR=blue
			S: 501 5.5.4 attribute not recognized: COLOR
			C: XCLIENT ADDR=2001:db8::1
			S: 501 *
			C: XCLIENT PROTO=HTTP
			S: 501 *
			C: XCLIENT NAME=a+2
			S: 501 *
			C: MAIL FROM:<>
			S: 250 *
			C: XCLIENT ADDR=192.0.2.77
			S: 503 *
			C: RSET
			S: 250 *
			C: XCLIENT ADDR=IPV6:2001:db8::7 NAME=[UNAVAILABLE] PORT=25
			S: 220 mx1.xclient.test ESMTP ehlo sandbox
			C: MAIL FROM:<>
			S: 503 EHLO first
			C: EHLO client.test
			S: 250-mx1.xclient.test greets client.test [2001:db8::7]
			S> 250 XCLIENT *
			C: XCLIENT ADDR=[UNAVAILABLE] LOGIN=alice
			S: 220 *
			C: EHLO client.test
			S: 250-mx1.xclient.test greets client.test [2001:db8::7]
			S> 250 XCLIENT *
			C: MAIL FROM:<>
			C: RCPT TO:<bob@elsewhere.test>
			S: 250 *
			S: 250 *`},
		{"XCLIENT ends its group", "203.0.113.106:25", greet("XCLIENT *") + "C: XCLIENT ADDR=192.0.2.77\nC: NOOP\nS: 503 *\nEOF"},
	} {
		t.Run(test.name, func(t *testing.T) { run(t, start(t, Options{}), test.addr, test.script) })
	}
}

// TestClaims: what XCLIENT and XFORWARD say is seen with the message, the latter
// with one message alone; of several recipients a message is kept for those who
// took it.
func TestClaims(t *testing.T) {
	var got []string
	w := start(t, Options{Received: func(r Received) {
		to := ""
		for _, r := range r.To {
			to += " " + r.Address
		}
		got = append(got, r.Protocol+" "+r.Client+to+" "+strings.Join(r.Claims, " ")+" | "+strings.Join(r.Origin, " "))
	}})
	one := "C: MAIL FROM:<>\nC: RCPT TO:<alice@%>\nC: RCPT TO:<erin@%>\nC: DATA\nS: 250 *\nS: 250 *\nS: 250 *\nS: 354 *\nC: Subject: x\nC: .\n"
	begin := "S: 220 *\nC: EHLO client.test\nS> 250 X*\n"
	run(t, w, "203.0.113.106:25", begin+"C: XCLIENT NAME=a+20b ADDR=192.0.2.77\nS: 220 *\nC: EHLO client.test\nS> 250 X*\nC: XCLIENT NAME=c\nS: 220 *\nC: EHLO client.test\nS> 250 X*\n"+
		strings.ReplaceAll(one, "%", "xclient.test")+"S: 250 *")
	run(t, w, "203.0.113.107:25", begin+"C: XFORWARD ADDR=192.0.2.77 IDENT=x+3D\nC: XFORWARD HELO=y\nS: 250 *\nS: 250 *\n"+
		strings.ReplaceAll(one+"S: 250 *\n"+one+"S: 250 *", "%", "xforward.test"))
	run(t, w, "203.0.113.110:24", "S: 220 *\nC: LHLO client.test\nS> 250 SMTPUTF8\n"+strings.ReplaceAll(one, "%", "lmtp.test")+"S: 250 *\nS: 452 *")
	want := []string{
		"ESMTP 192.0.2.77 alice@xclient.test erin@xclient.test ADDR=192.0.2.77 NAME=c | ",
		"ESMTP 127.0.0.1 alice@xforward.test erin@xforward.test  | ADDR=192.0.2.77 IDENT=x= HELO=y",
		"ESMTP 127.0.0.1 alice@xforward.test erin@xforward.test  | ",
		"LMTP 127.0.0.1 alice@lmtp.test  | ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
