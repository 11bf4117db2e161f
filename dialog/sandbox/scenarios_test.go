package sandbox

import (
	"strings"
	"testing"
)

// hello is a greeting that every scenario passes whose EHLO is not the point.
const hello = `
	S: 220 *
	C: EHLO client.test
	S> 250 SMTPUTF8
`

func TestScenarios(t *testing.T) {
	for _, test := range []struct{ name, addr, script string }{
		{"good", "[2001:db8::11]:25", `
			S: 220 mx2.good.test ESMTP ehlo sandbox
			C: EHLO client.test
			S: 250-mx2.good.test greets client.test [127.0.0.1]
			S: 250-PIPELINING
			S: 250-SIZE 52428800
			S: 250-8BITMIME
			S: 250-STARTTLS
			S: 250-ENHANCEDSTATUSCODES
			S: 250-CHUNKING
			S: 250-SMTPUTF8
			S: 250-DSN
			S: 250 HELP
			C: VRFY alice
			S: 252 2.0.0 *
			C: EXPN staff
			S: 502 5.5.1 *
			C: HELP
			S: 214-2.0.0 Commands: EHLO HELO MAIL RCPT DATA RSET
			S: 214-2.0.0 VRFY EXPN HELP NOOP QUIT STARTTLS BDAT
			S: 214 2.0.0 See RFC 5321
			C: MAIL FROM:<grüße@client.test> SMTPUTF8
			C: RCPT TO:<李明@good.test>
			C: RCPT TO:<nosuch@good.test>
			C: RCPT TO:<alice@elsewhere.test>
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 550 5.1.1 <nosuch@good.test> no such user here
			S: 550 5.7.1 <alice@elsewhere.test> relaying denied`},
		{"plain in lockstep", "192.0.2.12:25", `
			S: 220 *
			C: EHLO client.test
			S: 250-mx1.plain.test greets client.test [127.0.0.1]
			S: 250 HELP
			C: STARTTLS
			S: 502 STARTTLS is not implemented
			C: MAIL FROM:<a@client.test> SMTPUTF8
			S: 555 parameter not recognized: SMTPUTF8
			C: MAIL FROM:<a@client.test> SIZE=3
			S: 555 parameter not recognized: SIZE
			C: MAIL FROM:<grüße@client.test>
			S: 553 a non-ASCII address needs SMTPUTF8
			C: MAIL FROM:<a@client.test>
			S: 250 Ok
			C: RCPT TO:<alice@plain.test> NOTIFY=NEVER
			S: 555 parameter not recognized: NOTIFY
			C: RCPT TO:<alice@plain.test>
			S: 250 Ok
			C: BDAT 2 LAST
			S: 502 BDAT is not implemented
			C: DATA
			S: 354 end with <CRLF>.<CRLF>
			C: .
			S: 250 Ok: queued as sandbox-1`},
		{"plain does not take a pipeline", "192.0.2.12:25", `
			S: 220 *
			C: EHLO client.test
			S: 250-*
			S: 250 HELP
			C: MAIL FROM:<a@client.test>
			C: RCPT TO:<alice@plain.test>
			S: 503 MAIL must end its group: the reply was not waited for
			EOF`},
		{"plain does not take QUIT behind the dot", "192.0.2.12:25", `
			S: 220 *
			C: HELO client.test
			S: 250 *
			C: MAIL FROM:<>
			S: 250 Ok
			C: RCPT TO:<alice@plain.test>
			S: 250 Ok
			C: DATA
			S: 354 *
			C: .
			C: QUIT
			S: 503 *
			EOF`},
		{"starttls", "192.0.2.13:25", `
			S: 220 *
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-SIZE 10485760
			S: 250-STARTTLS
			S: 250-ENHANCEDSTATUSCODES
			S: 250 8BITMIME
			TLS
			C: MAIL FROM:<>
			S: 503 EHLO first
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-SIZE 10485760
			S: 250-ENHANCEDSTATUSCODES
			S: 250 8BITMIME
			C: STARTTLS
			S: 503 5.5.1 TLS is active already
			C: QUIT
			S: 221 2.0.0 mx1.starttls.test closing
			EOF`},
		{"chunking", "192.0.2.14:25", `
			S: 220 *
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-8BITMIME
			S: 250-CHUNKING
			S: 250-BINARYMIME
			S: 250 ENHANCEDSTATUSCODES
			C: MAIL FROM:<> BODY=BINARYMIME
			C: RCPT TO:<alice@chunking.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 503 5.5.1 BINARYMIME needs BDAT
			C| BDAT 3\r\n\n\0\nBDAT 4 LAST\r\n.\r\n\nQUIT\r\n
			S: 250 2.0.0 3 octets received
			S: 250 2.0.0 Ok: queued as sandbox-1
			S: 221 *
			EOF`},
		{"smtps", "192.0.2.15:465", `
			TLSNOW
			S: 220 mx1.smtps.test ESMTP ehlo sandbox
			C: EHLO client.test
			S: 250-mx1.smtps.test greets client.test [127.0.0.1]
			S: 250-PIPELINING
			S: 250-SIZE 10485760
			S: 250-ENHANCEDSTATUSCODES
			S: 250-8BITMIME
			S: 250 SMTPUTF8`},
		{"helo-only", "192.0.2.16:25", `
			S: 220 *
			C: EHLO client.test
			S: 502 command not implemented
			C: MAIL FROM:<>
			S: 503 EHLO first
			C: HELO client.test
			S: 250 mx1.helo-only.test greets client.test [127.0.0.1]
			C: MAIL FROM:<>
			S: 250 Ok`},
		{"greylist", "192.0.2.17:25", hello + `
			C: MAIL FROM:<a@client.test>
			C: RCPT TO:<alice@greylist.test>
			C: RCPT TO:<bob@greylist.test>
			C: RCPT TO:<alice@greylist.test>
			C: RSET
			C: MAIL FROM:<b@client.test>
			C: RCPT TO:<alice@greylist.test>
			S: 250 2.1.0 Ok
			S: 451 4.7.1 <alice@greylist.test> greylisted, try again in 2 seconds
			S: 451 4.7.1 <bob@greylist.test> greylisted, try again in 2 seconds
			S: 250 2.1.5 Ok
			S: 250 2.0.0 Ok
			S: 250 2.1.0 Ok
			S: 451 4.7.1 *`},
		{"reject", "192.0.2.18:25", hello + `
			C: MAIL FROM:<blocked@client.test>
			C: MAIL FROM:<a@client.test>
			C: RCPT TO:<alice@reject.test>
			C: RCPT TO:<dmarc@reject.test>
			C: DATA
			S: 550 5.7.1 <blocked@client.test> sender refused by policy
			S: 250 2.1.0 Ok
			S: 550 5.1.1 *
			S: 250 2.1.5 Ok
			S: 354 *
			C: .
			S: 550-5.7.26 *
			S: 550 5.7.26 *
			C: MAIL FROM:<a@client.test>
			C: RCPT TO:<data@reject.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 554 5.6.0 *`},
		{"tempfail", "192.0.2.19:25", hello + `
			C: MAIL FROM:<mail@client.test>
			S: 451 4.3.0 *
			C: MAIL FROM:<>
			C: RCPT TO:<alice@tempfail.test>
			C: RCPT TO:<dot@tempfail.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 451 4.3.0 *
			S: 250 2.1.5 Ok
			S: 354 *
			C: .
			C: MAIL FROM:<>
			C: RCPT TO:<data@tempfail.test>
			C: DATA
			S: 451 4.3.0 temporary failure, the message was not kept
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 451 4.3.0 temporary failure`},
		{"partial", "192.0.2.20:25", hello + `
			C: MAIL FROM:<>
			C: RCPT TO:<bob@partial.test>
			C: RCPT TO:<carol@partial.test>
			C: RCPT TO:<dan@partial.test>
			C: RCPT TO:<erin@partial.test>
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 550 5.1.1 <carol@partial.test> no such user here
			S: 250 2.1.5 Ok
			S: 452 4.2.2 <erin@partial.test> mailbox full`},
		{"implicit", "192.0.2.21:25", `
			S: 220 implicit.test ESMTP ehlo sandbox`},
		{"silent to RCPT, and at the banner", "192.0.2.25:25", hello + `
			C: MAIL FROM:<>
			C: RCPT TO:<alice@silent.test>
			S: 250 2.1.0 Ok`},
		{"busy", "192.0.2.27:25", `
			S: 421 4.3.2 mx1.busy.test too busy, try again later
			EOF`},
		{"small", "192.0.2.28:25", `
			S: 220 *
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-SIZE 1000
			S: 250-STARTTLS
			S: 250-ENHANCEDSTATUSCODES
			S: 250 8BITMIME
			C: MAIL FROM:<> SIZE=1001
			S: 552 5.3.4 message too big
			C: MAIL FROM:<> SIZE=1000
			C: RCPT TO:<alice@small.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C: ` + strings.Repeat("x", 990) + `
			C: 12345678
			C: .
			S: 552 5.3.4 message too big`},
		{"vrfy", "192.0.2.29:25", `
			S: 220 *
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-SIZE 10485760
			S: 250-STARTTLS
			S: 250-ENHANCEDSTATUSCODES
			S: 250-8BITMIME
			S: 250-SMTPUTF8
			S: 250-VRFY
			S: 250-EXPN
			S: 250-HELP
			S: 250 ETRN
			C: VRFY alice
			C: VRFY <Alice@vrfy.test> SMTPUTF8
			C: VRFY nobody
			C: VRFY smith
			C: VRFY
			C: EXPN staff
			C: EXPN nolist
			C: HELP vrfy
			C: HELP
			C: ETRN vrfy.test
			C: ETRN elsewhere.test
			C: ETRN down.vrfy.test
			C: ETRN
			S: 250 2.1.5 Alice Example <alice@vrfy.test>
			S: 250 2.1.5 Alice Example <alice@vrfy.test>
			S: 550 5.1.1 nobody: no such user here
			S: 553-5.1.4 ambiguous; possibilities are
			S: 553-5.1.4 Joe Smith <joe@vrfy.test>
			S: 553 5.1.4 Harry Smith <harry@vrfy.test>
			S: 501 5.5.4 VRFY needs a name
			S: 250-2.1.5 Alice Example <alice@vrfy.test>
			S: 250 2.1.5 Bob Example <bob@vrfy.test>
			S: 550 5.1.1 nolist: no such list here
			S: 214-2.0.0 VRFY <name>
			S: 214 2.0.0 *
			S: 214-2.0.0 Topics: *
			S: 214-*
			S: 214 *
			S: 250 2.0.0 queuing for node vrfy.test started
			S: 459 4.7.1 node elsewhere.test not allowed
			S: 458 4.3.0 unable to queue messages for down.vrfy.test
			S: 501 5.5.4 ETRN needs a domain`},
		{"catchall", "192.0.2.30:25", hello + `
			C: MAIL FROM:<>
			C: RCPT TO:<x7f3.made-up@catchall.test>
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok`},
		{"drops after the message, QUIT behind it", "192.0.2.35:25", hello + `
			C: MAIL FROM:<>
			C: RCPT TO:<alice@drops.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C: .
			C: QUIT
			EOF`},
		{"drops under TLS", "192.0.2.35:25", hello + `
			TLS
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-SIZE 10485760
			S: 250-ENHANCEDSTATUSCODES
			S: 250-8BITMIME
			S: 250 SMTPUTF8
			C: MAIL FROM:<>
			C: RCPT TO:<rcpt@drops.test>
			S: 250 2.1.0 Ok
			EOF`},
		{"drops before the banner", "192.0.2.36:25", `EOF`},
		{"drops at EHLO", "192.0.2.37:25", `
			S: 220 *
			C: EHLO client.test
			EOF`},
		{"idn", "192.0.2.39:25", `
			S: 220 mx1.xn--bcher-kva.test *
			C: HELO client.test
			S: 250 *
			C: MAIL FROM:<>
			S: 250 Ok
			C: RCPT TO:<alice@xn--bcher-kva.test>
			S: 250 Ok
			C: RSET
			S: 250 Ok
			C: EHLO client.test
			S: 250-*
			S: 250-PIPELINING
			S: 250-SIZE 52428800
			S: 250-8BITMIME
			S: 250-STARTTLS
			S: 250-ENHANCEDSTATUSCODES
			S: 250-CHUNKING
			S: 250-SMTPUTF8
			S: 250-DSN
			S: 250 HELP
			C: MAIL FROM:<> SMTPUTF8
			C: RCPT TO:<alice@bücher.test>
			C: RCPT TO:<alice@[192.0.2.39]>
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 250 2.1.5 Ok`},
	} {
		t.Run(test.name, func(t *testing.T) { run(t, start(t, Options{}), test.addr, test.script) })
	}
}
