package mime

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jhillyerd/enmime/v2"
)

// What each content goes as, by what is offered and what is asked for.
func TestEncodings(t *testing.T) {
	long := strings.Repeat("x", 1200)
	for _, c := range []struct {
		text   string
		forced Encoding
		want   string // of the forms, best first; or the error
	}{
		{"plain", AutoEncoding, "7bit"},
		{"grün", AutoEncoding, "8bit quoted-printable"},
		{"日本語日本語日本語", AutoEncoding, "8bit base64"},
		{long, AutoEncoding, "binary quoted-printable"},
		{"a\x00b", AutoEncoding, "binary quoted-printable"},
		{"a\x1bb", AutoEncoding, "8bit quoted-printable"},
		{"plain", SevenBit, "7bit"},
		{"plain", EightBit, "8bit"},
		{"plain", Base64, "base64"},
		{"plain", QuotedPrintable, "quoted-printable"},
		{"plain", Binary, "binary"},
		{"grün", SevenBit, "text/plain body: it cannot go as 7bit"},
		{long, EightBit, "text/plain body: it cannot go as 8bit"},
	} {
		m, err := Compose(Draft{From: alice, To: []Mailbox{bob}, Text: c.text, Encoding: c.forced})
		if err != nil {
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%.10q as %s: %v", c.text, c.forced, err)
			}
			continue
		}
		var got []string
		for _, form := range m.Forms() {
			b := read(t, form)
			if int64(len(b)) != form.Size() {
				t.Error("size")
			}
			env := parse(t, b)
			if !sameText(env.Text, c.text+"\n") {
				t.Errorf("%.10q became %.20q", c.text, env.Text)
			}
			msg, _ := mail.ReadMessage(bytes.NewReader(b))
			encoding := msg.Header.Get("Content-Transfer-Encoding")
			if encoding == "" {
				encoding = "7bit"
			}
			got = append(got, encoding)
			if e, _ := ParseEncoding(encoding); !slices.Equal(form.Needs(), e.carriage().need()) || form.ID() != m.ID() {
				t.Errorf("%s needs %v", encoding, form.Needs())
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%.10q as %s: %s, want %s", c.text, c.forced, got, c.want)
		}
	}
	for _, e := range []string{"7BIT", "Base64", "auto"} {
		if _, err := ParseEncoding(e); err != nil {
			t.Error(err)
		}
	}
	if _, err := ParseEncoding("uuencode"); err == nil {
		t.Error("uuencode passes")
	}
}

// A file by each form, and each encoding, comes back octet by octet; a multipart
// says what is in it (RFC 2045 section 6.4).
func TestAttachmentForms(t *testing.T) {
	data := []byte("\x00\r\n--=_1\r\n.\r\n\xff\n\rend")
	for _, size := range []int{0, 1, len(data), 300 << 10} {
		data := bytes.Repeat(data, size/len(data)+1)[:size]
		m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: "grün", Attachments: []Attachment{{Source: Bytes(data), Type: "application/octet-stream"}, {Source: Bytes(data), Type: "image/x", Encoding: QuotedPrintable}}})
		forms := m.Forms()
		if len(forms) != 3 || forms[2] != m {
			t.Fatal(len(forms))
		}
		for i, form := range forms {
			b := read(t, form)
			if int64(len(b)) != form.Size() || !bytes.Equal(b, read(t, form)) {
				t.Fatal("size, or the second Open differs")
			}
			if i > 0 {
				sound8(t, form, b)
			}
			want := []string{"binary", "8bit", ""}[i]
			if msg, _ := mail.ReadMessage(bytes.NewReader(b)); msg.Header.Get("Content-Transfer-Encoding") != want {
				t.Errorf("multipart is labelled %q", msg.Header.Get("Content-Transfer-Encoding"))
			}
			for _, a := range parse(t, b).Attachments {
				if !bytes.Equal(a.Content, data) {
					t.Errorf("form %d: %d octets became %d", i, len(data), len(a.Content))
				}
			}
		}
	}
}

func TestForcedAttachment(t *testing.T) {
	for _, c := range []struct {
		content string
		e       Encoding
		kind    string
		want    string
	}{
		{"a\nb", SevenBit, "text/plain", "a\r\nb\r\n"},
		{"", SevenBit, "text/plain", ""},
		{"ü\n", EightBit, "text/plain", "ü\r\n"},
		{"ü\n", SevenBit, "text/plain", "error: it is not ASCII"},
		{"a\rb", EightBit, "text/plain", "error: line 1, offset 1: a CR"},
		{"a\x00b", SevenBit, "text/plain", "error: line 1, offset 1: a NUL"},
		{"Reporting-MTA: dns; x\n", AutoEncoding, "message/delivery-status", "Reporting-MTA: dns; x\r\n"},
	} {
		m, err := Compose(Draft{From: alice, Attachments: []Attachment{{Source: Bytes([]byte(c.content)), Name: "x", Type: c.kind, Encoding: c.e}}})
		if err != nil {
			if want, ok := strings.CutPrefix(c.want, "error: "); !ok || !strings.Contains(err.Error(), want) {
				t.Errorf("%q as %s: %v", c.content, c.e, err)
			}
			continue
		}
		b := read(t, m)
		sound8(t, m, b)
		if got := parse(t, b).Attachments; len(got) != 1 || string(got[0].Content) != c.want {
			t.Errorf("%q as %s became %v", c.content, c.e, got)
		}
	}
}

