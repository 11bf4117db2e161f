package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFind reads what programs print. Each reply that is wanted is "line phase code
// enhanced recipient: text".
func TestFind(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"one", "550 5.7.26 no", []string{"1 - 550 5.7.26 -: 5.7.26 no"}},
		{"a code", "550", []string{"1 - 550 - -: "}},
		{"several lines", "550-5.7.26 no\r\n550 5.7.26 way\r\n", []string{"1 - 550 5.7.26 -: 5.7.26 no / 5.7.26 way"}},
		{"an enhanced code in the last line", "550-first\r\n550 5.7.1 second\r\n", []string{"1 - 550 5.7.1 -: first / 5.7.1 second"}},
		{"nothing", "Dear all,\n2026-11-22 550 guests came\n", nil},
		{"a number in prose", "Dear all,\n550 guests came,\n450 of them by bus.\n", nil},
		{"a reply in prose", "Dear all,\n550 guests came, and a letter came back:\n\n550 No such user here\n",
			[]string{"4 - 550 - -: No such user here"}},
		{"ehlo", `● resolve   partial.test → 10 mx1.partial.test  192.0.2.17                                    0.5 ms
● connect   192.0.2.17:25                                                                     0.2 ms
  ←   220 mx1.partial.test ESMTP                                                             +0.1 ms
  →   EHLO client.test
  ←   250-mx1.partial.test greets client.test
  ←   250 PIPELINING                                                                         +0.1 ms
  ⇒ ┌ MAIL FROM:<sender@client.test>
  ⇒ │ RCPT TO:<bob@partial.test>
  ⇒ │ RCPT TO:<carol@partial.test>
  ⇒ └ DATA
  ⇐   250 2.1.0 Ok                              MAIL                                         +0.1 ms
  ⇐   250 2.1.5 Ok                              RCPT bob@partial.test                        +0.1 ms
  ⇐   550 5.1.1 no such user                    RCPT carol@partial.test                      +0.1 ms
  ⇐   354 go                                    DATA                                         +0.1 ms
  ⇒ ┌ (message, 291 bytes)
  ⇒ │ .
  ⇒ └ QUIT
  ⇐   550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's
        DMARC policy. Please contact the administrator.
  ⇐   550 5.7.26 bye  message                                                             +0.1 ms
  ⇐   221 2.0.0 closing                         QUIT                                         +0.1 ms

✗ refused  for good after the message, with 550 5.7.26                               exit 1 · 431 ms
  means   the receiver's DMARC check for example.com did not pass
`, []string{
			"3 connect 220 - -: mx1.partial.test ESMTP", "5 hello 250 - -: mx1.partial.test greets client.test / PIPELINING",
			"11 mail 250 2.1.0 -: 2.1.0 Ok", "12 rcpt 250 2.1.5 bob@partial.test: 2.1.5 Ok", "13 rcpt 550 5.1.1 carol@partial.test: 5.1.1 no such user",
			"14 data 354 - -: go", "18 dot 550 5.7.26 -: 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy. Please contact the administrator. / 5.7.26 bye",
			"21 quit 221 2.0.0 -: 2.0.0 closing"}},
		{"ehlo in ASCII", "* connect   192.0.2.17:25\n  <-   554 no service  +0.1 ms\n  => / MAIL FROM:<a@b.test>\n  => \\ QUIT\n  <=   550 5.7.1 no                              MAIL  +1.2 s\n  <=   221 bye  QUIT  +1 min 01 s\n",
			[]string{"2 connect 554 - -: no service", "5 mail 550 5.7.1 -: 5.7.1 no", "6 quit 221 - -: bye"}},
		{"ehlo, lockstep", "  ⇒   RCPT TO:<a@b.test>\n  ⇐   452 4.2.2 mailbox  full  +22 ms\n", []string{"2 rcpt 452 4.2.2 a@b.test: 4.2.2 mailbox  full"}},
		{"swaks", `=== Trying 192.0.2.1:25...
=== Connected to 192.0.2.1.
<-  220 mx1 ESMTP
 -> EHLO client
<-  250-mx1
<-  250 PIPELINING
 -> MAIL FROM:<a@b.test>
<-  250 2.1.0 Ok
 -> RCPT TO:<c@d.test>
<** 550 5.1.1 <c@d.test>: User unknown
 -> DATA
<-  354 go
 -> Date: today
 -> QUIT
 -> .
<** 554 5.6.0 no
 -> QUIT
<-  221 bye
=== Connection closed with remote host.
`, []string{"3 connect 220 - -: mx1 ESMTP", "5 hello 250 - -: mx1 / PIPELINING", "8 mail 250 2.1.0 -: 2.1.0 Ok", "10 rcpt 550 5.1.1 c@d.test: 5.1.1 <c@d.test>: User unknown",
			"12 data 354 - -: go", "16 dot 554 5.6.0 -: 5.6.0 no", "18 quit 221 - -: bye"}},
		{"swaks under TLS", " ~> RCPT TO:<c@d.test>\n<~* 550 no\n", []string{"2 rcpt 550 - c@d.test: no"}},
		{"curl", `*   Trying 192.0.2.1:25...
* Connected to mx1 (192.0.2.1) port 25
< 220 mx1 ESMTP
> EHLO client
< 250-mx1
< 250 SIZE 1000
> MAIL FROM:<a@b.test>
< 550-5.7.1 not you,
< 550 5.7.1 from there
* MAIL failed: 550
`, []string{"3 connect 220 - -: mx1 ESMTP", "5 hello 250 - -: mx1 / SIZE 1000", "8 mail 550 5.7.1 -: 5.7.1 not you, / 5.7.1 from there"}},
		{"by hand", "220 mx1\nEHLO me\n250 mx1\nmail from:<a@b.test>\n250 ok\nrcpt to:<c@d.test>\n550 no\nAUTH LOGIN\n334 VXNlcm5hbWU6\nYQ==\n535 5.7.8 no\n",
			[]string{"1 - 220 - -: mx1", "3 hello 250 - -: mx1", "5 mail 250 - -: ok", "7 rcpt 550 - c@d.test: no", "9 auth 334 - -: VXNlcm5hbWU6", "11 auth 535 5.7.8 -: 5.7.8 no"}},
		{"sendmail", "   ----- Transcript of session follows -----\n... while talking to mx1.example.:\n>>> RCPT To:<bob@example.net>\n<<< 550 5.1.1 no such user\n550 5.1.1 <bob@example.net>... User unknown\n",
			[]string{"4 rcpt 550 5.1.1 bob@example.net: 5.1.1 no such user", "5 - 550 5.1.1 -: 5.1.1 <bob@example.net>... User unknown"}},
		{"Postfix, sending", "Nov 22 01:00:00 mx postfix/smtp[12]: A1: to=<bob@example.net>, relay=mx1[192.0.2.1]:25, delay=1, dsn=5.7.1, status=bounced (host mx1[192.0.2.1] said: 550-5.7.1 not you 550 5.7.1 sorry (in reply to end of DATA command))\n" +
			"Nov 22 01:00:01 mx postfix/smtp[12]: A2: to=<x@example.net>, status=deferred (host mx1[192.0.2.1] said: 450 busy (in reply to RCPT TO command))\n" +
			"Nov 22 01:00:02 mx postfix/smtp[12]: A3: to=<y@example.net>, status=deferred (host mx1[192.0.2.1] refused to talk to me: 421 too many)\n",
			[]string{"1 dot 550 5.7.1 bob@example.net: 5.7.1 not you 550 5.7.1 sorry", "2 rcpt 450 - x@example.net: busy", "3 connect 421 - y@example.net: too many)"}},
		{"Postfix, refusing", "Nov 22 01:00:00 mx postfix/smtpd[12]: NOQUEUE: reject: RCPT from h[192.0.2.1]: 554 5.7.1 <a@b.test>: Relay access denied; from=<c@d.test> to=<a@b.test> proto=ESMTP helo=<h>",
			[]string{"1 rcpt 554 5.7.1 a@b.test: 5.7.1 <a@b.test>: Relay access denied"}},
		{"Exim", "2026-11-22 01:00:00 1abc-000-00 ** a@b.test R=dnslookup T=remote_smtp H=mx1 [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@b.test>: 550 No such user\n" +
			"2026-11-22 01:00:00 1abc-000-00 == a@b.test H=mx1 [192.0.2.1]: SMTP error from remote mail server after pipelined end of data: 451 later\n",
			[]string{"1 rcpt 550 - a@b.test: No such user", "2 dot 451 - -: later"}},
		{"qmail", "<a@b.test>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 no mailbox here\nGiving up on 192.0.2.1.\n", []string{"3 rcpt 550 - -: no mailbox here"}},
		{"bounce", "The mail system\n\n<bob@example.net>: host mx1[192.0.2.1] said: 550 5.1.1 User\n    unknown (in reply to RCPT TO command)\n\n" +
			"Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx1\nDiagnostic-Code: smtp; 550 5.1.1\n  User unknown\n\n",
			[]string{"3 rcpt 550 5.1.1 bob@example.net: 5.1.1 User unknown"}},
		{"bounce without a code", "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 4.4.7\n\nFinal-Recipient: rfc822; a@b.test\nStatus: 2.1.5\n\nFinal-Recipient: rfc822;c@d.test\nStatus: 5.4.1\nDiagnostic-Code: smtp; 550 Access denied\n",
			[]string{"3 - 0 4.4.7 bob@example.net: ", "10 - 550 5.4.1 c@d.test: Access denied"}},
		{"Exchange", "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'\n", []string{"1 - 550 5.1.10 -: 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"}},
		{"twice", "550 5.1.1 no such user\nThe response was:\n550-5.1.1 No such\n550 5.1.1 user\n", []string{"1 - 550 5.1.1 -: 5.1.1 no such user"}},
		{"JSON", `{"schema":"ehlo.send/1","recipients":[{"address":"a@b.test","code":550,"text":"no"}]}`, []string{"1 - 550 - a@b.test: no"}},
		{"JSON lines", `{"event":"received","answers":"","code":220,"lines":["mx1"]}` + "\n" + `{"event":"received","answers":"RCPT a@b.test","code":550,"enhanced":"5.1.1","lines":["5.1.1 no"]}` + "\n" + `{"event":"received","answers":"message","code":451,"lines":["x"]}`,
			[]string{"1 connect 220 - -: mx1", "2 rcpt 550 5.1.1 a@b.test: 5.1.1 no", "3 dot 451 - -: x"}},
		{"JSON document", `{"recipients":[{"code":550,"text":"no"}],"transcript":[{"event":"received","answers":"EHLO","code":502,"lines":["what"]}]}`, []string{"1 hello 502 - -: what"}},
		{"JSON of others", `{"code":200,"message":"ok"}`, nil},
		{"no JSON", "{\n550 5.1.1 no\n", []string{"2 - 550 5.1.1 -: 5.1.1 no"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := summaries(tt.text)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// summaries gives what is found in a text, each as "line phase code enhanced recipient: text".
func summaries(text string) []string {
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	var all []string
	for _, f := range Find(text) {
		all = append(all, fmt.Sprintf("%d %s %d %s %s: %s", f.Line, dash(f.Phase), f.Code, dash(f.Enhanced), dash(f.Recipient), strings.Join(f.Lines, " / ")))
	}
	return all
}

// FuzzFind: every reply that is found stands in the text, and can be explained.
func FuzzFind(f *testing.F) {
	f.Add("  ⇐   550 5.1.1 no  RCPT a@b.test  +1 ms\n        more\n")
	f.Add("\x1b[2m<=\x1b[0m 550 no\n<a@b.test>: host x said: 552 5.2.2 full (in\n    reply to RCPT TO command)\n")
	f.Add("h postfix/smtp[1]: A: to=<a@b.test>, dsn=4.4.1, status=deferred (connect to x[192.0.2.1]:25: timed out)\n1tDxyz-0001Ab-2c == a@b.test R=x defer (110): no\n")
	f.Add("delivery 1: deferral: Sorry,_no._(#4.4.1)/\nA: to=<a@b.test>, dsn=5.1.2, stat=Host unknown\nx: from=<a@b.test>, status=expired, back\n")
	f.Add("<** 550 no\n > DATA\n354\n334 x\n")
	f.Add("host said: 450 4.2.0 x (in reply to RCPT TO command)\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 x\n y\n\n")
	f.Add(`{"event":"received","code":550,"lines":["x",1],"answers":"RCPT"}{"code":1e99}`)
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		for _, found := range Find(text) {
			if found.Line < 1 || found.Line > lines || found.Times < 1 {
				t.Errorf("line %d of %d, %d times", found.Line, lines, found.Times)
			}
			if found.Code != 0 && (found.Code < 200 || found.Code > 599) || found.Phase != "" && !isPhase(found.Phase) {
				t.Errorf("%+v", found)
			}
			if found.Enhanced != "" && !isEnhanced(found.Enhanced) || found.Code == 0 && found.Enhanced == "" && strings.Join(found.Lines, "") == "" {
				t.Errorf("%+v", found)
			}
			if e := found.Explain(); e.Means == "" {
				t.Errorf("%+v is not explained", found)
			}
		}
	})
}

// BenchmarkFind reads a log of a megabyte.
func BenchmarkFind(b *testing.B) {
	line := "Nov 22 01:00:00 mx postfix/smtp[12]: A1: to=<bob@example.net>, relay=mx1[192.0.2.1]:25, delay=1, status=sent (250 ok)\n"
	text := strings.Repeat(line, 1<<20/len(line))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Find(text)
	}
}
