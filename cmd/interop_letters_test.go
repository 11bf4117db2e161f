package cmd_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// noise is so many bytes that no encoding makes shorter, the same each time.
func noise(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// letters are the matrix.
func letters(t *testing.T) []letter {
	w := &writer{dir: t.TempDir(), t: t}
	for _, script := range []struct{ name, words, to, file string }{
		{"ASCII", `plain words, a "quotation", 100% more; (so) <it> @ goes \ on`, `Last, "First" (Nick)`, `a "b"; c\d=100% 'e'.bin`},
		{"Latin", "Grüße, naïve façade – Ærøskøbing Łódź ‰ € ſ", "Müller, Jürgen", "Übersicht ½ né.bin"},
		{"CJK", "東京からの挨拶、中文繁體簡体、한국어 문장입니다。𠮷野家", "李明 (東京)", "議事録；最終版 第2回.bin"},
		{"emoji", "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ☺️ 🇩🇪 🧑🏿‍🚀", "🦊 Fox", "📎 clip 👨‍💻.bin"},
		{"right-to-left", "שלום עולם, مرحبا بالعالم 123 (אבג) \u200fabc\u200e", "דוד المدير", "דוח שנתי ٢٠٢٦.bin"},
	} {
		body := script.words + "\n.\n..\nFrom here\n" + strings.Repeat(script.words+" ", 8) + "\ntrailing \t\n\n" + script.words + "\n"
		html := "<p>" + script.words + "</p>\n<img src=\"cid:image@client.test\">\n"
		titled := func(name string, more ...func(*letter)) {
			w.add(script.name+": "+name, append([]func(*letter){subject(script.words + ` =?utf-8?q?=C3=A4?= as it stands`), to(script.to), note(strings.Repeat(script.words+" ", 5) + ".")}, more...)...)
		}
		titled("a text", text(body))
		titled("two texts", text(body), markup(html))
		titled("everything", text(body), markup(html),
			w.inline("image/png", script.file, append([]byte("\x89PNG\r\n\x1a\n"), noise(200)...), "image@client.test"),
			w.calendar(script.words),
			w.attach("application/octet-stream", script.file, noise(57)),
			w.attach("text/plain", script.to+".txt", []byte(body)),
			w.attach("message/rfc822", script.to+".eml", message(script.words), leaf{Type: "text/plain", SHA256: sum([]byte(script.words + "\n.\nFrom here\n"))}))
		for _, encoding := range []string{"quoted-printable", "base64", "8bit"} {
			titled("by "+encoding, text(body), markup(html), encoded(encoding))
		}
	}
	w.add("by 7bit", subject("plain"), text("nothing but ASCII\n"), flags("--transfer-encoding", "7bit"))
	for charset, words := range map[string]string{
		"iso-8859-1": "Grüße, façade", "windows-1252": "„Grüße“ – 5 €", "iso-2022-jp": "東京からの挨拶", "shift_jis": "東京からの挨拶",
		"gb18030": "中文简体繁體", "koi8-r": "Привет, мир", "windows-1255": "שלום עולם",
	} {
		w.add("in "+charset, subject(words), to(words), text(words+"\n.\n"+words+"\n"), markup("<p>"+words+"</p>\n"), flags("--charset", charset))
	}
	w.add("HTML alone", subject("HTML"), markup("<p>so</p>\n"))
	w.add("no line end", subject("no line end"), text("äöü\n"), markup("<p>äöü</p>\n"), flags("--body", "äöü", "--html", "<p>äöü</p>"))
	w.add("a dot", subject("."), text(".\n"))
	w.add("long lines", subject(strings.Repeat("long ", 300)+"word"), text(strings.Repeat("x", 5000)+"\n"+strings.Repeat("ä", 5000)+"\n"))
	w.add("a word without end", subject(strings.Repeat("ü", 700)), to(strings.Repeat("ö", 300)), text("so\n"))
	w.add("1 MiB of text", subject("long"), text(strings.Repeat("äöü 東京 👍 words\n", 1<<20/30)))
	for _, size := range []int{0, 1, 56, 57, 58, 1 << 20, 5 << 20} {
		w.add(fmt.Sprintf("%d bytes", size), subject("size"), text("so\n"), w.attach("application/octet-stream", "noise.bin", noise(size)))
	}
	w.add("lines of all sorts", subject("lines"), text("so\n"),
		w.attach("text/plain", "crlf.txt", []byte("one\r\n.\r\ntwo\r\n\r\n")), w.attach("text/plain", "lf.txt", []byte("one\n.\ntwo")),
		w.attach("text/plain", "cr.txt", []byte("one\rtwo\n\r\x00\x01end")), w.attach("text/html", "page.html", []byte("<p>\xff\xfe</p>\n")))
	return w.letters
}

// message is one to attach.
func message(words string) []byte {
	return []byte("From: a@client.test\r\nSubject: =?utf-8?b?w6Q=?=\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: 8bit\r\n\r\n" + words + "\r\n.\r\nFrom here\r\n")
}

// writer makes letters, and the files that they are made of.
type writer struct {
	t       *testing.T
	dir     string
	files   int
	letters []letter
}

func (w *writer) add(name string, options ...func(*letter)) {
	l := letter{name: name, want: reading{From: [][2]string{{"", "sender@client.test"}}}}
	for _, option := range options {
		option(&l)
	}
	if l.want.To == nil {
		to("")(&l)
	}
	w.letters = append(w.letters, l)
}

// file is a new file.
func (w *writer) file(content []byte) string {
	w.files++
	path := filepath.Join(w.dir, fmt.Sprint(w.files))
	write(w.t, path, content)
	return "@" + path
}

// attach is a file, and what is within.
func (w *writer) attach(media, name string, content []byte, within ...leaf) func(*letter) {
	path := w.file(content)
	return func(l *letter) {
		l.flags = append(l.flags, "--attach-type", media, "--attach-name", name, "--attach", path)
		l.want.Parts = append(l.want.Parts, leaf{media, name, "attachment", "", sum(content), within})
	}
}

func (w *writer) inline(media, name string, content []byte, cid string) func(*letter) {
	path := w.file(content)
	return func(l *letter) {
		l.flags = append(l.flags, "--attach-type", media, "--attach-name", name, "--inline-cid", cid, "--inline", path)
		l.want.Parts = append(l.want.Parts, leaf{media, name, "inline", cid, sum(content), nil})
	}
}

// calendar is an invitation: the last of the alternatives, and the first of the files.
func (w *writer) calendar(words string) func(*letter) {
	content := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ehlo//test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@client.test\r\n" +
		"DTSTAMP:20261122T011402Z\r\nDTSTART:20261122T011402Z\r\nORGANIZER:mailto:sender@client.test\r\nSUMMARY:" + words + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	path := w.file([]byte(content))
	return func(l *letter) {
		l.flags = append(l.flags, "--calendar", path)
		l.want.Parts = append(l.want.Parts,
			leaf{Type: "text/calendar", SHA256: sum([]byte(strings.ReplaceAll(content, "\r\n", "\n")))},
			leaf{"application/ics", "invite.ics", "attachment", "", sum([]byte(content)), nil})
	}
}

func subject(words string) func(*letter) {
	return func(l *letter) {
		l.flags = append(l.flags, "--subject", words)
		l.want.Subject = words
	}
}

func to(name string) func(*letter) {
	return func(l *letter) {
		address := "alice@example.test"
		l.want.To = [][2]string{{name, address}}
		if name != "" {
			address = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" <` + address + ">"
		}
		l.flags = append(l.flags, "--to", address)
	}
}

func note(words string) func(*letter) {
	return func(l *letter) {
		l.flags = append(l.flags, "--header", "X-Note: "+words)
		l.want.Note = words
	}
}

func text(body string) func(*letter)   { return written("--body", "text/plain", body) }
func markup(body string) func(*letter) { return written("--html", "text/html", body) }

func written(flag, media, body string) func(*letter) {
	return func(l *letter) {
		l.flags = append(l.flags, flag, body)
		l.want.Parts = append(l.want.Parts, leaf{Type: media, SHA256: sum([]byte(body))})
	}
}

func encoded(encoding string) func(*letter) {
	return func(l *letter) {
		l.flags = append(l.flags, "--transfer-encoding", encoding)
		l.encoding = encoding
	}
}

func flags(list ...string) func(*letter) {
	return func(l *letter) { l.flags = append(l.flags, list...) }
}
