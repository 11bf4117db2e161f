package cmd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// secureZone answers every question for an MX or A record, with the AD bit.
func secureZone(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable, m.AuthenticatedData = true, true
	name, typ := q.Question[0].Name, q.Question[0].Qtype
	text := name + " 60 IN A 192.0.2.1"
	if typ == dns.TypeMX {
		text = name + " 60 IN MX 10 mx." + name
	}
	if typ == dns.TypeMX || typ == dns.TypeA {
		rr, _ := dns.NewRR(text)
		m.Answer = []dns.RR{rr}
	}
	_ = w.WriteMsg(m)
}

// serveSecure serves secureZone at addr, in the clear or over TLS, and gives its address.
func serveSecure(t *testing.T, addr string, config *tls.Config) string {
	t.Helper()
	udp, err := net.ListenPacket("udp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Skipf("this host does not listen at %s: %v", addr, err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: udp, Handler: dns.HandlerFunc(secureZone), NotifyStartedFunc: func() { close(started) }}
	if config != nil {
		_ = udp.Close()
		listener, err := tls.Listen("tcp", net.JoinHostPort(addr, "0"), config)
		if err != nil {
			t.Fatal(err)
		}
		server.PacketConn, server.Listener = nil, listener
	}
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	if config != nil {
		return server.Listener.Addr().String()
	}
	return udp.LocalAddr().String()
}

// mx says who vouches for DNSSEC, or that nobody does and, once a run, what would help.
func TestWhoVouchesIsShown(t *testing.T) {
	const note = " says DNSSEC secure, which counts only from 127.0.0.1 or ::1"
	near, far := serveSecure(t, "127.0.0.1", nil), serveSecure(t, "127.0.0.2", nil)
	for _, tt := range []struct {
		args  string
		heads string
		notes int
	}{
		{"--dns-server " + near, "DNSSEC secure by " + near, 0},
		{"--dns-server " + far, "DNSSEC not proven", 0},
		{"-v --dns-server " + far, "DNSSEC not proven", 1},
		{"--dns-trust-ad --dns-server " + far, "DNSSEC secure by " + far, 0},
	} {
		out, errs, status := newWorld().run(append(strings.Fields("mx a.test b.test"), strings.Fields(tt.args)...)...)
		if status != 0 || errs != "" || strings.Count(out, tt.heads) != 2 || strings.Count(out, far+note) != tt.notes {
			t.Errorf("%s: status %d\n%s%s", tt.args, status, out, errs)
		}
	}
}

// --dns-server tls:// is judged by --tls-ca-path and the clock of the run; a certificate that does not
// prove the server ends the run, and nothing is asked in the clear.
func TestDNSOverTLS(t *testing.T) {
	w := newWorld()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"dns.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: w.Now().Add(-time.Hour), NotAfter: w.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	server := "tls://" + serveSecure(t, "127.0.0.1", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	for _, tt := range []struct{ args, want string }{
		{"--tls-ca-path " + ca + " --dns-server " + server + "#dns.test", "answered by " + server + "#dns.test · DNSSEC secure"},
		{"--tls-ca-path " + ca + " --dns-server " + server, "DNS over TLS failed: certificate: name: wanted 127.0.0.1; it is for dns.test"},
		{"--tls-ca-path " + ca + " --now 2026-11-24T00:00:00Z --dns-server " + server + "#dns.test", "DNS over TLS failed: certificate: dates: expired on 2026-11-22 02:14Z"},
		{"--dns-server " + server + "#dns.test", "DNS over TLS failed: certificate: chain: self-signed, and not trusted"},
	} {
		line := "probe a.test -v --connect-to ::127.0.0.1:1 " + tt.args
		out, _, status := w.run(strings.Fields(line)...)
		if status != int(StatusNoAnswer) || !strings.Contains(out, tt.want) {
			t.Errorf("%s: status %d, want %q\n%s", tt.args, status, tt.want, out)
		}
	}
}
