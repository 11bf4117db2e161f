package dialog

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestStartTLS(t *testing.T) {
	may := func(o *Options) { o.TLS.Policy = PolicyMay }
	must := func(o *Options) { o.TLS.Policy = PolicyMust }
	verify := func(o *Options) { o.TLS.Policy = PolicyVerify }
	proven := func(o *Options) { o.TLS.Policy, o.TLS.Roots = PolicyVerify, testRoots() }
	misnamed := func(o *Options) { proven(o); o.TLS.Name = "mx.other.test" }
	offer := greet + "S: 250-mx.test\nS: 250 STARTTLS\n"
	start := offer + "C: STARTTLS\nS: 220 go\nS! tls\n"
	clear := rcpts + data + theText + "S: 250 ok\n" + bye
	within := "C: EHLO c.test\nS: 250 mx.test\n" + clear
	play(t, []dialogue{
		{name: "never", script: offer + clear, want: bothAccepted},
		{name: "may", opt: may, script: start + within, want: bothAccepted},
		{name: "must", opt: must, script: start + within, want: bothAccepted},
		{name: "verify", opt: proven, script: start + within, want: bothAccepted},
		{name: "verify, self-signed", opt: verify, script: start + bye, want: "error tls tls"},
		{name: "verify, another name", opt: misnamed, script: start + bye, want: "error tls tls"},
		{name: "may, not offered", opt: may, script: plain + clear, want: bothAccepted, shows: "travels in the clear"},
		{name: "must, not offered", opt: must, script: plain + bye, want: "error tls tls"},
		{name: "must, only HELO", opt: must, script: greet + "S: 502 what\nC: HELO c.test\nS: 250 hi\n" + bye, want: "error tls tls"},
		{name: "may, 454", opt: may, script: offer + "C: STARTTLS\nS: 454 4.7.0 not now\n" + clear, want: bothAccepted, shows: "STARTTLS was refused"},
		{name: "may, 502", opt: may, script: offer + "C: STARTTLS\nS: 502 what\n" + clear, want: bothAccepted},
		{name: "may, 421", opt: may, script: offer + "C: STARTTLS\nS: 421 bye\n", want: "error refusal 421 tls"},
		{name: "must, 454", opt: must, script: offer + "C: STARTTLS\nS: 454 not now\n" + bye, want: "error tls tls"},
		{name: "must, 502", opt: must, script: offer + "C: STARTTLS\nS: 502 what\n" + bye, want: "error tls tls"},
		{name: "250 is not 220", opt: may, script: offer + "C: STARTTLS\nS: 250 ok\n" + bye, want: "error refusal 250 tls"},
		{name: "lost", opt: may, script: offer + "C: STARTTLS\nS! close\n", want: "error lost tls"},
		{name: "a reply injected behind the 220", opt: may, script: offer + "C: STARTTLS\nS: 220 go\nS: 250 PIPELINING\n", want: "error protocol tls"},
		{name: "one octet injected", opt: must, script: offer + "C: STARTTLS\nS| 220 go\\r\\nx\n", want: "error protocol tls"},
		{name: "a reply behind the EHLO under TLS", opt: may, script: start + "C: EHLO c.test\nS: 250 mx.test\nS: 250 evil\n", want: "error protocol hello"},
		{name: "what was offered before is void", opt: may, script: greet + "S: 250-mx.test\nS: 250-PIPELINING\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS! tls\n" + within, want: bothAccepted},
		{name: "EHLO refused under TLS", opt: may, script: start + "C: EHLO c.test\nS: 500 no\nC: HELO c.test\nS: 250 hi\n" + clear, want: bothAccepted},
		{name: "421 under TLS", opt: may, script: start + "C: EHLO c.test\nS: 421 bye\n", want: "error refusal 421 hello"},
		{name: "lost under TLS", opt: may, script: start + "C: EHLO c.test\nS! close\n", want: "error lost hello"},
	})
}

