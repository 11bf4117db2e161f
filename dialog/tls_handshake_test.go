package dialog

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// meet has a server and Handshake meet over TCP. The server's part ends with its
// connection.
func meet(t *testing.T, settings TLS, limit time.Duration, serve func(net.Conn)) (*tls.Conn, *TLSReport, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := listener.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		serve(nc)
	}()
	nc, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); listener.Close(); <-done })
	return Handshake(t.Context(), nc, settings, limit, noon)
}

// secured serves TLS, says a line and waits for the end.
func secured(config *tls.Config) func(net.Conn) {
	return func(nc net.Conn) {
		conn := tls.Server(nc, config)
		if conn.Handshake() == nil {
			_, _ = io.WriteString(conn, "220 hello\r\n")
		}
		_, _ = io.Copy(io.Discard, conn)
	}
}

// says answers the client hello with bytes of its own.
func says(answer string) func(net.Conn) {
	return func(nc net.Conn) {
		_, _ = nc.Read(make([]byte, 4096))
		_, _ = io.WriteString(nc, answer)
	}
}

func TestHandshake(t *testing.T) {
	p := newPKI(t)
	served := p.leaf.pair(p.ca)
	tests := []struct {
		name   string
		server *tls.Config
		client TLS
		check  func(tls.ConnectionState, *TLSReport) bool
	}{
		{"as it comes", &tls.Config{}, TLS{}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return r.Verified() && r.Version == tls.VersionTLS13 && r.Group == tls.X25519MLKEM768 && !r.Asked && !r.Shown && !r.Resumed && r.ALPN == "" &&
				len(r.Path) == 3 && r.Path[2].Equal(p.root.Certificate) && r.Left == 60
		}},
		{"a newest version", &tls.Config{}, TLS{MaxVersion: tls.VersionTLS12}, func(s tls.ConnectionState, r *TLSReport) bool {
			return r.Version == tls.VersionTLS12 && s.Version == tls.VersionTLS12
		}},
		{"an old server", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, TLS{}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return r.Version == tls.VersionTLS10 && r.Verified() && strings.Contains(shown(r), "! TLS 1.0 is deprecated (RFC 8996)")
		}},
		{"one suite", &tls.Config{MaxVersion: tls.VersionTLS12}, TLS{Suites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return r.Suite == tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
		}},
		{"a suite, and TLS 1.3", &tls.Config{}, TLS{Suites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return strings.Contains(shown(r), "· the suites that were asked for are those of TLS 1.2 and before")
		}},
		{"an insecure suite", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}}, TLS{}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return strings.Contains(shown(r), "! TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: RC4 is broken (RFC 7465)")
		}},
		{"one group", &tls.Config{}, TLS{Groups: []tls.CurveID{tls.CurveP384}}, func(_ tls.ConnectionState, r *TLSReport) bool { return r.Group == tls.CurveP384 }},
		{"another SNI", &tls.Config{}, TLS{SNI: "sni.test"}, func(_ tls.ConnectionState, r *TLSReport) bool { return r.Verified() && r.Name == "mx.test" }},
		{"a staple and timestamps", nil, TLS{}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return string(r.Staple) == "staple" && r.SCTs == 2 && r.stapleStatus() == "invalid" && strings.Contains(shown(r), "· the OCSP response cannot be taken")
		}},
		{"asked, none to show", &tls.Config{ClientAuth: tls.RequestClientCert}, TLS{}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return r.Asked && !r.Shown && strings.Contains(shown(r), "· the server asks for a client certificate")
		}},
		{"asked and shown", &tls.Config{ClientAuth: tls.RequestClientCert}, TLS{Certificates: []tls.Certificate{served}}, func(_ tls.ConnectionState, r *TLSReport) bool { return r.Asked && r.Shown }},
		{"shown to who lists other CAs", &tls.Config{ClientAuth: tls.RequestClientCert, ClientCAs: believing(p.other).Roots}, TLS{Certificates: []tls.Certificate{served}}, func(_ tls.ConnectionState, r *TLSReport) bool {
			return r.Shown && strings.Contains(shown(r), "· none of the 1 CA that it takes certificates of has issued ours")
		}},
		{"not asked", &tls.Config{}, TLS{Certificates: []tls.Certificate{served}}, func(_ tls.ConnectionState, r *TLSReport) bool { return !r.Asked && !r.Shown }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sni string
			if tt.server == nil {
				tt.server, served.OCSPStaple, served.SignedCertificateTimestamps = &tls.Config{}, []byte("staple"), [][]byte{{1}, {2}}
			}
			tt.server.Certificates = []tls.Certificate{served}
			tt.server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				sni = hello.ServerName
				return nil, nil
			}
			keys := &bytes.Buffer{}
			settings := tt.client
			believes := believing(p.root)
			settings.Name, settings.Roots, settings.Store, settings.KeyLog = believes.Name, believes.Roots, believes.Store, keys
			conn, r, err := meet(t, settings, 20*time.Second, secured(tt.server))
			if err != nil {
				t.Fatal(err)
			}
			line := make([]byte, len("220 hello\r\n"))
			if _, err := io.ReadFull(conn, line); string(line) != "220 hello\r\n" || err != nil {
				t.Errorf("read %q, %v", line, err)
			}
			if !tt.check(conn.ConnectionState(), r) {
				t.Errorf("%+v\n%s", r, shown(r))
			}
			if want := max(settings.SNI, "mx.test"); sni != want {
				t.Errorf("SNI was %q, not %q", sni, want)
			}
			if !strings.Contains(keys.String(), "CLIENT_") {
				t.Errorf("the key log is %q", keys)
			}
		})
	}
}

