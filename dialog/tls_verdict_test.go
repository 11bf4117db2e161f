package dialog

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// with is a sound certificate but for what change does.
func with(t testing.TB, by *holder, change func(*x509.Certificate)) *holder {
	c := template("mx.test", false)
	change(c)
	return issue(t, c, ecKeys()[2], by)
}

func authority(t testing.TB, name string, key int, by *holder, change func(*x509.Certificate)) *holder {
	c := template(name, true)
	if change != nil {
		change(c)
	}
	return issue(t, c, ecKeys()[key], by)
}

func TestVerdicts(t *testing.T) {
	p := newPKI(t)
	expired := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon.Add(-90*aDay), noon.Add(-20*aDay-time.Hour) }
	soon := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon.Add(10*aDay+time.Hour), noon.Add(90*aDay) }
	names := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = names }
	}
	oldCA := authority(t, "Old CA", 4, p.root, expired)
	oldRoot := authority(t, "Old Root", 4, nil, expired)
	notCA := with(t, p.ca, func(c *x509.Certificate) { c.Subject.CommonName = "neighbour.test" })
	signless := authority(t, "Signless CA", 4, p.root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })
	level := authority(t, "Level CA", 4, p.root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := authority(t, "Below CA", 5, level, nil)
	narrow := authority(t, "Narrow CA", 4, p.root, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"other.test"} })
	clients := authority(t, "Client CA", 4, p.root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	fake := authority(t, "Test CA", 4, p.other, nil)
	fakeRoot := authority(t, "Test Root", 4, nil, nil)
	cross := authority(t, "Test Root", 0, p.other, expired) // the root's key, signed by another that has expired since

	rsaRoot := issue(t, template("RSA Root", true), rsaKey(), nil)
	rsaCA := issue(t, template("RSA CA", true), rsaKey(), rsaRoot)
	onRSA := with(t, rsaRoot, func(*x509.Certificate) {})
	onRSACA := with(t, rsaCA, func(*x509.Certificate) {})
	second := authority(t, "Second CA", 5, p.ca, nil)
	small := issue(t, template("mx.test", false), smallKey(), p.ca)
	smallCA := issue(t, template("Small CA", true), smallKey(), p.root)

	tests := []struct {
		name  string
		chain []*holder
		trust []*holder // nil is the root
		host  string    // "" is mx.test
		suite uint16
		want  string // the verdicts that are bad, each "check: a part of its text", by " | "
		says  string // a part of any text or remark
	}{
		{name: "sound", chain: []*holder{p.leaf, p.ca}, says: "chain: leads to Test Root, in the test's store"},
		{name: "with the root", chain: []*holder{p.leaf, p.ca, p.root}, says: "certificate 2 is not needed: whoever trusts the root Test Root has it"},
		{name: "out of order", chain: []*holder{p.leaf, p.root, p.ca}, says: "certificate 1 is not needed"},
		{name: "two out of order", chain: []*holder{with(t, second, func(*x509.Certificate) {}), p.ca, second}, says: "certificate 1 is out of order: Test CA"},
		{name: "with another's", chain: []*holder{p.leaf, p.ca, oldCA}, says: "certificate 2 is not needed: Old CA; it expired 20 days ago, on 2026-11-02 11:00Z"},
		{name: "twice", chain: []*holder{p.leaf, p.ca, p.ca}, says: "certificate 2 is sent twice: Test CA"},
		{name: "an expired cross-certificate beside", chain: []*holder{p.leaf, p.ca, cross}, says: "certificate 2 is not needed: Test Root; it expired"},
		{name: "itself in the store", chain: []*holder{p.leaf}, trust: []*holder{p.leaf}, says: "chain: the certificate itself is in the test's store"},
		{name: "the CA in the store", chain: []*holder{p.leaf}, trust: []*holder{p.ca}, says: "chain: leads to Test CA"},
		{name: "self-signed and in the store", chain: []*holder{with(t, nil, func(*x509.Certificate) {})}, trust: []*holder{with(t, nil, func(*x509.Certificate) {})},
			want: "chain: self-signed, and not in the test's store"}, // another serial would do: it is another certificate

		{name: "another name", chain: []*holder{p.leaf, p.ca}, host: "mx.other.test", want: "name: wanted mx.other.test; the certificate is for mx.test"},
		{name: "a wildcard", chain: []*holder{with(t, p.ca, names("*.test")), p.ca}},
		{name: "a wildcard for two labels", chain: []*holder{with(t, p.ca, names("*.test")), p.ca}, host: "a.mx.test", want: "name: wanted a.mx.test; the certificate is for *.test; * stands for one label"},
		{name: "a wildcard for none", chain: []*holder{with(t, p.ca, names("*.mx.test")), p.ca}, want: "name: wanted mx.test; the certificate is for *.mx.test"},
		{name: "half a label", chain: []*holder{with(t, p.ca, names("m*.test")), p.ca}, want: "name: "},
		{name: "a wildcard within", chain: []*holder{with(t, p.ca, names("mx.*")), p.ca}, want: "name: "},
		{name: "case", chain: []*holder{with(t, p.ca, names("MX.Test")), p.ca}},
		{name: "only a CN", chain: []*holder{with(t, p.ca, names()), p.ca}, want: "name: wanted mx.test; the certificate lists no name; its CN mx.test does not count (RFC 9525)"},
		{name: "the CN beside other names", chain: []*holder{with(t, p.ca, names("a.test")), p.ca}, want: "name: wanted mx.test; the certificate is for a.test; its CN mx.test does not count (RFC 9525)"},
		{name: "many names", chain: []*holder{with(t, p.ca, names("a.test", "b.test", "c.test", "d.test", "e.test", "f.test", "g.test")), p.ca}, want: "name: wanted mx.test; the certificate is for a.test, b.test, c.test, d.test, e.test and 2 more"},
		{name: "an address", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")} }), p.ca}, host: "192.0.2.1"},
		{name: "another address", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")} }), p.ca}, host: "192.0.2.2", want: "name: wanted 192.0.2.2; the certificate is for mx.test, 192.0.2.1"},
		{name: "an address as a name", chain: []*holder{with(t, p.ca, names("192.0.2.1")), p.ca}, host: "192.0.2.1", want: "name: "},

		{name: "expired", chain: []*holder{with(t, p.ca, expired), p.ca}, want: "dates: expired 20 days ago, on 2026-11-02 11:00Z"},
		{name: "just expired", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.NotAfter = noon.Add(-90 * time.Minute) }), p.ca}, want: "dates: expired 1 hour ago"},
		{name: "not yet", chain: []*holder{with(t, p.ca, soon), p.ca}, want: "dates: not valid before 2026-12-02 13:00Z, in 10 days"},
		{name: "the CA expired", chain: []*holder{with(t, oldCA, func(*x509.Certificate) {}), oldCA}, want: "dates: Old CA expired 20 days ago, on 2026-11-02 11:00Z"},
		{name: "both expired", chain: []*holder{with(t, oldCA, expired), oldCA}, want: "dates: expired 20 days ago, on 2026-11-02 11:00Z; Old CA expired 20 days ago"},
		{name: "never valid together", chain: []*holder{with(t, oldCA, soon), oldCA}, want: "dates: not valid before 2026-12-02 13:00Z, in 10 days; Old CA expired", says: "chain: leads to Test Root"},
		{name: "the root in the store expired", chain: []*holder{with(t, oldRoot, func(*x509.Certificate) {})}, trust: []*holder{oldRoot}, want: "chain: leads to Old Root, in the test's store, which expired 20 days ago, on 2026-11-02 11:00Z"},

		{name: "the root in the store expired, and sent", chain: []*holder{with(t, oldRoot, func(*x509.Certificate) {}), oldRoot}, trust: []*holder{oldRoot}, want: "chain: leads to Old Root, in the test's store, which expired 20 days ago"},

		{name: "self-signed", chain: []*holder{with(t, nil, func(*x509.Certificate) {})}, want: "chain: self-signed, and not in the test's store"},
		{name: "no intermediate", chain: []*holder{p.leaf}, want: "chain: ends at mx.test, whose issuer Test CA is neither sent nor in the test's store"},
		{name: "unknown root", chain: []*holder{p.leaf, p.ca}, trust: []*holder{p.other}, want: "chain: ends at Test CA, whose issuer Test Root is neither sent nor in the test's store"},
		{name: "unknown root, sent", chain: []*holder{p.leaf, p.ca, p.root}, trust: []*holder{p.other}, want: "chain: ends at the self-signed Test Root, which is not in the test's store"},
		{name: "nothing in the store", chain: []*holder{p.leaf, p.ca}, trust: []*holder{}, want: "chain: ends at Test CA"},
		{name: "an unneeded one between", chain: []*holder{p.leaf, p.other}, want: "chain: ends at mx.test, whose issuer Test CA is neither sent nor"},
		{name: "issued by a leaf", chain: []*holder{with(t, notCA, func(*x509.Certificate) {}), notCA, p.ca}, want: "chain: mx.test was issued by neighbour.test, which is no certificate authority (basic constraints)"},
		{name: "an authority that may not sign", chain: []*holder{with(t, signless, func(*x509.Certificate) {}), signless}, want: "chain: mx.test was issued by Signless CA, whose key may not sign certificates (key usage)"},
		{name: "a forged link", chain: []*holder{p.leaf, fake}, want: "chain: mx.test names Test CA as its issuer, and the key of the one that was sent did not sign it"},
		{name: "a forged root", chain: []*holder{p.leaf, p.ca}, trust: []*holder{fakeRoot}, want: "chain: Test CA names Test Root as its issuer, and the key of the one in the test's store did not sign it"},
		{name: "a true one behind a forged one", chain: []*holder{p.leaf, fake, p.ca}, says: "certificate 1 is not needed"},
		{name: "too long a path", chain: []*holder{with(t, below, func(*x509.Certificate) {}), below, level}, want: "chain: Level CA allows 0 authorities below it, and there are 1 (path length)"},
		{name: "name constraints", chain: []*holder{with(t, narrow, func(*x509.Certificate) {}), narrow}, want: "chain: Narrow CA may not vouch for mx.test (name constraints): DNS name"},
		{name: "name constraints, and expired", chain: []*holder{with(t, narrow, expired), narrow}, want: "dates: expired | chain: Narrow CA may not vouch for mx.test"},

		{name: "for clients", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), p.ca}, want: "usage: for clients, not for TLS servers (extended key usage)"},
		{name: "for code", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), p.ca}, want: "usage: for other things, not for TLS servers"},
		{name: "for anything", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), p.ca}},
		{name: "for nothing in particular", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.ExtKeyUsage, c.KeyUsage = nil, 0 }), p.ca}},
		{name: "a CA for clients", chain: []*holder{with(t, clients, func(*x509.Certificate) {}), clients}, want: "usage: Client CA for clients, not for TLS servers"},
		{name: "a key that may not sign", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), p.ca}, want: "usage: its key may not sign"},
		{name: "a key that need not sign", chain: []*holder{with(t, p.ca, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), p.ca}, suite: tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
		{name: "a key that must encipher", chain: []*holder{p.leaf, p.ca}, suite: tls.TLS_RSA_WITH_AES_128_GCM_SHA256, want: "usage: its key may not encipher keys"},

		{name: "a small key", chain: []*holder{small, p.ca}, want: "key: RSA 1024: below 2048 bits it can be broken"},
		{name: "a small key of the CA", chain: []*holder{issue(t, template("mx.test", false), ecKeys()[2], smallCA), smallCA}, want: "key: Small CA RSA 1024: below 2048 bits"},
		{name: "SHA-1", chain: []*holder{weaken(t, onRSA, rsaRoot, crypto.SHA1)}, trust: []*holder{rsaRoot}, want: "signature: signed with SHA1-RSA, which proves nothing", says: "chain: names RSA Root, in the test's store"},
		{name: "MD5", chain: []*holder{weaken(t, onRSA, rsaRoot, crypto.MD5)}, trust: []*holder{rsaRoot}, want: "signature: signed with MD5-RSA, which proves nothing"},
		{name: "SHA-1, root sent", chain: []*holder{weaken(t, onRSA, rsaRoot, crypto.SHA1), rsaRoot}, trust: []*holder{rsaRoot}, want: "signature: signed with SHA1-RSA"},
		{name: "SHA-1 in the CA", chain: []*holder{onRSACA, weaken(t, rsaCA, rsaRoot, crypto.SHA1)}, trust: []*holder{rsaRoot}, want: "signature: RSA CA signed with SHA1-RSA"},
		{name: "SHA-1 below the CA", chain: []*holder{weaken(t, onRSACA, rsaCA, crypto.SHA1), rsaCA}, trust: []*holder{rsaRoot}, want: "signature: signed with SHA1-RSA", says: "chain: leads to RSA Root"},
		{name: "SHA-1 in the root", chain: []*holder{onRSA}, trust: []*holder{weaken(t, rsaRoot, rsaRoot, crypto.SHA1)}},
		{name: "SHA-1, unknown root", chain: []*holder{weaken(t, onRSA, rsaRoot, crypto.SHA1)}, want: "chain: ends at mx.test, whose issuer RSA Root is neither | signature: signed with SHA1-RSA"},

		{name: "everything", chain: []*holder{issue(t, func() *x509.Certificate {
			c := template("mx.test", false)
			expired(c)
			c.DNSNames, c.ExtKeyUsage, c.KeyUsage = []string{"a.test"}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, x509.KeyUsageKeyEncipherment
			return c
		}(), smallKey(), nil)}, want: "name: wanted mx.test | dates: expired 20 days ago | chain: self-signed | usage: for clients, not for TLS servers (extended key usage); its key may not sign | key: RSA 1024"},
		{name: "twenty and more", chain: append([]*holder{p.leaf, p.ca}, many(p.other, 40)...), says: "42 certificates were sent; the first 20 are looked at"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.trust == nil {
				tt.trust = []*holder{p.root}
			}
			settings := believing(tt.trust...)
			if tt.host != "" {
				settings.Name = tt.host
			}
			if tt.suite == 0 {
				tt.suite = tls.TLS_AES_128_GCM_SHA256
			}
			r := observe(tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tt.suite, PeerCertificates: certificates(tt.chain)}, settings, noon)
			var bad, all []string
			for _, v := range r.Verdicts {
				text := v.Check + ": " + v.Text
				if all = append(all, text); !v.OK {
					bad = append(bad, text)
				}
			}
			all = append(all, r.Remarks...)
			var want []string
			if tt.want != "" {
				want = strings.Split(tt.want, " | ")
			}
			good := len(bad) == len(want)
			for i := range min(len(bad), len(want)) {
				good = good && strings.Contains(bad[i], want[i])
			}
			if !good || r.Verified() != (tt.want == "") {
				t.Errorf("bad is\n%q\nnot\n%q", bad, want)
			}
			if !strings.Contains(strings.Join(all, "\n"), tt.says) {
				t.Errorf("nothing says %q:\n%s", tt.says, strings.Join(all, "\n"))
			}
		})
	}
}

