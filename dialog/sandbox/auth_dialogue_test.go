package sandbox

import (
	"strings"
	"testing"
)

// behind is the way to where AUTH is known: under TLS, its EHLO ending in AUTH
// with these mechanisms.
func behind(mechanisms string) string {
	return hello + "TLS\nC: EHLO client.test\nS> 250 AUTH " + mechanisms + "\n"
}

// right and wrong are messages of PLAIN.
func right() string { return b64("\x00alice\x00wonderland") }
func wrong() string { return b64("\x00alice\x00looking-glass") }

// TestAuthOrder holds AUTH to RFC 4954 section 4.
func TestAuthOrder(t *testing.T) {
	for _, test := range []struct{ name, addr, script string }{
		{"before EHLO, behind HELO", "203.0.113.24:25", `
			S: 220 *
			C: AUTH PLAIN
			S: 503 EHLO first
			C: HELO client.test
			S: 250 *
			C: AUTH PLAIN
			S: 503 EHLO first`},
		{"syntax", "203.0.113.28:25", behind("PLAIN LOGIN") + `
			C: AUTH
			S: 501 5.5.4 *
			C: AUTH PLAIN AAAA AAAA
			S: 501 5.5.4 *
			C: AUTH CRAM-MD5
			S: 504 5.5.4 *
			C: AUTH XFOO
			S: 504 5.5.4 *
			C: auth plain ` + right() + `
			S: 235 2.7.0 *`},
		{"twice, and a new EHLO keeps it", "203.0.113.28:587", behind("PLAIN LOGIN") + `
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 authentication successful
			C: AUTH PLAIN ` + right() + `
			S: 503 5.5.1 already authenticated
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN
			C: AUTH LOGIN
			S: 503 5.5.1 already authenticated`},
		{"in a transaction", "203.0.113.28:25", behind("PLAIN LOGIN") + `
			C: MAIL FROM:<>
			S: 250 *
			C: AUTH PLAIN ` + right() + `
			S: 503 5.5.1 AUTH is not allowed in a transaction
			C: RSET
			S: 250 *
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *`},
		{"forgotten by STARTTLS", "203.0.113.25:25", hello[:strings.Index(hello, "S>")] + `
			S> 250 AUTH LOGIN PLAIN
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *
			TLS
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN SCRAM-SHA-256
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *`},
		{"cancelled, and tried again", "203.0.113.12:25", behind("LOGIN") + `
			C: AUTH LOGIN
			S: 334 VXNlcm5hbWU6
			C: *
			S: 501 5.7.0 authentication cancelled
			C: AUTH LOGIN
			S: 334 VXNlcm5hbWU6
			C: YWxpY2U=
			S: 334 UGFzc3dvcmQ6
			C: *
			S: 501 5.7.0 authentication cancelled
			C: NOOP
			S: 250 2.0.0 Ok
			C: AUTH LOGIN YWxpY2U=
			S: 334 UGFzc3dvcmQ6
			C: d29uZGVybGFuZA==
			S: 235 2.7.0 *`},
		{"empty responses", "203.0.113.12:25", behind("LOGIN") + `
			C: AUTH LOGIN =
			S: 334 UGFzc3dvcmQ6
			C:
			S: 535 5.7.8 authentication credentials invalid
			C: AUTH LOGIN
			S: 334 VXNlcm5hbWU6
			C: =
			S: 501 5.5.2 cannot decode the response: not base64`},
		{"no base64", "203.0.113.11:25", behind("PLAIN") + `
			C: AUTH PLAIN not!base64
			S: 501 5.5.2 cannot decode the response: not base64
			C: AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=
			S: 235 2.7.0 *`},
		{"no base64 behind", "203.0.113.11:25", behind("PLAIN") + `
			C: AUTH PLAIN
			S: 334 
			C: ` + strings.TrimRight(b64("\x00alice\x00x"), "=") + `?
			S: 501 5.5.2 cannot decode the response: not base64
			C: AUTH PLAIN
			S: 334 
			C: YQ
			S: 501 5.5.2 *
			C: AUTH PLAIN
			S: 334 
			C: YR==
			S: 501 5.5.2 *`},
		{"long lines", "203.0.113.11:25", behind("PLAIN") + `
			C: AUTH PLAIN ` + b64("\x00alice\x00"+strings.Repeat("x", 6000)) + `
			S: 535 5.7.8 *
			C: AUTH PLAIN ` + strings.Repeat("A", 12288-11-2) + `
			S: 501 5.5.2 *
			C: AUTH PLAIN ` + strings.Repeat("A", 12288-11-2+1) + `
			S: 500 5.5.6 line too long for AUTH
			C: AUTH PLAIN
			S: 334 
			C: ` + strings.Repeat("A", 100_000) + `
			S: 500 5.5.6 line too long for AUTH
			C: NOOP
			S: 250 2.0.0 Ok
			C: AUTH PLAIN
			S: 334 
			C| AAAA\n
			S: 500 5.5.2 line ended by a bare LF
			C: NOOP
			S: 250 2.0.0 Ok`},
		{"the server begins", "203.0.113.13:25", behind("CRAM-MD5") + `
			C: AUTH CRAM-MD5 YWxpY2U=
			S: 501 5.7.0 CRAM-MD5 has no initial response: the server begins
			C: AUTH CRAM-MD5 =
			S: 501 5.7.0 *`},
		{"not waited for", "203.0.113.12:25", behind("LOGIN") + `
			C: AUTH LOGIN
			C: YWxpY2U=
			S: 503 5.5.1 AUTH must end its group: the reply was not waited for
			EOF`},
		{"PLAIN may have more behind it", "203.0.113.11:587", behind("PLAIN") + `
			C: AUTH PLAIN ` + right() + `
			C: MAIL FROM:<>
			S: 235 2.7.0 *
			S: 250 2.1.0 *`},
		{"events of ours are no commands", "203.0.113.30:25", behind("PLAIN LOGIN") + `
			C: VERDICT alice
			S: 500 5.5.2 *
			C: RESPONSE PLAIN
			S: 500 5.5.2 *`},
		{"the client leaves", "203.0.113.12:25", behind("LOGIN") + `
			C: AUTH LOGIN
			S: 334 *`},
		{"AUTH= is for who offers AUTH", "192.0.2.13:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 8BITMIME
			C: AUTH PLAIN ` + right() + `
			S: 502 5.5.1 AUTH is not implemented
			C: MAIL FROM:<> AUTH=<>
			S: 555 5.5.4 *`},
	} {
		t.Run(test.name, func(t *testing.T) { run(t, start(t, Options{}), test.addr, test.script) })
	}
}

// TestAuthLog: no log shows what authenticates, also where the server repeats it.
func TestAuthLog(t *testing.T) {
	var log []string
	w := start(t, Options{Log: func(line string) { log = append(log, line) }})
	run(t, w, "203.0.113.33:587", hello+"TLS\nC: EHLO client.test\n"+`
		S> 250 AUTH SCRAM-SHA-512 *
		C: AUTH PLAIN `+right()+`
		S> 535 *
		C: auth LOGIN YWxpY2U=
		S: 334 *
		C: d29uZGVybGFuZA==
		S> 535 *
		C: AUTH LOGIN
		S: 334 *
		C: *
		S: 501 *
		C: MAIL FROM:<a@client.test> SIZE=3
		S: 530 *
		C: QUIT
		S: 221 *
		EOF`)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(log, "\n")
	for _, secret := range []string{"wonderland", right(), "d29uZGVybGFuZA", "776f6e6465726c616e64"} {
		if strings.Contains(all, secret) {
			t.Errorf("the log has %q:\n%s", secret, all)
		}
	}
	for _, want := range []string{"C: AUTH PLAIN [hidden]\n", "C: MAIL FROM:<a@client.test> SIZE=3\n", "C: auth LOGIN [hidden]\n", "C: [hidden]\n", "C: *\n", "S: 535-5.7.8 [hidden]\n"} {
		if !strings.Contains(all, want) {
			t.Errorf("the log lacks %q:\n%s", want, all)
		}
	}
}

// TestAuthRules plays rules of a world of its own.
func TestAuthRules(t *testing.T) {
	w := func() *World {
		return start(t, Options{Scenarios: []Scenario{{Name: "own", Hosts: []Host{{Name: "mx1", Addrs: "203.0.113.99",
			Services: []Service{{Offers: underTLS + ", AUTH PLAIN LOGIN CRAM-MD5", Login: true, Rules: []Rule{
				On("AUTH cram-md5", Say("235 2.7.0 come in, whoever you are")),
				On("RESPONSE LOGIN", Say("421 4.7.0 I have heard enough"), HangUp()),
				On("VERDICT bob", Say("235 2.7.0 welcome, {to}")),
				On("VERDICT alice", Say("535 5.7.8 not you, {to}")),
			}}}}}}}})
	}
	for _, test := range []struct{ name, script string }{
		{"a rule lets in", `
			C: AUTH CRAM-MD5
			S: 235 2.7.0 come in, whoever you are
			C: MAIL FROM:<>
			S: 250 *`},
		{"at a response", `
			C: AUTH LOGIN
			S: 334 *
			C: YWxpY2U=
			S: 421 4.7.0 I have heard enough
			EOF`},
		{"at the verdict", `
			C: AUTH PLAIN ` + right() + `
			S: 535 5.7.8 not you, alice
			C: MAIL FROM:<>
			S: 530 5.7.0 *
			C: AUTH PLAIN ` + b64("\x00bob\x00wrong") + `
			S: 235 2.7.0 welcome, bob
			C: MAIL FROM:<>
			S: 250 *`},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, w(), "203.0.113.99:25", "S: 220 *\nC: EHLO client.test\nS> 250 AUTH PLAIN LOGIN CRAM-MD5\n"+test.script)
		})
	}
}