func TestResumption(t *testing.T) {
	p := newPKI(t)
	config := &tls.Config{Certificates: []tls.Certificate{p.leaf.pair(p.ca)}, ClientAuth: tls.RequestClientCert}
	settings := believing(p.root)
	settings.Sessions = tls.NewLRUClientSessionCache(1)
	for i := range 2 {
		conn, r, err := meet(t, settings, 20*time.Second, secured(config))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Read(make([]byte, 100)) // tickets come with it
		if r.Resumed != (i == 1) || !r.Verified() || r.Asked != (i == 0) {
			t.Errorf("handshake %d: resumed %v, verified %v, asked %v", i, r.Resumed, r.Verified(), r.Asked)
		}
	}
}

func TestNoServerName(t *testing.T) {
	for name, want := range map[string]string{"192.0.2.1": "", "2001:db8::1": "", "mx.test": "mx.test"} {
		if got := (&handshake{TLS: TLS{Name: name}}).serverName(); got != want {
			t.Errorf("%s: SNI %q", name, got)
		}
	}
}

// TestHandshakeErrors: each failure is told from the others, says why, and says
// what likely caused it.
func TestHandshakeErrors(t *testing.T) {
	p := newPKI(t)
	served := p.leaf.pair(p.ca)
	serving := func(change func(*tls.Config)) func(net.Conn) {
		config := &tls.Config{Certificates: []tls.Certificate{served}, MinVersion: tls.VersionTLS10}
		change(config)
		return secured(config)
	}
	demanding := func(c *tls.Config) {
		c.ClientAuth, c.ClientCAs, c.MaxVersion = tls.RequireAndVerifyClientCert, believing(p.other).Roots, tls.VersionTLS12
	}
	alert := func(n byte) func(net.Conn) { return says("\x15\x03\x01\x00\x02\x02" + string([]byte{n})) }
	big := tls.Certificate{Certificate: [][]byte{[]byte("\x30\x03\x02\x01\x05")}, PrivateKey: p.leaf.key}
	tests := []struct {
		name   string
		client TLS
		serve  func(net.Conn)
		limit  time.Duration
		kind   TLSKind
		alert  int
		want   string // of the error
		likely string
	}{
		{name: "only TLS 1.1", client: TLS{MinVersion: tls.VersionTLS12}, serve: serving(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }),
			kind: TLSVersion, alert: 70, want: "the server takes no TLS version that is allowed here, TLS 1.2 to TLS 1.3: alert protocol_version", likely: "only older versions"},
		{name: "only TLS 1.3", client: TLS{MaxVersion: tls.VersionTLS12}, serve: serving(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }),
			kind: TLSVersion, alert: 70, want: "TLS 1.0 to TLS 1.2: alert protocol_version", likely: "only newer versions"},
		{name: "not even TLS 1.0", serve: alert(70), kind: TLSVersion, alert: 70, want: "TLS 1.0 to TLS 1.3", likely: "only SSL"},
		{name: "it chose TLS 1.0", client: TLS{MinVersion: tls.VersionTLS12}, serve: says("\x16\x03\x01\x00\x31\x02\x00\x00\x2d\x03\x01" + strings.Repeat("r", 32) + "\x00\xc0\x09\x00\x00\x05\xff\x01\x00\x01\x00"),
			kind: TLSVersion, want: "the server chose TLS 1.0, and TLS 1.2 to TLS 1.3 is allowed here", likely: "no newer version"},
		{name: "no suite in common", client: TLS{MaxVersion: tls.VersionTLS12, Suites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, serve: serving(func(*tls.Config) {}),
			kind: TLSSuite, alert: 40, want: "alert handshake_failure", likely: "none of the suites or groups that were asked for"},
		{name: "no group in common", client: TLS{Groups: []tls.CurveID{tls.CurveP521}}, serve: serving(func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} }),
			kind: TLSSuite, alert: 40, likely: "none of the suites or groups that were asked for"},
		{name: "handshake_failure", serve: alert(40), kind: TLSSuite, alert: 40, likely: "no cipher suite, group or signature algorithm in common"},
		{name: "insufficient_security", serve: alert(71), kind: TLSSuite, alert: 71, want: "insufficient_security"},
		{name: "no client certificate", serve: serving(demanding), kind: TLSClientCertificate, alert: 40, likely: "demands a client certificate: it asked for one, and none was shown"},
		{name: "bad_certificate", serve: alert(42), kind: TLSClientCertificate, alert: 42, want: "it demands a client certificate, or does not take"},
		{name: "an unknown client certificate", client: TLS{Certificates: []tls.Certificate{served}}, serve: serving(demanding), kind: TLSClientCertificate, alert: 48, want: "it does not know the CA of the client certificate (alert unknown_ca)"},
		{name: "unrecognized_name", serve: alert(112), kind: TLSServerName, alert: 112, want: "the server knows no host mx.test: alert unrecognized_name"},
		{name: "unrecognized_name without one", client: TLS{Name: "192.0.2.1"}, serve: alert(112), kind: TLSServerName, alert: 112, want: "wants to be told a name"},
		{name: "internal_error", serve: alert(80), kind: TLSFailed, alert: 80, want: "the server ended the TLS handshake with the alert internal_error"},
		{name: "an unknown alert", serve: alert(200), kind: TLSFailed, alert: 200, want: "alert 200"},
		{name: "a reply", serve: says("454 4.7.0 \x1b[31mTLS not available\r\nmore\r\n"), kind: TLSPlain, want: "the server does not speak TLS: it sent '454 4.7.0 \x1b[31mTLS not available'"},
		{name: "a banner", serve: says("220 mx.test ESMTP\r\n"), kind: TLSPlain, want: "it sent '220 mx.test ESMTP'", likely: "begins in the clear"},
		{name: "few bytes", serve: says("no"), kind: TLSPlain, want: "it sent 'no'"},
		{name: "zeros", serve: says("\x00\x00\x00\x00\x00\x00"), kind: TLSPlain},
		{name: "closed", serve: says(""), kind: TLSClosed, want: "the server closed the connection in place of a TLS handshake", likely: "not set up"},
		{name: "truncated", serve: says("\x16\x03\x03\x00\x7a\x02\x00"), kind: TLSClosed, want: "the server closed the connection within the TLS handshake, after 7 bytes"},
		{name: "reset", serve: func(nc net.Conn) {
			_, _ = nc.Read(make([]byte, 4096))
			_ = nc.(*net.TCPConn).SetLinger(0)
		}, kind: TLSClosed, want: "the connection was reset in place of a TLS handshake"},
		{name: "stalled", limit: 50 * time.Millisecond, serve: func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) },
			kind: TLSStalled, want: "the server did not begin the TLS handshake: no answer to the TLS handshake within", likely: "post-quantum"},
		{name: "stalled within", limit: time.Second, serve: func(nc net.Conn) {
			_, _ = io.WriteString(nc, "\x16\x03\x03\x00\x7a")
			_, _ = io.Copy(io.Discard, nc)
		}, kind: TLSStalled, want: "the server stopped within the TLS handshake, after 5 bytes", likely: "packets of full size"},
		{name: "a certificate that is none", serve: secured(&tls.Config{Certificates: []tls.Certificate{big}}), kind: TLSBadCertificate, want: "the server's certificate cannot be read: x509: "},
		{name: "a key of another certificate", serve: secured(&tls.Config{Certificates: []tls.Certificate{{Certificate: served.Certificate, PrivateKey: p.ca.key}}}),
			kind: TLSBadCertificate, likely: "the server's key is not the one in its certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.limit == 0 {
				tt.limit = 20 * time.Second
			}
			if tt.client.Name == "" {
				tt.client.Name = "mx.test"
			}
			_, report, err := meet(t, tt.client, tt.limit, tt.serve)
			var e *TLSError
			if report != nil || !errors.As(err, &e) {
				t.Fatalf("%v, %v", report, err)
			}
			if e.Kind != tt.kind || e.Alert != tt.alert || !strings.Contains(err.Error(), tt.want) || !strings.Contains(e.Likely, tt.likely) {
				t.Errorf("kind %d, alert %d, %q, likely %q", e.Kind, e.Alert, err, e.Likely)
			}
			var timeout *TimeoutError
			if errors.As(err, &timeout) != (tt.kind == TLSStalled) {
				t.Errorf("%#v", err)
			}
		})
	}
}

