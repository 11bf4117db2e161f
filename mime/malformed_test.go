package mime

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestMalformed: each breach lets exactly its own octets through.
func TestMalformed(t *testing.T) {
	const head = "From: a@x.test\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: <1@x.test>\r\n"
	long := strings.Repeat("x", 999)
	texts := map[Breach]string{
		BreachBareCR:   head + "\r\na\rb\r\n\r\r\n",
		BreachBareLF:   head + "\r\na\nb\r\n\n",
		BreachNUL:      head + "\r\na\x00b\r\n",
		BreachLongLine: head + "\r\n" + long + "\r\n" + strings.Repeat(long, 100) + "\r\n",
		Breach8Bit:     head + "\r\na\xffb\r\n",
		BreachUTF8:     head + "Subject: \u00fc\r\n\r\nb\r\n",
		BreachDots:     head + "\r\n.\r\n..\r\n",
	}
	faults := map[Breach]FaultKind{BreachBareCR: BareCR, BreachNUL: NUL, BreachLongLine: LongLine}
	needs := map[Breach]string{Breach8Bit: "8BITMIME", BreachUTF8: "SMTPUTF8"}
	for _, b := range breaches() {
		for bit, text := range texts {
			m, err := Whole(Bytes([]byte(text)), Options{Allow: b.bit})
			var fault *Fault
			if errors.As(err, &fault); faults[bit] != 0 && bit != b.bit {
				if fault == nil || fault.Kind != faults[bit] {
					t.Errorf("%s lets %q through: %v", b.word, text[len(head):len(head)+8], err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s refuses %q: %v", b.word, text[len(head):len(head)+8], err)
				continue
			}
			want := text
			if bit == BreachBareLF && b.bit != bit {
				want = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
			}
			if got := all(t, m); got != want || m.Size() != int64(len(want)) {
				t.Errorf("%s: %q became %q, of %d octets", b.word, want, got, m.Size())
			}
			if got := strings.Join(m.Needs(), " "); (bit == b.bit && got != "") || bit != b.bit && got != needs[bit] {
				t.Errorf("%s: %q needs %q", b.word, text[len(head):], got)
			}
			said := strings.Join(m.Findings(), "\n")
			if there := !strings.Contains(said, "there is no"); !strings.Contains(said, "--malformed "+b.word+": ") || there != (bit == b.bit) {
				t.Errorf("%s on %q says %q", b.word, text[len(head):], said)
			}
			_ = m.Close()
		}
	}
}

// TestMalformedAtBufferEnds: an end of line that lies across two reads is one.
func TestMalformedAtBufferEnds(t *testing.T) {
	for n := 32<<10 - 8; n < 32<<10+8; n++ {
		text := "From: a@x.test\r\n\r\n"
		text += strings.Repeat("x", n-len(text)) + "\r\n.\r\n"
		m, err := Whole(Bytes([]byte(text)), Options{Allow: BreachLongLine})
		if err != nil || all(t, m) != text {
			t.Errorf("at %d: %v", n, err)
		}
		if _, err := Whole(Bytes([]byte(strings.Replace(text, "\r\n.", "\r.", 1))), Options{Allow: BreachLongLine}); !errors.As(err, new(*Fault)) {
			t.Errorf("at %d: a bare CR is let through", n)
		}
	}
}

// FuzzMalformed: what is let through arrives as it was written, but for what is not
// let through, of which nothing is left; with everything let through, all is as it was.
func FuzzMalformed(f *testing.F) {
	for _, seed := range []string{"a\r\n", "a\rb\nc\x00\r\n", "\r\r\n", "\n.\n", "\xff", strings.Repeat("y", 1200), strings.Repeat("z", 32<<10) + "\r\n", "\r", ""} {
		f.Add([]byte(seed), uint8(0x7f))
		f.Add([]byte(seed), uint8(BreachBareLF|BreachLongLine))
		f.Add([]byte(seed), uint8(BreachNUL|BreachBareCR))
	}
	f.Fuzz(func(t *testing.T, body []byte, allow uint8) {
		text := "From: a@x.test\r\n\r\n" + string(body)
		m, err := Whole(Bytes([]byte(text)), Options{Allow: Breach(allow&0x7f | uint8(BreachDots))})
		if err != nil {
			if !errors.As(err, new(*Fault)) {
				t.Fatal(err)
			}
			return
		}
		got, a := all(t, m), Breach(allow)
		want := text
		if a&BreachBareLF == 0 {
			want = strings.ReplaceAll(strings.ReplaceAll(want, "\r\n", "\n"), "\n", "\r\n")
		}
		if !strings.HasSuffix(want, "\n") {
			want += "\r\n"
		}
		if got != want || m.Size() != int64(len(want)) {
			t.Fatalf("%q became %q, of %d octets", want, got, m.Size())
		}
		bare := strings.ReplaceAll(got, "\r\n", "\n")
		switch {
		case a&BreachBareCR == 0 && strings.Contains(bare, "\r"):
			t.Fatalf("a bare CR in %q", got)
		case a&BreachNUL == 0 && strings.Contains(got, "\x00"):
			t.Fatalf("a NUL in %q", got)
		}
		for line := range strings.SplitSeq(bare, "\n") {
			if a&BreachLongLine == 0 && len(line) > lineMost {
				t.Fatalf("a line of %d octets", len(line))
			}
		}
	})
}

func all(t *testing.T, m *Message) string {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
