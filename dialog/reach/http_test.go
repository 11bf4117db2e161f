package reach

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// scripted is an HTTP proxy that answers any request with the same bytes.
func scripted(t *testing.T, answer string) (addr string) {
	return serveOnce(t, func(nc net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(nc)); err != nil {
			return
		}
		_, _ = io.WriteString(nc, answer)
	})
}

func TestHTTPProxyAnswers(t *testing.T) {
	long := strings.Repeat("x", mostHead)
	for _, test := range []struct {
		answer string
		want   string // what the server says first, or what is wrong
	}{
		{"HTTP/1.1 200 Connection established\r\n\r\n220 mx ESMTP\r\n", "220 mx ESMTP\r\n"},
		{"HTTP/1.0 200\r\n\r\n220 mx\r\n", "220 mx\r\n"},
		{"HTTP/1.1 200 OK\nVia: x\n\n220 mx\r\n", "220 mx\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n220 mx\r\n", "220 mx\r\n"}, // has no meaning here, RFC 9110 section 9.3.6
		{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n220 mx\r\n", "220 mx\r\n"},
		{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "says the proxy: 407 Proxy Authentication Required"},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "says the proxy: 302 Found"},
		{"HTTP/1.1 204 No Content\r\n\r\n", "says the proxy: 204 No Content"},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", "says the proxy: 101 Switching Protocols"},
		{"HTTP/1.1 502 Bad\x1b[31m Gateway\r\n\r\n", "says the proxy: 502 Bad\x1b[31m Gateway"},
		{"HTTP/1.1 200 OK\r\nX: " + long, "answered with a head of more than 8192 bytes"},
		{"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", mostHead), "answered with a head of more than 8192 bytes"},
		{strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 10) + "HTTP/1.1 503 Busy\r\n\r\n", "says the proxy: 503 Busy"},
		{"HTTP/1.1 200 OK\r\n", "closed the connection instead of an answer"},
		{"", "closed the connection instead of an answer"},
		{"HTT", "closed the connection instead of an answer"},
		{"220 mx ESMTP\r\n", "does not speak HTTP/1: it begins with 220 mx ESMTP"},
		{"HTTP/2 200 OK\r\n\r\n", "does not speak HTTP/1: it begins with HTTP/2 200 OK"},
		{"HTTP/1.1 20 OK\r\n\r\n", "does not speak HTTP/1: it begins with HTTP/1.1 20 OK"},
		{"HTTP/1.1 +20 OK\r\n\r\n", "does not speak HTTP/1: it begins with HTTP/1.1 +20 OK"},
		{"HTTP/1.1 2000 OK\r\n\r\n", "does not speak HTTP/1: it begins with HTTP/1.1 2000 OK"},
		{"\r\n\r\n", "does not speak HTTP/1: it begins with "},
		{strings.Repeat("\x00", 1<<20), "does not speak HTTP/1: it begins with " + strings.Repeat("\x00", 80)},
	} {
		dial, err := NewDialer(Way{Via: "http://" + scripted(t, test.answer)})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := dial(t.Context(), "tcp", "192.0.2.1:25")
		if err != nil {
			if got := (&ConnectError{Err: err}).Short(); !strings.HasPrefix(got, "cannot be reached") || !strings.HasSuffix(got, test.want) {
				t.Errorf("%.40q: %s; want %s", test.answer, got, test.want)
			}
			continue
		}
		got, err := io.ReadAll(nc)
		if err != nil || string(got) != test.want {
			t.Errorf("%.40q: %q, %v; want %q", test.answer, got, err, test.want)
		}
		_ = nc.Close()
	}
}

