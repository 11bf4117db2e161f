package dialog

import (
	"context"
	"errors"
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
			if _, blotted := s.Offers("XXXXXXXA"); blotted {
				s.Stream.Emit(Finding{Text: "XXXXXXXA stands where STARTTLS was: a firewall in between has made it unreadable (SMTP inspection)"})
			}
			if s.TLS.Policy > PolicyMay {
				s.Stream.Emit(Finding{Fail: true, Text: "STARTTLS is not offered, and TLS is demanded"})
				return &Error{PhaseTLS, &TLSError{
					Kind: TLSNotOffered, Reason: "the server does not offer STARTTLS",
					Likely: "the server has no TLS on this port, or something in between takes the offer out of its reply",
				}}
			}
			if !s.Local {
				s.Stream.Emit(Finding{Text: "STARTTLS is not offered: what follows travels in the clear"})
			}
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
		return &Error{PhaseTLS, &TLSError{Kind: TLSRefused, Reason: "the server refused STARTTLS with " + reply.String(), Likely: unwilling(reply)}}
	}
	s.Stream.Emit(Finding{Text: "STARTTLS was refused: going on in the clear"})
	return nil
}

// unwilling is why a server that offers STARTTLS refuses it (RFC 3207 section 4).
func unwilling(reply *Reply) string {
	if reply.Code == 454 {
		return "the server's TLS is broken for now: a certificate or key that it cannot read; its log says"
	}
	return "something in between, which knows no STARTTLS, answers for the server"
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
	_ = c.nc.SetDeadline(time.Time{}) // of STARTTLS and its reply
	secured, report, err := Handshake(ctx, c.nc, s.TLS, s.Timeouts.Reply, s.Now())
	s.Report.TLS = report
	if err != nil {
		c.broken = true
		var e *TLSError
		if errors.As(err, &e) && e.Kind == TLSPlain { // it quotes the server
			text, _ := c.reader.mask.Hide([]byte(e.Reason))
			e.Reason = string(text)
		}
		s.Stream.Emit(Finding{Fail: true, Text: err.Error()})
		return &Error{PhaseTLS, err}
	}
	s.speak(secured, true)
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
	return &Error{PhaseTLS, &TLSError{Kind: TLSUnproven, Reason: "the certificate does not prove " + report.Name, Unproven: report.Name}}
}
