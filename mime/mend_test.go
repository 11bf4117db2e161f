package mime

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
)

// TestFixupKeepsTheHeader: no repair moves a field out of the header.
func TestFixupKeepsTheHeader(t *testing.T) {
	in := strings.ReplaceAll(head, "\r\n", "\r\r\n") + "Bcc: secret@x.test\r\r\nSubject: x\r\r\n\r\r\nbody\r\r\n"
	m, err := Whole(Bytes([]byte(in)), Options{Fixup: true})
	if err != nil {
		t.Fatal(err)
	}
	if b := string(read(t, m)); b != head+"Subject: x\r\n\r\nbody\r\n" || !slices.Contains(m.Notes(), "7 CR CR LF line ends made CR LF") {
		t.Errorf("%q %q", b, m.Notes())
	}
	n := int64(len(head))
	for _, c := range []struct {
		in     string // behind the header's first lines
		kind   FaultKind
		offset int64
	}{
		{"\x00\r\nBcc: secret@x.test\r\n\r\nbody\r\n", NUL, n + 1},
		{"X: y\r\x00\nBcc: secret@x.test\n\nbody\n", NUL, n + 6},
		{"X: y\r\rBcc: secret@x.test\n\nbody\n", BareCR, n + 5},
		{"\rBcc: secret@x.test\n\nbody\n", BareCR, n},
	} {
		_, err := Whole(Bytes([]byte(head+c.in)), Options{Fixup: true})
		var f *Fault
		if !errors.As(err, &f) || f.Kind != c.kind || f.Offset != c.offset {
			t.Errorf("%q: %v %+v", c.in, err, f)
		}
	}
}

// TestFixupKeepsTheContent: what a long line says is the same when it is broken.
func TestFixupKeepsTheContent(t *testing.T) {
	escapes := strings.Repeat("=C3=A9", 700)
	for pad := range 6 {
		in := strings.Repeat("x", pad) + escapes
		got := mendedBody(t, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: Quoted-Printable", in)
		decoded, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(got)))
		if want := strings.Repeat("x", pad) + strings.Repeat("é", 700) + "\r\n"; err != nil || string(decoded) != want {
			t.Errorf("pad %d: %v %.40q ... of %.1100q", pad, err, decoded, got)
		}
	}
	content := bytes.Repeat([]byte("any octets"), 500)
	got := mendedBody(t, "Content-Transfer-Encoding: base64", base64.StdEncoding.EncodeToString(content))
	if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(got)); err != nil || !bytes.Equal(decoded, content) {
		t.Errorf("%v in %.60q", err, got)
	}
	// A long line of a part's header is folded, not cut into a second header line.
	in := head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; " +
		strings.Repeat("x", 600) + "=1; " + strings.Repeat("y", 600) + "=2\r\n\r\nhi\r\n--b--\r\n"
	m, err := Whole(Bytes([]byte(in)), Options{Fixup: true})
	if err != nil {
		t.Fatal(err)
	}
	if b := string(read(t, m)); !strings.Contains(b, "\r\n yyy") {
		t.Errorf("%q", b)
	}
	for _, kind := range []string{"iso-2022-jp", "UTF-7", "gb18030"} {
		text := strings.Repeat("\xb0\xa1", 600)
		_, err := Whole(Bytes([]byte(head+"Content-Type: text/plain; charset=\""+kind+"\"\r\n\r\n"+text+"\r\n")), Options{Fixup: true})
		var f *Fault
		if !errors.As(err, &f) || f.Kind != LongLine || !strings.Contains(err.Error(), strings.ToLower(kind)) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// mendedBody is what Fixup makes of a body, in a part as in the whole.
func mendedBody(t *testing.T, fields, body string) string {
	t.Helper()
	m, err := Whole(Bytes([]byte(head+fields+"\r\n\r\n"+body+"\r\n")), Options{Fixup: true})
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, m)
	sound(t, m, b)
	_, got, _ := strings.Cut(string(b), "\r\n\r\n")
	m, err = Whole(Bytes([]byte(head+"Content-Type: multipart/mixed; boundary=\"b c\"\r\n\r\n--b c\r\n"+fields+"\r\n\r\n"+body+"\r\n--b c--\r\n")), Options{Fixup: true})
	if err != nil {
		t.Fatal(err)
	}
	b = read(t, m)
	sound(t, m, b)
	if !strings.Contains(string(b), fields+"\r\n\r\n"+got+"--b c--\r\n") {
		t.Errorf("in a part it is %.300q", b)
	}
	return got
}

