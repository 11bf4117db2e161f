package mime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jhillyerd/enmime/v2"
)

var (
	alice = Mailbox{Name: "Alice Example", Local: "alice", Domain: "example.com"}
	bob   = Mailbox{Local: "bob", Domain: "example.net"}
	when  = time.Date(2026, 11, 22, 1, 14, 2, 0, time.UTC)
)

func compose(t testing.TB, d Draft) *Message {
	t.Helper()
	m, err := Compose(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func read(t testing.TB, m *Message) []byte {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sound checks what holds for every message that leaves.
func sound(t testing.TB, m *Message, b []byte) {
	t.Helper()
	if int64(len(b)) != m.Size() {
		t.Errorf("size is %d, said to be %d", len(b), m.Size())
	}
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		t.Errorf("ends in %q", b[max(0, len(b)-10):])
	}
	for line := range bytes.SplitSeq(b, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line of %d octets: %.60q", len(line), line)
		}
	}
	if len(m.Needs()) == 0 && !ascii(b) {
		t.Error("needs nothing but has octets over 127")
	}
}

func parse(t testing.TB, b []byte) *enmime.Envelope {
	t.Helper()
	// enmime would rather guess than believe charset=utf-8.
	env, err := enmime.NewParser(enmime.DisableCharacterDetection(true)).ReadEnvelope(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	for _, e := range env.Errors {
		t.Errorf("enmime: %v", e)
	}
	return env
}

var texts = []string{
	"hello",
	"line\nline\n",
	"Grüße aus Köln, für Ærø — ok",
	"日本語の件名です。これは長い件名で、二行以上になります。それでも一文字も失われません。",
	"😀 👨‍👩‍👧‍👦 🇩🇪",
	"שלום עולם مرحبا بالعالم",
	"mixed ascii words and 漢字 and more ascii words so that the line has to be folded somewhere",
	"a  b   c  (runs of spaces) and a tail that makes it long enough to be folded in two lines",
	strings.Repeat("x", 3000),
	strings.Repeat("word ", 400) + "end",
	strings.Repeat("é", 1500),
	"=?utf-8?q?not_a_word?= it is text",
	".dot\n..dots\nFrom here\n--=_1_x\n",
}

func TestRoundTrip(t *testing.T) {
	for _, text := range texts {
		subject := strings.Map(func(r rune) rune {
			if r == '\n' {
				return ' '
			}
			return r
		}, strings.TrimSpace(text))
		name := subject[:min(len(subject), 400)]
		name = strings.ToValidUTF8(name, "")
		file := strings.ReplaceAll(name[:min(len(name), 30)]+"x.bin", "=?", "") // enmime decodes these even here
		d := Draft{
			From: alice, To: []Mailbox{{Name: name, Local: "bob", Domain: "example.net"}, bob}, Cc: []Mailbox{bob},
			Bcc:     []Mailbox{{Local: "hidden", Domain: "example.org"}},
			Subject: subject, Text: text, HTML: "<p>" + text + "</p>", Date: when,
			Attachments: []Attachment{{Source: Bytes([]byte{0, 1, 2, 255}), Name: strings.ToValidUTF8(file, "")}},
			Inlines:     []Attachment{{Source: Bytes([]byte("GIF89a")), Name: "logo.gif"}},
		}
		m := compose(t, d)
		b := read(t, m)
		sound(t, m, b)
		if !bytes.Equal(b, read(t, m)) {
			t.Error("the second Open differs")
		}
		if bytes.Contains(b, []byte("hidden")) {
			t.Error("Bcc shows")
		}
		env := parse(t, b)
		want := string(lines([]byte(text)))
		if got := env.Text; !sameText(got, want) {
			t.Errorf("text %.80q, want %.80q", got, want)
		}
		if got, want := env.HTML, string(lines([]byte(d.HTML))); !sameText(got, want) {
			t.Errorf("html %.80q, want %.80q", got, want)
		}
		if got := env.GetHeader("Subject"); got != subject {
			t.Errorf("subject %q, want %q", got, subject)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		list, err := msg.Header.AddressList("To")
		if err != nil || len(list) != 2 || list[0].Name != name || list[0].Address != "bob@example.net" {
			t.Errorf("To is %v (%v), want name %q", list, err, name)
		}
		if at, err := msg.Header.Date(); err != nil || !at.Equal(when) {
			t.Errorf("date %v %v", at, err)
		}
		if len(env.Attachments) != 1 || env.Attachments[0].FileName != d.Attachments[0].Name ||
			!bytes.Equal(env.Attachments[0].Content, []byte{0, 1, 2, 255}) {
			t.Errorf("attachment %+v, want %q", env.Attachments, d.Attachments[0].Name)
		}
		if len(env.Inlines) != 1 || env.Inlines[0].ContentID != "logo.gif" || env.Inlines[0].ContentType != "image/gif" {
			t.Errorf("inline %+v", env.Inlines)
		}
		if m.ContentType() != "multipart/mixed" || m.Parts() != 4 || m.FromDomain() != "example.com" {
			t.Errorf("%s", m.Summary())
		}
	}
}

// sameText compares with the line ends that enmime makes of CR LF.
func sameText(a, b string) bool {
	return strings.ReplaceAll(a, "\r\n", "\n") == strings.ReplaceAll(b, "\r\n", "\n")
}

func TestTiny(t *testing.T) {
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Subject: "Grüße", Text: "hello", Date: when, MessageID: "1@example.com"})
	want := strings.ReplaceAll(`Date: Sun, 22 Nov 2026 01:14:02 +0000
From: Alice Example <alice@example.com>
To: bob@example.net
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Message-ID: <1@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

hello
`, "\n", "\r\n")
	if got := string(read(t, m)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := m.Summary(), fmt.Sprintf("%d bytes · text/plain", len(want)); got != want {
		t.Error(got)
	}
	if m.ID() != "<1@example.com>" || m.Needs() != nil || m.Findings() != nil {
		t.Error(m.ID(), m.Needs(), m.Findings())
	}
}

func TestEmptyText(t *testing.T) {
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}})
	b := read(t, m)
	sound(t, m, b)
	if !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
		t.Errorf("no blank line: %q", b)
	}
	parse(t, b)
}

