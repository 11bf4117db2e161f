package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// authority is the world's certificate authority with all that it certified,
// and an authority that nobody trusts. Everything is made at its first use.
type authority struct {
	now          func() time.Time
	root         func() (*link, error)
	intermediate func() (*link, error) // by root
	foreign      func() (*link, error)

	mu   sync.Mutex
	made map[*Service]func() (*identity, error)
}

// link is a certificate with its key.
type link struct {
	cert *x509.Certificate
	key  crypto.Signer
	by   *link // its issuer; nil: itself
}

// identity is what a service shows of itself.
type identity struct {
	leaf *link
	tls.Certificate
}

const (
	day  = 24 * time.Hour
	half = day / 2 // so that counting days gives the same number all day long
)

func newAuthority(now func() time.Time) *authority {
	a := &authority{now: now, made: map[*Service]func() (*identity, error){}}
	a.root = sync.OnceValues(func() (*link, error) { return a.ca("ehlo sandbox CA", nil, 10*365*day) })
	a.foreign = sync.OnceValues(func() (*link, error) { return a.ca("A CA that nobody trusts", nil, 10*365*day) })
	a.intermediate = sync.OnceValues(func() (*link, error) {
		root, err := a.root()
		if err != nil {
			return nil, err
		}
		return a.ca("ehlo sandbox intermediate CA", root, 5*365*day)
	})
	return a
}

// identity gives what v shows as the host name, the same at each call.
func (a *authority) identity(v *Service, name string) (*identity, error) {
	a.mu.Lock()
	made, ok := a.made[v]
	if !ok {
		made = sync.OnceValues(func() (*identity, error) { return a.issue(v.Cert, name) })
		a.made[v] = made
	}
	a.mu.Unlock()
	return made()
}

// ca makes a certificate authority whose certificate ends after life.
func (a *authority) ca(name string, by *link, life time.Duration) (*link, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never predictable: its owner may have told a machine to trust it
	if err != nil {
		return nil, fmt.Errorf("sandbox: key of %s: %w", name, err)
	}
	now := a.now()
	return a.sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: name, Organization: []string{"ehlo sandbox"}},
		NotBefore:             now.Add(-365 * day),
		NotAfter:              now.Add(life),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, key, by)
}

// sign makes the certificate t for key; by may be nil, for one that signs itself.
func (a *authority) sign(t *x509.Certificate, key crypto.Signer, by *link) (*link, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("sandbox: key of %s: %w", t.Subject.CommonName, err)
	}
	serial := sha256.Sum256(append(public, t.Subject.CommonName...)) // one for each, and for a host's the same in every world
	serial[0] &= 0x7f                                                // positive, and of at most 20 octets (RFC 5280 section 4.1.2.2)
	t.SerialNumber = new(big.Int).SetBytes(serial[:16])
	issuer := &link{cert: t, key: key}
	if by != nil {
		issuer = by
	}
	der, err := x509.CreateCertificate(rand.Reader, t, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, fmt.Errorf("sandbox: certificate of %s: %w", t.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sandbox: certificate of %s: %w", t.Subject.CommonName, err)
	}
	return &link{cert: cert, key: key, by: by}, nil
}

// Roots holds the world's authority alone. It is empty if no key could be made.
func (w *World) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	if root, err := w.ca.root(); err == nil {
		pool.AddCert(root.cert)
	}
	return pool
}

// CAPEM is the authority's certificate in PEM, for a file that other tools
// trust; nil if no key could be made.
func (w *World) CAPEM() []byte {
	root, err := w.ca.root()
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw})
}
