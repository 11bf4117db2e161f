package transcript_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	. "github.com/ehlo-mail/ehlo/dialog/transcript"
)

// fact is an event that marshals to something.
type fact struct {
	kind  string
	Text  string  `json:"text,omitempty"`
	Code  int     `json:"code,omitempty"`
	Value any     `json:"value,omitempty"`
	Lists []int   `json:"lists,omitempty"`
	Pass  *Secret `json:"pass,omitempty"`
}

func (f fact) Kind() string  { return f.kind }
func (f fact) Lines() []Line { return nil }

var at = time.Date(2026, 11, 22, 1, 14, 2, 73_900_000, time.FixedZone("", 3600))

func record(t *testing.T, format string, records ...Record) string {
	t.Helper()
	var b strings.Builder
	s, err := New(&b, Options{Format: format})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		r.At = at
		s.Write(r)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSONL(t *testing.T) {
	pass := NewSecret("hunter2")
	got := record(t, "jsonl",
		Record{Event: fact{kind: "sent", Text: "RCPT TO:<a&b@example.net>", Pass: &pass}},
		Record{Target: "mx1.example.net", Event: fact{kind: "received", Code: 250, Text: "\x1b[m \u202e\x7f 🙂 \U000e0041 Grüße"}},
		Record{Event: fact{kind: "empty"}},
		Record{Event: fact{kind: ResultKind, Code: 1}})
	want := `{"at":"2026-11-22T00:14:02.073Z","event":"sent","text":"RCPT TO:<a&b@example.net>","pass":"[hidden]"}
{"at":"2026-11-22T00:14:02.073Z","event":"received","target":"mx1.example.net","text":"\u001b[m \u202e\u007f 🙂 \udb40\udc41 Grüße","code":250}
{"at":"2026-11-22T00:14:02.073Z","event":"empty"}
{"at":"2026-11-22T00:14:02.073Z","event":"result","code":1}
`
	compare(t, got, want)
}

// own marshals itself, which an encoder's settings do not reach.
type own struct{ text string }

func (o own) MarshalJSON() ([]byte, error) { return json.Marshal(o.text) }

func TestJSONIsNotHTML(t *testing.T) {
	text := `<a&b> \u003c \\u003e \\\u0026 "<"`
	got := record(t, "jsonl", Record{Event: fact{kind: "x", Text: text, Value: own{text}}})
	quoted := `"<a&b> \\u003c \\\\u003e \\\\\\u0026 \"<\""`
	compare(t, got, `{"at":"2026-11-22T00:14:02.073Z","event":"x","text":`+quoted+`,"value":`+quoted+"}\n")
}

func TestJSON(t *testing.T) {
	sent := Record{Event: fact{kind: "sent", Text: "QUIT", Lists: []int{1}}}
	tests := []struct {
		name    string
		records []Record
		want    string
	}{
		{"result", []Record{sent, {Event: fact{kind: ResultKind, Text: "done", Code: 1}}}, `{
  "text": "done",
  "code": 1,
  "transcript": [
    {
      "at": "2026-11-22T00:14:02.073Z",
      "event": "sent",
      "text": "QUIT",
      "lists": [
        1
      ]
    }
  ]
}
`},
		{"empty result", []Record{{Event: fact{kind: ResultKind}}}, "{\n  \"transcript\": []\n}\n"},
		{"no result", []Record{{Event: fact{kind: "sent"}}}, `{
  "transcript": [
    {
      "at": "2026-11-22T00:14:02.073Z",
      "event": "sent"
    }
  ]
}
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { compare(t, record(t, "json", test.records...), test.want) })
	}
}

// TestJSONIsVisibleAndTrue sends every code point through and wants each back,
// with nothing on the way that a terminal acts on.
func TestJSONIsVisibleAndTrue(t *testing.T) {
	var all strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			all.WriteRune(r)
		}
	}
	for _, format := range []string{"json", "jsonl"} {
		got := record(t, format, Record{Event: fact{kind: ResultKind, Text: all.String()}})
		for _, r := range got {
			if r != '\n' && acts(r) {
				t.Fatalf("%s holds %U", format, r)
			}
		}
		var back struct{ Text string }
		if err := json.Unmarshal([]byte(got), &back); err != nil {
			t.Fatal(err)
		}
		if back.Text != all.String() {
			t.Errorf("%s changed the value", format)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add("250 Ok", "text")
	f.Add("\xff\x1b\u202e\U000e0041", "</script>")
	f.Fuzz(func(t *testing.T, text, target string) {
		got := record(t, "jsonl", Record{Target: target, Event: fact{kind: "received", Text: text}})
		var line struct{ Target, Text string }
		if err := json.Unmarshal([]byte(got), &line); err != nil {
			t.Fatalf("%v in %s", err, got)
		}
		// JSON has no bytes: each one that is not UTF-8 becomes U+FFFD.
		if line.Target != string([]rune(target)) || line.Text != string([]rune(text)) {
			t.Errorf("%q and %q came back as %q", target, text, line)
		}
		for _, r := range strings.TrimSuffix(got, "\n") {
			if acts(r) {
				t.Errorf("%U in %q", r, got)
			}
		}
	})
}

func TestJSONDefects(t *testing.T) {
	for _, format := range []string{"json", "jsonl"} {
		var b strings.Builder
		s, err := New(&b, Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		s.Write(Record{Event: fact{kind: "sent", Value: func() {}}})
		if err := s.Close(); err == nil || !strings.Contains(err.Error(), "event sent") {
			t.Errorf("%s: an event that does not marshal gives %v", format, err)
		}
		if b.String() != "" && !json.Valid([]byte(b.String())) {
			t.Errorf("%s: %q", format, b.String())
		}
	}
}

var errFull = errors.New("disk full")

// full is a writer that takes so many writes and then fails.
type full struct{ left, calls int }

func (f *full) Write(p []byte) (int, error) {
	f.calls++
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFirstWriteErrorIsKept(t *testing.T) {
	for _, o := range []Options{{Width: 80}, {}, {Format: "json"}, {Format: "jsonl"}} {
		w := &full{}
		s, err := New(w, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.Write(Record{Event: said(Line{Text: "hello"})})
		}
		if err := s.Close(); !errors.Is(err, errFull) {
			t.Errorf("%+v: Close gives %v", o, err)
		}
		if w.calls != 1 {
			t.Errorf("%+v: %d writes after the first error", o, w.calls-1)
		}
	}
}
