package sandbox

import (
	"crypto/tls"
	"slices"
)

// tlsScenarios are the domains whose point is TLS: certificates, handshakes, and
// what DANE and MTA-STS demand of them.
func tlsScenarios() []Scenario {
	return slices.Concat(certScenarios(), handshakeScenarios(), daneScenarios(), stsScenarios())
}

// Octets of TLS that lead nowhere (RFC 8446 sections 4.1.3, 5.1 and 6).
const (
	handshakeFailure = "\x15\x03\x03\x00\x02\x02\x28"                 // a fatal alert
	partOfHello      = "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" // a ServerHello without its end
)

// handshakeScenarios are the domains whose STARTTLS or handshake is unusual.
func handshakeScenarios() []Scenario {
	const goAhead = "220 2.0.0 go ahead"
	answers := func(addr string, acts ...Act) []Host {
		return one(addr, Service{Offers: common, Rules: []Rule{On("STARTTLS", acts...)}})
	}
	return []Scenario{
		{Name: "tls10", About: "TLS 1.0 and nothing newer",
			Expect: "delivers with a finding: TLS 1.0 is deprecated (RFC 8996)",
			Hosts:  one("198.51.100.30", Service{Offers: common, Handshake: Handshake{Min: tls.VersionTLS10, Max: tls.VersionTLS10}})},
		{Name: "tls12", About: "TLS 1.2 and nothing else",
			Expect: "delivers under verified TLS 1.2",
			Hosts:  one("198.51.100.31", Service{Offers: common, Handshake: Handshake{Min: tls.VersionTLS12, Max: tls.VersionTLS12}})},
		{Name: "tls13", About: "TLS 1.3 and nothing older",
			Expect: "delivers under verified TLS 1.3",
			Hosts:  one("198.51.100.32", Service{Offers: common, Handshake: Handshake{Min: tls.VersionTLS13}})},
		{Name: "oldsuites", About: "TLS 1.2 with RSA key exchange and CBC alone",
			Expect: "delivers with a finding: no forward secrecy",
			Hosts: one("198.51.100.33", Service{Offers: common, Cert: RSAKey, Handshake: Handshake{Max: tls.VersionTLS12,
				Suites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}}})},
		{Name: "stripped", About: "something on the path has blanked STARTTLS: the keyword is XXXXXXXA, the command 500",
			Expect: "delivers in the clear with a warning; stops where TLS is demanded",
			Hosts: one("198.51.100.34", Service{Offers: "PIPELINING, SIZE 10485760, XXXXXXXA, ENHANCEDSTATUSCODES, 8BITMIME",
				Rules: []Rule{On("STARTTLS", Say("500 5.5.1 command unrecognized: \"XXXXXXXX\""))}})},
		{Name: "tlsrefused", About: "offers STARTTLS and refuses it with 454 4.7.0",
			Expect: "as stripped",
			Hosts:  answers("198.51.100.35", Say("454 4.7.0 TLS not available due to local problem"))},
		{Name: "tlsunknown", About: "offers STARTTLS and does not know it: 502",
			Expect: "as stripped",
			Hosts:  answers("198.51.100.36", Say("502 5.5.1 STARTTLS is not implemented"))},
		{Name: "tlsstall", About: "says 220 to STARTTLS and then nothing",
			Expect: "gives up after its time limit, before MAIL",
			Hosts:  answers("198.51.100.37", Say(goAhead), Silence())},
		{Name: "tlsdrop", About: "says 220 to STARTTLS and closes",
			Expect: "stops: the connection was lost in the handshake",
			Hosts:  answers("198.51.100.38", Say(goAhead), HangUp())},
		{Name: "tlsplain", About: "says 220 to STARTTLS and takes the handshake for a command: 500",
			Expect: "stops: what came is no TLS, and is quoted",
			Hosts:  answers("198.51.100.39", Say(goAhead), Await(), Say("500 5.5.2 command not recognized"), HangUp())},
		{Name: "tlsalert", About: "ends the handshake by the alert handshake_failure",
			Expect: "stops, and names the alert",
			Hosts:  answers("198.51.100.40", Say(goAhead), Await(), Raw(handshakeFailure), HangUp())},
		{Name: "tlstruncate", About: "closes within its ServerHello",
			Expect: "stops: the connection was lost in the handshake",
			Hosts:  answers("198.51.100.41", Say(goAhead), Await(), Raw(partOfHello), HangUp())},
		{Name: "tlslost", About: "closes right behind the handshake",
			Expect: "stops: the connection was lost before MAIL",
			Hosts:  one("198.51.100.42", Service{Offers: common, Rules: []Rule{On("TLS", HangUp())}})},
		{Name: "injectreply", About: "another reply stands behind the 220 to STARTTLS, in the clear and in the same packet",
			Expect: "stops before the handshake: somebody on the path may have put it there",
			Hosts:  answers("198.51.100.43", Say(goAhead, "250 2.0.0 Ok"))},
		{Name: "injection", About: "answers under TLS what stood in the clear behind STARTTLS (CVE-2011-0411)",
			Expect: "delivers; an active probe finds the fault",
			Hosts:  one("198.51.100.44", Service{Offers: common, Injectable: true})},
	}
}
