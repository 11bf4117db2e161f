package dialog

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
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
	Group    tls.CurveID // 0 where the key exchange has none
	ALPN     string      // the protocol that was agreed on; "" if none was
	Resumed  bool        // an earlier session went on: what the server showed then is judged again
	Name     string      // that the certificate had to prove
	Left     int         // whole days until the first certificate expires, negative since
	Demanded bool        // the policy needs proof
	Took     time.Duration

	Chain  []*x509.Certificate // as the server sent it
	Path   []*x509.Certificate // as it was followed: to the store, or to where it breaks
	Staple []byte              // an OCSP response, as it came; see OCSP
	SCTs   int                 // signed certificate timestamps in the handshake (RFC 6962)
	Asked  bool                // the server asked for a client certificate
	Shown  bool                // one was shown

	Verdicts []TLSVerdict // that Verified counts: name, dates, chain, usage, key, signature; or TLS.Prove's
	Observed []TLSVerdict // those that TLS.Prove took the place of
	Remarks  []string     // what is odd and no fault
	warnings []string     // what is weak whatever the certificate proves
}

// Verified reports whether the server proved the name.
func (r *TLSReport) Verified() bool { return proven(r.Verdicts) }

// Kind is "tls".
func (r *TLSReport) Kind() string { return "tls" }

// Summary is what was negotiated, and first whether the certificate proves the
// name.
func (r *TLSReport) Summary() string {
	parts := []string{"not verified"}
	if r.Verified() {
		parts[0] = "verified " + r.Name
		if len(r.Observed) > 0 {
			parts[0] += " by " + strings.ToUpper(r.Verdicts[0].Check)
		}
		if r.Left >= 0 {
			parts[0] += fmt.Sprintf(", %s left", transcript.Count(r.Left, "day"))
		}
	}
	parts = append(parts, tls.VersionName(r.Version), suiteName(r.Suite))
	if r.Group != 0 {
		parts = append(parts, r.Group.String())
	}
	return strings.Join(parts, " · ")
}

// Lines is one line, below it what is weak, and if the certificate proves
// nothing a line for each of name, dates and chain and for whatever else is
// wrong. The rest are notes.
func (r *TLSReport) Lines() []transcript.Line {
	lines := []transcript.Line{{Mark: transcript.Phase, Label: "tls", Took: r.Took, Text: r.Summary()}}
	say := func(mark transcript.Mark, text string) {
		lines = append(lines, transcript.Line{Mark: mark, Text: text})
	}
	for _, w := range r.warnings {
		say(transcript.Finding, w)
	}
	for _, v := range r.Verdicts {
		say(r.mark(v), v.Check+": "+v.Text)
	}
	for _, v := range r.Observed {
		text := v.Check + ": " + v.Text
		if !v.OK {
			text += " (does not count)"
		}
		say(transcript.Note, text)
	}
	for i, c := range r.Chain[:min(len(r.Chain), maxChain)] {
		say(transcript.Note, fmt.Sprintf("certificate %d: %s, by %s, %s, until %s", i, CertificateTitle(c), issuerTitle(c), certificateKey(c), minute(c.NotAfter)))
	}
	for _, text := range r.Remarks {
		say(transcript.Note, text)
	}
	return lines
}

func (r *TLSReport) mark(v TLSVerdict) transcript.Mark {
	minor := v.Check == "usage" || v.Check == "key" || v.Check == "signature"
	switch {
	case r.Verified(), v.OK && minor:
		return transcript.Note
	case v.OK:
		return transcript.Good
	case r.Demanded:
		return transcript.Failure
	}
	return transcript.Finding
}

// MarshalJSON gives what was negotiated, the verdicts and the chain, at most 20
// certificates of it.
func (r *TLSReport) MarshalJSON() ([]byte, error) {
	chain := []Certificate{} // never null
	for _, c := range r.Chain[:min(len(r.Chain), maxChain)] {
		chain = append(chain, Describe(c))
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
		ALPN     string        `json:"alpn"`
		Resumed  bool          `json:"resumed"`
		Name     string        `json:"name"`
		DaysLeft int           `json:"days_left"`
		Asked    bool          `json:"client_certificate_asked"`
		Shown    bool          `json:"client_certificate_shown"`
		OCSP     string        `json:"ocsp"`
		SCTs     int           `json:"scts"`
		Verdicts []TLSVerdict  `json:"verdicts"`
		Observed []TLSVerdict  `json:"observed"`
		Warnings []string      `json:"warnings"`
		Remarks  []string      `json:"remarks"`
		Chain    []Certificate `json:"chain"`
		TookMS   float64       `json:"took_ms"`
	}{
		r.Verified(), r.Implicit, tls.VersionName(r.Version), tls.CipherSuiteName(r.Suite), group, r.ALPN, r.Resumed,
		r.Name, r.Left, r.Asked, r.Shown, r.stapleStatus(), r.SCTs,
		list(r.Verdicts), list(r.Observed), list(r.warnings), list(r.Remarks), chain, milliseconds(r.Took),
	})
}

