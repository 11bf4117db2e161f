package dialog

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// TLSVerdict is one thing that a certificate has to satisfy.
type TLSVerdict struct {
	Check string `json:"check"` // "name", "dates", "chain", "usage", "key", "signature"; "dane" from TLS.Prove
	OK    bool   `json:"ok"`
	Text  string `json:"text"`
}

// inspection judges a chain from every side at once, so that several faults are
// all seen.
type inspection struct {
	TLS
	now     time.Time
	suite   uint16
	sent    []*x509.Certificate // not empty, and not more than maxChain
	path    path
	remarks []string
}

// prove gives the verdicts, by no more of the system's store than they take.
func (in *inspection) prove() []TLSVerdict {
	if in.Roots != nil || !readsFiles() {
		return in.verdicts()
	}
	store := systemStore{chain: in.sent, found: x509.NewCertPool()}
	store.readFile()
	in.Roots = store.found
	verdicts := in.verdicts()
	if enough := in.path.anchored && proven(verdicts[1:]); !enough && store.readDirectories() { // the name, which is first, is the certificate's own
		verdicts = in.verdicts()
	}
	if chain := &verdicts[2]; !chain.OK && store.fault != nil {
		chain.Text += "; the store could not be read: " + store.fault.Error()
	}
	return verdicts
}

// verdicts are all six. What crypto/x509 refuses for a reason of its own is a
// fault of the chain, so that none of ours being found never proves a name.
func (in *inspection) verdicts() []TLSVerdict {
	in.remarks = nil
	in.path = follow(in.sent, in.TLS, in.now)
	verdicts := []TLSVerdict{in.name(), in.dates(), in.chain(), in.usage(), in.key(), in.signature()}
	if proven(verdicts) && !in.path.sound {
		if _, err := verify(in.sent[0], in.sent[1:], in.TLS, in.now, x509.ExtKeyUsageServerAuth); err != nil {
			verdicts[2] = TLSVerdict{"chain", false, strings.TrimPrefix(err.Error(), "x509: ")}
		}
	}
	in.order()
	return verdicts
}

// proven reports whether there are verdicts, and all are good.
func proven(verdicts []TLSVerdict) bool {
	return len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v TLSVerdict) bool { return !v.OK })
}

// judged are the certificates that have to be good: those on the way to the
// store, or all of them if there is no way. The one in the store is left out:
// who runs this host has chosen it.
func (in *inspection) judged() []*x509.Certificate {
	switch certs := in.path.certs; {
	case !in.path.anchored:
		return in.sent
	case len(certs) == 1 || in.path.byName:
		return certs
	default:
		return certs[:len(certs)-1]
	}
}

// title names a certificate in a verdict: the first one not at all, as it is
// what the verdict is about.
func (in *inspection) title(c *x509.Certificate) string {
	if c.Equal(in.sent[0]) {
		return ""
	}
	return CertificateTitle(c) + " "
}

// name follows RFC 9525: only the subject alternative names count, and a
// wildcard stands for the whole left-most label.
func (in *inspection) name() TLSVerdict {
	leaf, name := in.sent[0], in.Name
	wanted := name
	if net.ParseIP(name) != nil {
		wanted = "[" + name + "]"
	}
	if leaf.VerifyHostname(wanted) == nil {
		return TLSVerdict{"name", true, "the certificate is for " + name}
	}
	names := certificateNames(leaf)
	text := fmt.Sprintf("wanted %s; the certificate lists no name", name)
	if len(names) > 0 {
		more := ""
		if len(names) > 5 {
			names, more = names[:5], fmt.Sprintf(" and %d more", len(names)-5)
		}
		text = fmt.Sprintf("wanted %s; the certificate is for %s%s", name, strings.Join(names, ", "), more)
	}
	for _, pattern := range leaf.DNSNames {
		if rest, ok := strings.CutPrefix(pattern, "*."); ok && strings.HasSuffix(strings.ToLower(name), "."+strings.ToLower(rest)) {
			text += "; * stands for one label (RFC 9525 section 6.3)"
			break
		}
	}
	if common := leaf.Subject.CommonName; common != "" && (len(names) == 0 || strings.EqualFold(common, name)) {
		text += fmt.Sprintf("; its CN %s does not count (RFC 9525)", common)
	}
	return TLSVerdict{"name", false, text}
}

func (in *inspection) dates() TLSVerdict {
	var faults []string
	for _, c := range in.judged() {
		if fault := dateFault(c, in.now); fault != "" {
			faults = append(faults, in.title(c)+fault)
		}
	}
	if len(faults) > 0 {
		return TLSVerdict{"dates", false, strings.Join(faults, "; ")}
	}
	return TLSVerdict{"dates", true, "valid until " + minute(in.sent[0].NotAfter)}
}

// dateFault says by how much now is outside of the time when c is valid.
func dateFault(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return fmt.Sprintf("expired %s ago, on %s", span(now.Sub(c.NotAfter)), minute(c.NotAfter))
	case now.Before(c.NotBefore):
		return fmt.Sprintf("not valid before %s, in %s", minute(c.NotBefore), span(c.NotBefore.Sub(now)))
	}
	return ""
}

// span is a time in whole days, below one in whole hours, below one in minutes.
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return transcript.Count(int(d/(24*time.Hour)), "day")
	case d >= time.Hour:
		return transcript.Count(int(d/time.Hour), "hour")
	}
	return transcript.Count(int(d/time.Minute), "minute")
}

