package cmd_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Certificates good and bad, as Postfix serves them: Postfix's own client,
// posttls-finger, and ehlo, by probe and by check, come to the same verdict, or this
// says why not.

// finger asks posttls-finger, and gives its level ("Verified", "Trusted",
// "Untrusted", "Anonymous"; "" if it did not get to TLS) and all that it said.
func finger(t *testing.T, args ...string) (level, said string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), setting(t, "FINGER"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("posttls-finger %q: %v: %s", args, err, out)
	}
	if found := regexp.MustCompile(`(?m)^posttls-finger: (\w+) TLS connection established`).FindSubmatch(out); found != nil {
		level = string(found[1])
	}
	return level, string(out)
}

// shown is what probe found out about the TLS of a server.
type shown struct {
	Targets []struct {
		Servers []struct {
			TLS struct {
				Verified bool
				Verdicts []struct {
					Check string
					OK    bool
					Text  string
				}
			}
		}
	}
}

// faults are the verdicts that are bad.
func (s shown) faults() []string {
	var faults []string
	for _, v := range s.Targets[0].Servers[0].TLS.Verdicts {
		if !v.OK {
			faults = append(faults, v.Check)
		}
	}
	slices.Sort(faults)
	return faults
}

func TestInteropCertificates(t *testing.T) {
	t.Parallel()
	const name = "mx.example.test"
	ca, certificates := setting(t, "CA"), setting(t, "CERTIFICATES")
	list, err := os.ReadFile(filepath.Join(certificates, "ports"))
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]string{}
	for line := range strings.Lines(string(list)) {
		name, addr, _ := strings.Cut(strings.TrimSpace(line), " ")
		served[name] = addr
	}
	tests := []struct {
		name   string
		faults []string // nil: verified
		check  string   // the verdict of check that is not "pass"; "" for none
		differ string   // why posttls-finger takes what ehlo does not
	}{
		{"good", nil, "", ""},
		{"wildcard", nil, "", ""},
		{"intermediate", nil, "", ""},
		{"expired", []string{"dates"}, "cert-expiry fail", ""},
		{"not-yet-valid", []string{"dates"}, "cert-expiry fail", ""},
		{"self-signed", []string{"chain"}, "cert-chain warn", ""},
		{"unknown-ca", []string{"chain"}, "cert-chain warn", ""},
		{"no-intermediate", []string{"chain"}, "cert-chain warn", ""},
		{"wrong-name", []string{"name"}, "cert-name warn", ""},
		{"client-only", []string{"usage"}, "cert-chain warn", ""},
		{"by-leaf", []string{"chain"}, "cert-chain warn", ""},
		{"sha1", []string{"signature"}, "cert-chain warn", ""},
		{"cn-only", []string{"name"}, "cert-name warn", "Postfix takes the common name where no DNS name is listed; " +
			"RFC 9525 has no place for it, and public CAs issue no such certificate"},
		{"weak-key", []string{"key"}, "cert-key warn", "Postfix leaves the strength of keys to its administrator (OpenSSL's security level 0); " +
			"RSA below 2048 bits is not to be issued (RFC 9325 section 4.5)"},
	}
	if len(tests) != len(served) {
		t.Errorf("of %d certificates %d are tested", len(served), len(tests))
	}
	rows := [][]string{{"certificate", "posttls-finger " + version(t, "postfix"), "probe", "check", "why they differ"}}
	for _, test := range tests {
		row := []string{test.name, "Verified", "verified", cmp.Or(test.check, "pass"), cmp.Or(test.differ, "–")}
		if test.faults != nil {
			row[2] = "not: " + strings.Join(test.faults, " ")
			if test.differ == "" {
				row[1] = "not"
			}
		}
		rows = append(rows, row)
		t.Run(test.name, func(t *testing.T) {
			addr := served[test.name]
			host, port, _ := strings.Cut(addr, ":")
			if test.differ != "" {
				t.Log("they differ: " + test.differ)
			}
			level, said := finger(t, "-c", "-l", "verify", "-F", ca, fmt.Sprintf("[%s]:%s", host, port), name)
			if want := test.faults == nil || test.differ != ""; (level == "Verified") != want {
				t.Errorf("posttls-finger: verified is not %t any more:\n%s", want, said)
			}

			args := []string{"probe", "--json", "--helo", "client.test", "--tls-ca-path", ca, "--tls-verify-target", name, addr}
			out, errs, status := ehlo(t, append(args, "--tls-optional")...)
			var doc shown
			if err := json.Unmarshal([]byte(out), &doc); err != nil || status != 0 || errs != "" {
				t.Fatalf("%v, status %d: %s%s", err, status, errs, out)
			}
			if got := doc.faults(); !slices.Equal(got, test.faults) || doc.Targets[0].Servers[0].TLS.Verified != (test.faults == nil) {
				t.Errorf("ehlo: %q, not %q: %+v", got, test.faults, doc.Targets[0].Servers[0].TLS)
			}

			want := 0
			if test.faults != nil {
				want = 5
			}
			if out, errs, status := ehlo(t, append(args, "--tls-verify")...); status != want {
				t.Errorf("--tls-verify: status %d, not %d: %s%s", status, want, errs, out)
			}

			verdicts := checked(t, "cert-*", "example.test", "--tls-ca-path", ca, "--connect-to", name+":25:"+addr)
			var bad []string
			for id, verdict := range verdicts {
				if verdict != "pass" {
					bad = append(bad, id+" "+verdict)
				}
			}
			slices.Sort(bad)
			if got := strings.Join(bad, ", "); got != test.check || len(verdicts) != 4 {
				t.Errorf("check: %q, not %q: %v", got, test.check, verdicts)
			}
		})
	}
	section(t, "certificates", table(rows))
}