// The request names the server, logs in, and holds nothing else; what the proxy
// repeats of the credentials is masked.
func TestHTTPProxyLogin(t *testing.T) {
	requests := make(chan string, 1)
	proxy := serveOnce(t, func(nc net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(nc))
		if err != nil {
			return
		}
		sent := r.Header.Get("Proxy-Authorization")
		requests <- r.Method + " " + r.RequestURI + " " + r.Host + " " + sent
		_, _ = io.WriteString(nc, "HTTP/1.1 407 no "+sent+" nor hunter22\r\n\r\n")
	})
	dial, err := NewDialer(Way{Via: "http://alice@" + proxy, Password: transcript.NewSecret("hunter22")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = dial(t.Context(), "tcp", "[2001:db8::1]:25")
	var failed *ProxyError
	if !errors.As(err, &failed) || failed.Code != 407 || failed.Said != "407 no Basic [hidden] nor [hidden]" {
		t.Errorf("%v", err)
	}
	if got, want := <-requests, "CONNECT [2001:db8::1]:25 [2001:db8::1]:25 Basic YWxpY2U6aHVudGVyMjI="; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// A drip of bytes resets no clock.
func TestHTTPProxyDrip(t *testing.T) {
	proxy := serveOnce(t, func(nc net.Conn) {
		_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(nc, "X"); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	dial, err := NewDialer(Way{Via: "http://" + proxy})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := dial(ctx, "tcp", "192.0.2.1:25"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

// certified is a certificate for 127.0.0.1 and the pool that trusts it.
func certified(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	leaf, _ := x509.ParseCertificate(der)
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// An https proxy has to prove its name before it hears anything.
func TestHTTPSProxy(t *testing.T) {
	pair, roots := certified(t)
	asked := make(chan string, 2)
	proxy := serveOnce(t, func(raw net.Conn) {
		nc := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{pair}})
		r, err := http.ReadRequest(bufio.NewReader(nc))
		if err != nil {
			asked <- "nothing"
			return
		}
		asked <- r.RequestURI
		_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\n\r\n220 mx\r\n")
		_, _ = io.Copy(io.Discard, nc)
	})
	dial, err := NewDialer(Way{Via: "https://" + proxy, Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := dial(t.Context(), "tcp", "192.0.2.1:25")
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(nc).ReadString('\n')
	if got := <-asked; err != nil || line != "220 mx\r\n" || got != "192.0.2.1:25" {
		t.Errorf("%q, %v, asked for %s", line, err, got)
	}
	_ = nc.Close()
	for name, way := range map[string]Way{
		"unknown CA": {Via: "https://" + proxy, Roots: x509.NewCertPool()},
		"expired":    {Via: "https://" + proxy, Roots: roots, Now: func() time.Time { return time.Now().Add(24 * time.Hour) }},
	} {
		dial, err := NewDialer(way)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t.Context(), "tcp", "192.0.2.1:25")
		if got := (&ConnectError{Err: err}).Short(); !strings.Contains(got, "the proxy "+proxy+" did not pass TLS: ") {
			t.Errorf("%s: %s", name, got)
		}
		if got := <-asked; got != "nothing" {
			t.Errorf("%s: it heard a request for %s", name, got)
		}
	}
}

// answered is a connection to a proxy that says text, read by reader.
type answered struct {
	net.Conn
	reader io.Reader
}

func (a answered) Read(b []byte) (int, error)  { return a.reader.Read(b) }
func (a answered) Write(b []byte) (int, error) { return len(b), nil }

// FuzzHTTPProxy: however the bytes of an answer are divided, the outcome is the
// same, no byte behind the head is lost, and no error has two lines.
func FuzzHTTPProxy(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\n\r\n220 x\r\n", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\n\n220 x", "HTTP/1.1 407 x\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "220 x\r\n", "HTTP/1.1 200 OK\r\n\r", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		outcome := func(r io.Reader) (string, error) {
			p := &httpProxy{Proxy: Proxy{Scheme: "http", Host: "127.0.0.1", Port: "3128"}}
			nc, err := p.through(context.Background(), answered{reader: r}, "192.0.2.1:25")
			if err != nil {
				return "", err
			}
			rest, err := io.ReadAll(nc)
			return string(rest), err
		}
		whole, err := outcome(bytes.NewReader(answer))
		drip, dripErr := outcome(iotest.OneByteReader(bytes.NewReader(answer)))
		if whole != drip || (err == nil) != (dripErr == nil) {
			t.Fatalf("%q, %v; byte by byte %q, %v", whole, err, drip, dripErr)
		}
		if err == nil && !bytes.HasSuffix(answer, []byte(whole)) {
			t.Fatalf("%q is not the end of %q", whole, answer)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("a second line in %q", err)
		}
	})
}
