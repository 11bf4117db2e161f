package sandbox

import (
	"crypto/tls"
)

// checkScenarios are the domains with faults that a sender does not meet, or gets
// around, and that a check of the domain finds.
func checkScenarios() []Scenario {
	const relayed = "relay-test@example.org"
	return []Scenario{
		{Name: "mxfaults", About: "below it a fault of MX records each: twice, same, address, under, short, null, oddnull, gone, mixed, private, lost, unsure, half, doubt, bogus, many, far",
			Expect:  "check names the fault",
			Bogus:   "lost-mx A, lost-mx AAAA, unsure A, unsure AAAA, signed-mx MX",
			Invalid: "bogus MX",
			Zone: `
@ MX 10 mx1
twice MX 10 mx1
twice MX 20 mx1
same MX 10 mx1
same MX 20 also
also A 203.0.113.216
address MX 10 192.0.2.1.
under MX 10 mail_1
mail_1 A 203.0.113.216
short MX 10 mx.
null MX 0 .
null MX 10 mx1
oddnull MX 10 .
gone MX 10 nowhere
dangling MX 10 astray
astray CNAME nowhere
key._domainkey CNAME nowhere
mixed MX 10 both
both A 203.0.113.216
both A 10.0.0.9
private MX 10 inner
private MX 20 mx1
inner A 10.0.0.9
lost MX 10 lost-mx
lost-mx TXT "its addresses are answered SERVFAIL"
unsure TXT "likewise, and it has no MX"
half MX 10 mx1
half MX 20 lost-mx
signed-mx TXT "its MX is answered SERVFAIL, for bad signatures"
bogus TXT "likewise, and the answer says why"
doubt MX 10 doubted
doubted A 198.51.100.248
far MX 10 unreached
unreached A 198.51.100.250
many MX 10 mx1
many MX 20 m2
many MX 20 m3
many MX 20 m4
many MX 20 m5
many MX 20 m6
many MX 20 m7
many MX 20 m8
many MX 20 m9
many MX 20 m10
many MX 20 m11
`,
			Hosts: one("203.0.113.216", Service{Offers: common})},
		{Name: "caa", About: "a CAA record; below it closed, critical, free, lost, and values that are none: percent, quote, space, beside",
			Expect: "check names who may issue certificates for its MX host, or what forbids everybody to",
			Bogus:  "mx.lost CAA",
			Zone: `
@ MX 10 mx1
@ CAA 0 issue "ca.example; account=7"
@ CAA 0 iodef "mailto:hostmaster@caa.test"
closed MX 10 mx.closed
mx.closed A 203.0.113.201
mx.closed CAA 0 issue ";"
critical MX 10 mx.critical
mx.critical A 203.0.113.201
mx.critical CAA 128 mystery "x"
free MX 10 mx.free
mx.free A 203.0.113.201
mx.free CAA 0 iodef "mailto:hostmaster@caa.test"
lost MX 10 mx.lost
mx.lost A 203.0.113.201
percent MX 10 mx.percent
mx.percent A 203.0.113.201
mx.percent CAA 0 issue "%%%%%"
quote MX 10 mx.quote
mx.quote A 203.0.113.201
mx.quote CAA 0 issue "let's encrypt"
space MX 10 mx.space
mx.space A 203.0.113.201
mx.space CAA 0 issue "ca1.example policy=ev"
beside MX 10 mx.beside
mx.beside A 203.0.113.201
mx.beside CAA 0 issue "ca.example"
mx.beside CAA 0 issue "let's encrypt"
`,
			Hosts: one("203.0.113.201", Service{Offers: common})},
		{Name: "shared", About: "three MX hosts at one address, with a certificate for the first; below it other, which has one of them, crowd, of nine hosts there, and ten, of ten elsewhere",
			Expect: "a check visits the address once, and shakes hands with it for each name",
			Zone: `
@ MX 10 mx1
@ MX 20 mx2
@ MX 30 mx3
mx2 A 203.0.113.241
mx3 A 203.0.113.241
other MX 10 mx2
crowd MX 10 c1
c1 A 203.0.113.241
crowd MX 20 c2
c2 A 203.0.113.241
crowd MX 30 c3
c3 A 203.0.113.241
crowd MX 40 c4
c4 A 203.0.113.241
crowd MX 50 c5
c5 A 203.0.113.241
crowd MX 60 c6
c6 A 203.0.113.241
crowd MX 70 c7
c7 A 203.0.113.241
crowd MX 80 c8
c8 A 203.0.113.241
crowd MX 90 c9
c9 A 203.0.113.241
ten MX 10 t0
t0 A 203.0.113.242
ten MX 10 t1
t1 A 203.0.113.243
ten MX 10 t2
t2 A 203.0.113.244
ten MX 10 t3
t3 A 203.0.113.245
ten MX 10 t4
t4 A 203.0.113.246
ten MX 10 t5
t5 A 203.0.113.247
ten MX 10 t6
t6 A 203.0.113.248
ten MX 10 t7
t7 A 203.0.113.249
ten MX 10 t8
t8 A 203.0.113.250
ten MX 10 t9
t9 A 203.0.113.251
`,
			Hosts: one("203.0.113.241", Service{Offers: common})},
		{Name: "tlsrpt", About: "below it TLS-RPT and MTA-STS records with faults: bad, odd, lost, again, unheard",
			Expect: "check names the fault",
			Bogus:  "_smtp._tls.lost TXT, _mta-sts.lost TXT, mta-sts.unheard A, mta-sts.unheard AAAA",
			Zone: `
@ MX 10 mx1
@ TXT "no TLS-RPT here"
bad MX 10 mx1
_smtp._tls.bad TXT "v=TLSRPTv1; rua=ftp://reports.tlsrpt.test"
odd MX 10 mx1
_smtp._tls.odd TXT "v=TLSRPTv1; rua=mailto:a@tlsrpt.test,ftp://tlsrpt.test"
lost MX 10 mx1
_smtp._tls.lost TXT "v=TLSRPTv1; rua=mailto:a@tlsrpt.test"
unheard MX 10 mx1
near MX 10 mx1
_mta-sts.near TXT "id=1; v=STSv1"
_mta-sts.unheard TXT "v=STSv1; id=1;"
mta-sts.unheard TXT "its addresses are answered SERVFAIL"
again MX 10 mx1
_mta-sts.again TXT "v=STSv1; id=1; id=2;"
`,
			Hosts: one("203.0.113.202", Service{Offers: common})},
		{Name: "sts-short", About: "MTA-STS in mode enforce for an hour, and nobody is told of failures",
			Expect: "delivers, and a check warns", STS: "enforce",
			Zone: "@ MX 10 mx1\n_mta-sts TXT \"v=STSv1; id=1;\"\n",
			Hosts: append(one("203.0.113.203", Service{Offers: common}), policyHost("203.0.113.204", Service{Page: &Page{
				Body: "version: STSv1\r\nmode: enforce\r\nmx: mx1.sts-short.test\r\nmax_age: 3600\r\n"}}))},
		{Name: "dane-stale", About: "TLSA 3 1 1 of its key, and one of other parameters that stands for nothing",
			Expect: "match; a check warns of the other record", Signed: true, DANE: "match",
			Hosts: one("203.0.113.205", Service{Offers: common, TLSA: "3 1 1, 3 0 1 other"})},
		{Name: "relay", About: "an open relay: takes mail for " + relayed,
			Expect: "check --relay-open finds it, without ever sending a message",
			Hosts: one("203.0.113.206", Service{Offers: common, Rules: []Rule{
				On("RCPT "+relayed, Say("250 2.1.5 Ok"))}})},
		{Name: "percent", About: "takes addresses with a % in their local part, which it may relay",
			Expect: "check --relay-open warns",
			Hosts: one("203.0.113.207", Service{Offers: common, Rules: []Rule{
				On("RCPT relay-test%example.org@*", Say("250 2.1.5 Ok"))}})},
		{Name: "smuggle", About: "takes odd line ends around a dot for the end of a message, and obeys what follows",
			Expect: "check --smuggling finds it",
			Hosts: append(one("203.0.113.208", Service{Offers: common, Lax: true}),
				Host{Name: "mx2", Addrs: "203.0.113.224", Services: []Service{{Lax: true}}})},
		{Name: "barelf", About: "takes messages with bare CR and LF as they are",
			Expect: "check --smuggling notes it",
			Hosts: one("203.0.113.209", Service{Offers: common, Rules: []Rule{
				On("DOT", Say("250 2.0.0 Ok"))}})},
		{Name: "nopostmaster", About: "refuses postmaster and abuse",
			Expect: "check --active finds it",
			Hosts: one("203.0.113.210", Service{Offers: common, Mailboxes: "alice", Rules: []Rule{
				On("RCPT postmaster@", Say("550 5.1.1 <{to}> no such user here"))}})},
		{Name: "nobounces", About: "refuses the null sender",
			Expect: "check --active asks nothing more",
			Hosts: one("203.0.113.211", Service{Offers: common, Rules: []Rule{
				On("MAIL", Say("550 5.7.1 no mail from you"))}})},
		{Name: "tls3des", About: "TLS 1.2 with 3DES alone",
			Expect: "delivers; a check fails it",
			Hosts: one("203.0.113.212", Service{Offers: common, Cert: RSAKey, Handshake: Handshake{Max: tls.VersionTLS12,
				Suites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}})},
		{Name: "tlsodd", About: "REQUIRETLS and AUTH CRAM-MD5 before TLS, and STARTTLS again behind it",
			Expect: "delivers; a check warns of each",
			Hosts:  one("203.0.113.213", Service{Offers: common + ", REQUIRETLS, AUTH CRAM-MD5", Secure: common + ", REQUIRETLS"})},
		{Name: "nameless", About: "greets and answers EHLO as mailserver, without a domain",
			Expect: "delivers; a check warns",
			Hosts: one("203.0.113.214", Service{Offers: common, Rules: []Rule{
				On("CONNECT", Say("220 mailserver ESMTP")),
				On("EHLO", Say("250-mailserver", "250-8BITMIME", "250 STARTTLS"))}})},
		{Name: "renamed", About: "names itself nobody.renamed.test, which does not exist",
			Expect: "delivers; a check notes it",
			Hosts: one("203.0.113.215", Service{Offers: common, Rules: []Rule{
				On("CONNECT", Say("220 nobody.renamed.test ESMTP")),
				On("EHLO", Say("250-nobody.renamed.test", "250-8BITMIME", "250 STARTTLS"))}})},
	}
}
