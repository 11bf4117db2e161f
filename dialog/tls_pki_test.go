package dialog

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"
)

// noon is when the certificates of the tests are judged.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const aDay = 24 * time.Hour

// holder is a certificate with its key.
type holder struct {
	*x509.Certificate
	key crypto.Signer
}

// pair is what a server is set up with.
func (h *holder) pair(more ...*holder) tls.Certificate {
	p := tls.Certificate{Certificate: [][]byte{h.Raw}, PrivateKey: h.key, Leaf: h.Certificate}
	for _, m := range more {
		p.Certificate = append(p.Certificate, m.Raw)
	}
	return p
}

// ecKey is one key for all that need only some key: making them takes time.
var ecKeys = sync.OnceValue(func() (keys [6]*ecdsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return keys
})

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, _ := rsa.GenerateKey(rand.Reader, 2048)
	return key
})

var smallKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, _ := rsa.GenerateKey(rand.Reader, 1024)
	return key
})

// template is a sound certificate for mx.test, or for an authority of that name.
func template(name string, ca bool) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(4660), Subject: pkix.Name{CommonName: name},
		NotBefore: noon.Add(-30 * aDay), NotAfter: noon.Add(60*aDay + time.Hour),
	}
	if ca {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.NotBefore, c.NotAfter = noon.Add(-900*aDay), noon.Add(900*aDay)
		return c
	}
	c.DNSNames = []string{name}
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return c
}

// issue has parent sign c with the key; a nil parent: c signs itself.
func issue(t testing.TB, c *x509.Certificate, key crypto.Signer, parent *holder) *holder {
	t.Helper()
	by, signer := c, key
	if parent != nil {
		by, signer = parent.Certificate, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, der, key)
}

func parsed(t testing.TB, der []byte, key crypto.Signer) *holder {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{c, key}
}

// weaken has parent, who holds an RSA key and signed c by SHA-256, sign it over
// MD5 or SHA-1, which Go refuses to do.
func weaken(t testing.TB, c *holder, parent *holder, over crypto.Hash) *holder {
	t.Helper()
	var whole struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.Raw, &whole); err != nil {
		t.Fatal(err)
	}
	oid := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	old, _ := asn1.Marshal(oid)
	oid[6] = map[crypto.Hash]int{crypto.MD5: 4, crypto.SHA1: 5}[over]
	changed, _ := asn1.Marshal(oid)
	tbs := replaceOnce(whole.TBS.FullBytes, old, changed)
	sum := sha1.Sum(tbs)
	hashed := sum[:]
	if over == crypto.MD5 {
		sum := md5.Sum(tbs)
		hashed = sum[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, parent.key.(*rsa.PrivateKey), over, hashed)
	if err != nil {
		t.Fatal(err)
	}
	whole.TBS = asn1.RawValue{FullBytes: tbs}
	whole.Algorithm.Algorithm = oid
	whole.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	der, err := asn1.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, der, c.key)
}

func replaceOnce(text, old, changed []byte) []byte {
	for i := range text {
		if i+len(old) <= len(text) && string(text[i:i+len(old)]) == string(old) {
			return append(append(append([]byte{}, text[:i]...), changed...), text[i+len(old):]...)
		}
	}
	return text
}

// world is a root, an authority below it, and what an owner gets from it.
type pki struct {
	root, ca, leaf *holder
	other          *holder // another root of the same kind, in no store
}

func newPKI(t testing.TB) pki {
	t.Helper()
	keys := ecKeys()
	p := pki{root: issue(t, template("Test Root", true), keys[0], nil)}
	p.ca = issue(t, template("Test CA", true), keys[1], p.root)
	p.leaf = issue(t, template("mx.test", false), keys[2], p.ca)
	p.other = issue(t, template("Other Root", true), keys[3], nil)
	return p
}

// believing are the settings of somebody who trusts those.
func believing(roots ...*holder) TLS {
	pool := x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r.Certificate)
	}
	return TLS{Name: "mx.test", Roots: pool, Store: "the test's store"}
}

func certificates(chain []*holder) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, c := range chain {
		certs = append(certs, c.Certificate)
	}
	return certs
}
