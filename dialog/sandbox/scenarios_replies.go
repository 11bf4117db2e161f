package sandbox

import (
	"fmt"
	"strings"
	"time"
)

// replyScenarios are the domains whose replies break the grammar of RFC 5321
// section 4.2, or stretch it.
func replyScenarios() []Scenario {
	const broken = "stops: that is no reply, and it is quoted"
	// at is a row whose reply to RCPT is of such octets.
	at := func(name, about, expect, octets string) Scenario {
		return Scenario{Name: "reply-" + name, About: about + ", to RCPT", Expect: expect, Hosts: breaks(On("RCPT", Raw(octets)))}
	}
	// says is a row that says lines at an event.
	says := func(name, about, expect, event string, lines ...string) Scenario {
		return Scenario{Name: name, About: about, Expect: expect, Hosts: breaks(On(event, Say(lines...)))}
	}
	greets := func(name, about, expect, octets string) Scenario {
		return Scenario{Name: "banner-" + name, About: about + " in place of a banner", Expect: expect,
			Hosts: breaks(On("CONNECT", Raw(octets), HangUp()))}
	}
	return []Scenario{
		{Name: "reply-lone", About: "codes alone, without any text", Expect: "delivers, and notes it",
			Hosts: breaks(On("MAIL", Say("250")), On("RCPT", Say("250")), On("DATA", Say("354")), On("DOT", Say("250")))},
		at("lf", "a line that ends by LF alone", "delivers, and notes it", "250 2.1.5 Ok\n"),
		at("spaces", "spaces at the end of the line", "delivers, and notes it", "250 2.1.5 Ok   \r\n"),
		at("1yz", "150", broken, "150 2.1.5 Ok\r\n"),
		at("6yz", "650", broken, "650 2.1.5 Ok\r\n"),
		at("0yz", "050", broken, "050 2.1.5 Ok\r\n"),
		at("999", "999", broken, "999 2.1.5 Ok\r\n"),
		at("mixed", "a reply of 250 and 550", broken, "250-2.1.5 Ok\r\n550 5.1.1 no such user\r\n"),
		at("mixed4", "a reply of 250 and 251", broken, "250-2.1.5 Ok\r\n251 2.1.5 will forward\r\n"),
		at("short", "a code of two digits", broken, "25 Ok\r\n"),
		at("long", "a code of four digits", broken, "2500 Ok\r\n"),
		at("nocode", "text without a code", broken, "Ok, go ahead\r\n"),
		at("letters", "a code with a letter", broken, "2x0 Ok\r\n"),
		at("wide", "full-width digits", broken, "２５０ Ok\r\n"),
		at("separator", "a tab behind the code", broken, "250\tOk\r\n"),
		at("indent", "a space before the code", broken, " 250 Ok\r\n"),
		at("empty", "an empty line", broken, "\r\n250 2.1.5 Ok\r\n"),
		at("cr", "a CR within the line, and another code behind it", "takes no second reply for one; shows the CR escaped", "250 2.1.5 Ok\r550 5.1.1 no such user\r\n"),
		at("nul", "a NUL in the text", "shows it escaped", "250 2.1.5 O\x00k\r\n"),
		at("blank", "a continuation line that ends the reply", "stops after its time limit", "250-2.1.5 Ok\r\n"),
		at("8k", "a line of 9 KiB", "stops: no line is that long", "250 "+strings.Repeat("x", 9<<10)+"\r\n"),
		at("300k", "a reply of 300 KiB", "stops: no reply is that long", strings.Repeat("250-"+strings.Repeat("x", 96)+"\r\n", 3<<10)+"250 Ok\r\n"),
		{Name: "reply-line", About: "a line without end, to RCPT", Expect: "stops after so many octets",
			Hosts: breaks(On("RCPT", Raw("250 "), Flood(strings.Repeat("x", 1<<10), 0)))},
		says("reply-251", "251 to RCPT and 252 to VRFY", "delivers: it is positive", "RCPT", "251 2.1.5 will forward to <{to}>"),
		says("reply-354", "354 to RCPT", "stops, or takes it for a refusal: nothing is sent", "RCPT", "354 go ahead"),
		says("reply-contrary", "550 with the enhanced code 2.1.5, to RCPT", "takes it for a refusal", "RCPT", "550 2.1.5 Ok"),
		says("reply-nodata", "250 to DATA in place of 354", "sends no message", "DATA", "250 2.0.0 Ok"),
		{Name: "reply-again", About: "354 in place of a verdict on the message", Expect: "does not say that it is delivered",
			Hosts: breaks(On("DOT", Say("354 go ahead"), Silence()))},
		says("reply-forever", "450 with the enhanced code 5.1.1, to RCPT", "defers: the code counts", "RCPT", "450 5.1.1 no such user"),
		{Name: "reply-521", About: "521 as a banner: takes no mail (RFC 7504)", Expect: "refused",
			Hosts: breaks(On("CONNECT", Say("521 {host} does not accept mail"), HangUp()))},
		{Name: "reply-554", About: "554 as a banner: no service here", Expect: "refused",
			Hosts: breaks(On("CONNECT", Say("554 no SMTP service here"), HangUp()))},
		{Name: "reply-550helo", About: "550 5.7.1 to EHLO and HELO", Expect: "refused",
			Hosts: breaks(On("EHLO", Say("550 5.7.1 go away")), On("HELO", Say("550 5.7.1 go away")))},
		greets("250", "250", broken, "250 hello\r\n"),
		greets("http", "an answer of HTTP", broken, "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<html>\r\n"),
		greets("ssh", "a banner of SSH", broken, "SSH-2.0-OpenSSH_9.6\r\n"),
		greets("pop3", "a banner of POP3", broken, "+OK ready\r\n"),
		greets("imap", "a banner of IMAP", broken, "* OK ready\r\n"),
		greets("garbage", "octets that are no text", broken, "\x00\x01\xfe\xff\x80\x1b[2J\r\n"),
		{Name: "banner-long", About: "a banner of 500 lines", Expect: "delivers",
			Hosts: breaks(On("CONNECT", Raw(strings.Repeat("220-welcome\r\n", 499)+"220 ESMTP\r\n")))},
		{Name: "banner-tls", About: "TLS from the first byte on, at port 25", Expect: "gives up after its time limit: no banner",
			Hosts: one("", Service{TLS: true, Offers: modest})},
		{Name: "ehlo-1001", About: "1001 keywords", Expect: "delivers; a part of them is looked at",
			Hosts: breaks(On("EHLO", Raw(keywords(1001))))},
		{Name: "ehlo-twice", About: "SIZE and AUTH twice, with other parameters", Expect: "delivers",
			Hosts: breaks(On("EHLO", Say("250-{host}", "250-SIZE 104857600", "250-SIZE 1", "250-AUTH PLAIN", "250 AUTH LOGIN")))},
		{Name: "ehlo-odd", About: "keywords that are none", Expect: "delivers, and notes them",
			Hosts: breaks(On("EHLO", Say("250-{host}", "250-", "250--DASH", "250-=", "250-8BITMIME=yes", "250-SIZE 99999999999999999999999999",
				"250-LIMITS RCPTMAX=-1 MAILMAX=zz", "250 X Y Z")))},
		{Name: "tarpit", About: "every reply takes 20 seconds", Expect: "waits as long as its limits allow",
			Hosts: one("", Service{Offers: modest, Delay: 20 * time.Second})},
	}
}

// keywords is an EHLO reply with n of them.
func keywords(n int) string {
	var b strings.Builder
	b.WriteString("250-many keywords\r\n")
	for i := range n - 1 {
		fmt.Fprintf(&b, "250-X%d\r\n", i)
	}
	return b.String() + "250 8BITMIME\r\n"
}
