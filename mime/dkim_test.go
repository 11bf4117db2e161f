package mime

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// testKeys are made once: an RSA key takes its time.
type testKeys struct{ rsa, ed *Key }

func newTestKeys(t testing.TB) testKeys {
	t.Helper()
	k, err := rsa.GenerateKey(nil, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, e, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return testKeys{key(t, "example.com", "r2026", k), key(t, "example.com", "e2026", e)}
}

func key(t testing.TB, domain, selector string, k crypto.Signer) *Key {
	t.Helper()
	got, err := ParseKey(domain, selector, pkcs8(t, k))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func pkcs8(t testing.TB, k any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// zone answers with the TXT records it holds.
func zone(records map[string][]string) LookupTXT {
	return func(_ context.Context, name string) ([]string, error) {
		for n, all := range records {
			if strings.EqualFold(n, name) {
				return all, nil
			}
		}
		return nil, nil
	}
}

func published(keys ...*Key) LookupTXT {
	all := map[string][]string{}
	for _, k := range keys {
		all[k.Name()] = []string{k.Record()}
	}
	return zone(all)
}

func load(t testing.TB, text []byte) *Reading {
	t.Helper()
	r, err := Load(Bytes(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verify(t testing.TB, text []byte, lookup LookupTXT) *Verification {
	t.Helper()
	v, err := load(t, text).Verify(t.Context(), lookup, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// second is a verifier that is not ours.
func second(t testing.TB, text []byte, lookup LookupTXT) []*dkim.Verification {
	t.Helper()
	all, err := dkim.VerifyWithOptions(bytes.NewReader(text), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return lookup(t.Context(), name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wire is a message whose octets are given.
func wire(text []byte, needs ...string) *Message {
	return &Message{
		open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil },
		size: int64(len(text)), needs: needs,
	}
}

func oddBodies() map[string]string {
	return map[string]string{
		"no body": "-", "empty": "", "blank lines": "\r\n\r\n\r\n", "spaces alone": " \t \r\n  \r\n",
		"no last line end": "hi", "trailing blank lines": "hi\r\n\r\n\r\n\r\n", "dots": ".\r\n..\r\n.x\r\n",
		"8bit": "gr\xc3\xbc\xc3\x9fe\r\n\xff\xfe\r\n", "spaces": "  a  b\t c \t\r\n \r\nd  \r\n",
		"long": strings.Repeat("x y", 50000) + "\r\n", "long spaces": "a" + strings.Repeat(" ", 100000) + "b" + strings.Repeat(" ", 100000) + "\r\n",
		"CR at the buffer's end": strings.Repeat("x", 32<<10-1) + "\r\n" + strings.Repeat("y", 32<<10) + "\r\n",
		"many blanks":            "a" + strings.Repeat("\r\n", 40000) + "b" + strings.Repeat("\r\n", 40000),
	}
}

// TestSignVerify: what is signed passes here and with a verifier that is not ours,
// the body is as it was, and Size is right before anything was read.
func TestSignVerify(t *testing.T) {
	k := newTestKeys(t)
	lookup := published(k.rsa, k.ed)
	header := "From: =?utf-8?q?J=C3=BCrgen?= <a@example.com>\r\nTo: b@example.net,\r\n\tc@example.org\r\nSubject:  two   spaces \r\n" +
		"Received: one\r\nReceived: two\r\nMessage-ID:<1@example.com>\r\nX-Odd : x\r\n"
	for name, body := range oddBodies() {
		text := header + "\r\n" + body
		if body == "-" {
			text = header
		}
		for _, c := range []SignOptions{{}, {Header: Simple, Body: Simple}, {Header: Relaxed, Body: Simple}, {Header: Simple, Body: Relaxed}} {
			t.Run(fmt.Sprintf("%s %s/%s", name, c.Header, c.Body), func(t *testing.T) {
				m, err := Sign(wire([]byte(text)), []*Key{k.rsa, k.ed}, c)
				if err != nil {
					t.Fatal(err)
				}
				size := m.Size()
				out := read(t, m)
				if int64(len(out)) != size || !bytes.HasSuffix(out, []byte(text)) || !bytes.Equal(out, read(t, m)) {
					t.Fatalf("size %d, %d octets", size, len(out))
				}
				for line := range strings.SplitSeq(string(out[:len(out)-len(text)]), "\r\n") {
					if len(line) > 78 {
						t.Errorf("line of %d: %s", len(line), line)
					}
				}
				v := verify(t, out, lookup)
				if len(v.Signatures) != 2 || !v.Aligned || v.From != "example.com" {
					t.Fatalf("%+v", v)
				}
				for _, s := range v.Signatures {
					if s.Verdict != VerdictPass || s.Alignment != StrictAligned || len(s.Findings) > 0 {
						t.Errorf("%+v", s)
					}
				}
				if body == "-" { // the other one wants a blank line
					return
				}
				for _, s := range second(t, out, lookup) {
					if s.Err != nil {
						t.Errorf("the other verifier: %v", s.Err)
					}
				}
			})
		}
	}
}

// TestSignedElsewhere: what a signer that is not ours made passes here.
func TestSignedElsewhere(t *testing.T) {
	k := newTestKeys(t)
	for name, body := range oddBodies() {
		if body == "-" || name == "many blanks" {
			continue
		}
		for _, c := range []dkim.Canonicalization{"simple", "relaxed"} {
			for _, one := range []*Key{k.rsa, k.ed} {
				var out bytes.Buffer
				text := "From: a@example.com\r\nSubject:  x   y \r\n\r\n" + body
				if err := dkim.Sign(&out, strings.NewReader(text), &dkim.SignOptions{
					Domain: one.Domain(), Selector: one.Selector(), Signer: one.signer, HeaderCanonicalization: c, BodyCanonicalization: c,
				}); err != nil {
					t.Fatal(err)
				}
				if v := verify(t, out.Bytes(), published(one)); len(v.Signatures) != 1 || v.Signatures[0].Verdict != VerdictPass {
					t.Errorf("%s, %s: %+v", name, c, v)
				}
			}
		}
	}
}

// TestSignForms: of several forms the one that asks least is signed, as it is.
func TestSignForms(t *testing.T) {
	k := newTestKeys(t)
	file := bytes.Repeat([]byte("\x00\n\xff \t\r"), 50000)
	for _, forced := range []Encoding{AutoEncoding, EightBit, Binary} {
		m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: "gr\u00fc\u00dfe", HTML: "<p>\u5b57</p>", Encoding: forced,
			Attachments: []Attachment{{Source: Bytes(file), Name: "a.bin"}}})
		signed, err := Sign(m, []*Key{k.ed}, SignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if forms := m.Forms(); len(signed.Forms()) != 1 || !slices.Equal(signed.Needs(), forms[len(forms)-1].Needs()) {
			t.Errorf("%d forms of %d, needs %v", len(signed.Forms()), len(forms), signed.Needs())
		}
		for _, f := range signed.Forms() {
			out := read(t, f)
			if int64(len(out)) != f.Size() {
				t.Errorf("%v: size %d, %d octets", forced, f.Size(), len(out))
			}
			if f.Signatures()[0] != (Signature{"example.com", "e2026"}) || !strings.Contains(f.Summary(), "DKIM example.com (e2026)") {
				t.Error(f.Summary())
			}
			if forced == Binary {
				continue // a bare LF of its is no line end, which no file can tell
			}
			if s := second(t, out, published(k.ed)); s[0].Err != nil {
				t.Errorf("%v: %v", forced, s[0].Err)
			}
			if v := verify(t, out, published(k.ed)); v.Signatures[0].Verdict != VerdictPass {
				t.Errorf("%v: %+v", forced, v)
			}
		}
	}
}

// TestOversigned: a field that is added on the way breaks the signature.
func TestOversigned(t *testing.T) {
	k := newTestKeys(t)
	text := []byte("From: a@example.com\r\nSubject: x\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nList-Unsubscribe: <https://example.com/u>\r\n" +
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nhi\r\n")
	m, err := Sign(wire(text), []*Key{k.ed}, SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := string(read(t, m))
	for _, c := range []struct {
		add  string
		want Verdict
	}{
		{"From: x@example.com", VerdictFail}, {"Subject: y", VerdictFail}, {"To: c@example.com", VerdictFail}, {"Cc: c@example.com", VerdictFail},
		{"Reply-To: c@example.com", VerdictFail}, {"Date: x", VerdictFail}, {"List-Unsubscribe: <https://x.example>", VerdictFail},
		{"List-Unsubscribe-Post: x", VerdictFail}, {"Received: x", VerdictPass}, {"Message-ID: <1@a>", VerdictPass}, {"List-ID: <x>", VerdictPass},
	} {
		for _, changed := range []string{c.add + "\r\n" + out, strings.Replace(out, "\r\n\r\n", "\r\n"+c.add+"\r\n\r\n", 1)} {
			v := verify(t, []byte(changed), published(k.ed))
			if v.Signatures[0].Verdict != c.want {
				t.Errorf("%s: %+v", c.add, v.Signatures[0])
			}
			if (second(t, []byte(changed), published(k.ed))[0].Err == nil) != (c.want == VerdictPass) {
				t.Errorf("%s: the other verifier disagrees", c.add)
			}
		}
	}
}

func TestSignRefused(t *testing.T) {
	k := newTestKeys(t)
	good := "From: a@example.com\r\n\r\nx\r\n"
	for _, c := range []struct {
		text string
		o    SignOptions
		want string
	}{
		{"Subject: x\r\n\r\nx\r\n", SignOptions{}, "no From field"},
		{good, SignOptions{Headers: []string{"Subject"}}, "lack From"},
		{good, SignOptions{Headers: []string{"From", "X\r\nY"}}, "cannot name"},
		{good, SignOptions{Headers: []string{"From", "a;b"}}, "cannot name"},
		{good, SignOptions{Body: "nowsp"}, "simple or relaxed"},
	} {
		if _, err := Sign(wire([]byte(c.text)), []*Key{k.ed}, c.o); err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	broken := errors.New("broken")
	m := &Message{size: 10, open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(good), failing{broken})), nil
	}}
	signed, err := Sign(m, []*Key{k.ed}, SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Open(); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// endless makes a message of a header and n octets of body.
func endless(line string, n int64) *Message {
	header := "From: a@example.com\r\n\r\n"
	n = n / int64(len(line)) * int64(len(line))
	return &Message{size: int64(len(header)) + n, open: func() (io.ReadCloser, error) {
		block := strings.Repeat(line, (256<<10)/len(line))
		return io.NopCloser(io.MultiReader(strings.NewReader(header), io.LimitReader(&again4ever{block: block}, n))), nil
	}}
}

type again4ever struct {
	block string
	at    int
}

func (a *again4ever) Read(p []byte) (int, error) {
	n := copy(p, a.block[a.at:])
	a.at = (a.at + n) % len(a.block)
	return n, nil
}

// TestSignMemory: memory does not grow with a message, whatever it holds.
func TestSignMemory(t *testing.T) {
	k := newTestKeys(t)
	for _, c := range []struct {
		line string
		size int64
	}{{strings.Repeat("x", 76) + "\r\n", 200 << 20}, {"\r\n", 20 << 20}, {" \t", 20 << 20}, {"x", 20 << 20}} {
		for _, by := range []Canonicalization{Relaxed, Simple} {
			signed, err := Sign(endless(c.line, c.size), []*Key{k.rsa, k.ed}, SignOptions{Body: by})
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := signed.Open()
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
				t.Errorf("%.8q, %s: %d octets allocated", c.line, by, grown)
			}
			r.Close()
		}
	}
}

func BenchmarkSign(b *testing.B) {
	k := newTestKeys(b)
	for _, line := range []string{strings.Repeat("x", 76) + "\r\n", "some words of a text, with  spaces\r\n", "\r\n", " \t"} {
		for _, by := range []Canonicalization{Relaxed, Simple} {
			b.Run(fmt.Sprintf("%.6q/%s", line, by), func(b *testing.B) {
				b.SetBytes(16 << 20)
				for b.Loop() {
					signed, err := Sign(endless(line, 16<<20), []*Key{k.ed}, SignOptions{Body: by})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := signed.Open(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func TestVectors(t *testing.T) {
	const rsa8463 = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC" +
		"/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
	const rsa6376 = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v" +
		"/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
	lookup := zone(map[string][]string{
		"brisbane._domainkey.example.com":          {rsa6376},
		"test._domainkey.football.example.com":     {rsa8463},
		"brisbane._domainkey.football.example.com": {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
	})
	for name, n := range map[string]int{"rfc6376-a2.eml": 1, "rfc8463-a3.eml": 2} {
		text, err := os.ReadFile(filepath.Join("testdata", "dkim", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{text, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))} {
			v := verify(t, text, lookup)
			if len(v.Signatures) != n {
				t.Fatalf("%s: %+v", name, v)
			}
			for _, s := range v.Signatures {
				if s.Verdict != VerdictPass || s.Alignment == NotAligned {
					t.Errorf("%s: %+v", name, s)
				}
			}
		}
	}
}
