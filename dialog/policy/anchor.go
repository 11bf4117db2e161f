package policy

import (
	"bytes"
	"crypto/x509"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// anchored is what became of a record of usage 2.
type anchored struct {
	found bool                // the trust anchor is there: sent, or in the record
	at    int                 // where in the chain; -1 if it was not sent
	path  []*x509.Certificate // from the leaf to the anchor, or to what the anchor's key signed
	err   error               // why there is no path
}

// anchor looks for the trust anchor of r, and for a path to it (RFC 7671 section 5.2).
// The leaf is no trust anchor. A record with a whole certificate or key serves even
// if the server does not send the anchor (RFC 7672 section 3.1.2 leaves that to us).
func anchor(r route.TLSA, chain []*x509.Certificate, now time.Time) anchored {
	found := anchored{at: -1}
	for i := 1; i < len(chain); i++ {
		if !matches(r, chain[i]) || chain[i].Equal(chain[0]) {
			continue
		}
		path, err := pathTo(chain, pool(chain[i]), chain[i], now)
		if err == nil {
			return anchored{found: true, at: i, path: path}
		}
		if !found.found {
			found = anchored{found: true, at: i, err: err}
		}
	}
	if found.found || r.Matching != matchFull {
		return found
	}
	if r.Selector == selectCert {
		return certAnchor(r.Data, chain, now)
	}
	return keyAnchor(r.Data, chain, now)
}

// certAnchor is a trust anchor given in full, by its certificate.
func certAnchor(der []byte, chain []*x509.Certificate, now time.Time) anchored {
	ca, err := x509.ParseCertificate(der)
	if err != nil || ca.Equal(chain[0]) {
		return anchored{at: -1}
	}
	path, err := pathTo(chain, pool(ca), ca, now)
	if err != nil {
		return anchored{at: -1}
	}
	return anchored{found: true, at: -1, path: path}
}

// keyAnchor is a trust anchor given by its bare key: the path ends at the
// certificate that the key signed.
func keyAnchor(der []byte, chain []*x509.Certificate, now time.Time) anchored {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil || bytes.Equal(chain[0].RawSubjectPublicKeyInfo, der) {
		return anchored{at: -1}
	}
	result := anchored{at: -1}
	for _, c := range chain {
		if !signed(c, key) {
			continue
		}
		path, err := pathTo(chain, pool(c), c, now)
		if err == nil {
			return anchored{found: true, at: -1, path: path}
		}
		result = anchored{found: true, at: -1, err: err}
	}
	return result
}

// signed reports whether key signed c, with a hash that may be relied on.
func signed(c *x509.Certificate, key any) bool {
	if c.SignatureAlgorithm == x509.SHA1WithRSA || c.SignatureAlgorithm == x509.ECDSAWithSHA1 {
		return false
	}
	by := x509.Certificate{PublicKey: key}
	return by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func pool(c *x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c)
	return p
}
