package sandbox

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// anyTLS is a client that speaks every version and suite of the library, verifies
// nothing, and has a certificate of the world's authority.
func anyTLS(t testing.TB, w *World) *tls.Config {
	t.Helper()
	certPEM, keyPEM, err := w.ClientPEM("alice@client.test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, Certificates: []tls.Certificate{pair}, Time: w.opt.Now}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		c.CipherSuites = append(c.CipherSuites, s.ID)
	}
	return c
}

// starttls goes as far as a 220 to STARTTLS; what was sent with it follows it in
// the same write.
func starttls(t testing.TB, w *World, addr, behind string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c := dial(t, w, addr)
	r := bufio.NewReader(c)
	for _, step := range []struct{ send, last string }{{"", "220 "}, {"EHLO client.test\r\n", "250 "}, {"STARTTLS\r\n" + behind, "220 "}} {
		if _, err := io.WriteString(c, step.send); err != nil {
			t.Fatal(err)
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("%s: %v", addr, err)
			}
			if strings.HasPrefix(line, step.last) {
				break
			}
			if line[3] != '-' {
				t.Fatalf("%s: %q to %q", addr, line, step.send)
			}
		}
	}
	return c, r
}

// handshake does one behind STARTTLS.
func handshake(t testing.TB, w *World, addr string, conf *tls.Config) (*tls.Conn, error) {
	t.Helper()
	c, _ := starttls(t, w, addr, "")
	s := tls.Client(c, conf)
	return s, s.Handshake()
}

