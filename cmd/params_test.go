package cmd

import "testing"

// TestOriginal: the original recipient as --dsn-orcpt takes it and ORCPT has it.
func TestOriginal(t *testing.T) {
	for _, test := range []struct{ given, kind, address string }{
		{"alice@example.com", "rfc822", "alice@example.com"},
		{"x400;/c=de;a=b", "x400", "/c=de;a=b"},
		{`"a;b"@example.com`, "rfc822", `"a;b"@example.com`},
		{`rfc822;"a;b"@example.com`, "rfc822", `"a;b"@example.com`},
		{"李明@example.com", "utf-8", "李明@example.com"},
		{"UTF-8;李明@example.com", "UTF-8", "李明@example.com"},
	} {
		if err := checkOriginal(test.given); err != nil {
			t.Errorf("%s: %v", test.given, err)
		}
		if kind, address := originalType(test.given); kind != test.kind || address != test.address {
			t.Errorf("%s: %s and %s", test.given, kind, address)
		}
	}
	for _, wrong := range []string{"", ";a", "a;", "a b;c", "é;c", "a\xff"} {
		if checkOriginal(wrong) == nil {
			t.Errorf("%q passes", wrong)
		}
	}
	for given, want := range map[string]string{
		`a+b=c\d e`: `a\x{2B}b\x{3D}c\x{5C}d\x{20}e`, "grüße@x": `gr\x{FC}\x{DF}e@x`, "😀": `\x{1F600}`,
	} {
		if got := unicodeXtext(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}

// TestNamesPort: only a port that a TARGET spells out is its own.
func TestNamesPort(t *testing.T) {
	for target, want := range map[string]bool{
		"a.test": false, "a.test:25": true, "2001:db8::25": false, "[2001:db8::1]": false, "[2001:db8::1]:25": true,
		"smtp://a.test": false, "smtp://a.test/": false, "smtp://a.test:25/": true, "192.0.2.1": false, "192.0.2.1:25": true,
	} {
		if got := namesPort(target); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}
