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
		{Name: "tlsold", About: "TLS 1.0 to 1.3",
			Expect: "delivers under TLS 1.3; a check warns of the old versions",
			Hosts:  one("203.0.113.222", Service{Offers: common, Handshake: Handshake{Min: tls.VersionTLS10}})},
		{Name: "eager", About: "answers what stands in the clear behind STARTTLS, before the handshake",
			Expect: "delivers; an active check warns",
			Hosts:  one("203.0.113.223", Service{Offers: common, Eager: true})},
	}
}
