package cmd_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// DANE as BIND signs it, Unbound validates it and Postfix serves it, on port 25 of
// loopback addresses: posttls-finger, asked the same of the same resolver, agrees.
// The domains are those of testdata/interop/dns.sh.

func TestInteropDANE(t *testing.T) {
	rows := [][]string{{"domain", "posttls-finger " + version(t, "postfix"), "TLSA records", "probe --tls-policy auto", "--dane", "check dane-tlsa"}}
	for _, test := range []struct {
		domain, state string // what the DNS says
		level         string // of posttls-finger: "" for no connection
		auto, dane    int    // the status where DANE is taken up if it is there, and where it is demanded
		check         string // the verdict of dane-tlsa
	}{
		{"pass.dane.test", "usable", "Verified", 0, 0, "pass"},
		{"hashless.dane.test", "usable", "Verified", 0, 0, "pass"},
		{"next.dane.test", "usable", "Verified", 0, 0, "pass"},
		{"anchored.dane.test", "usable", "Verified", 0, 0, "pass"},
		{"alias.dane.test", "usable", "Verified", 0, 0, "pass"},
		{"moved.dane.test", "usable", "Verified", 0, 0, "pass"},
		{"wrong.dane.test", "usable", "Untrusted", 5, 5, "fail"},
		{"strange.dane.test", "unusable", "Untrusted", 0, 5, "warn"},
		{"none.dane.test", "missing", "Untrusted", 0, 5, "info"},
		{"unsigned.test", "insecure", "Untrusted", 0, 5, "info"},
		{"forged.dane.test", "bogus", "", 4, 4, "fail"},
		{"bogus.test", "", "", 4, 4, "error"}, // not even its MX record can be had
	} {
		rows = append(rows, []string{test.domain, cmp.Or(test.level, "no connection"), cmp.Or(test.state, "no MX record"),
			fmt.Sprint("status ", test.auto), fmt.Sprint("status ", test.dane), test.check})
		t.Run(test.domain, func(t *testing.T) {
			if got := checked(t, "dane-tlsa", test.domain)["dane-tlsa"]; got != test.check {
				t.Errorf("check: dane-tlsa is %q, not %q", got, test.check)
			}
			// -l dane is to posttls-finger what auto is to ehlo.
			if level, said := finger(t, "-c", "-l", "dane", test.domain); level != test.level {
				t.Errorf("posttls-finger: %q, not %q any more:\n%s", level, test.level, said)
			}
			// A store that knows nobody here: nothing but the records proves a name.
			flags := []string{"--dns-server", setting(t, "DNS"), "--tls-ca-path", filepath.Join(setting(t, "CERTIFICATES"), "stranger-ca.pem"), test.domain}
			for policy, status := range map[string]int{"auto": test.auto, "dane": test.dane} {
				out := probeDANE(t, status, policy, flags...)
				if state := daneState(out); state != test.state {
					t.Errorf("%s: the state is %q, not %q: %s", policy, state, test.state, out)
				}
				var doc shown
				if err := json.Unmarshal([]byte(out), &doc); err != nil {
					t.Fatal(err)
				}
				verified := len(doc.Targets) == 1 && len(doc.Targets[0].Servers) == 1 && doc.Targets[0].Servers[0].TLS.Verified
				if verified != (test.level == "Verified") {
					t.Errorf("%s: verified is %t: %s", policy, verified, out)
				}
			}
		})
	}
	section(t, "dane", table(rows))
}

// probeDANE is the document of a probe under a policy.
func probeDANE(t *testing.T, want int, policy string, flags ...string) string {
	t.Helper()
	args := append([]string{"probe", "--json", "--helo", "client.test", "--tls-policy", policy}, flags...)
	out, errs, status := ehlo(t, args...)
	if status != want {
		t.Errorf("%q: status %d, not %d: %s%s", args, status, want, errs, out)
	}
	return out
}

// daneState is what a document says of the TLSA records of a host.
func daneState(document string) string {
	var doc struct {
		Transcript []struct{ Event, State string }
	}
	_ = json.Unmarshal([]byte(document), &doc) // then it holds no state
	for _, event := range doc.Transcript {
		if event.Event == "dane" {
			return event.State
		}
	}
	return ""
}

// The AD bit counts from a resolver on this very host and over TLS from one that
// has proved its name; from anywhere else, also on loopback, only if the user
// trusts it.
func TestInteropDANEResolver(t *testing.T) {
	for _, test := range []struct {
		name, state string
		status      int
		flags       []string
	}{
		{"this host", "usable", 0, []string{"--dns-server", setting(t, "DNS")}},
		{"over TLS", "usable", 0, []string{"--dns-server", "tls://" + setting(t, "DNS_TLS") + "#mx.example.test"}},
		{"somewhere", "insecure", 5, []string{"--dns-server", "127.0.26.53"}},
		{"somewhere trusted", "usable", 0, []string{"--dns-server", "127.0.26.53", "--dns-trust-ad"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			flags := append([]string{"--tls-ca-path", setting(t, "CA"), "pass.dane.test"}, test.flags...)
			out := probeDANE(t, test.status, "dane", flags...)
			if state := daneState(out); state != test.state {
				t.Errorf("the state is %q, not %q: %s", state, test.state, out)
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
