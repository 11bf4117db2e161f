package mime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

const head = "Date: Sun, 22 Nov 2026 01:14:02 +0000\r\nFrom: alice@example.com\r\nMessage-ID: <1@example.com>\r\n"

func TestWholeAsItIs(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"clean", head + "\r\nhi\r\n", ""},
		{"dots and From lines stay", head + "\r\n.\r\n..\r\nFrom x\r\n.", head + "\r\n.\r\n..\r\nFrom x\r\n.\r\n"},
		{"LF", strings.ReplaceAll(head, "\r", "") + "\nhi\n\n", head + "\r\nhi\r\n\r\n"},
		{"mixed, no end", head + "\nhi", head + "\r\nhi\r\n"},
		{"header alone", head, ""},
		{"a line of 998", head + "\r\n" + strings.Repeat("x", 998) + "\r\n", ""},
		{"many lines", head + "\n" + strings.Repeat("line\n", 100000), head + "\r\n" + strings.Repeat("line\r\n", 100000)},
	} {
		if c.want == "" {
			c.want = c.in
		}
		m, err := Whole(Bytes([]byte(c.in)), Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		b := read(t, m)
		sound(t, m, b)
		if string(b) != c.want || !bytes.Equal(b, read(t, m)) {
			t.Errorf("%s: %.300q", c.name, b)
		}
		if (m.Notes() == nil) != (c.in == c.want) || m.Findings() != nil || m.Needs() != nil {
			t.Errorf("%s: %q %q %q", c.name, m.Notes(), m.Findings(), m.Needs())
		}
	}
}

func TestWholeRefused(t *testing.T) {
	n := int64(len(head))
	for _, c := range []struct {
		in           string
		kind         FaultKind
		offset, line int64
		fixed        string // what Fixup makes of it; "" refuses too
	}{
		{"", Empty, 0, 0, ""},
		{"\x00", NUL, 0, 1, ""},
		{"\n", NoHeader, 0, 1, ""},
		{"Hello there\nhow are you\n", NoHeader, 0, 1, ""},
		{" folded: x\n", NoHeader, 0, 1, ""},
		{"Hi bob: x\n", NoHeader, 0, 1, ""},
		{"From alice Sun Nov 22\n" + head, MboxLine, 0, 1, ""},
		{head + "\r\na\rb\r\n", BareCR, n + 3, 5, head + "\r\na\r\nb\r\n"},
		{head + "\r\na\r\r\nb\r\n", BareCR, n + 3, 5, head + "\r\na\r\nb\r\n"},
		{head + "\r\na\r", BareCR, n + 3, 5, head + "\r\na\r\n"},
		{head + "\r\na\x00b\n", NUL, n + 3, 5, head + "\r\nab\r\n"},
		{head + "\r\na\r\x00\n", BareCR, n + 3, 5, head + "\r\na\r\n\r\n"},
		{head + "\r\n" + strings.Repeat("x", 999) + "\r\n", LongLine, n + 2 + 998, 5, head + "\r\n" + strings.Repeat("x", 998) + "\r\nx\r\n"},
		{head + "\r\n" + strings.Repeat("x", 990) + " yyyyyyyyyyy", LongLine, n + 2 + 998, 5, head + "\r\n" + strings.Repeat("x", 990) + " \r\nyyyyyyyyyyy\r\n"},
		{head + "\r\n" + strings.Repeat("é", 500), LongLine, n + 2 + 998, 5, head + "\r\n" + strings.Repeat("é", 499) + "\r\né\r\n"},
		{head + "\r\n" + strings.Repeat("x", 50000) + "\r\n", LongLine, n + 2 + 998, 5, ""},
		{head + "X: " + strings.Repeat("x", 990) + " yyy zzz\r\n\r\nb\r\n", LongLine, n + 998, 4, head + "X: " + strings.Repeat("x", 990) + " yyy\r\n zzz\r\n\r\nb\r\n"},
		{head + "X: " + strings.Repeat("x", 1000) + "\r\n", LongLine, n + 998, 4, ""},
		{strings.Repeat("x", 1000) + "\r\n", LongLine, 998, 1, ""},
		{"X-" + strings.Repeat("x", 1000) + ": y\r\n", LongLine, 998, 1, ""},
		{head + strings.Repeat("x", 1000) + "\r\n", LongLine, n + 998, 4, ""},
	} {
		_, err := Whole(Bytes([]byte(c.in)), Options{})
		var f *Fault
		if !errors.As(err, &f) || f.Kind != c.kind || f.Offset != c.offset || f.Line != c.line || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%.60q: %v %+v", c.in, err, f)
			continue
		}
		m, err := Whole(Bytes([]byte(c.in)), Options{Fixup: true})
		if c.fixed == "" && !f.Mendable() && err == nil {
			t.Errorf("%.60q is mended", c.in)
		}
		if err == nil {
			b := read(t, m)
			sound(t, m, b)
			if c.fixed != "" && string(b) != c.fixed || len(m.Notes()) == 0 {
				t.Errorf("%.60q: mended to %q, notes %q", c.in, b, m.Notes())
			}
		} else if c.fixed != "" {
			t.Errorf("%.60q: %v", c.in, err)
		}
	}
}

