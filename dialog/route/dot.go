package route

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/miekg/dns"
)

// overTLS asks s by DNS over TLS (RFC 7858). A connection that has answered before and
// ended since says nothing against the server: a new one is tried (RFC 7766 section
// 6.2.4). As each such end has an answer before it, there are no more than questions.
func (c *Client) overTLS(ctx context.Context, s Server, q question) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*c.timeout(), errTry) // a handshake and an answer
	defer cancel()
	for edns := true; ; {
		m, again, err := c.onceOverTLS(ctx, s, q, edns)
		switch {
		case again && ctx.Err() == nil:
		case err == nil && edns && noEDNS(m):
			edns = false
		default:
			return m, err
		}
	}
}

// onceOverTLS sends one query over the connection to s and waits for its answer. again
// says that a new connection may do better.
func (c *Client) onceOverTLS(ctx context.Context, s Server, q question, edns bool) (m *dns.Msg, again bool, err error) {
	start := time.Now()
	defer func() { c.trace(q, s, "tls", m, start, err) }()
	l := c.links.join(s, func() (*dns.Conn, Kind, error) {
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), c.timeout(), errTry)
		defer cancel()
		return c.dialTLS(ctx, s)
	})
	defer l.leave()
	select {
	case <-l.dialed:
	case <-ctx.Done():
		return nil, false, c.netError(ctx, s, q, ctx.Err(), 0)
	}
	if l.err != nil {
		return nil, false, q.fail(s, l.kind, l.err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout(), errTry)
	defer cancel()
	passed := l.passed()
	m, err = l.ask(ctx, pad(q.message(edns)), maxIdle)
	var ended *endedError
	switch {
	case err == nil:
		return m, false, nil
	case m != nil:
		return nil, false, q.fail(s, Malformed, err)
	case errors.As(err, &ended):
		return nil, ended.worked, c.netError(ctx, s, q, ended.why, 0)
	case context.Cause(ctx) == errTry:
		l.retire() // it may be dead: the next try has a new one
	}
	return nil, false, c.netError(ctx, s, q, err, l.passed()-passed)
}

// pad makes the length of query say nothing of the name in it (RFC 7830): a
// multiple of 128 octets (RFC 8467 section 4.1).
func pad(query *dns.Msg) *dns.Msg {
	opt := query.IsEdns0()
	if opt == nil {
		return query
	}
	padding := new(dns.EDNS0_PADDING)
	opt.Option = append(opt.Option, padding)
	if rest := query.Len() % padTo; rest > 0 {
		padding.Padding = make([]byte, padTo-rest)
	}
	return query
}

// dialTLS connects to s and makes it prove that it is s: the strict profile of RFC 8310
// section 5. Nothing is sent to a server that does not.
func (c *Client) dialTLS(ctx context.Context, s Server) (*dns.Conn, Kind, error) {
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "tcp", s.Addr.String())
	if err != nil {
		kind, err := c.kindOf(ctx, err)
		var call *os.SyscallError
		if errors.As(err, &call) {
			err = call.Err // whose name is connect too
		}
		return nil, kind, fmt.Errorf("connect: %w", err)
	}
	conn := tls.Client(socket, &tls.Config{
		ServerName: s.proves(), // an address is not sent as SNI
		RootCAs:    c.Roots,
		Time:       c.now,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"dot"},
	})
	err = conn.HandshakeContext(ctx)
	if err == nil {
		return &dns.Conn{Conn: conn}, 0, nil
	}
	_ = socket.Close()
	var wrong *tls.CertificateVerificationError
	if errors.As(err, &wrong) {
		return nil, TLSFailed, fmt.Errorf("certificate: %w", c.fault(wrong, s))
	}
	kind, err := c.kindOf(ctx, err)
	if kind == Network {
		kind = TLSFailed
	}
	return nil, kind, fmt.Errorf("handshake: %w", err)
}

// proves is the name or the address that the server's certificate has to have.
func (s Server) proves() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Addr.Addr().WithZone("").String()
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Close ends the connections of DNS over TLS; a further question opens a new one.
func (c *Client) Close() error {
	c.links.close()
	return nil
}