// TestFixupWords: a header line that cannot be folded is written in encoded words.
func TestFixupWords(t *testing.T) {
	long := strings.Repeat("é", 700)
	for _, c := range []struct{ field, name, want string }{
		{"Subject: " + long, "Subject", long},
		{"Subject: a\r\n " + long, "Subject", "a " + long},
		{"X-Long: " + strings.Repeat("x", 1500), "X-Long", strings.Repeat("x", 1500)},
		{"Reply-To: " + long + " <r@x.test>", "Reply-To", long + " <r@x.test>"},
		{"References: <" + strings.Repeat("x", 990) + ">", "References", "<" + strings.Repeat("x", 990) + ">"},
	} {
		m, err := Whole(Bytes([]byte(head+c.field+"\r\n\r\nbody\r\n")), Options{Fixup: true})
		if err != nil {
			t.Errorf("%.20s: %v", c.field, err)
			continue
		}
		b := read(t, m)
		sound(t, m, b)
		got := strings.ReplaceAll(parse(t, b).GetHeader(c.name), `"`, "")
		if got != c.want && strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(c.want, " ", "") || m.Needs() != nil {
			t.Errorf("%.20s: %.60q %q", c.field, got, m.Needs())
		}
	}
	for _, field := range []string{"References: <" + strings.Repeat("x", 1500) + ">", "Content-Type: text/plain;x=" + strings.Repeat("x", 1500), "Subject: " + strings.Repeat("x", 1<<20)} {
		var f *Fault
		if _, err := Whole(Bytes([]byte(head+field+"\r\n\r\nbody\r\n")), Options{Fixup: true}); !errors.As(err, &f) || f.Kind != LongLine {
			t.Errorf("%.20s: %v", field, err)
		}
	}
}

// TestPartHeaderNeedsUTF8: what is not ASCII in a part's header is internationalised as
// in the message's own.
func TestPartHeaderNeedsUTF8(t *testing.T) {
	for _, c := range []struct {
		field    string
		needs    []string
		findings int
	}{
		{"Content-Description: plain", nil, 0},
		{"Content-Description: é", []string{"8BITMIME", "SMTPUTF8"}, 0},
		{"Content-Description: \xe9", []string{"8BITMIME"}, 1},
		{"Content-Type: message/rfc822\n\nSubject: é", []string{"8BITMIME", "SMTPUTF8"}, 0},
	} {
		in := head + "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n" + c.field + "\n\nhi\n--b--\nepilogue\n"
		for _, in := range []string{in, strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\n", "\r\n")} {
			m, err := Whole(Bytes([]byte(in)), Options{})
			if err != nil || !slices.Equal(m.Needs(), c.needs) || len(m.Findings()) != c.findings {
				t.Errorf("%s: %v %q %q", c.field, err, m.Needs(), m.Findings())
			}
		}
	}
}

// TestFixupQuotesNames: a name that lacks its quotes is mended too.
func TestFixupQuotesNames(t *testing.T) {
	m, err := Whole(Bytes([]byte(head+"Content-Disposition: attachment; size=2; filename=é b.txt\r\n\r\nhi\r\n")), Options{Fixup: true})
	if err != nil {
		t.Fatal(err)
	}
	forms := m.Forms()
	if b := string(read(t, forms[len(forms)-1])); !strings.Contains(b, "filename*=utf-8''%C3%A9%20b.txt; size=") {
		t.Errorf("%q %q", b, m.Findings())
	}
}

// TestUnencodable: what RFC 2047 has no words for is named.
func TestUnencodable(t *testing.T) {
	for field, want := range map[string]string{"Subject: é": "", "To: é <a@x.test>": "", "To: é@x.test": "To", "References: <é@x.test>": "References", "X-Id: <é@x.test>": ""} {
		m, err := Whole(Bytes([]byte(head+field+"\r\n\r\nhi\r\n")), Options{})
		if err != nil || m.Unencodable() != want {
			t.Errorf("%s: %v %q", field, err, m.Unencodable())
		}
	}
}

// TestFixupLeavesBoundaries: a boundary is written in lines of the body too, so a
// message with one that is not ASCII has no 7bit form.
func TestFixupLeavesBoundaries(t *testing.T) {
	m, err := Whole(Bytes([]byte(head+"Content-Type: multipart/mixed; boundary=\"é\"\r\n\r\n--é\r\n\r\nhi\r\n--é--\r\n")), Options{Fixup: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Forms()) != 1 || len(m.Findings()) != 1 || !strings.Contains(m.Findings()[0], "boundary") {
		t.Errorf("%d forms, %q", len(m.Forms()), m.Findings())
	}
}
