package policy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

// record reads what tlsa gives.
func record(t testing.TB, text string) route.TLSA {
	t.Helper()
	var r route.TLSA
	var data string
	if _, err := fmt.Sscanf(text, "%d %d %d %s", &r.Usage, &r.Selector, &r.Matching, &data); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.Data, err = hex.DecodeString(data); err != nil {
		t.Fatal(err)
	}
	return r
}

// host is mx.good.test of good.test with records, as FindDANE finds it.
func host(t testing.TB, records ...string) *DANE {
	t.Helper()
	var found []route.TLSA
	for _, text := range records {
		found = append(found, record(t, text))
	}
	d := &DANE{Query: Query{Host: "mx.good.test", Port: 25, Domain: "good.test", Signed: true}, Base: "mx.good.test",
		Names: []string{"mx.good.test", "good.test"}, Records: judge(found), State: Unusable, Server: "127.0.0.1:53"}
	if len(d.Usable()) > 0 {
		d.State = Usable
	}
	return d
}

// told is a verdict's lines, each with its mark.
func told(v Verdict) string {
	var b strings.Builder
	for _, l := range v.Lines {
		mark := "✗"
		if l.OK {
			mark = "✓"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", mark, l.Check, l.Text)
	}
	return b.String()
}

// Every usage, selector and matching type that SMTP knows, and what each takes.
func TestVerifyEveryKind(t *testing.T) {
	root := authorityCert(t, "root", nil)
	ca := authorityCert(t, "ca", root)
	leaf := leafCert(t, "mx.good.test", ca)
	other := leafCert(t, "mx.good.test", ca)
	self := leafCert(t, "mx.good.test", nil)
	late := leafCert(t, "mx.other.test", ca, expired)
	lateSelf := leafCert(t, "mx.other.test", nil, expired)
	strange := authorityCert(t, "ca", nil) // of the same name, with another key
	for _, selector := range []uint8{selectCert, selectSPKI} {
		for _, matching := range []uint8{matchFull, matchSHA256, matchSHA512} {
			full := matching == matchFull
			for _, tt := range []struct {
				what  string
				usage uint8
				of    *issued
				sent  []*issued
				want  bool
			}{
				{"the server's own", daneEE, leaf, []*issued{leaf, ca}, true},
				{"alone", daneEE, leaf, []*issued{leaf}, true},
				{"self-signed", daneEE, self, []*issued{self}, true},
				{"another name, expired", daneEE, late, []*issued{late}, true},
				{"self-signed, another name, expired", daneEE, lateSelf, []*issued{lateSelf}, true},
				{"another key", daneEE, other, []*issued{leaf, ca}, false},
				{"its authority's", daneEE, ca, []*issued{leaf, ca}, false},
				{"authority", daneTA, ca, []*issued{leaf, ca}, true},
				{"root", daneTA, root, []*issued{leaf, ca, root}, true},
				{"root, out of order", daneTA, root, []*issued{leaf, root, ca}, true},
				{"authority under another certificate", daneTA, ca, []*issued{leaf, strange, ca}, true},
				{"authority not sent", daneTA, ca, []*issued{leaf}, full},
				{"root not sent", daneTA, root, []*issued{leaf, ca}, full},
				{"neither root nor authority sent", daneTA, root, []*issued{leaf}, false},
				{"authority that signed nothing", daneTA, strange, []*issued{leaf, strange}, false},
				{"authority that signed nothing, not sent", daneTA, strange, []*issued{leaf, ca}, false},
				{"the server's own as authority", daneTA, self, []*issued{self}, false},
				{"the server's own as authority, twice", daneTA, self, []*issued{self, self}, false},
				{"expired, another name, under an authority", daneTA, ca, []*issued{late, ca}, false},
			} {
				d := host(t, tlsa(t, tt.usage, selector, matching, tt.of))
				sent := shown(t, tt.sent...)
				v := d.Verify(sent, noon())
				if got := v.State == Match; got != tt.want || d.State != Usable {
					t.Errorf("%d %d %d %s: %v\n%s", tt.usage, selector, matching, tt.what, v.State, told(v))
				}
				if allOK(v.Lines) != (v.State == Match) {
					t.Errorf("%d %d %d %s: %v with\n%s", tt.usage, selector, matching, tt.what, v.State, told(v))
				}
				for _, w := range v.Would {
					if host(t, Long(w)).Verify(sent, noon()).State != Match {
						t.Errorf("%d %d %d %s: %s would not match", tt.usage, selector, matching, tt.what, Long(w))
					}
				}
			}
		}
	}
}

// What a person is told.
func TestVerifyLines(t *testing.T) {
	root := authorityCert(t, "root", nil)
	ca := authorityCert(t, "ca", root)
	leaf := leafCert(t, "mx.good.test", ca)
	next := leafCert(t, "mx.good.test", ca)
	self := leafCert(t, "mx.good.test", nil)
	wrong := leafCert(t, "x", ca, names("a.test", "b.test"))
	unnamed := leafCert(t, "mx.good.test", ca, names())
	domain := leafCert(t, "x", ca, names("*.test"))
	late := leafCert(t, "mx.good.test", ca, expired)
	lateCA := authorityCert(t, "late ca", root, expired)
	underLate := leafCert(t, "mx.good.test", lateCA)
	client := leafCert(t, "mx.good.test", ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	noCA := leafCert(t, "no ca", ca)
	underLeaf := leafCert(t, "mx.good.test", noCA)
	for _, tt := range []struct {
		name    string
		records []string
		sent    []*issued
		want    string
	}{
		{"match", []string{tlsa(t, 3, 1, 1, leaf)}, []*issued{leaf, ca}, `
			✓ dane: 3 1 1 LEAF matches certificate 0, by its key; its names and dates do not count`},
		{"mismatch", []string{tlsa(t, 3, 1, 1, next)}, []*issued{leaf, ca}, `
			✗ dane: 3 1 1 NEXT does not match certificate 0: its key is LEAF
			✗ dane: this one would match: 3 1 1 LEAF-WHOLE`},
		{"mismatch, in full", []string{tlsa(t, 3, 1, 0, next)}, []*issued{leaf}, `
			✗ dane: 3 1 0 30593013… does not match certificate 0: its key is LEAF
			✗ dane: this one would match: 3 1 1 LEAF-WHOLE`},
		{"roll-over", []string{tlsa(t, 3, 1, 1, next), tlsa(t, 3, 1, 1, leaf)}, []*issued{leaf, ca}, `
			✓ dane: 3 1 1 LEAF matches certificate 0, by its key; its names and dates do not count
			✓ dane: 3 1 1 NEXT for a key to come, or gone: a roll-over (RFC 7671 section 8)`},
		{"server and authority", []string{tlsa(t, 2, 1, 1, ca), tlsa(t, 3, 1, 1, leaf)}, []*issued{leaf, ca}, `
			✓ dane: 3 1 1 LEAF matches certificate 0, by its key; its names and dates do not count`},
		{"server and another authority", []string{tlsa(t, 2, 1, 1, self), tlsa(t, 3, 1, 1, leaf)}, []*issued{leaf, ca}, `
			✓ dane: 3 1 1 LEAF matches certificate 0, by its key; its names and dates do not count
			✓ dane: 2 1 1 SELF without a match here, which does no harm`},
		{"authority", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{leaf, ca}, `
			✓ dane: 2 1 1 CA matches certificate 1, by its key
			✓ name: the certificate is for mx.good.test
			✓ dates: valid until 2027-01-21 12:00Z
			✓ chain: leads to it`},
		{"authority for the domain", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{domain, ca}, `
			✓ dane: 2 1 1 CA matches certificate 1, by its key
			✓ name: the certificate is for good.test
			✓ dates: valid until 2027-01-21 12:00Z
			✓ chain: leads to it`},
		{"authority not sent", []string{tlsa(t, 2, 1, 0, root)}, []*issued{leaf, ca}, `
			✓ dane: 2 1 0 30593013… matches an authority that is not sent, by its key
			✓ name: the certificate is for mx.good.test
			✓ dates: valid until 2027-01-21 12:00Z
			✓ chain: leads to it`},
		{"wrong name", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{wrong, ca}, `
			✓ dane: 2 1 1 CA matches certificate 1, by its key
			✗ name: wanted mx.good.test or good.test; the certificate is for a.test, b.test
			✓ dates: valid until 2027-01-21 12:00Z
			✓ chain: leads to it
			✗ dane: this one would match: 3 1 1 WRONG-WHOLE`},
		{"common name alone", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{unnamed, ca}, `
			✓ dane: 2 1 1 CA matches certificate 1, by its key
			✗ name: wanted mx.good.test or good.test; the certificate lists no name, and its common name mx.good.test does not count (RFC 9525)
			✓ dates: valid until 2027-01-21 12:00Z
			✓ chain: leads to it
			✗ dane: this one would match: 3 1 1 UNNAMED-WHOLE`},
		{"expired", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{late, ca}, `
			✓ dane: 2 1 1 CA matches certificate 1, by its key
			✓ name: the certificate is for mx.good.test
			✗ dates: expired 20 days ago, on 2026-11-02 11:00Z
			✓ chain: leads to it
			✗ dane: this one would match: 3 1 1 LATE-WHOLE`},
		{"authority expired", []string{tlsa(t, 2, 1, 1, lateCA)}, []*issued{underLate, lateCA}, `
			✓ dane: 2 1 1 LATECA matches certificate 1, by its key
			✓ name: the certificate is for mx.good.test
			✗ dates: late ca expired 20 days ago, on 2026-11-02 11:00Z
			✓ chain: leads to it
			✗ dane: this one would match: 3 1 1 UNDERLATE-WHOLE`},
		{"for clients", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{client, ca}, `
			✓ dane: 2 1 1 CA matches certificate 1, by its key
			✓ name: the certificate is for mx.good.test
			✓ dates: valid until 2027-01-21 12:00Z
			✗ chain: does not lead to it: not for servers: its extended key usage does not allow it
			✗ dane: this one would match: 3 1 1 CLIENT-WHOLE`},
		{"issued by a leaf", []string{tlsa(t, 2, 1, 1, noCA)}, []*issued{underLeaf, noCA, ca}, `
			✓ dane: 2 1 1 NOCA matches certificate 1, by its key
			✓ name: the certificate is for mx.good.test
			✓ dates: valid until 2027-01-21 12:00Z
			✗ chain: does not lead to it: it is not the certificate of an authority
			✗ dane: this one would match: 3 1 1 UNDERLEAF-WHOLE`},
		{"another authority", []string{tlsa(t, 2, 1, 1, self)}, []*issued{leaf, ca}, `
			✗ dane: 2 1 1 SELF does not match certificate 1: its key is CA
			✗ dane: this one would match: 3 1 1 LEAF-WHOLE
			✗ dane: this one would match: 2 1 1 CA-WHOLE`},
		{"another authority, two sent", []string{tlsa(t, 2, 0, 1, self)}, []*issued{leaf, ca, root}, `
			✗ dane: 2 0 1 SELFCERT does not match certificates 1 to 2: their certificates are CACERT, ROOTCERT
			✗ dane: this one would match: 3 1 1 LEAF-WHOLE
			✗ dane: this one would match: 2 1 1 ROOT-WHOLE`},
		{"no authority sent", []string{tlsa(t, 2, 1, 1, ca)}, []*issued{leaf}, `
			✗ dane: 2 1 1 CA matches no authority: the server sends its own certificate alone, and must send the authority's too (RFC 7672 section 3.1.2)
			✗ dane: this one would match: 3 1 1 LEAF-WHOLE`},
		{"the server's own with usage 2", []string{tlsa(t, 2, 1, 1, self)}, []*issued{self}, `
			✗ dane: 2 1 1 SELF is the server's own certificate: that is published with usage 3
			✗ dane: this one would match: 3 1 1 SELF-WHOLE`},
		{"an authority with usage 3", []string{tlsa(t, 3, 1, 1, ca)}, []*issued{leaf, ca}, `
			✗ dane: 3 1 1 CA is certificate 1, not the server's own: an authority is published with usage 2
			✗ dane: this one would match: 3 1 1 LEAF-WHOLE`},
		{"the stronger hash counts", []string{tlsa(t, 3, 1, 1, leaf), tlsa(t, 3, 1, 2, next)}, []*issued{leaf}, `
			✗ dane: 3 1 2 NEXT512 does not match certificate 0: its key is LEAF512
			✗ dane: this one would match: 3 1 2 LEAF512-WHOLE`},
		{"none usable", []string{tlsa(t, 1, 1, 1, leaf)}, []*issued{leaf}, ``},
	} {
		v := host(t, tt.records...).Verify(shown(t, tt.sent...), noon())
		want := strings.ReplaceAll(strings.TrimPrefix(tt.want, "\n"), "\t", "")
		if want != "" {
			want += "\n"
		}
		for _, c := range []struct {
			name string
			*issued
		}{{"UNDERLEAF", underLeaf}, {"UNDERLATE", underLate}, {"UNNAMED", unnamed}, {"CLIENT", client}, {"LATECA", lateCA},
			{"LATE", late}, {"WRONG", wrong}, {"LEAF", leaf}, {"NEXT", next}, {"SELF", self}, {"ROOT", root}, {"NOCA", noCA}, {"CA", ca}} {
			whole := func(selector, matching uint8) string {
				data, _ := associate(selector, matching, c.Certificate)
				return hex.EncodeToString(data)
			}
			for suffix, hash := range map[string]string{"CERT": whole(0, 1), "512-WHOLE": whole(1, 2), "-WHOLE": whole(1, 1)} {
				if suffix == "CERT" {
					hash = hash[:8] + "…"
				}
				want = strings.ReplaceAll(want, " "+c.name+suffix, " "+hash)
			}
			want = strings.ReplaceAll(want, " "+c.name+"512", " "+whole(1, 2)[:8]+"…")
			want = strings.ReplaceAll(want, " "+c.name, " "+whole(1, 1)[:8]+"…")
		}
		if diff := cmp.Diff(want, told(v)); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, v.State, diff)
		}
	}
}

