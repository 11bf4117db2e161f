package sandbox

import (
	"crypto/tls"
	"strings"
)

// What servers that know AUTH offer beside it.
const (
	underTLS = "PIPELINING, SIZE 10485760, ENHANCEDSTATUSCODES, 8BITMIME, SMTPUTF8"
	allSCRAM = "SCRAM-SHA-512-PLUS SCRAM-SHA-512 SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1"
)

// authScenarios are the domains whose servers know AUTH (RFC 4954). Where one says
// no more, it has the same server on port 25 and, with Login, on port 587.
func authScenarios() []Scenario {
	return []Scenario{
		{Name: "submission", About: "submission on 587 and 465: every mechanism under TLS, AUTH before MAIL, relays for who has authenticated",
			Expect: "authenticates by the strongest mechanism for what it was given, and submits mail for any domain",
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.10", Services: []Service{{Offers: common},
				submission(587, knows(allMechanisms())), implicit(submission(465, knows(allMechanisms())))}}}},
		{Name: "auth-plain", About: "AUTH PLAIN",
			Expect: "authenticates under verified TLS",
			Hosts:  both("203.0.113.11", knows("PLAIN"))},
		{Name: "auth-login", About: "AUTH LOGIN",
			Expect: "authenticates under verified TLS",
			Hosts:  both("203.0.113.12", knows("LOGIN"))},
		{Name: "auth-cram-md5", About: "AUTH CRAM-MD5",
			Expect: "authenticates; the password does not go over the line",
			Hosts:  both("203.0.113.13", knows("CRAM-MD5"))},
		{Name: "auth-digest-md5", About: "AUTH DIGEST-MD5",
			Expect: "authenticates, and checks that the server knows the password too",
			Hosts:  both("203.0.113.14", knows("DIGEST-MD5"))},
		{Name: "auth-scram-sha-1", About: "AUTH SCRAM-SHA-1",
			Expect: "authenticates, and checks that the server knows the password too",
			Hosts:  both("203.0.113.15", knows("SCRAM-SHA-1"))},
		{Name: "auth-scram-sha-256", About: "AUTH SCRAM-SHA-256",
			Expect: "as auth-scram-sha-1",
			Hosts:  both("203.0.113.16", knows("SCRAM-SHA-256"))},
		{Name: "auth-scram-sha-512", About: "AUTH SCRAM-SHA-512",
			Expect: "as auth-scram-sha-1",
			Hosts:  both("203.0.113.17", knows("SCRAM-SHA-512"))},
		{Name: "auth-scram-plus", About: "SCRAM with every hash, with and without -PLUS",
			Expect: "authenticates bound to the TLS channel",
			Hosts:  both("203.0.113.18", knows(allSCRAM))},
		{Name: "auth-xoauth2", About: "AUTH XOAUTH2",
			Expect: "authenticates with a token; shows the JSON of a refusal",
			Hosts:  both("203.0.113.19", knows("XOAUTH2"))},
		{Name: "auth-oauthbearer", About: "AUTH OAUTHBEARER",
			Expect: "as auth-xoauth2",
			Hosts:  both("203.0.113.20", knows("OAUTHBEARER"))},
		{Name: "auth-ntlm", About: "AUTH NTLM, version 2 alone",
			Expect: "authenticates",
			Hosts:  both("203.0.113.21", knows("NTLM"))},
		{Name: "auth-external", About: "AUTH EXTERNAL: the client's certificate names the user",
			Expect: "authenticates with a certificate of the sandbox's CA for alice",
			Hosts:  both("203.0.113.22", knows("EXTERNAL"))},
		{Name: "auth-anonymous", About: "AUTH ANONYMOUS: no relaying",
			Expect: "authenticates only where ANONYMOUS is asked for by name",
			Hosts:  both("203.0.113.23", knows("ANONYMOUS"))},

		{Name: "auth-clear", About: "AUTH PLAIN LOGIN without any TLS",
			Expect: "does not authenticate, unless it may in the clear",
			Hosts:  both("203.0.113.24", Service{Offers: underTLS + ", AUTH PLAIN LOGIN"})},
		{Name: "auth-before-tls", About: "AUTH LOGIN PLAIN before STARTTLS already, PLAIN LOGIN SCRAM-SHA-256 behind it",
			Expect: "authenticates under TLS, and warns of what is offered before",
			Hosts: both("203.0.113.25", Service{Offers: common + ", AUTH LOGIN PLAIN",
				Secure: underTLS + ", AUTH PLAIN LOGIN SCRAM-SHA-256"})},
		{Name: "auth-old", About: "only the old form: AUTH=LOGIN PLAIN",
			Expect: "understands it and authenticates",
			Hosts:  both("203.0.113.26", Service{Offers: common, Secure: underTLS + ", AUTH=LOGIN PLAIN"})},
		{Name: "auth-none", About: "submission on 587 without AUTH",
			Expect: "says that AUTH is not offered, before MAIL",
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.27",
				Services: []Service{{Offers: common}, {Port: 587, Offers: common}}}}},
		{Name: "auth-later", About: "AUTH PLAIN LOGIN behind STARTTLS alone; 538 before it",
			Expect: "authenticates under TLS",
			Hosts:  both("203.0.113.28", knows("PLAIN LOGIN"))},
		{Name: "auth-required", About: "530 5.7.0 at MAIL until the client has authenticated, on port 25 too",
			Expect: "delivers with a password, and says what is missing without",
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.29",
				Services: []Service{submission(25, knows("PLAIN LOGIN")), submission(587, knows("PLAIN LOGIN"))}}}},
		{Name: "auth-temp", About: "454 4.7.0 to every password",
			Expect: "defers: the password may be right",
			Hosts: both("203.0.113.30", knows("PLAIN LOGIN",
				On("VERDICT", Say("454 4.7.0 temporary authentication failure"))))},
		{Name: "auth-weak", About: "534 5.7.9 to each mechanism that it offers",
			Expect: "says that the server wants a stronger mechanism, or a password for this program alone",
			Hosts: both("203.0.113.31", knows("PLAIN LOGIN",
				On("AUTH", Say("534 5.7.9 authentication mechanism is too weak"))))},
		{Name: "auth-transition", About: "432 4.7.12 to CRAM-MD5; takes PLAIN",
			Expect: "goes on to PLAIN, for the server needs the password once",
			Hosts: both("203.0.113.32", knows("CRAM-MD5 PLAIN",
				On("AUTH CRAM-MD5", Say("432 4.7.12 a password transition is needed"))))},
		{Name: "auth-echo", About: "535 to everybody, and repeats the password: raw, in base64, percent-encoded, in hex, and the responses",
			Expect: "shows none of them",
			Hosts: both("203.0.113.33", knows("SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 DIGEST-MD5 "+
				"CRAM-MD5 NTLM PLAIN LOGIN", On("VERDICT", Echo())))},
		{Name: "auth-scram-greedy", About: "SCRAM-SHA-256 with 50,000,000 iterations",
			Expect: "refuses before it hashes",
			Hosts:  both("203.0.113.34", lies(LieIterations))},
		{Name: "auth-scram-liar", About: "SCRAM-SHA-256 that accepts every password, with a wrong server signature",
			Expect: "does not believe it: the server does not know the password",
			Hosts:  both("203.0.113.35", lies(LieSignature))},
		{Name: "auth-scram-nonce", About: "SCRAM-SHA-256 with a nonce that does not begin with the client's",
			Expect: "cancels",
			Hosts:  both("203.0.113.36", lies(LieNonce))},
		{Name: "auth-silent", About: "never answers the last response",
			Expect: "gives up after its time limit",
			Hosts:  both("203.0.113.37", knows("PLAIN LOGIN", On("VERDICT", Silence())))},
		{Name: "auth-drop", About: "closes without a word behind the last response",
			Expect: "reports the lost connection",
			Hosts:  both("203.0.113.38", knows("PLAIN LOGIN", On("VERDICT", HangUp())))},
		{Name: "auth-endless", About: "334 after 334 for ever",
			Expect: "cancels",
			Hosts: both("203.0.113.39", knows("PLAIN LOGIN",
				On("AUTH", Say("334 YWdhaW4=")), On("RESPONSE", Say("334 YWdhaW4="))))},
		{Name: "auth-garbage", About: "334 with what is not base64",
			Expect: "cancels",
			Hosts: both("203.0.113.40", knows("PLAIN LOGIN",
				On("AUTH", Say("334 *** this is not base64 ***"))))},
		{Name: "auth-hidden", About: "takes PLAIN, though it does not list AUTH",
			Expect: "authenticates only if PLAIN is asked for by name",
			Hosts:  both("203.0.113.41", Service{Offers: common, Hidden: "PLAIN"})},
		{Name: "auth-badcert", About: "AUTH PLAIN LOGIN behind a self-signed certificate",
			Expect: "does not authenticate, unless it may without proof of the server",
			Hosts:  both("203.0.113.42", selfSigned(knows("PLAIN LOGIN")))},
		{Name: "auth-clear-only", About: "wants AUTH before MAIL and has no TLS",
			Expect: "sends neither password nor message, unless it may in the clear",
			Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.43", Services: []Service{
				submission(25, Service{Offers: underTLS + ", AUTH PLAIN LOGIN"}),
				submission(587, Service{Offers: underTLS + ", AUTH PLAIN LOGIN"})}}}},
	}
}

