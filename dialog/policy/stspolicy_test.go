package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

const goodPolicy = "version: STSv1\r\nmode: enforce\r\nmx: mx1.good.test\r\nmx: *.Mail.good.test\r\nmax_age: 604800\r\n"

func TestParsePolicy(t *testing.T) {
	for body, want := range map[string]string{ // mode, patterns, seconds; or the error
		goodPolicy:                               "enforce mx1.good.test,*.mail.good.test 604800",
		strings.ReplaceAll(goodPolicy, "\r", ""): "enforce mx1.good.test,*.mail.good.test 604800",
		strings.TrimSpace(goodPolicy):            "enforce mx1.good.test,*.mail.good.test 604800",
		"max_age:86400\nmx:a.test\nmode:\ttesting \nversion:STSv1":                                     "testing a.test 86400",
		"version: STSv1\nmode: none\nmax_age: 0\n":                                                     "none  0",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 31557600\n":                               "enforce a.test 31557600",
		"version: STSv1\nversion: STSv2\nmode: enforce\nmode: x\nmx: a.test\nmax_age: 5\nmax_age: x\n": "enforce a.test 5",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 5\nX-new.1: gr\u00fc\u00dfe = a;b\n":      "enforce a.test 5",
		"version: STSv1\n\nmode: enforce\nmx: a.test\nmax_age: 5\n\n\n":                                "enforce a.test 5",
		"version: STSv1\nmode: enforce\nmx: xn--r8jz45g.test\nmax_age: 5\n":                            "enforce xn--r8jz45g.test 5",

		"":                        "it has no version",
		"<html>\n":                "line 1: '<html>' is not NAME: VALUE",
		"\ufeffversion: STSv1":    "line 1: a byte order mark comes before 'version'",
		"version: STSv2":          "line 1: the version is 'STSv2', not STSv1",
		"version: stsv1":          "line 1: the version is 'stsv1', not STSv1",
		"version : STSv1":         "line 1: 'version ' is no name of a field",
		" version: STSv1":         "line 1: ' version' is no name of a field",
		"version: STSv1\rx: y":    "line 1: 'STSv1\rx: y' is no value of a field",
		"version:":                "line 1: '' is no value of a field",
		"mode: enforce":           "it has no version",
		"version: STSv1\n":        "it has no mode",
		"\n\nmode: Enforce":       "line 3: the mode is 'Enforce', not enforce, testing or none",
		"max_age: -1":             "line 1: max_age '-1' is not a number of seconds",
		"max_age: 1e3":            "line 1: max_age '1e3' is not a number of seconds",
		"max_age: 00000000001":    "line 1: max_age '00000000001' is not a number of seconds",
		"max_age: 31557601":       "line 1: max_age 31557601 is over 31557600, a year",
		"mx: *":                   "line 1: mx '*' is neither a name nor *. and a name",
		"mx: mx*.a.test":          "line 1: mx 'mx*.a.test' is neither a name nor *. and a name",
		"mx: *.*.a.test":          "line 1: mx '*.*.a.test' is neither a name nor *. and a name",
		"mx: .a.test":             "line 1: mx '.a.test' is neither a name nor *. and a name",
		"mx: 192.0.2.1":           "line 1: mx '192.0.2.1' is neither a name nor *. and a name",
		"mx: a.test, b.test":      "line 1: mx 'a.test, b.test' is neither a name nor *. and a name",
		"mx: a.test.":             "line 1: mx 'a.test.' has to be written a.test",
		"mx: *.\u4f8b\u3048.test": "line 1: mx '*.例え.test' has to be written *.xn--r8jz45g.test",
		"version: STSv1\nmode: enforce\nmax_age: 5":               "it lists no mx",
		"version: STSv1\nmode: enforce\nmx: a.test":               "it has no max_age",
		"version: STSv1\nMode: enforce\nmx: a.test\nmax_age: 5\n": "it has no mode",
		"x: \x00": "line 1: '\x00' is no value of a field",
		"x: \xff": "line 1: '\xff' is no value of a field",
	} {
		p, err := ParsePolicy([]byte(body))
		got := string(p.Mode) + " " + strings.Join(p.MX, ",") + " " + strconv.FormatInt(int64(p.MaxAge/time.Second), 10)
		if err != nil {
			var e *PolicyError
			if got = err.Error(); !errors.As(err, &e) {
				t.Errorf("%q: %T", body, err)
			}
		}
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", body, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	long := strings.Repeat("x", maxText-1)
	for s, want := range map[string]string{
		"":                                "''",
		long + "y":                        "'" + long + "y'",
		long + "yz":                       "'" + long + "y (and 1 byte more)'",
		long + "\u00fc":                   "'" + long + " (and 2 bytes more)'",
		strings.Repeat("\x80", maxText+1): "'" + strings.Repeat("\x80", maxText-4) + " (and 5 bytes more)'",
	} {
		if got := quote(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestPolicyFindings(t *testing.T) {
	const body = "version: STSv1\nmode: testing\nMX: b.test\nmx: a.test\nmode: enforce\n\n\nmax_age: 86399\n"
	p, err := ParsePolicy([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range p.Findings {
		ids = append(ids, f.ID+": "+f.Text)
	}
	want := []string{
		"sts-case: line 3 of the policy: MX is not mx, so it is passed over",
		"sts-again: line 5 of the policy: mode comes again, so it is passed over",
		"sts-empty-line: line 6 of the policy is empty, which its grammar does not have",
		"sts-testing: mode testing: senders report what fails, and deliver all the same",
		"sts-max-age: max_age 86399: senders forget the policy within a day; weeks are what it is meant for (RFC 8461 section 3.2)",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("%q", ids)
	}
}

func TestAllows(t *testing.T) {
	p := Policy{Mode: Enforce, MX: []string{"mx1.good.test", "*.mail.good.test", "xn--r8jz45g.test", "*.xn--r8jz45g.test"}}
	for host, want := range map[string]bool{
		"mx1.good.test": true, "MX1.Good.TEST": true, "mx1.good.test.": true, "mx2.good.test": false, "good.test": false,
		"a.mail.good.test": true, "a_b.mail.good.test": true, "mail.good.test": false, "a.b.mail.good.test": false, ".mail.good.test": false,
		`a\.b.mail.good.test`: false, "xmail.good.test": false, "例え.test": true, "mx.例え.test": true, "*.mail.good.test": true,
		"": false, ".": false, "test": false, "192.0.2.1": false,
	} {
		if got := p.Allows(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// FuzzPolicy: what is accepted is complete, within its bounds, allows what it lists and no
// name of another depth, and is the same with either line end.
func FuzzPolicy(f *testing.F) {
	c := mutate.For(f)
	c.Add([]byte(goodPolicy))
	c.Add([]byte("version: STSv1\nmode: none\nmax_age: 0"))
	c.Add([]byte("version: STSv1\nmode: testing\nmx: *.a.test\nmax_age: 9\nx: y\n\n"))
	c.Add([]byte("version: STSv1\r\nmode: enforce\r\n" + strings.Repeat("mx: mx1.mail.good.test\r\nmx: *.xn--r8jz45g.test\r\nnote: any text at all\r\n", 4) + "max_age: 31557600\r\n"))
	c.Tokens("version: STSv1\n", "mode: enforce\n", "mode: testing\n", "mode: none\r\n", "\nmx: a.test\n", "\nmx: *.b.test\r\n", "\nx: y\n", "*.", "max_age: 1\n", "31557600", "31557601",
		"\r\n", "\n", ": ", "xn--", ".test", "mx.", "a-b")
	mutate.Fuzz1(c, func(t testing.TB, body []byte) {
		p, err := ParsePolicy(body)
		if err != nil {
			if e := new(PolicyError); !errors.As(err, &e) || e.Line > strings.Count(string(body), "\n")+1 || e.Reason == "" {
				t.Errorf("%#v", err)
			}
			return
		}
		if p.Mode != Enforce && p.Mode != Testing && p.Mode != None || p.Mode != None && len(p.MX) == 0 || p.MaxAge < 0 || p.MaxAge > maxAge*time.Second {
			t.Errorf("%+v", p)
		}
		for _, pattern := range p.MX {
			name, wild := strings.CutPrefix(pattern, "*.")
			if !route.ValidDomain(name) || strings.ToLower(pattern) != pattern {
				t.Errorf("%q", pattern)
			}
			only := Policy{MX: []string{pattern}}
			if wild && (!only.Allows("x."+name) || only.Allows(name) || only.Allows("x.y."+name)) || !wild && (!only.Allows(name) || only.Allows("x."+name)) {
				t.Errorf("%q does not allow what it should", pattern)
			}
		}
		if !strings.Contains(string(body), "\r") {
			again, err := ParsePolicy([]byte(strings.ReplaceAll(string(body), "\n", "\r\n")))
			if err != nil || again.Mode != p.Mode || !slices.Equal(again.MX, p.MX) || again.MaxAge != p.MaxAge {
				t.Errorf("with CR LF: %+v, %v", again, err)
			}
		}
	})
}
