package route

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// authority is a CA of the test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

// issue gives a certificate for dns.test and 127.0.0.1, unless change makes it another's.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "dns.test"}, DNSNames: []string{"dns.test"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// dot is a server of DNS over TLS that counts its connections.
type dot struct {
	Server
	listener net.Listener
	accepted atomic.Int32
}

// serveTLS gives each connection of TLS to talk, and closes it when talk ends.
func serveTLS(t testing.TB, config *tls.Config, talk func(net.Conn)) *dot {
	t.Helper()
	return serveTCP(t, func(socket net.Conn) {
		conn := tls.Server(socket, config)
		if conn.Handshake() == nil {
			talk(conn)
		}
		_ = conn.Close()
	})
}

// serveTCP gives each connection to talk, and closes it when talk or the test ends.
func serveTCP(t testing.TB, talk func(net.Conn)) *dot {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dot{Server: Server{Addr: netip.MustParseAddrPort(listener.Addr().String()), TLS: true, Name: "dns.test"}, listener: listener}
	var mu sync.Mutex
	var open []net.Conn
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			mu.Lock()
			open = append(open, socket)
			mu.Unlock()
			wg.Go(func() { talk(socket); _ = socket.Close() })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, socket := range open {
			_ = socket.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return s
}

// each answers every query on a connection with what reply gives, but one for warm.test rightly; it ends
// where that is false.
func each(reply func(conn *dns.Conn, query *dns.Msg) bool) func(net.Conn) {
	return func(socket net.Conn) {
		conn := &dns.Conn{Conn: socket}
		for {
			query, err := conn.ReadMsg()
			if err == nil && query.Question[0].Name == "warm.test." && answerTrue(conn, query) {
				continue
			}
			if err != nil || !reply(conn, query) {
				return
			}
		}
	}
}

// trueMX is the answer that a test wants, whatever is asked.
func trueMX(query *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(query)
	m.RecursionAvailable, m.AuthenticatedData = true, true
	rr, _ := dns.NewRR(query.Question[0].Name + " 60 IN MX 10 true.test.")
	m.Answer = []dns.RR{rr}
	return m
}

func answerTrue(conn *dns.Conn, query *dns.Msg) bool { return conn.WriteMsg(trueMX(query)) == nil }

func dotClient(t testing.TB, a *authority, servers ...Server) *Client {
	t.Helper()
	c := client(servers...)
	c.Roots = a.pool
	t.Cleanup(func() { _ = c.Close() })
	return c
}
