package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func with(user, password string) Credentials {
	c := full()
	c.User, c.Password = user, transcript.NewSecret(password)
	return c
}

// TestPlainExamples are those of RFC 4616 section 4.
func TestPlainExamples(t *testing.T) {
	c := with("tim", "tanstaaftanstaaf")
	m := start(t, begin(t, "PLAIN", c))
	if string(m.Data) != "\x00tim\x00tanstaaftanstaaf" || m.Shape != "\x00tim\x00[hidden]" {
		t.Errorf("%q, shown as %q", m.Data, m.Shape)
	}
	c = with("Kurt", "xipj3plmq")
	c.Authzid = "Ursel"
	m = start(t, begin(t, "PLAIN", c))
	if string(m.Data) != "Ursel\x00Kurt\x00xipj3plmq" || m.Shape != "Ursel\x00Kurt\x00[hidden]" {
		t.Errorf("%q, shown as %q", m.Data, m.Shape)
	}
}

// TestCramMD5Example is that of RFC 2195 section 3.
func TestCramMD5Example(t *testing.T) {
	c := begin(t, "CRAM-MD5", with("tim", "tanstaaftanstaaf"))
	m := answer(t, c, "<1896.697170952@postoffice.reston.mci.net>")
	if string(m.Data) != "tim b913a602c7eda7a495b4e6e7334d3890" || m.Shape != "tim [hidden]" {
		t.Errorf("%q, shown as %q", m.Data, m.Shape)
	}
	wantHidden(t, m)
	if err := c.Done(); err != nil {
		t.Error(err)
	}
}

// TestDigestMD5Examples are those of RFC 2831 section 4.
func TestDigestMD5Examples(t *testing.T) {
	for _, test := range []struct{ uri, challenge, cnonce, response, proof string }{
		{"imap/elwood.innosoft.com",
			`realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`,
			"OA6MHXh6VqTrRk", "d388dad90d4bbd760a152321f2143af7", "ea40f60335c427b5527b84dbabcdfffd"},
		{"acap/elwood.innosoft.com",
			"realm=\"elwood.innosoft.com\",\r\n nonce = \"OA9BSXrbuRhWay\" ,, qop=\"auth-int , auth\",algorithm=MD5-sess,\tcharset=utf-8 , stale=false",
			"OA9BSuZWMSpW8m", "6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae"},
	} {
		c := begin(t, "DIGEST-MD5", with("chris", "secret")).(*digestMD5)
		c.uri, c.cnonce = test.uri, test.cnonce
		m := answer(t, c, test.challenge)
		if !strings.HasSuffix(string(m.Data), ",response="+test.response) || !strings.HasSuffix(m.Shape, ",response=[hidden]") {
			t.Errorf("%q, shown as %q; want %s", m.Data, m.Shape, test.response)
		}
		for _, part := range []string{`charset=utf-8`, `username="chris"`, `realm="elwood.innosoft.com"`, `nc=00000001`, `qop=auth`,
			`cnonce="` + test.cnonce + `"`, `digest-uri="` + test.uri + `"`} {
			if !strings.Contains(","+string(m.Data)+",", ","+part+",") {
				t.Errorf("%q has no %s", m.Data, part)
			}
		}
		wantHidden(t, m)
		if c.Done() == nil {
			t.Error("done before the server's proof")
		}
		if last := answer(t, c, "rspauth="+test.proof); len(last.Data) != 0 {
			t.Errorf("%q to the proof", last.Data)
		}
		if err := c.Done(); err != nil {
			t.Error(err)
		}
		if told := c.Tell([]byte("rspauth=" + test.proof)); told != "rspauth=[hidden]" {
			t.Errorf("of the proof it tells %q", told)
		}
	}
}

