package policy

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Line is one thing that was checked of a certificate, and how it came out.
type Line struct {
	Check string `json:"check"` // "dane", "name", "dates", "chain"
	OK    bool   `json:"ok"`
	Text  string `json:"text"`
}

// allOK reports whether lines hold no fault, and are not empty.
func allOK(lines []Line) bool {
	for _, l := range lines {
		if !l.OK {
			return false
		}
	}
	return len(lines) > 0
}

// nameLine says whether leaf is for one of names (RFC 9525 section 6). The common
// name does not count.
func nameLine(leaf *x509.Certificate, names []string) Line {
	for _, name := range names {
		if leaf.VerifyHostname(name) == nil {
			return Line{"name", true, "the certificate is for " + name}
		}
	}
	wanted := strings.Join(names, " or ")
	var listed []string
	listed = append(listed, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		listed = append(listed, ip.String())
	}
	switch {
	case len(listed) > 0:
		return Line{"name", false, fmt.Sprintf("wanted %s; the certificate is for %s", wanted, listing(listed))}
	case leaf.Subject.CommonName != "":
		return Line{"name", false, fmt.Sprintf("wanted %s; the certificate lists no name, and its common name %s does not count (RFC 9525)",
			wanted, clip(leaf.Subject.CommonName))}
	}
	return Line{"name", false, fmt.Sprintf("wanted %s; the certificate lists no name", wanted)}
}

// datesLine says whether every certificate of path is valid at now.
func datesLine(path []*x509.Certificate, now time.Time) Line {
	for i, c := range path {
		which := ""
		if i > 0 {
			which = subject(c) + " "
		}
		switch {
		case now.After(c.NotAfter):
			return Line{"dates", false, fmt.Sprintf("%sexpired %s ago, on %s", which, days(now.Sub(c.NotAfter)), minute(c.NotAfter))}
		case now.Before(c.NotBefore):
			return Line{"dates", false, fmt.Sprintf("%snot valid before %s, in %s", which, minute(c.NotBefore), days(c.NotBefore.Sub(now)))}
		}
	}
	return Line{"dates", true, "valid until " + minute(path[0].NotAfter)}
}

// pathTo finds the path from the first of chain to a certificate of roots (nil: the
// system's) by RFC 5280. What has expired is no obstacle if the path was good when all
// of it was valid, for the dates are judged apart; anchor, if not nil, counts among what
// has dates. The path begins with the first of chain.
func pathTo(chain []*x509.Certificate, roots *x509.CertPool, anchor *x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	rest := x509.NewCertPool()
	for _, c := range chain[1:] {
		rest.AddCert(c)
	}
	all := chain
	if anchor != nil {
		all = append(chain[:len(chain):len(chain)], anchor)
	}
	var failed error
	for _, at := range []time.Time{now, valid(chain[:1], now), valid(all, now)} {
		paths, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: rest, CurrentTime: at})
		if err == nil {
			return paths[0], nil
		}
		var expired x509.CertificateInvalidError
		if failed == nil || errors.As(failed, &expired) && expired.Reason == x509.Expired {
			failed = err
		}
	}
	return nil, failed
}

// valid is the time nearest to now at which all certificates are valid; now if
// there is none.
func valid(certificates []*x509.Certificate, now time.Time) time.Time {
	from, to := certificates[0].NotBefore, certificates[0].NotAfter
	for _, c := range certificates[1:] {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if c.NotAfter.Before(to) {
			to = c.NotAfter
		}
	}
	switch {
	case from.After(to):
	case now.After(to):
		return to
	case now.Before(from):
		return from
	}
	return now
}

// webPKI judges a chain as browsers do: its name, its dates, and whether it leads to
// roots, which are called store.
func webPKI(chain []*x509.Certificate, name string, roots *x509.CertPool, store string, now time.Time) []Line {
	if len(chain) == 0 {
		return []Line{{"chain", false, "the server sent no certificate"}}
	}
	chain = chain[:min(len(chain), maxChain)]
	lines := []Line{nameLine(chain[0], []string{name})}
	path, err := pathTo(chain, roots, nil, now)
	if err != nil {
		return append(lines, datesLine(chain, now), Line{"chain", false, chainFault(chain, store, err)})
	}
	return append(lines, datesLine(path, now),
		Line{"chain", true, fmt.Sprintf("leads to %s, in %s", subject(path[len(path)-1]), store)})
}

// chainFault says where a chain breaks.
func chainFault(chain []*x509.Certificate, store string, err error) string {
	leaf, last := chain[0], chain[len(chain)-1]
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown) && string(leaf.RawIssuer) == string(leaf.RawSubject):
		return "self-signed, and not in " + store
	case errors.As(err, &unknown) && string(last.RawIssuer) == string(last.RawSubject):
		return fmt.Sprintf("ends at %s, which is not in %s", subject(last), store)
	case errors.As(err, &unknown):
		return fmt.Sprintf("ends at %s, whose issuer %s is neither sent nor in %s", subject(last), issuer(last), store)
	}
	return pathFault(err)
}

// pathFault words an error of Verify.
func pathFault(err error) string {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage {
		return "not for servers: its extended key usage does not allow it"
	}
	return clip(strings.TrimPrefix(err.Error(), "x509: "))
}

func subject(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return clip(c.Subject.CommonName)
	}
	return clip(c.Subject.String())
}

func issuer(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return clip(c.Issuer.CommonName)
	}
	return clip(c.Issuer.String())
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

func days(d time.Duration) string { return transcript.Count(int(d.Hours()/24), "day") }
