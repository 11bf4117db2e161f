package dmarc

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestTree(t *testing.T) {
	l, asked := serve(t, zone{
		"_dmarc.com":             {"v=DMARC1; p=none; psd=y"},
		"_dmarc.example.com":     {"v=DMARC1; p=reject"},
		"_dmarc.a.example.com":   {"v=DMARC1; p=none"},
		"_dmarc.uni.example.com": {"v=DMARC1; p=none; psd=n"},
		"_dmarc.example.net":     {"v=DMARC1; p=none", "v=DMARC1; p=reject"},
		"_dmarc.example.org":     {"v=spf1 -all", "v=DMARC1; p=reject", "v=dmarc1; p=none"},
		"_dmarc.b.bad.example":   {"v=DMARC1; p=none"},
		"_dmarc.bad.example":     {"SERVFAIL"},
		"_dmarc.h.i.j.mail.deep": {"v=DMARC1; p=none"},
	})
	for _, c := range []struct {
		domain, org string
		steps       int
		fails       bool
	}{
		{"a.b.c.d.e.f.g.h.i.j.mail.deep", "h.i.j.mail.deep", 8, false}, // the RFC's own example, of eight queries
		{"one.two.three.four.five.six.seven.eight", "one.two.three.four.five.six.seven.eight", 8, false},
		{"a.example.com", "example.com", 3, false},
		{"www.example.com", "example.com", 3, false},
		{"shop.com", "shop.com", 2, false},   // below a public suffix
		{"x.shop.com", "shop.com", 3, false}, // likewise
		{"com", "com", 1, false},             // a public suffix of itself
		{"x.uni.example.com", "uni.example.com", 2, false},
		{"uni.example.com.", "uni.example.com", 1, false},
		{"MAIL.Example.net", "mail.example.net", 3, false}, // of two records none counts
		{"mail.example.org", "example.org", 3, false},
		{"b.bad.example", "", 2, true},
		{"example", "example", 1, false},
		{"", "", 0, false},
		{strings.Repeat("a.", 126) + "b", strings.Repeat("a.", 126) + "b", 8, false}, // its own is too long a name to ask for
	} {
		w := Tree(t.Context(), l, c.domain)
		if w.Org != c.org || len(w.Steps) != c.steps || (w.Err != nil) != c.fails {
			t.Errorf("%s: %q after %d steps, %v", c.domain, w.Org, len(w.Steps), w.Err)
		}
	}
	if got := asked()[:8]; got[1] != "_dmarc.f.g.h.i.j.mail.deep" || got[7] != "_dmarc.deep" {
		t.Errorf("asked for %q", got)
	}
	if s := Tree(t.Context(), l, "example.org").Steps[0]; s.Count != 1 || len(s.Near) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestTargets(t *testing.T) {
	got := targets("a.b.c.d.e.f.g.h.i.j.mail.example.com")
	want := "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com " +
		"j.mail.example.com mail.example.com example.com com"
	if strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
}

func TestDiscover(t *testing.T) {
	l, _ := serve(t, zone{
		"_dmarc.example.com":          {"v=DMARC1; p=reject; sp=quarantine; np=none"},
		"there.example.com":           {"x"},
		"_dmarc.own.example.com":      {"v=DMARC1; p=none; sp=reject"},
		"_dmarc.test.example":         {"v=DMARC1; p=reject; sp=quarantine; t=y"},
		"_dmarc.bank":                 {"v=DMARC1; p=reject; np=quarantine; psd=y"},
		"_dmarc.in.shop.bank":         {"v=DMARC1; p=none"},
		"_dmarc.void.example":         {"v=DMARC1; p=nonsense"},
		"_dmarc.half.example":         {"v=DMARC1; p=nonsense; rua=mailto:a@half.example"},
		"_dmarc.down.example":         {"SERVFAIL"},
		"_dmarc.np.example":           {"v=DMARC1; p=reject; np=none"},
		"gone.np.example":             {"SERVFAIL"},
		"_dmarc.own.down.example":     {"v=DMARC1; p=quarantine"},
		"_dmarc.d.e.f.g.h.i.j.k.deep": {"v=DMARC1; p=quarantine; psd=n"},
	})
	for _, c := range []struct{ domain, want string }{
		{"example.com", "author example.com p=reject/reject"},
		{"Own.example.com", "author own.example.com p=none/none"},
		{"there.example.com", "organisation example.com sp=quarantine/quarantine"},
		{"gone.example.com", "organisation example.com np=none/none absent"},
		{"test.example", "author test.example p=reject/quarantine"},
		{"www.test.example", "organisation test.example sp=quarantine/none"},
		{"nowhere.bank", "public-suffix bank np=quarantine/quarantine absent"},
		{"x.in.shop.bank", "public-suffix bank np=quarantine/quarantine absent"}, // the organisation is shop.bank, and has no record
		{"void.example", "author void.example =/"},
		{"half.example", "author half.example p=none/none"},
		{"down.example", " =/ error"},
		{"gone.np.example", "organisation np.example =/ error"},
		{"own.down.example", "author own.down.example p=quarantine/quarantine"}, // the parent need not answer
		{"a.b.c.d.e.f.g.h.i.j.k.deep", " =/"},                                   // one of its parents is never asked
		{"none.test", " =/"},
		{"", " =/"},
	} {
		d := Discover(t.Context(), l, c.domain)
		got := fmt.Sprintf("%s %s", d.Source, d.At)
		got = fmt.Sprintf("%s %s=%s/%s", strings.TrimSpace(got), d.Tag, d.Policy, d.Requested)
		if d.Absent {
			got += " absent"
		}
		if d.Err != nil {
			got += " error"
		}
		if got != c.want || d.Applies() != (d.Policy != "") {
			t.Errorf("%s: %q, not %q", c.domain, got, c.want)
		}
	}
}

func TestEvaluate(t *testing.T) {
	l, _ := serve(t, zone{
		"_dmarc.example.com":      {"v=DMARC1; p=reject; sp=quarantine"},
		"mail.example.com":        {"x"},
		"_dmarc.strict.example":   {"v=DMARC1; p=reject; adkim=s; aspf=s"},
		"_dmarc.uni.example.com":  {"v=DMARC1; p=none; psd=n"},
		"_dmarc.void.example":     {"v=DMARC1"},
		"_dmarc.lost.example.com": {"SERVFAIL"},
		"_dmarc.down.example":     {"SERVFAIL"},
		"_dmarc.ok.down.example":  {"v=DMARC1; p=reject"},
		"_dmarc.test.example":     {"v=DMARC1; p=reject; t=y"},
		"_dmarc.mail.bank.co":     {"v=DMARC1; p=reject"},
		"_dmarc.co":               {"v=DMARC1; p=reject; psd=y"},
		"_dmarc.lookalike.co":     {"v=DMARC1; p=none"},
		"_dmarc.xn--bcher-kva.de": {"v=DMARC1; p=reject"},
	})
	for _, c := range []struct {
		from, spf, dkim string // "domain result"
		want            Result
	}{
		{"example.com", "example.com pass", "", Pass},
		{"example.com", "Bounce.Example.com. pass", "", Pass},
		{"example.com", "example.com fail", "mail.example.com pass", Pass},
		{"mail.example.com", "other.example.com pass", "", Pass},
		{"example.com", "example.net pass", "example.net pass", Fail},
		{"example.com", "com pass", "com pass", Fail},
		{"example.com", "badexample.com pass", "", Fail},
		{"example.com", "", "", Fail},
		{"example.com", " none", "", Fail},
		{"example.com", "example.com softfail", "example.com permerror", Fail},
		{"example.com", "example.com temperror", "", TempError},
		{"example.com", "example.com temperror", "example.com pass", Pass},
		{"example.com", "example.net temperror", "", Fail}, // it would not have been aligned
		{"example.com", "lost.example.com pass", "", TempError},
		{"example.com", "lost.example.com pass", "example.com pass", Pass},
		{"example.com", "down.example pass", "", Fail},    // whatever its organisation is, it is another
		{"example.com", "uni.example.com pass", "", Fail}, // an organisation of its own
		{"uni.example.com", "x.uni.example.com pass", "", Pass},
		{"uni.example.com", "example.com pass", "", Fail},
		{"strict.example", "strict.example pass", "", Pass},
		{"strict.example", "www.strict.example pass", "www.strict.example pass", Fail},
		{"ok.down.example", "ok.down.example pass", "", Pass}, // equal: no walk is needed
		{"ok.down.example", "x.ok.down.example pass", "", TempError},
		{"down.example", "down.example pass", "", TempError},
		{"void.example", "void.example pass", "", PermError},
		{"nothing.example", "nothing.example pass", "", NoPolicy},
		{"", "example.com pass", "", PermError},
		{"bank.co", "lookalike.co pass", "", Fail}, // public suffixes say so
		{"mail.bank.co", "bank.co pass", "", Pass},
		{"XN--BCHER-KVA.de", "www.xn--bcher-kva.de pass", "", Pass},
	} {
		m := Message{From: c.from}
		add := func(to *[]Authenticated, s string) {
			if domain, result, ok := strings.Cut(s, " "); ok {
				*to = append(*to, Authenticated{domain, result})
			}
		}
		add(&m.SPF, c.spf)
		add(&m.DKIM, c.dkim)
		v := Evaluate(t.Context(), l, m)
		if v.Result != c.want || v.Why == "" || len(v.Trace) == 0 {
			t.Errorf("%s, spf %s, dkim %s: %s, not %s\n%s", c.from, c.spf, c.dkim, v.Result, c.want, strings.Join(v.Trace, "\n"))
		}
	}
}

// TestEvaluateLiteral wants no question for a domain that cannot be in the DNS.
func TestEvaluateLiteral(t *testing.T) {
	l, asked := serve(t, zone{})
	for _, from := range []string{"[192.0.2.1]", "[IPv6:2001:db8::1]"} {
		v := Evaluate(t.Context(), l, Message{From: from, SPF: []Authenticated{{"example.com", "pass"}}, DKIM: []Authenticated{{"example.com", "pass"}}})
		if v.Result != NoPolicy || v.Discovery.Applies() || len(v.Identifiers) != 0 || !strings.Contains(v.Why, strings.ToLower(from)) {
			t.Errorf("%s: %+v", from, v)
		}
	}
	if len(asked()) > 0 {
		t.Errorf("asked for %q", asked())
	}
}

func TestEvaluateTrace(t *testing.T) {
	l, asked := serve(t, zone{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=quarantine; t=y"}, "www.example.com": {"x"}})
	v := Evaluate(t.Context(), l, Message{From: "www.example.com",
		SPF: []Authenticated{{"example.net", "pass"}}, DKIM: []Authenticated{{"example.com", "fail"}}})
	want := `_dmarc.www.example.com: no record
_dmarc.example.com: v=DMARC1; p=reject; sp=quarantine; t=y
_dmarc.com: no record
spf pass for example.net: not aligned: it is not within example.com, the organisation of www.example.com
dkim fail for example.com: only a pass counts
fail: neither SPF nor DKIM passes for a domain that is aligned with www.example.com
sp=quarantine of example.com applies, and t=y asks for none`
	if got := strings.Join(v.Trace, "\n"); got != want {
		t.Error(got)
	}
	if n := len(asked()); n > 6 {
		t.Errorf("%d queries: %q", n, asked())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v := Evaluate(ctx, l, Message{From: "new.example"}); v.Result != TempError {
		t.Errorf("stopped: %s", v.Result)
	}
}

func TestAuthorise(t *testing.T) {
	l, _ := serve(t, zone{
		"_dmarc.example.com":                          {"v=DMARC1; p=none"},
		"example.com._report._dmarc.agreed.example":   {"x", "v=DMARC1"},
		"example.com._report._dmarc.other.example":    {"v=DMARC1; rua=mailto:in@other.example"},
		"example.com._report._dmarc.astray.example":   {"v=DMARC1;rua=mailto:in@elsewhere.example"},
		"example.com._report._dmarc.refusing.example": {"v=spf1 -all"},
		"example.com._report._dmarc.down.example":     {"SERVFAIL"},
		"_dmarc.lost.example":                         {"SERVFAIL"},
	})
	for _, c := range []struct{ uri, want string }{
		{"mailto:a@example.com", "false false false"}, {"mailto:a@in.example.com", "false false false"},
		{"mailto:a@agreed.example", "true true false"}, {"mailto:a@silent.example", "true false false"},
		{"mailto:a@other.example", "true true false"}, {"mailto:a@astray.example", "true true true"},
		{"mailto:a@refusing.example", "true false false"}, {"mailto:a@down.example", "true false false error"},
		{"mailto:a@lost.example", "false false false error"}, {"urn:x", "false false false"},
	} {
		u, why := parseURI(c.uri)
		if why != "" {
			t.Fatal(c.uri, why)
		}
		a := Authorise(t.Context(), l, "Example.com", u)
		got := fmt.Sprint(a.External, a.Agreed, a.Astray())
		if a.Err != nil {
			got += " error"
		}
		if got != c.want {
			t.Errorf("%s: %s %+v", c.uri, got, a)
		}
	}
}