// TestHandshakeCancelled: who called it off hears the cause.
func TestHandshakeCancelled(t *testing.T) {
	cause := errors.New("called off")
	ctx, cancel := context.WithCancelCause(t.Context())
	client, server := net.Pipe()
	go func() {
		_, _ = server.Read(make([]byte, 4096))
		cancel(cause)
	}()
	if _, _, err := Handshake(ctx, client, TLS{Name: "mx.test"}, time.Minute, noon); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	server.Close()
}

// TestAlertText: with TLS 1.3 a client certificate is refused only after the
// handshake, and whatever reads next can say so.
func TestAlertText(t *testing.T) {
	p := newPKI(t)
	client := TLS{Certificates: []tls.Certificate{p.leaf.pair()}}
	for name, tt := range map[string]struct {
		settings TLS
		want     string
	}{
		"none shown":  {TLS{}, "the server ended TLS: it demands a client certificate (alert certificate_required)"},
		"one refused": {client, "the server ended TLS: it does not know the CA of the client certificate (alert unknown_ca)"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.settings.Name = "mx.test"
			config := &tls.Config{Certificates: []tls.Certificate{p.leaf.pair(p.ca)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: believing(p.other).Roots}
			conn, report, err := meet(t, tt.settings, 20*time.Second, secured(config))
			if err != nil || !report.Asked {
				t.Fatal(report, err)
			}
			_, err = conn.Read(make([]byte, 10))
			if text, ok := alertText(err); !ok || text != tt.want {
				t.Errorf("%q, %v of %v", text, ok, err)
			}
		})
	}
	for _, err := range []error{nil, io.EOF, &net.OpError{Op: "read", Err: errors.New("x")}, &net.OpError{Op: "remote error"}} {
		if text, ok := alertText(err); ok {
			t.Errorf("%v is an alert: %q", err, text)
		}
	}
	for _, op := range []string{"remote error", "local error"} {
		if text, ok := alertText(&net.OpError{Op: op, Err: tls.AlertError(20)}); !ok || !strings.Contains(text, "bad_record_mac") {
			t.Errorf("%q", text)
		}
	}
}

// TestAlertNames: the Go library has words of its own for the alerts that it
// knows; each of them has its name here.
func TestAlertNames(t *testing.T) {
	var seen []string
	for n := range 256 {
		name, known := alertName(n), !strings.HasPrefix(tls.AlertError(n).Error(), "tls: alert(")
		if known && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" || slices.Contains(seen, name) {
			t.Errorf("alert %d (%v) is called %s", n, tls.AlertError(n), name)
		}
		seen = append(seen, name)
	}
}
