package mime

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

func TestParseMailbox(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, c := range []struct {
		in   string
		want Mailbox
		path string
	}{
		{"bob@example.net", Mailbox{"", "bob", "example.net", ""}, "bob@example.net"},
		{"<bob@example.net>", Mailbox{"", "bob", "example.net", ""}, "bob@example.net"},
		{"  Bob <bob@Example.NET> ", Mailbox{"Bob", "bob", "Example.NET", ""}, "bob@Example.NET"},
		{`"Doe, Bob" <bob@example.net>`, Mailbox{"Doe, Bob", "bob", "example.net", ""}, "bob@example.net"},
		{`"a\"b\\c" <bob@example.net>`, Mailbox{`a"b\c`, "bob", "example.net", ""}, "bob@example.net"},
		{"John Q. Public<j@x.test>", Mailbox{"John Q. Public", "j", "x.test", ""}, "j@x.test"},
		{"bob@example.net (Bob (the) builder)", Mailbox{"Bob (the) builder", "bob", "example.net", ""}, "bob@example.net"},
		{"(c) Bob (d) <bob@example.net> (e)", Mailbox{"Bob", "bob", "example.net", ""}, "bob@example.net"},
		{"=?utf-8?q?J=C3=BCrgen?= <j@x.test>", Mailbox{"Jürgen", "j", "x.test", ""}, "j@x.test"},
		{"=?utf-8?q?a=0D=0Ab?= <j@x.test>", Mailbox{"=?utf-8?q?a=0D=0Ab?=", "j", "x.test", ""}, "j@x.test"},
		{"Jürgen <j@bücher.example>", Mailbox{"Jürgen", "j", "xn--bcher-kva.example", ""}, "j@xn--bcher-kva.example"},
		{"李明@例え.example.net", Mailbox{"", "李明", "xn--r8jz45g.example.net", ""}, "李明@例え.example.net"},
		{"李明@xn--r8jz45g.example.net", Mailbox{"", "李明", "xn--r8jz45g.example.net", ""}, "李明@例え.example.net"},
		{"ü@XN--R8JZ45G.test", Mailbox{"", "ü", "XN--R8JZ45G.test", ""}, "ü@XN--R8JZ45G.test"},
		{`"john doe"@example.com`, Mailbox{"", "john doe", "example.com", ""}, `"john doe"@example.com`},
		{`"john.doe"@example.com`, Mailbox{"", "john.doe", "example.com", ""}, "john.doe@example.com"},
		{`"a@b>c\"d\\"@x.test`, Mailbox{"", `a@b>c"d\`, "x.test", ""}, `"a@b>c\"d\\"@x.test`},
		{`"a..b"@x.test`, Mailbox{"", "a..b", "x.test", ""}, `"a..b"@x.test`},
		{"a+b!#$%&'*/=?^_`{|}~-@x.test", Mailbox{"", "a+b!#$%&'*/=?^_`{|}~-", "x.test", ""}, "a+b!#$%&'*/=?^_`{|}~-@x.test"},
		{"a@[192.0.2.1]", Mailbox{"", "a", "[192.0.2.1]", ""}, "a@[192.0.2.1]"},
		{"a@[ipv6:2001:db8::1]", Mailbox{"", "a", "[IPv6:2001:db8::1]", ""}, "a@[IPv6:2001:db8::1]"},
		{"a@localhost", Mailbox{"", "a", "localhost", ""}, "a@localhost"},
		{long + "@x.test", Mailbox{"", long, "x.test", ""}, long + "@x.test"},
	} {
		m, err := ParseMailbox(c.in)
		if err != nil || m != c.want {
			t.Errorf("%q: %+v %v", c.in, m, err)
			continue
		}
		if m.Path() != c.path {
			t.Errorf("%q: path %q", c.in, m.Path())
		}
		if m.UTF8() == ascii(m.Path()) {
			t.Errorf("%q: UTF8 is %v", c.in, m.UTF8())
		}
		again, err := ParseMailbox(m.Header())
		if err != nil || again != m && !strings.Contains(m.Name, "=?") {
			t.Errorf("%q: header %q reads as %+v %v", c.in, m.Header(), again, err)
		}
	}
}

func TestRefuseAddress(t *testing.T) {
	label := strings.Repeat("a", 63)
	domain := strings.Repeat(label+".", 3) + strings.Repeat("a", 61) // 253
	for _, c := range []struct{ in, want string }{
		{"", "empty local part at offset 0"},
		{"<>", "empty local part at offset 1"},
		{"a@b> NOTIFY=NEVER", "'>' at offset 3"},
		{"<a@b> NOTIFY=NEVER", "text behind the address at offset 6"},
		{"a@b NOTIFY=NEVER", "text behind the address at offset 4"},
		{"a@b\r\nRCPT TO:<c@d>", "CR at offset 3"},
		{"a@b\n", "LF at offset 3"},
		{"a\x00@b", "NUL at offset 1"},
		{"a\t@b", "control character U+0009 at offset 1"},
		{"a@b\u0085", "control character U+0085 at offset 3"},
		{"\"a\x7f\"@b", "control character U+007F at offset 2"},
		{"a\xff@b", "octet 0xff at offset 1"},
		{"a b@c", "no '<' after the name at offset 0"},
		{"<a b@c>", "space at offset 2"},
		{"a @b", "space at offset 1"},
		{"a@ b", "space at offset 2"},
		{"a@b c", "text behind the address at offset 4"},
		{"<a@b c>", "space at offset 4"},
		{"@b", "empty local part at offset 0"},
		{`""@b`, "empty local part at offset 0"},
		{"<@x.test:a@b>", "empty local part at offset 1"},
		{"a", "no '@' at offset 1"},
		{"postmaster", "no '@' at offset 10"},
		{"a@", "nothing behind the '@' at offset 1"},
		{"a..b@c", "two dots in a row in the local part at offset 1"},
		{".a@c", "begins with a dot at offset 0"},
		{"a.@c", "ends with a dot at offset 1"},
		{"a@b..c", "two dots in a row in the domain at offset 3"},
		{"a@.b", "begins with a dot at offset 2"},
		{"a@b.", "ends with a dot at offset 3"},
		{"a@-b", "hyphen"}, {"a@b-.c", "hyphen"},
		{"a@b_c", "'_' at offset 3"},
		{"a@b@c", "'@' at offset 3"},
		{"a@b\u3000c", "text behind the address at offset 3"},
		{"a\u00a0b@c", "at offset 1"},
		{`"a@b`, "at offset 0 is not closed"},
		{`"a\`, "at offset 0 is not closed"},
		{"(a@b", "'(' at offset 0 is not closed"},
		{"<a@b", "'<' at offset 0 is not closed"},
		{"<<a@b>>", "'<' at offset 1"},
		{"a@[192.0.2.1", "'[' at offset 2 is not closed"},
		{"a@[192.0.2.256]", "neither"}, {"a@[]", "neither"}, {"a@[IPv6:]", "neither"}, {"a@[IPv6:fe80::1%eth0]", "no IPv6"}, {"a@[IPv6:1.2.3.4]", "no IPv6"},
		{"a@b, c@d", "',' at offset 3"},
		{"Doe, John <a@b>", "no '@' at offset 3"},
		{"Team: a@b;", "':' at offset 4"},
		{strings.Repeat("a", 65) + "@b", "65 octets, over 64 (RFC 5321 section 4.5.3.1.1)"},
		{strings.Repeat("é", 33) + "@b", "66 octets, over 64"},
		{`"` + strings.Repeat(" ", 63) + `"@b`, "65 octets, over 64"},
		{"a@" + label + "a.test", "64 octets in the domain at offset 2, over 63"},
		{"a@" + domain + ".aa", "256 octets, over 255 (RFC 5321 section 4.5.3.1.2)"},
		{"ab@" + domain, "258 octets with its brackets, over 256 (RFC 5321 section 4.5.3.1.3)"},
		{"a@xn--\u00fc.test", "domain at offset 2"},
		{"a@b\uff1e", "domain at offset 2"},
	} {
		m, err := ParseMailbox(c.in)
		if err == nil {
			t.Errorf("%q passes: %+v", c.in, m)
		} else if !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 300 {
			t.Errorf("%q: %v, want %q", c.in, err, c.want)
		}
	}
}

func TestReversePathAndPostmaster(t *testing.T) {
	if m, err := ParseReversePath("<>"); err != nil || !m.IsNull() || m.Path() != "" {
		t.Error(m, err)
	}
	if m, err := ParseReversePath("<a@b>"); err != nil || m.Path() != "a@b" {
		t.Error(m, err)
	}
	for _, s := range []string{"", "postmaster", "<> X=Y"} {
		if m, err := ParseReversePath(s); err == nil {
			t.Errorf("%q passes: %+v", s, m)
		}
	}
	for _, s := range []string{"Postmaster", "<postmaster>"} {
		if m, err := ParseRecipient(s); err != nil || m.Path() != strings.Trim(s, "<>") {
			t.Errorf("%q: %+v %v", s, m, err)
		}
	}
}

func TestParseList(t *testing.T) {
	list, err := ParseList(`a@b,"x, y" <c@d> , (e, f) "g,h"@i, <j@k>,Postmaster`)
	want := []Mailbox{{Local: "a", Domain: "b"}, {Name: "x, y", Local: "c", Domain: "d"}, {Local: "g,h", Domain: "i"}, {Local: "j", Domain: "k"}, {Local: "Postmaster"}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("%+v %v", list, err)
	}
	for in, want := range map[string]string{
		"a@b,": "offset 4", "a@b,,c@d": "offset 4", "": "offset 0", "a@b c@d": "offset 4", "a@b> X=Y, c@d": "'>' at offset 3",
		"a@b, c": "no '@' at offset 6",
	} {
		if _, err := ParseList(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestHeaderName(t *testing.T) {
	for _, name := range []string{"Bob", "Bob Example", "Doe, Bob", `q"u\o`, "J. R.", "Jürgen Müller", "李明", "a  b", " a ", "=?x?=", "a=?b", "a@b <c>", "(x)", strings.Repeat("n", 600)} {
		h := Mailbox{Name: name, Local: "a", Domain: "b.test"}.Header()
		got, err := mail.ParseAddress(h)
		if err != nil || got.Name != name || !ascii(h) {
			t.Errorf("%q: %s reads as %v %v", name, h, got, err)
		}
	}
}

// FuzzMailbox: what parses is written as a path that parses back to the same,
// and that nobody can take for more than one path.
func FuzzMailbox(f *testing.F) {
	c := mutate.For(f)
	for _, s := range []string{"a@b", `"a b"@c`, "<a@b> X=Y", "N <ü@例え.test>", "a@[IPv6:::1]", "a@b (c)", `"\`, "x@XN--A.b", "a@ß.de", "=?utf-8?b?AAA=?= <a@b>"} {
		c.Add(s)
	}
	c.Tokens("@", "\"", "\\", "<", ">", " ", "=?utf-8?b?", "?=", "=?utf-8?q?", "[IPv6:", "[192.0.2.1]", "xn--", ".", "ü", "例え", "\u00ad", "(c)", " X=Y", ",", ":", ";", "\u200d", "ß")
	c.Limits(64, 255, 254, 63)
	mutate.Fuzz1(c, func(t testing.TB, s string) {
		m, err := ParseRecipient(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		path := m.Path()
		quoted := false
		for i := 0; i < len(path); i++ {
			switch c := path[i]; {
			case c < ' ' || c == 0x7f, !quoted && (c == ' ' || c == '>' || c == '<'):
				t.Fatalf("%q: octet %q in path %q", s, c, path)
			case c == '\\' && quoted:
				i++
			case c == '"':
				quoted = !quoted
			}
		}
		if quoted || len(path) > 254 || !utf8.ValidString(path) || m.Local == "" {
			t.Fatalf("%q: path %q", s, path)
		}
		if !m.UTF8() && !ascii(path) {
			t.Fatalf("%q: path %q needs no SMTPUTF8", s, path)
		}
		again, err := ParseRecipient(path)
		if err != nil || again.Local != m.Local || again.Domain != m.Domain {
			t.Fatalf("%q: path %q reads as %+v %v, not %+v", s, path, again, err, m)
		}
		if err := m.check(); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if h := m.Header(); m.Name != "" {
			named, err := ParseRecipient(h)
			if err != nil || named != m && !strings.Contains(m.Name, "=?") {
				t.Fatalf("%q: header %q reads as %+v %v, not %+v", s, h, named, err, m)
			}
		}
	})
}
