package mime

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

const letter = "From: Alice <alice@mail.example.com>\r\nTo: b@example.net\r\nSubject: x\r\n\r\nhi\r\nthere\r\n"

// signedLetter is letter signed by k, with the tags of its signature replaced
// before it is signed.
func signedLetter(t testing.TB, k *Key, replace ...string) string {
	t.Helper()
	r := newLineReader(strings.NewReader(letter))
	fields, err := rawHeader(r)
	if err != nil {
		t.Fatal(err)
	}
	sum := newBodyHash(Relaxed, sha256.New(), -1)
	for p, err := r.next(); err == nil; p, err = r.next() {
		sum.add(p)
	}
	s := &signing{keys: []*Key{k}, o: SignOptions{Header: Relaxed, Body: Relaxed, Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)},
		fields: fields, names: []string{"From", "To", "Subject"}}
	body := sum.sum()
	text := strings.NewReplacer(replace...).Replace(s.field(k, body, nil))
	names := s.names
	if !strings.Contains(text, "h=From:To:Subject") {
		names = names[:0]
	}
	signature, err := k.sign(headerHash(sha256.New(), Relaxed, fields, names, text))
	if err != nil {
		t.Fatal(err)
	}
	b := s.field(k, body, signature)
	return strings.TrimSuffix(text, "\r\n") + b[strings.LastIndex(b, "b=")+2:] + letter
}

