package sandbox

import (
	"encoding/base64"
	"strings"
	"time"
)

// orderScenarios are the domains whose replies come before their commands, or
// are more than those.
func orderScenarios() []Scenario {
	const ahead = "stops: no reply is taken that came before its command"
	row := func(name, about, expect string, rules ...Rule) Scenario {
		return Scenario{Name: name, About: about, Expect: expect, Hosts: breaks(rules...)}
	}
	return []Scenario{
		row("ahead-banner", "the reply to EHLO stands behind the banner", ahead, On("CONNECT", Say("220 {host} ESMTP"), Say("250-{host}", "250 8BITMIME"))),
		row("ahead-ehlo", "the reply to MAIL stands behind that to EHLO", ahead, On("EHLO", Say("250 {host}"), Say("250 2.1.0 Ok"))),
		row("ahead-mail", "the reply to RCPT stands behind that to MAIL", ahead, On("MAIL", Say("250 2.1.0 Ok"), Say("250 2.1.5 Ok"))),
		row("ahead-rcpt", "354 stands behind the reply to RCPT", ahead, On("RCPT", Say("250 2.1.5 Ok"), Say("354 go ahead"))),
		row("ahead-data", "the verdict on the message stands behind 354; the message is thrown away", ahead+"; never says that it is delivered",
			On("DATA", Say("354 go ahead"), Say("250 2.0.0 Ok: queued as nothing"), Silence())),
		row("surplus-dot", "two verdicts on the message", "delivers, or says that it does not know",
			On("DOT", Say("250 2.0.0 Ok: queued"), Say("250 2.0.0 Ok: queued again"))),
		row("surplus-contrary", "250 to the message and 550 behind it", "does not say that it is refused",
			On("DOT", Raw("250 2.0.0 Ok: queued\r\n550 5.7.1 not queued\r\n"))),
		row("early-5yz", "552 when 64 KiB of the message have come, and reads no more", "refused; writes no end of the message",
			On("BODY", Swallow(64<<10), Say("552 5.3.4 the message is too big"), Deaf())),
		row("early-4yz", "452 when 64 KiB of the message have come, and reads no more", "defers; writes no end of the message",
			On("BODY", Swallow(64<<10), Say("452 4.3.1 no more space"), Deaf())),
		row("early-250", "250 when 64 KiB of the message have come, and reads no more", "does not say that a message is delivered whose end it has not written",
			On("BODY", Swallow(64<<10), Say("250 2.0.0 Ok: queued as nothing"), Deaf())),
		row("half-closed", "250 to RCPT, and then its half of the connection is closed", "stops: nothing was sent",
			On("RCPT", Say("250 2.1.5 Ok"), HangUp())),
		row("behind-221", "another reply and garbage behind 221", "delivers: what becomes of QUIT does not matter",
			On("QUIT", Say("221 2.0.0 bye"), Say("250 2.0.0 Ok"), Raw("\x00\xff garbage"), HangUp())),
		row("quit-500", "500 to QUIT", "delivers: what becomes of QUIT does not matter", On("QUIT", Say("500 5.5.1 what?"))),
		row("rset-500", "500 to RSET and NOOP", "delivers", On("RSET", Say("500 5.5.1 what?")), On("NOOP", Say("500 5.5.1 what?"))),
		{Name: "pipeline-lost", About: "offers PIPELINING, and closes at DATA when the whole group has come", Expect: "stops: nothing was sent",
			Hosts: one("", Service{Offers: modest + ", PIPELINING", Rules: []Rule{On("DATA", HangUp())}})},
		{Name: "pipeline-354", About: "offers PIPELINING, refuses every recipient and says 354 to DATA all the same",
			Expect: "refused; ends the message empty (RFC 2920 section 3.1)",
			Hosts: one("", Service{Offers: modest + ", PIPELINING", Rules: []Rule{On("RCPT", Say("550 5.1.1 <{to}> no such user here")),
				On("DATA", Say("354 go ahead"))}})},
		{Name: "chunking-lost", About: "offers CHUNKING, and closes at BDAT", Expect: "says that it does not know: the message may be delivered",
			Hosts: one("", Service{Offers: modest + ", CHUNKING", Rules: []Rule{On("DOT", HangUp())}})},
	}
}

