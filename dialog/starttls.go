package dialog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// StartTLS secures the connection where the policy and the server allow it, and
// says EHLO again, as what was offered before is void then (RFC 3207 section
// 4.2).
//
// Under PolicyMay a server that does not offer STARTTLS, or refuses it, is gone
// on with in the clear. A handshake that fails is a *TLSError under any policy:
// going on without it would hide an attack.
func StartTLS() Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		if s.Secure() || s.TLS.Policy == PolicyNever {
			return nil
		}
		if err := s.halt(PhaseTLS); err != nil {
			return err
		}
		if _, offered := s.Offers("STARTTLS"); !offered {
			if s.TLS.Policy > PolicyMay {
				s.Stream.Emit(Finding{Fail: true, Text: "STARTTLS is not offered, and TLS is demanded"})
				return &Error{PhaseTLS, &TLSError{Reason: "the server does not offer STARTTLS"}}
			}
			s.Stream.Emit(Finding{Text: "STARTTLS is not offered: what follows travels in the clear"})
			return nil
		}
		c, err := NewCommand("STARTTLS")
		if err != nil {
			return &Error{PhaseTLS, err}
		}
		turns, err := s.Exchange(ctx, Step{Phase: PhaseTLS, Command: c, Waits: true})
		if err != nil {
			return err
		}
		if err := refused(turns, nil, 220); err != nil {
			return s.declined(err, turns[0].Reply())
		}
		if err := s.handshake(ctx); err != nil {
			return err
		}
		return Hello().Do(ctx, s)
	}}
}

// declined goes on in the clear where the policy lets it.
func (s *Session) declined(err error, reply *Reply) error {
	switch {
	case reply.Code == 421 || !reply.Temporary() && !reply.Permanent():
		return err
	case s.TLS.Policy > PolicyMay:
		return &Error{PhaseTLS, &TLSError{Reason: "the server refused STARTTLS with " + reply.String()}}
	}
	s.Stream.Emit(Finding{Text: "STARTTLS was refused: going on in the clear"})
	return nil
}

// handshake puts TLS on the connection. The reader has stopped behind the 220.
func (s *Session) handshake(ctx context.Context) error {
	c := s.conn
	c.mu.Lock()
	err := c.end
	c.mu.Unlock()
	if err != nil {
		return &Error{PhaseTLS, err}
	}
	if s.Waiting != nil {
		s.Waiting(Waiting{For: "TLS handshake", Limit: s.Timeouts.Reply})
	}
	secured, report, err := Handshake(ctx, c.nc, s.TLS, s.Timeouts.Reply, s.Now())
	s.Report.TLS = report
	if err != nil {
		c.broken = true
		s.Stream.Emit(Finding{Fail: true, Text: err.Error()})
		return &Error{PhaseTLS, err}
	}
	s.conn = newConn(secured, true, s.Stream)
	s.Stream.Emit(report)
	return s.judge(report)
}

// Judge applies the policy to a connection that was secured before the
// conversation, by implicit TLS (RFC 8314 section 3), and shows what it is.
func Judge(report *TLSReport) Stage {
	return Stage{Do: func(_ context.Context, s *Session) error {
		s.Report.TLS = report
		s.Stream.Emit(report)
		return s.judge(report)
	}}
}

func (s *Session) judge(report *TLSReport) error {
	if s.TLS.Policy < PolicyVerify || report.Verified() {
		return nil
	}
	return &Error{PhaseTLS, &TLSError{Reason: "the certificate does not prove " + report.Name, Unproven: report.Name}}
}

// Handshake does a TLS handshake on nc within limit and judges the certificate
// at the time now, on our own terms, so that a failure is explained in full. The
// error is a *TLSError, a *LostError, a *TimeoutError or the context's cause; an
// unproven certificate is none.
func Handshake(ctx context.Context, nc net.Conn, t TLS, limit time.Duration, now time.Time) (*tls.Conn, *TLSReport, error) {
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sni := t.SNI
	if sni == "" {
		sni = t.Name
	}
	if net.ParseIP(sni) != nil {
		sni = "" // RFC 6066 section 3: an address is not a server name
	}
	conn := tls.Client(nc, &tls.Config{
		ServerName:         sni,
		InsecureSkipVerify: true, // observe judges, with every reason
		MinVersion:         tls.VersionTLS10,
	})
	if err := conn.HandshakeContext(within); err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, nil, context.Cause(ctx)
		case within.Err() != nil:
			return nil, nil, &TimeoutError{For: "end of the TLS handshake", After: limit}
		}
		return nil, nil, handshakeError(err)
	}
	report := observe(conn.ConnectionState(), t, now)
	report.Took = time.Since(began)
	return conn, report, nil
}

func handshakeError(err error) error {
	var op *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record):
		return &TLSError{Reason: fmt.Sprintf("the server does not speak TLS: it sent '%s'", record.RecordHeader[:])}
	case errors.As(err, &op) && op.Op == "remote error": // as crypto/tls reports an alert
		alert := strings.TrimPrefix(op.Err.Error(), "tls: ")
		return &TLSError{Reason: "the server ended the TLS handshake with an alert", Err: errors.New(alert)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &TLSError{Reason: "the TLS handshake failed", Err: lost(err).(*LostError).Err}
	}
	return &TLSError{Reason: "the TLS handshake failed", Err: err}
}
