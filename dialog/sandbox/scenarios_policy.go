package sandbox

import (
	"fmt"
	"strings"
	"time"
)

// daneScenarios are the domains with TLSA records, or without them on purpose
// (RFC 7672). Signed ones are secure for a client that believes the AD bit.
func daneScenarios() []Scenario {
	row := func(name, about, finds, expect string, hosts ...Host) Scenario {
		return Scenario{Name: name, About: about, Expect: expect, Signed: true, Hosts: hosts, DANE: finds}
	}
	host := func(addr string, kind Cert, tlsa string) Host {
		return one(addr, Service{Offers: common, Cert: kind, TLSA: tlsa})[0]
	}
	const stop = "no mail goes there"
	cname := row("dane-cname", "its MX host is a CNAME; the TLSA record is at the name that it leads to", "match",
		"match, by the name that the alias leads to (RFC 7672 section 2.2.3)", host("198.51.100.68", UnknownCA, "3 1 1"))
	cname.Zone = "@ MX 10 mail\nmail CNAME mx1"
	insecure := row("dane-insecure", "a TLSA record in a zone that is not signed", "insecure",
		"insecure: the record does not count, TLS is as without it", host("198.51.100.72", Valid, "3 1 1 other"))
	insecure.Signed = false
	bogus := row("dane-bogus", "the question for its TLSA record is answered SERVFAIL", "bogus",
		"bogus: "+stop+", for an attack looks the same (RFC 7672 section 2.1.2)", host("198.51.100.73", Valid, "3 1 1"))
	bogus.Bogus = "_25._tcp.mx1 TLSA"
	notls := row("dane-notls", "a TLSA record, and a server without STARTTLS", "",
		stop+": the record promises TLS (RFC 7672 section 2.2)",
		one("198.51.100.75", Service{Offers: "PIPELINING, 8BITMIME", TLSA: "3 1 1"})...)
	second := host("198.51.100.77", Valid, "3 1 1")
	second.Name = "mx2"
	return []Scenario{
		row("dane", "DANE-EE: TLSA 3 1 1 of its own key, certified by a CA that nobody trusts", "match",
			"match: verified without any CA", host("198.51.100.60", UnknownCA, "3 1 1")),
		row("dane-ta", "DANE-TA: TLSA 2 1 1 of the intermediate CA, which is sent", "match",
			"match: verified by that CA, and by name", host("198.51.100.61", Intermediate, "2 1 1")),
		row("dane-tafull", "DANE-TA: TLSA 2 0 0, a whole CA certificate, which is not sent", "match",
			"match: the record brings the CA", host("198.51.100.62", UnknownCA, "2 0 0")),
		row("dane-eefull", "DANE-EE: TLSA 3 0 0, the host's whole certificate", "match",
			"match", host("198.51.100.63", Valid, "3 0 0")),
		row("dane-sha512", "DANE-EE: TLSA 3 1 2", "match",
			"match", host("198.51.100.64", Valid, "3 1 2")),
		row("dane-expired", "TLSA 3 1 1 of its key; the certificate has expired and has another name", "match",
			"match: neither date nor name counts (RFC 7672 section 3.1.1)", host("198.51.100.65", Expired|WrongName, "3 1 1")),
		row("dane-ta-name", "TLSA 2 1 1 of the intermediate CA; the certificate has another name", "mismatch",
			"mismatch: with DANE-TA the name counts (RFC 7672 section 3.2.2)", host("198.51.100.66", Intermediate|WrongName, "2 1 1")),
		cname,
		row("dane-rollover", "TLSA 3 1 1 of its key and of the next one", "match",
			"match, by the roll-over scheme (RFC 7671 section 8.1)", host("198.51.100.69", Valid, "3 1 1, 3 1 1 other")),
		row("dane-mismatch", "TLSA 3 1 1 of another key; the certificate is valid", "mismatch",
			"mismatch: "+stop, host("198.51.100.70", Valid, "3 1 1 other")),
		row("dane-missing", "a signed zone without a TLSA record", "missing",
			"missing: TLS is as without DANE", host("198.51.100.71", Valid, "")),
		insecure,
		bogus,
		row("dane-unusable", "TLSA of the usages 0 and 1, and one of a matching type that nobody knows", "unusable",
			"unusable: TLS is demanded, proof is not (RFC 7672 section 2.2)", host("198.51.100.74", UnknownCA, "0 0 1, 1 1 1, 3 1 7")),
		notls,
		row("dane-mixed", "the first MX host's TLSA record is of another key, the second's is right", "mismatch",
			"leaves mx1 and delivers to mx2", host("198.51.100.76", Valid, "3 1 1 other"), second),
	}
}