// TestScramExamples are those of RFC 5802 section 5 and RFC 7677 section 3.
func TestScramExamples(t *testing.T) {
	for _, test := range []struct{ name, nonce, first, challenge, final, proof, last string }{
		{"SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{"SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		s := begin(t, test.name, with("user", "pencil")).(*scram)
		s.bare = strings.ReplaceAll(s.bare, s.ours, test.nonce)
		s.ours = test.nonce
		if m := start(t, s); string(m.Data) != test.first || m.Shape != test.first || len(m.Secrets) > 0 {
			t.Errorf("first %q, shown as %q", m.Data, m.Shape)
		}
		m := answer(t, s, test.challenge)
		if string(m.Data) != test.final+test.proof || m.Shape != test.final+"[hidden]" {
			t.Errorf("final %q, shown as %q", m.Data, m.Shape)
		}
		wantHidden(t, m)
		if s.Done() == nil {
			t.Error("done before the server's proof")
		}
		if told := s.Tell([]byte(test.last)); told != "v=[hidden]" {
			t.Errorf("of the signature it tells %q", told)
		}
		if m := answer(t, s, test.last+",x=later"); len(m.Data) != 0 {
			t.Errorf("%q to the signature", m.Data)
		}
		if err := s.Done(); err != nil {
			t.Error(err)
		}
		_, err := s.Next(nil)
		wantBreach(t, err, "more than the mechanism has")
	}
}

// TestBearerExamples are those of RFC 7628 section 4 and of Google's page.
func TestBearerExamples(t *testing.T) {
	c := full()
	c.User, c.Host, c.Port = "user@example.com", "server.example.com", 143
	m := start(t, begin(t, "OAUTHBEARER", c))
	if want := "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer "; string(m.Data) != want+token+"\x01\x01" || m.Shape != want+"[hidden]\x01\x01" {
		t.Errorf("%q, shown as %q", m.Data, m.Shape)
	}
	wantHidden(t, m)
	c.User, c.Host, c.Port = "", "", 0
	if m = start(t, begin(t, "OAUTHBEARER", c)); string(m.Data) != "n,,\x01auth=Bearer "+token+"\x01\x01" {
		t.Errorf("%q with the token alone", m.Data)
	}
	c.Authzid = "a,b=c"
	if m = start(t, begin(t, "OAUTHBEARER", c)); !strings.HasPrefix(string(m.Data), "n,a=a=2Cb=3Dc,\x01auth=") {
		t.Errorf("%q", m.Data)
	}
	c.User, c.Authzid = "someuser@example.com", ""
	m = start(t, begin(t, "XOAUTH2", c))
	if string(m.Data) != "user=someuser@example.com\x01auth=Bearer "+token+"\x01\x01" || m.Shape != "user=someuser@example.com\x01auth=Bearer [hidden]\x01\x01" {
		t.Errorf("%q, shown as %q", m.Data, m.Shape)
	}
	wantHidden(t, m)
}

// TestOneMessage is what has neither a secret nor a challenge.
func TestOneMessage(t *testing.T) {
	c := full()
	if m := start(t, begin(t, "EXTERNAL", c)); len(m.Data) != 0 || m.Shape != "" {
		t.Errorf("EXTERNAL says %q", m.Data)
	}
	c.Authzid = "fred@example.com" // RFC 4422 appendix A.3
	if m := start(t, begin(t, "EXTERNAL", c)); string(m.Data) != "fred@example.com" || m.Shape != "fred@example.com" {
		t.Errorf("EXTERNAL says %q", m.Data)
	}
	c.User = "sirhc" // RFC 4505 section 4
	client := begin(t, "ANONYMOUS", c)
	if m := start(t, client); string(m.Data) != "sirhc" || m.Shape != "sirhc" {
		t.Errorf("ANONYMOUS says %q", m.Data)
	}
	_, err := client.Next(nil)
	wantBreach(t, err, "more than the mechanism has")
}

// TestActingAs: what cannot say whom to act as does not act as somebody else.
func TestActingAs(t *testing.T) {
	c := full()
	c.Authzid = "bob"
	for _, name := range []string{"LOGIN", "CRAM-MD5", "NTLM", "XOAUTH2"} {
		m, _ := Find(name)
		if _, err := m.New(c); !errors.As(err, new(*LackError)) {
			t.Errorf("%s acts as bob: %v", name, err)
		}
	}
}

func TestLogin(t *testing.T) {
	for _, prompt := range []string{"Password:", "PASSWORD", "Pass"} { // what is said at "Username:" ends in logs
		_, err := begin(t, "LOGIN", full()).Next([]byte(prompt))
		wantBreach(t, err, "asks for the password first")
	}
	for _, prompts := range [][2]string{{"Username:", "Password:"}, {"User Name\x00", "Password\x00"}, {"", ""}} {
		c := begin(t, "LOGIN", full())
		if _, ok, err := c.Start(); ok || err != nil {
			t.Errorf("it speaks first: %v", err)
		}
		if m := answer(t, c, prompts[0]); string(m.Data) != "alice" || m.Shape != "alice" || len(m.Secrets) > 0 {
			t.Errorf("%q to %q", m.Data, prompts[0])
		}
		wantBreach(t, c.Done(), "before it has asked for the password")
		m := answer(t, c, prompts[1])
		if string(m.Data) != password || m.Shape != "[hidden]" {
			t.Errorf("%q to %q", m.Shape, prompts[1])
		}
		wantHidden(t, m)
		if err := c.Done(); err != nil {
			t.Error(err)
		}
		_, err := c.Next([]byte("PIN:"))
		wantBreach(t, err, "more than a user name and a password")
	}
}

// ntlmChallengeExample is the CHALLENGE_MESSAGE of MS-NLMP section 4.2.4.3, but
// for the key exchange, which nobody asks for here.
func ntlmChallengeExample() []byte {
	b, _ := hex.DecodeString("4e544c4d53535000020000000c000c003800000033828aa20123456789abcdef" +
		"00000000000000002400240044000000060070170000000f" + "530065007200760065007200" +
		"02000c0044006f006d00610069006e00" + "01000c00530065007200760065007200" + "00000000")
	return b
}

// TestNTLMExample checks the answer to MS-NLMP's example as a server does, from
// the key that its section 4.2.4.1.1 gives for this user, domain and password.
func TestNTLMExample(t *testing.T) {
	key, _ := hex.DecodeString("0c868a403bfd7a93a3001ef22ef02e3f")
	challenge := ntlmChallengeExample()
	c := begin(t, "NTLM", with(`Domain\User`, "Password")).(*ntlm)
	first := start(t, c)
	if !strings.HasPrefix(string(first.Data), "NTLMSSP\x00\x01\x00\x00\x00") || first.Shape != "NTLM negotiate" {
		t.Errorf("%q, shown as %q", first.Data, first.Shape)
	}
	if told := c.Tell(challenge); told != "NTLM challenge: target server Server, NetBIOS domain Domain, NetBIOS computer Server, "+
		"version 6.0.6000, flags unicode sign seal ntlm always-sign extended-session-security target-info 128 56" {
		t.Errorf("it tells %q", told)
	}
	m := answer(t, c, string(challenge))
	if m.Shape != "NTLM authenticate: user User, domain Domain, responses [hidden]" {
		t.Errorf("shown as %q", m.Shape)
	}
	wantHidden(t, m)
	response, err := ntlmField(m.Data, 20)
	if err != nil || len(response) < 16+28 {
		t.Fatalf("the response is %x: %v", response, err)
	}
	mac := hmac.New(md5.New, key)
	mac.Write(challenge[24:32])
	mac.Write(response[16:])
	if !hmac.Equal(mac.Sum(nil), response[:16]) {
		t.Error("the response does not prove the password")
	}
	// Section 2.2.2.7: version 1, the challenge's target information inside.
	if response[16] != 1 || response[17] != 1 || !strings.Contains(string(response[44:]), string(challenge[0x44:])) {
		t.Errorf("the blob is %x", response[16:])
	}
	if domain, _ := ntlmField(m.Data, 28); utf16LE(domain) != "Domain" {
		t.Errorf("domain %q", domain)
	}
	if user, _ := ntlmField(m.Data, 36); utf16LE(user) != "User" {
		t.Errorf("user %q", user)
	}
	secrets := 0
	for _, s := range m.Secrets {
		if s.Reveal() == string(response) || s.Reveal() == "Password" {
			secrets++
		}
	}
	if secrets != 2 {
		t.Error("the password and the response are not both listed as secrets")
	}
	if binary.LittleEndian.Uint32(m.Data[8:]) != 3 {
		t.Errorf("%x is not message 3", m.Data)
	}
}
