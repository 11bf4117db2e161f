package route

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// fault says all that is wrong with the certificate of s: its name, its dates, the
// chain, which is followed at a time when the certificate is valid. The decision was
// crypto/tls's; this only words it.
func (c *Client) fault(wrong *tls.CertificateVerificationError, s Server) error {
	if len(wrong.UnverifiedCertificates) == 0 {
		return wrong.Err
	}
	chain, now := wrong.UnverifiedCertificates, c.now()
	var faults []string
	for _, fault := range []string{nameFault(chain[0], s.proves()), datesFault(chain, now), c.chainFault(chain, now)} {
		if fault != "" {
			faults = append(faults, fault)
		}
	}
	if len(faults) == 0 {
		return wrong.Err
	}
	return errors.New(strings.Join(faults, "; "))
}

func nameFault(leaf *x509.Certificate, name string) string {
	if leaf.VerifyHostname(name) == nil {
		return ""
	}
	names := append([]string(nil), leaf.DNSNames...)
	for _, addr := range leaf.IPAddresses {
		names = append(names, addr.String())
	}
	switch n := len(names); {
	case n == 0:
		return fmt.Sprintf("name: wanted %s; it lists no name", name)
	case n > maxNames:
		return fmt.Sprintf("name: wanted %s; it is for %s and %d more", name, strings.Join(names[:maxNames], ", "), n-maxNames)
	}
	return fmt.Sprintf("name: wanted %s; it is for %s", name, strings.Join(names, ", "))
}

func datesFault(chain []*x509.Certificate, now time.Time) string {
	for i, cert := range chain {
		which := ""
		if i > 0 {
			which = cert.Subject.String() + " "
		}
		switch {
		case now.After(cert.NotAfter):
			return fmt.Sprintf("dates: %sexpired on %s", which, minute(cert.NotAfter))
		case now.Before(cert.NotBefore):
			return fmt.Sprintf("dates: %snot valid before %s", which, minute(cert.NotBefore))
		}
	}
	return ""
}

func (c *Client) chainFault(chain []*x509.Certificate, now time.Time) string {
	leaf, rest := chain[0], x509.NewCertPool()
	for _, cert := range chain[1:] {
		rest.AddCert(cert)
	}
	switch {
	case now.After(leaf.NotAfter):
		now = leaf.NotAfter
	case now.Before(leaf.NotBefore):
		now = leaf.NotBefore
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.Roots, Intermediates: rest, CurrentTime: now})
	switch {
	case err == nil:
		return ""
	case string(leaf.RawIssuer) == string(leaf.RawSubject):
		return "chain: self-signed, and not trusted"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Sprintf("chain: ends at %s, whom no trusted certificate has signed", chain[len(chain)-1].Subject)
	}
	return "chain: " + strings.TrimPrefix(err.Error(), "x509: ")
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
