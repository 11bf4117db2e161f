package sandbox

import "crypto/tls"

// verdictScenarios are the domains that a check gives a verdict on which it gives on no
// other.
func verdictScenarios() []Scenario {
	// enforced is a domain whose MX host does not prove what its policy demands.
	enforced := func(name, about, mx, web string, kind Cert) Scenario {
		return Scenario{Name: name, About: "mode enforce; " + about, Expect: "no mail goes there (RFC 8461 section 4.2)", STS: "enforce",
			Zone: "@ MX 10 mx1\n" + stsRecords(name+".test"),
			Hosts: append(one(mx, Service{Offers: common, Cert: kind}),
				policyHost(web, Service{Page: &Page{Body: policy("enforce", "mx1."+name+".test")}}))}
	}
	return []Scenario{
		enforced("sts-othername", "the certificate of its MX host is for another name", "203.0.113.217", "203.0.113.218", WrongName),
		enforced("sts-weakkey", "the key of its MX host has 1024 bits", "203.0.113.219", "203.0.113.220", WeakKey),
		{Name: "dane-down", About: "TLSA 3 1 1, and an MX host that refuses connections",
			Expect: "defers; a check does not know whether the record matches", Signed: true,
			Zone:  "@ MX 10 mx1\n_25._tcp.mx1 TLSA 3 1 1 66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925\n",
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.221"}}},
		{Name: "dane-onekey", About: "TLSA 3 1 1 and 3 0 1 of one certificate, 2 1 1 and 2 0 1 of one authority, and 3 1 1 beside 2 1 1, at a host each",
			Expect: "match; a check notes that a new key breaks the first, and a new authority the second", Signed: true, DANE: "match",
			Hosts: []Host{
				{Name: "mx1", Addrs: "203.0.113.226", Services: []Service{{Offers: common, TLSA: "3 1 1, 3 0 1"}}},
				{Name: "mx2", Addrs: "203.0.113.227", Services: []Service{{Offers: common, Cert: Intermediate, TLSA: "2 1 1, 2 0 1"}}},
				{Name: "mx3", Addrs: "203.0.113.228", Services: []Service{{Offers: common, Cert: Intermediate, TLSA: "3 1 1, 2 1 1"}}},
				{Name: "mx4", Addrs: "203.0.113.229", Services: []Service{{Offers: common, TLSA: "3 0 1"}}},
			}},
		{Name: "strangers", About: "puts off mail to elsewhere; below it blocked, later, helo, policy, which refuse every recipient, and the client is why",
			Expect: "delivers to the first; a check of the others knows nothing of relaying, nor of mailboxes",
			Zone:   "@ MX 10 mx1\nblocked MX 10 mx2\nlater MX 10 mx3\nhelo MX 10 mx4\npolicy MX 10 mx5\n",
			Hosts: []Host{
				{Name: "mx1", Addrs: "203.0.113.230", Services: []Service{{Offers: common, Rules: []Rule{
					On("RCPT relay-test@example.org", Say("450 4.7.1 <{to}>: greylisted, try again in 300 seconds"))}}}},
				atRCPT("mx2", "203.0.113.231", "550 5.7.1 Service unavailable; client [{client}] blocked using zen.spamhaus.org"),
				atRCPT("mx3", "203.0.113.232", "451 4.3.0 <{to}>: temporary lookup failure"),
				atRCPT("mx4", "203.0.113.233", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"),
				atRCPT("mx5", "203.0.113.234", "550 5.7.1 spam policy"),
			}},
		{Name: "tlsold", About: "TLS 1.0 to 1.3",
			Expect: "delivers under TLS 1.3; a check warns of the old versions",
			Hosts:  one("203.0.113.222", Service{Offers: common, Handshake: Handshake{Min: tls.VersionTLS10}})},
		{Name: "eager", About: "answers what stands in the clear behind STARTTLS, before the handshake; its second MX host hangs up",
			Expect: "delivers; an active check warns",
			Hosts: append(one("203.0.113.223", Service{Offers: common, Eager: true}),
				Host{Name: "mx2", Addrs: "203.0.113.225", Services: []Service{{Offers: common, Wary: true}}})},
	}
}

// atRCPT is a host that says the same of every recipient, and of every name that VRFY and EXPN
// ask for.
func atRCPT(name, addr, reply string) Host {
	return Host{Name: name, Addrs: addr, Services: []Service{{Offers: common + ", VRFY, EXPN", Rules: []Rule{
		On("RCPT", Say(reply)), On("VRFY", Say(reply)), On("EXPN", Say(reply))}}}}
}
