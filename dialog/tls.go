package dialog

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// TLSReport is what a handshake negotiated, and every verdict on the
// certificate: observed first, whatever the policy then makes of it.
type TLSReport struct {
	Implicit bool
	Version  uint16
	Suite    uint16
	Group    tls.CurveID
	Name     string // that the certificate had to prove
	Chain    []*x509.Certificate
	Verdicts []TLSVerdict // name, dates, chain
	Left     int          // whole days until the first certificate expires, negative since
	Demanded bool         // the policy needs proof
	Took     time.Duration
}

// TLSVerdict is one thing that a certificate has to satisfy.
type TLSVerdict struct {
	Check string `json:"check"` // "name", "dates", "chain"
	OK    bool   `json:"ok"`
	Text  string `json:"text"`
}

// Verified reports whether the certificate proves the name.
func (r *TLSReport) Verified() bool {
	for _, v := range r.Verdicts {
		if !v.OK {
			return false
		}
	}
	return len(r.Verdicts) > 0
}

// Kind is "tls".
func (r *TLSReport) Kind() string { return "tls" }

// Summary is what was negotiated, and first whether the certificate proves the
// name.
func (r *TLSReport) Summary() string {
	parts := []string{"not verified"}
	if r.Verified() {
		parts[0] = fmt.Sprintf("verified %s, %s left", r.Name, count(r.Left, "day"))
	}
	parts = append(parts, tls.VersionName(r.Version), suiteName(r.Suite))
	if r.Group != 0 {
		parts = append(parts, r.Group.String())
	}
	return strings.Join(parts, " · ")
}

// Lines is one line, and if the certificate proves nothing one for each verdict.
func (r *TLSReport) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.Phase, Label: "tls", Took: r.Took, Text: r.Summary()}}
	if r.Version < tls.VersionTLS12 {
		lines = append(lines, transcript.Line{Mark: transcript.Finding, Text: tls.VersionName(r.Version) + " is deprecated (RFC 8996)"})
	}
	for _, v := range r.Verdicts {
		mark := transcript.Good
		switch {
		case r.Verified():
			mark = transcript.Note
		case !v.OK && r.Demanded:
			mark = transcript.Failure
		case !v.OK:
			mark = transcript.Finding
		}
		lines = append(lines, transcript.Line{Mark: mark, Text: v.Check + ": " + v.Text})
	}
	for i, c := range r.Chain {
		lines = append(lines, transcript.Line{Mark: transcript.Note, Text: fmt.Sprintf("certificate %d: %s, by %s, until %s",
			i, commonName(c.Subject.CommonName, c.Subject.String()), commonName(c.Issuer.CommonName, c.Issuer.String()), minute(c.NotAfter))})
	}
	return lines
}

// MarshalJSON gives what was negotiated, the verdicts and the chain.
func (r *TLSReport) MarshalJSON() ([]byte, error) {
	type certificate struct {
		Subject   string    `json:"subject"`
		Issuer    string    `json:"issuer"`
		Names     []string  `json:"names"`
		NotBefore time.Time `json:"not_before"`
		NotAfter  time.Time `json:"not_after"`
	}
	chain := []certificate{} // never null
	for _, c := range r.Chain {
		chain = append(chain, certificate{c.Subject.String(), c.Issuer.String(), certificateNames(c), c.NotBefore.UTC(), c.NotAfter.UTC()})
	}
	group := ""
	if r.Group != 0 {
		group = r.Group.String()
	}
	return json.Marshal(struct {
		Verified bool          `json:"verified"`
		Implicit bool          `json:"implicit"`
		Version  string        `json:"version"`
		Suite    string        `json:"suite"`
		Group    string        `json:"group,omitempty"`
		Name     string        `json:"name"`
		DaysLeft int           `json:"days_left"`
		Verdicts []TLSVerdict  `json:"verdicts"`
		Chain    []certificate `json:"chain"`
		TookMS   float64       `json:"took_ms"`
	}{r.Verified(), r.Implicit, tls.VersionName(r.Version), tls.CipherSuiteName(r.Suite), group, r.Name, r.Left, r.Verdicts, chain, milliseconds(r.Took)})
}

