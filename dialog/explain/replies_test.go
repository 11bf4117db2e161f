package explain

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
)

// score asks for every reply of a file of testdata/replies, as a user would who has
// the text and knows when it came. Covered are those that a wording or an enhanced
// code explains with a reason; wrong are those that any layer explains with a reason
// that the expert does not give, neither as the first reading nor as one of the others.
// Where no reason is known, nothing is wrong.
func score(t *testing.T, name string, miss func(row []string, e Explanation)) (covered, wrong float64) {
	t.Helper()
	rows := replies(t, name)
	for _, row := range rows {
		reply, phase, reasons := row[0], row[1], strings.Fields(row[2]+" "+row[3])
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
		if known && !slices.Contains(reasons, e.Reason) {
			wrong++
			miss(row, e)
		}
	}
	n := float64(len(rows))
	return 100 * covered / n, 100 * wrong / n
}

// replies are the rows of one of the sets.
func replies(t *testing.T, name string) [][]string {
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
	return rows[1:]
}

// TestSeen scores the half of the replies that the first rules were written by.
func TestSeen(t *testing.T) { scoreRead(t, "seen.csv") }

// TestUnseen scores the other half, which was read after its one score (see README.md).
func TestUnseen(t *testing.T) { scoreRead(t, "unseen.csv") }

// TestFresh scores the replies that came after them, which have been read since, too.
func TestFresh(t *testing.T) { scoreRead(t, "fresh.csv") }

// TestBlind scores wordings that were new to the rules until they were scored, once.
func TestBlind(t *testing.T) { scoreRead(t, "blind.csv") }

// scoreRead scores replies that rules were written by, and shows those that are missed.
func scoreRead(t *testing.T, name string) {
	covered, wrong := score(t, name, func(row []string, e Explanation) {
		t.Logf("%s %s [%s], not %s %s: %q", e.Reason, e.Layer, row[1], row[2], row[3], strings.ReplaceAll(row[0], "\n", " / "))
	})
	asked(t, name, covered, wrong)
}

// TestNatural scores replies as they come in practice, which have been read since, too.
func TestNatural(t *testing.T) { scoreRead(t, "natural.csv") }

// TestLast scores a second sample of them, by the readings that two people both accept.
func TestLast(t *testing.T) { scoreRead(t, "last.csv") }

// TestUnread scores a sample that no writer of rules has read, by such readings, too: two
// numbers are said, and no reply.
func TestUnread(t *testing.T) {
	covered, wrong := score(t, "unread.csv", func([]string, Explanation) {})
	asked(t, "unread.csv", covered, wrong)
}

// asked holds a score to what is asked of the rules, in percent.
func asked(t *testing.T, name string, covered, wrong float64) {
	t.Helper()
	t.Logf("%s: %.1f %% covered, %.1f %% wrong", name, covered, wrong)
	if covered < 85 || wrong > 3 {
		t.Errorf("%s: %.1f %% covered, want 85; %.1f %% wrong, want 3 at most", name, covered, wrong)
	}
}

// TestGeneral scores what everybody says by itself, without the rules of any one
// receiver: what the explanations are worth where a receiver is not known.
func TestGeneral(t *testing.T) {
	n, covered, wrong := 0, 0, 0
	for _, name := range []string{"seen.csv", "unseen.csv", "fresh.csv", "blind.csv", "natural.csv", "last.csv"} {
		for _, row := range replies(t, name) {
			text := strings.Split(row[0], "\n")
			r, ok := ruleIn(generalRules, row[1], row[0][:3], sayingOf(text))
			n++
			if !ok {
				continue
			}
			covered++
			if !slices.Contains(strings.Fields(row[2]+" "+row[3]), r.reason) {
				wrong++
				t.Logf("%s by %.60s, not %s %s: %q", r.reason, r.words, row[2], row[3], text)
			}
		}
	}
	t.Logf("%d replies, %d answered, %d wrong", n, covered, wrong)
	if 100*wrong > 3*n || 100*covered < 80*n {
		t.Errorf("%d replies: %d answered, want 80 %%; %d wrong, want 3 %% at most", n, covered, wrong)
	}
}
