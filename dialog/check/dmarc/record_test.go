package dmarc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

func TestParse(t *testing.T) {
	const mail = "; rua=mailto:r@example.com"
	for _, c := range []struct{ text, acts, faults string }{
		{"v=DMARC1", "v=DMARC1", ""},
		{"v=DMARC1;", "v=DMARC1", ""},
		{"v=DMARC1; p=reject", "v=DMARC1; p=reject", ""},
		{"V = DMARC1 ;P = Reject ; ", "v=DMARC1; p=reject", ""},
		{"v=DMARC1;p=quarantine;sp=none;np=reject;t=y;psd=n;adkim=s;aspf=s;fo=1:d:s;ruf=mailto:f@example.com" + mail,
			"v=DMARC1; p=quarantine; sp=none; np=reject; t=y; psd=n; adkim=s; aspf=s" + mail + "; ruf=mailto:f@example.com; fo=1:d:s", ""},
		{"v=DMARC1; rua=mailto:a@example.com,\tmailto:b@example.net; p=none", "v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@example.net", ""},
		{"v=DMARC1; p=none; rua=mailto:a@example.com!10m", "v=DMARC1; p=none; rua=mailto:a@example.com", "size-limit"},
		{"v=DMARC1; p=reject; pct=50; rf=afrf; ri=3600", "v=DMARC1; p=reject", "removed removed removed"},
		{"v=DMARC1; p=reject; x=1; asfp=s", "v=DMARC1; p=reject", "unknown unknown"},
		{"v=DMARC1; p=reject; p=none", "v=DMARC1; p=reject", "repeated"},
		{"v=DMARC1; p=reject; v=DMARC1", "v=DMARC1; p=reject", "repeated"},
		{"v=DMARC1; p=monitor", "v=DMARC1", "bad-value"},
		{"v=DMARC1; p=monitor" + mail, "v=DMARC1; p=none" + mail, "bad-value"},
		{"v=DMARC1" + mail, "v=DMARC1; p=none" + mail, ""},
		{"v=DMARC1; p=reject; sp=quarantin" + mail, "v=DMARC1; p=none" + mail, "bad-value"},
		{"v=DMARC1; p=reject; np=quarantin", "v=DMARC1", "bad-value"},
		{"v=DMARC1; p=reject; t=maybe; psd=x; adkim=x; aspf=", "v=DMARC1; p=reject", "bad-value bad-value bad-value bad-value"},
		{"v=DMARC1; p=reject; rua=r@example.com", "v=DMARC1; p=reject", "bad-uri"},
		{"v=DMARC1; p=reject; rua=mailto:r, mailto:r@-, , mailto:r@example.com", "v=DMARC1; p=reject" + mail, "bad-uri bad-uri bad-uri"},
		{"v=DMARC1; p=reject; rua=https://example.com/r?x=y", "v=DMARC1; p=reject; rua=https://example.com/r?x=y", ""},
		{"v=DMARC1; p=reject; reject; 1=2; p", "v=DMARC1; p=reject", "bad-syntax bad-syntax bad-syntax"},
		{"v=DMARC1;; p=reject", "v=DMARC1; p=reject", "idle"},
		{"v=DMARC1; p=reject; fo=1", "v=DMARC1; p=reject", "idle"},
		{"v=DMARC1; p=reject; fo=0:1; ruf=mailto:r@example.com", "v=DMARC1; p=reject; ruf=mailto:r@example.com", "bad-value"},
		{"v=DMARC1; p=reject; fo=d:d; ruf=mailto:r@example.com", "v=DMARC1; p=reject; ruf=mailto:r@example.com", "bad-value"},
		{"v=DMARC1; p=reject; rua=mailto:r@b\xfccher.example", "v=DMARC1; p=reject", "bad-uri"},
	} {
		r, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var faults []string
		for _, p := range r.Problems {
			faults = append(faults, string(p.Fault))
			if p.Text == "" || p.Offset < 0 || p.Offset > len(c.text) {
				t.Errorf("%s: %+v", c.text, p)
			}
		}
		if r.String() != c.acts || strings.Join(faults, " ") != c.faults {
			t.Errorf("%s: %s, %+v", c.text, r, r.Problems)
		}
	}
}

