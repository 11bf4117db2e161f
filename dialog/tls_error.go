package dialog

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// TLSKind says at what TLS failed.
type TLSKind int

// The ways in which TLS fails.
const (
	TLSFailed            TLSKind = iota // in the handshake, for none of the reasons below
	TLSNotOffered                       // EHLO does not list STARTTLS: it was never there, or was taken out on the way
	TLSRefused                          // STARTTLS was not answered with 220
	TLSPlain                            // what came in place of a handshake is not TLS
	TLSClosed                           // the server closed or reset the connection within the handshake
	TLSStalled                          // the handshake did not end in time; Err is a *TimeoutError
	TLSVersion                          // no version in common
	TLSSuite                            // no cipher suite, group or signature algorithm in common
	TLSServerName                       // the server knows no such name
	TLSClientCertificate                // the server demands a client certificate, or does not take the one shown
	TLSBadCertificate                   // the server's certificate cannot be read or used
	TLSUnproven                         // the certificate does not prove the name: see Unproven
)

// failed says why a handshake came to nothing.
func (h *handshake) failed(err error) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) || h.isText():
		return h.plain()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return h.closed("the server closed the connection")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return h.closed("the connection was reset")
	}
	if alert, ours, ok := alertOf(err); ok && !ours {
		return h.alerted(alert)
	}
	return h.gaveUp(err)
}

// isText reports whether all that came is too short for a TLS record, or begins
// like a reply.
func (h *handshake) isText() bool {
	head := h.wire.head
	return len(head) > 0 && len(head) < 5 && (head[0] < 20 || head[0] > 23)
}

func (h *handshake) plain() error {
	head, _, _ := strings.Cut(string(h.wire.head), "\n")
	e := &TLSError{
		Kind: TLSPlain, Reason: fmt.Sprintf("the server does not speak TLS: it sent '%s'", strings.TrimRight(head, "\r")),
		Likely: "another service answers on that port, or something in between answers for the server",
	}
	if strings.HasPrefix(head, "220") {
		e.Likely = "this port begins in the clear, with STARTTLS"
	}
	return e
}

func (h *handshake) closed(how string) error {
	if h.wire.bytes == 0 {
		return &TLSError{Kind: TLSClosed, Reason: how + " in place of a TLS handshake",
			Likely: "the server's TLS is not set up: no certificate or key that it can read; its log says"}
	}
	return &TLSError{Kind: TLSClosed, Reason: fmt.Sprintf("%s within the TLS handshake, after %s", how, transcript.Count(int(h.wire.bytes), "byte")),
		Likely: "the server's TLS failed, or something in between ended the connection; the server's log says"}
}

func (h *handshake) stalled(limit time.Duration) error {
	e := &TLSError{Kind: TLSStalled, Reason: "the server did not begin the TLS handshake",
		Likely: "the server waits for something else, or the first packets are lost: they are large with post-quantum groups",
		Err:    &TimeoutError{For: "answer to the TLS handshake", After: limit}}
	if h.wire.bytes > 0 {
		e.Reason = fmt.Sprintf("the server stopped within the TLS handshake, after %s", transcript.Count(int(h.wire.bytes), "byte"))
		e.Likely = "packets of full size are lost on the way, or the server hangs"
		e.Err = &TimeoutError{For: "end of the TLS handshake", After: limit}
	}
	return e
}

// versions are those that are allowed here, for a person.
func (h *handshake) versions() string {
	from, to := max(h.MinVersion, tls.VersionTLS10), h.MaxVersion
	if to == 0 {
		to = tls.VersionTLS13
	}
	if from == to {
		return tls.VersionName(from)
	}
	return tls.VersionName(from) + " to " + tls.VersionName(to)
}

// alerted says what an alert of the server means at this point.
func (h *handshake) alerted(alert int) error {
	e := &TLSError{Alert: alert, Reason: "the server ended the TLS handshake with the alert " + alertName(alert)}
	narrowed := len(h.Suites)+len(h.Groups) > 0
	switch alert {
	case 70, 86: // protocol_version, inappropriate_fallback
		e.Kind, e.Reason = TLSVersion, fmt.Sprintf("the server takes no TLS version that is allowed here, %s: alert %s", h.versions(), alertName(alert))
		e.Likely = "the server speaks only older versions"
		switch {
		case h.MaxVersion != 0 && h.MaxVersion < tls.VersionTLS13:
			e.Likely = "the server speaks only newer versions, or only older ones"
		case h.MinVersion <= tls.VersionTLS10:
			e.Likely = "the server speaks only SSL, which is older than TLS"
		}
	case 40, 71, 47: // handshake_failure, insufficient_security, illegal_parameter
		switch {
		case h.asked && !h.shown:
			e.Kind, e.Likely = TLSClientCertificate, "the server demands a client certificate: it asked for one, and none was shown"
		case narrowed:
			e.Kind, e.Likely = TLSSuite, "the server takes none of the suites or groups that were asked for"
		default:
			e.Kind, e.Likely = TLSSuite, "no cipher suite, group or signature algorithm in common"
		}
	case 112: // unrecognized_name
		e.Kind, e.Likely = TLSServerName, "the server has no certificate for another name than its own"
		e.Reason = fmt.Sprintf("the server knows no host %s: alert %s", h.serverName(), alertName(alert))
		if h.serverName() == "" {
			e.Reason, e.Likely = "the server wants to be told a name: alert "+alertName(alert), "it has certificates for several names, and none for its address"
		}
	default:
		if text, ok := aboutClient(alert, h.shown); ok {
			e.Kind, e.Reason = TLSClientCertificate, fmt.Sprintf("the server ended the TLS handshake: %s (alert %s)", text, alertName(alert))
		}
	}
	return e
}

