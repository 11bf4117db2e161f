package mime

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"testing"
)

// Each fault of enmime that this package guards against has its test here, named
// for the fault.

func TestGuardHeaderNames(t *testing.T) {
	for _, h := range []Header{
		{"X-A\r\nBcc", "x"}, {"", "x"}, {"X A", "x"}, {"X:", "x"}, {"Ü", "x"}, {"X", "a\r\nBcc: b@c"}, {"X", "a\nb"},
		{"X", "a\x00"}, {"X", "\xff"}, {"Content-Type", "text/html"}, {"X", "\x7f"},
	} {
		for _, d := range []Draft{{Headers: []Header{h}}, {AddHeaders: []Header{h}}} {
			d.From, d.To = alice, []Mailbox{bob}
			if _, err := Compose(d); err == nil {
				t.Errorf("%q passes", h)
			} else if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q: error of several lines: %v", h, err)
			}
		}
	}
	for _, d := range []Draft{
		{Subject: "a\r\nBcc: x@y"}, {MessageID: "<a@b>\r\nX: y"}, {UserAgent: "a\nb"},
		{Cc: []Mailbox{{Name: "a\r\nb", Local: "a", Domain: "b"}}}, {Cc: []Mailbox{{Local: "a\r\n", Domain: "b"}}},
		{Cc: []Mailbox{{Local: "a", Domain: "b>\r\n"}}}, {Cc: []Mailbox{{}}},
		{Attachments: []Attachment{{Name: "a\r\nb"}}}, {Attachments: []Attachment{{Type: "text/plain\r\nX: y"}}},
		{HTML: "x", Inlines: []Attachment{{ContentID: "a\r\nb"}}}, {HTML: "x", Inlines: []Attachment{{Name: "grün.png"}}},
		{Text: "\xff"}, {Host: "a\r\nb"}, {Host: "a b"},
	} {
		d.From, d.To = alice, []Mailbox{bob}
		if m, err := Compose(d); err == nil {
			t.Errorf("%+v passes:\n%s", d, read(t, m))
		}
	}
}

func TestGuardLongLines(t *testing.T) {
	long := strings.Repeat("x", 5000)
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: long, HTML: long, Subject: long, AddHeaders: []Header{{"X-Long", long}}})
	b := read(t, m)
	sound(t, m, b)
	if env := parse(t, b); strings.TrimSpace(env.Text) != long || env.GetHeader("Subject") != long || env.GetHeader("X-Long") != long {
		t.Error("text was lost")
	}
	_, err := Compose(Draft{From: alice, To: []Mailbox{bob}, AddHeaders: []Header{{"References", long}}})
	if err == nil || !strings.Contains(err.Error(), "References") {
		t.Error(err)
	}
}

func TestGuardUTF8Addresses(t *testing.T) {
	li := Mailbox{Name: "李", Local: "李明", Domain: "xn--r8jz45g.example.net"}
	m := compose(t, Draft{From: alice, To: []Mailbox{li}, Text: "x"})
	b := read(t, m)
	sound(t, m, b)
	if !slices.Equal(m.Needs(), []string{"SMTPUTF8"}) || !bytes.Contains(b, []byte("<李明@例え.example.net>")) {
		t.Errorf("%v\n%s", m.Needs(), b)
	}
	m = compose(t, Draft{From: alice, To: []Mailbox{bob}, AddHeaders: []Header{{"Reply-To", "Jürgen <j@bücher.example>"}}})
	if b := read(t, m); m.Needs() != nil || !ascii(b) || !bytes.Contains(b, []byte("<j@xn--bcher-kva.example>")) {
		t.Errorf("%v\n%s", m.Needs(), b)
	}
}

func TestGuardReaderUsedOnce(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 100<<10)
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Attachments: []Attachment{{Source: Reader(bytes.NewReader(data)), Name: "a.bin"}}})
	for range 2 {
		b := read(t, m)
		sound(t, m, b)
		if env := parse(t, b); !bytes.Equal(env.Attachments[0].Content, data) {
			t.Error("content differs")
		}
	}
	if m.Close() != nil {
		t.Error("close")
	}
}

