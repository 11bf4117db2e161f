package dialog

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// shown is what a person reads of an event, with -v.
func shown(e transcript.Event) string {
	marks := map[transcript.Mark]string{transcript.Phase: "●", transcript.Finding: "!", transcript.Failure: "✗", transcript.Good: "✓", transcript.Note: "·"}
	var text strings.Builder
	for _, line := range e.Lines() {
		text.WriteString(marks[line.Mark] + " " + line.Text + "\n")
	}
	return text.String()
}

func reported(settings TLS, policy Policy, chain ...*holder) *TLSReport {
	settings.Policy = policy
	return observe(tls.ConnectionState{
		Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, CurveID: tls.X25519, PeerCertificates: certificates(chain),
	}, settings, noon)
}

func TestReportLines(t *testing.T) {
	p := newPKI(t)
	elsewhere := believing(p.root)
	elsewhere.Name = "mx.other.test"
	for name, tt := range map[string]struct {
		report *TLSReport
		want   string
	}{
		"verified": {reported(believing(p.root), PolicyVerify, p.leaf, p.ca), `
			● verified mx.test, 60 days left · TLS 1.3 · AES_128_GCM · X25519
			· name: the certificate is for mx.test
			· dates: valid until 2027-01-21 13:00Z
			· chain: leads to Test Root, in the test's store
			· usage: good for TLS servers
			· key: EC P-256
			· signature: ECDSA-SHA256
			· certificate 0: mx.test, by Test CA, EC P-256, until 2027-01-21 13:00Z
			· certificate 1: Test CA, by Test Root, EC P-256, until 2029-05-10 12:00Z`},
		"not, and demanded": {reported(elsewhere, PolicyVerify, p.leaf), `
			● not verified · TLS 1.3 · AES_128_GCM · X25519
			✗ name: wanted mx.other.test; the certificate is for mx.test
			✓ dates: valid until 2027-01-21 13:00Z
			✗ chain: ends at mx.test, whose issuer Test CA is neither sent nor in the test's store
			· usage: good for TLS servers
			· key: EC P-256
			· signature: ECDSA-SHA256
			· certificate 0: mx.test, by Test CA, EC P-256, until 2027-01-21 13:00Z`},
		"not, and not demanded": {reported(believing(p.root), PolicyMay, issue(t, template("mx.test", false), smallKey(), p.ca), p.ca), `
			● not verified · TLS 1.3 · AES_128_GCM · X25519
			✓ name: the certificate is for mx.test
			✓ dates: valid until 2027-01-21 13:00Z
			✓ chain: leads to Test Root, in the test's store
			· usage: good for TLS servers
			! key: RSA 1024: below 2048 bits it can be broken
			· signature: ECDSA-SHA256
			· certificate 0: mx.test, by Test CA, RSA 1024, until 2027-01-21 13:00Z
			· certificate 1: Test CA, by Test Root, EC P-256, until 2029-05-10 12:00Z`},
		"no certificate": {reported(believing(p.root), PolicyVerify), `
			● not verified · TLS 1.3 · AES_128_GCM · X25519
			✗ chain: the server sent no certificate`},
	} {
		if got := strings.TrimSpace(shown(tt.report)); got != unindent(tt.want) {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestReportJSON(t *testing.T) {
	p := newPKI(t)
	r := reported(believing(p.root), PolicyVerify, append([]*holder{p.leaf, p.ca}, many(p.other, 40)...)...)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Verified bool
		OCSP     string
		Chain    []map[string]any
		Verdicts []TLSVerdict
		Remarks  []string
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !got.Verified || got.OCSP != "none" || len(got.Chain) != maxChain || len(got.Verdicts) != 6 || got.Chain[1]["issuer"] != "CN=Test Root" {
		t.Errorf("%s", text)
	}
	empty, err := json.Marshal(&TLSReport{})
	if err != nil || strings.Contains(string(empty), "null") {
		t.Errorf("%s, %v", empty, err)
	}
}

func TestDaysLeft(t *testing.T) {
	for after, want := range map[time.Duration]int{0: 0, time.Hour: 0, 24 * time.Hour: 1, 47 * time.Hour: 1, -time.Hour: -1, -24 * time.Hour: -1, -25 * time.Hour: -2} {
		if got := daysLeft(&x509.Certificate{NotAfter: noon.Add(after)}, noon); got != want {
			t.Errorf("%s: %d, not %d", after, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	p := newPKI(t)
	c := template("mx.test", false)
	c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1"), net.ParseIP("2001:db8::1")}
	got := Describe(issue(t, c, ecKeys()[2], p.ca).Certificate)
	if got.Subject != "CN=mx.test" || got.Issuer != "CN=Test CA" || strings.Join(got.Names, " ") != "mx.test 192.0.2.1 2001:db8::1" || got.Serial != "1234" ||
		got.Key != "EC P-256" || got.Signature != "ECDSA-SHA256" || len(got.SPKI) != 64 || got.SelfSigned || got.IsCA {
		t.Errorf("%+v", got)
	}
	if got := Describe(p.root.Certificate); !got.SelfSigned || !got.IsCA || got.Names == nil {
		t.Errorf("%+v", got)
	}
	if got := Describe(issue(t, template("", false), rsaKey(), nil).Certificate); got.Key != "RSA 2048" || got.Signature != "SHA256-RSA" {
		t.Errorf("%+v", got)
	}
	for want, subject := range map[string]pkix.Name{
		"a": {CommonName: "a", Organization: []string{"o"}}, "O=o": {Organization: []string{"o"}}, "mx.test": {}, "a certificate without a name": {},
	} {
		c := template("mx.test", false)
		if c.Subject = subject; strings.HasPrefix(want, "a ") {
			c.DNSNames = nil
		}
		if got := CertificateTitle(issue(t, c, ecKeys()[1], nil).Certificate); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestEncodeChain: what is written can be read back, with the same bytes.
func TestEncodeChain(t *testing.T) {
	p := newPKI(t)
	chain := certificates([]*holder{p.leaf, p.ca, p.root})
	rest := EncodeChain(chain)
	for i, c := range chain {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" || string(block.Bytes) != string(c.Raw) {
			t.Errorf("certificate %d is lost", i)
		}
	}
	if len(rest) != 0 || len(EncodeChain(nil)) != 0 {
		t.Errorf("%q is left", rest)
	}
}

func TestStaple(t *testing.T) {
	p := newPKI(t)
	responder := template("Responder", false)
	responder.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	entitled := issue(t, responder, ecKeys()[4], p.ca)
	neighbour := issue(t, template("neighbour.test", false), ecKeys()[5], p.ca)
	make := func(status int, serial int64, by *holder) []byte {
		answer := ocsp.Response{
			Status: status, SerialNumber: big.NewInt(serial), ThisUpdate: noon.Add(-time.Hour), NextUpdate: noon.Add(time.Hour),
			RevokedAt: noon.Add(-24 * time.Hour), IssuerHash: crypto.SHA1,
		}
		if by != p.ca {
			answer.Certificate = by.Certificate
		}
		der, err := ocsp.CreateResponse(p.ca.Certificate, by.Certificate, answer, by.key.(*ecdsa.PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	good := make(ocsp.Good, 4660, p.ca)
	for _, tt := range []struct {
		name   string
		der    []byte
		at     time.Time
		status string
		shows  string
	}{
		{"good", good, noon, "good", "●"},
		{"by a responder", make(ocsp.Good, 4660, entitled), noon, "good", "●"},
		{"unknown", make(ocsp.Unknown, 4660, p.ca), noon, "unknown", "●"},
		{"revoked", make(ocsp.Revoked, 4660, p.ca), noon, "revoked", "! revoked on 2026-11-21 12:00Z, as the OCSP response in the handshake says (by Test CA)"},
		{"out of date", good, noon.Add(2 * time.Hour), "good", "· the OCSP response is for 2026-11-22 11:00Z to 2026-11-22 13:00Z"},
		{"from the future", good, noon.Add(-2 * time.Hour), "good", "· the OCSP response is for 2026-11-22 11:00Z"},
		{"about another", make(ocsp.Good, 1, p.ca), noon, "invalid", "· the OCSP response cannot be taken: "},
		{"by a neighbour", make(ocsp.Good, 4660, neighbour), noon, "invalid", "neighbour.test may not sign it (RFC 6960 section 4.2.2.2)"},
		{"tampered with", append(good[:len(good)-1:len(good)-1], good[len(good)-1]^1), noon, "invalid", "· the OCSP response cannot be taken: "},
		{"none", nil, noon, "none", "●"},
		{"too large", append(good[:len(good):len(good)], string(rune(0))+strings.Repeat("x", maxStaple)...), noon, "invalid", "are read"},
	} {
		r := observe(tls.ConnectionState{PeerCertificates: certificates([]*holder{p.leaf, p.ca}), OCSPResponse: tt.der}, believing(p.root), tt.at)
		if got := r.stapleStatus(); got != tt.status {
			t.Errorf("%s: %s", tt.name, got)
		}
		if text := shown(r); !strings.Contains(text, tt.shows) {
			t.Errorf("%s:\n%s", tt.name, text)
		}
	}
	r := observe(tls.ConnectionState{PeerCertificates: certificates([]*holder{p.leaf}), OCSPResponse: good}, believing(p.root), noon)
	if s, err := r.OCSP(); s != nil || err == nil || !strings.Contains(err.Error(), "the issuer of the certificate is not known") {
		t.Errorf("%v, %v", s, err)
	}
	r = observe(tls.ConnectionState{PeerCertificates: certificates([]*holder{p.leaf, p.ca}), OCSPResponse: good}, believing(p.root), noon)
	if s, err := r.OCSP(); err != nil || s.By != "Test CA" || !s.ThisUpdate.Equal(noon.Add(-time.Hour)) || s.Stale(noon) || !s.Stale(noon.Add(2*time.Hour)) {
		t.Errorf("%+v, %v", s, err)
	}
}

// FuzzStaple: whatever a server staples, there is an answer.
func FuzzStaple(f *testing.F) {
	p := newPKI(f)
	der, err := ocsp.CreateResponse(p.ca.Certificate, p.ca.Certificate, ocsp.Response{SerialNumber: big.NewInt(4660), ThisUpdate: noon, IssuerHash: crypto.SHA1}, p.ca.key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	plain, _ := hex.DecodeString("30030a0106") // "unauthorized"
	f.Add(plain)
	f.Fuzz(func(t *testing.T, der []byte) {
		if s, err := ParseStaple(der, p.leaf.Certificate, p.ca.Certificate); (s == nil) == (err == nil) {
			t.Errorf("%v, %v", s, err)
		}
	})
}

// FuzzVerdicts: whatever certificates are sent, crypto/x509 agrees with what is
// called verified, and each bad verdict says something.
func FuzzVerdicts(f *testing.F) {
	p := newPKI(f)
	settings := believing(p.root)
	f.Add(p.leaf.Raw, p.ca.Raw, p.root.Raw, int64(0))
	f.Add(p.leaf.Raw, p.root.Raw, p.other.Raw, int64(100*24*3600))
	f.Add(p.ca.Raw, p.ca.Raw, p.leaf.Raw, int64(-100*24*3600))
	f.Add(p.other.Raw, []byte{}, []byte{}, int64(1))
	f.Fuzz(func(t *testing.T, a, b, c []byte, later int64) {
		var chain []*x509.Certificate
		for _, der := range [][]byte{a, b, c} {
			if cert, err := x509.ParseCertificate(der); err == nil {
				chain = append(chain, cert)
			}
		}
		now := noon.Add(time.Duration(later%1e9) * time.Second)
		r := observe(tls.ConnectionState{PeerCertificates: chain, OCSPResponse: c}, settings, now)
		for _, v := range r.Verdicts {
			if v.Text == "" {
				t.Errorf("%s says nothing", v.Check)
			}
		}
		if _, err := r.MarshalJSON(); err != nil {
			t.Error(err)
		}
		if !r.Verified() {
			return
		}
		pool := x509.NewCertPool()
		for _, c := range chain[1:] {
			pool.AddCert(c)
		}
		if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: "mx.test", Roots: settings.Roots, Intermediates: pool, CurrentTime: now}); err != nil {
			t.Errorf("verified, and %v", err)
		}
	})
}
