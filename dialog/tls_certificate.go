package dialog

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"time"
)

// Certificate is what a person or a program wants to know of a certificate.
type Certificate struct {
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	Names      []string  `json:"names"`     // DNS names and addresses; never nil
	Serial     string    `json:"serial"`    // in hexadecimal
	Key        string    `json:"key"`       // "EC P-256", "RSA 2048"
	Signature  string    `json:"signature"` // "ECDSA-SHA256"
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
	SPKI       string    `json:"spki_sha256"` // SHA-256 of the public key with its algorithm, in hexadecimal
	SelfSigned bool      `json:"self_signed"` // its own key signed it
	IsCA       bool      `json:"is_ca"`       // it may sign certificates
}

// Describe says what c is.
func Describe(c *x509.Certificate) Certificate {
	spki := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: certificateNames(c),
		Serial: c.SerialNumber.Text(16), Key: certificateKey(c), Signature: c.SignatureAlgorithm.String(),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), SPKI: hex.EncodeToString(spki[:]),
		SelfSigned: selfSigned(c), IsCA: c.BasicConstraintsValid && c.IsCA,
	}
}

// CertificateTitle is the shortest text that tells a person which certificate
// this is: its common name, else its subject, else its first name.
func CertificateTitle(c *x509.Certificate) string {
	switch names := certificateNames(c); {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case c.Subject.String() != "":
		return c.Subject.String()
	case len(names) > 0:
		return names[0]
	}
	return "a certificate without a name"
}

// issuerTitle names the issuer of c likewise.
func issuerTitle(c *x509.Certificate) string {
	switch {
	case c.Issuer.CommonName != "":
		return c.Issuer.CommonName
	case c.Issuer.String() != "":
		return c.Issuer.String()
	}
	return "an issuer without a name"
}

// EncodeChain is the chain in PEM (RFC 7468), in the order given.
func EncodeChain(chain []*x509.Certificate) []byte {
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

func certificateNames(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func keyText(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + k.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}

func certificateKey(c *x509.Certificate) string {
	if c.PublicKeyAlgorithm == x509.DSA {
		return "DSA" // which nothing but certificates has to do with any more
	}
	return keyText(c.PublicKey)
}

// selfIssued reports whether c names itself as its issuer (RFC 5280 section 3.2).
func selfIssued(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

// selfSigned reports whether c is self-issued and its own key signed it.
func selfSigned(c *x509.Certificate) bool {
	return selfIssued(c) && (weakSignature(c.SignatureAlgorithm) || signedBy(c, c))
}

// signedBy reports whether the key of parent signed c. A signature over SHA-1
// is checked like any other: that it is weak is for the verdict on signatures.
func signedBy(c, parent *x509.Certificate) bool {
	return parent.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
