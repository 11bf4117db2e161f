package dialog

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// What a passphrase can do wrong; LoadPair wraps them.
var (
	ErrNoPassphrase    = errors.New("the key is encrypted, and no passphrase was given")
	ErrWrongPassphrase = errors.New("the passphrase does not open the key")
)

// LoadPair makes a client certificate of two files in PEM: the certificate with
// those that lead to its CA, its own first, and the private key (PKCS #8, PKCS #1
// or SEC 1). One file may hold both: keyPEM is then empty. The passphrase is that
// of an encrypted key, else empty. The error says which of the files is wrong in
// what way, and never holds a part of the key.
func LoadPair(certPEM, keyPEM []byte, passphrase transcript.Secret) (tls.Certificate, error) {
	var pair tls.Certificate
	if len(keyPEM) == 0 {
		keyPEM = certPEM
	}
	chain, err := readCertificates(certPEM)
	if err != nil {
		return pair, err
	}
	block, err := keyBlock(keyPEM)
	if err != nil {
		return pair, err
	}
	key, err := readKey(block, passphrase)
	if err != nil {
		return pair, err
	}
	for i, c := range chain {
		if !fits(key, c) {
			continue
		}
		if i > 0 {
			return pair, fmt.Errorf("the key fits certificate %d of the file, %s: that one has to come first", i+1, CertificateTitle(c))
		}
		for _, c := range chain {
			pair.Certificate = append(pair.Certificate, c.Raw)
		}
		pair.PrivateKey, pair.Leaf = key, c
		return pair, nil
	}
	return pair, fmt.Errorf("the key does not fit the certificate of %s: it is %s, and the certificate's is %s",
		CertificateTitle(chain[0]), another(keyText(key.Public()), certificateKey(chain[0])), certificateKey(chain[0]))
}

// another says that two keys differ even where they are of one kind.
func another(key, wanted string) string {
	if key == wanted {
		return "another " + key
	}
	return key
}

func fits(key crypto.Signer, c *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

func readCertificates(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the file cannot be read: %w", len(chain)+1, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("no certificate in the file%s", notPEM(text))
	}
	return chain, nil
}

// keyBlock finds the first private key.
func keyBlock(text []byte) (*pem.Block, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block, nil
		}
	}
	return nil, fmt.Errorf("no private key in the file%s", notPEM(text))
}

// notPEM is a hint for a file that is binary.
func notPEM(text []byte) string {
	if len(text) > 0 && text[0] == 0x30 {
		return ": it is binary (DER or PKCS #12), and PEM is wanted"
	}
	return ""
}

// readKey parses a key and opens it before if it is encrypted.
func readKey(block *pem.Block, passphrase transcript.Secret) (crypto.Signer, error) {
	der := block.Bytes
	//lint:ignore SA1019 weak as it is, OpenSSL wrote keys so for twenty years
	legacy := x509.IsEncryptedPEMBlock(block)
	encrypted := legacy || block.Type == "ENCRYPTED PRIVATE KEY"
	if encrypted {
		if passphrase.Empty() {
			return nil, ErrNoPassphrase
		}
		var err error
		if legacy {
			//lint:ignore SA1019 as above
			der, err = x509.DecryptPEMBlock(block, []byte(passphrase.Reveal()))
		} else {
			der, err = decryptPKCS8(der, passphrase)
		}
		switch {
		case errors.Is(err, x509.IncorrectPasswordError), errors.Is(err, ErrWrongPassphrase):
			return nil, ErrWrongPassphrase
		case err != nil:
			return nil, fmt.Errorf("the key cannot be opened: %w", err)
		}
	}
	key, err := parseKey(der)
	switch {
	case err != nil && encrypted: // it came out as nonsense
		return nil, ErrWrongPassphrase
	case err != nil:
		return nil, fmt.Errorf("the private key (%s) cannot be read: %w", block.Type, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("the private key cannot sign: %T", key)
	}
	return signer, nil
}

// parseKey tries each form: what a block is called is not always what it holds.
func parseKey(der []byte) (any, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, err
}
