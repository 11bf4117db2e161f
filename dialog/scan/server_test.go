package scan_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// injected is what a server does with what came along with STARTTLS.
type injected int

const (
	discards       injected = iota
	answersTLS              // as if it had come under TLS
	answersInClear          // before the handshake
	closes
)

// server is an SMTP server on loopback.
type server struct {
	config   *tls.Config
	injected injected
	most     int32 // conversations that it holds; 421 after them; 0: any number

	listener net.Listener
	serving  sync.WaitGroup
	seen     atomic.Int32 // connections
}

// start lets s serve until the test ends.
func (s *server) start(t *testing.T) {
	t.Helper()
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.serving.Go(func() {
		for {
			nc, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.serving.Go(func() {
				defer func() { _ = nc.Close() }()
				_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
				s.serve(nc)
			})
		}
	})
	t.Cleanup(func() {
		_ = s.listener.Close()
		s.serving.Wait()
	})
}

func (s *server) serve(nc net.Conn) {
	if n := s.seen.Add(1); s.most > 0 && n > s.most {
		_, _ = io.WriteString(nc, "421 4.7.0 too many connections\r\n")
		return
	}
	_, _ = io.WriteString(nc, "220 mx.test\r\n")
	in := bufio.NewReader(nc)
	for {
		line, err := in.ReadString('\n')
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "STARTTLS"):
			along, _ := in.Peek(in.Buffered())
			if len(along) > 0 && s.injected == closes {
				return
			}
			_, _ = io.WriteString(nc, "220 go ahead\r\n")
			if len(along) > 0 && s.injected == answersInClear {
				_, _ = io.WriteString(nc, "250 ok\r\n")
			}
			secure := tls.Server(nc, s.config)
			if secure.Handshake() != nil {
				return
			}
			nc, in = secure, bufio.NewReader(secure)
			if s.injected == answersTLS {
				in = bufio.NewReader(io.MultiReader(strings.NewReader(string(along)), secure))
			}
		case strings.HasPrefix(line, "EHLO"):
			_, _ = io.WriteString(nc, "250-mx.test\r\n250 STARTTLS\r\n")
		case strings.HasPrefix(line, "QUIT"):
			_, _ = io.WriteString(nc, "221 bye\r\n")
			return
		default:
			_, _ = io.WriteString(nc, "250 ok\r\n")
		}
	}
}

// at is how s is reached, and where. The Reach fails the test if it has two
// connections at a time.
func (s *server) at(t *testing.T) (*reach.Reach, reach.Hop) {
	t.Helper()
	var open atomic.Int32
	dialer := &net.Dialer{}
	times := dialog.DefaultTimeouts()
	times.Reply, times.Banner = 10*time.Second, 10*time.Second
	r := &reach.Reach{
		ConnectTimeout: 10 * time.Second,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if n := open.Add(1); n > 1 {
				t.Errorf("%d connections at a time", n)
			}
			return &counted{Conn: nc, open: &open}, nil
		},
		Session: dialog.Options{Timeouts: times, Hello: "client.test", Now: time.Now, TLS: dialog.TLS{Policy: dialog.PolicyMay, Roots: x509.NewCertPool(), Store: "no store"}},
	}
	return r, reach.Hop{Host: "mx.test", Addr: s.listener.Addr().(*net.TCPAddr).AddrPort(), Port: 25}
}

// counted is a connection that counts while it is open.
type counted struct {
	net.Conn
	open *atomic.Int32
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// certificate is one for mx.test, signed by itself.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.test"}, DNSNames: []string{"mx.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// closed is an address at which nobody listens.
func closed(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
