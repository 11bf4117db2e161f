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

// key is that of the trust anchor of r, to which there is a path.
func (a anchored) key(r route.TLSA, chain []*x509.Certificate) string {
	switch {
	case a.at >= 0:
		return string(chain[a.at].RawSubjectPublicKeyInfo)
	case r.Selector == selectSPKI: // the record has it as a whole
		return string(r.Data)
	}
	return string(a.path[len(a.path)-1].RawSubjectPublicKeyInfo)
}

// paths are the ways from the first certificate of a chain to another, each looked for
// once, however many records ask.
type paths struct {
	chain []*x509.Certificate
	now   time.Time
	known map[int]anchored
}

// to is the path to certificate i of the chain as a trust anchor.
func (p *paths) to(i int) anchored {
	if found, ok := p.known[i]; ok {
		return found
	}
	found := anchored{found: true, at: i}
	found.path, found.err = pathTo(p.chain, pool(p.chain[i]), p.chain[i], p.now)
	if p.known == nil {
		p.known = map[int]anchored{}
	}
	p.known[i] = found
	return found
}

// anchor looks for the trust anchor of r, and for a path to it (RFC 7671 section 5.2).
// The leaf is no trust anchor. A record with a whole certificate or key serves even
// if the server does not send the anchor (RFC 7672 section 3.1.2 leaves that to us).
func (p *paths) anchor(r route.TLSA) anchored {
	best := anchored{at: -1}
	for i := 1; i < len(p.chain); i++ {
		if !matches(r, p.chain[i]) || p.chain[i].Equal(p.chain[0]) {
			continue
		}
		found := p.to(i)
		if found.err == nil {
			return found
		}
		if !best.found {
			best = found
		}
	}
	switch {
	case best.found || r.Matching != matchFull:
		return best
	case r.Selector == selectCert:
		return p.certAnchor(r.Data)
	}
	return p.keyAnchor(r.Data)
}

// certAnchor is a trust anchor given in full, by its certificate.
func (p *paths) certAnchor(der []byte) anchored {
	ca, err := x509.ParseCertificate(der)
	if err != nil || ca.Equal(p.chain[0]) {
		return anchored{at: -1}
	}
	path, err := pathTo(p.chain, pool(ca), ca, p.now)
	if err != nil {
		return anchored{at: -1}
	}
	return anchored{found: true, at: -1, path: path}
}

// keyAnchor is a trust anchor given by its bare key: the path ends at the
// certificate that the key signed.
func (p *paths) keyAnchor(der []byte) anchored {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil || bytes.Equal(p.chain[0].RawSubjectPublicKeyInfo, der) {
		return anchored{at: -1}
	}
	best := anchored{at: -1}
	for i, c := range p.chain {
		if !signed(c, key) {
			continue
		}
		best = p.to(i)
		best.at = -1
		if best.err == nil {
			break
		}
	}
	return best
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
