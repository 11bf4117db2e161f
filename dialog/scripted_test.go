package dialog

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// scripted is the server's side of a dialogue.
type scripted struct {
	nc    net.Conn
	r     *bufio.Reader
	heard bytes.Buffer // under TLS too, the handshake left out
	said  bytes.Buffer
	deaf  bool          // it stopped reading
	over  chan struct{} // closed when the client is done
}

func unescape(text string) string {
	return strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00").Replace(text)
}

func (s *scripted) play(nc net.Conn, script string) error {
	s.nc, s.r = nc, bufio.NewReader(nc)
	var out strings.Builder
	flush := func() {
		s.said.WriteString(out.String())
		_, _ = io.WriteString(s.nc, out.String()) // a client that has gone shows in what it is expected to say
		out.Reset()
	}
	for line := range strings.Lines(script) {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), "\t")
		kind, rest, _ := strings.Cut(line, " ")
		if kind != "S:" && kind != "S|" && out.Len() > 0 {
			flush()
		}
		switch kind {
		case "":
		case "S:":
			out.WriteString(unescape(rest) + "\r\n")
		case "S|":
			out.WriteString(unescape(rest))
		case "C:":
			if err := s.expect(rest + "\r\n"); err != nil {
				return err
			}
		case "C|":
			if err := s.expect(unescape(rest)); err != nil {
				return err
			}
		case "C>":
			n, _ := strconv.ParseInt(rest, 10, 64)
			if _, err := io.CopyN(&s.heard, s.r, n); err != nil {
				return fmt.Errorf("reading %d octets: %w", n, err)
			}
		case "S!":
			if over, err := s.act(rest); over || err != nil {
				return err
			}
		default:
			return fmt.Errorf("no such line: %q", line)
		}
	}
	flush()
	rest, err := io.ReadAll(s.r)
	s.heard.Write(rest)
	if len(rest) > 0 {
		return fmt.Errorf("heard %q at the end", rest)
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "reset") {
		return fmt.Errorf("the client did not close: %w", err)
	}
	return nil
}

func (s *scripted) expect(want string) error {
	got := make([]byte, len(want))
	n, err := io.ReadFull(s.r, got)
	s.heard.Write(got[:n])
	if string(got[:n]) != want {
		more, _ := s.r.Peek(s.r.Buffered())
		return fmt.Errorf("heard %q then %q (%v), want %q", got[:n], more, err, want)
	}
	return nil
}

func (s *scripted) act(what string) (over bool, err error) {
	switch what {
	case "close":
		return true, nil
	case "reset":
		return true, s.nc.(*net.TCPConn).SetLinger(0)
	case "half":
		return false, s.nc.(*net.TCPConn).CloseWrite()
	case "idle":
		s.deaf = true
		<-s.over
		rest, _ := io.ReadAll(s.r)
		s.heard.Write(rest)
		if bytes.Contains(rest, []byte("\r\n.\r\n")) || bytes.Contains(rest, []byte("QUIT")) {
			return true, fmt.Errorf("the client went on to the end: %q", rest[max(0, len(rest)-50):])
		}
		return true, nil
	case "tls":
		secured := tls.Server(s.nc, &tls.Config{Certificates: []tls.Certificate{testCertificate()}})
		if err := secured.Handshake(); err != nil {
			return true, err
		}
		s.nc, s.r = secured, bufio.NewReader(secured)
		return false, nil
	}
	return true, fmt.Errorf("no such act: %q", what)
}

// testCertificate is a certificate for mx.test that signs itself.
var testCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mx.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
})

func testRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(testCertificate().Leaf)
	return pool
}
