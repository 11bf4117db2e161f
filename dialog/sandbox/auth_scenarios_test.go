package sandbox

import (
	"io"
	"strings"
	"testing"
)

func TestAuthScenarios(t *testing.T) {
	const users, passwords = "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"
	for _, test := range []struct{ name, addr, script string }{
		{"submission, port 25", "203.0.113.10:25", hello + "TLS\nC: EHLO client.test\n" + `
			S> 250 SMTPUTF8
			C: AUTH PLAIN ` + right() + `
			S: 502 5.5.1 *
			C: MAIL FROM:<>
			S: 250 *
			C: RCPT TO:<a@elsewhere.example>
			S: 550 5.7.1 *`},
		{"submission, port 587", "203.0.113.10:587", hello + `
			C: AUTH PLAIN ` + right() + `
			S: 538 5.7.11 *
			C: MAIL FROM:<>
			S: 530 5.7.0 authentication required
			TLS
			C: EHLO client.test
			S> 250 AUTH SCRAM-SHA-512-PLUS SCRAM-SHA-512 *
			C: MAIL FROM:<>
			S: 530 5.7.0 authentication required`},
		{"submission, port 465", "203.0.113.10:465", `
			TLSNOW
			S: 220 *
			C: EHLO client.test
			S> 250 AUTH SCRAM-SHA-512-PLUS *
			C: MAIL FROM:<>
			S: 530 5.7.0 *
			C: AUTH PLAIN ` + wrong() + `
			S: 535 5.7.8 *
			C: MAIL FROM:<>
			S: 530 5.7.0 *`},
		{"auth-plain, port 25", "203.0.113.11:25", behind("PLAIN") + `
			C: MAIL FROM:<>
			S: 250 *`},
		{"auth-clear", "203.0.113.24:587", `
			S: 220 *
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN
			C: STARTTLS
			S: 502 5.5.1 *
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *
			C: MAIL FROM:<>
			S: 250 *`},
		{"auth-before-tls", "203.0.113.25:25", `
			S: 220 *
			C: EHLO client.test
			S> 250-STARTTLS
			S> 250 AUTH LOGIN PLAIN
			C: AUTH SCRAM-SHA-256
			S: 538 5.7.11 *
			TLS
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN SCRAM-SHA-256
			C: AUTH LOGIN
			S: ` + users},
		{"auth-old", "203.0.113.26:25", hello + `
			C: AUTH LOGIN
			S: 538 5.7.11 *
			TLS
			C: EHLO client.test
			S> 250 AUTH=LOGIN PLAIN
			C: AUTH LOGIN
			S: ` + users + `
			C: YWxpY2U=
			S: ` + passwords + `
			C: d29uZGVybGFuZA==
			S: 235 2.7.0 *`},
		{"auth-none", "203.0.113.27:587", hello + `
			TLS
			C: EHLO client.test
			S> 250 SMTPUTF8
			C: AUTH PLAIN ` + right() + `
			S: 502 5.5.1 AUTH is not implemented
			C: MAIL FROM:<>
			S: 250 *`},
		{"auth-later", "203.0.113.28:25", hello + `
			C: AUTH PLAIN ` + right() + `
			S: 538 5.7.11 *
			C: AUTH CRAM-MD5
			S: 504 5.5.4 *
			TLS
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *`},
		{"auth-required", "203.0.113.29:25", hello + `
			C: MAIL FROM:<>
			S: 530 5.7.0 *
			TLS
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN
			C: MAIL FROM:<>
			S: 530 5.7.0 authentication required
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *
			C: MAIL FROM:<>
			S: 250 *`},
		{"auth-temp", "203.0.113.30:25", behind("PLAIN LOGIN") + `
			C: AUTH PLAIN ` + right() + `
			S: 454 4.7.0 temporary authentication failure
			C: AUTH PLAIN ` + wrong() + `
			S: 454 4.7.0 *
			C: AUTH LOGIN
			S: ` + users},
		{"auth-weak", "203.0.113.31:25", behind("PLAIN LOGIN") + `
			C: AUTH PLAIN ` + right() + `
			S: 534 5.7.9 *
			C: AUTH LOGIN
			S: 534 5.7.9 *`},
		{"auth-transition", "203.0.113.32:25", behind("CRAM-MD5 PLAIN") + `
			C: AUTH CRAM-MD5
			S: 432 4.7.12 *
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *`},
		{"auth-echo by PLAIN, though the password is right", "203.0.113.33:587", hello + "TLS\nC: EHLO client.test\n" + `
			S> 250 AUTH SCRAM-SHA-512 *
			C: AUTH PLAIN ` + b64("\x00alice\x00p ä%\r\n+") + `
			S: 535-5.7.8 no such password: p ä%  +
			S: 535-5.7.8 base64 cCDDpCUNCis=
			S: 535-5.7.8 percent-encoded p%20%C3%A4%25%0D%0A+
			S: 535-5.7.8 hex 7020c3a4250d0a2b
			S: 535-5.7.8 you said AGFsaWNlAHAgw6QlDQor
			S: 535 5.7.8 authentication failed
			C: AUTH PLAIN ` + right() + `
			S> 535-5.7.8 you said ` + right() + `
			S: 535 5.7.8 *
			C: MAIL FROM:<>
			S: 530 5.7.0 *`},
		{"auth-echo by LOGIN", "203.0.113.33:587", hello + "TLS\nC: EHLO client.test\n" + `
			S> 250 AUTH SCRAM-SHA-512 *
			C: AUTH LOGIN
			S: ` + users + `
			C: YWxpY2U=
			S: ` + passwords + `
			C: d29uZGVybGFuZA==
			S: 535-5.7.8 no such password: wonderland
			S> 535-5.7.8 you said YWxpY2U=
			S: 535-5.7.8 you said d29uZGVybGFuZA==
			S: 535 *`},
		{"auth-echo of a token", "203.0.113.33:587", hello + "TLS\nC: EHLO client.test\n" + `
			S> 250 AUTH SCRAM-SHA-512 *
			C: AUTH XOAUTH2 ` + b64("user=alice\x01auth=Bearer token-of-alice\x01\x01") + `
			S: 535-5.7.8 no such password: token-of-alice
			S> 535 5.7.8 authentication failed`},
		{"auth-drop", "203.0.113.38:25", behind("PLAIN LOGIN") + `
			C: AUTH PLAIN ` + right() + `
			EOF`},
		{"auth-endless", "203.0.113.39:25", behind("PLAIN LOGIN") + `
			C: AUTH PLAIN ` + right() + strings.Repeat(`
			S: 334 YWdhaW4=
			C: `+right(), 30) + `
			S: 334 YWdhaW4=
			C: *
			S: 501 5.7.0 *
			C: QUIT
			S: 221 *`},
		{"auth-garbage", "203.0.113.40:25", behind("PLAIN LOGIN") + `
			C: AUTH LOGIN
			S: 334 *** this is not base64 ***
			C: *
			S: 501 5.7.0 *`},
		{"auth-garbage to who goes on", "203.0.113.40:25", behind("PLAIN LOGIN") + `
			C: AUTH PLAIN ` + right() + `
			S: 334 *** this is not base64 ***
			C:
			S: 235 *`},
		{"auth-hidden", "203.0.113.41:587", hello + "TLS\nC: EHLO client.test\n" + `
			S> 250 SMTPUTF8
			C: AUTH LOGIN
			S: 504 5.5.4 *
			C: AUTH PLAIN ` + wrong() + `
			S: 535 5.7.8 *
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *`},
		{"auth-badcert", "203.0.113.42:587", strings.ReplaceAll(behind("PLAIN LOGIN"), "TLS\n", "TLS!\n") + `
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *`},
		{"auth-clear-only", "203.0.113.43:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 AUTH PLAIN LOGIN
			C: STARTTLS
			S: 502 5.5.1 *
			C: MAIL FROM:<>
			S: 530 5.7.0 *
			C: AUTH PLAIN ` + right() + `
			S: 235 2.7.0 *
			C: MAIL FROM:<>
			S: 250 *`},
	} {
		t.Run(test.name, func(t *testing.T) { run(t, start(t, Options{}), test.addr, test.script) })
	}
}

// TestAuthSilent hears nothing to the end of the connection.
func TestAuthSilent(t *testing.T) {
	p := meet(t, start(t, Options{}), "203.0.113.37:587", nil)
	if _, err := io.WriteString(p.conn, "AUTH PLAIN "+right()+"\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if said, _ := io.ReadAll(p.r); len(said) > 0 {
		t.Errorf("the server said %q", said)
	}
}

// TestAuthRows holds every domain with a mechanism's name to a server of that
// mechanism alone, and every host to ports 25 and 587.
func TestAuthRows(t *testing.T) {
	for _, s := range authScenarios() {
		services := s.Hosts[0].Services
		if services[0].Port != 0 && services[0].Port != 25 || services[1].Port != 587 {
			t.Errorf("%s: ports %d, %d", s.Name, services[0].Port, services[1].Port)
		}
		name := strings.ToUpper(strings.TrimPrefix(s.Name, "auth-"))
		if findMechanism(name).serve == nil {
			continue
		}
		for _, v := range services {
			if got := parseOffers(v.Secure).mechanisms(); len(got) != 1 || got[0] != name {
				t.Errorf("%s: port %d takes %q", s.Name, v.Port, got)
			}
			if got := parseOffers(v.Offers).mechanisms(); len(got) != 0 {
				t.Errorf("%s: port %d takes %q in the clear", s.Name, v.Port, got)
			}
		}
	}
	for _, name := range strings.Fields(allMechanisms()) {
		if findMechanism(name).serve == nil {
			t.Errorf("no mechanism %s", name)
		}
	}
}
