package sandbox

import "crypto/tls"

// certScenarios are the domains whose certificates have something unusual.
func certScenarios() []Scenario {
	return []Scenario{
		{Name: "intermediate", About: "a certificate by an intermediate CA, which is sent",
			Expect: "verified: the chain leads over the intermediate CA to the root",
			Hosts:  shows("198.51.100.11", Intermediate)},
		{Name: "nointermediate", About: "a certificate by an intermediate CA, which is not sent",
			Expect: "not verified: the issuer is missing from the chain",
			Hosts:  shows("198.51.100.12", Intermediate|Unsent)},
		{Name: "badorder", About: "the chain is sent from the root down behind the host's certificate",
			Expect: "verified all the same (RFC 8446 section 4.4.2)",
			Hosts:  shows("198.51.100.13", Intermediate|Disordered)},
		{Name: "expiredca", About: "a certificate by an intermediate CA that expired 20 days ago",
			Expect: "not verified: certificate 1 has expired, the host's own has not",
			Hosts:  shows("198.51.100.14", ExpiredCA)},
		{Name: "unknownca", About: "a certificate by a CA that nobody trusts",
			Expect: "not verified: the chain ends at an issuer that is not known",
			Hosts:  shows("198.51.100.15", UnknownCA)},
		{Name: "leafissued", About: "a certificate by another host's certificate, which is no CA",
			Expect: "not verified: certificate 1 may not issue any",
			Hosts:  shows("198.51.100.16", LeafIssued)},
		{Name: "cnonly", About: "a certificate that names the host in its common name alone",
			Expect: "not verified: the common name does not count (RFC 9525 section 2)",
			Hosts:  shows("198.51.100.17", CNOnly)},
		{Name: "clientonly", About: "a certificate for clients: its extended key usage is clientAuth alone",
			Expect: "not verified: it is not for servers",
			Hosts:  shows("198.51.100.18", ClientOnly)},
		{Name: "weakkey", About: "a certificate with an RSA key of 1024 bits",
			Expect: "not verified: the key is too short",
			Hosts:  shows("198.51.100.19", WeakKey)},
		{Name: "weaksig", About: "a certificate signed over SHA-1",
			Expect: "not verified: the signature proves nothing",
			Hosts:  shows("198.51.100.20", WeakSignature)},
		{Name: "manyfaults", About: "a certificate that is expired, for another name and signed by itself",
			Expect: "not verified, with all three reasons",
			Hosts:  shows("198.51.100.21", SelfSigned|Expired|WrongName)},
		{Name: "expiringsoon", About: "a certificate that expires in 5 days",
			Expect: "verified; a watch with --warn-days over 5 warns",
			Hosts:  shows("198.51.100.22", Expiring)},
		{Name: "lastday", About: "a certificate that expires in 12 hours",
			Expect: "verified; a watch warns, and fails with --fail-days 1",
			Hosts:  shows("203.0.113.240", LastDay)},
		{Name: "stapled", About: "sends an OCSP response: its certificate is good, said an hour ago",
			Expect: "verified, with the staple",
			Hosts:  shows("198.51.100.23", Stapled)},
		{Name: "clientcert", About: "demands a client certificate by the sandbox's CA",
			Expect: "delivers with one; without one the TLS is refused",
			Hosts: one("198.51.100.24", Service{Offers: common,
				Handshake: Handshake{ClientAuth: tls.RequireAndVerifyClientCert}})},
	}
}

// one is a single MX host with a service.
func one(addr string, v Service) []Host {
	return []Host{{Name: "mx1", Addrs: addr, Services: []Service{v}}}
}

// shows is a single MX host that has nothing unusual but its certificate.
func shows(addr string, kind Cert) []Host { return one(addr, Service{Offers: common, Cert: kind}) }