// What enmime alone gets wrong, one test for each.

func TestStream(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "groß.bin")
	for _, n := range []int{0, 1, 57, 58, 7296, 180 << 10, 180<<10 + 1, 3<<20 + 5} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * 7 >> 3)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: "see", Attachments: []Attachment{{Source: File(path)}, {Source: Bytes(nil), Name: "empty"}}})
		b := read(t, m)
		sound(t, m, b)
		if !bytes.Equal(b, read(t, m)) {
			t.Error("the second Open differs")
		}
		env := parse(t, b)
		if len(env.Attachments) != 2 || env.Attachments[0].FileName != "groß.bin" || !bytes.Equal(env.Attachments[0].Content, data) {
			t.Errorf("%d octets: attachment differs", n)
		}
		if n < 3<<20 {
			continue
		}
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(r, make([]byte, 100000))
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		r, _ = m.Open()
		io.ReadFull(r, make([]byte, 1000))
		if err := os.WriteFile(path, data[:n-1], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err == nil {
			t.Error("a file that shrank while it was read passes")
		}
		r.Close()
		if _, err := m.Open(); err == nil || !strings.Contains(err.Error(), "changed") {
			t.Errorf("changed file: %v", err)
		}
		os.Remove(path)
		if _, err := m.Open(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("missing file: %v", err)
		}
	}
}

func TestLongText(t *testing.T) {
	text := strings.Repeat("Grüße, 日本語 und viel mehr davon\n", 10000)
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: text, HTML: text})
	b := read(t, m)
	sound(t, m, b)
	if env := parse(t, b); !sameText(env.Text, text) || !sameText(env.HTML, text) || m.Parts() != 2 || m.ContentType() != "multipart/alternative" {
		t.Error(m.Summary())
	}
}

