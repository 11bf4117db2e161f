package sasl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	xdg "github.com/xdg-go/scram"
)

// handshake gives what both ends of a real TLS connection know of it, and the
// server's certificate.
func handshake(t testing.TB, version uint16) (client, server *tls.ConnectionState, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"mx1.example.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	states := make(chan *tls.ConnectionState, 1)
	go func() {
		defer close(states)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		if s.Handshake() == nil {
			state := s.ConnectionState()
			states <- &state
		}
	}()
	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	state := conn.ConnectionState()
	if server = <-states; server == nil {
		t.Fatal("the server has no state of the connection")
	}
	return &state, server, cert
}

// atServer is the channel binding as the server computes it.
func atServer(t *testing.T, kind string, state *tls.ConnectionState, cert *x509.Certificate) xdg.ChannelBinding {
	t.Helper()
	b := xdg.ChannelBinding{Type: xdg.ChannelBindingType(kind)}
	switch kind {
	case "tls-exporter":
		data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte(""), 32)
		if err != nil {
			t.Fatal(err)
		}
		b.Data = data
	case "tls-server-end-point":
		sum := sha256.Sum256(cert.Raw)
		b.Data = sum[:]
	case "tls-unique":
		b.Data = state.TLSUnique
	}
	return b
}

// TestPlus binds logins to real TLS connections, and sees what a man in the
// middle brings about.
func TestPlus(t *testing.T) {
	for _, test := range []struct {
		version        uint16
		binding, taken string
	}{
		{tls.VersionTLS13, "", "tls-exporter"},
		{tls.VersionTLS13, "tls-exporter", "tls-exporter"},
		{tls.VersionTLS13, "tls-server-end-point", "tls-server-end-point"},
		{tls.VersionTLS12, "", "tls-server-end-point"},
		{tls.VersionTLS12, "tls-exporter", "tls-exporter"}, // crypto/tls has the extended master secret
		{tls.VersionTLS12, "tls-unique", "tls-unique"},
	} {
		ours, theirs, cert := handshake(t, test.version)
		c := full()
		c.TLS, c.Binding = ours, test.binding
		for name, h := range hashes() {
			first := start(t, begin(t, name+"-PLUS", c))
			if want := "p=" + test.taken + ",,n=alice,r="; !strings.HasPrefix(first.Shape, want) {
				t.Errorf("%s begins with %q, not %q", name, first.Shape, want)
			}
			b := atServer(t, test.taken, theirs, cert)
			if e1, e2 := talk(t, begin(t, name+"-PLUS", c), scramServer(t, h, password, &b)); e1 != nil || e2 != nil {
				t.Errorf("%s-PLUS by %s in %s: the server says %v, we say %v", name, test.taken, tls.VersionName(test.version), e1, e2)
			}
		}

		_, other, cert := handshake(t, test.version)
		b := atServer(t, test.taken, other, cert)
		_, err := talk(t, begin(t, "SCRAM-SHA-256-PLUS", c), scramServer(t, sha256.New, password, &b))
		if !errors.Is(err, ErrSay) || !strings.Contains(err.Error(), "it sees another TLS connection than we do") {
			t.Errorf("another connection by %s in %s: %v", test.taken, tls.VersionName(test.version), err)
		}
	}
}

