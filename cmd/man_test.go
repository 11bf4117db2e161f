package cmd

import (
	"os/exec"
	"strings"
	"testing"
)

func TestManual(t *testing.T) {
	page, errs, status := newWorld().run("man")
	if status != 0 || errs != "" {
		t.Fatalf("status %d, stderr %q", status, errs)
	}
	if !strings.HasPrefix(page, `.TH EHLO 1 "" "ehlo 1.2.3"`) {
		t.Errorf("it begins %q", page[:40])
	}
	has := func(text string) {
		t.Helper()
		if !strings.Contains(page, roffText(text)) {
			t.Errorf("the manual lacks %q", text)
		}
	}
	for i := range flagTable {
		has(flagTable[i].shown())
		has(flagTable[i].about)
	}
	for _, row := range statusTable() {
		has(row.about)
	}
	for _, c := range visible() {
		has(c.about)
		for _, e := range c.examples {
			has(e.line)
		}
	}
	// A line that begins with a dot or a quote is a request; only ours are.
	for _, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !strings.Contains(".TH .SH .SS .TP .br .nh", strings.Fields(line)[0]) {
			t.Errorf("roff would take %q for a request", line)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		return
	}
	cmd := exec.Command(groff, "-man", "-ww", "-z")
	cmd.Stdin = strings.NewReader(page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}