// stsScenarios are the domains with an MTA-STS record (RFC 8461), the policy of
// which is at mta-sts below them.
func stsScenarios() []Scenario {
	const stop = "no mail goes there"
	// row is a domain with its MX host at 198.51.100.n and its policy's host 100 above.
	row := func(n int, name, about, finds, expect string, mx, web Service) Scenario {
		if mx.Offers == "" {
			mx.Offers = common
		}
		hosts := append(one(fmt.Sprintf("198.51.100.%d", n), mx), policyHost(fmt.Sprintf("198.51.100.%d", n+100), web))
		return Scenario{Name: name, About: about, Expect: expect, STS: finds,
			Zone: "@ MX 10 mx1\n" + stsRecords(name+".test"), Hosts: hosts}
	}
	serves := func(mode string, mx ...string) Service { return Service{Page: &Page{Body: policy(mode, mx...)}} }
	// broken is a domain whose MX host satisfies a policy that is not to be had.
	broken := func(n int, name, about, why string, kind Cert, p Page) Scenario {
		if p.Body == "" {
			p.Body = policy("enforce", "mx1."+name+".test")
		}
		return row(n, name, about, "broken", "no policy: "+why, Service{}, Service{Cert: kind, Page: &p})
	}
	badrecord := broken(115, "sts-badrecord", "two MTA-STS records", "one is allowed (RFC 8461 section 3.1)", Valid, Page{})
	badrecord.Zone += "_mta-sts TXT \"v=STSv1; id=20261102000000Z;\"\n"
	evilrecord := broken(121, "sts-evilrecord", "terminal escapes in the MTA-STS record", "the record is none (RFC 8461 section 3.1), and is shown escaped", Valid, Page{})
	evilrecord.Zone = strings.Replace(evilrecord.Zone, "id=2026", "id=\\027[2J\\226\\128\\174", 1)
	nohost := broken(116, "sts-nohost", "an MTA-STS record; mta-sts.sts-nohost.test has no address", "its host cannot be found", Valid, Page{})
	nohost.Hosts = nohost.Hosts[:1]
	dane := row(117, "sts-dane", "a TLSA record that matches; a policy in mode enforce names another MX host", "enforce",
		"delivers: DANE decides (RFC 8461 section 2)", Service{Cert: UnknownCA, TLSA: "3 1 1"}, serves("enforce", "mail.hosting.example"))
	dane.Signed, dane.DANE = true, "match"
	return []Scenario{
		row(101, "sts", "MTA-STS in mode enforce, which its MX host satisfies", "enforce",
			"delivers under the TLS that the policy demands", Service{}, serves("enforce", "*.sts.test")),
		row(102, "sts-testing", "mode testing; the certificate of its MX host is self-signed", "testing",
			"delivers, and says that enforce would not", Service{Cert: SelfSigned}, serves("testing", "mx1.sts-testing.test")),
		row(103, "sts-none", "mode none; the certificate of its MX host is self-signed", "none",
			"delivers: there is no policy any more", Service{Cert: SelfSigned}, serves("none", "mx1.sts-none.test")),
		row(104, "sts-wrongmx", "mode enforce; the policy names other MX hosts", "enforce", stop+" (RFC 8461 section 4.1)",
			Service{}, serves("enforce", "mail.hosting.example", "*.mx1.sts-wrongmx.test")),
		row(105, "sts-selfsigned", "mode enforce; the certificate of its MX host is self-signed", "enforce",
			stop+" (RFC 8461 section 4.2)", Service{Cert: SelfSigned}, serves("enforce", "mx1.sts-selfsigned.test")),
		row(106, "sts-notls", "mode enforce; its MX host offers no STARTTLS", "enforce", stop+" (RFC 8461 section 4.2)",
			Service{Offers: "PIPELINING, SIZE 10485760, ENHANCEDSTATUSCODES, 8BITMIME"}, serves("enforce", "mx1.sts-notls.test")),
		broken(107, "sts-expired", "the certificate of the policy's host has expired",
			"its host has to prove its name (RFC 8461 section 3.3)", Expired, Page{}),
		broken(108, "sts-wrongname", "the certificate of the policy's host is for another name",
			"its host has to prove its name (RFC 8461 section 3.3)", WrongName, Page{}),
		broken(109, "sts-redirect", "the policy is behind a redirect (301)",
			"redirects are not followed (RFC 8461 section 3.3)", Valid, Page{Status: 301, Location: "/policy.txt"}),
		broken(110, "sts-wrongtype", "the policy is served as text/html",
			"it has to be text/plain (RFC 8461 section 3.2)", Valid, Page{Type: "text/html; charset=utf-8"}),
		broken(111, "sts-toolarge", "the policy has 70000 octets", "it is over 64 KiB (RFC 8461 section 3.3)", Valid, Page{Fill: 70000}),
		broken(112, "sts-slow", "the policy comes at one octet a second",
			"it takes over a minute (RFC 8461 section 3.3)", Valid, Page{Drip: time.Second}),
		broken(113, "sts-404", "the policy's host has no policy", "404 Not Found", Valid, Page{Status: 404, Body: "no such page\r\n"}),
		broken(114, "sts-badpolicy", "the policy has no max_age, and a line without a colon",
			"it breaks the syntax of RFC 8461 section 3.2", Valid, Page{Body: "version: STSv1\r\nmode: enforce\r\nmx mx1.sts-badpolicy.test\r\n"}),
		broken(118, "sts-flood", "the policy comes without end", "it is over 64 KiB (RFC 8461 section 3.3)", Valid,
			Page{Body: policy("enforce", "mx1.sts-flood.test"), Endless: true}),
		broken(119, "sts-stall", "the policy's host says that a policy follows, and then nothing",
			"it takes over a minute (RFC 8461 section 3.3)", Valid, Page{Drip: time.Hour}),
		broken(120, "sts-evil", "terminal escapes in the policy", "it breaks the syntax of RFC 8461 section 3.2, and is shown escaped",
			Valid, Page{Body: policy("enforce\x1b[2J\u202e", "mx1.\x1b]0;owned\x07.test")}),
		evilrecord,
		badrecord,
		nohost,
		dane,
	}
}

// policy is an MTA-STS policy (RFC 8461 section 3.2) that is valid for a week.
func policy(mode string, mx ...string) string {
	return "version: STSv1\r\nmode: " + mode + "\r\nmx: " + strings.Join(mx, "\r\nmx: ") + "\r\nmax_age: 604800\r\n"
}

// policyHost is the host that serves a domain's policy by HTTPS.
func policyHost(addr string, v Service) Host {
	v.Port, v.TLS = 443, true
	return Host{Name: "mta-sts", Addrs: addr, Services: []Service{v}}
}

// stsRecords are the records that tell of a policy, and of whom to send reports
// to (RFC 8461 section 3.1, RFC 8460 section 3).
func stsRecords(domain string) string {
	return "_mta-sts TXT \"v=STSv1; id=20261101000000Z;\"\n" +
		"_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:tls-reports@" + domain + "\"\n"
}
