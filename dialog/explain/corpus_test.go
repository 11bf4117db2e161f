package explain_test

import (
	"crypto/sha256"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpusRow is one reply of testdata/replies with the reason an expert gives it.
type corpusRow struct {
	reply, phase, reason, also, receiver, source string
}

// corpus reads testdata/replies/name.
func corpus(t testing.TB, name string) []corpusRow {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "replies", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(records) == 0 || strings.Join(records[0], ",") != "reply,phase,reason,also,receiver,source" {
		t.Fatalf("%s: not the header that README.md describes", name)
	}
	var rows []corpusRow
	for _, r := range records[1:] {
		rows = append(rows, corpusRow{r[0], r[1], r[2], r[3], r[4], r[5]})
	}
	return rows
}

// corpusReasons are the words that the corpus may use for a reason.
func corpusReasons() []string {
	return strings.Fields(`user-unknown mailbox-full mailbox-disabled has-moved host-unknown no-relaying not-accepting
		blocked bad-reputation require-ptr auth-failure policy rejected-sender spam virus content message-too-big
		rate-limited too-many-connections greylisted starttls-failed security syntax not-rfc-compliant
		system-error system-full network-error expired suspended filtered other`)
}

func TestCorpusSplit(t *testing.T) {
	at := make(map[string]string)
	for _, name := range []string{"seen.csv", "unseen.csv"} {
		for i, row := range corpus(t, name) {
			want := "seen.csv"
			if sha256.Sum256([]byte(row.reply))[0]%2 == 1 {
				want = "unseen.csv"
			}
			if name != want {
				t.Errorf("%s: row %d belongs to %s", name, i+1, want)
			}
			if other, ok := at[row.reply]; ok {
				t.Errorf("%s: row %d is also in %s", name, i+1, other)
			}
			at[row.reply] = name
		}
	}
	if len(at) < 400 {
		t.Errorf("%d replies, want at least 400", len(at))
	}
}

func TestCorpusWords(t *testing.T) {
	phases := []string{"connect", "hello", "mail", "rcpt", "data", "dot", "auth", "tls", "quit", ""}
	reasons := corpusReasons()
	for _, name := range []string{"seen.csv", "unseen.csv", "fresh.csv", "blind.csv", "natural.csv", "last.csv", "unread.csv"} {
		for i, row := range corpus(t, name) {
			if !slices.Contains(reasons, row.reason) {
				t.Errorf("%s: row %d: no such reason: %q", name, i+1, row.reason)
			}
			for also := range strings.FieldsSeq(row.also) {
				if also == row.reason || !slices.Contains(reasons, also) {
					t.Errorf("%s: row %d: no further reason: %q", name, i+1, also)
				}
			}
			if !slices.Contains(phases, row.phase) {
				t.Errorf("%s: row %d: no such phase: %q", name, i+1, row.phase)
			}
			if row.receiver == "" || row.source == "" {
				t.Errorf("%s: row %d: no receiver or no source", name, i+1)
			}
		}
	}
}

func TestCorpusSpread(t *testing.T) {
	rows := append(corpus(t, "seen.csv"), corpus(t, "unseen.csv")...)
	count := make(map[string]int)
	for _, row := range rows {
		count[row.receiver]++
	}
	for receiver, n := range count {
		if n*100 > len(rows)*12 {
			t.Errorf("%s has %d of %d replies, more than 12 %%", receiver, n, len(rows))
		}
	}
}
