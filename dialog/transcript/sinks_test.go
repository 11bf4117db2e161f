package transcript_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/ehlo-mail/ehlo/dialog/transcript"
)

func TestFormats(t *testing.T) {
	for _, f := range Formats {
		if s, err := New(&strings.Builder{}, Options{Format: f.Name}); err != nil || s == nil || f.About == "" {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if _, err := New(nil, Options{Format: "xml"}); err == nil || !strings.Contains(err.Error(), "text, json, jsonl, none") {
		t.Errorf("an unknown format gives %v", err)
	}
}

func TestSilence(t *testing.T) {
	var b strings.Builder
	s, err := New(&b, Options{Format: "none"})
	if err != nil {
		t.Fatal(err)
	}
	stream := NewStream(s, time.Now)
	if stream.Live() || stream.For("a").Live() || NewStream(nil, time.Now).Live() {
		t.Error("a silent stream is live")
	}
	stream.Emit(said(Line{Text: "hello"}))
	s.Write(Record{Event: said(Line{Text: "hello"})})
	if err := s.Close(); err != nil || b.Len() > 0 {
		t.Errorf("none wrote %q, %v", b.String(), err)
	}
}

func TestStreamTags(t *testing.T) {
	var b strings.Builder
	s, err := New(&b, Options{Format: "jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	stream := NewStream(s, func() time.Time { return at })
	stream.Emit(fact{kind: "a"})
	stream.For("mx1").Emit(fact{kind: "b"})
	compare(t, b.String(), `{"at":"2026-11-22T00:14:02.073Z","event":"a"}
{"at":"2026-11-22T00:14:02.073Z","event":"b","target":"mx1"}
`)
}

func TestLevels(t *testing.T) {
	conversation := []event{
		said(Line{Mark: Phase, Label: "tls", Text: "not verified"}, Line{Mark: Note, Text: "a note"}, Line{Mark: Finding, Text: "a finding"}),
		said(Line{Mark: Failure, Text: "a failure"}, Line{Mark: Good, Text: "a good thing"}, Line{Mark: Blank}),
		{ReportKind, []Line{{Mark: Blank}, {Text: "a report"}, {Mark: Note, Text: "its note"}}},
	}
	good := event{ResultKind, []Line{{Mark: ClosingOK, Label: "done", Aside: "exit 0"}, {Mark: Labelled, Label: "id", Text: "1"}}}
	poor := event{ResultKind, []Line{{Mark: ClosingFailed, Label: "failed", Aside: "exit 1"}, {Mark: ClosingOK, Label: "done", Aside: "exit 0"}}}
	tests := []struct {
		name string
		o    Options
		end  event
		want []string
	}{
		{"default", Options{}, good, []string{"● tls       not verified", "  !   a finding", "  ✗   a failure", "  ✓   a good thing", "", "a report", "", "✓ done  exit 0", "  id      1"}},
		{"verbose", Options{Verbose: true}, good, []string{"● tls       not verified", "  ·   a note", "  !   a finding", "  ✗   a failure", "  ✓   a good thing", "", "a report", "  ·   its note", "", "✓ done  exit 0", "  id      1"}},
		{"quiet", Options{Quiet: true}, good, []string{"  !   a finding", "  ✗   a failure", "", "a report", "", "✓ done  exit 0", "  id      1"}},
		{"quiet failure", Options{Quiet: true}, poor, []string{"  !   a finding", "  ✗   a failure", "", "a report", "", "✗ failed  exit 1", "", "✓ done  exit 0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for line := range strings.Lines(render(t, test.o, append(conversation, test.end))) {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			for i := range test.want {
				test.want[i] = strings.Join(strings.Fields(test.want[i]), " ")
			}
			compare(t, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		})
	}
	if got := render(t, Options{Quiet: true}, []event{said(Line{Mark: Phase, Label: "tls", Text: "verified"}), good}); got != "" {
		t.Errorf("quiet shows that all is well: %s", got)
	}
}

func TestBeforeEachWrite(t *testing.T) {
	for _, o := range []Options{{Width: 80}, {}, {Format: "json"}, {Format: "jsonl"}} {
		var b strings.Builder
		cleared := 0
		o.Before = func() { cleared++ }
		s, err := New(&b, o)
		if err != nil {
			t.Fatal(err)
		}
		s.Write(Record{Event: said(Line{Text: "one"})})
		s.Write(Record{Event: said(Line{Text: "two"})})
		if shown := b.Len() > 0; shown != (o.Format != "json") {
			t.Errorf("%q at width %d: shown at once is %v", o.Format, o.Width, shown)
		}
		if err := s.Close(); err != nil || cleared == 0 {
			t.Errorf("%q at width %d: cleared %d times, %v", o.Format, o.Width, cleared, err)
		}
	}
}

func TestColor(t *testing.T) {
	tests := []struct {
		mode     string
		env      map[string]string
		terminal bool
		want     bool
	}{
		{"", nil, true, true},
		{"auto", nil, false, false},
		{"always", map[string]string{"NO_COLOR": "1", "TERM": "dumb"}, false, true},
		{"never", map[string]string{"FORCE_COLOR": "1"}, true, false},
		{"auto", map[string]string{"NO_COLOR": "1", "FORCE_COLOR": "1"}, true, false},
		{"auto", map[string]string{"FORCE_COLOR": "1", "TERM": "dumb"}, false, true},
		{"auto", map[string]string{"CLICOLOR_FORCE": "1"}, false, true},
		{"auto", map[string]string{"CLICOLOR_FORCE": "0"}, false, false},
		{"auto", map[string]string{"TERM": "dumb"}, true, false},
		{"auto", map[string]string{"TERM": "xterm"}, true, true},
	}
	for _, test := range tests {
		got, err := Color(test.mode, func(k string) string { return test.env[k] }, test.terminal)
		if got != test.want || err != nil {
			t.Errorf("Color(%q, %v, %v) = %v, %v", test.mode, test.env, test.terminal, got, err)
		}
	}
	if _, err := Color("blue", func(string) string { return "" }, true); err == nil {
		t.Error("blue is taken")
	}
}

func TestUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0.0 ms", 0: "0.0 ms", 400 * time.Microsecond: "0.4 ms", 9949 * time.Microsecond: "9.9 ms", 9950 * time.Microsecond: "10 ms",
		84 * ms: "84 ms", 999499 * time.Microsecond: "999 ms", 999500 * time.Microsecond: "1.00 s", 1240 * ms: "1.24 s", 9994 * ms: "9.99 s",
		9995 * ms: "10.0 s", 15 * time.Second: "15.0 s", 30200 * ms: "30.2 s", 59949 * ms: "59.9 s", 59950 * ms: "1 min 00 s",
		301 * time.Second: "5 min 01 s", 3599499 * ms: "59 min 59 s", 3599500 * ms: "1 h 00 min", 125 * time.Minute: "2 h 05 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%d) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 812: "812 bytes", 1023: "1023 bytes", 1024: "1.0 KiB", 18 << 20: "18.0 MiB", 19293798: "18.4 MiB",
		1<<20 - 1: "1.0 MiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestProgress(t *testing.T) {
	var b strings.Builder
	now := at
	after := func(d time.Duration) { now = now.Add(d) }
	p := NewProgress(&b, 70, false, func() time.Time { return now })
	shows := func(want string) {
		t.Helper()
		if got := b.String(); got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		b.Reset()
	}
	const draw, what = "\r\x1b[K", "waiting for the reply to RCPT TO:<bob@example.net>"
	p.Set(what, "0 s")
	after(1999 * ms)
	p.Set(what, "1 s")
	shows("") // a short wait is not spoken of
	after(ms)
	p.Set(what, "2 s of 30 s", "Ctrl-C ends politely")
	shows(draw + "… " + what + "   2 s of 30 s") // the second value does not fit
	after(249 * ms)
	p.Set(what, "2 s")
	shows("")
	after(ms)
	p.Set(what, "2 s", "\x1b[2J")
	shows(draw + "… " + what + `   2 s   \x1b[2J`)
	p.Clear()
	shows(draw)
	p.Clear()
	shows("")
	p.Set(what)
	after(time.Second)
	p.Set(what)
	p.Set("another thing")
	after(1500 * ms)
	p.Set("another thing")
	shows("") // what is waited for has changed
	after(500 * ms)
	p.Set("another thing")
	shows(draw + "… another thing")

	p = NewProgress(&b, 20, true, func() time.Time { return now })
	p.Color = true
	p.Set("waiting for 李明 and many others", "1 s")
	after(2 * time.Second)
	p.Set("waiting for 李明 and many others", "1 s")
	shows(draw + "\x1b[2m... waiting for \\u{\x1b[0m")

	none := NewProgress(&b, 0, false, nil)
	none.Set("x")
	none.Clear()
	shows("")
}