// TestStartTLSGames: TLS is demanded, and a server, or something in between,
// does anything but a handshake. Each ends before MAIL and says why; and where
// TLS is not demanded, nothing that fails behind the 220 is gone on with either.
func TestStartTLSGames(t *testing.T) {
	const offer = "250-mx.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
	hello := func(answer string) func(net.Conn) {
		return func(nc net.Conn) {
			_, _ = nc.Read(make([]byte, 4096))
			_, _ = io.WriteString(nc, answer)
		}
	}
	demanding := &tls.Config{Certificates: []tls.Certificate{testCertificate()}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
	tests := []struct {
		name   string
		offer  string // "" is one with STARTTLS
		answer string // to STARTTLS
		then   func(net.Conn)
		limit  time.Duration
		may    bool // TLS is not demanded
		kind   TLSKind
		want   string // of the error, which is no *TLSError if it begins with "protocol error" or names another answer
		likely string
	}{
		{name: "stripped", offer: "250 mx.test\r\n", kind: TLSNotOffered, want: "the server does not offer STARTTLS", likely: "takes the offer out"},
		{name: "stripped by stars", offer: "250-mx.test\r\n250 XXXXXXXA\r\n", kind: TLSNotOffered, want: "the server does not offer STARTTLS"},
		{name: "454", answer: "454 4.7.0 TLS not available\r\n", kind: TLSRefused, want: "the server refused STARTTLS with 454 4.7.0", likely: "broken for now"},
		{name: "502", answer: "502 5.5.1 not implemented\r\n", kind: TLSRefused, want: "the server refused STARTTLS with 502 5.5.1", likely: "something in between"},
		{name: "501", answer: "501 5.5.4 no parameters\r\n", kind: TLSRefused, want: "the server refused STARTTLS with 501"},
		{name: "554", answer: "554 no\r\n", kind: TLSRefused, want: "the server refused STARTTLS with 554"},
		{name: "421", answer: "421 4.3.0 closing\r\n", want: "STARTTLS was answered with 421"},
		{name: "250", answer: "250 ok\r\n", want: "STARTTLS was answered with 250"},
		{name: "334", answer: "334 \r\n", want: "STARTTLS was answered with 334"},
		{name: "no reply", answer: "go\r\n", want: "protocol error"},
		{name: "closed in place of a reply", answer: "", want: "the server closed the connection before the reply to STARTTLS"},
		{name: "a reply behind the 220", answer: "220 go\r\n250 injected\r\n", want: "protocol error: bytes between the 220 and the handshake"},
		{name: "a byte behind the 220", answer: "220 go\r\n\x16", want: "protocol error: bytes between the 220 and the handshake"},
		{name: "a reply to the client hello", answer: "220 go\r\n", then: hello("250 evil\r\n"), kind: TLSPlain, want: "it sent '250 evil'"},
		{name: "the same, not demanded", answer: "220 go\r\n", then: hello("250 evil\r\n"), may: true, kind: TLSPlain},
		{name: "another text", answer: "220-2.0.0 Ready?\r\n220 yes\r\n", then: hello("500 what\r\n"), kind: TLSPlain, want: "it sent '500 what'"},
		{name: "closed", answer: "220 go\r\n", then: hello(""), kind: TLSClosed, want: "closed the connection in place of a TLS handshake"},
		{name: "closed, not demanded", answer: "220 go\r\n", then: hello(""), may: true, kind: TLSClosed},
		{name: "truncated", answer: "220 go\r\n", then: hello("\x16\x03\x03\x00\x40\x02\x00"), kind: TLSClosed, want: "within the TLS handshake, after 7 bytes"},
		{name: "an alert", answer: "220 go\r\n", then: hello("\x15\x03\x01\x00\x02\x02\x28"), kind: TLSSuite, want: "alert handshake_failure"},
		{name: "an alert, not demanded", answer: "220 go\r\n", then: hello("\x15\x03\x01\x00\x02\x02\x46"), may: true, kind: TLSVersion, want: "alert protocol_version"},
		{name: "zeros", answer: "220 go\r\n", then: hello("\x00\x00\x00\x00\x00\x00"), kind: TLSPlain},
		{name: "stalled", answer: "220 go\r\n", then: hello("\x16\x03\x03"), limit: time.Second, kind: TLSStalled, want: "the server stopped within the TLS handshake, after 3 bytes"},
		{name: "a client certificate is demanded", answer: "220 go\r\n", then: func(nc net.Conn) { _ = tls.Server(nc, demanding).Handshake() }, kind: TLSClientCertificate, likely: "client certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			heard := make(chan string, 1)
			go func() {
				nc, err := listener.Accept()
				if err != nil {
					heard <- err.Error()
					return
				}
				defer nc.Close()
				_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
				text, buf := "", make([]byte, 4096)
				listen := func() {
					n, _ := nc.Read(buf)
					text += string(buf[:n])
				}
				_, _ = io.WriteString(nc, "220 mx.test\r\n")
				listen()
				if tt.offer != "" {
					_, _ = io.WriteString(nc, tt.offer)
				} else {
					_, _ = io.WriteString(nc, offer)
					listen()
					_, _ = io.WriteString(nc, tt.answer)
				}
				if tt.then != nil {
					tt.then(nc)
				}
				if tt.limit == 0 && tt.answer+tt.offer != "" {
					_ = nc.(*net.TCPConn).CloseWrite()
				}
				if tt.answer+tt.offer != "" {
					rest, _ := io.ReadAll(nc)
					text += string(rest)
				}
				heard <- text
			}()
			nc, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			o := testOptions()
			if o.TLS.Policy = PolicyMust; tt.may {
				o.TLS.Policy = PolicyMay
			}
			if tt.limit > 0 {
				o.Timeouts.Reply = tt.limit
			}
			d := newDelivery("", nil)
			s := NewSession(nc, o)
			err = standard(d).Run(t.Context(), s)
			s.Close()
			text := <-heard
			if strings.Contains(text, "MAIL") || strings.Contains(text, "AUTH") || s.Secure() {
				t.Errorf("the server heard %q", text)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			var at *Error
			if !errors.As(err, &at) || at.Phase != PhaseTLS {
				t.Errorf("%#v", err)
			}
			var failed *TLSError
			if tt.kind == TLSFailed {
				return // not for TLS to say
			}
			if !errors.As(err, &failed) || failed.Kind != tt.kind || !strings.Contains(failed.Likely, tt.likely) {
				t.Errorf("%#v", failed)
			}
		})
	}
}

func TestImplicitTLS(t *testing.T) {
	client, server := net.Pipe()
	played := make(chan error, 1)
	go func() {
		defer server.Close()
		srv := &scripted{}
		played <- srv.play(server, "S! tls\n"+greet+"S: 250-mx.test\nS: 250 STARTTLS\n"+rcpts+data+theText+"S: 250 ok\n"+bye)
	}()
	o := testOptions()
	o.TLS.Policy, o.TLS.Roots = PolicyVerify, testRoots()
	secured, report, err := Handshake(t.Context(), client, o.TLS, time.Minute, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	report.Implicit = true
	d := newDelivery("", nil)
	s := NewSession(secured, o)
	err = append(Plan{Judge(report)}, standard(d)...).Run(t.Context(), s)
	if failed := <-played; failed != nil {
		t.Error(failed)
	}
	if got := verdict(d, s, err); got != bothAccepted || !s.Secure() || s.Report.Offers[0].Secure != true {
		t.Errorf("%s (%v), secure %v", got, err, s.Secure())
	}
	if s.Report.TLS.Version != tls.VersionTLS13 || !s.Report.TLS.Verified() {
		t.Errorf("reported %+v", s.Report.TLS)
	}
}
