package cmd_test

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The same records, judged by ehlo and by others: they agree, or this says why not.
// The names are those of testdata/interop/dns.sh.

// judge runs a program of others', which prints a line for each of n questions.
func judge(t *testing.T, n int, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), setting(t, "JUDGE"), append([]string{"ask"}, args...)...).Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != n {
		t.Fatalf("%q: %v, %d lines for %d questions: %s", args[0], err, len(lines), n, out)
	}
	return lines
}

// judged is the "result" of a check on a domain, and its verdict.
func judged(t *testing.T, id string, flags ...string) (result, verdict string) {
	t.Helper()
	args := append([]string{"check", "--json", "--helo", "client.test", "--only", id, "--dns-server", setting(t, "DNS")}, flags...)
	out, errs, _ := ehlo(t, args...)
	var doc struct {
		Checks []struct{ ID, Verdict, Result string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || errs != "" || len(doc.Checks) == 0 {
		t.Fatalf("%q: %v: %s%s", args, err, errs, out)
	}
	return doc.Checks[0].Result, doc.Checks[0].Verdict
}

func TestInteropSPF(t *testing.T) {
	t.Parallel()
	const syntax = "a syntax error is a permerror (RFC 7208 section 4.6); libspf2's program has no word for it"
	tests := []struct {
		name string // below spf.test
		ip   string // "" is 192.0.2.10
		want string
		why  string // they differ
	}{
		{"pass", "", "pass", ""},
		{"pass", "192.0.2.11", "fail", ""},
		{"ip6", "2001:db8::10", "pass", ""},
		{"ip6", "", "fail", ""},
		{"fail", "", "fail", ""},
		{"softfail", "", "softfail", ""},
		{"neutral", "", "neutral", ""},
		{"open", "", "neutral", ""},
		{"none", "", "none", ""},
		{"absent", "", "none", ""},
		{"version", "", "none", ""},
		{"two", "", "permerror", ""},
		{"case", "", "pass", ""},
		{"split", "", "pass", ""},
		{"typo", "", "permerror", syntax},
		{"address", "", "permerror", syntax},
		{"late", "", "permerror", syntax},
		{"modifier", "", "pass", ""},
		{"a", "", "pass", ""},
		{"cidr", "", "pass", ""},
		{"mx", "", "pass", ""},
		{"exists", "", "pass", ""},
		{"local", "", "pass", ""},
		{"include", "", "pass", ""},
		{"include-fail", "", "softfail", ""},
		{"include-none", "", "permerror", ""},
		{"redirect", "", "pass", ""},
		{"redirect-none", "", "permerror", ""},
		{"redirect-all", "", "fail", "beside all a redirect is ignored (RFC 7208 section 6.1); libspf2 follows it"},
		{"loop", "", "permerror", ""},
		{"ten", "", "pass", ""},
		{"eleven", "", "permerror", "the eleventh look-up is one too many (RFC 7208 section 4.6.4); libspf2 goes on"},
		{"void-two", "", "pass", ""},
		{"void-three", "", "permerror", "the third void look-up is one too many (RFC 7208 section 4.6.4); libspf2 goes on"},
		{"broken", "", "temperror", ""},
	}
	var questions []string
	for i := range tests {
		if tests[i].ip == "" {
			tests[i].ip = "192.0.2.10"
		}
		questions = append(questions, tests[i].ip, "alice@"+tests[i].name+".spf.test", "client.test")
	}
	script := func(name string) string {
		path, err := filepath.Abs("../testdata/interop/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	others := [][]string{
		judge(t, len(tests), append([]string{"/usr/bin/python3", "-I", script("spf.py")}, questions...)...),
		judge(t, len(tests), append([]string{"/bin/sh", script("spf.sh")}, questions...)...),
		judge(t, len(tests), append([]string{"/usr/bin/perl", script("spf.pl")}, questions...)...),
	}
	rows := [][]string{{"name", "client", "ehlo", "pyspf " + version(t, "python3-spf"), "libspf2 " + version(t, "spfquery"),
		"Mail::SPF " + version(t, "spf-tools-perl"), "why they differ"}}
	for i, test := range tests {
		got, _ := judged(t, "spf-eval", "--mail-from", "alice@"+test.name+".spf.test", "--ip", test.ip)
		if got != test.want {
			t.Errorf("%s from %s: %q, not %q", test.name, test.ip, got, test.want)
		}
		row, differ := []string{test.name, test.ip, got}, false
		for _, results := range others {
			row = append(row, results[i])
			differ = differ || results[i] != test.want
		}
		if differ != (test.why != "") {
			t.Errorf("%s from %s: they differ is %t: %q", test.name, test.ip, differ, row)
		}
		rows = append(rows, append(row, cmp.Or(test.why, "–")))
	}
	section(t, "spf", table(rows))
}

func TestInteropDMARC(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string // below dmarc.test
		want string // the policy; "" for none that counts
		why  string // they differ
	}{
		{"none", "none", ""},
		{"quarantine", "quarantine", ""},
		{"reject", "reject", ""},
		{"spaces", "reject", ""},
		{"unknown", "reject", ""},
		{"version", "", ""},
		{"lower", "", ""},
		{"policy", "", ""},
		{"absent", "", ""},
		{"rua-only", "none", "with an address for reports a record without a policy counts as none (RFC 9989 section 4.10.1)"},
		{"order", "", "v= has to come first (RFC 9989 section 4.8); OpenDMARC takes it anywhere"},
		{"two", "", "of two records neither counts (RFC 9989 section 4.10); OpenDMARC takes one of them"},
	}
	var names []string
	for _, test := range tests {
		names = append(names, test.name+".dmarc.test")
	}
	policies := judge(t, len(tests), append([]string{"/bin/sh", "-c",
		`for name; do p=$(opendmarc-check "$name" 2>/dev/null | sed -n 's/.*Domain policy: //p'); echo "${p:--}"; done`, "-"}, names...)...)
	rows := [][]string{{"name", "ehlo", "OpenDMARC " + version(t, "opendmarc"), "why they differ"}}
	for i, test := range tests {
		got, verdict := judged(t, "dmarc-policy", names[i])
		if got != test.want || verdict == "error" {
			t.Errorf("%s: %q (%s), not %q", test.name, got, verdict, test.want)
		}
		if differ := policies[i] != cmp.Or(test.want, "-"); differ != (test.why != "") {
			t.Errorf("%s: they differ is %t: %q and %q", test.name, differ, got, policies[i])
		}
		theirs := strings.ReplaceAll(policies[i], "-", "–")
		if test.name == "two" {
			theirs = "one of them" // whichever the name server put first
		}
		rows = append(rows, []string{test.name, cmp.Or(got, "–"), theirs, cmp.Or(test.why, "–")})
	}
	section(t, "dmarc", table(rows))
}
