package cmd_test

import (
	"encoding/json"
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
// posttls-finger, and ehlo come to the same verdict, or this says why not.

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
		differ string   // why posttls-finger takes what ehlo does not
	}{
		{"good", nil, ""},
		{"wildcard", nil, ""},
		{"intermediate", nil, ""},
		{"expired", []string{"dates"}, ""},
		{"not-yet-valid", []string{"dates"}, ""},
		{"self-signed", []string{"chain"}, ""},
		{"unknown-ca", []string{"chain"}, ""},
		{"no-intermediate", []string{"chain"}, ""},
		{"wrong-name", []string{"name"}, ""},
		{"client-only", []string{"usage"}, ""},
		{"by-leaf", []string{"chain"}, ""},
		{"sha1", []string{"signature"}, ""},
		{"cn-only", []string{"name"}, "Postfix takes the common name where no DNS name is listed; " +
			"RFC 9525 has no place for it, and public CAs issue no such certificate"},
		{"weak-key", []string{"key"}, "Postfix leaves the strength of keys to its administrator (OpenSSL's security level 0); " +
			"RSA below 2048 bits is not to be issued (RFC 9325 section 4.5)"},
	}
	if len(tests) != len(served) {
		t.Errorf("of %d certificates %d are tested", len(served), len(tests))
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			addr := served[test.name]
			host, port, _ := strings.Cut(addr, ":")
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
		})
	}
}