func TestVerifyBounds(t *testing.T) {
	leaf, other := leafCert(t, "mx.good.test", nil), leafCert(t, "mx.good.test", nil)
	var records []string
	for range maxTLSA + 10 {
		records = append(records, tlsa(t, 3, 1, 1, other))
	}
	d := host(t, records...)
	if len(d.Usable()) != maxTLSA {
		t.Errorf("%d records are used", len(d.Usable()))
	}
	v := d.Verify(shown(t, leaf), noon())
	if n := len(v.Lines); v.State != Mismatch || n != maxShown+2 || v.Lines[maxShown].Text != "59 more records without a match" {
		t.Errorf("%v\n%s", v.State, told(v))
	}
	ca := authorityCert(t, "ca", nil)
	whole := tlsa(t, 2, 0, 0, ca)
	if d := host(t, whole, whole, whole, whole, whole, tlsa(t, 3, 1, 1, leaf)); len(d.Usable()) != maxWhole+1 ||
		d.Records[maxWhole].Fault != "not looked at: a host needs no more than 4 whole authorities" {
		t.Errorf("%v", d.Records)
	}
	if v := host(t, records[0]).Verify(nil, noon()); v.State != Mismatch || told(v) != "✗ dane: the server sent no certificate\n" {
		t.Errorf("%v\n%s", v.State, told(v))
	}
	if v := (&DANE{State: Missing}).Verify(shown(t, leaf), noon()); v.State != Missing || v.Lines != nil {
		t.Errorf("%v\n%s", v.State, told(v))
	}
}

