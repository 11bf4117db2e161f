package cmd

import (
	"strings"
	"testing"
)

func TestNetrc(t *testing.T) {
	const file = `# a comment with machine hidden.test login no password no
machine mx.test login alice password one # trailing password two
machine mx.test
	login bob
	account x password "t\"w o\\"
MACHINE quoted.test. Login "al ice" Password "a\tb"
machine hash.test login # password #1
machine words.test login machine password default
machine nobody.test password any
machine only.test login carol
machine mac.test login dave macdef init
	machine stolen.test login x password y

login late password late
machine after.test login eve passwd p\q unknown words
machine "" login nobody password nothing
default login anonymous password guest
machine behind.test login frank password last`
	n, err := parseNetrc([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ host, user, login, password string }{
		{"mx.test", "", "alice", "one"},
		{"MX.test.", "", "alice", "one"},
		{"mx.test", "bob", "bob", `t"w o\`},
		{"quoted.test", "", "al ice", "a\tb"},
		{"hash.test", "", "#", "#1"},
		{"words.test", "", "machine", "default"},
		{"nobody.test", "zoe", "", "any"},
		{"only.test", "", "carol", ""},
		{"mac.test", "", "dave", ""},
		{"after.test", "", "eve", `p\q`},
		{"behind.test", "", "frank", "last"},
		{"else.test", "", "anonymous", "guest"},
		{"stolen.test", "", "anonymous", "guest"},
		{"hidden.test", "", "anonymous", "guest"},
		{"mx", "", "anonymous", "guest"},
		{"sub.mx.test", "", "anonymous", "guest"},
	}
	for _, tt := range tests {
		e, ok := n.find(tt.host, tt.user)
		if !ok || e.login != tt.login || e.password.Reveal() != tt.password {
			t.Errorf("%s %s: %q %q %v", tt.host, tt.user, e.login, e.password.Reveal(), ok)
		}
	}
	for _, user := range []string{"carol", "Alice"} {
		if e, ok := n.find("mx.test", user); ok {
			t.Errorf("%s has the login of %s", user, e.login)
		}
	}
	empty, err := parseNetrc([]byte("\ufeff# nothing\r\n"))
	if _, ok := empty.find("mx.test", ""); ok || err != nil {
		t.Error(ok, err)
	}
	crlf, err := parseNetrc([]byte("machine a login b password c\r\nmacdef m\r\nx\r\n\r\nmachine d login e password f\r\n"))
	if e, _ := crlf.find("d", ""); err != nil || e.password.Reveal() != "f" {
		t.Error(crlf, err)
	}
	if e, _ := crlf.find("a", ""); e.password.Reveal() != "c" {
		t.Errorf("%q", e.password.Reveal())
	}
}

func TestNetrcErrors(t *testing.T) {
	for text, want := range map[string]string{
		"machine":                          "line 1: machine without a value",
		"\n\nmachine a login":              "line 3: login without a value",
		"machine a\npassword":              "line 2: password without a value",
		"machine a\npassword \"x\nlogin y": "line 2: a quote is left open",
		"machine a password \"x\\":         "line 1: a quote is left open",
		"machine a password x\x00y":        "line 1: the password holds a NUL",
		"machine a password \"x\\ry\"":     "line 1: the password has several lines: one is wanted, and nothing else",
		"machine a password " + strings.Repeat("x", mostSecret+1): "line 1: the password is over 64 KiB",
	} {
		if _, err := parseNetrc([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// Whatever else stands in the file, the password of one machine is never given to
// another, and the first entry of a machine is its own.
func FuzzNetrc(f *testing.F) {
	f.Add("machine b.test login x password y", "b.test", "")
	f.Add("default login x password y", "b.test", "x")
	f.Add("macdef init\n\n\nlogin u password p", "a.test", "u")
	f.Add("\"machine\" \"\" password \"\\", "", "")
	f.Add("# machine b.test\nlogin", "", "u")
	f.Fuzz(func(t *testing.T, text, host, user string) {
		const entry = "machine a.test login u password FIRST-PASSWORD\n"
		if strings.Contains(text, "FIRST-PASSWORD") {
			return
		}
		n, err := parseNetrc([]byte(entry + text))
		if err != nil {
			if strings.Contains(err.Error(), "FIRST-PASSWORD") {
				t.Fatal(err)
			}
			return
		}
		same := strings.EqualFold(strings.TrimSuffix(strings.Trim(host, "[]"), "."), "a.test")
		e, ok := n.find(host, user)
		switch {
		case !same && e.password.Reveal() == "FIRST-PASSWORD":
			if text != "" && !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "m") {
				t.Logf("%q", text)
			}
			t.Errorf("%q has the password of a.test", host)
		case ok && user != "" && e.login != "" && e.login != user:
			t.Errorf("%q has the login of %q", user, e.login)
		case ok && e.machine != "" && !strings.EqualFold(e.machine, strings.TrimSuffix(strings.Trim(host, "[]"), ".")):
			t.Errorf("%q has the entry of %q", host, e.machine)
		case len(e.password.Reveal()) > len(entry)+len(text):
			t.Error("a password out of nothing")
		}
		if len(n) > len(entry)+len(text) {
			t.Errorf("%d entries of %d bytes", len(n), len(text))
		}
	})
}