func TestGuardHeaderOrder(t *testing.T) {
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, UserAgent: "ehlo",
		Headers:    []Header{{"subject", "new"}, {"X-B", "1"}, {"x-b", "2"}},
		AddHeaders: []Header{{"X-A", "1"}, {"X-A", "2"}, {"X-Ü-not", ""}}[:2]})
	var names []string
	for _, h := range m.Headers() {
		names = append(names, h.Name)
	}
	want := []string{"Date", "From", "To", "subject", "Message-ID", "User-Agent", "x-b", "X-A", "X-A", "MIME-Version", "Content-Type"}
	if !slices.Equal(names, want) {
		t.Error(names)
	}
	if !slices.Equal(m.Header("x-a"), []string{"1", "2"}) || !slices.Equal(m.Header("Subject"), []string{"new"}) || !slices.Equal(m.Header("X-B"), []string{"2"}) {
		t.Error(m.Headers())
	}
	if _, err := Compose(Draft{From: alice, AddHeaders: []Header{{"from", "x@y"}}}); err == nil {
		t.Error("a second From passes")
	}
}

func TestGuardFileNames(t *testing.T) {
	for _, name := range []string{"a.txt", "grüße.pdf", `qu"o\te.txt`, "a b.txt", "a  b.txt", " lead", strings.Repeat("長い名前", 40) + ".pdf",
		strings.Repeat("n", 255), "100%.txt", "a*b'c.txt", "semi;colon=.txt", "=?utf-8?q?x?=", "😀.png"} {
		m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Attachments: []Attachment{{Source: Bytes([]byte("x")), Name: name}}})
		b := read(t, m)
		sound(t, m, b)
		head := string(b[bytes.LastIndex(b, []byte("Content-Disposition")):])
		if !ascii(name) && (!strings.Contains(head, "*=utf-8''") || strings.Contains(head, "=?")) {
			t.Errorf("%q is not by RFC 2231: %s", name, head)
		}
		for line := range strings.SplitSeq(head, "\r\n") {
			if len(line) > 78 {
				t.Errorf("line of %d: %s", len(line), line)
			}
		}
		if got := parse(t, b).Attachments[0].FileName; got != name && !strings.Contains(name, "=?") {
			t.Errorf("%q read as %q", name, got)
		}
	}
}

func TestGuardBareLF(t *testing.T) {
	m := compose(t, Draft{From: alice, To: []Mailbox{bob}, Text: "a\nb\rc\r\nd\n\re"})
	b := read(t, m)
	sound(t, m, b)
	if !bytes.HasSuffix(b, []byte("\r\n\r\na\r\nb\r\nc\r\nd\r\n\r\ne\r\n")) {
		t.Errorf("%q", b)
	}
}

func TestGuardMessageID(t *testing.T) {
	one, two := compose(t, Draft{From: alice, To: []Mailbox{bob}, Date: when}), compose(t, Draft{From: alice, To: []Mailbox{bob}, Date: when, Host: "host.test"})
	if a, b := one.ID(), two.ID(); !strings.HasPrefix(a, "<20261122011402.") || !strings.HasSuffix(a, "@example.com>") || !strings.HasSuffix(b, "@host.test>") || a[:33] == b[:33] {
		t.Error(a, b)
	}
}

// atEnd gives its octets together with io.EOF, as a reader may.
type atEnd struct{ b []byte }

func (r *atEnd) Read(p []byte) (int, error) {
	n := copy(p, r.b)
	if r.b = r.b[n:]; len(r.b) == 0 {
		return n, io.EOF
	}
	return n, nil
}

func TestGuardBytesWithEOF(t *testing.T) {
	for _, n := range []int{1, 100, 7295, 7296, 7297, 20000, 300 << 10} {
		data := bytes.Repeat([]byte("a"), n)
		p := base64Stretch(stretch{int64(n), func() (io.ReadCloser, error) { return io.NopCloser(&atEnd{data}), nil }})
		got, err := p.read()
		if err != nil || int64(len(got)) != p.size {
			t.Errorf("%d octets became %d, want %d: %v", n, len(got), p.size, err)
		}
		if back, err := base64.StdEncoding.DecodeString(string(got)); err != nil || !bytes.Equal(back, data) {
			t.Errorf("%d octets differ: %v", n, err)
		}
	}
}
