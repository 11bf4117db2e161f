package reach

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// mostHead is how many bytes an HTTP proxy may say before its tunnel begins.
const mostHead = 8 << 10

// httpProxy leads to servers by the method CONNECT, RFC 9110 section 9.3.6.
type httpProxy struct {
	Proxy
	password transcript.Secret
	roots    *x509.CertPool
	now      func() time.Time
	dial     Dialer // to the proxy
}

// DialContext gives a tunnel to address.
func (p *httpProxy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := p.dial(ctx, network, p.addr())
	if err != nil {
		return nil, err
	}
	// A deadline in the past ends whatever waits when ctx does.
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	tunnel, err := p.through(ctx, nc, address)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = nc.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if errors.As(err, new(*ProxyError)) {
			return nil, err
		}
		return nil, &ProxyError{Addr: p.addr(), Reached: true, Err: err}
	}
	return tunnel, nil
}

// through asks on a connection to the proxy for a tunnel to address.
func (p *httpProxy) through(ctx context.Context, nc net.Conn, address string) (net.Conn, error) {
	if p.Scheme == "https" {
		secured := tls.Client(nc, &tls.Config{ServerName: p.Host, RootCAs: p.roots, Time: p.now})
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("did not pass TLS: %w", err)
		}
		nc = secured
	}
	if _, err := nc.Write(p.request(address)); err != nil {
		return nil, err
	}
	head := make([]byte, 0, mostHead)
	for {
		n, err := nc.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		for {
			status, rest, whole := cutHead(head)
			if !whole {
				break
			}
			code, err := p.answer(status)
			if err != nil {
				return nil, err
			}
			if code == 200 {
				return &tunnel{Conn: nc, ahead: bytes.Clone(rest)}, nil
			}
			head = append(head[:0], rest...) // 1yz: the answer comes later
		}
		switch {
		case !begins(head):
			return nil, foreign(head)
		case errors.Is(err, io.EOF):
			return nil, errors.New("closed the connection instead of an answer")
		case err != nil:
			return nil, err
		case len(head) == cap(head):
			return nil, fmt.Errorf("answered with a head of more than %d bytes", mostHead)
		}
	}
}

// request asks for a tunnel to address.
func (p *httpProxy) request(address string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", address, address)
	if p.User != "" {
		fmt.Fprintf(&b, "Proxy-Authorization: Basic %s\r\n", p.credentials())
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// credentials are user and password as Basic has them, RFC 7617 section 2.
func (p *httpProxy) credentials() string {
	return base64.StdEncoding.EncodeToString([]byte(p.User + ":" + p.password.Reveal()))
}

// answer is the code of a status line: 200, or one that says that the answer
// comes later. Any other is a *ProxyError with what the proxy says.
func (p *httpProxy) answer(status string) (int, error) {
	version, said, _ := strings.Cut(status, " ")
	var code, minor int
	if n, err := fmt.Sscanf(version, "HTTP/1.%1d", &minor); n != 1 || err != nil || len(version) != len("HTTP/1.1") {
		return 0, foreign([]byte(status))
	}
	digits, _, _ := strings.Cut(said, " ")
	if n, err := fmt.Sscanf(digits, "%3d", &code); n != 1 || err != nil || len(digits) != 3 || code < 100 {
		return 0, foreign([]byte(status))
	}
	if code == 200 || code < 200 && code != 101 {
		return code, nil
	}
	return 0, &ProxyError{Addr: p.addr(), Reached: true, Code: code, Said: p.mask(said), Login: p.User != ""}
}

// mask hides our credentials in what a proxy says.
func (p *httpProxy) mask(said string) string {
	password := p.password.Reveal()
	if len(password) < 4 { // it stands in every second line by chance
		return said
	}
	for _, secret := range []string{p.credentials(), base64.StdEncoding.EncodeToString([]byte(password)), password} {
		said = strings.ReplaceAll(said, secret, transcript.Hidden)
	}
	return said
}

// begins reports whether head may be the beginning of an HTTP response.
func begins(head []byte) bool {
	const name = "HTTP/"
	n := min(len(head), len(name))
	return string(head[:n]) == name[:n]
}

// foreign is the error for what is no HTTP response.
func foreign(head []byte) error {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	return fmt.Errorf("does not speak HTTP/1: it begins with %s", line[:min(len(line), 80)])
}

// cutHead gives the status line of a response's head and what follows the head,
// once it is whole. A line may end with LF alone (RFC 9112 section 2.2).
func cutHead(b []byte) (status string, rest []byte, whole bool) {
	for at, lines := 0, 0; ; lines++ {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return "", nil, false
		}
		line := string(bytes.TrimSuffix(b[at:at+n], []byte("\r")))
		at += n + 1
		switch {
		case lines == 0:
			status = line
		case line == "":
			return status, b[at:], true
		}
	}
}

// tunnel is a connection through a proxy. What came with the answer is the
// server's: it may speak first.
type tunnel struct {
	net.Conn
	ahead []byte
}

func (t *tunnel) Read(b []byte) (int, error) {
	if len(t.ahead) == 0 {
		return t.Conn.Read(b)
	}
	n := copy(b, t.ahead)
	t.ahead = t.ahead[n:]
	return n, nil
}
