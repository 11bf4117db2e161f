package dialog

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// path is what a chain comes to when it is followed from the first certificate
// from issuer to issuer (RFC 5280 section 6).
type path struct {
	certs    []*x509.Certificate // the first certificate, then each its issuer
	anchored bool                // it ends in the store
	sound    bool                // crypto/x509 takes all of it, now and for a server
	byName   bool                // the store has the name of the last one's issuer, over a signature too weak to follow
	fault    string              // which link breaks, and how; "" if none does
}

// follow finds the way from the first of the certificates that were sent to the
// store. Dates are left out of it, as they are judged apart.
func follow(sent []*x509.Certificate, t TLS, now time.Time) path {
	leaf := sent[0]
	if chains, err := verify(leaf, sent[1:], t, now, x509.ExtKeyUsageServerAuth); err == nil {
		return path{certs: shortest(chains), anchored: true, sound: true}
	}
	if chains, err := verify(leaf, sent[1:], t, within(leaf, now), x509.ExtKeyUsageAny); err == nil {
		return path{certs: shortest(chains), anchored: true}
	}
	w := walk{sent: sent, t: t, now: now, left: maxLinks, path: path{certs: sent[:1:1]}}
	for w.step() {
	}
	if w.anchored && w.fault == "" {
		w.fault = w.recheck()
	}
	return w.path
}

// verify follows the chain with crypto/x509: names, dates at the time at,
// constraints and signatures, and what the certificate may be used for.
func verify(c *x509.Certificate, more []*x509.Certificate, t TLS, at time.Time, usage x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	pool := x509.NewCertPool()
	for _, m := range more {
		pool.AddCert(m)
	}
	return c.Verify(x509.VerifyOptions{
		Roots: t.Roots, Intermediates: pool, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage},
	})
}

func shortest(chains [][]*x509.Certificate) []*x509.Certificate {
	best := chains[0]
	for _, chain := range chains[1:] {
		if len(chain) < len(best) {
			best = chain
		}
	}
	return best
}

// within is the time nearest to at when c is valid.
func within(c *x509.Certificate, at time.Time) time.Time {
	switch {
	case at.After(c.NotAfter):
		return c.NotAfter
	case at.Before(c.NotBefore):
		return c.NotBefore
	}
	return at
}

// walk goes the way that crypto/x509 could not, to see where it ends.
type walk struct {
	path
	sent []*x509.Certificate
	t    TLS
	now  time.Time
	left int // signatures that may still be checked
}

// step goes from the last certificate to its issuer, and reports whether it got
// there without a fault.
func (w *walk) step() bool {
	c := w.certs[len(w.certs)-1]
	if w.toStore(c) {
		return false
	}
	name := CertificateTitle(c)
	if selfSigned(c) {
		if w.fault = fmt.Sprintf("ends at the self-signed %s, which is not in %s", name, w.t.Store); len(w.certs) == 1 {
			w.fault = "self-signed, and not in " + w.t.Store
		}
		return false
	}
	forged := false
	for _, parent := range w.sent {
		if string(parent.RawSubject) != string(c.RawIssuer) || w.has(parent) {
			continue
		}
		if !weakSignature(c.SignatureAlgorithm) {
			if w.left--; w.left < 0 {
				w.fault = fmt.Sprintf("not followed to its end: over %d signatures", maxLinks)
				return false
			}
			if !signedBy(c, parent) {
				forged = true
				continue
			}
		}
		w.fault = w.entitled(c, parent)
		w.certs = append(w.certs, parent)
		return w.fault == ""
	}
	switch {
	case forged:
		w.fault = fmt.Sprintf("%s names %s as its issuer, and the key of the one that was sent did not sign it", name, issuerTitle(c))
	case len(w.sent) == maxChain:
		w.fault = fmt.Sprintf("not followed behind %s: only the first %d certificates are looked at", name, maxChain)
	default:
		w.fault = fmt.Sprintf("ends at %s, whose issuer %s is neither sent nor in %s", name, issuerTitle(c), w.t.Store)
	}
	return false
}

func (w *walk) has(c *x509.Certificate) bool {
	for _, known := range w.certs {
		if known.Equal(c) {
			return true
		}
	}
	return false
}

