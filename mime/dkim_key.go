package mime

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/idna"
)

// Key is a private key to sign with, and where its public half is published. It
// prints as its name, never as what it holds.
type Key struct {
	domain, selector string
	signer           crypto.Signer
}

// Sizes of RSA keys in bits (RFC 8301 section 3.2): less than the first is refused,
// less than the second should not be used.
const (
	rsaLeast = 1024
	rsaGood  = 2048
)

// ParseKey reads an RSA or Ed25519 private key in PEM: PKCS #1 or PKCS #8. Text
// around the block, such as openssl's, is passed over. The domain may be
// international. An RSA key under 1024 bits is refused; see Findings for the rest.
func ParseKey(domain, selector string, text []byte) (*Key, error) {
	a, err := signingDomain(domain)
	if err != nil {
		return nil, err
	}
	if err := checkSelector(selector); err != nil {
		return nil, err
	}
	signer, err := privateKey(text)
	if err != nil {
		return nil, fmt.Errorf("DKIM key: %w", err)
	}
	return &Key{a, selector, signer}, nil
}

func signingDomain(domain string) (string, error) {
	a, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err == nil && (a == "" || len(a) > 253) {
		err = errors.New("1 to 253 octets are wanted")
	}
	if err == nil {
		err = labels(a, 0)
	}
	if err != nil {
		return "", fmt.Errorf("DKIM domain %s: %w", clip(domain), err)
	}
	return a, nil
}

// checkSelector is wider than RFC 6376 section 3.1 by the underscore, which DNS
// takes and which is in use.
func checkSelector(selector string) error {
	if err := labels(strings.ReplaceAll(selector, "_", "x"), 0); err != nil || selector == "" || len(selector) > 200 {
		return fmt.Errorf("DKIM selector %s: letters, digits and hyphens are wanted, parted by dots (RFC 6376 section 3.1)", clip(selector))
	}
	return nil
}

// privateKey finds the private key in PEM text.
func privateKey(text []byte) (crypto.Signer, error) {
	var passed string
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, errors.New("it is encrypted: openssl pkey -in KEY -out PLAIN takes the passphrase off")
		}
		switch block.Type {
		case "RSA PRIVATE KEY":
			k, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return nil, unreadable(block.Type, err)
			}
			return usable(k)
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, unreadable(block.Type, err)
			}
			return usable(k)
		}
		passed = block.Type
	}
	switch {
	case passed == "EC PRIVATE KEY" || passed == "EC PARAMETERS" || passed == "DSA PRIVATE KEY":
		return nil, fmt.Errorf("%s: DKIM knows RSA and Ed25519 keys only (RFC 8463)", passed)
	case strings.HasSuffix(passed, "PUBLIC KEY") || passed == "CERTIFICATE":
		return nil, fmt.Errorf("a %s, where the private key is wanted", passed)
	case passed != "":
		return nil, fmt.Errorf("a PEM block %s, where PRIVATE KEY is wanted", clip(passed))
	}
	return nil, errors.New("no PEM block in it: -----BEGIN PRIVATE KEY----- is wanted")
}

// unreadable leaves out of the error what the key's octets are.
func unreadable(kind string, err error) error {
	return fmt.Errorf("the PEM block %s cannot be read: %s", kind, strings.TrimPrefix(err.Error(), "x509: "))
}

func usable(k any) (crypto.Signer, error) {
	switch k := k.(type) {
	case ed25519.PrivateKey:
		return k, nil
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n < rsaLeast {
			return nil, fmt.Errorf("RSA of %d bits: verifiers ignore less than %d (RFC 8301 section 3.2)", n, rsaLeast)
		}
		return k, nil
	}
	return nil, errors.New("neither RSA nor Ed25519, which are what DKIM knows (RFC 8463)")
}

// Domain is the signing domain, d=, in A-labels.
func (k *Key) Domain() string { return k.domain }

// Selector is s=.
func (k *Key) Selector() string { return k.selector }

// Name is where the public key is published: SELECTOR._domainkey.DOMAIN.
func (k *Key) Name() string { return keyName(k.selector, k.domain) }

func keyName(selector, domain string) string { return selector + "._domainkey." + domain }

// Algorithm is a=: rsa-sha256 or ed25519-sha256.
func (k *Key) Algorithm() string { return k.kind() + "-sha256" }

func (k *Key) kind() string {
	if _, ok := k.signer.(ed25519.PrivateKey); ok {
		return kindEd25519
	}
	return kindRSA
}

// Bits is the size of the key: of an RSA modulus, and 256 for Ed25519.
func (k *Key) Bits() int {
	if r, ok := k.signer.(*rsa.PrivateKey); ok {
		return r.N.BitLen()
	}
	return 256
}

// Record is the TXT record that publishes the key (RFC 6376 section 3.6.1, RFC
// 8463 section 4.2), to be shown: it holds the public half alone.
func (k *Key) Record() string {
	var p []byte
	switch pub := k.signer.Public().(type) {
	case ed25519.PublicKey:
		p = pub
	case *rsa.PublicKey:
		p, _ = x509.MarshalPKIXPublicKey(pub) // cannot fail for RSA
	}
	return "v=DKIM1; k=" + k.kind() + "; p=" + base64.StdEncoding.EncodeToString(p)
}

// Findings say what is weak about the key itself.
func (k *Key) Findings() []Finding {
	if k.kind() == kindRSA && k.Bits() < rsaGood {
		return []Finding{shortKey(k.Bits())}
	}
	return nil
}

func shortKey(bits int) Finding {
	return Finding{ID: "dkim-short-key", Level: Warn, Ref: "RFC 8301 section 3.2",
		Text: fmt.Sprintf("RSA of %d bits: at least %d should be used", bits, rsaGood)}
}

// Format prints the key's name whatever the verb is.
func (k *Key) Format(s fmt.State, _ rune) {
	if k == nil {
		io.WriteString(s, "<nil>")
		return
	}
	fmt.Fprintf(s, "%s %d (%s)", k.kind(), k.Bits(), k.Name())
}

// sign signs a SHA-256 hash. Ed25519 signs the hash itself (RFC 8463 section 3).
func (k *Key) sign(sum []byte) ([]byte, error) {
	if k.kind() == kindEd25519 {
		return k.signer.Sign(nil, sum, crypto.Hash(0))
	}
	return k.signer.Sign(nil, sum, crypto.SHA256)
}

// signatureSize is how many octets sign gives.
func (k *Key) signatureSize() int {
	if r, ok := k.signer.(*rsa.PrivateKey); ok {
		return r.Size()
	}
	return ed25519.SignatureSize
}
