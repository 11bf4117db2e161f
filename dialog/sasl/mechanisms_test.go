package sasl

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	var order []string
	for _, m := range Mechanisms() {
		if seen[m.Name] || m.Name != strings.ToUpper(m.Name) || m.RFC == "" || m.About == "" || m.New == nil || m.Binds != strings.HasSuffix(m.Name, "-PLUS") {
			t.Errorf("the row %+v", m)
		}
		seen[m.Name] = true
		order = append(order, m.Name)
		if found, ok := Find(strings.ToLower(m.Name)); !ok || found.Name != m.Name {
			t.Errorf("%s is not found", m.Name)
		}
	}
	if want := "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS EXTERNAL SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 " +
		"OAUTHBEARER XOAUTH2 DIGEST-MD5 CRAM-MD5 NTLM PLAIN LOGIN ANONYMOUS"; strings.Join(order, " ") != want {
		t.Errorf("the order is %q", order)
	}
	if _, ok := Find("GSSAPI"); ok {
		t.Error("GSSAPI is found")
	}
}

// TestLack is every way in which credentials do not suffice.
func TestLack(t *testing.T) {
	state := full()
	for _, m := range Mechanisms() {
		if m.Binds {
			continue // TestNoBinding
		}
		for what, change := range map[string]func(*Credentials){
			"a user name":                           func(c *Credentials) { c.User = "" },
			"a password":                            func(c *Credentials) { c.Password = transcript.Secret{} },
			"a password without NUL":                func(c *Credentials) { c.Password = transcript.NewSecret("seven\x00eight") },
			"a user name without NUL":               func(c *Credentials) { c.Authzid = "a\x00b" },
			"a token":                               func(c *Credentials) { c.Token = transcript.Secret{} },
			"a token of printable ASCII characters": func(c *Credentials) { c.Token = transcript.NewSecret("eyJhbGci\n") },
			"a client certificate, shown in the handshake":           func(c *Credentials) { c.Certificate = false },
			"a trace of at most 255 characters in UTF-8":             func(c *Credentials) { c.User = strings.Repeat("a", 256) },
			"a user name without control characters":                 func(c *Credentials) { c.User = "a\x01auth=Bearer b" },
			"a user name that SASLprep allows: U+0007 is prohibited": func(c *Credentials) { c.User = "\a" },
			"the server's name, which is part of the digest":         func(c *Credentials) { c.Host = "" },
		} {
			c := state
			change(&c)
			_, err := m.New(c)
			if wanted := lacks(m, what); wanted != (err != nil) && wanted {
				t.Errorf("%s begins without %s", m.Name, what)
			} else if wanted && err.Error() != m.Name+" needs "+what {
				t.Errorf("%s: %q, not %q", m.Name, err, what)
			}
		}
	}
	m, _ := Find("SCRAM-SHA-1")
	c := full()
	c.Password = transcript.NewSecret("secret\a12345")
	if _, err := m.New(c); err == nil || reveals(err.Error(), "\a") || strings.Contains(err.Error(), "0007") {
		t.Errorf("a password with a control character: %v", err)
	}
}

// lacks says which mechanism needs what.
func lacks(m Mechanism, what string) bool {
	switch {
	case what == "a user name":
		return m.Needs == NeedPassword || m.Name == "XOAUTH2"
	case what == "a user name without control characters":
		return m.Needs == NeedToken
	case strings.HasPrefix(what, "a user name that SASLprep"):
		return strings.HasPrefix(m.Name, "SCRAM")
	case strings.HasPrefix(what, "the server's name"):
		return m.Name == "DIGEST-MD5"
	case strings.HasPrefix(what, "a trace"):
		return m.Name == "ANONYMOUS"
	case strings.HasPrefix(what, "a client certificate"):
		return m.Needs == NeedCertificate
	case strings.HasPrefix(what, "a token"):
		return m.Needs == NeedToken
	default:
		return m.Needs == NeedPassword
	}
}

// TestPrinted: a client that is printed by mistake shows no secret.
func TestPrinted(t *testing.T) {
	for _, m := range Mechanisms() {
		if m.Binds {
			continue
		}
		client := begin(t, m.Name, full())
		for _, verb := range []string{"%v", "%+v", "%s", "%q"} {
			if m.Name == "PLAIN" || m.Needs == NeedToken {
				continue // whose message is made already; it is a []byte
			}
			if text := fmt.Sprintf(verb, client); reveals(text, password) || reveals(text, token) {
				t.Errorf("%s by %s: %s", m.Name, verb, text)
			}
		}
	}
}

// TestRand: a nonce that is not random is no nonce.
func TestRand(t *testing.T) {
	for _, name := range []string{"SCRAM-SHA-256", "DIGEST-MD5"} {
		m, _ := Find(name)
		c := full()
		c.Rand = iotest.ErrReader(io.ErrClosedPipe)
		if _, err := m.New(c); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
		c.Rand = strings.NewReader(strings.Repeat("\xff", 36))
		one, two := begin(t, name, c), begin(t, name, full())
		if name == "SCRAM-SHA-256" && (one.(*scram).ours != strings.Repeat("/", 24) || two.(*scram).ours == one.(*scram).ours) {
			t.Errorf("the nonce does not come from Rand, or is always the same")
		}
	}
}