// A message in a message is never encoded, only what is in it (RFC 2046 section
// 5.2.1).
func TestAttachedMessage(t *testing.T) {
	for _, c := range []struct {
		in    string
		kind  string
		forms int
	}{
		{head + "Bcc: x@y\r\n\r\nplain\r\n", "message/rfc822", 1},
		{head + "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nKöln\n", "message/rfc822", 2},
		{head + "Subject: Köln\r\n\r\nKöln\r\n", "message/rfc822", 1},
		{head + "\r\na\rb\r\n", "application/octet-stream", 2},
		{"no message", "application/octet-stream", 2},
	} {
		m := compose(t, Draft{From: alice, Text: "see", Attachments: []Attachment{{Source: Bytes([]byte(c.in)), Name: "a.eml"}}})
		if len(m.Forms()) != c.forms {
			t.Errorf("%q: %d forms", c.in, len(m.Forms()))
		}
		for i, form := range m.Forms() {
			b := read(t, form)
			root, err := enmime.NewParser().ReadParts(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			a := root.FirstChild.NextSibling
			if a.ContentType != c.kind {
				t.Errorf("%q is %s", c.in, a.ContentType)
				continue
			}
			if c.kind == "application/octet-stream" {
				if string(a.Content) != c.in {
					t.Errorf("%q became %q", c.in, a.Content)
				}
				continue
			}
			sound8(t, form, b)
			if e := a.Header.Get("Content-Transfer-Encoding"); e != "" && e != "8bit" {
				t.Errorf("%q: encoded by %s", c.in, e)
			}
			if inner := parse(t, a.Content); strings.TrimSpace(inner.Text) != strings.TrimSpace(c.in[strings.LastIndexByte(strings.TrimSpace(c.in), '\n'):]) || inner.GetHeader("From") == "" {
				t.Errorf("form %d of %q: %q", i, c.in, a.Content)
			}
		}
	}
	if _, err := Compose(Draft{From: alice, Attachments: []Attachment{{Source: Bytes([]byte(head + "\r\nx")), Type: "message/rfc822", Encoding: Base64}}}); err == nil {
		t.Error("an encoded message passes")
	}
}

// Octets that change without the file's size or time telling are seen too.
// TestAttachedFaults: what cannot go as a message goes as a file where only its name says
// that it is one, and that is told; no two parts have one Content-ID.
func TestAttachedFaults(t *testing.T) {
	broken := Attachment{Source: Bytes([]byte("Subject: x\r\n\r\na\rb\r\n")), Name: "a.eml"}
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: "x", Attachments: []Attachment{broken}})
	if f := m.Findings(); len(f) != 1 || !strings.Contains(f[0], "a.eml") || !strings.Contains(f[0], "application/octet-stream") {
		t.Errorf("%q", f)
	}
	broken.Type = "message/rfc822"
	if _, err := Compose(Draft{From: alice, To: []Mailbox{bob}, Attachments: []Attachment{broken}}); !errors.As(err, new(*AttachedError)) {
		t.Error(err)
	}
	picture := Attachment{Source: Bytes([]byte("GIF89a")), Name: "a.gif"}
	odd := Attachment{Source: picture.Source, Name: "a b.gif"}
	for _, inlines := range [][]Attachment{{picture, picture}, {odd}} {
		if _, err := Compose(Draft{From: alice, To: []Mailbox{bob}, HTML: "x", Inlines: inlines}); !errors.As(err, new(*ContentIDError)) {
			t.Error(err)
		}
	}
}

func TestSecretChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.bin")
	data := bytes.Repeat([]byte("0123456789abcdef"), 40<<10)
	write := func() {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	write()
	m := compose(t, Draft{From: alice, Attachments: []Attachment{{Source: File(path)}}})
	read(t, m)
	data[1000] = 'X'
	write()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err == nil || !strings.Contains(err.Error(), "changed") || int64(len(b)) >= m.Size() {
		t.Errorf("%d octets, %v", len(b), err)
	}
	r.Close()
}

func TestAttachmentPlaces(t *testing.T) {
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	os.WriteFile(closed, []byte("x"), 0)
	for path, want := range map[string]string{dir: "directory", filepath.Join(dir, "none"): "no such file", closed: "permission"} {
		if path == closed && os.Getuid() == 0 {
			continue
		}
		if _, err := Compose(Draft{From: alice, Attachments: []Attachment{{Source: File(path)}}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func BenchmarkBase64(b *testing.B) {
	data := make([]byte, 16<<20)
	s := base64Stretch(bytesStretch(data))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, _ := s.open()
		io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 32<<10))
	}
}

// However a message is read, it is the same; and a source that gives its octets
// in any pieces gives the same message.
func TestReadInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 700<<10)
	for i := range data {
		data[i] = ".\r\n\x00-=a\xff"[random.IntN(8)]
	}
	m := compose(t, Draft{From: alice, Text: "x", Attachments: []Attachment{
		{Source: Reader(iotest.HalfReader(bytes.NewReader(data))), Name: "a"}, {Source: Bytes(data), Type: "text/x", Encoding: QuotedPrintable}}})
	for _, form := range m.Forms() {
		want := read(t, form)
		if form.Needs() == nil {
			sound(t, form, want)
		}
		for _, most := range []int{1, 77, 78, 79, 4096, 32 << 10, 1 << 20} {
			r, err := form.Open()
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for p := make([]byte, most); err == nil; {
				var n int
				n, err = r.Read(p[:1+random.IntN(most)])
				got = append(got, p[:n]...)
			}
			if err != io.EOF || !bytes.Equal(got, want) {
				t.Errorf("read by up to %d: %v, %d octets of %d", most, err, len(got), len(want))
			}
			if r.Close() != nil {
				t.Error("close")
			}
		}
	}
}
