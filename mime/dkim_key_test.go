package mime

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func TestParseKey(t *testing.T) {
	k := newTestKeys(t)
	private := k.rsa.signer.(*rsa.PrivateKey)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	got, err := ParseKey("B\u00fccher.example.", "s_1.x", append([]byte("Bag attributes\nkey: 1\n"), text...))
	if err != nil || got.Name() != "s_1.x._domainkey.xn--bcher-kva.example" || got.Algorithm() != "rsa-sha256" || got.Bits() != 2048 || len(got.Findings()) != 0 {
		t.Fatal(err, got)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if s := fmt.Sprintf(verb, got); s != "rsa 2048 (s_1.x._domainkey.xn--bcher-kva.example)" {
			t.Errorf("%s: %s", verb, s)
		}
	}
	der, _ := x509.MarshalPKIXPublicKey(private.Public())
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	for _, c := range []struct {
		name, domain, selector string
		text                   []byte
		want                   string
	}{
		{"nothing", "a.b", "s", nil, "no PEM block"},
		{"not PEM", "a.b", "s", []byte("hello"), "no PEM block"},
		{"public", "a.b", "s", block("PUBLIC KEY", der), "private key is wanted"},
		{"certificate", "a.b", "s", block("CERTIFICATE", der), "private key is wanted"},
		{"EC", "a.b", "s", block("EC PRIVATE KEY", der), "RSA and Ed25519"},
		{"encrypted", "a.b", "s", block("ENCRYPTED PRIVATE KEY", der), "encrypted"},
		{"encrypted of old", "a.b", "s", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "x"}, Bytes: der}), "encrypted"},
		{"garbage", "a.b", "s", block("PRIVATE KEY", []byte("garbage")), "cannot be read"},
		{"short", "a.b", "s", shortRSA(t), "512 bits"},
		{"domain", "a..b", "s", text, "DKIM domain"},
		{"no domain", "", "s", text, "DKIM domain"},
		{"selector", "a.b", "s;x", text, "DKIM selector"},
		{"no selector", "a.b", "", text, "DKIM selector"},
	} {
		if _, err := ParseKey(c.domain, c.selector, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// shortRSA is a key of 512 bits, which crypto/rsa does not make: p and q are
// primes of 256 bits.
func shortRSA(t *testing.T) []byte {
	t.Helper()
	one := big.NewInt(1)
	prime := func(head int64) *big.Int {
		p := new(big.Int).Lsh(big.NewInt(head), 256-uint(big.NewInt(head).BitLen()))
		for ; ; p.Add(p, one) {
			if p.ProbablyPrime(20) && new(big.Int).GCD(nil, nil, new(big.Int).Sub(p, one), big.NewInt(65537)).Cmp(one) == 0 {
				return p
			}
		}
	}
	p, q := prime(3), prime(7)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
		D: new(big.Int).ModInverse(big.NewInt(65537), phi), Primes: []*big.Int{p, q}}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
}

func TestCheckKey(t *testing.T) {
	k := newTestKeys(t)
	other := newTestKeys(t)
	for _, c := range []struct {
		name string
		key  *Key
		txt  []string
		want string // ids
	}{
		{"good", k.rsa, []string{k.rsa.Record()}, ""},
		{"good, Ed25519", k.ed, []string{k.ed.Record()}, ""},
		{"without v and k, in pieces", k.rsa, []string{strings.Replace(k.rsa.Record()[len("v=DKIM1; k=rsa; "):], "/", "/ \t", -1)}, ""},
		{"beside others", k.ed, []string{"v=spf1 -all", k.ed.Record(), "x"}, "dkim-more-records"},
		{"none", k.rsa, nil, "dkim-no-record"},
		{"others alone", k.rsa, []string{"v=spf1 -all", "x"}, "dkim-no-record"},
		{"revoked", k.rsa, []string{"v=DKIM1; p="}, "dkim-revoked"},
		{"another", k.rsa, []string{other.rsa.Record()}, "dkim-other-key"},
		{"another kind", k.rsa, []string{k.ed.Record()}, "dkim-not-permitted"},
		{"testing", k.rsa, []string{k.rsa.Record() + "; t=y:s"}, "dkim-testing"},
		{"sha1 alone", k.rsa, []string{k.rsa.Record() + "; h=sha1"}, "dkim-not-permitted"},
		{"not for mail", k.rsa, []string{k.rsa.Record() + "; s=other"}, "dkim-not-permitted"},
		{"two", k.rsa, []string{k.rsa.Record(), other.rsa.Record()}, "dkim-bad-record"},
		{"no p", k.rsa, []string{"v=DKIM1; k=rsa"}, "dkim-bad-record"},
		{"no base64", k.rsa, []string{"v=DKIM1; p=!!"}, "dkim-bad-record"},
		{"no key", k.rsa, []string{"v=DKIM1; p=AAAA"}, "dkim-bad-record"},
		{"escaped semicolon", k.rsa, []string{strings.ReplaceAll(k.rsa.Record(), ";", `\;`)}, "dkim-bad-record"},
		{"v not first", k.rsa, []string{"k=rsa; v=DKIM1; p=AAAA"}, "dkim-bad-record"},
		{"p twice", k.rsa, []string{k.rsa.Record() + "; p=x"}, "dkim-bad-record"},
	} {
		all, err := CheckKey(t.Context(), zone(map[string][]string{c.key.Name(): c.txt}), c.key)
		var ids []string
		for _, f := range all {
			ids = append(ids, f.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != c.want {
			t.Errorf("%s: %v %+v, want %s", c.name, err, all, c.want)
		}
	}
	down := errors.New("SERVFAIL")
	if _, err := CheckKey(t.Context(), func(context.Context, string) ([]string, error) { return nil, down }, k.rsa); !errors.Is(err, down) {
		t.Error(err)
	}
}