// allMechanisms are those of submission.test, as EHLO lists them.
func allMechanisms() string {
	return allSCRAM + " OAUTHBEARER XOAUTH2 DIGEST-MD5 CRAM-MD5 NTLM EXTERNAL PLAIN LOGIN ANONYMOUS"
}

// knows is a server that takes mechanisms under TLS. For EXTERNAL it asks the
// client for a certificate, and is content without.
func knows(mechanisms string, rules ...Rule) Service {
	v := Service{Offers: common, Secure: underTLS + ", AUTH " + mechanisms, Rules: rules}
	if strings.Contains(mechanisms, "EXTERNAL") {
		v.Handshake.ClientAuth = tls.RequestClientCert
	}
	return v
}

func lies(about Lie) Service {
	v := knows("SCRAM-SHA-256")
	v.Lie = about
	return v
}

func selfSigned(v Service) Service {
	v.Cert = SelfSigned
	return v
}

// submission is v on a port for submission (RFC 6409): MAIL needs AUTH.
func submission(port int, v Service) Service {
	v.Port, v.Login = port, true
	return v
}

// implicit is v with TLS from the first byte on (RFC 8314).
func implicit(v Service) Service {
	v.TLS = true
	return v
}

// both is a host with v on port 25 and as submission on port 587.
func both(addr string, v Service) []Host {
	return []Host{{Name: "mx1", Addrs: addr, Services: []Service{v, submission(587, v)}}}
}