// suiteName is a suite's name without what TLS 1.3 leaves out of it too.
func suiteName(id uint16) string {
	name := strings.TrimPrefix(tls.CipherSuiteName(id), "TLS_")
	if cut := strings.TrimSuffix(name, "_SHA256"); strings.HasPrefix(name, "AES_128") || strings.HasPrefix(name, "CHACHA20") {
		return cut
	}
	if cut := strings.TrimSuffix(name, "_SHA384"); strings.HasPrefix(name, "AES_256") {
		return cut
	}
	return name
}

// observe judges the certificate three ways at once, so that several faults are
// all seen: its names (RFC 9525), its dates, and the chain (RFC 5280), which is
// followed at a time when the first certificate is valid.
func observe(state tls.ConnectionState, t TLS, now time.Time) *TLSReport {
	r := &TLSReport{Demanded: t.Policy >= PolicyVerify, Version: state.Version, Suite: state.CipherSuite, Group: state.CurveID, Name: t.Name, Chain: state.PeerCertificates}
	if len(r.Chain) == 0 {
		r.Verdicts = []TLSVerdict{{"chain", false, "the server sent no certificate"}}
		return r
	}
	leaf := r.Chain[0]
	r.Left = int(leaf.NotAfter.Sub(now).Hours() / 24)
	r.Verdicts = []TLSVerdict{nameVerdict(leaf, t.Name), datesVerdict(r.Chain, now), chainVerdict(r.Chain, t, now)}
	return r
}

func nameVerdict(leaf *x509.Certificate, name string) TLSVerdict {
	wanted := name
	if net.ParseIP(name) != nil {
		wanted = "[" + name + "]"
	}
	if leaf.VerifyHostname(wanted) == nil {
		return TLSVerdict{"name", true, "the certificate is for " + name}
	}
	names := certificateNames(leaf)
	if len(names) == 0 {
		return TLSVerdict{"name", false, fmt.Sprintf("wanted %s; the certificate lists no name", name)}
	}
	more := ""
	if len(names) > 5 {
		names, more = names[:5], fmt.Sprintf(" and %d more", len(names)-5)
	}
	return TLSVerdict{"name", false, fmt.Sprintf("wanted %s; the certificate is for %s%s", name, strings.Join(names, ", "), more)}
}

func certificateNames(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func datesVerdict(chain []*x509.Certificate, now time.Time) TLSVerdict {
	for i, c := range chain {
		which := ""
		if i > 0 {
			which = c.Subject.CommonName + " "
		}
		switch {
		case now.After(c.NotAfter):
			return TLSVerdict{"dates", false, fmt.Sprintf("%sexpired %s ago, on %s", which, count(int(now.Sub(c.NotAfter).Hours()/24), "day"), minute(c.NotAfter))}
		case now.Before(c.NotBefore):
			return TLSVerdict{"dates", false, fmt.Sprintf("%snot valid before %s", which, minute(c.NotBefore))}
		}
	}
	return TLSVerdict{"dates", true, "valid until " + minute(chain[0].NotAfter)}
}

func chainVerdict(chain []*x509.Certificate, t TLS, now time.Time) TLSVerdict {
	leaf := chain[0]
	if now.After(leaf.NotAfter) {
		now = leaf.NotAfter
	}
	if now.Before(leaf.NotBefore) {
		now = leaf.NotBefore
	}
	rest := x509.NewCertPool()
	for _, c := range chain[1:] {
		rest.AddCert(c)
	}
	found, err := leaf.Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: rest, CurrentTime: now})
	if err == nil {
		root := found[0][len(found[0])-1]
		return TLSVerdict{"chain", true, fmt.Sprintf("leads to %s, in %s", commonName(root.Subject.CommonName, root.Subject.String()), t.Store)}
	}
	last := chain[len(chain)-1]
	var unknown x509.UnknownAuthorityError
	switch {
	case len(chain) == 1 && leaf.CheckSignatureFrom(leaf) == nil || string(leaf.RawIssuer) == string(leaf.RawSubject):
		return TLSVerdict{"chain", false, "self-signed, and not in " + t.Store}
	case errors.As(err, &unknown):
		return TLSVerdict{"chain", false, fmt.Sprintf("ends at %s, whose issuer %s is neither sent nor in %s",
			commonName(last.Subject.CommonName, last.Subject.String()), commonName(last.Issuer.CommonName, last.Issuer.String()), t.Store)}
	}
	return TLSVerdict{"chain", false, strings.TrimPrefix(err.Error(), "x509: ")}
}

func commonName(name, whole string) string {
	if name != "" {
		return name
	}
	return whole
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
