package dialog

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"sync"
)

// Store is the system's store of authorities, read as far as a chain asks for it. All
// of it, some 140 certificates, takes crypto/x509 longer to read than a whole
// conversation lasts; those that could have issued a chain are one or none.
type Store struct {
	mu       sync.Mutex
	file     string   // the system's one file
	bundle   [][]byte // its certificates, in DER
	rest     [][]byte // those of its directories
	read     bool     // bundle is
	readRest bool
}

// roots are the authorities that could have issued a certificate of chain: those with
// the name of an issuer, or of the certificate itself. all looks into the
// directories too. It is nil where the store is not a matter of files.
func (s *Store) roots(chain []*x509.Certificate, all bool) *x509.CertPool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read {
		var text []byte
		s.file, text = storeFile()
		s.read, s.bundle = true, ders(text)
	}
	if all && !s.readRest {
		s.readRest = true
		for _, text := range storeDirectories(s.file) {
			s.rest = append(s.rest, ders(text)...)
		}
	}
	pool := x509.NewCertPool()
	for _, list := range [][][]byte{s.bundle, s.rest} {
		for _, der := range list {
			if !concerns(der, chain) {
				continue
			}
			if c, err := x509.ParseCertificate(der); err == nil {
				pool.AddCert(c)
			}
		}
	}
	return pool
}

// concerns reports whether a certificate names an issuer or a subject of chain.
func concerns(der []byte, chain []*x509.Certificate) bool {
	for _, c := range chain {
		if bytes.Contains(der, c.RawIssuer) || bytes.Contains(der, c.RawSubject) {
			return true
		}
	}
	return false
}

// ders are the certificates of a PEM file (RFC 7468 section 2). encoding/pem takes three
// times as long for the same.
func ders(text []byte) [][]byte {
	const begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
	var list [][]byte
	for {
		_, rest, found := bytes.Cut(text, []byte(begin))
		body, rest, ended := bytes.Cut(rest, []byte(end))
		if !found || !ended {
			return list
		}
		der := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
		if n, err := base64.StdEncoding.Decode(der, bytes.TrimSpace(body)); err == nil {
			list = append(list, der[:n])
		}
		text = rest
	}
}
