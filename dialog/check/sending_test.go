package check

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
)

func TestReversed(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.99":                "99.2.0.192.list.example",
		"2001:db8:1:2:3:4:567:89ab": "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.list.example", // RFC 5782 section 2.4
	} {
		if got := reversed(netip.MustParseAddr(addr), "list.example"); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}

func TestRefusal(t *testing.T) {
	for code, is := range map[string]bool{
		"127.0.0.1": true, "127.0.0.2": false, "127.0.1.1": false, "127.0.1.255": false, "127.254.255.254": false, "127.255.255.0": true, "127.255.255.252": true,
		"127.255.255.254": true, "127.255.255.255": true, "192.0.2.1": true, "::1": true,
	} {
		if got := refusal([]string{"127.0.0.3", code}); (got != "") != is {
			t.Errorf("%s: %q", code, got)
		}
	}
}

func TestUnsubscribeURIs(t *testing.T) {
	for value, want := range map[string]string{
		"":                      "",
		"https://a.example":     "",
		"<https://a.example/x>": "https://a.example/x",
		"<mailto:a@b.example>, <https://a.example> (comment)": "mailto:a@b.example https://a.example",
		"<>": "", "<https://a.example": "",
	} {
		if got := strings.Join(uris(value), " "); got != want {
			t.Errorf("%q: %q", value, got)
		}
	}
}

func TestJudgeBIMI(t *testing.T) {
	record := func(text string) *dmarc.Discovery {
		r, err := dmarc.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		policy, tag := r.For(false, true)
		d := &dmarc.Discovery{Source: dmarc.Author, Record: r, Policy: policy, Tag: tag, Requested: policy}
		return d
	}
	good := record("v=DMARC1; p=reject")
	for _, c := range []struct {
		text string
		d    *dmarc.Discovery
		want Verdict
	}{
		{"v=BIMI1; l=https://a.example/l.svg; a=https://a.example/c.pem", good, Pass},
		{"v=BIMI1;L = https://a.example/l.SVGZ ;a=https://a.example/c.pem;", good, Pass},
		{"v=BIMI1; l=https://a.example/l.svg", good, Warn},
		{"v=BIMI1; l=; a=", good, Info},
		{"v=BIMI1; l=https://a.example/l.png", good, Fail},
		{"v=BIMI1; l=ftp://a.example/l.svg", good, Fail},
		{"v=BIMI1; l=https:///l.svg", good, Fail},
		{"v=BIMI1; l=https://a.example/l.svg; a=x", good, Fail},
		{"v=BIMI1; l=https://a.example/l.svg", record("v=DMARC1; p=none"), Fail},
		{"v=BIMI1; l=https://a.example/l.svg", record("v=DMARC1; p=reject; sp=none"), Fail},
		{"v=BIMI1; l=https://a.example/l.svg", record("v=DMARC1; p=reject; t=y"), Fail},
		{"v=BIMI1; l=https://a.example/l.svg", &dmarc.Discovery{}, Fail},
	} {
		if got := judgeBIMI(c.text, c.d); got.Verdict != c.want {
			t.Errorf("%s: %+v", c.text, got)
		}
	}
}
