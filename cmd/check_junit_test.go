package cmd_test

import (
	"encoding/xml"
	"testing"
)

// TestJUnit: the document is XML, whatever the DNS and the servers of a domain say, and
// counts what it holds.
func TestJUnit(t *testing.T) {
	domains := []string{"good.test", "evil-banner.test", "dns-evil.test", "sts-evil.test", "sts-evilrecord.test", "badspf.test"}
	out, errs, _ := ehlo(t, append([]string{"check", "--sandbox", "--format", "junit"}, domains...)...)
	type outcome struct {
		Message string `xml:"message,attr"`
	}
	var document struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   int    `xml:"errors,attr"`
			Skipped  int    `xml:"skipped,attr"`
			Cases    []struct {
				Failure *outcome `xml:"failure"`
				Error   *outcome `xml:"error"`
				Skipped *outcome `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(out), &document); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	if len(document.Suites) != len(domains) {
		t.Errorf("%d suites, want %d", len(document.Suites), len(domains))
	}
	for _, s := range document.Suites {
		failures, errors, skipped := 0, 0, 0
		for _, c := range s.Cases {
			for _, o := range []struct {
				is *outcome
				n  *int
			}{{c.Failure, &failures}, {c.Error, &errors}, {c.Skipped, &skipped}} {
				if o.is != nil {
					*o.n++
				}
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errors || s.Skipped != skipped || s.Tests == 0 {
			t.Errorf("%s: %d tests, %d failures, %d errors, %d skipped; the cases are %d, %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), failures, errors, skipped)
		}
	}
}