func many(h *holder, n int) []*holder {
	var list []*holder
	for range n {
		list = append(list, h)
	}
	return list
}

// TestVerdictsBounded: a chain in which each certificate may have signed each,
// as none of them did, is done with in no time.
func TestVerdictsBounded(t *testing.T) {
	keys := ecKeys()
	liar := issue(t, template("CA", true), keys[0], nil)
	var chain []*holder
	for i := range 60 {
		c := template("CA", true)
		c.SerialNumber = big.NewInt(int64(i) + 2)
		chain = append(chain, issue(t, c, keys[1+i%5], liar))
	}
	began := time.Now()
	r := observe(tls.ConnectionState{PeerCertificates: certificates(chain)}, believing(), noon)
	if took := time.Since(began); r.Verified() || took > 20*time.Second {
		t.Errorf("%v after %s", r.Verdicts, took)
	}
}

// TestProve: who proves by other means replaces our verdicts, which are shown.
func TestProve(t *testing.T) {
	p := newPKI(t)
	for _, ok := range []bool{true, false} {
		settings := believing()
		settings.Policy, settings.Name = PolicyVerify, "other.test"
		settings.Prove = func(state tls.ConnectionState) []TLSVerdict {
			return []TLSVerdict{{"dane", ok, fmt.Sprintf("%d certificates", len(state.PeerCertificates))}}
		}
		r := observe(tls.ConnectionState{PeerCertificates: certificates([]*holder{p.leaf})}, settings, noon)
		if r.Verified() != ok || len(r.Verdicts) != 1 || r.Verdicts[0].Text != "1 certificates" || len(r.Observed) != 6 {
			t.Errorf("verified %v by %v, observed %v", r.Verified(), r.Verdicts, r.Observed)
		}
		want := map[bool]string{true: "verified other.test by DANE, 60 days left · ", false: "not verified · "}[ok]
		if got := r.Summary(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if text := shown(r); !strings.Contains(text, "· name: wanted other.test; the certificate is for mx.test (does not count)") {
			t.Errorf("shown:\n%s", text)
		}
	}
	settings := believing(p.root)
	settings.Prove = func(tls.ConnectionState) []TLSVerdict { return nil }
	if r := observe(tls.ConnectionState{PeerCertificates: certificates([]*holder{p.leaf, p.ca})}, settings, noon); r.Verified() {
		t.Error("nothing proves the name")
	}
}