func TestWholeFaultInLaterPart(t *testing.T) {
	// The CR LF, the LF and the CR meet the edges of the reading buffer.
	for pad := range 6 {
		long := strings.Repeat("y", 32<<10-len(head)-2-pad-1)
		for _, end := range []string{"\r\nz\r\n", "\nz\n", "\rz\n", "\r\r\nz\n", "\x00z\n", "\r"} {
			in := head + "\r\n" + long + end
			m, err := Whole(Bytes([]byte(in)), Options{Fixup: true})
			if err != nil {
				t.Fatal(err)
			}
			b := read(t, m)
			sound(t, m, b)
			if want := mended(in); string(b) != want {
				t.Errorf("pad %d, %q: ends %q, want %q", pad, end, b[len(b)-20:], want[len(want)-20:])
			}
		}
	}
}

func TestWholeNeeds(t *testing.T) {
	for _, c := range []struct {
		in       string
		needs    []string
		findings int
	}{
		{head + "\r\ngr\xc3\xbcn\r\n", []string{"8BITMIME"}, 0},
		{head + "\r\ngr\xfcn\r\n", []string{"8BITMIME"}, 0},
		{head + "Subject: grün\r\n\r\nx\r\n", []string{"SMTPUTF8"}, 0},
		{head + "Subject: grün\r\n\r\nü\r\n", []string{"8BITMIME", "SMTPUTF8"}, 0},
		{head + "Subject: gr\xfcn\r\n\r\nx\r\n", []string{"8BITMIME"}, 1},
	} {
		m, err := Whole(Bytes([]byte(c.in)), Options{})
		if err != nil || !slices.Equal(m.Needs(), c.needs) || len(m.Findings()) != c.findings {
			t.Errorf("%q: %v %q %q", c.in, err, m.Needs(), m.Findings())
		}
	}
}

