package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// TestWrongServers is every way in which a server breaks a mechanism. OURS is
// our nonce. The last challenge is the one that is refused.
func TestWrongServers(t *testing.T) {
	const good = "r=OURSabc,s=c2FsdA==,i=4096"
	digest := `nonce="n",algorithm=md5-sess,qop="auth",charset=utf-8`
	example := string(ntlmChallengeExample())
	for _, test := range []struct {
		name       string
		challenges []string
		words      string
	}{
		{"SCRAM-SHA-256", []string{""}, `the challenge "" is not r=NONCE,s=SALT,i=ITERATIONS`},
		{"SCRAM-SHA-256", []string{"r=OURSabc,i=4096,s=c2FsdA=="}, "is not r=NONCE,s=SALT,i=ITERATIONS"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA=="}, "is not r=NONCE,s=SALT,i=ITERATIONS"},
		{"SCRAM-SHA-256", []string{"r=other,s=c2FsdA==,i=4096"}, "the server's nonce does not begin with ours"},
		{"SCRAM-SHA-256", []string{"r=OURS,s=c2FsdA==,i=4096"}, "the server added nothing to our nonce"},
		{"SCRAM-SHA-256", []string{"r=OURS\x1b[2J,s=c2FsdA==,i=4096"}, "the server's nonce has a character that is not printable"},
		{"SCRAM-SHA-256", []string{"r=OURS" + strings.Repeat("n", 1024) + ",s=c2FsdA==,i=4096"}, "nonce has 1048 bytes: at most 1024 are taken"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=,i=4096"}, `the salt "" is not in base64`},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA,i=4096"}, `the salt "c2FsdA" is not in base64`},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=" + strings.Repeat("AAAA", 400) + ",i=4096"}, "the salt has 1600 characters: at most 1368 are taken"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=5000000"}, "the server asks for 5000000 iterations: at most 1000000 are computed"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=1000001"}, "the server asks for 1000001 iterations"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=18446744073709551617"}, "asks for 18446744073709551617 iterations"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=" + strings.Repeat("9", 4000)}, "a number of iterations that has 4000 digits"},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=0"}, `the iteration count "0" is not a positive number`},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i="}, `the iteration count "" is not a positive number`},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=-1"}, `the iteration count "-1" is not a number`},
		{"SCRAM-SHA-256", []string{"r=OURSabc,s=c2FsdA==,i=4096 "}, `the iteration count "4096 " is not a number`},
		{"SCRAM-SHA-256", []string{"m=must," + good}, `the server demands an extension that does not exist yet: "m=must"`},
		{"SCRAM-SHA-256", []string{good + ",m=must"}, `the server demands an extension that does not exist yet: "m=must"`},
		{"SCRAM-SHA-256", []string{good, "v=" + base64.StdEncoding.EncodeToString(make([]byte, 32))}, "the server did not prove that it knows the password: its signature is wrong"},
		{"SCRAM-SHA-256", []string{good, "v="}, "its signature is wrong"},
		{"SCRAM-SHA-256", []string{good, ""}, `the server's last message "" has no signature`},
		{"SCRAM-SHA-256", []string{good, good}, "has no signature"},
		{"DIGEST-MD5", []string{""}, "the challenge cannot be used: it has no nonce"},
		{"DIGEST-MD5", []string{"hello"}, "it is not a list of NAME=VALUE"},
		{"DIGEST-MD5", []string{`nonce="n`}, "a quote in it does not end"},
		{"DIGEST-MD5", []string{`nonce="n\`}, "a quote in it does not end"},
		{"DIGEST-MD5", []string{`nonce="n" algorithm=md5-sess`}, "there is no comma between two directives"},
		{"DIGEST-MD5", []string{`nonce="n",nonce="m",algorithm=md5-sess`}, "it has two directives nonce"},
		{"DIGEST-MD5", []string{`nonce="n"`}, "its algorithm is not md5-sess"},
		{"DIGEST-MD5", []string{`nonce="n",algorithm=md5`}, "its algorithm is not md5-sess"},
		{"DIGEST-MD5", []string{`nonce="n",algorithm=md5-sess,qop="auth-int,auth-conf"`}, "its qop has no auth"},
		{"DIGEST-MD5", []string{`nonce="n",algorithm=md5-sess,charset=iso-8859-1`}, "its charset is not utf-8"},
		{"DIGEST-MD5", []string{strings.Repeat("a=b,", 65)}, "it has more than 64 directives"},
		{"DIGEST-MD5", []string{digest, "rspauth=" + strings.Repeat("0", 32)}, "the server did not prove that it knows the password: its rspauth is wrong"},
		{"DIGEST-MD5", []string{digest, "hello=you"}, `the server's last message "hello=you" has no rspauth`},
		{"DIGEST-MD5", []string{digest, `"`}, "the server's last message cannot be used"},
		{"CRAM-MD5", []string{""}, "the challenge is empty"},
		{"CRAM-MD5", []string{"<1@a>", "<2@a>"}, "the server sends a second challenge"},
		{"NTLM", []string{""}, "it has 0 bytes, and not the 48 of the header"},
		{"NTLM", []string{strings.Replace(example, "NTLM", "KERB", 1)}, "it does not begin with NTLMSSP"},
		{"NTLM", []string{example[:8] + "\x03" + example[9:]}, "it is message 3 of NTLM, and not 2"},
		{"NTLM", []string{example[:70]}, "a field of it points beyond its end"},
		{"NTLM", []string{example[:len(example)-4] + "\x05\x00\xff\xff"}, "its target information is cut short"},
		{"NTLM", []string{example[:22] + "\x8a\xe2" + example[24:]}, "the challenge cannot be answered: "},
		{"NTLM", []string{example, example}, "the server sends a second challenge"},
		{"XOAUTH2", []string{""}, "the server asks for more than the token"},
		{"PLAIN", []string{""}, "the server asks for more than the mechanism has"},
		{"EXTERNAL", []string{""}, "the server asks for more than the mechanism has"},
	} {
		c := begin(t, test.name, full())
		if s, ok := c.(*scram); ok {
			for k, v := range test.challenges {
				test.challenges[k] = strings.ReplaceAll(v, "OURS", s.ours)
			}
		}
		last := len(test.challenges) - 1
		for _, v := range test.challenges[:last] {
			wantHidden(t, answer(t, c, v))
		}
		m, err := c.Next([]byte(test.challenges[last]))
		wantBreach(t, err, test.words)
		if err != nil && (!strings.HasPrefix(err.Error(), test.name+": ") || len(err.Error()) > 400 || len(m.Data) > 0) {
			t.Errorf("%s, with %q", err, m.Data)
		}
		if _, proves := c.(interface{ breach(string) error }); proves && test.name != "NTLM" && c.Done() == nil {
			t.Errorf("%s: done behind %q", test.name, test.challenges)
		}
	}
}

