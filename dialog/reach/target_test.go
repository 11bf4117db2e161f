package reach

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for _, test := range []struct {
		text   string
		direct bool
		want   Target // without Text
	}{
		{"example.net", false, Target{Name: "example.net", Port: 25}},
		{"example.net", true, Target{Name: "example.net", Port: 25, Direct: true}},
		{"example.net:2525", false, Target{Name: "example.net", Port: 2525, Direct: true}},
		{"example.net:465", false, Target{Name: "example.net", Port: 465, Direct: true, Implicit: true}},
		{"example.net:587", false, Target{Name: "example.net", Port: 587, Direct: true}},
		{"bücher.example", false, Target{Name: "xn--bcher-kva.example", Port: 25}},
		{"192.0.2.1", false, Target{Name: "192.0.2.1", Port: 25, Direct: true}},
		{"192.0.2.1:25", false, Target{Name: "192.0.2.1", Port: 25, Direct: true}},
		{"[192.0.2.1]", false, Target{Name: "192.0.2.1", Port: 25, Direct: true}},
		{"[192.0.2.1]:587", false, Target{Name: "192.0.2.1", Port: 587, Direct: true}},
		{"2001:db8::1", false, Target{Name: "2001:db8::1", Port: 25, Direct: true}},
		{"[2001:db8::1]", false, Target{Name: "2001:db8::1", Port: 25, Direct: true}},
		{"[2001:db8::1]:26", false, Target{Name: "2001:db8::1", Port: 26, Direct: true}},
		{"[IPv6:2001:db8::1]", false, Target{Name: "2001:db8::1", Port: 25, Direct: true}},
		{"[ipv6:2001:db8::1]:26", false, Target{Name: "2001:db8::1", Port: 26, Direct: true}},
		{"smtp://example.net", false, Target{Name: "example.net", Port: 25, Direct: true}},
		{"SMTP://example.net/", false, Target{Name: "example.net", Port: 25, Direct: true}},
		{"smtp://example.net:465", false, Target{Name: "example.net", Port: 465, Direct: true, Implicit: true}},
		{"smtps://example.net", false, Target{Name: "example.net", Port: 465, Direct: true, Implicit: true}},
		{"smtps://example.net:2465", false, Target{Name: "example.net", Port: 2465, Direct: true, Implicit: true}},
		{"submission://example.net", false, Target{Name: "example.net", Port: 587, Direct: true}},
		{"lmtp://example.net", false, Target{Name: "example.net", Port: 24, Direct: true, LMTP: true}},
		{"LMTP://192.0.2.1:2003", false, Target{Name: "192.0.2.1", Port: 2003, Direct: true, LMTP: true}},
		{"submissions://[2001:db8::1]", false, Target{Name: "2001:db8::1", Port: 465, Direct: true, Implicit: true}},
	} {
		test.want.Text = test.text
		got, err := ParseTarget(test.text, test.direct)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.text, got, err, test.want)
		}
	}
}

func TestParseTargetErrors(t *testing.T) {
	for _, test := range []struct{ text, rule string }{
		{"", "it is empty"},
		{"smtp://", "it is empty"},
		{"a..b", "an empty label"},
		{"-a.example", "begins or ends with a hyphen"},
		{"a b", "the character ' '"},
		{"a@b.example", "the character '@'"},
		{"a.example\r\n", `the character '\r'`},
		{strings.Repeat("a", 64) + ".example", "at most 63"},
		{"a.example:", "is no port"},
		{"a.example:0", "is no port"},
		{"a.example:65536", "is no port"},
		{"a.example:+25", "is no port"},
		{"a.example:smtp", "is no port"},
		{"[192.0.2.1]:x", "is no port"},
		{"[1.2.3]", "is no IPv4 or IPv6 address"},
		{"[example.net]", "is no IPv4 or IPv6 address"},
		{"[2001:db8::1", `"[2001:db8::1" lacks its closing bracket`},
		{"[fe80::1%a b]", "is no IPv4 or IPv6 address"},
		{"fe80::1%a\r\nb", "an address, not a domain: write [fe80::1]"},
		{"[192.0.2.1]25", "lacks its closing bracket"},
		{"http://a.example", `the scheme "http" is none of`},
		{"lmtp+unix://a.example", `the scheme "lmtp+unix" is none of`},
		{"unix:/run/lmtp", "is no port"},
		{"exec:true", "is no port"},
		{"smtp://a.example/x", "only a host and a port"},
		{"smtp://u@a.example", "a user and a password do not belong there"},
		{"smtp://u:p@a.example", "a user and a password do not belong there"},
		{"smtp://a.example?x", "only a host and a port"},
	} {
		_, err := ParseTarget(test.text, false)
		if err == nil || !strings.Contains(err.Error(), test.rule) || !strings.HasPrefix(err.Error(), "target") {
			t.Errorf("%q: %v; want %q", test.text, err, test.rule)
		}
	}
}

