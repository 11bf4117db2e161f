package policy

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"
)

// noon is when the tests happen.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

const day = 24 * time.Hour

// issued is a certificate with its key and its issuer.
type issued struct {
	*x509.Certificate
	key crypto.Signer
	by  *issued
}

// authorityCert makes a certificate authority, signed by by, or by itself.
func authorityCert(t testing.TB, name string, by *issued, change ...func(*x509.Certificate)) *issued {
	t.Helper()
	return issue(t, by, append([]func(*x509.Certificate){func(c *x509.Certificate) {
		c.Subject.CommonName = name
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign
		c.NotAfter = noon().Add(1000 * day)
	}}, change...)...)
}

// leafCert makes a server's certificate, signed by by, or by itself.
func leafCert(t testing.TB, name string, by *issued, change ...func(*x509.Certificate)) *issued {
	t.Helper()
	return issue(t, by, append([]func(*x509.Certificate){func(c *x509.Certificate) {
		c.Subject.CommonName = name
		c.DNSNames = []string{name}
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}}, change...)...)
}

func issue(t testing.TB, by *issued, change ...func(*x509.Certificate)) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{}, NotBefore: noon().Add(-30 * day), NotAfter: noon().Add(60 * day)}
	for _, f := range change {
		f(template)
	}
	parent, signer := template, crypto.Signer(key)
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{c, key, by}
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = noon().Add(-100*day), noon().Add(-20*day-time.Hour)
}

func names(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

// chain is what a server sends: certificates in order, the first its own.
func chain(certs ...*issued) tls.Certificate {
	sent := tls.Certificate{PrivateKey: certs[0].key}
	for _, c := range certs {
		sent.Certificate = append(sent.Certificate, c.Raw)
	}
	return sent
}

// shown is the chain as a client sees it in a real handshake.
func shown(t testing.TB, certs ...*issued) []*x509.Certificate {
	t.Helper()
	l := listenTLS(t, chain(certs...), func(net.Conn) {})
	conn, err := tls.Dial("tcp", l, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates
}

// listenTLS serves every connection with serve until the test ends.
func listenTLS(t testing.TB, cert tls.Certificate, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				conn := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{cert}})
				defer conn.Close()
				if conn.Handshake() == nil {
					serve(conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// tlsa is the data of the record that stands for c.
func tlsa(t testing.TB, usage, selector, matching uint8, c *issued) string {
	t.Helper()
	data, ok := associate(selector, matching, c.Certificate)
	if !ok {
		t.Fatalf("%d %d %d", usage, selector, matching)
	}
	return fmt.Sprintf("%d %d %d %x", usage, selector, matching, data)
}
