package mime

import (
	"bytes"
	"io"
	stdmime "mime"
	"net/mail"
	"strings"
	"testing"
)

// scripts is one text of each way of writing.
func scripts() map[string]string {
	return map[string]string{
		"ascii": "plain words", "latin": "Grüße aus Ærø, naïve façade", "greek": "Καλημέρα κόσμε", "cyrillic": "Привет, мир",
		"cjk": "日本語の件名と中文標題和한국어제목", "emoji": "😀 ok 🎉", "zwj": "👨‍👩‍👧‍👦 and 🏳️‍🌈", "rtl": "שלום עולם مرحبا بالعالم",
		"combining": "e\u0301a\u0308o\u0302 Zalgo", "long": strings.Repeat("長い件名 und mehr ", 30) + "end", "odd": `a "b" \c, (d) <e>; f:g @ =?x?=`,
	}
}

// Header fields, names and bodies come back as they went in, from every form, by
// readers that are not ours.
func TestScripts(t *testing.T) {
	for name, s := range scripts() {
		for _, set := range []string{"", "utf-8", "iso-8859-1", "iso-2022-jp", "gb18030"} {
			t.Run(name+"/"+set, func(t *testing.T) {
				file := strings.NewReplacer("=?", "", "/", "").Replace(s) // enmime decodes words even here
				d := Draft{
					From: Mailbox{Name: s, Local: "alice", Domain: "example.com"}, To: []Mailbox{{Name: s, Local: "bob", Domain: "example.net", Group: s}},
					Subject: s, Text: "body\n", HTML: "<p>" + s, Charset: set, Date: when,
					Attachments: []Attachment{{Source: Bytes([]byte(s)), Name: file + ".txt"}},
					AddHeaders:  []Header{{"X-Text", s}},
				}
				if set == "utf-8" || set == "" || set == "gb18030" {
					d.Text = s + "\n"
					d.Bodies = []Body{{"text/markdown", "# " + s}}
				} else {
					d.HTML = ""
				}
				m := compose(t, d)
				for _, form := range m.Forms() {
					checkScript(t, form, d)
				}
			})
		}
	}
}

func checkScript(t *testing.T, m *Message, d Draft) {
	b := read(t, m)
	sound8(t, m, b)
	msg, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	words := stdmime.WordDecoder{CharsetReader: func(name string, r io.Reader) (io.Reader, error) {
		c, err := findCharset(name)
		if err != nil || c.by == nil {
			return r, err
		}
		return c.by.NewDecoder().Reader(r), nil
	}}
	for _, field := range []string{"Subject", "X-Text"} {
		if got, err := words.DecodeHeader(msg.Header.Get(field)); err != nil || got != d.Subject {
			t.Errorf("%s %q (%v), want %q", field, got, err, d.Subject)
		}
	}
	parser := mail.AddressParser{WordDecoder: &words}
	if from, err := parser.Parse(msg.Header.Get("From")); err != nil || from.Name != d.Subject {
		t.Errorf("From %v (%v), want %q", from, err, d.Subject)
	}
	if to, err := parser.ParseList(msg.Header.Get("To")); err != nil || len(to) != 1 || to[0].Name != d.Subject {
		t.Errorf("To %v (%v), want %q", to, err, d.Subject)
	}
	own, err := ParseList(m.Header("To")[0])
	if strings.HasPrefix(m.Header("To")[0], "=?utf-8?") && (err != nil || own[0] != d.To[0]) {
		t.Errorf("To %v (%v), want %v", own, err, d.To)
	}
	env := parse(t, b)
	if !sameText(env.Text, d.Text) && len(d.Bodies) == 0 {
		t.Errorf("text %q, want %q", env.Text, d.Text)
	}
	if want := d.HTML; want != "" && !sameText(strings.TrimSpace(env.HTML), want) {
		t.Errorf("html %q, want %q", env.HTML, want)
	}
	if len(env.Attachments) != 1 || env.Attachments[0].FileName != d.Attachments[0].Name || string(env.Attachments[0].Content) != d.Subject {
		t.Errorf("attachment %v, want %q", env.Attachments, d.Attachments[0].Name)
	}
}
