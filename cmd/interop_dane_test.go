package cmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// DANE as BIND signs it, Unbound validates it and Postfix serves it, on port 25 of
// loopback addresses: posttls-finger, asked the same of the same resolver, agrees.
// The domains are those of testdata/interop/dns.sh.

func TestInteropDANE(t *testing.T) {
	dns := setting(t, "DNS")
	for _, test := range []struct {
		domain, state string
		level         string // of posttls-finger: "" for no connection
		status        int
	}{
		{"pass.dane.test", "match", "Verified", 0},
		{"hashless.dane.test", "match", "Verified", 0},
		{"next.dane.test", "match", "Verified", 0},
		{"anchored.dane.test", "match", "Verified", 0},
		{"alias.dane.test", "match", "Verified", 0},
		{"moved.dane.test", "match", "Verified", 0},
		{"wrong.dane.test", "mismatch", "Untrusted", 5},
		{"strange.dane.test", "unusable", "Untrusted", 0},
		{"none.dane.test", "missing", "Untrusted", 0},
		{"unsigned.test", "insecure", "Untrusted", 0},
		{"forged.dane.test", "bogus", "", 4},
		{"bogus.test", "", "", 4}, // not even its MX record can be had
	} {
		t.Run(test.domain, func(t *testing.T) {
			if level, said := finger(t, "-c", "-l", "dane", test.domain); level != test.level {
				t.Errorf("posttls-finger: %q, not %q any more:\n%s", level, test.level, said)
			}
			args := []string{"probe", "--helo", "client.test", "--dane", "--dns-server", dns, "--tls-ca-path", setting(t, "CA"), test.domain}
			out, errs, status := ehlo(t, append(args, "-v")...)
			if status != test.status || !strings.Contains(out, test.state) {
				t.Errorf("status %d, not %d with %q: %s%s", status, test.status, test.state, errs, out)
			}
			out, errs, _ = ehlo(t, append(args, "--json")...)
			var doc shown
			if err := json.Unmarshal([]byte(out), &doc); err != nil {
				t.Fatalf("%v: %s%s", err, errs, out)
			}
			verified := len(doc.Targets) == 1 && len(doc.Targets[0].Servers) == 1 && doc.Targets[0].Servers[0].TLS.Verified
			if verified != (test.level == "Verified") {
				t.Errorf("verified is %t: %s", verified, out)
			}
		})
	}
}

// The AD bit counts from a resolver on this very host and over TLS from one that
// has proved its name; from anywhere else, also on loopback, only if the user
// trusts it.
func TestInteropDANEResolver(t *testing.T) {
	setting(t, "DNS")
	for _, test := range []struct {
		name, state string
		flags       []string
	}{
		{"this host", "match", []string{"--dns-server", setting(t, "DNS")}},
		{"over TLS", "match", []string{"--dns-server", "tls://" + setting(t, "DNS_TLS") + "#mx.example.test"}},
		{"somewhere", "insecure", []string{"--dns-server", "127.0.26.53"}},
		{"somewhere trusted", "match", []string{"--dns-server", "127.0.26.53", "--dns-trust-ad"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"probe", "-v", "--helo", "client.test", "--dane", "--tls-ca-path", setting(t, "CA"), "pass.dane.test"}, test.flags...)
			if out, errs, status := ehlo(t, args...); status != 0 || !strings.Contains(out, test.state) {
				t.Errorf("status %d, not 0 with %q: %s%s", status, test.state, errs, out)
			}
		})
	}
}

// A message goes where the records match, and nowhere else.
func TestInteropDANESends(t *testing.T) {
	dns := setting(t, "DNS")
	p := peer{mail: setting(t, "POSTFIX_MAIL")}
	send := func(want int, domain string) sent {
		out, errs, status := ehlo(t, "send", "--json", "--show-data", "all", "--helo", "client.test", "--from", "sender@client.test",
			"--dane", "--dns-server", dns, "--to", "alice@"+domain, "--subject", "for "+domain)
		var s sent
		if err := json.Unmarshal([]byte(out), &s); err != nil || status != want || errs != "" {
			t.Fatalf("%s: %v, status %d, not %d: %s%s", domain, err, status, want, errs, out)
		}
		return s
	}
	for _, domain := range []string{"pass.dane.test", "anchored.dane.test"} {
		s := send(0, domain)
		body, _ := s.body()
		p.arrived(t, "alice", s.Message.ID, []byte(body))
	}
	for _, domain := range []string{"wrong.dane.test", "forged.dane.test"} {
		status := 5
		if domain == "forged.dane.test" {
			status = 4
		}
		if s := send(status, domain); s.OK || s.Recipients[0].Outcome == "accepted" {
			t.Errorf("%s: %+v", domain, s)
		}
	}
	files, err := filepath.Glob(filepath.Join(p.mail, "alice", "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), "for wrong.dane.test") {
			t.Error("the message for wrong.dane.test came to its mailbox")
		}
	}
}