func TestWholeFindings(t *testing.T) {
	m, err := Whole(Bytes([]byte("Subject: a\nSUBJECT: b\nBcc:\nnot a field\n\nbody\n")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(m.Findings(), "\n")
	for _, want := range []string{"no Date", "no From", "no Message-ID", "more than one SUBJECT", "line 4"} {
		if !strings.Contains(all, want) {
			t.Errorf("no finding %q in\n%s", want, all)
		}
	}
	m, err = Whole(Bytes([]byte("From: A <a@Sub.Example.com>,\r\n\tb@c\r\nDKIM-Signature: v=1; d=example.com;\r\n s=s2026; b=x=\r\nContent-Type: Multipart/Mixed; boundary=x\r\n\r\n--x--\r\n\x00")), Options{Fixup: true, Now: when, Host: "h.test"})
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, m)
	sound(t, m, b)
	if ok, _ := regexp.Match(`^Date: Sun, 22 Nov 2026 01:14:02 \+0000\r\nMessage-ID: <20261122011402\.[0-9a-f]{16}@h\.test>\r\nFrom: `, b); !ok {
		t.Errorf("%q", b)
	}
	if !strings.HasSuffix(m.Summary(), " bytes · multipart/mixed · DKIM example.com (s2026)") || m.FromDomain() != "sub.example.com" || m.ID() == "" {
		t.Error(m.Summary(), m.FromDomain(), m.ID())
	}
	if f := m.Findings(); len(f) != 1 || !strings.Contains(f[0], "DKIM") {
		t.Error(f)
	}
}

func TestWholeFromPlaces(t *testing.T) {
	want := head + "\r\n" + strings.Repeat("0123456789\r\n", 200<<10)
	path := filepath.Join(t.TempDir(), "a.eml")
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for name, src := range map[string]Source{
		"file": File(path), "pipe": Reader(iotest.HalfReader(strings.NewReader(want))), "memory": Bytes([]byte(want)),
	} {
		m, err := Whole(src, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 2 {
			if b := read(t, m); string(b) != want {
				t.Errorf("%s: differs", name)
			}
		}
		if err := m.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "pipe" {
			if _, err := m.Open(); err == nil {
				t.Error("open after close")
			}
		}
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
	for _, limit := range []int64{100, 2 << 20} {
		if _, err := Whole(Reader(strings.NewReader(want)), Options{Limit: limit}); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Error(err)
		}
	}
	if _, err := Whole(File(t.TempDir()), Options{}); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Error(err)
	}
	if _, err := Whole(File(path+"x"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Whole(Reader(iotest.ErrReader(io.ErrClosedPipe)), Options{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestWholePipeByName(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		w.Close()
		t.Skip("no /dev/fd here")
	}
	io.WriteString(w, head+"\nhi\n")
	w.Close()
	m, err := Whole(File(path), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if b := read(t, m); string(b) != head+"\r\nhi\r\n" {
			t.Errorf("%q", b)
		}
	}
}

func TestWholeFileChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.eml")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(head + "\r\none\r\n")
	m, err := Whole(File(path), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	write(head + "\r\none more\r\n")
	if _, err := io.ReadAll(r); err == nil {
		t.Error("a file that grew while it was read passes")
	}
	if _, err := m.Open(); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Error(err)
	}
}

// normal is what Whole makes of line ends, said in another way.
func normal(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
	if !strings.HasSuffix(s, "\r\n") {
		s += "\r\n"
	}
	return s
}

// mended is what Fixup makes of a message whose header has no long lines.
func mended(s string) string {
	for strings.Contains(s, "\r\n") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	s = strings.ReplaceAll(s, "\r", "\n")
	s = strings.ReplaceAll(s, "\x00", "")
	header := true
	var b strings.Builder
	for line := range strings.SplitAfterSeq(s, "\n") {
		line, _ = strings.CutSuffix(line, "\n")
		for !header && len(line) > 998 {
			n := strings.LastIndexByte(line[:998], ' ') + 1
			if n == 0 {
				for n = 998; n > 994 && line[n]&0xc0 == 0x80; n-- {
				}
			}
			b.WriteString(line[:n] + "\r\n")
			line = line[n:]
		}
		if line == "" {
			header = false
		}
		b.WriteString(line + "\r\n")
	}
	out := b.String()
	if strings.HasSuffix(s, "\n") || s == "" {
		out = strings.TrimSuffix(out, "\r\n")
	}
	return out
}

// FuzzWhole: what is taken leaves in CR LF lines and is, but for line ends, what
// came; with Fixup it is what the plain reference makes of it.
func FuzzWhole(f *testing.F) {
	c := mutate.For(f)
	for _, s := range []string{head + "\r\nx", "A: b\n\nc\n", "A: b\r\r\n\n", "A: b\n\n\x00\r", "From x\n", "A:\n b\n\n" + strings.Repeat("x y", 400), strings.Repeat("A", 1000) + "\r"} {
		c.Add([]byte(s))
	}
	c.Tokens("\r\n", "\n", "\r", "\x00", "\r\n\r\n", "A: b", "From ", " ", ":", "Date: ", "Message-ID: <a@b>", "\r\n.\r\n", "ü")
	c.Limits(998, 1000)
	mutate.Fuzz1(c, func(t testing.TB, in []byte) {
		m, err := Whole(Bytes(in), Options{})
		if err == nil {
			b := read(t, m)
			sound8(t, m, b)
			if string(b) != normal(string(in)) {
				t.Fatalf("%q became %q", in, b)
			}
		}
		fixed, ferr := Whole(Reader(iotest.OneByteReader(bytes.NewReader(in))), Options{Fixup: true})
		if ferr != nil {
			if err == nil {
				t.Fatalf("%q: taken, but not with Fixup: %v", in, ferr)
			}
			return
		}
		b := read(t, fixed)
		sound8(t, fixed, b)
		own := b
		for _, note := range fixed.Notes() {
			if strings.HasSuffix(note, " added") && note != "a last CR LF added" {
				_, own, _ = bytes.Cut(own, []byte("\r\n"))
			}
		}
		if bytes.Contains(bytes.ToLower(in), []byte("content-")) || bytes.Contains(in, bytes.Repeat([]byte("\r"), 500)) {
			return // what the reference does not know of
		}
		if want := mended(string(in)); string(own) != want && !bytes.Contains(b, []byte("\r\n ")) {
			t.Fatalf("%q mended to %q, want %q", in, own, want)
		}
	})
}

// sound8 is sound for a message that may hold anything.
func sound8(t testing.TB, m *Message, b []byte) {
	t.Helper()
	if len(m.Needs()) == 0 && !ascii(b) {
		t.Fatal("octets over 127 need nothing")
	}
	sound(t, m, b)
}

// FuzzText: any text comes back as it went in, in lines that any server takes.
func FuzzText(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		subject := strings.ToValidUTF8(s, "?")
		if plain(subject, false) != nil {
			subject = "x"
		}
		m, err := Compose(Draft{From: alice, To: []Mailbox{{Name: subject, Local: "b", Domain: "c"}}, Subject: subject, Text: s})
		if err != nil {
			if invalidUTF8(s) < 0 {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		b := read(t, m)
		sound(t, m, b)
		env := parse(t, b)
		if want := string(lines([]byte(s))); !sameText(env.Text, want) {
			t.Fatalf("text %q became %q", want, env.Text)
		}
		if got := env.GetHeader("Subject"); got != subject {
			t.Fatalf("subject %q became %q", subject, got)
		}
	})
}

func BenchmarkWhole(b *testing.B) {
	text := []byte(head + "\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 100000))
	m, err := Whole(Bytes(text), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(m.Size())
	b.ReportAllocs()
	for b.Loop() {
		r, _ := m.Open()
		io.Copy(io.Discard, r)
	}
}