// toStore looks for c, or for its issuer, in the store, which can only be asked
// by verifying, and reports whether the walk ends there.
func (w *walk) toStore(c *x509.Certificate) bool {
	chains, err := verify(c, nil, w.t, within(c, w.now), x509.ExtKeyUsageAny)
	var invalid x509.CertificateInvalidError
	var critical x509.UnhandledCriticalExtension
	switch {
	case err == nil:
		w.certs, w.anchored = append(w.certs, chains[0][1:]...), true
	case errors.As(err, &invalid) && invalid.Cert != nil && !invalid.Cert.Equal(c):
		w.certs, w.anchored = append(w.certs, invalid.Cert), true
		w.fault = w.invalid(invalid)
	case errors.As(err, &critical):
		w.fault = CertificateTitle(c) + " has a critical extension that is unknown here"
	case !strings.Contains(err.Error(), "while trying to verify candidate authority"): // as x509.UnknownAuthorityError says what it tried
		return false
	case w.sends(c):
		return false // another of that name was sent
	case weakSignature(c.SignatureAlgorithm):
		w.anchored, w.byName = true, true // that it proves nothing is the verdict on signatures
	default:
		w.fault = fmt.Sprintf("%s names %s as its issuer, and the key of the one in %s did not sign it", CertificateTitle(c), issuerTitle(c), w.t.Store)
	}
	return true
}

// sends reports whether a certificate with the name of c's issuer was sent.
func (w *walk) sends(c *x509.Certificate) bool {
	for _, parent := range w.sent {
		if string(parent.RawSubject) == string(c.RawIssuer) && !w.has(parent) {
			return true
		}
	}
	return false
}

// entitled is why parent may not have signed c, or "".
func (w *walk) entitled(c, parent *x509.Certificate) string {
	name, by := CertificateTitle(c), CertificateTitle(parent)
	switch {
	case parent.Version == 3 && !(parent.BasicConstraintsValid && parent.IsCA), parent.Version < 3:
		return fmt.Sprintf("%s was issued by %s, which is no certificate authority (basic constraints)", name, by)
	case parent.KeyUsage != 0 && parent.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Sprintf("%s was issued by %s, whose key may not sign certificates (key usage)", name, by)
	case parent.MaxPathLen >= 0 && len(w.certs)-1 > parent.MaxPathLen:
		return fmt.Sprintf("%s allows %d authorities below it, and there are %d (path length)", by, parent.MaxPathLen, len(w.certs)-1)
	}
	return ""
}

// recheck verifies the path that was walked at a time when all of it is valid,
// for what the steps do not see: constraints on names.
func (w *walk) recheck() string {
	at := within(w.certs[0], w.now)
	from, until := w.certs[0].NotBefore, w.certs[0].NotAfter
	for _, c := range w.certs[1:] {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	switch {
	case at.Before(from):
		at = from
	case at.After(until):
		at = until
	}
	_, err := verify(w.certs[0], w.certs[1:], w.t, at, x509.ExtKeyUsageAny)
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &invalid):
		return w.invalid(invalid)
	}
	for _, c := range w.certs {
		if weakSignature(c.SignatureAlgorithm) {
			return "" // crypto/x509 does not follow it, and the verdict on signatures says so
		}
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

// invalid says what crypto/x509 found in a certificate, or "" if the verdict on
// dates says it.
func (w *walk) invalid(err x509.CertificateInvalidError) string {
	name := CertificateTitle(err.Cert)
	switch err.Reason {
	case x509.Expired:
		if slices.ContainsFunc(w.certs[:len(w.certs)-1], err.Cert.Equal) {
			return ""
		}
		fault := dateFault(err.Cert, w.now)
		if fault == "" { // it is not valid when the first certificate is
			fault = "is valid from " + minute(err.Cert.NotBefore) + " to " + minute(err.Cert.NotAfter)
		}
		return fmt.Sprintf("leads to %s, in %s, which %s", name, w.t.Store, fault)
	case x509.NotAuthorizedToSign:
		return name + " is no certificate authority (basic constraints)"
	case x509.TooManyIntermediates:
		return fmt.Sprintf("more authorities below %s than it allows (path length)", name)
	case x509.CANotAuthorizedForThisName, x509.TooManyConstraints, x509.NameConstraintsWithoutSANs, x509.UnconstrainedName:
		return fmt.Sprintf("%s may not vouch for %s (name constraints): %s", w.narrow(), CertificateTitle(w.certs[0]), err.Detail)
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

// narrow names the authority that is only for some names.
func (w *walk) narrow() string {
	for _, c := range w.certs {
		if len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedIPRanges)+len(c.ExcludedIPRanges) > 0 {
			return CertificateTitle(c)
		}
	}
	return "an authority"
}