// signed256 reports whether what a record holds as a whole, an authority's certificate or
// its key, has signed c, by ECDSA with SHA-256.
func signed256(r route.TLSA, c *x509.Certificate) bool {
	key, err := x509.ParsePKIXPublicKey(r.Data)
	if r.Selector == selectCert {
		var authority *x509.Certificate
		if authority, err = x509.ParseCertificate(r.Data); err == nil && bytes.Equal(authority.RawSubject, c.RawIssuer) {
			key = authority.PublicKey
		}
	}
	sum := sha256.Sum256(c.RawTBSCertificate)
	public, ok := key.(*ecdsa.PublicKey)
	return err == nil && ok && ecdsa.VerifyASN1(public, sum[:], c.Signature)
}

// FuzzMatch holds one chain to records of any octets, as RFC 6698 section 2.1 lays them
// out: a match has a reason, a record that would match does, and no text is empty.
func FuzzMatch(f *testing.F) {
	ca := authorityCert(f, "ca", nil)
	leaf := leafCert(f, "mx.good.test", ca)
	sent := []*x509.Certificate{leaf.Certificate, ca.Certificate}
	c := mutate.For(f)
	for _, selector := range []uint8{0, 1} {
		for _, matching := range []uint8{0, 1, 2} {
			for i, cert := range sent {
				data, _ := associate(selector, matching, cert)
				usage := uint8(daneEE) - uint8(i)
				c.Add(append([]byte{usage, selector, matching}, data...), uint8(0))
				c.Add(append([]byte{usage ^ 1, selector, matching}, data[1:]...), uint8(1))
				c.Tokens(string(data[:min(len(data), 64)]))
			}
		}
	}
	c.Limits(3, 3+32, 3+64)
	mutate.Fuzz2(c, func(t testing.TB, rdata []byte, at uint8) {
		if len(rdata) < 3 {
			return
		}
		usage, selector, matching, data := rdata[0], rdata[1], rdata[2], rdata[3:]
		chosen := sent[int(at)%2:]
		r := route.TLSA{Usage: usage, Selector: selector, Matching: matching, Data: data}
		d := &DANE{Names: []string{"mx.good.test"}, Records: judge([]route.TLSA{r})}
		v := d.Verify(chosen, noon())
		stands := false
		for i, c := range chosen {
			stands = stands || matches(r, c) && (usage == daneEE) == (i == 0)
		}
		// An authority that is in the record as a whole need not be sent.
		unsent := usage == daneTA && matching == matchFull && len(chosen) == 2 && signed256(r, leaf.Certificate)
		if v.State == Match && !stands && !unsent {
			t.Errorf("%s matches nothing", Long(r))
		}
		if v.State != Match && stands && (usage == daneEE || len(chosen) == 2) && d.Records[0].Usable() {
			t.Errorf("%s does not match:\n%s", Long(r), told(v))
		}
		if allOK(v.Lines) != (v.State == Match) {
			t.Errorf("%v with\n%s", v.State, told(v))
		}
		if v.State == Mismatch && len(v.Would) == 0 {
			t.Error("nothing would match")
		}
		for _, w := range v.Would {
			d := &DANE{Names: d.Names, Records: judge([]route.TLSA{w})}
			if d.Verify(chosen, noon()).State != Match {
				t.Errorf("%s would not match", Long(w))
			}
		}
	})
}
