package sasl

import (
	"testing"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
)

// TestSASLprepExamples are those of RFC 4013 section 3, and some.
func TestSASLprepExamples(t *testing.T) {
	for _, test := range []struct{ in, out string }{
		{"I\u00adX", "IX"}, {"user", "user"}, {"USER", "USER"}, {"\u00aa", "a"}, {"\u2168", "IX"},
		{"\u0007", ""}, {"\u06271", ""}, // prohibited; bidirectional
		{"\u0627\u0031\u0628", "\u06271\u0628"}, {"\u0627a\u0628", ""},
		{"", ""}, {"\u00ad", ""}, {"a\xff", ""}, {"a\u00a0b\u3000c", "a b c"}, {"a b=,~", "a b=,~"},
	} {
		got, err := saslprep(test.in)
		if got != test.out || err == nil != (test.out != "" || test.in == "") {
			t.Errorf("%+q: %+q, %v; want %+q", test.in, got, err, test.out)
		}
	}
}

// TestSASLprepAgainstXDG compares every character that Unicode 3.2 has, alone
// and between letters, with an implementation that has the RFC's own tables.
func TestSASLprepAgainstXDG(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		switch r { // nothing is assigned up to the tags, and all is private behind them
		case 0x2fa20:
			r = 0xe0000
		case 0xf0010:
			r = 0x10fff0
		}
		_, nothing := stringprep.TableB1.Map(r)
		switch {
		case !utf8.ValidRune(r), stringprep.TableA1.Contains(r):
			continue // unassigned in Unicode 3.2: a query may have it
		case r == 0x200b:
			continue // in tables C.1.2 and B.1: a space here, nothing there
		case nothing, r == 0x1806: // which that implementation has forgotten
			if got, err := saslprep("a" + string(r) + "b"); got != "ab" || err != nil {
				t.Errorf("U+%04X is not mapped to nothing: %+q, %v", r, got, err)
			}
			continue
		case r == 0x2f868, r == 0x2f874, r == 0x2f91f, r == 0x2f95f, r == 0x2f9bf:
			continue // normalized otherwise since Unicode 4.0 (corrigendum 4)
		}
		for _, s := range []string{string(r), "a" + string(r) + "b"} {
			want, wantErr := stringprep.SASLprep.Prepare(s)
			got, err := saslprep(s)
			if got != want || (err == nil) != (wantErr == nil) {
				t.Errorf("%+q (U+%04X): %+q, %v; want %+q, %v", s, r, got, err, want, wantErr)
			}
		}
	}
}
