package mime

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt": "a.txt", "gr\u00fc\u00dfe \u9577.pdf": "gr\u00fc\u00dfe \u9577.pdf", "../../etc/passwd": "passwd", `C:\Windows\a.exe`: "a.exe", "/": "part",
		"": "part", "..": "part", ".": "part", ".bashrc": "bashrc", "-rf": "_-rf", "... a": "a", "a.": "a", "a. . ": "a", "a\x00b": "a_b", "a\nb": "a_b", "a\u202egpj.exe": "a_gpj.exe",
		"a\u200bb": "a_b", "a\xffb": "a_b", "con": "_con", "CON.txt": "_CON.txt", "nul .txt": "_nul .txt", "com1.x.y": "_com1.x.y", "COM\u00b9": "_COM\u00b9", "com10": "com10",
		"a:b": "a_b", "a*?<>|\"b": "a______b", "\u00a0a": "_a",
		strings.Repeat("n", 300) + ".pdf": strings.Repeat("n", 196) + ".pdf", strings.Repeat("\u9577", 100) + ".pdf": strings.Repeat("\u9577", 65) + ".pdf",
	} {
		if got := safeName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzSafeName(f *testing.F) {
	for _, s := range []string{"../a", "con", strings.Repeat("\u9577", 100), ". .", "a/..\\b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := safeName(s)
		if got == "" || len(got) > nameMost || !utf8.ValidString(got) || strings.ContainsAny(got, `/\:`) || strings.Trim(got, ". ") == "" ||
			got[0] == '.' || !filepath.IsLocal(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q became %q", s, got)
		}
		if again := safeName(got); again != got {
			t.Fatalf("%q became %q, and that %q", s, got, again)
		}
	})
}

const parcel = partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\n\r\ntext\r\n" +
	"--b\r\nContent-Type: image/png; name=\"../a.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAw==\r\n" +
	"--b\r\nContent-Disposition: attachment; filename=a.png\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=01=\r\n=02\r\nx\r\n" +
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhi\r\n" +
	"--b--\r\n"

func list(all []Extracted) string {
	var s []string
	for _, x := range all {
		s = append(s, fmt.Sprintf("%s %s %d", x.Part, x.File, x.Size))
	}
	return strings.Join(s, ", ")
}

func TestExtract(t *testing.T) {
	r := load(t, []byte(parcel))
	for _, c := range []struct {
		ids   []string
		want  string
		files map[string]string
		err   string
	}{
		{nil, "1 part-1.txt 4, 2 a.png 4, 3 a-2.png 5, 4 part-4.eml 17",
			map[string]string{"part-1.txt": "text", "a.png": "\x00\x01\x02\x03", "a-2.png": "\x01\x02\r\nx", "part-4.eml": "Subject: in\r\n\r\nhi"}, ""},
		{[]string{"3"}, "3 a.png 5", map[string]string{"a.png": "\x01\x02\r\nx"}, ""},
		{[]string{"4.1"}, "4.1 part-4.1.txt 2", map[string]string{"part-4.1.txt": "hi"}, ""},
		{[]string{"1", "9", "4.TEXT"}, "1 part-1.txt 4", map[string]string{"part-1.txt": "text"}, "no part 9, 4.TEXT"},
	} {
		dir := t.TempDir()
		all, err := r.Extract(dir, c.ids...)
		if list(all) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: %s, %v", c.ids, list(all), err)
		}
		there, _ := os.ReadDir(dir)
		if len(there) != len(c.files) {
			t.Errorf("%v: %v", c.ids, there)
		}
		for name, want := range c.files {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || string(b) != want {
				t.Errorf("%s: %q, %v", name, b, err)
			}
			if info, err := os.Stat(filepath.Join(dir, name)); runtime.GOOS != "windows" && (err != nil || info.Mode() != 0o600) {
				t.Errorf("%s: %v", name, info.Mode())
			}
		}
	}
}

// TestExtractNeverOverwrites: not a file, nor what a link points to.
func TestExtractNeverOverwrites(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	for _, path := range []string{outside, filepath.Join(dir, "a.png")} {
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "a-2.png")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(outside+"-none", filepath.Join(dir, "a-3.png")); err != nil {
		t.Fatal(err)
	}
	all, err := load(t, []byte(parcel)).Extract(dir, "2", "3")
	if err != nil || list(all) != "2 a-4.png 4, 3 a-5.png 5" {
		t.Error(list(all), err)
	}
	for _, path := range []string{outside, filepath.Join(dir, "a.png")} {
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
	if _, err := os.Stat(outside + "-none"); err == nil {
		t.Error("written through a link")
	}
}

func TestExtractFails(t *testing.T) {
	if _, err := load(t, []byte(parcel)).Extract(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there passes")
	}
	dir := t.TempDir()
	many := partsHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Type: image/png; name=x\r\n\r\n\r\n", filesMost+1) + "--b--\r\n"
	all, err := load(t, []byte(many)).Extract(dir)
	if err == nil || !strings.Contains(err.Error(), "name the ones") || len(all) != filesMost {
		t.Error(len(all), err)
	}
	if there, _ := os.ReadDir(dir); len(there) != filesMost {
		t.Error(len(there))
	}
}

// TestExtractCut: a file that changed while it was read leaves no half of a part.
func TestExtractCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.eml")
	if err := os.WriteFile(path, []byte(parcel), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Load(File(path), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(parcel[:len(parcel)-50]), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := r.Extract(dir); err == nil {
		t.Error("a file that changed passes")
	}
	if there, _ := os.ReadDir(dir); len(there) > 0 {
		t.Error(there)
	}
}

// FuzzExtract: whatever the message says, files appear within the folder alone, and
// what was there stays.
func FuzzExtract(f *testing.F) {
	f.Add([]byte(parcel))
	f.Add([]byte(partsHead + "Content-Disposition: attachment; filename*0=\"..\"; filename*1=\"/x\"\r\n\r\nx"))
	f.Fuzz(func(t *testing.T, text []byte) {
		top := t.TempDir()
		dir := filepath.Join(top, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		all, err := load(t, text).Extract(dir)
		if err != nil {
			t.Fatalf("%v in %q", err, text)
		}
		there, _ := os.ReadDir(dir)
		up, _ := os.ReadDir(top)
		if len(there) != len(all) || len(up) != 1 {
			t.Fatalf("%v, %v of %q", there, up, text)
		}
		for _, x := range all {
			if info, err := os.Lstat(filepath.Join(dir, x.File)); err != nil || info.Size() != x.Size || x.File != filepath.Base(x.File) {
				t.Fatalf("%+v: %v in %q", x, err, text)
			}
		}
	})
}
