package dialog

import (
	"crypto/tls"
	"net"
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

// TestHandshakeGarbage: a server that says 220 and speaks no TLS. What the client
// hello looks like is not the dialogue's to say, so the server does not listen.
func TestHandshakeGarbage(t *testing.T) {
	for name, answer := range map[string]string{
		"another reply": "250 evil\r\n", "an alert": "\x15\x03\x01\x00\x02\x02\x28", "nothing": "", "zeros": "\x00\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			client, server := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer server.Close()
				buf := make([]byte, 4096)
				_, _ = server.Write([]byte("220 mx.test\r\n"))
				_, _ = server.Read(buf)
				_, _ = server.Write([]byte("250-mx.test\r\n250 STARTTLS\r\n"))
				_, _ = server.Read(buf)
				_, _ = server.Write([]byte("220 go\r\n"))
				_, _ = server.Read(buf) // the client hello
				_ = server.SetWriteDeadline(time.Now().Add(10 * time.Second))
				_, _ = server.Write([]byte(answer))
			}()
			o := testOptions()
			o.TLS.Policy = PolicyMay
			d := newDelivery("", nil)
			s := NewSession(client, o)
			err := standard(d).Run(t.Context(), s)
			<-done
			if got := verdict(d, s, err); got != "error tls tls" {
				t.Errorf("got %q (%v), want no way on in the clear", got, err)
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