// TestFlag is the choice between n and y (RFC 5802 section 6).
func TestFlag(t *testing.T) {
	state, theirs, cert := handshake(t, tls.VersionTLS13)
	for _, test := range []struct {
		name, want string
		tls        *tls.ConnectionState
		offered    []string
	}{
		{"no TLS", "n,,", nil, []string{"SCRAM-SHA-256"}},
		{"not told what is offered", "n,,", state, nil},
		{"no -PLUS offered", "y,,", state, []string{"PLAIN", "SCRAM-SHA-256"}},
		{"-PLUS offered, but not wanted", "n,,", state, []string{"SCRAM-SHA-256", "scram-sha-256-plus"}},
		{"another -PLUS offered", "n,,", state, []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256"}},
		{"nothing to bind to", "n,,", &tls.ConnectionState{Version: tls.VersionTLS12, HandshakeComplete: true}, []string{"SCRAM-SHA-256"}},
	} {
		c := full()
		c.TLS, c.Offered = test.tls, test.offered
		if m := start(t, begin(t, "SCRAM-SHA-256", c)); !strings.HasPrefix(m.Shape, test.want+"n=alice,") {
			t.Errorf("%s: %q", test.name, m.Shape)
		}
	}

	// A server that did list a -PLUS form learns that its list was cut.
	c := full()
	c.TLS, c.Offered = state, []string{"SCRAM-SHA-256"}
	b := atServer(t, "tls-exporter", theirs, cert)
	_, err := talk(t, begin(t, "SCRAM-SHA-256", c), scramServer(t, sha256.New, password, &b))
	if !errors.Is(err, ErrSay) || !strings.Contains(err.Error(), "it lists a -PLUS form that did not reach us") {
		t.Errorf("a list that was cut: %v", err)
	}
}

// TestEndPoint is the choice of the hash (RFC 5929 section 4.1).
func TestEndPoint(t *testing.T) {
	raw := []byte("a certificate in DER")
	sum := map[crypto.Hash]string{}
	s256, s384, s512 := sha256.Sum256(raw), sha512.Sum384(raw), sha512.Sum512(raw)
	sum[crypto.SHA256], sum[crypto.SHA384], sum[crypto.SHA512] = string(s256[:]), string(s384[:]), string(s512[:])
	for algorithm, want := range map[x509.SignatureAlgorithm]crypto.Hash{
		x509.MD5WithRSA: crypto.SHA256, x509.SHA1WithRSA: crypto.SHA256, x509.ECDSAWithSHA1: crypto.SHA256,
		x509.SHA256WithRSA: crypto.SHA256, x509.ECDSAWithSHA384: crypto.SHA384, x509.SHA384WithRSAPSS: crypto.SHA384,
		x509.SHA512WithRSA: crypto.SHA512, x509.ECDSAWithSHA512: crypto.SHA512,
	} {
		state := &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{{Raw: raw, SignatureAlgorithm: algorithm}}}
		data, err := bindingData("tls-server-end-point", state)
		if err != nil || string(data) != sum[want] {
			t.Errorf("%s: %x, %v", algorithm, data, err)
		}
	}
}

// TestNoBinding is every reason why a -PLUS form cannot be begun.
func TestNoBinding(t *testing.T) {
	tls13, _, _ := handshake(t, tls.VersionTLS13)
	ed25519 := &tls.ConnectionState{Version: tls.VersionTLS12, HandshakeComplete: true,
		PeerCertificates: []*x509.Certificate{{SignatureAlgorithm: x509.PureEd25519}}}
	for _, test := range []struct {
		tls           *tls.ConnectionState
		binding, want string
	}{
		{nil, "", "needs TLS, to bind the login to"},
		{&tls.ConnectionState{}, "", "needs a TLS connection that gives a channel binding"},
		{&tls.ConnectionState{Version: tls.VersionTLS13}, "tls-exporter", "the handshake is not complete"},
		{tls13, "tls-unique", "needs another channel binding than tls-unique: TLS 1.3 has none for this connection"},
		{tls13, "tls-magic", `needs a channel binding of tls-exporter, tls-server-end-point, tls-unique, and not "tls-magic"`},
		{ed25519, "tls-server-end-point", "RFC 5929 knows no hash for a certificate signed with Ed25519"},
		{ed25519, "", "needs a TLS connection that gives a channel binding"},
		{&tls.ConnectionState{Version: tls.VersionTLS12, HandshakeComplete: true}, "tls-server-end-point", "the server showed no certificate"},
	} {
		c := full()
		c.TLS, c.Binding = test.tls, test.binding
		m, _ := Find("SCRAM-SHA-256-PLUS")
		_, err := m.New(c)
		var lack *LackError
		if !errors.As(err, &lack) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, not %q", test.binding, err, test.want)
		}
	}
}
