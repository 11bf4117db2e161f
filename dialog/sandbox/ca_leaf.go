package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"strings"
)

// issue makes a certificate of a kind for a host name.
func (a *authority) issue(kind Cert, name string) (*identity, error) {
	key, err := leafKey(kind, name)
	if err != nil {
		return nil, fmt.Errorf("sandbox: key of %s: %w", name, err)
	}
	by, err := a.issuer(kind)
	if err != nil {
		return nil, err
	}
	leaf, err := a.sign(a.template(kind, name), key, by)
	if err != nil {
		return nil, err
	}
	id := &identity{leaf: leaf, Certificate: tls.Certificate{PrivateKey: key, Leaf: leaf.cert, Certificate: leaf.sent(kind)}}
	if kind.has(Stapled) {
		if id.OCSPStaple, err = a.staple(leaf); err != nil {
			return nil, fmt.Errorf("sandbox: OCSP response for %s: %w", name, err)
		}
	}
	return id, nil
}

// issuer gives what issues certificates of a kind; nil: they issue themselves.
func (a *authority) issuer(kind Cert) (*link, error) {
	switch {
	case kind.has(SelfSigned):
		return nil, nil
	case kind.has(UnknownCA):
		return a.foreign()
	case kind.has(LeafIssued | ExpiredCA):
		root, err := a.root()
		if err != nil {
			return nil, err
		}
		if kind.has(ExpiredCA) {
			return a.ca("ehlo sandbox expired CA", root, -20*day-half)
		}
		const name = "issuer.hosting.example"
		key, err := leafKey(Valid, name)
		if err != nil {
			return nil, fmt.Errorf("sandbox: key of %s: %w", name, err)
		}
		return a.sign(a.template(Valid, name), key, root)
	case kind.has(Intermediate):
		return a.intermediate()
	case kind.has(LongChain):
		return a.long()
	}
	return a.root()
}

// leafKey makes the key of a host. One that is no RSA key is the same in every
// world, and with it the host's TLSA records.
func leafKey(kind Cert, name string) (crypto.Signer, error) {
	switch {
	case kind.has(WeakKey):
		return rsa.GenerateKey(rand.Reader, 1024)
	case kind.has(RSAKey):
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	seed := sha256.Sum256([]byte("ehlo sandbox key of " + name))
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
}

// template is a host's certificate as it is to be signed.
func (a *authority) template(kind Cert, name string) *x509.Certificate {
	now := a.now()
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{name},
		NotBefore:   now.Add(-29*day + half),
		NotAfter:    now.Add(61*day + half),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	switch {
	case kind.has(Expired):
		t.NotBefore, t.NotAfter = now.Add(-110*day-half), now.Add(-20*day-half)
	case kind.has(NotYet):
		t.NotBefore, t.NotAfter = now.Add(10*day+half), now.Add(100*day+half)
	case kind.has(Expiring):
		t.NotBefore, t.NotAfter = now.Add(-85*day+half), now.Add(5*day+half)
	case kind.has(LastDay):
		t.NotBefore, t.NotAfter = now.Add(-90*day+half), now.Add(half+half/24)
	}
	switch {
	case kind.has(WrongName):
		t.Subject.CommonName = "*.hosting.example"
		t.DNSNames = []string{"*.hosting.example", "hosting.example"}
	case kind.has(CNOnly):
		t.DNSNames = nil
	}
	switch {
	case kind.has(ManyNames):
		t.DNSNames = append(t.DNSNames, names(8000)...)
	case kind.has(TooManyNames):
		t.DNSNames = append(t.DNSNames, names(20_000)...)
	case kind.has(EvilNames):
		t.Subject.CommonName = evil(name)
		t.Subject.Organization = []string{evil("Example")}
		t.EmailAddresses = []string{"\x1b[2J@client.test"}
	}
	if kind.has(ClientOnly) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if kind.has(WeakKey | RSAKey) {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment // RSA key exchange (RFC 5246 section 7.4.2)
	}
	if kind.has(WeakSignature) {
		t.SignatureAlgorithm = x509.ECDSAWithSHA1
	}
	return t
}

// longChain is how many authorities stand one below the other.
const longChain = 120

// long makes such authorities, and gives the last one.
func (a *authority) long() (*link, error) {
	by, err := a.root()
	for i := 1; i <= longChain && err == nil; i++ {
		by, err = a.ca(fmt.Sprintf("ehlo sandbox CA %d", i), by, 5*365*day)
	}
	return by, err
}

// names are n names of hosts.
func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("host-%05d.hosting.example", i)
	}
	return all
}

// sent is the chain from l as a server sends it: without the root, unless kind
// says otherwise (RFC 8446 section 4.4.2).
func (l *link) sent(kind Cert) [][]byte {
	chain := [][]byte{l.cert.Raw}
	for by := l.by; by != nil && !kind.has(Unsent); by = by.by {
		switch {
		case kind.has(Disordered):
			chain = append(chain[:1], append([][]byte{by.cert.Raw}, chain[1:]...)...)
		case by.by != nil:
			chain = append(chain, by.cert.Raw)
		}
	}
	return chain
}

// ClientPEM makes a client certificate by the world's authority: the certificate
// and its key in PEM (PKCS #8). name is its common name and, if it is an address,
// its rfc822Name.
func (w *World) ClientPEM(name string) (cert, key []byte, err error) {
	root, err := w.ca.root()
	if err != nil {
		return nil, nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("sandbox: key of %s: %w", name, err)
	}
	t := w.ca.template(ClientOnly, name)
	t.DNSNames = nil
	if strings.Contains(name, "@") {
		t.EmailAddresses = []string{name}
	}
	made, err := w.ca.sign(t, private, root)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, fmt.Errorf("sandbox: key of %s: %w", name, err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.cert.Raw})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
