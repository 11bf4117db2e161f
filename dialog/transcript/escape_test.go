package transcript_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	. "github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

func TestEscape(t *testing.T) {
	tests := []struct{ in, utf8, ascii string }{
		{"250 2.1.0 Ok", "250 2.1.0 Ok", "250 2.1.0 Ok"},
		{"", "", ""},
		{"a\tb\r\n\x00\x7f", `a\x09b\x0d\x0a\x00\x7f`, `a\x09b\x0d\x0a\x00\x7f`},
		{"\x1b[31mready\x1b[0m", `\x1b[31mready\x1b[0m`, `\x1b[31mready\x1b[0m`},
		{"Gr\xfc\xdfe", `Gr\xfc\xdfe`, `Gr\xfc\xdfe`},
		{"Grüße", "Grüße", `Gr\u{fc}\u{df}e`},
		{"\x9b31m", `\x9b31m`, `\x9b31m`},           // CSI as a byte
		{"\u009b31m", `\xc2\x9b31m`, `\xc2\x9b31m`}, // CSI as a character
		{"\u202etxt.exe", `\u{202e}txt.exe`, `\u{202e}txt.exe`},
		{"a\u200bb\ufeff", `a\u{200b}b\u{feff}`, `a\u{200b}b\u{feff}`},
		{"a\u00a0b\u3000c", `a\u{a0}b\u{3000}c`, `a\u{a0}b\u{3000}c`},
		{"\u2028\u2029", `\u{2028}\u{2029}`, `\u{2028}\u{2029}`},
		{"☃\ufe0f \U000e0041", `☃\u{fe0f} \u{e0041}`, `\u{2603}\u{fe0f} \u{e0041}`},
		{"\u3164\u2800\u034f\ue000\uffff", `\u{3164}\u{2800}\u{34f}\u{e000}\u{ffff}`, `\u{3164}\u{2800}\u{34f}\u{e000}\u{ffff}`},
		{"e\u0301 李明 🙂", "e\u0301 李明 🙂", `e\u{301} \u{674e}\u{660e} \u{1f642}`},
		{"\ufffd \xff", "\ufffd " + `\xff`, `\u{fffd} \xff`}, // a real U+FFFD is not a broken byte
		{"\xed\xa0\x80", `\xed\xa0\x80`, `\xed\xa0\x80`},     // a surrogate
		{"\xc0\x80", `\xc0\x80`, `\xc0\x80`},                 // an overlong NUL
		{`C:\temp\new`, `C:\temp\new`, `C:\temp\new`},
		{`\x1b \u{202e} \\ \`, `\\x1b \\u{202e} \\\ \`, `\\x1b \\u{202e} \\\ \`},
		{"\\\x1b", `\\\x1b`, `\\\x1b`},
		{"\\é", `\é`, `\\\u{e9}`},
	}
	for _, test := range tests {
		if got := Escape(test.in, false); got != test.utf8 {
			t.Errorf("Escape(%q, false) = %s, want %s", test.in, got, test.utf8)
		}
		if got := Escape(test.in, true); got != test.ascii {
			t.Errorf("Escape(%q, true) = %s, want %s", test.in, got, test.ascii)
		}
		verify(t, test.in)
	}
}

// TestEscapeEverything goes over all code points, and over all strings of one and
// two bytes, also behind a backslash.
func TestEscapeEverything(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if 0xd800 <= r && r <= 0xdfff {
			continue
		}
		verify(t, string(r))
		if r <= 0xffff {
			verify(t, `\`+string(r))
		}
		if t.Failed() {
			return
		}
		if Printable(r) && Escape(string(r), false) != string(r) && r != '\\' {
			t.Fatalf("%U is printable and was escaped", r)
		}
		if seen := unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S); seen != Printable(r) && !odd(r) {
			t.Fatalf("%U: printable is %v", r, Printable(r))
		}
	}
	b := make([]byte, 2)
	for i := range 1 << 16 {
		b[0], b[1] = byte(i>>8), byte(i)
		verify(t, string(b))
		verify(t, string(b[1:]))
		verify(t, `\`+string(b))
		if t.Failed() {
			return
		}
	}
}

// odd are the characters that are shown although they are no letters, numbers,
// punctuation or symbols, and the ones that are not although they are.
func odd(r rune) bool {
	if r == ' ' || unicode.Is(unicode.M, r) {
		return true
	}
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800, 0x1d159:
		return true
	}
	return false
}

// FuzzEscape: what is escaped cannot act on a terminal, and reads back as it was.
func FuzzEscape(f *testing.F) {
	c := mutate.For(f)
	for _, s := range []string{"250 Ok", `\x1b`, "\\\x1b", "\x1b[31m\u202e\xff", "\\\\\xe2\x80", "a\\u{1}"} {
		c.Add(s)
	}
	c.Tokens(`\x1b`, `\u{202e}`, `\\`, `\u{`, "\x1b[", "\u202e", "\u200b", "\ufeff", "\u0085", "e\u0301", "\U000e0061", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "李")
	mutate.Fuzz1(c, verify)
}

// verify checks what Escape promises of any string.
func verify(t testing.TB, s string) {
	for _, ascii := range []bool{false, true} {
		if wrong := broken(s, Escape(s, ascii), ascii); wrong != "" {
			t.Helper()
			t.Errorf("Escape(%q, %v): %s", s, ascii, wrong)
		}
	}
}

// broken says what is wrong with the escape e of s, if anything: it holds
// nothing that a terminal acts on or that cannot be seen, it reads back as s,
// and no byte that needs no escape is lost or changed on the way.
func broken(s, e string, ascii bool) string {
	if !utf8.ValidString(e) {
		return fmt.Sprintf("%q is not UTF-8", e)
	}
	for _, r := range e {
		if acts(r) || ascii && r > 0x7e {
			return fmt.Sprintf("it holds %U", r)
		}
	}
	if back := unescape(e); back != s {
		return fmt.Sprintf("%s reads back as %q", e, back)
	}
	return ""
}

// acts reports whether a terminal might act on r, or show nothing for it. It
// is written apart from Printable, from the categories of Unicode.
func acts(r rune) bool {
	if r < 0x80 {
		return r < ' ' || r == 0x7f
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S) || // control, space, unassigned
		unicode.In(r, unicode.Bidi_Control, unicode.Join_Control, unicode.Variation_Selector,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Noncharacter_Code_Point)
}

// unescape reads an escape back.
func unescape(s string) string {
	var b strings.Builder
	for s != "" {
		if s[0] != '\\' || len(s) == 1 {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		switch s[1] {
		case '\\':
			b.WriteByte('\\')
			s = s[2:]
		case 'x':
			n, err := strconv.ParseUint(s[2:4], 16, 8)
			if err != nil {
				return "bad " + s
			}
			b.WriteByte(byte(n))
			s = s[4:]
		case 'u':
			digits, rest, ok := strings.Cut(s[3:], "}")
			n, err := strconv.ParseUint(digits, 16, 32)
			if err != nil || !ok || s[2] != '{' {
				return "bad " + s
			}
			b.WriteRune(rune(n))
			s = rest
		default:
			b.WriteByte('\\')
			s = s[1:]
		}
	}
	return b.String()
}

func BenchmarkEscape(b *testing.B) {
	for _, bench := range []struct{ name, s string }{
		{"clean", "250 2.0.0 Ok: 2304 bytes queued as 4fX9kT2Qz1"},
		{"utf8", "250 2.1.5 受信者は有効です, Grüße aus Köln"},
		{"foreign", "220 mx1.example.net \x1b[31mready\x1b[0m \u202e"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Escape(bench.s, false)
			}
		})
	}
}

func TestEscapeCleanDoesNotAllocate(t *testing.T) {
	s := "250 2.0.0 Ok: queued, Grüße"
	if n := testing.AllocsPerRun(100, func() { Escape(s, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