func (in *inspection) chain() TLSVerdict {
	certs := in.path.certs
	last := certs[len(certs)-1]
	switch {
	case in.path.fault != "":
		return TLSVerdict{"chain", false, in.path.fault}
	case in.path.byName:
		return TLSVerdict{"chain", true, fmt.Sprintf("names %s, in %s", issuerTitle(last), in.Store)}
	case len(certs) == 1:
		return TLSVerdict{"chain", true, "the certificate itself is in " + in.Store}
	}
	return TLSVerdict{"chain", true, fmt.Sprintf("leads to %s, in %s", CertificateTitle(last), in.Store)}
}

// usage looks at what the keys may be used for (RFC 5280 sections 4.2.1.3 and
// 4.2.1.12).
func (in *inspection) usage() TLSVerdict {
	leaf := in.sent[0]
	var faults []string
	for _, c := range in.judged() {
		if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
			only := "other things"
			if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
				only = "clients"
			}
			faults = append(faults, fmt.Sprintf("%sfor %s, not for TLS servers (extended key usage)", in.title(c), only))
		}
	}
	switch exchange := rsaExchange(in.suite); {
	case leaf.KeyUsage == 0:
	case exchange && leaf.KeyUsage&x509.KeyUsageKeyEncipherment == 0:
		faults = append(faults, "its key may not encipher keys, and the suite needs that (key usage)")
	case !exchange && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		faults = append(faults, "its key may not sign, and the handshake is signed with it (key usage)")
	}
	if len(faults) > 0 {
		return TLSVerdict{"usage", false, strings.Join(faults, "; ")}
	}
	return TLSVerdict{"usage", true, "good for TLS servers"}
}

// rsaExchange reports whether the suite sends the session's secret under the
// server's key, in place of a signature.
func rsaExchange(suite uint16) bool {
	return strings.HasPrefix(tls.CipherSuiteName(suite), "TLS_RSA_")
}

// The smallest keys that are taken for strong: 112 bits of security, NIST SP
// 800-57 part 1.
const (
	minRSA = 2048
	minEC  = 224
)

func (in *inspection) key() TLSVerdict {
	var faults []string
	certs := in.path.certs // a weak key in the store forges as well as any other
	if !in.path.anchored {
		certs = in.sent
	}
	for _, c := range certs {
		if fault := keyFault(c); fault != "" {
			faults = append(faults, in.title(c)+fault)
		}
	}
	if len(faults) > 0 {
		return TLSVerdict{"key", false, strings.Join(faults, "; ")}
	}
	return TLSVerdict{"key", true, certificateKey(in.sent[0])}
}

func keyFault(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits < minRSA:
			return fmt.Sprintf("RSA %d: below %d bits it can be broken", bits, minRSA)
		case k.E < 3 || k.E%2 == 0:
			return fmt.Sprintf("RSA %d with the exponent %d", bits, k.E)
		}
	case *ecdsa.PublicKey:
		if k.Params().BitSize < minEC {
			return fmt.Sprintf("%s: below %d bits it can be broken", keyText(k), minEC)
		}
	case ed25519.PublicKey:
	default:
		return fmt.Sprintf("a key of a kind that TLS does not know: %s", certificateKey(c))
	}
	return ""
}

// signature looks for hashes that can be forged. A certificate that signs
// itself proves nothing by it, whatever the hash.
func (in *inspection) signature() TLSVerdict {
	var faults []string
	for _, c := range in.judged() {
		if weakSignature(c.SignatureAlgorithm) && !selfIssued(c) {
			faults = append(faults, fmt.Sprintf("%ssigned with %s, which proves nothing", in.title(c), signatureText(c)))
		}
	}
	if len(faults) > 0 {
		return TLSVerdict{"signature", false, strings.Join(faults, "; ")}
	}
	return TLSVerdict{"signature", true, in.sent[0].SignatureAlgorithm.String()}
}

func signatureText(c *x509.Certificate) string {
	if c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		return "an unknown algorithm"
	}
	return c.SignatureAlgorithm.String()
}

// weakSignature reports whether an algorithm rests on a hash in which collisions
// can be made, or is not known.
func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA,
		x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// order remarks on a chain that is not sent as RFC 5246 section 7.4.2 has it:
// in order, without the root, and nothing else.
func (in *inspection) order() {
	say := func(format string, args ...any) { in.remarks = append(in.remarks, fmt.Sprintf(format, args...)) }
	next := 0
	for i, c := range in.sent {
		at := slices.IndexFunc(in.path.certs, c.Equal)
		switch {
		case slices.ContainsFunc(in.sent[:i], c.Equal):
			say("certificate %d is sent twice: %s", i, CertificateTitle(c))
		case at < 0 && !in.path.anchored:
		case at < 0:
			fault := dateFault(c, in.now)
			if fault != "" {
				fault = "; it " + fault
			}
			say("certificate %d is not needed: %s%s", i, CertificateTitle(c), fault)
		case at > 0 && at == len(in.path.certs)-1 && in.path.anchored && selfIssued(c):
			say("certificate %d is not needed: whoever trusts the root %s has it", i, CertificateTitle(c))
		case at != next:
			say("certificate %d is out of order: %s", i, CertificateTitle(c))
			next = at + 1
		default:
			next = at + 1
		}
	}
}