// list is values, and never null in JSON.
func list[T any](values []T) []T { return append([]T{}, values...) }

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

// observe judges what a handshake showed.
func observe(state tls.ConnectionState, t TLS, now time.Time) *TLSReport {
	r := &TLSReport{
		Demanded: t.Policy >= PolicyVerify, Name: t.Name, Chain: state.PeerCertificates,
		Version: state.Version, Suite: state.CipherSuite, Group: state.CurveID, ALPN: state.NegotiatedProtocol, Resumed: state.DidResume,
		Staple: state.OCSPResponse, SCTs: len(state.SignedCertificateTimestamps),
	}
	r.weigh(t)
	if len(r.Chain) == 0 {
		r.Verdicts = []TLSVerdict{{"chain", false, "the server sent no certificate"}}
		return r
	}
	in := &inspection{TLS: t, now: now, suite: r.Suite, sent: r.Chain[:min(len(r.Chain), maxChain)]}
	if len(r.Chain) > maxChain {
		r.Remarks = append(r.Remarks, fmt.Sprintf("%d certificates were sent; the first %d are looked at", len(r.Chain), maxChain))
	}
	r.Left = daysLeft(r.Chain[0], now)
	r.Verdicts = in.prove()
	r.Path = in.path.certs
	r.Remarks = append(r.Remarks, in.remarks...)
	if t.Prove != nil {
		r.Verdicts, r.Observed = t.Prove(state), r.Verdicts
	}
	r.weighStaple(now)
	return r
}

// daysLeft is whole days, rounded down: -1 in the first day after the end.
func daysLeft(c *x509.Certificate, now time.Time) int {
	const day = 24 * time.Hour
	left := c.NotAfter.Sub(now)
	if left < 0 && left%day != 0 {
		left -= day
	}
	return int(left / day)
}

// weigh remarks on what was negotiated.
func (r *TLSReport) weigh(t TLS) {
	if r.Version < tls.VersionTLS12 {
		r.warnings = append(r.warnings, tls.VersionName(r.Version)+" is deprecated (RFC 8996)")
	}
	for _, suite := range tls.InsecureCipherSuites() {
		if suite.ID == r.Suite {
			r.warnings = append(r.warnings, weakness(suite.Name))
		}
	}
	if len(t.Suites) > 0 && r.Version >= tls.VersionTLS13 {
		r.Remarks = append(r.Remarks, "the suites that were asked for are those of TLS 1.2 and before; TLS 1.3 chose from its own")
	}
	if r.Resumed {
		r.Remarks = append(r.Remarks, "an earlier session was resumed: the certificate is the one of then")
	}
}

// weakness is why the Go library calls a suite insecure.
func weakness(suite string) string {
	why := "authenticates after it encrypts (Lucky 13)"
	switch {
	case strings.Contains(suite, "RC4"):
		why = "RC4 is broken (RFC 7465)"
	case strings.Contains(suite, "3DES"):
		why = "a block of 64 bits is too small (Sweet32)"
	case strings.HasPrefix(suite, "TLS_RSA_"):
		why = "no forward secrecy: the server's key opens what was recorded"
	}
	return suite + ": " + why
}

// weighStaple looks into the OCSP response.
func (r *TLSReport) weighStaple(now time.Time) {
	s, err := r.OCSP()
	switch {
	case err != nil && len(r.Staple) > 0:
		r.Remarks = append(r.Remarks, err.Error())
	case err != nil:
	case s.Stale(now):
		r.Remarks = append(r.Remarks, fmt.Sprintf("the OCSP response is for %s to %s", minute(s.ThisUpdate), minute(s.NextUpdate)))
	case s.Status == "revoked":
		r.warnings = append(r.warnings, fmt.Sprintf("revoked on %s, as the OCSP response in the handshake says (by %s)", minute(s.Revoked), s.By))
	}
}
