package dialog

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Staple is an OCSP response that a server sent with its handshake (RFC 6066
// section 8, RFC 6960).
type Staple struct {
	Status     string    // "good", "revoked" or "unknown"
	Revoked    time.Time // zero unless revoked
	Produced   time.Time
	ThisUpdate time.Time
	NextUpdate time.Time // zero: newer information is always available
	By         string    // who signed it
}

// Stale reports whether the response is not, or no longer, to be relied upon at
// the time now (RFC 6960 section 3.2).
func (s *Staple) Stale(now time.Time) bool {
	return now.Before(s.ThisUpdate) || !s.NextUpdate.IsZero() && now.After(s.NextUpdate)
}

// ParseStaple reads a response that is to be about leaf, and checks that its
// issuer, or a responder that issuer entitles, signed it.
func ParseStaple(der []byte, leaf, issuer *x509.Certificate) (*Staple, error) {
	if len(der) > maxStaple {
		return nil, fmt.Errorf("the OCSP response has %d bytes; up to %d are read", len(der), maxStaple)
	}
	r, err := ocsp.ParseResponseForCert(der, leaf, issuer)
	if err != nil {
		return nil, fmt.Errorf("the OCSP response cannot be taken: %w", err)
	}
	if r.Certificate != nil && !issuer.Equal(r.Certificate) && !slices.Contains(r.Certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return nil, fmt.Errorf("the OCSP response cannot be taken: %s may not sign it (RFC 6960 section 4.2.2.2)", CertificateTitle(r.Certificate))
	}
	s := &Staple{Status: "unknown", Produced: r.ProducedAt, ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate}
	switch r.Status {
	case ocsp.Good:
		s.Status = "good"
	case ocsp.Revoked:
		s.Status, s.Revoked = "revoked", r.RevokedAt
	}
	if s.By = CertificateTitle(issuer); r.Certificate != nil {
		s.By = CertificateTitle(r.Certificate)
	}
	return s, nil
}

// errNoStaple says that there was nothing to parse.
var errNoStaple = errors.New("the server sent no OCSP response")

// OCSP parses the response that was stapled to the handshake. It is an error if
// there is none, or if the issuer of the certificate did not vouch for it.
func (r *TLSReport) OCSP() (*Staple, error) {
	if len(r.Staple) == 0 || len(r.Chain) == 0 {
		return nil, errNoStaple
	}
	issuer := r.Chain[0] // which may have signed itself
	switch {
	case len(r.Path) > 1:
		issuer = r.Path[1]
	case !selfIssued(issuer):
		return nil, errors.New("the OCSP response cannot be checked: the issuer of the certificate is not known")
	}
	return ParseStaple(r.Staple, r.Chain[0], issuer)
}

// stapleStatus is the status of the stapled response in a word.
func (r *TLSReport) stapleStatus() string {
	switch s, err := r.OCSP(); {
	case errors.Is(err, errNoStaple):
		return "none"
	case err != nil:
		return "invalid"
	default:
		return s.Status
	}
}
