package cmd_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ehlo-mail/ehlo/dialog/check"
)

// TestScriptsCoverVerdicts wants every verdict that a check can come to, as the table has
// it, in the transcript of a script; and those that the check gives itself, rather than
// Run in its place, by what the check says of them.
func TestScriptsCoverVerdicts(t *testing.T) {
	files, err := filepath.Glob("../testdata/script/check*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	shown, itself := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !regexp.MustCompile(`(?m)^cmp stdout ` + regexp.QuoteMeta(f.Name) + `$`).Match(archive.Comment) {
				continue
			}
			for _, seen := range shownVerdicts(string(f.Data)) {
				pair := seen.ID + " " + seen.Verdict
				shown[pair] = true
				itself[pair] = itself[pair] || !seen.forRun
				if strings.Contains(seen.Summary, "a defect in ehlo") {
					t.Errorf("%s: %s: %s", filepath.Base(file), f.Name, seen.Summary)
				}
			}
		}
	}
	for _, c := range check.All() {
		for _, v := range c.Verdicts() {
			pair := c.ID + " " + v.String()
			switch {
			case !shown[pair]:
				t.Errorf("no script shows %s", pair)
			case slices.Contains(c.Gives, v) && !itself[pair]:
				t.Errorf("no script shows %s by the check's own words", pair)
			}
		}
	}
}

// shownVerdict is one line about a check, as a script expects it.
type shownVerdict struct {
	Target, ID, Verdict, Summary string
	forRun                       bool // Run gives it to any check
}

// shownVerdicts are those of a transcript that has the results one by one, or of a JSON
// document.
func shownVerdicts(text string) []shownVerdict {
	var all []shownVerdict
	var document struct{ Checks []shownVerdict }
	if json.Unmarshal([]byte(text), &document) == nil {
		all = document.Checks
	} else {
		target, item := "", regexp.MustCompile(`^  \S+ (pass|info|warn|fail|skip|error) +([a-z0-9-]+)  (.*)$`)
		for line := range strings.Lines(text) {
			if head, ok := strings.CutPrefix(line, "■ "); ok {
				target = head
			} else if m := item.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				all = append(all, shownVerdict{Target: target, Verdict: m[1], ID: m[2], Summary: m[3]})
			}
		}
	}
	unknown := map[string]bool{} // targets of which nothing is judged but whether they exist
	for _, seen := range all {
		unknown[seen.Target] = unknown[seen.Target] || seen.ID == "domain" && (seen.Verdict == "fail" || seen.Verdict == "error")
	}
	for i, seen := range all {
		all[i].forRun = seen.ID != "domain" && unknown[seen.Target] || strings.HasPrefix(seen.Summary, "time is up") ||
			seen.Verdict == "skip" && regexp.MustCompile(`^needs \S+$`).MatchString(seen.Summary)
	}
	return all
}

// TestScriptsShowFixes wants something to do about whatever a check of a domain warns of or
// fails, in every transcript: a verdict alone helps nobody.
func TestScriptsShowFixes(t *testing.T) {
	files, err := filepath.Glob("../testdata/script/check*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	message := map[string]bool{}
	for _, c := range check.All() {
		message[c.ID] = c.Group == check.Message
	}
	bad, fix := regexp.MustCompile(`^  \S+ (?:fail|warn) +([a-z0-9-]+)  `), regexp.MustCompile(`(?m)^ +fix +\S`)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			for block := range strings.SplitSeq(string(f.Data), "\n\n") {
				if m := bad.FindStringSubmatch(block); m != nil && !message[m[1]] && !fix.MatchString(block) {
					t.Errorf("%s: %s has no fix:\n%s", filepath.Base(file), f.Name, block)
				}
			}
		}
	}
}
