package sandbox

import (
	"testing"

	"github.com/miekg/dns"
)

func TestVerdictScenarios(t *testing.T) {
	for _, test := range []struct{ name, addr, script string }{
		{"smuggle takes odd line ends for line ends, and obeys what follows", "203.0.113.208:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 SMTPUTF8
			C: MAIL FROM:<>
			C: RCPT TO:<alice@smuggle.test>
			C: DATA
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			C| one\r..two\n.\nMAIL FROM:<>\r\nRCPT TO:<bob@smuggle.test>\r\nDATA\r\nthree\r.\rNOOP\r\n
			S: 250 2.0.0 Ok: queued as sandbox-1
			S: 250 2.1.0 Ok
			S: 250 2.1.5 Ok
			S: 354 *
			S: 250 2.0.0 Ok: queued as sandbox-2
			S: 250 2.0.0 Ok`},
		{"and waits for nobody", "203.0.113.224:25", `
			S: 220 *
			C: EHLO client.test
			S: 250 mx2.smuggle.test *
			C: MAIL FROM:<>
			C: RCPT TO:<alice@smuggle.test>
			C: DATA
			C: .
			C: QUIT
			S: 250 Ok
			S: 250 Ok
			S: 354 *
			S: 250 Ok: queued as sandbox-1
			S: 221 *
			EOF`},
		{"eager answers in the clear", "203.0.113.223:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 SMTPUTF8
			C: STARTTLS
			C: NOOP
			S: 220 2.0.0 go ahead
			S: 250 2.0.0 Ok`},
		{"wary hangs up", "203.0.113.225:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 SMTPUTF8
			C| STARTTLS\r\nNOOP\r\n
			S: 220 2.0.0 go ahead
			EOF`},
		{"wary otherwise", "203.0.113.225:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 SMTPUTF8
			TLS
			C: NOOP
			S: 250 Ok`},
		{"eager otherwise", "203.0.113.223:25", `
			S: 220 *
			C: EHLO client.test
			S> 250 SMTPUTF8
			TLS
			C: NOOP
			S: 250 Ok`},
	} {
		t.Run(test.name, func(t *testing.T) { run(t, start(t, Options{}), test.addr, test.script) })
	}
}

// Broken signatures are told of where the table says so (RFC 8914), and home.arpa is a
// public suffix that has MX records.
func TestVerdictNames(t *testing.T) {
	w := start(t, Options{})
	for name, told := range map[string]bool{"bogus.mxfaults.test": true, "signed-mx.mxfaults.test": false} {
		q := new(dns.Msg)
		q.SetQuestion(dns.Fqdn(name), dns.TypeMX)
		q.SetEdns0(1232, true)
		m, err := dns.Exchange(q, w.DNS())
		if err != nil {
			t.Fatal(err)
		}
		said := false
		for _, option := range m.IsEdns0().Option {
			ede, ok := option.(*dns.EDNS0_EDE)
			said = said || ok && ede.InfoCode == dns.ExtendedErrorCodeDNSBogus
		}
		if m.Rcode != dns.RcodeServerFailure || said != told {
			t.Errorf("%s: %s, which says that its signatures are bad: %t", name, dns.RcodeToString[m.Rcode], said)
		}
	}
	if host, _ := firstMX(t, w, "home.arpa"); host != "mx1.good.test." {
		t.Errorf("home.arpa: %s", host)
	}
}
