package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// authority is the world's certificate authority, made at its first use.
type authority struct {
	now  func() time.Time
	once sync.Once
	err  error
	key  *ecdsa.PrivateKey
	cert *x509.Certificate

	mu     sync.Mutex
	serial int64
}

const (
	day  = 24 * time.Hour
	half = day / 2 // so that counting days gives the same number all day long
)

func (a *authority) make() error {
	a.once.Do(func() {
		now := a.now()
		a.serial = 1
		tmpl := &x509.Certificate{
			SerialNumber:          big.NewInt(1),
			Subject:               pkix.Name{CommonName: "ehlo sandbox CA", Organization: []string{"ehlo sandbox"}},
			NotBefore:             now.Add(-365 * day),
			NotAfter:              now.Add(10 * 365 * day),
			IsCA:                  true,
			BasicConstraintsValid: true,
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		if a.key, a.err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); a.err != nil {
			return
		}
		a.cert, _, a.err = sign(tmpl, tmpl, a.key, a.key)
	})
	if a.err != nil {
		return fmt.Errorf("sandbox: certificate authority: %w", a.err)
	}
	return nil
}

// leaf makes a certificate of a kind for a host name.
func (a *authority) leaf(kind Cert, name string) (*tls.Certificate, error) {
	if err := a.make(); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("sandbox: key of %s: %w", name, err)
	}
	now := a.now()
	a.mu.Lock()
	a.serial++
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    now.Add(-29*day + half),
		NotAfter:     now.Add(61*day + half),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	a.mu.Unlock()
	issuer, issuerKey := a.cert, a.key
	switch kind {
	case Expired:
		tmpl.NotBefore, tmpl.NotAfter = now.Add(-110*day-half), now.Add(-20*day-half)
	case NotYet:
		tmpl.NotBefore, tmpl.NotAfter = now.Add(10*day+half), now.Add(100*day+half)
	case SelfSigned:
		issuer, issuerKey = tmpl, key
	case WrongName:
		tmpl.Subject.CommonName = "*.hosting.example"
		tmpl.DNSNames = []string{"*.hosting.example", "hosting.example"}
	}
	cert, der, err := sign(tmpl, issuer, key, issuerKey)
	if err != nil {
		return nil, fmt.Errorf("sandbox: certificate of %s: %w", name, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, nil
}

func sign(tmpl, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) (*x509.Certificate, []byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, der, err
}

// Roots holds the world's authority alone. It is empty if no key could be made.
func (w *World) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	if w.ca.make() == nil {
		pool.AddCert(w.ca.cert)
	}
	return pool
}

// CAPEM is the authority's certificate in PEM, for a file that other tools
// trust; nil if no key could be made.
func (w *World) CAPEM() []byte {
	if w.ca.make() != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.cert.Raw})
}
