package check

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/mime"
)

// TestJudgeSignature: each verdict that is not good has its fix, and nothing foreign stands in
// one that is to be pasted.
func TestJudgeSignature(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	before, after := now.Add(-time.Hour), now.Add(time.Hour)
	finding := func(id string, level mime.Level) []mime.Finding {
		return []mime.Finding{{ID: id, Level: level, Text: id}}
	}
	for _, c := range []struct {
		name     string
		sig      mime.SignatureVerdict
		want     Verdict
		fix, not string
	}{
		{"passes", mime.SignatureVerdict{Verdict: mime.VerdictPass}, Pass, "", ""},
		{"leaves open", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-length", mime.Fail)}, Fail, "without l=", ""},
		{"testing", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-testing", mime.Warn)}, Warn, "t=y", ""},
		{"future", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-future", mime.Warn)}, Warn, "clock", ""},
		{"more records", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-more-records", mime.Warn)}, Warn, "other TXT records", ""},
		{"short", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-short-key", mime.Warn)}, Warn, "2048", ""},
		{"unsigned", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-unsigned-fields", mime.Warn)}, Warn, "h=", ""},
		{"worth knowing", mime.SignatureVerdict{Verdict: mime.VerdictPass, Findings: finding("dkim-unsigned-fields", mime.Info)}, Pass, "", ""},
		{"expired", mime.SignatureVerdict{Verdict: mime.VerdictFail, Expires: &before, Reason: "it expired"}, Fail, "anew", "changes"},
		{"changed", mime.SignatureVerdict{Verdict: mime.VerdictFail, Expires: &after, Domain: "a.test", Selector: "s1"}, Fail, "ehlo check a.test --only dkim-key --selector s1", "anew"},
		{"no key", mime.SignatureVerdict{Verdict: mime.VerdictPermError, Domain: "a.test", Selector: "s1"}, Fail, "ehlo check a.test --only dkim-key --selector s1", ""},
		{"foreign selector", mime.SignatureVerdict{Verdict: mime.VerdictPermError, Domain: "a.test", Selector: "x;id"}, Fail, "SELECTOR", ";id"},
		{"foreign domain", mime.SignatureVerdict{Verdict: mime.VerdictPermError, Domain: "$(id)", Selector: "x"}, Fail, "DOMAIN", "$("},
		{"no answer", mime.SignatureVerdict{Verdict: mime.VerdictTempError}, Error, "later", ""},
	} {
		r := judgeSignature(c.sig, now)
		if r.Verdict != c.want || !strings.Contains(r.Fix, c.fix) || (c.fix == "") != (r.Fix == "") || c.not != "" && strings.Contains(r.Fix, c.not) {
			t.Errorf("%s: %s, fix %q", c.name, r.Verdict, r.Fix)
		}
	}
}

// TestBacking: what every receiver counts goes before SPF of a sender that is assumed, and that
// before what they differ on.
func TestBacking(t *testing.T) {
	signatures := map[string]mime.SignatureVerdict{
		"rsa": {Algorithm: "rsa-sha256"}, "ed": {Algorithm: "ed25519-sha256"},
		"test": {Algorithm: "rsa-sha256", Findings: []mime.Finding{{ID: "dkim-testing"}}},
	}
	for _, c := range []struct{ found, mailFrom, want string }{
		{"", "", "none"}, {"spf-", "", "none"}, {"rsa-", "", "none"},
		{"rsa", "", "sure"}, {"ed", "", "doubted"}, {"test", "", "doubted"}, {"ed rsa", "", "sure"}, {"rsa- ed", "", "doubted"}, {"ed rsa-", "", "doubted"},
		{"spf", "", "assumed"}, {"spf", "a@b.test", "sure"}, {"spf ed", "", "assumed"}, {"spf rsa", "", "sure"}, {"spf- test", "", "doubted"},
	} {
		s := &Subject{Options: Options{MailFrom: c.mailFrom}}
		v, found := &dmarc.Verdict{}, &mime.Verification{Author: "a@b.test"}
		for word := range strings.FieldsSeq(c.found) {
			name, fails := strings.CutSuffix(word, "-")
			id := dmarc.Identifier{Method: "spf", Result: "pass", Aligned: !fails}
			if name != "spf" {
				id.Method = "dkim"
				found.Signatures = append(found.Signatures, signatures[name])
			}
			v.Identifiers = append(v.Identifiers, id)
		}
		got := "sure"
		switch b := s.backing(v, found); {
		case !b.aligned:
			got = "none"
		case b.doubt != "":
			got = "doubted"
		case b.assumed:
			got = "assumed"
		}
		if got != c.want {
			t.Errorf("%s, sender %q: %s, want %s", c.found, c.mailFrom, got, c.want)
		}
	}
}

func TestLacksForSPF(t *testing.T) {
	path, null := "b@c.test", ""
	ip := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		o      Options
		author string
		path   *string
		want   string
	}{
		{Options{}, "a@b.test", nil, "--ip"},
		{Options{IP: ip}, "a@b.test", nil, ""},
		{Options{IP: ip}, "", nil, "--mail-from"},
		{Options{IP: ip, HELO: "h.test"}, "", nil, "--mail-from"},
		{Options{IP: ip}, "", &path, ""},
		{Options{IP: ip}, "a@b.test", &null, "--helo"},
		{Options{IP: ip, MailFrom: "<>"}, "a@b.test", nil, "--helo"},
		{Options{IP: ip, MailFrom: "<>", HELO: "h.test"}, "a@b.test", nil, ""},
		{Options{IP: ip, MailFrom: "c@d.test"}, "", nil, ""},
	} {
		s := &Subject{Options: c.o}
		if got := s.lacksForSPF(&mime.Verification{Author: c.author, ReturnPath: c.path}); got != c.want {
			t.Errorf("%+v, author %q: %q, want %q", c.o, c.author, got, c.want)
		}
	}
}
