package mime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

func showText(t testing.TB, text string) *Structure {
	t.Helper()
	s, err := load(t, []byte(text)).Show()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// outline is a tree in a line.
func outline(p *Part) string {
	s := p.ID + " " + p.Type
	if len(p.Parts) == 0 {
		return fmt.Sprintf("%s %d", s, p.Decoded)
	}
	var all []string
	for _, c := range p.Parts {
		all = append(all, outline(c))
	}
	return s + " (" + strings.Join(all, ", ") + ")"
}

const partsHead = head + "MIME-Version: 1.0\r\n"

func TestShowTree(t *testing.T) {
	for _, c := range []struct{ name, text, want, ids string }{
		{"plain", head + "\r\nhi\r\n", "1 text/plain 4", ""},
		{"header alone", head, "1 text/plain 0", ""},
		{"mixed", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n--b--\r\n",
			" multipart/mixed (1 text/plain 2, 2 text/html 5)", ""},
		{"nested", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=\"b b\"\r\n\r\n--b b\r\n\r\nx\r\n--b b--\r\n\r\n--b\r\n\r\ny\r\n--b--\r\n",
			" multipart/mixed (1 multipart/alternative (1.1 text/plain 1), 2 text/plain 1)", ""},
		{"message within", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
			" multipart/mixed (1 message/rfc822 (1.TEXT multipart/mixed (1.1 text/plain 1)))", ""},
		{"message alone", partsHead + "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx", "1 message/rfc822 (1.1 text/plain 1)", "no-last-line-end"},
		{"message of parts alone", partsHead + "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n",
			"1 message/rfc822 (1.TEXT multipart/mixed (1.1 text/plain 1))", ""},
		{"digest", partsHead + "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: in\r\n\r\nx\r\n--b--\r\n",
			" multipart/digest (1 message/rfc822 (1.1 text/plain 1))", ""},
		{"base64", partsHead + "Content-Transfer-Encoding: BASE64\r\n\r\nZ3LD\r\nvM\r\nOfZQ==\r\n", "1 text/plain 7", "bad-charset"},
		{"quoted-printable", partsHead + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=\r\n=c3=9f \t\r\n=\r\n a=3D  \r\n", "1 text/plain 13", ""},
		{"unterminated", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n", " multipart/mixed (1 text/plain 4)", "unterminated"},
		{"inner unterminated", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nhi\r\n--b--\r\n",
			" multipart/mixed (1 multipart/mixed (1.1 text/plain 2))", "unterminated"},
		{"no boundary", partsHead + "Content-Type: multipart/mixed\r\n\r\nhi\r\n", "1 multipart/mixed 4", "no-boundary"},
		{"never a boundary", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\nhi\r\n", " multipart/mixed 0", "no-parts"},
		{"boundary at once", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n", " multipart/mixed 0", "no-parts"},
		{"no blank line", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n--b--\r\n", " multipart/mixed (1 text/html 0)", "no-blank-line"},
		{"message of nothing", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n--b--\r\n", " multipart/mixed (1 message/rfc822 (1.1 text/plain 0))", "no-blank-line"},
		{"a longer line is no boundary", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b \t\r\n\r\n--bb\r\n--b-\r\n--b--x\r\n--b--\r\nbye\r\n", " multipart/mixed (1 text/plain 18)", "epilogue"},
		{"encoded multipart", partsHead + "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n", " multipart/mixed (1 text/plain 2)", "encoded-parts"},
		{"LF", strings.ReplaceAll(partsHead+"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n", "\r", ""), " multipart/mixed (1 text/plain 2)", "lf"},
		{"empty", "", "1 text/plain 0", "no-header"},
	} {
		s := showText(t, c.text)
		if got := outline(s.Root); got != c.want || ids(s.Findings) != c.ids {
			t.Errorf("%s: %s, %s; want %s, %s", c.name, got, ids(s.Findings), c.want, c.ids)
		}
	}
}

// TestShowFindings: each finding is at its place. The place is marked in the text
// by a | that is taken out.
func TestShowFindings(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct{ id, text string }{
		{"long-line", head + "\r\n" + x(998) + "|x\r\n"},
		{"long-line", head + "\r\n" + x(998) + "|" + x(100000) + "\r\n"},
		{"line-over-78", head + "\r\n" + x(78) + "|x\r\n"},
		{"bare-cr", head + "\r\na|\rb\r\n"},
		{"bare-cr", head + "\r\na|\r\r\n"},
		{"bare-cr", head + "\r\na|\r"},
		{"bare-lf", head + "\r\na|\nb\r\n"},
		{"nul", head + "\r\na|\x00b\r\n"},
		{"no-last-line-end", head + "\r\nhi|"},
		{"undeclared-8bit", head + "\r\ngr|\xc3\xbcn\r\n"},
		{"header-utf8", head + "Subject: gr|\u00fcn\r\n\r\n"},
		{"header-8bit", head + "|Subject: gr\xfcn\r\n\r\n"},
		{"header-control", head + "|Subject: \x1b[31m\r\n\r\n"},
		{"stray-line", head + "|what is this\r\n\r\n"},
		{"stray-line", "| folded\r\n" + head + "\r\n"},
		{"blank-fold", head + "X: a\r\n| \t\r\n b\r\n\r\n"},
		{"space-before-colon", head + "|Subject : x\r\n\r\n"},
		{"mbox-line", "|From alice Sun Nov 22\r\n" + head + "\r\n"},
		{"doubled-subject", head + "Subject: a\r\n|subject: b\r\n\r\n"},
		{"doubled-content-type", partsHead + "|Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n"},
		{"no-date", "|From: a@b.c\r\nMessage-ID: <a@b>\r\n\r\n"},
		{"no-from", "|Date: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: <a@b>\r\n\r\n"},
		{"no-message-id", "|From: a@b.c\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\n\r\n"},
		{"bad-date", "From: a@b.c\r\nMessage-ID: <a@b>\r\n|Date: yesterday\r\n\r\n"},
		{"wrong-weekday", "From: a@b.c\r\nMessage-ID: <a@b>\r\n|Date: Mon, 22 Nov 2026 01:14:02 +0000\r\n\r\n"},
		{"bad-message-id", "From: a@b.c\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\n|Message-ID: 1\r\n\r\n"},
		{"bad-from", "|From: joe@g.com.\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: <a@b>\r\n\r\n"},
		{"doubled-list-unsubscribe", head + "List-Unsubscribe: <https://a.b>\r\n|List-Unsubscribe: <mailto:a@b>\r\n\r\n"},
		{"bad-to", head + "|To: a@@b\r\n\r\n"},
		{"no-sender", strings.Replace(head, "From: ", "|From: b@c.d, ", 1) + "\r\n"},
		{"bcc", head + "|Bcc: a@b\r\n\r\n"},
		{"bad-word", head + "|Subject: =?x-nothing?q?a?=\r\n\r\n"},
		{"bad-word", head + "|Subject: a =?utf-8?b?!!!?=\r\n\r\n"},
		{"header-utf8", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Description: |\u00e9\r\n\r\n--b--\r\n"},
		{"no-mime-version", head + "|Content-Type: text/plain\r\n\r\n"},
		{"bad-content-type", partsHead + "|Content-Type: text/plain; charset\r\n\r\n"},
		{"bad-content-type", partsHead + "|Content-Type: text\r\n\r\n"},
		{"unknown-encoding", partsHead + "|Content-Transfer-Encoding: uuencode\r\n\r\n"},
		{"long-boundary", partsHead + "|Content-Type: multipart/mixed; boundary=" + x(71) + "\r\n\r\n--" + x(71) + "\r\n\r\n--" + x(71) + "--\r\n"},
		{"odd-boundary", partsHead + "|Content-Type: multipart/mixed; boundary=\"a&b\"\r\n\r\n--a&b\r\n\r\n--a&b--\r\n"},
		{"same-boundary", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n|Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n"},
		{"unsafe-name", partsHead + "|Content-Disposition: attachment; filename=\"../../etc/passwd\"\r\n\r\n"},
		{"name-words", partsHead + "|Content-Disposition: attachment; filename=\"=?utf-8?q?gr=C3=BCn?=\"\r\n\r\n"},
		{"doubled-cid", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-ID: <a>\r\n\r\n--b\r\n|Content-ID: <a>\r\n\r\n--b--\r\n"},
		{"bad-base64", partsHead + "Content-Transfer-Encoding: base64\r\n\r\naGk|!\r\n"},
		{"bad-base64", partsHead + "Content-Transfer-Encoding: base64\r\n\r\naGk=\r\n|aGk=\r\n"},
		{"bad-base64", partsHead + "Content-Transfer-Encoding: base64\r\n\r\na|===\r\n"},
		{"short-base64", partsHead + "Content-Transfer-Encoding: base64\r\n\r\n|aGkaG\r\n"},
		{"long-encoded-line", partsHead + "Content-Transfer-Encoding: base64\r\n\r\n|" + x(80) + "\r\n"},
		{"bad-quoted-printable", partsHead + "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3|Z\r\n"},
		{"bad-quoted-printable", partsHead + "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3|\r\n"},
		{"bad-quoted-printable", partsHead + "Content-Transfer-Encoding: quoted-printable\r\n\r\na|\xff\r\n"},
		{"unknown-charset", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n|Content-Type: text/plain; charset=x-nothing\r\n\r\n--b--\r\n"},
		{"bad-charset", partsHead + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n|gr\xfcn\r\n"},
		{"bad-charset", partsHead + "Content-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\n|\x85\x01\r\n"},
		{"header-in-body", partsHead + "\r\n\r\n|Content-Type: text/html\r\n\r\n<p>\r\n"},
	} {
		offset := strings.IndexByte(c.text, '|')
		text := strings.Replace(c.text, "|", "", 1)
		line := int64(strings.Count(text[:offset], "\n") + 1)
		s := showText(t, text)
		i := slices.IndexFunc(s.Findings, func(f Finding) bool { return f.ID == c.id })
		if i < 0 {
			t.Errorf("%s: not in %+v", c.id, s.Findings)
			continue
		}
		if f := s.Findings[i]; f.Place == nil || f.Place.Offset != int64(offset) || f.Place.Line != line || strings.ContainsAny(f.Text, "\r\n\x1b") || !utf8.ValidString(f.Text) {
			t.Errorf("%s: %+v %+v, want offset %d, line %d in %q", c.id, f, f.Place, offset, line, text)
		}
		for _, f := range s.Findings {
			if f.ID != c.id && f.Level == Fail && !strings.HasPrefix(f.ID, "bad-") && f.ID != "long-line" && f.ID != "no-parts" && f.ID != "unterminated" && f.ID != "short-base64" {
				t.Errorf("%s: also %+v", c.id, f)
			}
		}
	}
}

// TestShowFrom: a From field has to name somebody, in whatever charset.
func TestShowFrom(t *testing.T) {
	const rest = "\r\nDate: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: <a@b>\r\n\r\n"
	for from, want := range map[string]Level{"a@b.test": "", "": Fail, "joe": Fail, "joe@b.test.": Fail, "=?x-nothing?q?J=FC?= <a@b.test>": ""} {
		var level Level
		for _, f := range showText(t, "From: "+from+rest).Findings {
			if f.ID == "bad-from" {
				level = f.Level
			}
		}
		if level != want {
			t.Errorf("%q: level %q, want %q", from, level, want)
		}
	}
}

// TestShowOwn: what is composed here has nothing to be told, and comes apart into
// what it was made of.
func TestShowOwn(t *testing.T) {
	data := bytes.Repeat([]byte("\x00\xff\r\n"), 1000)
	m := compose(t, Draft{From: alice, To: []Mailbox{bob, {Name: "J\u00fcrgen", Local: "j", Domain: "example.net"}}, Subject: "Gr\u00fc\u00dfe",
		Text: "gr\u00fcn\n", HTML: "<p>\u5b57</p>", Inlines: []Attachment{{Source: Bytes(data), Name: "i.png"}},
		Attachments: []Attachment{{Source: Bytes(data), Name: "\u9577.bin"}}})
	for _, f := range m.Forms() {
		s := showText(t, string(read(t, f)))
		if len(f.Needs()) == 0 && ids(s.Findings) != "" {
			t.Errorf("%+v", s.Findings)
		}
		leaves := s.Leaves()
		if len(leaves) != 4 || leaves[2].ContentID != "i.png" || leaves[3].Name != "\u9577.bin" || leaves[3].Decoded != int64(len(data)) {
			t.Errorf("%s", outline(s.Root))
		}
		i := slices.IndexFunc(s.Header, func(f Field) bool { return f.Name == "Subject" })
		if s.Header[i].Value != "Gr\u00fc\u00dfe" {
			t.Errorf("%+v", s.Header)
		}
	}
}

func TestShowLimits(t *testing.T) {
	var deep strings.Builder
	deep.WriteString(partsHead)
	for i := range 80 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	many := partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 12000) + "--b--\r\n"
	for _, c := range []struct{ name, text, id string }{
		{"deep", deep.String() + "\r\nhi\r\n", "deep"},
		{"messages", partsHead + strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 1000) + "hi\r\n", "deep"},
		{"many parts", many, "many-parts"},
		{"long header", head + "X: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", "long-header"},
		{"many fields", head + strings.Repeat("X: y\r\n", 20000) + "\r\n", "long-header"},
		{"many findings", partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nstray\r\n\r\n\x00\xff\r\n", 5000) + "--b--\r\n", "more"},
	} {
		s := showText(t, c.text)
		if !strings.Contains(" "+ids(s.Findings)+" ", " "+c.id+" ") || len(s.Leaves()) > partsMost || len(s.Header) > fieldsMost || len(s.Findings) > findingsMost+1 {
			t.Errorf("%s: %d leaves, %.200s", c.name, len(s.Leaves()), ids(s.Findings))
		}
		if text, err := json.Marshal(s); err != nil || len(text) > 5<<20 {
			t.Errorf("%s: %v, %d octets of JSON", c.name, err, len(text))
		}
	}
}

// TestShowMemory: a long message is read in memory that does not grow.
func TestShowMemory(t *testing.T) {
	for _, c := range []struct{ head, line string }{
		{"Content-Transfer-Encoding: base64\r\n", strings.Repeat("QUFB", 19) + "\r\n"},
		{"Content-Transfer-Encoding: quoted-printable\r\n", "=" + strings.Repeat(" ", 300)},
		{"Content-Type: text/plain; charset=utf-8\r\n", "\xc3\xbc\xff\r\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\n", "--b\r\nContent-Type: image/png; name=\"" + strings.Repeat("n", 500) + "\"\r\n\r\n"},
		{"", "\x00\r\r\n\n"}, {"", "x"},
	} {
		in := io.MultiReader(strings.NewReader(partsHead+c.head+"\r\n"), io.LimitReader(&again4ever{block: strings.Repeat(c.line, 1000)}, 8<<20))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s, err := newWalker(nil).walk(in)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 30<<20 {
			t.Errorf("%.10q: %d octets kept", c.line, kept)
		}
		runtime.KeepAlive(s)
	}
}

// FuzzShow: whatever comes, it is taken apart; every place is within the message, every
// part within its parent, and no text breaks a line.
func FuzzShow(f *testing.F) {
	c := mutate.For(f)
	c.Add([]byte(partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n"))
	c.Add([]byte(partsHead + "Content-Type: text/plain; charset=gb18030\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FF=\r\n=3\r\n"))
	c.Add([]byte(partsHead + "Content-Transfer-Encoding: base64\r\n\r\nAAAA==AAA=\n"))
	c.Add([]byte("From x\n \n: \nSubject: =?utf-8?b?/w==?=\n\n--\r\x00"))
	c.Tokens("\r\n", "\n", "\r\n\r\n", "--b", "--b--", "--c\r\n", "Content-Type: ", "multipart/mixed; boundary=b", "message/rfc822", "text/plain; charset=", "utf-8", "utf-16",
		"Content-Transfer-Encoding: ", "base64", "quoted-printable", "=\r\n", "=3D", "QUFB", "==", "; name*0*=utf-8''a", "Subject: =?utf-8?q?x?=", "From: a@b")
	c.Limits(998+2, 78)
	mutate.Fuzz1(c, func(t testing.TB, text []byte) {
		s := showText(t, string(text))
		for _, f := range s.Findings {
			if p := f.Place; p != nil && (p.Offset < 0 || p.Offset > int64(len(text)) || p.Line < 1 || p.Line > s.Lines+1) {
				t.Fatalf("%+v %+v in %q", f, p, text)
			}
			if strings.ContainsAny(f.Text, "\r\n\x00\x1b") {
				t.Fatalf("%q", f.Text)
			}
		}
		var walk func(*Part)
		walk = func(p *Part) {
			end := p.Body + p.Size
			if p.Offset < 0 || p.Body < p.Offset || p.Size < 0 || end > int64(len(text)) {
				t.Fatalf("%+v in %q", p, text)
			}
			for _, c := range p.Parts {
				if c.Offset < p.Body || c.Body+c.Size > end {
					t.Fatalf("%+v in %+v in %q", c, p, text)
				}
				walk(c)
			}
			if len(p.Parts) == 0 && p.Decoded > p.Size+2 {
				t.Fatalf("%+v in %q", p, text)
			}
		}
		walk(s.Root)
		if int64(len(text)) != s.Size || s.Lines != int64(bytes.Count(text, []byte("\n")))+int64(min(1, len(text)-1-bytes.LastIndexByte(text, '\n'))) {
			t.Fatalf("%d octets, %d lines in %q", s.Size, s.Lines, text)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Fatal(err)
		}
	})
}