// Memory does not grow with an attachment.
func TestStreamMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.bin")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 16<<20); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Attachments: []Attachment{{Source: File(path)}}})
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); err != nil || n != m.Size() {
		t.Error(n, err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated for a file of 16 MiB", n)
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct{ name, given, content, want string }{
		{"a.txt", "", "plain", "text/plain; charset=utf-8"},
		{"a.txt", "", "gr\xfcn", "text/plain"},
		{"a.pdf", "", "", "application/pdf"},
		{"a", "", "%PDF-1.4", "application/pdf"},
		{"a", "", "\x00\x01", "application/octet-stream"},
		{"a", "", strings.Repeat("é", 300), "text/plain; charset=utf-8"},
		{"a.EML", "", "x", "application/octet-stream"},
		{"a.eml", "", "Subject: x\n\ny", "message/rfc822"},
		{"a.pdf", "image/png", "", "image/png"},
		{"", "text/csv; charset=iso-8859-1", "", "text/csv; charset=iso-8859-1"},
		{"", "message/rfc822", "no header", ""}, {"", "multipart/mixed", "", ""}, {"", "text", "", ""}, {"", "a b/c", "", ""},
	} {
		l, err := new(body).attach(Attachment{Source: Bytes([]byte(c.content)), Name: c.name, Type: c.given}, false, AutoEncoding)
		if err != nil {
			if c.want != "" {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if got := l.fields[0].Value; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestNullSender(t *testing.T) {
	m := compose(t, Draft{DefaultFrom: bob, To: []Mailbox{alice}})
	if m.FromDomain() != "example.net" {
		t.Error(m.Headers())
	}
	if _, err := Compose(Draft{To: []Mailbox{alice}}); err == nil {
		t.Error("no From passes")
	}
	m = compose(t, Draft{From: bob, Bcc: []Mailbox{alice}})
	if !slices.Equal(m.Header("To"), []string{"undisclosed-recipients:;"}) {
		t.Error(m.Headers())
	}
}

func TestManyRecipients(t *testing.T) {
	var to []Mailbox
	for range 500 {
		to = append(to, Mailbox{Name: "Doe, Jane", Local: "jane.doe", Domain: "sub.example.net"})
	}
	m := compose(t, Draft{From: alice, To: to})
	b := read(t, m)
	sound(t, m, b)
	for line := range strings.SplitSeq(string(b), "\r\n") {
		if len(line) > 78 {
			t.Fatalf("line of %d: %s", len(line), line)
		}
	}
	list, err := ParseList(m.Header("To")[0])
	if err != nil || !slices.Equal(list, to) {
		t.Error(err)
	}
}

func BenchmarkTiny(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		m, err := Compose(Draft{From: alice, To: []Mailbox{bob}, Subject: "test", Text: "hello\n"})
		if err != nil {
			b.Fatal(err)
		}
		r, _ := m.Open()
		io.Copy(io.Discard, r)
		m.Close()
	}
}

func BenchmarkStream(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.bin")
	os.WriteFile(path, make([]byte, 16<<20), 0o600)
	m := compose(b, Draft{From: alice, To: []Mailbox{bob}, Attachments: []Attachment{{Source: File(path)}}})
	b.SetBytes(16 << 20)
	b.ReportAllocs()
	for b.Loop() {
		r, err := m.Open()
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, r)
		r.Close()
	}
}

// TestNameInOneWord: a display name that fits into one encoded word is not parted;
// a fold makes room for it.
func TestNameInOneWord(t *testing.T) {
	b := read(t, compose(t, Draft{From: Mailbox{Name: "Müller, Jürgen", Local: "a", Domain: "example.com"},
		To: []Mailbox{{Name: "Grüße von Ömer, Straße", Local: "bob", Domain: "example.net"}}}))
	for _, want := range []string{
		"From: =?utf-8?q?M=C3=BCller=2C_J=C3=BCrgen?= <a@example.com>\r\n",
		"To: =?utf-8?q?Gr=C3=BC=C3=9Fe_von_=C3=96mer=2C_Stra=C3=9Fe?= <bob@example.net>\r\n",
	} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
}
