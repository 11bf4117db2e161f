package transcript_test

import (
	"time"

	. "github.com/ehlo-mail/ehlo/dialog/transcript"
)

// event is an event as a producer would build it.
type event struct {
	kind  string
	lines []Line
}

func (e event) Kind() string  { return e.kind }
func (e event) Lines() []Line { return e.lines }

const ms = time.Millisecond

func said(lines ...Line) event { return event{"said", lines} }

func reply(label, text, aside string, took time.Duration) Line {
	return Line{Mark: Received, Secure: true, Label: label, Text: text, Aside: aside, Took: took, Raw: label + text + "\r\n"}
}

func sent(text string, g Group) Line {
	return Line{Mark: Sent, Secure: true, Text: text, Group: g}
}

// samples are conversations and reports with every mark and column in them.
var samples = map[string][]event{
	"accepted": {
		said(Line{Mark: Phase, Label: "resolve", Text: "example.net → 10 mx1.example.net  192.0.2.10  2001:db8::10", Took: 12 * ms}),
		said(Line{Mark: Phase, Label: "connect", Text: "192.0.2.10:25", Took: 31 * ms},
			Line{Mark: Note, Text: "from 192.0.2.99:40112"}),
		said(Line{Mark: Received, Label: "220 ", Text: "mx1.example.net ESMTP Postfix", Took: 84 * ms}),
		said(Line{Mark: Sent, Text: "EHLO client.example.com"}),
		said(Line{Mark: Received, Label: "250-", Text: "mx1.example.net"}, Line{Mark: Continued, Label: "250 ", Text: "STARTTLS", Took: 9 * ms}),
		said(Line{Mark: Phase, Label: "tls", Text: "verified mx1.example.net, 61 days left · TLS 1.3 · AES_128_GCM · X25519", Took: 42 * ms}),
		said(Line{Mark: Phase, Label: "message", Text: "2304 bytes · text/plain · DKIM example.com (s2026) · 1 recipient"}),
		said(sent("MAIL FROM:<alice@example.com> SIZE=2304", First), sent("RCPT TO:<bob@example.net>", Middle),
			sent("BDAT 2304 LAST", Middle), sent("(message, 2304 bytes)", Middle), sent("QUIT", Last)),
		said(reply("250 2.1.0 ", "Ok", "MAIL", 14*ms)),
		said(reply("250 2.1.5 ", "Ok", "RCPT bob@example.net", 14*ms)),
		said(reply("250 2.0.0 ", "Ok: 2304 bytes queued as 4fX9kT2Qz1", "BDAT", 120*ms)),
		said(reply("221 2.0.0 ", "Bye", "QUIT", 120*ms)),
		{ResultKind, []Line{
			{Mark: Blank},
			{Mark: ClosingOK, Label: "accepted", Text: "by mx1.example.net for bob@example.net", Aside: "exit 0", Took: 371 * ms},
			{Mark: Labelled, Label: "id", Text: "<20261122011402.7f3a@client.example.com>"},
		}},
	},
	"refused": {
		said(sent("(message, 812 bytes)", First), sent(".", Middle), sent("QUIT", Last)),
		said(
			Line{Mark: Received, Secure: true, Label: "550-5.7.26 ", Text: "Unauthenticated email from example.com is not accepted due to domain's DMARC policy. Please contact the administrator of example.com domain if this was a legitimate mail."},
			Line{Mark: Continued, Secure: true, Label: "550 5.7.26 ", Text: "https://mail.example.net/help/answer/2451690#dmarc-policy-unauthenticated-senders-are-refused", Aside: "message", Took: 210 * ms}),
		said(reply("221 2.0.0 ", "closing", "QUIT", 210*ms)),
		{ResultKind, []Line{
			{Mark: ClosingFailed, Label: "refused", Text: "for good after the message, with 550 5.7.26", Aside: "exit 1", Took: 431 * ms},
			{Mark: Labelled, Label: "means", Text: "the receiver's DMARC check for example.com did not pass"},
			{Mark: Labelled, Label: "seen", Text: "the reply speaks of the DMARC policy of example.com; the message carried no DKIM signature"},
			{Mark: Labelled, Label: "likely", Text: "the SPF record of example.com does not cover this host either (not looked up)"},
			{Mark: Labelled, Label: "next", Text: "ehlo check example.com --sending"},
		}},
	},
	"partly": {
		said(reply("550 5.1.1 ", "<carol@example.net>: Recipient address rejected: User unknown in virtual mailbox table", "RCPT carol@example.net", 15*ms)),
		said(reply("452 4.2.2 ", "mailbox full", "RCPT erin.with.a.rather.long.name@sub.example.net", 22*ms)),
		said(reply("250 2.1.5 ", "受信者は有効です", "RCPT 李明@例え.example.net", 23*ms)),
		{ResultKind, []Line{
			{Mark: ClosingPartly, Label: "partly", Text: "accepted: 2 of 4 recipients", Aside: "exit 8", Took: 512 * ms},
			{Mark: Pass, Cells: []string{"accepted", "bob@example.net", "250 2.1.5"}},
			{Mark: Pass, Cells: []string{"accepted", "李明@例え.example.net", "250 2.1.5"}},
			{Mark: Deferred, Cells: []string{"deferred", "erin.with.a.rather.long.name@sub.example.net", "452 4.2.2 mailbox full"}},
			{Mark: Fail, Cells: []string{"refused", "carol@example.net", "550 5.1.1 no such user"}},
			{Mark: Labelled, Label: "next", Text: "again with --to erin.with.a.rather.long.name@sub.example.net --retry-for 1h"},
		}},
	},
	"unknown": {
		said(Line{Mark: Phase, Label: "retry", Text: "2 of 3, in 5 min at 01:19:12Z: the reply asks for 300 s · --retry-for ends at 01:44:12Z"}),
		said(Line{Mark: Failure, Text: "connection reset by 192.0.2.10 before the reply to the message (30.2 s after its last byte)"}),
		{ResultKind, []Line{
			{Mark: ClosingUnknown, Label: "unknown", Text: "if mx1.example.net took the message", Aside: "exit 9", Took: 30900 * ms},
			{Mark: Labelled, Label: "means", Text: "every byte was sent and no reply came: it may be delivered, or lost"},
			{Mark: Labelled, Label: "next", Text: "ask the postmaster of example.net for <20261122011402.7f3a@client.example.com> before sending again: a second try may deliver it twice"},
		}},
	},
	"untrusted": {
		said(Line{Mark: Phase, Label: "tls", Text: "not verified · TLS 1.3 · AES_256_GCM · X25519", Took: 42 * ms},
			Line{Mark: Failure, Text: "name: wanted mx1.example.net; the certificate is for *.hosting.example, hosting.example"},
			Line{Mark: Failure, Text: "dates: expired 20 days ago, on 2026-11-02 08:14Z"},
			Line{Mark: Good, Text: "chain: leads to ISRG Root X1, in the system's store"}),
		{ResultKind, []Line{
			{Mark: ClosingFailed, Label: "TLS failed", Text: "the certificate does not prove mx1.example.net", Aside: "exit 5", Took: 190 * ms},
			{Mark: Labelled, Label: "means", Text: "the line is encrypted, but whoever holds it has not proved to be mx1.example.net"},
			{Mark: Labelled, Label: "next", Text: "ehlo tls mx1.example.net:587"},
			{Mark: Labelled, Text: "again with --tls   # encrypts without proof: for a test"},
		}},
	},
	"probe": {
		said(Line{Mark: Received, Label: "220 ", Text: "mx1.example.net ESMTP \x1b[31mready\x1b[0m \u202e", Took: 84 * ms, Raw: "220 mx1.example.net ESMTP \x1b[31mready\x1b[0m \u202e\r\n"},
			Line{Mark: Finding, Text: "3 control characters in the banner, shown escaped"}),
		{ReportKind, []Line{
			{Mark: Head, Label: "mx1.example.net:25", Aside: "192.0.2.10 · ESMTP"},
			{Mark: RowHead, Cells: []string{"KEYWORD", "BEFORE TLS", "AFTER TLS", "MEANING"}, Spare: []int{3}},
			{Mark: Row, Cells: []string{"STARTTLS", "yes", "–", "RFC 3207"}},
			{Mark: Row, Cells: []string{"PIPELINING", "yes", "yes", "RFC 2920"}},
			{Mark: Row, Cells: []string{"AUTH", "LOGIN PLAIN", "PLAIN LOGIN SCRAM-SHA-256", "RFC 4954"}},
			{Mark: Finding, Text: "passwords are asked for before TLS: anyone on the path can read them"},
			{Mark: Row, Cells: []string{"XFOO", "3", "3", "unknown: not registered"}},
			{Mark: Blank},
		}},
		said(Line{Mark: Phase, Label: "auth", Text: "LOGIN as alice@example.com · offered: PLAIN LOGIN"}),
		said(reply("334 ", "UGFzc3dvcmQ6", `"Password:"`, 12*ms)),
		said(sent("[hidden]", Alone)),
		said(reply("535 5.7.8 ", "authentication failed for [hidden]", "", 2030*ms),
			Line{Mark: Finding, Text: "the reply repeated the password; it is masked"}),
		said(Line{Mark: Head, Label: "mx2.example.net", Aside: "hop 2 of 2 · after mx1.example.net deferred"}),
		said(sent("(message, 412 bytes)", First),
			Line{Mark: Data, Secure: true, Text: "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?="},
			Line{Mark: Data, Secure: true, Text: "(body, 96 bytes)"},
			sent(".", Last)),
	},
	"mx": {
		{ReportKind, []Line{
			{Mark: Head, Label: "example.net", Aside: "3 hosts · 4 addresses · ttl 1 h · DNSSEC secure", Took: 18 * ms},
			{Mark: RowHead, Cells: []string{"PREF", "HOST", "ADDRESS", "PTR", "TLSA"}, Spare: []int{3, 4}},
			{Mark: Row, Cells: []string{"10", "mx1.example.net", "192.0.2.10", "mx1.example.net", "3 1 1"}},
			{Mark: Row, Cells: []string{"10", "mx1.example.net", "2001:db8::10", "mx1.example.net", "3 1 1"}},
			{Mark: Row, Cells: []string{"10", "mx1.example.net", "192.0.2.11", "host11.example.net", "–"}},
			{Mark: Row, Cells: []string{"20", "mx2.example.net", "10.0.0.5", "–", "–"}},
			{Mark: Finding, Text: "private address: only a sender inside that network reaches it (RFC 1918)"},
			{Mark: Row, Cells: []string{"40", "メール.example.net", "–", "–", "–"}},
			{Mark: Failure, Text: "no A and no AAAA record: a sender skips this host"},
		}},
	},
	"verify": {
		{ReportKind, []Line{
			{Mark: Pass, Cells: []string{"exists", "bob@example.net", "250 2.1.5 Ok; a made-up name was refused, so the answer counts"}},
			{Mark: Fail, Cells: []string{"absent", "carol@example.net", "550 5.1.1 User unknown"}},
			{Mark: Untested, Cells: []string{"unknown", "dave@example.org", "250 for a made-up name too: the server takes every address"}},
		}},
	},
	"check": {
		said(Line{Mark: Head, Label: "example.net", Aside: "45 checks · 61 lookups · 3 connections"}, Line{Mark: Blank}),
		said(Line{Mark: Fail, Cells: []string{"fail", "cert-expiry", "mx2.example.net:25 expired 20 days ago, on 2026-11-02"}},
			Line{Mark: Labelled, Label: "means", Text: "MTA-STS is in mode enforce: senders that honour it stop delivering to mx2"},
			Line{Mark: Labelled, Label: "fix", Text: "renew the certificate on mx2, then: ehlo tls mx2.example.net"},
			Line{Mark: Labelled, Label: "ref", Text: "RFC 8461 section 4.2"},
			Line{Mark: Blank}),
		said(Line{Mark: Warn, Cells: []string{"warn", "dmarc-policy", "p=none: nothing is enforced"}},
			Line{Mark: Labelled, Label: "fix", Text: "after reading reports for some weeks: p=quarantine"},
			Line{Mark: Blank}),
		said(Line{Mark: Pass, Cells: []string{"10 transport"}, Aside: "starttls tls-version tls-cipher cert-name cert-chain mta-sts-dns mta-sts-policy mta-sts-mx tlsrpt dane"},
			Line{Mark: Info, Cells: []string{"13 reputation"}, Aside: "dnsbl"}),
		said(Line{Mark: Fail, Cells: []string{"dane", "3 1 1 5c1e0f7a… does not match certificate 0: its key is 9be1c04d…"}}),
		{ResultKind, []Line{
			{Mark: ClosingFailed, Label: "failed", Text: "2 of 45 checks · 2 warnings · 2 not tested", Aside: "exit 1", Took: 3200 * ms},
			{Mark: Labelled, Label: "next", Text: "ehlo check example.net -v   # every check with its evidence"},
		}},
	},
	"bench": {
		{ReportKind, []Line{
			{Mark: RowHead, Cells: []string{"LATENCY", "MIN", "P50", "P90", "P99", "P99.9", "MAX"}},
			{Mark: Row, Cells: []string{"message", "0.6", "1.5", "2.4", "6.1", "18.3", "41.0"}},
			{Mark: RowHead, Cells: []string{"MS", "MESSAGES"}},
			{Mark: Row, Cells: []string{"0.5–1", "4120", "█████"}},
			{Mark: Row, Cells: []string{"100–200", "1", "▏"}},
			{Mark: Row, Cells: []string{"1–2", "31890", "████████████████████████████████████████"}},
		}},
	},
	"explain": {
		{ResultKind, []Line{
			{Mark: Head, Label: "550 5.7.26"},
			{Mark: Labelled, Label: "means", Text: "refused for good: neither SPF nor DKIM vouched for the From domain"},
			{Mark: Labelled, Label: "5.7.26", Text: "multiple authentication checks failed · RFC 7372 section 3.4"},
			{Mark: Labelled, Label: "next", Text: "ehlo check DOMAIN --sending"},
		}},
	},
	"session": {
		said(Line{Mark: Head, Label: "mx1.example.net:587", Aside: "192.0.2.10 · STARTTLS"},
			Line{Mark: Labelled, Label: "session", Text: "TLS 1.3 · TLS_AES_128_GCM_SHA256 · X25519MLKEM768 · no ALPN · tickets 2"}),
	},
	"narrow": {
		said(sent("(message, 812 bytes)", First), sent(".", Last)),
		said(reply("250 2.0.0 ", "Ok: queued as 4fX9kT2Qz1", "message", 96*ms)),
		{ResultKind, []Line{
			{Mark: ClosingPartly, Label: "partly", Text: "accepted: 2 of 4 recipients", Aside: "exit 8", Took: 512 * ms},
			{Mark: Pass, Cells: []string{"accepted", "李明@例え.example.net"}},
		}},
	},
}