func TestParseNot(t *testing.T) {
	for text, near := range map[string]bool{
		"": false, "v=spf1 -all": false, "dmarc": true, "v=DMARC1 p=reject": true, "v=dmarc1; p=reject": true,
		" v=DMARC1; p=reject": true, "p=reject; v=DMARC1": true, "v=DMARC2": true, "v=DMARC1p; p=none": true, "x=DMARC1": true,
		"v": false, "=DMARC1": true, "v=DKIM1; p=": false,
	} {
		_, err := Parse(text)
		var not *NotRecord
		if !errors.As(err, &not) || not.Near != near || not.Why == "" {
			t.Errorf("%q: %+v", text, err)
		}
	}
}

func TestURI(t *testing.T) {
	u, why := parseURI("mailto:a%2cb@B\u00fccher.example")
	if why == "" {
		t.Errorf("%+v", u) // not percent-encoded
	}
	u, why = parseURI("mailto:a%2cb@Example.COM?subject=x")
	if why != "" || u.Address != "a,b@Example.COM" || u.Host != "example.com" || u.Scheme != "mailto" {
		t.Errorf("%+v %s", u, why)
	}
	u, why = parseURI("https://Reports.example:8443/x")
	if why != "" || u.Address != "" || u.Host != "reports.example" {
		t.Errorf("%+v %s", u, why)
	}
}

// FuzzRecord: whatever is in a TXT record, what a receiver would do by it is what it would
// do by its String, in which there is nothing wrong.
func FuzzRecord(f *testing.F) {
	c := mutate.For(f)
	c.Add("v=DMARC1; p=reject; sp=none; np=quarantine; t=y; psd=n; adkim=s; aspf=s; rua=mailto:a@b.example!5m,https://c.example; ruf=mailto:d@e.example; fo=1:d:s; pct=5; x=y")
	c.Add("v=DMARC1;;p = None;sp=\xff;rua=mailto:a%2C@b.example")
	c.Add("v=dmarc1; p")
	c.Tokens("v=DMARC1", ";", "p=", "sp=", "np=", "reject", "quarantine", "none", "rua=mailto:", "ruf=", ",", "!10m", "fo=", "0:1:d:s", "t=y", "psd=u", "adkim=r",
		"aspf=s", "pct=50", "https://", "@b.example", "%2C", "[192.0.2.1]", "xn--", ":8443")
	mutate.Fuzz1(c, func(t testing.TB, text string) {
		r, err := Parse(text)
		if err != nil {
			if r != nil {
				t.Fatal("a record and an error")
			}
			return
		}
		again, err := Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q becomes %q, and that %v", text, r, again)
		}
		if len(again.Problems) > 0 {
			t.Fatalf("%q: %+v", again.Text, again.Problems)
		}
		for _, sub := range []bool{false, true} {
			for _, exists := range []bool{false, true} {
				p, _ := r.For(sub, exists)
				q, _ := again.For(sub, exists)
				if r.Usable() != again.Usable() || r.Usable() && p != q {
					t.Fatalf("%q: %s, then %s", text, p, q)
				}
			}
		}
		if again.PSD != r.PSD || again.Testing != r.Testing || again.ADKIM != r.ADKIM || again.ASPF != r.ASPF ||
			!slices.Equal(again.RUA, r.RUA) || !slices.Equal(again.RUF, r.RUF) {
			t.Fatalf("%+v, then %+v", r, again)
		}
		if len(r.Problems) > problemsMost || len(r.RUA) > urisMost || len(r.RUF) > urisMost {
			t.Fatal("too much")
		}
	})
}