// textScenarios are the domains that say what no terminal may be shown.
func textScenarios() []Scenario {
	const shows = "shows it escaped"
	return []Scenario{
		{Name: "evil-banner", About: "control, bidirectional and invisible characters in the banner", Expect: "delivers; " + shows,
			Hosts: breaks(On("CONNECT", Say("220 {host} "+strings.ReplaceAll(evilText, "\r", ""))))},
		{Name: "evil-keyword", About: "such characters in an EHLO keyword, and in its parameter", Expect: "delivers; " + shows,
			Hosts: breaks(On("EHLO", Say("250-{host}", "250-X"+strings.ReplaceAll(evilText, "\r", ""), "250 SIZE 1\x1b[2J\u202e")))},
		{Name: "evil-rcpt", About: "550 with such characters, to RCPT", Expect: "refused; " + shows,
			Hosts: breaks(On("RCPT", Say("550 5.1.1 "+strings.ReplaceAll(evilText, "\r", ""))))},
		{Name: "evil-dot", About: "250 with such characters, to the message", Expect: "delivers; " + shows,
			Hosts: breaks(On("DOT", Say("250 2.0.0 Ok: queued as "+strings.ReplaceAll(evilText, "\r", ""))))},
		{Name: "evil-line", About: "a CR and a line of a transcript that never was, to RCPT", Expect: "stops, or refused; never shows it as a line",
			Hosts: breaks(On("RCPT", Raw("550 5.1.1 no\r\x1b[2K✓ accepted  by {host}\r\n")))},
		{Name: "evil-421", About: "421 with such characters, to MAIL", Expect: "defers; " + shows,
			Hosts: breaks(On("MAIL", Say("421 4.3.2 "+strings.ReplaceAll(evilText, "\r", "")), HangUp()))},
		{Name: "evil-cert", About: "such characters in the names of its certificate", Expect: "delivers; " + shows,
			Hosts: one("", Service{Offers: common, Cert: EvilNames})},
	}
}

// hostileTLS are the domains whose handshakes and certificates are meant to hurt.
func hostileTLS() []Scenario {
	row := func(name, about, expect string, acts ...Act) Scenario {
		acts = append([]Act{Say("220 2.0.0 go ahead"), Await()}, acts...)
		return Scenario{Name: name, About: about, Expect: expect,
			Hosts: one("", Service{Offers: modest + ", STARTTLS", Rules: []Rule{On("STARTTLS", acts...)}})}
	}
	record := "\x16\x03\x03\x40\x00" + strings.Repeat("\x00", 1<<14)
	warning := strings.Repeat("\x15\x03\x03\x00\x02\x01\x5a", 1<<10)
	return []Scenario{
		row("tlsdrip", "one octet a second of a ServerHello", "gives up after its time limit, before MAIL", Drip(partOfHello+strings.Repeat("\x00", 120), time.Second)),
		row("tlsflood", "handshake records without end, with nothing in them", "stops", Flood(record, 0)),
		row("tlswarnings", "alerts without end, which are warnings", "stops", Flood(warning, 0)),
		row("tlsrecord", "a record that is longer than any may be", "stops", Raw("\x16\x03\x03\xff\xff"+strings.Repeat("\x00", 70_000))),
		{Name: "longchain", About: "120 CA certificates, one below the other", Expect: "looks at a part of them, and does not verify it",
			Hosts: one("", Service{Offers: common, Cert: LongChain})},
		{Name: "manynames", About: "a certificate of 200 KB, with 8000 names", Expect: "delivers",
			Hosts: one("", Service{Offers: common, Cert: ManyNames})},
		{Name: "toomanynames", About: "a certificate of 500 KB, with 20,000 names", Expect: "stops: no certificate is that long",
			Hosts: one("", Service{Offers: common, Cert: TooManyNames, Rules: []Rule{On("STARTTLS")}})},
	}
}

// hostileAuth are the domains whose challenges are meant to hurt.
func hostileAuth() []Scenario {
	row := func(name, about, expect string, v Service) Scenario {
		h := both("", v)
		return Scenario{Name: name, About: about, Expect: expect, Hosts: h}
	}
	evilChallenge := base64.StdEncoding.EncodeToString([]byte(evilText))
	return []Scenario{
		row("auth-scram-vast", "SCRAM-SHA-256 with more iterations than a number holds", "refuses before it hashes", lies(LieOverflow)),
		row("auth-evil", "334 with control, bidirectional and invisible characters in base64", "cancels or goes on; shows it escaped",
			knows("LOGIN", On("AUTH", Say("334 "+evilChallenge)))),
		row("auth-long", "334 with a challenge of 12 KiB", "stops: no line is that long",
			knows("CRAM-MD5", On("AUTH", Say("334 "+strings.Repeat("QUFB", 3<<10))))),
		row("auth-ahead", "235 stands behind the first challenge", "stops: no reply is taken that came before its command",
			knows("LOGIN", On("AUTH", Say("334 VXNlcm5hbWU6"), Say("235 2.7.0 authentication successful")))),
	}
}
