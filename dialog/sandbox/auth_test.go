package sandbox

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"strings"
	"testing"
)

// TestAuthMechanisms logs in by every mechanism, at the server that knows it alone
// and at the one that knows all, with and without initial response.
func TestAuthMechanisms(t *testing.T) {
	w := start(t, Options{})
	const good, bad = "235 2.7.0 ", "535 5.7.8 "
	plain := func(authzid, user, password string) func(*testing.T, string) talker {
		return func(*testing.T, string) talker { return lines(authzid + "\x00" + user + "\x00" + password) }
	}
	login := func(user, password string) func(*testing.T, string) talker {
		return func(*testing.T, string) talker { return lines(user, password) }
	}
	cram := func(user, password string) func(*testing.T, string) talker {
		return func(*testing.T, string) talker { return cramClient(user, password) }
	}
	digest := func(user, password string, change ...string) func(*testing.T, string) talker {
		return func(t *testing.T, host string) talker { return digestClient(t, host, "", user, password, change...) }
	}
	digestAs := func(authzid string) func(*testing.T, string) talker {
		return func(t *testing.T, host string) talker { return digestClient(t, host, authzid, "alice", "wonderland") }
	}
	spoiled := func(at int) func(*testing.T, string) talker {
		return func(*testing.T, string) talker {
			honest := ntlmClient("alice", "wonderland", true)
			return func(challenge string) string {
				b := []byte(honest(challenge))
				if challenge != "" {
					b[at]++
				}
				return string(b)
			}
		}
	}
	scram := func(mechanism, user, password string) func(*testing.T, string) talker {
		return func(t *testing.T, _ string) talker {
			return scramTalk{hash: hashOf(mechanism), user: user, password: password, flag: "n"}.talk(t)
		}
	}
	ntlm := func(user, password string, exchange bool) func(*testing.T, string) talker {
		return func(*testing.T, string) talker { return ntlmClient(user, password, exchange) }
	}
	say := func(text ...string) func(*testing.T, string) talker {
		return func(*testing.T, string) talker { return lines(text...) }
	}
	const bobs = "correct horse battery staple"
	for _, test := range []struct {
		mechanism, name string
		initial         bool // may begin
		talker          func(*testing.T, string) talker
		want            string
	}{
		{"PLAIN", "alice", true, plain("", "alice", "wonderland"), good},
		{"PLAIN", "as herself", true, plain("alice", "alice", "wonderland"), good},
		{"PLAIN", "as bob", true, plain("bob", "alice", "wonderland"), bad},
		{"PLAIN", "bob", true, plain("", "bob", bobs), good},
		{"PLAIN", "zoë", true, plain("", "zoë", "pässwörd"), good},
		{"PLAIN", "zoë, not composed", true, plain("", "zoe\u0308", "pa\u0308sswo\u0308rd"), good},
		{"PLAIN", "no-break space", true, plain("", "bob", "correct\u00a0horse battery\u2003sta\u00adple"), good},
		{"PLAIN", "wrong", true, plain("", "alice", "Wonderland"), bad},
		{"PLAIN", "nobody", true, plain("", "carol", "wonderland"), bad},
		{"PLAIN", "another's", true, plain("", "alice", bobs), bad},
		{"PLAIN", "no password", true, say("\x00alice\x00"), "501 5.5.2 "},
		{"PLAIN", "no NUL", true, say("alice wonderland"), "501 5.5.2 "},
		{"PLAIN", "three NULs", true, say("\x00alice\x00wonderland\x00"), "501 5.5.2 "},
		{"PLAIN", "not UTF-8", true, say("\x00alice\x00w\xff"), "501 5.5.2 "},
		{"LOGIN", "alice", true, login("alice", "wonderland"), good},
		{"LOGIN", "zoë", true, login("zoë", "pässwörd"), good},
		{"LOGIN", "wrong", true, login("alice", "alice"), bad},
		{"LOGIN", "empty", true, login("", ""), bad},
		{"CRAM-MD5", "alice", false, cram("alice", "wonderland"), good},
		{"CRAM-MD5", "bob", false, cram("bob", bobs), good},
		{"CRAM-MD5", "zoë", false, cram("zoë", "pässwörd"), good},
		{"CRAM-MD5", "wrong", false, cram("alice", "x"), bad},
		{"CRAM-MD5", "nobody", false, cram("carol", "wonderland"), bad},
		{"CRAM-MD5", "no space", false, say("alice"), "501 5.5.2 "},
		{"DIGEST-MD5", "alice", false, digest("alice", "wonderland"), good},
		{"DIGEST-MD5", "bob", false, digest("bob", bobs), good},
		{"DIGEST-MD5", "zoë", false, digest("zoë", "pässwörd"), good},
		{"DIGEST-MD5", "wrong", false, digest("alice", "x"), bad},
		{"DIGEST-MD5", "nobody", false, digest("carol", "wonderland"), bad},
		{"DIGEST-MD5", "no response", false, digest("alice", "wonderland", "response=", "rsp="), "501 5.5.2 "},
		{"DIGEST-MD5", "another service", false, digest("alice", "wonderland", "smtp/", "imap/"), bad},
		{"DIGEST-MD5", "another nonce", false, digest("alice", "wonderland", `,nonce="`, `,nonce="x`), bad},
		{"DIGEST-MD5", "used again", false, digest("alice", "wonderland", "nc=00000001", "nc=00000002"), bad},
		{"DIGEST-MD5", "twice", false, digest("alice", "wonderland", "qop=auth", `username="bob"`), "501 5.5.2 "},
		{"DIGEST-MD5", "default quality", false, digest("alice", "wonderland", ",qop=auth", ","), good},
		{"DIGEST-MD5", "as herself", false, digestAs("alice"), good},
		{"DIGEST-MD5", "as bob", false, digestAs("bob"), bad},
		{"DIGEST-MD5", "no charset", false, digest("alice", "wonderland", "charset=utf-8", ""), good},
		{"DIGEST-MD5", "zoë, no charset", false, digest("zoë", "pässwörd", "charset=utf-8", ""), bad},
		{"DIGEST-MD5", "no directives", false, say("alice"), "501 5.5.2 "},
		{"DIGEST-MD5", "answers the proof", false, func(t *testing.T, host string) talker {
			honest := digestClient(t, host, "", "alice", "wonderland")
			return func(challenge string) string { return cmp.Or(honest(challenge), "thanks") }
		}, "501 5.5.2 "},
		{"DIGEST-MD5", "quoted", false, digest("alice", "wonderland", "qop=auth", `qop="\auth" , x="a,\"b"`), good},
		{"SCRAM-SHA-1", "alice", true, scram("SCRAM-SHA-1", "alice", "wonderland"), good},
		{"SCRAM-SHA-256", "bob", true, scram("SCRAM-SHA-256", "bob", bobs), good},
		{"SCRAM-SHA-512", "zoë", true, scram("SCRAM-SHA-512", "zoë", "pässwörd"), good},
		{"SCRAM-SHA-1", "wrong", true, scram("SCRAM-SHA-1", "alice", "x"), bad},
		{"SCRAM-SHA-256", "nobody", true, scram("SCRAM-SHA-256", "a=b,c", "x"), bad},
		{"SCRAM-SHA-512", "wrong", true, scram("SCRAM-SHA-512", "bob", "wonderland"), bad},
		{"XOAUTH2", "alice", true, say("user=alice\x01auth=Bearer token-of-alice\x01\x01"), good},
		{"XOAUTH2", "bob with her token", true, say("user=bob\x01auth=Bearer token-of-alice\x01\x01", ""), bad},
		{"XOAUTH2", "wrong", true, say("user=alice\x01auth=Bearer x\x01\x01", ""), bad},
		{"XOAUTH2", "bob has none", true, say("user=bob\x01auth=Bearer \x01\x01", ""), bad},
		{"XOAUTH2", "not ended", true, say("user=alice\x01auth=Bearer token-of-alice"), "501 5.5.2 "},
		{"XOAUTH2", "talks on", true, say("user=alice\x01auth=Bearer x\x01\x01", "why"), "501 5.5.2 "},
		{"OAUTHBEARER", "alice", true, say("n,a=alice,\x01host=mx1.auth-oauthbearer.test\x01port=587\x01auth=Bearer token-of-alice\x01\x01", "\x01"), ""},
		{"OAUTHBEARER", "token alone", true, say("n,,\x01auth=bearer token-of-alice\x01\x01"), good},
		{"OAUTHBEARER", "wrong", true, say("n,a=alice,\x01auth=Bearer x\x01\x01", "\x01"), bad},
		{"OAUTHBEARER", "another host", true, say("n,a=alice,\x01host=mx1.good.test\x01auth=Bearer token-of-alice\x01\x01", "\x01"), bad},
		{"OAUTHBEARER", "as bob", true, say("n,a=bob,\x01auth=Bearer token-of-alice\x01\x01", "\x01"), bad},
		{"OAUTHBEARER", "no dummy", true, say("n,a=alice,\x01auth=Bearer x\x01\x01", ""), "501 5.5.2 "},
		{"OAUTHBEARER", "empty authorization identity", true, say("n,bob,\x01auth=Bearer token-of-alice\x01\x01"), "501 5.5.2 "},
		{"OAUTHBEARER", "no port", true, say("n,,\x01port=x\x01auth=Bearer token-of-alice\x01\x01"), "501 5.5.2 "},
		{"OAUTHBEARER", "twice", true, say("n,,\x01auth=x\x01auth=Bearer token-of-alice\x01\x01"), "501 5.5.2 "},
		{"OAUTHBEARER", "no header", true, say("auth=Bearer token-of-alice\x01\x01"), "501 5.5.2 "},
		{"NTLM", "alice", true, ntlm("alice", "wonderland", false), good},
		{"NTLM", "bob with a key", true, ntlm("bob", bobs, true), good},
		{"NTLM", "zoë", true, ntlm("zoë", "pässwörd", true), good},
		{"NTLM", "wrong", true, ntlm("alice", "x", true), bad},
		{"NTLM", "nobody", true, ntlm("carol", "wonderland", false), bad},
		{"NTLM", "MIC broken", true, spoiled(72), bad},
		{"NTLM", "proof broken", true, spoiled(88 + 24), bad},
		{"NTLM", "field outside", true, spoiled(24 + 3), "501 5.5.2 "},
		{"NTLM", "two NEGOTIATEs", true, func(*testing.T, string) talker {
			begin := ntlmClient("alice", "wonderland", false)("")
			return lines(begin, begin)
		}, "501 5.5.2 "},
		{"NTLM", "no Unicode", true, func(*testing.T, string) talker { return oemClient("alice", "wonderland") }, good},
		{"NTLM", "no Unicode, wrong", true, func(*testing.T, string) talker { return oemClient("alice", "x") }, bad},
		{"NTLM", "no Unicode, no end", true, say(ntlmMark + "\x01\x00\x00\x00"), "501 5.5.2 "},
		{"NTLM", "no NTLM", true, say("alice"), "501 5.5.2 "},
		{"EXTERNAL", "no certificate", true, say(""), bad},
		{"EXTERNAL", "no certificate, alice", true, say("alice"), bad},
		{"ANONYMOUS", "empty", true, say(""), good},
		{"ANONYMOUS", "trace", true, say("someone@client.test"), good},
		{"ANONYMOUS", "long", true, say(strings.Repeat("ü", 256)), "501 5.5.2 "},
	} {
		for _, addr := range []string{authAddr(t, w, "auth-"+strings.ToLower(test.mechanism)) + ":587", "203.0.113.10:465"} {
			want := test.want
			if want == "" { // its own host alone is the one that it names
				if want = good; strings.HasSuffix(addr, ":465") {
					want = bad
				}
			}
			for _, initial := range []bool{false, true} {
				if initial && !test.initial {
					continue
				}
				p := meet(t, w, addr, nil)
				got := p.auth(test.mechanism, initial, test.talker(t, w.nameOf(addr)))
				if !strings.HasPrefix(got, want) {
					t.Errorf("%s, %s, initial response %t at %s: got %q, want %q", test.mechanism, test.name, initial, addr, got, want)
				}
				mail := "530 5.7.0 "
				if want == good {
					mail = "250 2.1.0 "
				}
				if got := p.do("MAIL FROM:<a@client.test> AUTH=<>"); !strings.HasPrefix(got, mail) {
					t.Errorf("%s, %s: MAIL: got %q, want %q", test.mechanism, test.name, got, mail)
				}
				p.conn.Close()
			}
		}
	}
}

