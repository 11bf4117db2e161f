package sandbox

import (
	"crypto"
	"crypto/x509"
)

// binding is what binds SASL to the TLS channel, by its name in the IANA registry
// of channel binding types; nil if the channel has no such binding.
func (x *session) binding(kind string) []byte {
	if x.state == nil {
		return nil
	}
	switch kind {
	case "tls-exporter": // RFC 9266: the context is empty, not absent
		b, err := x.state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
		if err != nil {
			return nil
		}
		return b
	case "tls-unique": // RFC 5929 section 3; TLS 1.3 has none
		return x.state.TLSUnique
	case "tls-server-end-point":
		conf, err := x.tls()
		if err != nil || len(conf.Certificates) == 0 {
			return nil
		}
		cert, err := x509.ParseCertificate(conf.Certificates[0].Certificate[0])
		if err != nil {
			return nil
		}
		return endPoint(cert)
	}
	return nil
}

// endPoint is the certificate hashed as its signature is, but by SHA-256 where
// that is MD5 or SHA-1 (RFC 5929 section 4.1).
func endPoint(cert *x509.Certificate) []byte {
	var hash crypto.Hash
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	case x509.PureEd25519: // RFC 5929 defines nothing for it
		return nil
	default:
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write(cert.Raw)
	return h.Sum(nil)
}
