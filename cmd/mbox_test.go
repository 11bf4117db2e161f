package cmd

import (
	"slices"
	"testing"
)

func TestMboxSeparators(t *testing.T) {
	const from = "From a@x.test Sun Nov 22 01:14:02 2026\n"
	for _, c := range []struct {
		name, line string // behind a blank line
		separates  bool
	}{
		{"asctime", "From b@x.test Sun Nov 22 01:14:02 2026", true},
		{"a day of one digit", "From b@x.test Sun Nov  1 01:14:02 2026", true},
		{"CR LF", "From b@x.test Sun Nov 22 01:14:02 2026\r", true},
		{"no seconds", "From b Sun Nov 22 01:14 2026", true},
		{"no address", "From - Sun Nov 22 01:14:02 2026", true},
		{"offset before the year", "From 1@xxx Sun Nov 22 01:14:02 +0000 2026", true},
		{"zone behind the year", "From b Sun Nov 22 01:14:02 2026 UTC", true},
		{"quoted local part", `From "b c"@x.test Sun Nov 22 01:14:02 2026`, true},
		{"UUCP", "From b Sun Nov 22 01:14:02 2026 remote from host", true},
		{"text", "From here on it is text", false},
		{"text with a date", "From Monday, Sun Nov 22 01:14:02 2026 is far", false},
		{"text behind a date", "From b Sun Nov 22 01:14:02 2026 on I was ill", false},
		{"no such day", "From b@x.test Sun Nov 42 01:14:02 2026", false},
		{"no date", "From b@x.test", false},
		{"nothing", "From ", false},
	} {
		got, err := readMbox(from + "A: 1\n\none\n\n" + c.line + "\nB: 2\n\ntwo\n")
		want := []string{"A: 1\n\none\n\n" + c.line + "\nB: 2\n\ntwo\n"}
		if c.separates {
			want = []string{"A: 1\n\none\n", "B: 2\n\ntwo\n"}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %q", c.name, err, got)
		}
	}
	// Not behind a blank line it is text, whatever its form.
	if got, err := readMbox(from + "A: 1\n\none\n" + from + "two\n"); err != nil || len(got) != 1 {
		t.Errorf("%v %q", err, got)
	}
	if _, err := readMbox("From here\nA: 1\n"); err != errNoMbox {
		t.Error(err)
	}
}
