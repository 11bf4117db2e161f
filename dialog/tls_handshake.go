package dialog

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Handshake does a TLS handshake on nc within limit and judges the certificate
// at the time now, on our own terms, so that a failure is explained in full. The
// error is a *TLSError, which wraps a *TimeoutError if the server stalls, or the
// context's cause; an unproven certificate is none.
func Handshake(ctx context.Context, nc net.Conn, t TLS, limit time.Duration, now time.Time) (*tls.Conn, *TLSReport, error) {
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	h := &handshake{TLS: t, wire: &opening{wire: newWire(nc)}}
	conn := tls.Client(h.wire, h.config())
	if err := conn.HandshakeContext(within); err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, nil, context.Cause(ctx)
		case within.Err() != nil:
			return nil, nil, h.stalled(limit)
		}
		return nil, nil, h.failed(err)
	}
	report := observe(conn.ConnectionState(), t, now)
	report.Asked, report.Shown = h.asked, h.shown
	report.Remarks = append(report.Remarks, h.remarks...)
	report.Took = time.Since(began)
	return conn, report, nil
}

// handshake is one that is under way.
type handshake struct {
	TLS
	wire         *opening
	asked, shown bool // a client certificate
	remarks      []string
}

func (h *handshake) config() *tls.Config {
	suites := h.Suites
	if len(suites) == 0 {
		suites = Suites()
	}
	return &tls.Config{
		ServerName:           h.serverName(),
		InsecureSkipVerify:   true, // observe judges, with every reason
		MinVersion:           max(h.MinVersion, tls.VersionTLS10),
		MaxVersion:           h.MaxVersion,
		CipherSuites:         suites,
		CurvePreferences:     h.Groups,
		KeyLogWriter:         h.KeyLog,
		ClientSessionCache:   h.Sessions,
		GetClientCertificate: h.show,
	}
}

// serverName is what SNI says: no address (RFC 6066 section 3).
func (h *handshake) serverName() string {
	name := h.SNI
	if name == "" {
		name = h.Name
	}
	if net.ParseIP(name) != nil {
		return ""
	}
	return name
}

// show picks the client certificate that the server says it takes. If it takes
// none, the first that the handshake can be signed with is shown all the same:
// servers list fewer authorities than they trust, and the answer is worth seeing.
func (h *handshake) show(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	h.asked = true
	h.remarks = append(h.remarks, "the server asks for a client certificate")
	if len(h.Certificates) == 0 {
		return &tls.Certificate{}, nil // none, as TLS has it
	}
	anyone := *asked
	anyone.AcceptableCAs = nil
	for _, info := range []*tls.CertificateRequestInfo{asked, &anyone} {
		i := slices.IndexFunc(h.Certificates, func(c tls.Certificate) bool { return info.SupportsCertificate(&c) == nil })
		if i < 0 {
			continue
		}
		if info == &anyone {
			h.remarks = append(h.remarks, fmt.Sprintf("none of the %s that it takes certificates of has issued ours", transcript.Count(len(asked.AcceptableCAs), "CA")))
		}
		h.shown = true
		return &h.Certificates[i], nil
	}
	h.remarks = append(h.remarks, "no client certificate was shown: the server takes no signature of its key")
	return &tls.Certificate{}, nil
}

// opening remembers how a server began to answer, for when it is no TLS.
type opening struct {
	*wire
	head  []byte // at most 200 bytes
	bytes int64  // that came in all
}

func (o *opening) Read(p []byte) (int, error) {
	n, err := o.wire.Read(p)
	o.head = append(o.head, p[:min(n, 200-len(o.head))]...)
	o.bytes += int64(n)
	return n, err
}
