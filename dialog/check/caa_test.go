package check

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

// The values are those of RFC 8659 section 4.2, and near ones.
func TestIssuer(t *testing.T) {
	for _, test := range []struct {
		value, name string
		ok          bool
	}{
		{"ca1.example.net", "ca1.example.net", true},
		{" \tca1.example.net \t", "ca1.example.net", true},
		{"ca1.example.net; account=230123", "ca1.example.net", true},
		{"ca1.example.net;account = 230123 ; policy=", "ca1.example.net", true},
		{"ca1.example.net; validationmethods=dns-01,http-01; accounturi=https://ca.example/acct?x=1", "ca1.example.net", true},
		{"ca1.example.net;", "ca1.example.net", true},
		{"ca--1.xn--bcher-kva.example", "ca--1.xn--bcher-kva.example", true},
		{";", "", true}, {"", "", true}, {" ; ", "", true}, {"; policy=ev", "", true},

		{"%%%%%", "", false},
		{"let's encrypt", "", false},
		{"ca1.example policy=ev", "", false},
		{"ca1.example; policy", "", false},
		{"ca1.example; =ev", "", false},
		{"ca1.example; policy=ev;", "", false}, // parameters end with one
		{"ca1.example;;policy=ev", "", false},
		{"ca1.example; policy=e v", "", false},
		{"ca1.example; policy=\xe9", "", false},
		{"ca1.example; -policy=ev", "", false},
		{"ca1.example.", "", false}, {".ca1.example", "", false}, {"ca1..example", "", false},
		{"-ca1.example", "", false}, {"ca1-.example", "", false}, {"ca_1.example", "", false},
		{"bücher.example", "", false}, {"ca1.example\n", "", false},
	} {
		if name, ok := issuer(test.value); name != test.name || ok != test.ok {
			t.Errorf("%q: %q, %t; not %q, %t", test.value, name, ok, test.name, test.ok)
		}
	}
}

// issuer follows the grammar of RFC 8659 section 4.2, written out.
func FuzzIssuer(f *testing.F) {
	const label = `[A-Za-z0-9](?:-*[A-Za-z0-9])*`
	const parameter = label + `[ \t]*=[ \t]*[!-:<-~]*`
	grammar := regexp.MustCompile(`^[ \t]*(?:(` + label + `(?:\.` + label + `)*)[ \t]*)?` +
		`(?:;[ \t]*(?:` + parameter + `(?:[ \t]*;[ \t]*` + parameter + `)*[ \t]*)?)?$`)
	c := mutate.For(f)
	for _, seed := range []string{"ca.example; a=b ; c= d", "%%%%%", "a b", ";", " \t; x=\t", "a;b=c;", "a;b=c;d"} {
		c.Add(seed)
	}
	c.Tokens(";", "=", ".", "-", " ", "\t", "a", "0", "~", "\x7f")
	mutate.Fuzz1(c, func(t testing.TB, value string) {
		name, ok := issuer(value)
		m := grammar.FindStringSubmatch(value)
		switch {
		case ok != (m != nil) || strings.ContainsRune(name, ';'):
			t.Errorf("%q: %q, %t, and by the grammar %t", value, name, ok, m != nil)
		case ok && name != m[1]:
			t.Errorf("%q: %q, and by the grammar %q", value, name, m[1])
		}
	})
}

func TestAuthorities(t *testing.T) {
	issue := func(values ...string) (all []route.CAA) {
		for _, v := range values {
			all = append(all, route.CAA{Tag: "issue", Value: v})
		}
		return all
	}
	for _, test := range []struct {
		records []route.CAA
		want    Verdict
		says    string
	}{
		{issue("ca.example"), Pass, "certificates by ca.example alone"},
		{issue("ca.example", ";"), Pass, "certificates by ca.example alone"}, // section 4.2: what is allowed adds up
		{issue(";"), Warn, "forbids every authority to issue a certificate"},
		{issue("%%%%%"), Warn, `forbids every authority to issue a certificate: "%%%%%" names none`},
		{issue("let's encrypt"), Warn, `forbids every authority to issue a certificate: "let's encrypt" names none`},
		{issue("ca1.example policy=ev"), Warn, `forbids every authority to issue a certificate: "ca1.example policy=ev" names none`},
		{issue("ca.example", "let's encrypt"), Warn, `certificates by ca.example alone: "let's encrypt" names none`},
	} {
		if r := authorities("mx.test", test.records); r.Verdict != test.want || r.Summary != test.says || r.Verdict == Warn && r.Fix == "" {
			t.Errorf("%v: %s: %s", test.records, r.Verdict, r.Summary)
		}
	}
}