// authAddr is the address of a domain's host.
func authAddr(t *testing.T, w *World, name string) string {
	t.Helper()
	for _, s := range w.scenarios {
		if s.Name == name {
			return s.Hosts[0].Addrs
		}
	}
	t.Fatalf("no %s", name)
	return ""
}

func TestExternal(t *testing.T) {
	w, other := start(t, Options{}), start(t, Options{})
	for _, test := range []struct {
		name    string
		by      *World
		subject string
		authzid string
		want    string
	}{
		{"alice", w, "alice", "", "235 "},
		{"alice by name", w, "alice", "alice", "235 "},
		{"alice as bob", w, "alice", "bob", "535 "},
		{"by address", w, "alice@auth-external.test", "", "235 "},
		{"nobody", w, "carol", "", "535 "},
		{"another authority", other, "alice", "", "535 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			cert, key, err := test.by.ClientPEM(test.subject)
			if err != nil {
				t.Fatal(err)
			}
			pair, err := tls.X509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			p := meet(t, w, "203.0.113.22:587", &tls.Config{
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }})
			if got := p.auth("EXTERNAL", true, lines(test.authzid)); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestOAuthRefusal holds what a refused token gives: JSON, then 535.
func TestOAuthRefusal(t *testing.T) {
	w := start(t, Options{})
	for addr, test := range map[string]struct{ mechanism, message, dummy, status string }{
		"203.0.113.19:25": {"XOAUTH2", "user=alice\x01auth=Bearer x\x01\x01", "", "401"},
		"203.0.113.20:25": {"OAUTHBEARER", "n,a=alice,\x01auth=Bearer x\x01\x01", "\x01", "invalid_token"},
	} {
		p := meet(t, w, addr, nil)
		var refusal struct{ Status string }
		got := p.auth(test.mechanism, false, func(challenge string) string {
			if challenge == "" {
				return test.message
			}
			if err := json.Unmarshal([]byte(challenge), &refusal); err != nil {
				t.Errorf("%s: %q: %v", test.mechanism, challenge, err)
			}
			return test.dummy
		})
		if refusal.Status != test.status || !strings.HasPrefix(got, "535 5.7.8 ") {
			t.Errorf("%s: status %q, then %q", test.mechanism, refusal.Status, got)
		}
	}
}

// TestSubmission relays for who has authenticated, and for nobody else.
func TestSubmission(t *testing.T) {
	var got []Received
	w := start(t, Options{Received: func(r Received) { got = append(got, r) }})
	p := meet(t, w, "203.0.113.10:587", nil)
	for _, step := range [][2]string{
		{"MAIL FROM:<a@client.test>", "530 5.7.0"},
		{"AUTH PLAIN " + b64("\x00alice\x00wonderland"), "235 2.7.0"},
		{"AUTH PLAIN " + b64("\x00alice\x00wonderland"), "503 5.5.1"},
		{"EHLO client.test", "250 "},
		{"MAIL FROM:<a@client.test> AUTH=alice+40client.test", "250 2.1.0"},
		{"RCPT TO:<someone@elsewhere.example>", "250 2.1.5"},
		{"DATA", "354 "},
		{"hello\r\n.", "250 2.0.0"},
		{"MAIL FROM:<a@client.test> AUTH=", "501 5.5.4"},
		{"MAIL FROM:<a@client.test> AUTH=a+zz", "501 5.5.4"},
	} {
		if reply := p.do(step[0]); !strings.HasPrefix(reply, step[1]) {
			t.Errorf("%s: got %q, want %s", step[0], reply, step[1])
		}
	}
	if len(got) != 1 || got[0].User != "alice" || got[0].Protocol != "ESMTPSA" || got[0].To[0].Address != "someone@elsewhere.example" {
		t.Errorf("received %+v", got)
	}
	p = meet(t, w, "203.0.113.10:465", nil)
	for _, step := range [][2]string{
		{"AUTH ANONYMOUS =", "235 2.7.0"},
		{"MAIL FROM:<a@client.test>", "250 2.1.0"},
		{"RCPT TO:<someone@elsewhere.example>", "550 5.7.1"},
		{"RCPT TO:<alice@submission.test>", "250 2.1.5"},
		{"AUTH PLAIN", "503 5.5.1"},
	} {
		if reply := p.do(step[0]); !strings.HasPrefix(reply, step[1]) {
			t.Errorf("%s: got %q, want %s", step[0], reply, step[1])
		}
	}
}
