package sandbox

import (
	"slices"
	"time"

	"github.com/miekg/dns"
)

// What servers offer. Under TLS all of it but STARTTLS is offered again.
const (
	common   = "PIPELINING, SIZE 10485760, STARTTLS, ENHANCEDSTATUSCODES, 8BITMIME, SMTPUTF8"
	wellKept = "PIPELINING, SIZE 52428800, 8BITMIME, STARTTLS, ENHANCEDSTATUSCODES, CHUNKING, SMTPUTF8, DSN, HELP"
)

// people are the mailboxes of every domain that does not say otherwise.
const people = "alice bob carol dan dave erin eve frank grace user* test* list postmaster abuse hostmaster grüße 李明"

// anyone are the mailboxes of a server that takes every name.
const anyone = "*"

// Scenarios is the table of the world's domains. To add a misbehaving server,
// add a row; what a field means stands at its type.
func Scenarios() []Scenario {
	return slices.Concat([]Scenario{
		{Name: "good", About: "a well-kept server: every extension, a valid certificate, two MX hosts, DANE, MTA-STS and TLS-RPT",
			Expect: "delivers under verified TLS, pipelined and in one BDAT",
			Zone:   "@ MX 10 mx1\n@ MX 20 mx2\n" + stsRecords("good.test") + dkimRecords() + sendingRecords("good.test"),
			Signed: true,
			Hosts: []Host{
				{Name: "mx1", Addrs: "192.0.2.10 2001:db8::10", Services: []Service{{Offers: wellKept, TLSA: "3 1 1"}}},
				{Name: "mx2", Addrs: "192.0.2.11 2001:db8::11", Services: []Service{{Offers: wellKept, TLSA: "3 1 1"}}},
				policyHost("198.51.100.10", Service{Page: &Page{Body: policy("enforce", "mx1.good.test", "mx2.good.test")}}),
			},
			DANE: "match", STS: "enforce"},
		{Name: "plain", About: "no STARTTLS and no PIPELINING, nor anything else",
			Expect: "delivers in the clear, waiting for each reply",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.12", Services: []Service{{Offers: "HELP"}}}}},
		{Name: "starttls", About: "STARTTLS, PIPELINING and SIZE; no CHUNKING",
			Expect: "delivers under TLS, pipelined, by DATA",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.13",
				Services: []Service{{Offers: "PIPELINING, SIZE 10485760, STARTTLS, ENHANCEDSTATUSCODES, 8BITMIME"}}}}},
		{Name: "chunking", About: "CHUNKING, BINARYMIME and PIPELINING; no TLS",
			Expect: "delivers by BDAT, in the clear",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.14",
				Services: []Service{{Offers: "PIPELINING, 8BITMIME, CHUNKING, BINARYMIME, ENHANCEDSTATUSCODES"}}}}},
		{Name: "smtps", About: "TLS from the first byte on port 465; port 25 refuses connections",
			Expect: "fails on port 25, and works with smtps://mx1.smtps.test",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.15", Services: []Service{{Port: 465, TLS: true, Offers: common}}}}},
		{Name: "helo-only", About: "answers EHLO with 502 and knows only HELO",
			Expect: "falls back to HELO and delivers",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.16", Services: []Service{{Rules: []Rule{
				On("EHLO", Say("502 command not implemented"))}}}}}},
		{Name: "greylist", About: "451 4.7.1 at the first try of each client, sender and recipient, then 250",
			Expect: "defers, and delivers at the second try",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.17", Services: []Service{{Offers: common, Rules: []Rule{
				First(1, On("RCPT", Say("451 4.7.1 <{to}> greylisted, try again in 2 seconds")))}}}}}},
		{Name: "reject", About: "refuses for good: RCPT 550 5.1.1; dmarc@ 550 5.7.26 and spam@ 554 5.7.1 after the message; " +
			"data@ 554 5.6.0 at DATA; sender blocked@ 550 5.7.1",
			Expect: "reports the refusal with its phase, and does not try again",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.18", Services: []Service{{Offers: common, Mailboxes: "dmarc spam data postmaster",
				Rules: []Rule{
					On("MAIL blocked@", Say("550 5.7.1 <{to}> sender refused by policy")),
					On("DATA data@", Say("554 5.6.0 no messages are taken for this recipient")),
					On("DOT dmarc@", Say("550-5.7.26 Unauthenticated email is not accepted due to the",
						"550 5.7.26 DMARC policy of the sender's domain")),
					On("DOT spam@", Say("554 5.7.1 the message looks like spam")),
				}}}}}},
		{Name: "tempfail", About: "refuses for now: RCPT 451 4.3.0; data@ at DATA, dot@ after the message; sender mail@ at MAIL",
			Expect: "defers, and tries again later",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.19", Services: []Service{{Offers: common, Mailboxes: anyone, Rules: []Rule{
				On("MAIL mail@", Say("451 4.3.0 <{to}> temporary failure")),
				On("RCPT data@"),
				On("RCPT dot@"),
				On("RCPT", Say("451 4.3.0 <{to}> temporary failure, try again later")),
				On("DATA data@", Say("451 4.3.0 temporary failure")),
				On("DOT dot@", Say("451 4.3.0 temporary failure, the message was not kept")),
			}}}}}},
		{Name: "partial", About: "takes bob@ and dan@; carol@ is 550 5.1.1, erin@ 452 4.2.2, the rest 550 5.1.1",
			Expect: "delivers to two, with an outcome for each recipient",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.20", Services: []Service{{Offers: common, Mailboxes: "bob dan erin postmaster",
				Rules: []Rule{On("RCPT erin@", Say("452 4.2.2 <{to}> mailbox full"))}}}}}},
		{Name: "nullmx", About: "takes no mail at all, and says so by a null MX",
			Expect: "refuses without a connection (RFC 7505)",
			Zone:   "@ MX 0 ."},
		{Name: "nomx", About: "exists, and has neither MX nor address",
			Expect: "refuses without a connection: nowhere to go",
			Zone:   `@ TXT "a domain without a mail server"`},
		{Name: "implicit", About: "no MX; the domain's own address takes mail",
			Expect: "delivers to the domain's address (RFC 5321 section 5.1)",
			Zone:   `@ TXT "a domain without MX"`,
			Hosts:  []Host{{Name: "@", Addrs: "192.0.2.21 2001:db8::21", Services: []Service{{Offers: common}}}}},
		{Name: "backup", About: "the first MX host refuses connections, the second takes mail",
			Expect: "goes on to mx2 and delivers",
			Hosts: []Host{
				{Name: "mx1", Addrs: "192.0.2.22"},
				{Name: "mx2", Addrs: "192.0.2.23", Services: []Service{{Offers: common}}},
			}},
		{Name: "slow", About: "every reply takes 300 ms; that to RCPT 2s@ two seconds more, and so on",
			Expect: "waits and delivers",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.24", Services: []Service{{Offers: common, Mailboxes: anyone,
				Delay: 300 * time.Millisecond, Rules: []Rule{On("RCPT", WaitNamed())}}}}}},
		{Name: "silent", About: "never answers RCPT; data@ at DATA, dot@ after the message; banner.silent.test has no banner",
			Expect: "gives up after its time limit; after the message the outcome is unknown",
			Zone:   "@ MX 10 mx1\nbanner MX 10 mx2",
			Hosts: []Host{
				{Name: "mx1", Addrs: "192.0.2.25", Services: []Service{{Offers: common, Mailboxes: anyone, Rules: []Rule{
					On("RCPT data@"),
					On("RCPT dot@"),
					On("RCPT", Silence()),
					On("DATA data@", Silence()),
					On("DOT dot@", Silence()),
				}}}},
				{Name: "mx2", Addrs: "192.0.2.26", Services: []Service{{Rules: []Rule{On("CONNECT", Silence())}}}},
			}},
		{Name: "busy", About: "says 421 4.3.2 instead of a banner and closes",
			Expect: "defers",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.27", Services: []Service{{Rules: []Rule{
				On("CONNECT", Say("421 4.3.2 {host} too busy, try again later"), HangUp())}}}}}},
		{Name: "small", About: "takes messages of up to 1000 octets (SIZE 1000)",
			Expect: "sends nothing that is bigger, for the server says so beforehand",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.28",
				Services: []Service{{Offers: "PIPELINING, SIZE 1000, STARTTLS, ENHANCEDSTATUSCODES, 8BITMIME"}}}}},
		{Name: "vrfy", About: "VRFY, EXPN, HELP and ETRN answer: alice, bob; smith is ambiguous; the list is staff",
			Expect: "shows the names; verify says exists for alice@, absent for carol@",
			Hosts: []Host{{Name: "mx1", Addrs: "192.0.2.29", Services: []Service{{Offers: common + ", VRFY, EXPN, HELP, ETRN",
				Mailboxes: "alice bob postmaster", Rules: vrfy()}}}}},
		{Name: "catchall", About: "takes every recipient",
			Expect: "verify says unknown: 250 for a made-up name too",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.30", Services: []Service{{Offers: common, Mailboxes: anyone}}}}},
		{Name: "expired", About: "a certificate that expired 20 days ago",
			Expect: "delivers with a warning, and refuses where verification is demanded",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.31", Services: []Service{{Offers: common, Cert: Expired}}}}},
		{Name: "notyet", About: "a certificate that is valid only in 10 days",
			Expect: "as expired",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.32", Services: []Service{{Offers: common, Cert: NotYet}}}}},
		{Name: "selfsigned", About: "a certificate that nobody else signed",
			Expect: "as expired",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.33", Services: []Service{{Offers: common, Cert: SelfSigned}}}}},
		{Name: "wrongname", About: "a certificate for *.hosting.example",
			Expect: "as expired",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.34", Services: []Service{{Offers: common, Cert: WrongName}}}}},
		{Name: "drops", About: "closes without a word after the message; rcpt@ at RCPT, data@ at DATA; sender mail@ at MAIL; " +
			"banner.drops.test before the banner, ehlo.drops.test at EHLO",
			Expect: "after the message the outcome is unknown; before it nothing was sent",
			Zone:   "@ MX 10 mx1\nbanner MX 10 mx2\nehlo MX 10 mx3",
			Hosts: []Host{
				{Name: "mx1", Addrs: "192.0.2.35", Services: []Service{{Offers: common, Mailboxes: anyone, Rules: []Rule{
					On("MAIL mail@", HangUp()),
					On("RCPT rcpt@", HangUp()),
					On("DATA data@", HangUp()),
					On("DOT", HangUp()),
				}}}},
				{Name: "mx2", Addrs: "192.0.2.36", Services: []Service{{Rules: []Rule{On("CONNECT", HangUp())}}}},
				{Name: "mx3", Addrs: "192.0.2.37", Services: []Service{{Rules: []Rule{On("EHLO", HangUp())}}}},
			}},
		{Name: "privatemx", About: "its MX host has the address 10.0.0.5",
			Expect: "warns that the address is private; it is not reached",
			Zone:   "@ MX 10 mx1\nmx1 A 10.0.0.5"},
		{Name: "cnamemx", About: "its MX host is a CNAME",
			Expect: "delivers, and notes the breach of RFC 5321 section 5.1",
			Zone:   "@ MX 10 mail\nmail CNAME mx1",
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.38", Services: []Service{{Offers: common}}}}},
		{Name: "loop", About: "its MX host is a CNAME that leads to itself",
			Expect: "gives up on the host",
			Zone:   "@ MX 10 a\na CNAME b\nb CNAME a"},
		{Name: "xn--bcher-kva", About: "bücher.test, an international domain",
			Expect: "finds it by either form of its name and delivers",
			Also:   []string{"bücher.test"},
			Hosts:  []Host{{Name: "mx1", Addrs: "192.0.2.39", Services: []Service{{Offers: wellKept}}}}},
		{Name: "servfail", About: "the DNS server answers SERVFAIL",
			Expect: "no answer: it may work later",
			Rcode:  dns.RcodeServerFailure},
	}, tlsScenarios(), authScenarios(), extensionScenarios(), hostileScenarios(), spfScenarios(), dmarcScenarios(), checkScenarios(), verdictScenarios())
}

// vrfy are the rules of vrfy.test (RFC 5321 sections 3.5 and 4.1.1.6 to 4.1.1.8,
// RFC 1985).
func vrfy() []Rule {
	return []Rule{
		On("VRFY alice", Say("250 2.1.5 Alice Example <alice@vrfy.test>")),
		On("VRFY bob", Say("250 2.1.5 Bob Example <bob@vrfy.test>")),
		On("VRFY smith", Say("553-5.1.4 ambiguous; possibilities are", "553-5.1.4 Joe Smith <joe@vrfy.test>",
			"553 5.1.4 Harry Smith <harry@vrfy.test>")),
		On("VRFY", Say("550 5.1.1 {to}: no such user here")),
		On("EXPN staff", Say("250-2.1.5 Alice Example <alice@vrfy.test>", "250 2.1.5 Bob Example <bob@vrfy.test>")),
		On("EXPN", Say("550 5.1.1 {to}: no such list here")),
		On("HELP VRFY", Say("214-2.0.0 VRFY <name>", "214 2.0.0 says if a name is a mailbox here")),
		On("HELP", Say("214-2.0.0 Topics: HELO EHLO MAIL RCPT DATA", "214-2.0.0 RSET NOOP QUIT VRFY EXPN ETRN",
			"214 2.0.0 For more, HELP <topic>")),
		On("ETRN down.vrfy.test", Say("458 4.3.0 unable to queue messages for {to}")),
	}
}