// checked are the verdicts of some checks on a domain, by their ids.
func checked(t *testing.T, only, domain string, flags ...string) map[string]string {
	t.Helper()
	args := append([]string{"check", "--json", "--helo", "client.test", "--only", only, "--dns-server", setting(t, "DNS"), domain}, flags...)
	out, errs, _ := ehlo(t, args...)
	var doc struct {
		Checks []struct{ ID, Verdict string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || errs != "" {
		t.Fatalf("%q: %v: %s%s", args, err, errs, out)
	}
	verdicts := map[string]string{}
	for _, c := range doc.Checks {
		if old, twice := verdicts[c.ID]; twice && old != c.Verdict {
			t.Errorf("%q: %s is both %s and %s", args, c.ID, old, c.Verdict)
		}
		verdicts[c.ID] = c.Verdict
	}
	return verdicts
}

// TestInteropTLS holds what `ehlo tls` says that a server accepts to what openssl
// s_client gets from it, one by one.
func TestInteropTLS(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"POSTFIX", "EXIM", "DOVECOT"} {
		t.Run(name, func(t *testing.T) { scanned(t, setting(t, name)) })
	}
}

func scanned(t *testing.T, addr string) {
	out, errs, status := ehlo(t, "tls", "--json", "--suites", "--active", "--helo", "client.test", "--tls-ca-path", setting(t, "CA"), addr)
	type attempt struct {
		What     string
		Accepted bool
	}
	var doc struct {
		Targets []struct {
			Servers []struct {
				Versions, Suites, Groups []attempt
				Injection                string
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || status != 0 || errs != "" {
		t.Fatalf("%v, status %d: %s%s", err, status, errs, out)
	}
	server := doc.Targets[0].Servers[0]
	if !slices.Contains([]string{"discarded", "closed"}, server.Injection) {
		t.Errorf("a command sent along with STARTTLS: %q", server.Injection)
	}
	compare := func(attempts []attempt, flags func(what string) []string) {
		compared := 0
		for _, a := range attempts {
			if how := flags(a.What); how != nil {
				compared++
				if got := handshakes(t, addr, how...); got != a.Accepted {
					t.Errorf("%s: accepted is %t to ehlo and %t to openssl", a.What, a.Accepted, got)
				}
			}
		}
		if compared < 4 {
			t.Errorf("%d of %v could be compared", compared, attempts)
		}
	}
	compare(server.Versions, func(version string) []string {
		flag := strings.ReplaceAll(strings.TrimPrefix(version, "TLS 1."), "0", "")
		return []string{"-cipher", "ALL:@SECLEVEL=0", strings.TrimSuffix("-tls1_"+flag, "_")}
	})
	names := suiteNames(t)
	compare(server.Suites, func(suite string) []string {
		if names[suite] == "" {
			return nil // this openssl was built without it
		}
		return []string{"-no_tls1_3", "-cipher", names[suite] + ":@SECLEVEL=0"}
	})
	compare(server.Groups, func(group string) []string {
		switch {
		case strings.HasPrefix(group, "CurveP"):
			return []string{"-groups", "P-" + strings.TrimPrefix(group, "CurveP")}
		case group == "X25519":
			return []string{"-groups", group}
		}
		return nil // hybrid ones come with OpenSSL 3.5
	})
}

// handshakes reports whether openssl gets through a handshake with these flags.
func handshakes(t *testing.T, addr string, flags ...string) bool {
	t.Helper()
	flags = append([]string{"s_client", "-starttls", "smtp", "-connect", addr}, flags...)
	err := exec.CommandContext(t.Context(), "openssl", flags...).Run() // its input is empty, so it ends there
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return err == nil
}

// suiteNames are the names in OpenSSL of the suites that it can ask for, by those at IANA.
func suiteNames(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "openssl", "ciphers", "-stdname", "ALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 2 {
			names[fields[0]] = fields[2]
		}
	}
	return names
}
