package transcript

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "Grüße": 5, "e\u0301": 1, "受信": 4, "ﾒｰﾙ": 3, "Ａ": 2, "🙂": 2, "·–…→█●⇐": 7, "\u1112\u1161\u11ab": 2,
	} {
		if got := columns([]byte(s)); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	tests := []struct {
		text        string
		first, rest int
		sep         string
		want        []string
	}{
		{"", 10, 10, "", []string{""}},
		{"one two three", 7, 7, "", []string{"one two", "three"}},
		{"one two three", 3, 9, "", []string{"one", "two three"}},
		{"one a-very-long-word two", 7, 7, "", []string{"one", "a-very-long-word", "two"}},
		{"a-very-long-word", 7, 7, "", []string{"a-very-long-word"}},
		{"one   two", 5, 5, "", []string{"one", "two"}},
		{"one  two six", 8, 8, "", []string{"one  two", "six"}},
		{"  one two", 5, 5, "", []string{"  one", "two"}},
		{"受信 受信", 5, 5, "", []string{"受信", "受信"}},
		{"one two · six ten · end", 15, 15, "·", []string{"one two ·", "six ten · end"}},
		{"one two · six", 7, 7, "·", []string{"one", "two ·", "six"}}, // a separator never begins a line
		{"one · two three four five", 9, 12, "·", []string{"one · two", "three four", "five"}},
		{"one · two three four", 9, 14, "·", []string{"one ·", "two three four"}},
		{"one - twos · six", 5, 5, "-", []string{"one -", "twos", "· six"}},
	}
	for _, test := range tests {
		var got []string
		for _, p := range fold(nil, []byte(test.text), test.first, test.rest, test.sep) {
			got = append(got, test.text[p.from:p.to])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("fold(%q, %d, %d) = %q, want %q", test.text, test.first, test.rest, got, test.want)
		}
	}
}

// FuzzFold: only spaces are dropped, a line fits or is one word, and no
// separator begins one.
func FuzzFold(f *testing.F) {
	f.Add("one two · three", 7, 9)
	f.Add("受信者は 有効  です · · ·", 5, 3)
	f.Fuzz(func(t *testing.T, s string, first, rest int) {
		if first < 1 || rest < 1 || first > 200 || rest > 200 {
			t.Skip()
		}
		s = Escape(s, false)
		room, end := first, 0
		for i, p := range fold(nil, []byte(s), first, rest, "·") {
			if strings.Trim(s[end:p.from], " ") != "" || p.from < end || p.to < p.from {
				t.Fatalf("%q: lost %q", s, s[end:p.from])
			}
			line := s[p.from:p.to]
			bare := strings.ReplaceAll(strings.Trim(line, " "), " ·", "")
			if columns([]byte(strings.TrimRight(line, " "))) > room && strings.Contains(strings.Trim(bare, " "), " ") {
				t.Fatalf("%q: %q is wider than %d", s, line, room)
			}
			if i > 0 && strings.HasPrefix(line, "· ") {
				t.Fatalf("%q: a separator begins %q", s, line)
			}
			end, room = p.to, rest
		}
		if strings.Trim(s[end:], " ") != "" {
			t.Fatalf("%q: lost %q", s, s[end:])
		}
	})
}

func TestASCIILocale(t *testing.T) {
	tests := []struct {
		env    map[string]string
		system string
		want   bool
	}{
		{nil, "linux", true},
		{map[string]string{"LANG": "C"}, "linux", true},
		{map[string]string{"LANG": "de_DE.UTF-8"}, "linux", false},
		{map[string]string{"LANG": "C.utf8"}, "linux", false},
		{map[string]string{"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, "linux", true},
		{map[string]string{"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, "darwin", false},
		{map[string]string{"LC_CTYPE": "en_US.ISO8859-1", "LANG": "en_US.UTF-8"}, "freebsd", true},
		{nil, "windows", false},
	}
	for _, test := range tests {
		if got := ascii(func(k string) string { return test.env[k] }, test.system); got != test.want {
			t.Errorf("%v on %s: %v", test.env, test.system, got)
		}
	}
}

func TestNumber(t *testing.T) {
	for s, want := range map[string]bool{
		"10": true, "0.6": true, "99.9%": true, "-3": true, "0.5–1": true, "1–2": true,
		"": false, "–": false, "192.0.2.10": false, "2001:db8::10": false, "3 1 1": false, "2026-11-02": false, "1.": false, "10 ms": false,
	} {
		if number(s) != want {
			t.Errorf("number(%q) = %v", s, !want)
		}
	}
}

// FuzzText renders one line with foreign text in every part of it: whatever
// comes, lines are of printable characters, and the escaped text is all there.
func FuzzText(f *testing.F) {
	f.Add(uint8(Received), "250 ", "ok \x1b[m", "RCPT a", 80)
	f.Add(uint8(Row), "a", "b\nc", "d", 0)
	f.Add(uint8(ClosingFailed), "failed", "wide 受信者は有効です", "exit 1", 60)
	f.Fuzz(func(t *testing.T, mark uint8, label, text, aside string, width int) {
		l := Line{Mark: Mark(mark % uint8(ClosingUnknown+1)), Label: label, Text: text, Aside: aside, Cells: []string{label, text, aside}, Took: 1e6}
		var b bytes.Buffer
		s := newText(&b, Options{Verbose: true, Width: width % 200, Color: width%2 == 0, ASCII: width%3 == 0, Raw: width%5 == 0})
		s.Write(Record{Event: shown{l, l}})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		for _, on := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[7m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[1;31m"} {
			out = strings.ReplaceAll(out, on, "")
		}
		for line := range strings.Lines(out) {
			line = strings.TrimSuffix(line, "\n")
			for _, r := range line {
				if !Printable(r) {
					t.Fatalf("%U in %q", r, line)
				}
			}
			if strings.HasSuffix(line, " ") {
				t.Fatalf("a space ends %q", line)
			}
		}
		said := l.Text
		if l.Mark == Blank || width%3 == 0 || l.Mark.item() || l.Mark == Row || l.Mark == RowHead {
			return
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if !strings.Contains(squeeze(out), squeeze(Escape(said, false))) && !strings.Contains(said, `\`) {
			t.Fatalf("%q is not in %q", Escape(said, false), out)
		}
	})
}

type shown []Line

func (s shown) Kind() string  { return "shown" }
func (s shown) Lines() []Line { return s }

// told is an event for every sink.
type told struct {
	shown
	Code     int      `json:"code"`
	Enhanced string   `json:"enhanced"`
	Texts    []string `json:"text"`
}

func BenchmarkSink(b *testing.B) {
	for _, bench := range []struct {
		name string
		o    Options
	}{{"terminal", Options{Format: "text", Width: 100, Color: true}}, {"pipe", Options{Format: "text"}}, {"jsonl", Options{Format: "jsonl"}}} {
		b.Run(bench.name, func(b *testing.B) {
			s, err := New(discard{}, bench.o)
			if err != nil {
				b.Fatal(err)
			}
			var e Event = told{shown{
				{Mark: Sent, Text: "MAIL FROM:<alice@example.com> SIZE=2304"},
				{Mark: Received, Label: "250 2.1.0 ", Text: "Ok", Aside: "MAIL", Took: 14e6},
			}, 250, "2.1.0", []string{"Ok"}}
			b.ReportAllocs()
			for b.Loop() {
				s.Write(Record{Event: e})
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
