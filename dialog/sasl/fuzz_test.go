package sasl

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

// FuzzExchange: whatever a server sends, in whatever order, an exchange ends
// after a few answers, and neither a shape, nor what is told of a challenge, nor
// an error shows a secret. OURS in a challenge becomes the client's nonce, SECRET
// the password and the token, so that an echo is tried as well; lines are
// challenges.
func FuzzExchange(f *testing.F) {
	corpus := mutate.For(f)
	mechanisms := Mechanisms()
	for k := range mechanisms {
		for _, seed := range []string{
			"", "Username:\nPassword:\nmore", "r=OURSabc,s=c2FsdA==,i=2\nv=abcd", "r=OURSabc,s=c2FsdA==,i=2\ne=invalid-proof\n",
			"r=OURSabc,s=c2FsdA==,i=SECRET", "e=SECRET", "nonce=\"SECRET\",realm=a,algorithm=md5-sess,qop=\"auth\"\nrspauth=SECRET",
			"<123@host>\n<123@host>", "{\"status\":\"SECRET\",\"scope\":[1]}\n{}", string(ntlmChallengeExample()),
		} {
			corpus.Add(byte(k), []byte(seed))
		}
	}
	corpus.Tokens("OURS", "SECRET", "\n", "r=OURS", ",s=c2FsdA==", ",i=", "4096", "1000001", "v=", "e=", "m=x,", "nonce=\"", "qop=\"auth\"", "realm=", "algorithm=md5-sess", "rspauth=",
		"charset=utf-8", "stale=true", "NTLMSSP\x00", "\x02\x00\x00\x00", "{\"status\":", "<1@h>")
	state, _, _ := handshake(f, 0)
	mutate.Fuzz2(corpus, func(t testing.TB, k byte, script []byte) {
		m := mechanisms[int(k)%len(mechanisms)]
		if len(script) > 12288 || bytes.Contains(script, []byte(",i=")) && costly(script) {
			return
		}
		c := full()
		c.TLS, c.Offered = state, []string{"PLAIN"}
		secret := password
		if m.Needs == NeedToken {
			secret = token
		}
		client, err := m.New(c)
		if err != nil {
			t.Fatal(err)
		}
		message, _, err := client.Start()
		if err != nil {
			t.Fatal(err)
		}
		secrets := []transcript.Secret{c.Password, c.Token}
		look := func(what, text string) {
			for _, s := range secrets {
				if reveals(text, s.Reveal()) {
					t.Errorf("%s: %s %q shows a secret", m.Name, what, text)
				}
			}
		}
		look("the shape", message.Shape)
		if s, ok := client.(*scram); ok {
			script = bytes.ReplaceAll(script, []byte("OURS"), []byte(s.ours))
		}
		script = bytes.ReplaceAll(script, []byte("SECRET"), []byte(secret))
		answers := 0
		for line := range bytes.SplitSeq(script, []byte("\n")) {
			if teller, ok := client.(Teller); ok {
				look("what it tells", teller.Tell(line))
			}
			message, err = client.Next(line)
			if err != nil {
				var breach *Error
				if !errors.As(err, &breach) || breach.Mechanism != m.Name {
					t.Errorf("%s: the error %v is not the server's", m.Name, err)
				}
				look("the error", err.Error())
				if !errors.Is(err, ErrSay) && len(message.Data)+len(message.Shape)+len(message.Secrets) > 0 {
					t.Errorf("%s: an answer beside %v", m.Name, err)
				}
				continue
			}
			if answers++; answers > 2 {
				t.Errorf("%s answers a third time", m.Name)
			}
			secrets = append(append(secrets, message.Secrets...), message.Awaited...)
			look("the shape", message.Shape)
			if len(message.Data) > 4*len(line)+4096 || len(message.Shape) > 4*len(line)+4096 {
				t.Errorf("%s answers %d bytes with %d", m.Name, len(line), len(message.Data))
			}
			if len(message.Secrets) == 0 && string(message.Data) != message.Shape {
				t.Errorf("%s: %q without secrets is shown as %q", m.Name, message.Data, message.Shape)
			}
		}
		if err := client.Done(); err != nil {
			look("the last word", err.Error())
		}
		if strings.HasPrefix(m.Name, "SCRAM") && client.Done() == nil {
			t.Errorf("%s: a server without the password has proved itself", m.Name)
		}
	})
}

// costly reports whether a count of iterations in script would only slow the
// search: what is above the limit is tried, what is far below it too.
func costly(script []byte) bool {
	for part := range bytes.SplitSeq(script, []byte(",i=")) {
		digits := 0
		for digits < len(part) && '0' <= part[digits] && part[digits] <= '9' {
			digits++
		}
		if 3 < digits && digits < 8 {
			return true
		}
	}
	return false
}

// FuzzDirectives: what is quoted is read back.
func FuzzDirectives(f *testing.F) {
	c := mutate.For(f)
	c.Add("realm", `a "quoted\" \one, two`)
	c.Add("nonce", "")
	c.Tokens("\\", "\"", ",", "=", "\\\"", "\t", "realm")
	mutate.Fuzz2(c, func(t testing.TB, name, value string) {
		if name == "" || strings.ContainsAny(name, " \t\r\n,=\"") || name != strings.ToLower(name) {
			return
		}
		list, err := parseDirectives(" ,x=y, " + name + "\t= " + quoted(value) + " , z=")
		if err != nil || len(list) != 3 || list[1] != (directive{name, value}) || list[2] != (directive{"z", ""}) {
			t.Errorf("%q=%q is read as %q, %v", name, value, list, err)
		}
	})
}

// FuzzSASLprep: what is prepared is prepared for good.
func FuzzSASLprep(f *testing.F) {
	c := mutate.For(f)
	c.Add("I\u00adX")
	c.Add("\u0627\u0031\u0628")
	c.Add("p\u00e4ss w\u00f6rd")
	c.Tokens("\u00ad", "\u0627", "\u200e", "\u202e", "\u2000", "\u00a0", "\ufb01", "\u0340", "\u1100\u1161", "e\u0301", "\U0001d400", "\ue000", "\u05d0", "1")
	mutate.Fuzz1(c, func(t testing.TB, s string) {
		once, err := saslprep(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(once, "\x00\r\n\x7f\u200e\u202e") {
			t.Errorf("%+q is let through as %+q", s, once)
		}
		if twice, err := saslprep(once); err != nil || twice != once {
			t.Errorf("%+q becomes %+q, and that %+q, %v", s, once, twice, err)
		}
	})
}

// FuzzNTLMChallenge: what is read lies within the message, and is bounded.
func FuzzNTLMChallenge(f *testing.F) {
	c := mutate.For(f)
	c.Add(ntlmChallengeExample())
	long, _ := base64.StdEncoding.DecodeString("TlRMTVNTUAACAAAAAAAAADAAAAABggAAzOeVfpDX5IoAAAAAAAAAAAAAAAAAAAAA")
	c.Add(long) // Cyrus SASL's
	mutate.Fuzz1(c, func(t testing.TB, data []byte) {
		challenge, err := readNTLMChallenge(data)
		if err != nil {
			return
		}
		if told := challenge.String(); len(told) > 4*len(data)+2048 {
			t.Errorf("%d bytes become %d", len(data), len(told))
		}
	})
}