func TestParseLocal(t *testing.T) {
	for text, want := range map[string]Target{
		"unix:/run/dovecot/lmtp": {Name: "localhost", Direct: true, LMTP: true, Socket: "/run/dovecot/lmtp"},
		"unix:a b":               {Name: "localhost", Direct: true, LMTP: true, Socket: "a b"},
		"exec:exim -bs | tee x":  {Name: "localhost", Direct: true, Command: "exim -bs | tee x"},
		"exec:a:b":               {Name: "localhost", Direct: true, Command: "a:b"},
	} {
		want.Text = text
		got, local, err := ParseLocal(text)
		if err != nil || !local || got != want || !got.Local() {
			t.Errorf("%q: %+v, %v, %v", text, got, local, err)
		}
	}
	for _, text := range []string{"unix:", "exec:", "exec:  ", "unix:\x00/abstract"} {
		if got, local, err := ParseLocal(text); !local || err == nil {
			t.Errorf("%q: %+v, %v, %v", text, got, local, err)
		}
	}
	for _, text := range []string{"", "example.net", "Exec:true", "UNIX:/x", " exec:true", "smtp://exec:true", "[::1]:25"} {
		if got, local, err := ParseLocal(text); local || err != nil {
			t.Errorf("%q is taken for %+v, %v", text, got, err)
		}
	}
}

// FuzzParseTarget: what is taken names a host or an address without anything
// that could end a line or begin another word, and a port.
func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"a.example", "[::1]:25", "smtps://a.example:465/", "bücher.example", "[IPv6:::1]", "a:b:c", "[", "]:", "://", "1\n" + strings.Repeat("0", 63)} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, direct bool) {
		got, err := ParseTarget(text, direct)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Fatalf("%q: the error has a line end: %q", text, err)
			}
			return
		}
		if got.Local() {
			t.Fatalf("%q leads to a process: %+v", text, got)
		}
		if got.Name == "" || strings.ContainsFunc(got.Name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || got.Port == 0 {
			t.Fatalf("%q became %+v", text, got)
		}
		again, err := ParseTarget(got.Name, got.Direct)
		if err != nil || again.Name != got.Name {
			t.Fatalf("%q became %q, which became %q: %v", text, got.Name, again.Name, err)
		}
	})
}

func TestSubmission(t *testing.T) {
	for port, want := range map[uint16]bool{25: false, 465: true, 587: true, 2525: false} {
		if got := (Target{Port: port}).Submission(); got != want {
			t.Errorf("port %d: %v", port, got)
		}
	}
}

// dialled is what a redirect leads hop to, "" if it does not concern it.
func dialled(to Redirect, hop Hop) string {
	if found, ok := (&Reach{ConnectTo: []Redirect{to}}).redirect(hop); ok {
		return found.address(hop)
	}
	return ""
}

// A policy host is meant by its name and by its port, and not by what names neither: that
// was written with the SMTP server in mind.
func TestRedirectPolicyHost(t *testing.T) {
	hop := Hop{Host: "mta-sts.example.net", Addr: netip.MustParseAddrPort("192.0.2.1:443"), Port: 443, web: true}
	for text, want := range map[string]string{
		":443:127.0.0.1:8443":                    "127.0.0.1:8443",
		"mta-sts.example.net:443:127.0.0.1:8443": "127.0.0.1:8443",
		"mta-sts.example.net::127.0.0.1:":        "127.0.0.1:443",
		":443::8443":                             "192.0.2.1:8443",
		":25:127.0.0.1:2525":                     "",
		"::127.0.0.1:2525":                       "",
	} {
		to, err := ParseRedirect(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := dialled(to, hop); got != want {
			t.Errorf("%s: dials %q, not %q", text, got, want)
		}
	}
}

func TestRedirect(t *testing.T) {
	hop := Hop{Host: "mx1.example.net", Addr: netip.MustParseAddrPort("192.0.2.1:25"), Port: 25}
	for _, test := range []struct {
		text string
		want string // dialled for hop; "": not concerned
	}{
		{"mx1.example.net:25:127.0.0.1:2525", "127.0.0.1:2525"},
		{"MX1.EXAMPLE.NET:25:127.0.0.1:2525", "127.0.0.1:2525"},
		{":25:127.0.0.1:2525", "127.0.0.1:2525"},
		{"::[::1]:2525", "[::1]:2525"},
		{"::127.0.0.1:", "127.0.0.1:25"},
		{":::2525", "192.0.2.1:2525"},
		{"::other.example:25", "other.example:25"},
		{"mx2.example.net:25:127.0.0.1:2525", ""},
		{":587:127.0.0.1:2525", ""},
	} {
		to, err := ParseRedirect(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got := dialled(to, hop); got != test.want {
			t.Errorf("%s: dials %q, not %q", test.text, got, test.want)
		}
	}
	for _, bad := range []string{"", "a", "a:25", "a:25:b", "a:25::", ":::", "a:25:b:25:c", "a:0:b:25", "a:25:b:0", "a:25:b:65536", "a:x:b:25", "a:25:::1:25"} {
		if to, err := ParseRedirect(bad); err == nil {
			t.Errorf("%q was taken: %+v", bad, to)
		}
	}
}