// broken is what a chain breaks, by the words of Cert.Breaks.
func broken(w *World, chain []*x509.Certificate, name string) string {
	leaf, now := chain[0], w.opt.Now()
	var found []string
	note := func(word string, bad bool) {
		if bad {
			found = append(found, word)
		}
	}
	note("name", leaf.VerifyHostname(name) != nil)
	pool, old := x509.NewCertPool(), false
	for _, c := range chain {
		old = old || now.Before(c.NotBefore) || now.After(c.NotAfter)
		pool.AddCert(c)
	}
	note("dates", old)
	sha := leaf.SignatureAlgorithm == x509.ECDSAWithSHA1
	if sha { // the library does not look at it: the authority's signature is right all the same
		root, err := w.ca.root()
		digest := sha1.Sum(leaf.RawTBSCertificate)
		note("chain", err != nil || !ecdsa.VerifyASN1(root.cert.PublicKey.(*ecdsa.PublicKey), digest[:], leaf.Signature))
	} else {
		at := leaf.NotBefore.Add(time.Hour)
		if len(chain) > 1 && chain[1].NotAfter.Before(now) {
			at = chain[1].NotAfter.Add(-time.Hour)
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: w.Roots(), Intermediates: pool, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		note("chain", err != nil)
	}
	usage := true
	for _, u := range leaf.ExtKeyUsage {
		usage = usage && u != x509.ExtKeyUsageServerAuth
	}
	note("usage", usage)
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	note("key", ok && key.N.BitLen() < 2048)
	note("signature", sha)
	return strings.Join(found, " ")
}

// TestBreaks looks at the certificate of every domain whose first host offers TLS.
func TestBreaks(t *testing.T) {
	w := start(t, Options{})
	conf, seen := anyTLS(t, w), map[string]int{}
	for _, s := range w.scenarios {
		if len(s.Hosts) == 0 || len(s.Hosts[0].Services) == 0 {
			continue
		}
		h, v := s.Hosts[0], s.Hosts[0].Services[0]
		if !mxTLS(v) {
			continue
		}
		addr := net.JoinHostPort(strings.Fields(h.Addrs)[0], "25")
		c, err := handshake(t, w, addr, conf)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if got := broken(w, c.ConnectionState().PeerCertificates, s.hostname(h)); got != v.Cert.Breaks() {
			t.Errorf("%s: %q is broken, want %q", s.Name, got, v.Cert.Breaks())
		}
		seen[v.Cert.Breaks()]++
		_ = c.Close()
	}
	for _, word := range []string{"", "name", "dates", "chain", "usage", "key", "signature", "name dates chain"} {
		if seen[word] == 0 {
			t.Errorf("no domain breaks %q", word)
		}
	}
}

// mxTLS reports whether v is an SMTP server that takes part in a handshake behind STARTTLS.
func mxTLS(v Service) bool {
	if v.port() != 25 || v.Delay > 0 || !strings.Contains(v.Offers, "STARTTLS") {
		return false
	}
	for _, r := range v.Rules {
		if (r.event == "STARTTLS" || r.event == "EHLO" || r.event == "CONNECT") && r.match == "" {
			return false
		}
	}
	return true
}

func TestChains(t *testing.T) {
	w := start(t, Options{})
	for name, want := range map[string]string{
		"good":           "mx1.good.test",
		"intermediate":   "mx1.intermediate.test < ehlo sandbox intermediate CA",
		"nointermediate": "mx1.nointermediate.test",
		"badorder":       "mx1.badorder.test < ehlo sandbox CA < ehlo sandbox intermediate CA",
		"expiredca":      "mx1.expiredca.test < ehlo sandbox expired CA",
		"unknownca":      "mx1.unknownca.test",
		"leafissued":     "mx1.leafissued.test < issuer.hosting.example",
		"selfsigned":     "mx1.selfsigned.test",
	} {
		c, err := handshake(t, w, "mx1."+name+".test:25", anyTLS(t, w))
		if err != nil {
			t.Fatal(err)
		}
		var chain []string
		for _, c := range c.ConnectionState().PeerCertificates {
			chain = append(chain, c.Subject.CommonName)
		}
		if got := strings.Join(chain, " < "); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	// Keys of hosts are the same in every world, those of authorities never.
	other := start(t, Options{})
	if w.Roots().Equal(other.Roots()) {
		t.Error("two worlds, one authority")
	}
	one, err := handshake(t, w, "mx1.good.test:25", anyTLS(t, w))
	two, err2 := handshake(t, other, "mx1.good.test:25", anyTLS(t, other))
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	key := one.ConnectionState().PeerCertificates[0].PublicKey.(*ecdsa.PublicKey)
	if !key.Equal(two.ConnectionState().PeerCertificates[0].PublicKey) {
		t.Error("another world, another key of mx1.good.test")
	}
}

func TestHandshakes(t *testing.T) {
	w := start(t, Options{})
	usual := func() *tls.Config { return &tls.Config{RootCAs: w.Roots()} }
	all := func() *tls.Config { return anyTLS(t, w) }
	at := func(version uint16) func() *tls.Config {
		return func() *tls.Config {
			c := usual()
			c.MinVersion, c.MaxVersion = version, version
			return c
		}
	}
	alert := func(text string) func(error) bool {
		return func(err error) bool { return err != nil && err.Error() == "remote error: tls: "+text }
	}
	fine := func(err error) bool { return err == nil }
	over := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
	for _, test := range []struct {
		name    string
		conf    func() *tls.Config
		ok      func(error) bool
		version uint16
	}{
		{"good", usual, fine, tls.VersionTLS13},
		{"good", at(tls.VersionTLS12), fine, tls.VersionTLS12},
		{"good", at(tls.VersionTLS11), alert("protocol version not supported"), 0},
		{"tls10", usual, alert("protocol version not supported"), 0},
		{"tls10", all, fine, tls.VersionTLS10},
		{"tls10", at(tls.VersionTLS11), alert("protocol version not supported"), 0},
		{"tls12", usual, fine, tls.VersionTLS12},
		{"tls12", at(tls.VersionTLS13), alert("protocol version not supported"), 0},
		{"tls13", usual, fine, tls.VersionTLS13},
		{"tls13", at(tls.VersionTLS12), alert("protocol version not supported"), 0},
		{"oldsuites", usual, alert("handshake failure"), 0},
		{"oldsuites", all, fine, tls.VersionTLS12},
		{"tlsalert", usual, alert("handshake failure"), 0},
		{"tlsdrop", usual, over, 0},
		{"tlstruncate", usual, over, 0},
		{"tlsplain", usual, func(err error) bool {
			var e tls.RecordHeaderError
			return errors.As(err, &e) && string(e.RecordHeader[:]) == "500 5"
		}, 0},
		{"clientcert", at(tls.VersionTLS12), alert("handshake failure"), tls.VersionTLS12},
		{"clientcert", all, fine, tls.VersionTLS13},
	} {
		name := "mx1." + test.name + ".test"
		conf := test.conf()
		conf.ServerName = name
		c, err := handshake(t, w, name+":25", conf)
		if !test.ok(err) {
			t.Errorf("%s: %v", test.name, err)
		} else if got := c.ConnectionState().Version; got != test.version {
			t.Errorf("%s: %s", test.name, tls.VersionName(got))
		}
		_ = c.Close()
	}
}

func TestClientCertificate(t *testing.T) {
	w := start(t, Options{})
	greet := func(conf *tls.Config) (string, error) {
		c, err := handshake(t, w, "mx1.clientcert.test:25", conf)
		if err != nil {
			return "", err
		}
		_, _ = io.WriteString(c, "EHLO client.test\r\n")
		return bufio.NewReader(c).ReadString('\n')
	}
	if line, err := greet(anyTLS(t, w)); !strings.HasPrefix(line, "250-mx1.clientcert.test") {
		t.Errorf("with a certificate: %q, %v", line, err)
	}
	if line, err := greet(&tls.Config{InsecureSkipVerify: true}); err == nil || !strings.HasSuffix(err.Error(), "certificate required") {
		t.Errorf("without one: %q, %v", line, err)
	}
	stranger := anyTLS(t, start(t, Options{})) // by another world's authority, which has the same name
	if line, err := greet(stranger); err == nil || !strings.HasSuffix(err.Error(), "unknown certificate authority") {
		t.Errorf("with a stranger's: %q, %v", line, err)
	}
	cert, _, err := w.ClientPEM("alice@client.test")
	if err != nil {
		t.Fatal(err)
	}
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(cert) {
		t.Errorf("%q", cert)
	}
}

func TestResumption(t *testing.T) {
	w := start(t, Options{})
	conf := &tls.Config{RootCAs: w.Roots(), ServerName: "mx1.good.test", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 2 {
		c, err := handshake(t, w, "mx1.good.test:25", conf)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "QUIT\r\n")
		if _, err := io.ReadAll(c); err != nil { // with it the tickets
			t.Fatal(err)
		}
		if got := c.ConnectionState().DidResume; got != (i == 1) {
			t.Errorf("connection %d: resumed: %v", i+1, got)
		}
	}
}

// TestInjection sends a command in the clear behind STARTTLS. Only one server
// answers it under TLS.
func TestInjection(t *testing.T) {
	w := start(t, Options{})
	for _, s := range w.scenarios {
		if len(s.Hosts) == 0 || len(s.Hosts[0].Services) == 0 {
			continue
		}
		v := s.Hosts[0].Services[0]
		if !mxTLS(v) || slices.ContainsFunc(v.Rules, func(r Rule) bool { return r.event == "TLS" }) {
			continue
		}
		c, _ := starttls(t, w, net.JoinHostPort(strings.Fields(s.Hosts[0].Addrs)[0], "25"), "NOOP\r\n")
		under := tls.Client(c, anyTLS(t, w))
		if _, err := io.WriteString(under, "HELP\r\n"); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		line, err := bufio.NewReader(under).ReadString('\n')
		want := "214"
		if s.Name == "injection" {
			want = "250 Ok"
		}
		if !strings.HasPrefix(line, want) {
			t.Errorf("%s: %q, %v", s.Name, line, err)
		}
		_ = under.Close()
	}
}

func TestTLSLost(t *testing.T) {
	w := start(t, Options{})
	c, err := handshake(t, w, "mx1.tlslost.test:25", &tls.Config{RootCAs: w.Roots(), ServerName: "mx1.tlslost.test"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestTLSStall(t *testing.T) {
	w := start(t, Options{})
	c, r := starttls(t, w, "mx1.tlsstall.test:25", "")
	_, _ = io.WriteString(c, "NOOP\r\n")
	if err := c.(*conn).CloseWrite(); err != nil { // only this ends the silence
		t.Fatal(err)
	}
	if all, err := io.ReadAll(r); len(all) > 0 || err != nil {
		t.Errorf("said %q, %v", all, err)
	}
}

func TestInjectedReply(t *testing.T) {
	w := start(t, Options{})
	c, r := starttls(t, w, "mx1.injectreply.test:25", "")
	behind, err := r.Peek(r.Buffered())
	if string(behind) != "250 2.0.0 Ok\r\n" {
		t.Errorf("behind the 220 in its packet: %q, %v", behind, err)
	}
	under := tls.Client(c, &tls.Config{RootCAs: w.Roots(), ServerName: "mx1.injectreply.test"})
	if err := under.Handshake(); err != nil { // for a client that throws it away
		t.Error(err)
	}
}

func TestStripped(t *testing.T) {
	for _, test := range []struct{ name, reply string }{
		{"stripped", `500 5.5.1 command unrecognized: "XXXXXXXX"`},
		{"tlsrefused", "454 4.7.0 *"},
		{"tlsunknown", "502 5.5.1 *"},
	} {
		w := start(t, Options{})
		run(t, w, fmt.Sprintf("mx1.%s.test:25", test.name), `
			S: 220 *
			C: EHLO client.test
			S> 250 *
			C: STARTTLS
			S: `+test.reply+`
			C: MAIL FROM:<>
			S: 250 2.1.0 Ok`)
	}
}
