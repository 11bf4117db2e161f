package transcript_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/ehlo-mail/ehlo/dialog/transcript"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

// render gives what the sink of o prints for the events.
func render(tb testing.TB, o Options, events []event) string {
	tb.Helper()
	var b strings.Builder
	s, err := New(&b, o)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range events {
		s.Write(Record{Event: e})
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func TestSamples(t *testing.T) {
	looks := []struct {
		name string
		o    Options
	}{
		{"100", Options{Width: 100}},
		{"80", Options{Width: 80}},
		{"60", Options{Width: 60}},
		{"pipe", Options{}},
		{"ascii80", Options{Width: 80, ASCII: true}},
		{"color100", Options{Width: 100, Color: true}},
		{"raw100", Options{Width: 100, Raw: true}},
		{"quiet100", Options{Width: 100, Quiet: true}},
		{"verbose100", Options{Width: 100, Verbose: true}},
	}
	names := []string{"accepted", "refused", "partly", "unknown", "untrusted", "probe", "mx", "verify", "check", "bench", "explain", "session", "narrow"}
	if len(names) != len(samples) {
		t.Fatalf("%d of %d samples are rendered", len(names), len(samples))
	}
	for _, look := range looks {
		t.Run(look.name, func(t *testing.T) {
			var b strings.Builder
			for _, name := range names {
				b.WriteString("==== " + name + "\n" + render(t, look.o, samples[name]))
			}
			got := b.String()
			if look.o.Color {
				got = strings.ReplaceAll(got, "\x1b", "␛")
			}
			file := filepath.Join("testdata", "look", look.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, string(want))
		})
	}
}

// compare fails at the first line that differs.
func compare(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Fatalf("line %d is missing:\n%s", i+1, w[i])
		case i >= len(w):
			t.Fatalf("line %d is too much:\n%s", i+1, g[i])
		case g[i] != w[i]:
			t.Fatalf("line %d is\n%s\nwant\n%s", i+1, g[i], w[i])
		}
	}
}