// TestContentTooSoon: a server that is content with nothing has proved nothing.
func TestContentTooSoon(t *testing.T) {
	for _, name := range []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "NTLM", "LOGIN"} {
		c := begin(t, name, full())
		if _, _, err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var breach *Error
		if err := c.Done(); !errors.As(err, &breach) || breach.Mechanism != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOAuthErrors is what servers say of a token, and what is not JSON.
func TestOAuthErrors(t *testing.T) {
	for _, test := range []struct{ challenge, told, reason string }{
		{`{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}`,
			"status invalid_token, scope example_scope, openid-configuration https://example.com/.well-known/openid-configuration", ""},
		{`{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}`, "status 401, schemes bearer mac, scope https://mail.google.com/", ""},
		{` { "status" : 400 , "more" : [1, {"a": null}] } `, `status 400, more [1, {"a": null}]`, ""},
		{`{"status":"` + token + `"}`, "status [hidden]", ""},
		{`{"status":"\u001b[2J"}`, "status \x1b[2J", ""},
		{`{"a":"` + strings.Repeat("x", 4000) + `"}`, "a " + strings.Repeat("x", 510) + "...", ""},
		{`{}`, "", `"{}"`},
		{`{"status"`, "", `"{"status""`},
		{`[1]`, "", `"[1]"`},
		{"no " + token + strings.Repeat("!", 4000), "", `"no [hidden]` + strings.Repeat("!", 89) + `"... (4011 bytes)`},
	} {
		if test.reason == "" {
			test.reason = test.told
		}
		for name, owed := range map[string]string{"XOAUTH2": "", "OAUTHBEARER": "\x01"} {
			c := begin(t, name, full())
			if told := c.(Teller).Tell([]byte(test.challenge)); told != test.told {
				t.Errorf("of %s it tells %q", test.challenge, told)
			}
			m, err := c.Next([]byte(test.challenge))
			var refused *Error
			if !errors.Is(err, ErrSay) || !errors.As(err, &refused) || err.Error() != name+": the server refuses the token: "+test.reason || string(m.Data) != owed {
				t.Errorf("to %s it says %q, and %v", test.challenge, m.Data, err)
			}
			wantBreach(t, c.Done(), "and then lets it pass")
			_, err = c.Next([]byte("{}"))
			wantBreach(t, err, "the server goes on after it has refused the token")
		}
	}
}

// TestScramRefusals is what e= means, in place of either message.
func TestScramRefusals(t *testing.T) {
	for _, code := range []string{"invalid-encoding", "extensions-not-supported", "invalid-proof", "channel-bindings-dont-match",
		"server-does-support-channel-binding", "channel-binding-not-supported", "unsupported-channel-binding-type", "unknown-user",
		"invalid-username-encoding", "no-resources", "other-error", "of-its-own\x1b"} {
		for _, before := range [][]string{nil, {"r=OURSabc,s=c2FsdA==,i=1"}} {
			c := begin(t, "SCRAM-SHA-1", full()).(*scram)
			for _, v := range before {
				v = strings.ReplaceAll(v, "OURS", c.ours)
				if told := c.Tell([]byte(v)); told != v+" (RFC 5802 asks for at least 4096 iterations)" {
					t.Errorf("it tells %q", told)
				}
				answer(t, c, v)
			}
			m, err := c.Next([]byte("e=" + code + ",x=y"))
			if !errors.Is(err, ErrSay) || len(m.Data) > 0 || !strings.Contains(err.Error(), code) || code != "other-error" && !strings.ContainsAny(err.Error()[len("SCRAM-SHA-1: the server refuses: "):], `: "`) {
				t.Errorf("%s: %v, %q", code, err, m.Data)
			}
			if told := c.Tell([]byte("e=" + code)); !strings.HasPrefix(strings.ReplaceAll(told, `"`, ""), "e="+code) {
				t.Errorf("of %s it tells %q", code, told)
			}
			if c.Done() == nil {
				t.Error("done behind a refusal")
			}
			_, err = c.Next([]byte("e=" + code))
			wantBreach(t, err, "more than the mechanism has")
		}
	}
}
