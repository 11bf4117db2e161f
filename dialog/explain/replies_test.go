package explain

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
)

// score asks for every reply of a file of testdata/replies, as a user would who has
// the text and knows when it came. Covered are those that a wording or an enhanced
// code explains with a reason; wrong are those that any layer explains with a reason
// that the expert does not give. Where no reason is known, nothing is wrong.
func score(t *testing.T, name string, miss func(row []string, e Explanation)) (covered, wrong float64) {
	t.Helper()
	f, err := os.Open("testdata/replies/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %v", name, err)
	}
	for _, row := range rows[1:] {
		reply, phase, reason, also := row[0], row[1], row[2], row[3]
		var e Explanation
		if found := Find(reply); len(found) > 0 {
			found[0].Phase = phase
			e = found[0].Explain()
		}
		known := e.Reason != "" && e.Reason != "other"
		if known && (e.Layer == ByText || e.Layer == ByEnhanced) {
			covered++
		} else {
			miss(row, e)
		}
		if known && e.Reason != reason && e.Reason != also {
			wrong++
			miss(row, e)
		}
	}
	n := float64(len(rows) - 1)
	return 100 * covered / n, 100 * wrong / n
}

// TestSeen scores the half of the replies that was looked at when rules were written.
func TestSeen(t *testing.T) {
	covered, wrong := score(t, "seen.csv", func(row []string, e Explanation) {
		t.Logf("%s %s [%s], not %s %s: %q", e.Reason, e.Layer, row[1], row[2], row[3], strings.ReplaceAll(row[0], "\n", " / "))
	})
	t.Logf("seen: %.1f %% covered, %.1f %% wrong", covered, wrong)
	if covered < 85 || wrong > 3 {
		t.Errorf("seen: %.1f %% covered, want 85; %.1f %% wrong, want 3 at most", covered, wrong)
	}
}

// TestUnseen scores the half that nobody has looked at: it says two numbers and shows
// no reply.
func TestUnseen(t *testing.T) {
	covered, wrong := score(t, "unseen.csv", func([]string, Explanation) {})
	t.Logf("unseen: %.1f %% covered, %.1f %% wrong", covered, wrong)
	if covered < 85 || wrong > 3 {
		t.Errorf("unseen: %.1f %% covered, want 85; %.1f %% wrong, want 3 at most", covered, wrong)
	}
}