// gaveUp says why this side ended the handshake.
func (h *handshake) gaveUp(err error) error {
	e := &TLSError{Reason: "the TLS handshake failed", Err: err}
	text := strings.TrimPrefix(err.Error(), "tls: ")
	holds := func(words string) bool { return strings.Contains(text, words) }
	var version uint16
	switch _, scanned := fmt.Sscanf(text, "server selected unsupported protocol version %x", &version); {
	case scanned == nil:
		e.Kind, e.Err, e.Likely = TLSVersion, nil, "the server speaks no newer version"
		e.Reason = fmt.Sprintf("the server chose %s, and %s is allowed here", tls.VersionName(version), h.versions())
	case holds("downgrade attempt detected"):
		e.Kind, e.Err, e.Likely = TLSVersion, nil, "something in between changes the handshake"
		e.Reason = "the server speaks a newer version than it was asked for: the handshake was tampered with (RFC 8446 section 4.1.3)"
	case holds("cipher suite"), holds("unsupported group"), holds("unsupported curve"), holds("unsupported elliptic curve"):
		e.Kind = TLSSuite
	case holds("signature algorithm"):
		e.Kind, e.Likely = TLSSuite, "the server signs the handshake with an algorithm that is no longer taken, SHA-1 perhaps"
	case holds("failed to parse certificate"):
		e.Kind, e.Reason = TLSBadCertificate, "the server's certificate cannot be read"
		e.Err = errors.New(strings.TrimPrefix(text, "failed to parse certificate from server: "))
	case holds("keys are insecure"): // as crypto/rsa has it below 1024 bits
		e.Kind, e.Err, e.Reason = TLSBadCertificate, nil, "the server's key is an RSA key below 1024 bits, which proves nothing"
	case holds("RSA key larger"), holds("unsupported type of public key"):
		e.Kind, e.Reason = TLSBadCertificate, "the server's certificate cannot be used"
	case holds("invalid signature by the server certificate"):
		e.Kind, e.Likely = TLSBadCertificate, "the server's key is not the one in its certificate"
	}
	return e
}

// alertOf is the number of the alert that err is about, and whether this side
// raised it. crypto/tls keeps the type of its alerts to itself but has their
// texts in tls.AlertError.
func alertOf(err error) (alert int, ours, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" && op.Op != "local error" || op.Err == nil {
		return 0, false, false
	}
	for n := range 256 {
		if tls.AlertError(n).Error() == op.Err.Error() {
			return n, op.Op == "local error", true
		}
	}
	return 0, false, false
}

// alertText says what an alert means that ended a connection after its
// handshake; false if err is no alert. With TLS 1.3 a server refuses a client
// certificate only then (RFC 8446 section 4.4.2.4).
func alertText(err error) (string, bool) {
	alert, ours, ok := alertOf(err)
	switch {
	case !ok:
		return "", false
	case ours:
		return fmt.Sprintf("what came is no sound TLS: alert %s of this side", alertName(alert)), true
	}
	if text, ok := aboutClient(alert, false); ok {
		return fmt.Sprintf("the server ended TLS: %s (alert %s)", text, alertName(alert)), true
	}
	return "the server ended TLS with the alert " + alertName(alert), true
}

// aboutClient says what alerts on certificates mean: a server can only mean the
// client's.
func aboutClient(alert int, shown bool) (string, bool) {
	switch alert {
	case 116:
		return "it demands a client certificate", true
	case 42, 43, 46, 41:
		if !shown {
			return "it demands a client certificate, or does not take the one that was shown", true
		}
		return "it does not take the client certificate", true
	case 44:
		return "the client certificate is revoked", true
	case 45:
		return "the client certificate is out of its dates", true
	case 48:
		return "it does not know the CA of the client certificate", true
	case 49:
		return "it knows the client certificate and gives it no access", true
	}
	return "", false
}

// alertName is the name of an alert (RFC 8446 section 6 and the registry).
func alertName(alert int) string {
	names := map[int]string{
		0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
		30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate", 43: "unsupported_certificate",
		44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
		49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction", 70: "protocol_version",
		71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
		109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
		113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
		116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
	}
	if name, ok := names[alert]; ok {
		return name
	}
	return fmt.Sprint(alert)
}