func TestVerifyVerdicts(t *testing.T) {
	k := newTestKeys(t)
	down := errors.New("timed out")
	one := published(k.ed)
	with := func(more string) LookupTXT {
		return zone(map[string][]string{k.ed.Name(): {k.ed.Record() + "; " + more}})
	}
	for _, c := range []struct {
		name, text string
		lookup     LookupTXT
		want       Verdict
		reason     string
	}{
		{"good", signedLetter(t, k.ed), one, VerdictPass, ""},
		{"body", signedLetter(t, k.ed) + "x\r\n", one, VerdictFail, "body was changed"},
		{"header", strings.Replace(signedLetter(t, k.ed), "Subject: x", "Subject: y", 1), one, VerdictFail, "not the key's"},
		{"no key", signedLetter(t, k.ed), zone(nil), VerdictPermError, "no key is published"},
		{"revoked", signedLetter(t, k.ed), zone(map[string][]string{k.ed.Name(): {"v=DKIM1; p="}}), VerdictPermError, "revoked"},
		{"DNS down", signedLetter(t, k.ed), func(context.Context, string) ([]string, error) { return nil, down }, VerdictTempError, "timed out"},
		{"another key", signedLetter(t, k.ed), zone(map[string][]string{k.ed.Name(): {newTestKeys(t).ed.Record()}}), VerdictFail, "not the key's"},
		{"another kind", signedLetter(t, k.ed), zone(map[string][]string{k.ed.Name(): {k.rsa.Record()}}), VerdictPermError, "kind"},
		{"sha1 key", signedLetter(t, k.ed), with("h=sha1"), VerdictPermError, "does not allow sha256"},
		{"not mail", signedLetter(t, k.ed), with("s=tlsrpt"), VerdictPermError, "does not allow mail"},
		{"strict", signedLetter(t, k.ed, "d=example.com;", "d=example.com; i=@mail.example.com;"), with("t=s"), VerdictPermError, "t=s"},
		{"identity", signedLetter(t, k.ed, "d=example.com;", "d=example.com; i=x@Mail.Example.com;"), one, VerdictPass, ""},
		{"foreign identity", signedLetter(t, k.ed, "d=example.com;", "d=example.com; i=x@badexample.com;"), one, VerdictPermError, "not within"},
		{"expired", signedLetter(t, k.ed, "d=example.com;", "d=example.com; x=1795000000;"), one, VerdictPermError, "before it was made"},
		{"sha1", signedLetter(t, k.ed, "ed25519-sha256", "rsa-sha1"), one, VerdictPermError, "SHA-1"},
		{"unknown", signedLetter(t, k.ed, "ed25519-sha256", "dsa-sha512"), one, VerdictPermError, "dsa-sha512"},
		{"version", signedLetter(t, k.ed, "v=1", "v=2"), one, VerdictPermError, "v="},
		{"no From", signedLetter(t, k.ed, "h=From:To:Subject", "h=To"), one, VerdictPermError, "From"},
		{"doubled tag", signedLetter(t, k.ed, "v=1;", "v=1; d=a;"), one, VerdictPermError, "twice"},
		{"query", signedLetter(t, k.ed, "v=1;", "v=1; q=http;"), one, VerdictPermError, "q="},
		{"canonicalization", signedLetter(t, k.ed, "relaxed/relaxed", "nowsp"), one, VerdictPermError, "nowsp"},
		{"domain", signedLetter(t, k.ed, "d=example.com;", "d=exa mple..com;"), one, VerdictPermError, "DKIM domain"},
		{"b= elsewhere", signedLetter(t, k.ed, "v=1;", "v=1; z=Subject:b=20x|To:b= y; xb=b=;"), one, VerdictPass, ""},
		{"length", signedLetter(t, k.ed, "v=1;", "v=1; l=11;"), one, VerdictPass, ""},
		{"length, added to", signedLetter(t, k.ed, "v=1;", "v=1; l=11;") + "more\r\n", one, VerdictPass, ""},
		{"length of more", signedLetter(t, k.ed, "v=1;", "v=1; l=110;"), one, VerdictPermError, "l=110"},
		{"length of nonsense", signedLetter(t, k.ed, "v=1;", "v=1; l=-1;"), one, VerdictPermError, "l="},
		{"LF", strings.ReplaceAll(signedLetter(t, k.ed), "\r", ""), one, VerdictPass, ""},
		{"empty", "DKIM-Signature:\r\n" + letter, one, VerdictPermError, "v="},
		{"garbage", "DKIM-Signature: \xff\x00;;=\r\n" + letter, one, VerdictPermError, "malformed"},
	} {
		v := verify(t, []byte(c.text), c.lookup)
		s := v.Signatures[0]
		if s.Verdict != c.want || !strings.Contains(s.Reason, c.reason) || (c.reason == "") != (s.Reason == "") {
			t.Errorf("%s: %s %s", c.name, s.Verdict, s.Reason)
		}
		if v.Aligned != (c.want == VerdictPass && c.name != "length, added to") { // that says nothing of what was added
			t.Errorf("%s: aligned %v", c.name, v.Aligned)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestVerifyTimes(t *testing.T) {
	k := newTestKeys(t)
	text := signedLetter(t, k.ed, "d=example.com;", "d=example.com; x=1800000000;")
	for at, want := range map[int64]Verdict{1799999999: VerdictPass, 1800000001: VerdictFail} {
		v, err := load(t, []byte(text)).Verify(t.Context(), published(k.ed), time.Unix(at, 0))
		if err != nil || v.Signatures[0].Verdict != want {
			t.Errorf("%d: %v %+v", at, err, v)
		}
	}
}

func ids(all []Finding) string {
	var ids []string
	for _, f := range all {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

func TestVerifyFindings(t *testing.T) {
	k := newTestKeys(t)
	r, err := rsa.GenerateKey(nil, 1024)
	if err != nil {
		t.Fatal(err)
	}
	short := key(t, "example.com", "short", r)
	for _, c := range []struct{ name, text, want string }{
		{"good", signedLetter(t, k.ed), ""},
		{"length", signedLetter(t, k.ed, "v=1;", "v=1; l=11;"), "dkim-length"},
		{"short key", signedLetter(t, short), "dkim-short-key"},
		{"future", signedLetter(t, k.ed, "t=1795305600", "t=99999999999"), "dkim-future"},
		{"unsigned", "Date: x\r\n" + signedLetter(t, k.ed), "dkim-unsigned-fields"},
		{"added From", "From: x@example.org\r\n" + signedLetter(t, k.ed), "dkim-added-from"},
	} {
		v := verify(t, []byte(c.text), published(k.ed, short))
		if got := ids(v.Signatures[0].Findings); v.Signatures[0].Verdict != VerdictPass || got != c.want {
			t.Errorf("%s: %s, %+v", c.name, got, v.Signatures[0])
		}
	}
	for _, c := range []struct{ text, from, want string }{
		{"From: a@B\u00fccher.example\r\n\r\n", "xn--bcher-kva.example", ""},
		{"From: =?iso-8859-1?q?J=FCrgen?= <a@b.example>, c@b.example\r\n\r\n", "b.example", ""},
		{"From: a@b.example, c@d.example\r\n\r\n", "", "from-domains"},
		{"From: a@b.example\r\nFrom: a@b.example\r\n\r\n", "", "doubled-from"},
		{"From: <<\r\n\r\n", "", "bad-from"},
		{"From: =?x-unknown?q?J=FCrgen?= <a@b.example>\r\n\r\n", "b.example", ""},
		{"Subject: x\r\n\r\n", "", "no-from"},
		{strings.Repeat("DKIM-Signature: x\r\n", 12) + "From: a@b.example\r\n\r\n", "b.example", "many-signatures"},
	} {
		v := verify(t, []byte(c.text), zone(nil))
		if v.From != c.from || ids(v.Findings) != c.want {
			t.Errorf("%.60q: %+v", c.text, v)
		}
	}
}

// TestVerifyUnsigned: what readers go by is a warning, the rest is worth knowing.
func TestVerifyUnsigned(t *testing.T) {
	k := newTestKeys(t)
	for added, want := range map[string]Level{"": "", "Date: x\r\n": Warn, "Subject: y\r\n": Warn, "Cc: c@example.net\r\n": Info, "Message-ID: <1@b>\r\n": ""} {
		v := verify(t, []byte(added+signedLetter(t, k.ed)), published(k.ed))
		var level Level
		for _, f := range v.Signatures[0].Findings {
			level = f.Level
		}
		if level != want || !v.Signatures[0].Sound() {
			t.Errorf("%q: %+v, want level %q", added, v.Signatures[0], want)
		}
	}
}

// TestKeyFindings: the published record is told of by whoever asks for it: for a selector, by
// a signature, before signing.
func TestKeyFindings(t *testing.T) {
	k := newTestKeys(t)
	for _, c := range []struct {
		name string
		txt  []string
		want string
	}{
		{"good", []string{k.ed.Record()}, ""},
		{"testing", []string{k.ed.Record() + "; t=y"}, "dkim-testing"},
		{"beside another text", []string{k.ed.Record(), "v=spf1 -all"}, "dkim-more-records"},
		{"both", []string{"x", k.ed.Record() + "; t=s:y"}, "dkim-testing dkim-more-records"},
	} {
		lookup := zone(map[string][]string{k.ed.Name(): c.txt})
		_, judged, err := JudgeKey(t.Context(), lookup, k.ed.Domain(), k.ed.Selector())
		if err != nil || ids(judged) != c.want {
			t.Errorf("%s: %v %+v", c.name, err, judged)
		}
		v := verify(t, []byte(signedLetter(t, k.ed)), lookup)
		if s := v.Signatures[0]; s.Verdict != VerdictPass || ids(s.Findings) != c.want {
			t.Errorf("%s: %+v", c.name, s)
		}
		for _, f := range judged {
			if f.Level != Warn {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
	two := zone(map[string][]string{k.ed.Name(): {k.ed.Record(), k.rsa.Record()}})
	if _, all, err := JudgeKey(t.Context(), two, k.ed.Domain(), k.ed.Selector()); err != nil || ids(all) != "dkim-several-records" {
		t.Errorf("two keys: %v %+v", err, all)
	}
}

func TestAlign(t *testing.T) {
	for _, c := range []struct {
		domain, from string
		want         Alignment
	}{
		{"example.com", "example.com", StrictAligned}, {"EXAMPLE.com", "example.COM", StrictAligned},
		{"mail.example.com", "example.com", RelaxedAligned}, {"a.example.co.uk", "b.example.co.uk", RelaxedAligned},
		{"a.co.uk", "b.co.uk", NotAligned}, {"example.com", "example.net", NotAligned}, {"badexample.com", "example.com", NotAligned},
		{"com", "example.com", NotAligned}, {"", "", NotAligned}, {"co.uk", "co.uk", StrictAligned},
	} {
		if got := Align(c.domain, c.from); got != c.want {
			t.Errorf("%s, %s: %s", c.domain, c.from, got)
		}
	}
}

func TestARC(t *testing.T) {
	v := verify(t, []byte("ARC-Seal: i=2; a=rsa-sha256; cv=pass; d=b.example; s=s2; b=x\r\nARC-Authentication-Results: i=2; b.example;\r\n dkim=pass\r\n"+
		"ARC-Seal: i=1; cv=none; d=a.example; s=s1\r\n"+letter), zone(nil))
	if len(v.ARC) != 2 || v.ARC[0] != (ARCSet{"2", "b.example", "s2", "pass", "b.example; dkim=pass"}) || v.ARC[1].Chain != "none" {
		t.Errorf("%+v", v.ARC)
	}
}

// FuzzVerify: whatever comes, there is a verdict on each signature and nothing passes
// that no published key made.
func FuzzVerify(f *testing.F) {
	k := newTestKeys(f)
	c := mutate.For(f)
	c.Add([]byte(signedLetter(f, k.ed)), k.ed.Record())
	c.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=a.b; s=c; h=From; bh=; b=\r\n"+letter), "v=DKIM1; p=")
	_, unused, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	never := key(f, "example.com", "never", unused).Record()
	c.Tokens("\r\n", "DKIM-Signature: ", "v=1;", "a=ed25519-sha256;", "a=rsa-sha256;", "c=relaxed/", "simple", "d=", "s=", "h=From:", "l=0;", "t=1;", "x=2;", "bh=", "b=", "i=@",
		"q=dns/txt;", "From: a@b\r\n", "k=rsa;", "k=ed25519;", "p=", "h=sha256;", "s=email;", "t=y:s;", ";")
	mutate.Fuzz2(c, func(t testing.TB, text []byte, record string) {
		for _, txt := range []string{record, never} {
			v, err := load(t, text).Verify(t.Context(), func(context.Context, string) ([]string, error) { return []string{txt}, nil }, time.Time{})
			if err != nil {
				continue
			}
			for _, s := range v.Signatures {
				if s.Verdict == "" || (s.Reason == "") != (s.Verdict == VerdictPass) {
					t.Fatalf("%+v", s)
				}
				if s.Verdict == VerdictPass && txt == never {
					t.Fatalf("passes: %+v", s)
				}
			}
			if _, err := json.Marshal(v); err != nil {
				t.Fatal(err)
			}
		}
	})
}
