package sasl

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	_ "crypto/sha256" // for the hash of a certificate
	_ "crypto/sha512"
)

// Bindings are the types of channel binding, in the order of RFC 9266 section
// 3: what only this connection knows, before what all connections to one
// certificate share. tls-unique stands last, as it is weak without the extended
// master secret (RFC 7627) and TLS 1.3 has none.
func Bindings() []string {
	return []string{"tls-exporter", "tls-server-end-point", "tls-unique"}
}

// binding gives the channel binding that mechanism is to use: its type and its
// bytes. Under TLS 1.3 tls-exporter is defined for every connection; before, the
// hash of the certificate is what most servers know.
func (c Credentials) binding(mechanism string) (kind string, data []byte, err error) {
	if c.TLS == nil {
		return "", nil, &LackError{mechanism, "TLS, to bind the login to"}
	}
	if c.Binding != "" {
		if !slices.Contains(Bindings(), c.Binding) {
			return "", nil, &LackError{mechanism, fmt.Sprintf("a channel binding of %s, and not %q", strings.Join(Bindings(), ", "), c.Binding)}
		}
		data, err = bindingData(c.Binding, c.TLS)
		if err != nil {
			return "", nil, &LackError{mechanism, "another channel binding than " + c.Binding + ": " + err.Error()}
		}
		return c.Binding, data, nil
	}
	for _, kind := range Bindings() {
		if kind == "tls-exporter" && c.TLS.Version < tls.VersionTLS13 {
			continue
		}
		if data, err := bindingData(kind, c.TLS); err == nil {
			return kind, data, nil
		}
	}
	return "", nil, &LackError{mechanism, "a TLS connection that gives a channel binding"}
}

// bindingData computes what both ends of one TLS connection know.
func bindingData(kind string, state *tls.ConnectionState) ([]byte, error) {
	if !state.HandshakeComplete {
		return nil, errors.New("the handshake is not complete")
	}
	switch kind {
	case "tls-exporter":
		// RFC 9266 section 2: the context is a zero-length string, which before TLS
		// 1.3 is not the same as none. crypto/tls refuses without the extended
		// master secret, as section 4.2 demands.
		data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
		if err != nil {
			return nil, fmt.Errorf("the connection exports no key: %w", err)
		}
		return data, nil
	case "tls-server-end-point":
		return endPoint(state)
	default: // tls-unique
		if len(state.TLSUnique) == 0 {
			return nil, fmt.Errorf("%s has none for this connection", tls.VersionName(state.Version))
		}
		return state.TLSUnique, nil
	}
}

// endPoint is the hash of the server's certificate by the hash of its own
// signature, or by SHA-256 if that is MD5 or SHA-1 (RFC 5929 section 4.1).
func endPoint(state *tls.ConnectionState) ([]byte, error) {
	if len(state.PeerCertificates) == 0 {
		return nil, errors.New("the server showed no certificate")
	}
	leaf := state.PeerCertificates[0]
	var hash crypto.Hash
	switch leaf.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.DSAWithSHA256, x509.ECDSAWithSHA256:
		hash = crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	default: // Ed25519 and what comes: undefined
		return nil, fmt.Errorf("RFC 5929 knows no hash for a certificate signed with %s", leaf.SignatureAlgorithm)
	}
	h := hash.New()
	h.Write(leaf.Raw)
	return h.Sum(nil), nil
}
