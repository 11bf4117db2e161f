//go:build linux

package dialog

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStore: what the system's store proves is proved by the part of it that is read,
// whether the authority stands in its file or in a directory, and nothing else is.
func TestStore(t *testing.T) {
	p := newPKI(t)
	dir := t.TempDir()
	file := func(name string, certs ...*holder) string {
		var text []byte
		for _, c := range certs {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	both, one, none := file("both.pem", p.other, p.root), file("one.pem", p.other), filepath.Join(dir, "none.pem")
	long := template("Root "+strings.Repeat("with a long name ", 40), true)
	named := issue(t, long, ecKeys()[0], nil)
	below := issue(t, template("mx.test", false), ecKeys()[1], named)
	longs := file("long.pem", p.other, named)
	full, empty := filepath.Dir(file("full/ca.pem", p.root)), filepath.Join(dir, "empty")
	for _, c := range []struct {
		name, file, dir string
		chain           []*holder
		want            bool
	}{
		{"in the file", both, empty, []*holder{p.leaf, p.ca}, true},
		{"with the authority sent", both, empty, []*holder{p.leaf, p.ca, p.root}, true},
		{"the authority itself", both, empty, []*holder{p.root}, true},
		{"in a directory alone", one, full, []*holder{p.leaf, p.ca}, true},
		{"in a directory alone, with one sent twice", one, full, []*holder{p.leaf, p.ca, p.ca}, true},
		{"in a directory, without a file", none, full, []*holder{p.leaf, p.ca}, true},
		{"by a name that takes more than the head", longs, empty, []*holder{below}, true},
		{"nowhere", one, empty, []*holder{p.leaf, p.ca}, false},
		{"no store", none, empty, []*holder{p.leaf, p.ca}, false},
	} {
		t.Setenv("SSL_CERT_FILE", c.file)
		t.Setenv("SSL_CERT_DIR", c.dir)
		in := &inspection{TLS: TLS{Name: "mx.test"}, now: noon, sent: certificates(c.chain)}
		in.prove()
		if in.path.anchored != c.want {
			t.Errorf("%s: %v, want %v", c.name, in.path.anchored, c.want)
		}
		for i, remark := range in.remarks {
			if slices.Contains(in.remarks[:i], remark) {
				t.Errorf("%s: said twice: %s", c.name, remark)
			}
		}
	}
}

// TestRenewed: an authority that has expired in the store's file may be renewed in a directory.
func TestRenewed(t *testing.T) {
	keys, dir := ecKeys(), t.TempDir()
	expired := template("Renewed Root", true)
	expired.NotAfter = noon.Add(-aDay)
	old, renewed := issue(t, expired, keys[0], nil), issue(t, template("Renewed Root", true), keys[0], nil)
	leaf := issue(t, template("mx.test", false), keys[1], renewed)
	for name, c := range map[string]*holder{"old.pem": old, "new/ca.pem": renewed} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SSL_CERT_FILE", filepath.Join(dir, "old.pem"))
	for _, c := range []struct {
		dir  string
		want bool
	}{{"new", true}, {"empty", false}} {
		t.Setenv("SSL_CERT_DIR", filepath.Join(dir, c.dir))
		in := &inspection{TLS: TLS{Name: "mx.test"}, now: noon, sent: certificates([]*holder{leaf})}
		if got := proven(in.prove()); got != c.want {
			t.Errorf("%s: %v, want %v", c.dir, got, c.want)
		}
	}
}

// TestUnreadStore: a store that cannot be read is said to be the reason.
func TestUnreadStore(t *testing.T) {
	p, dir := newPKI(t), t.TempDir()
	t.Setenv("SSL_CERT_DIR", filepath.Join(dir, "none"))
	for path, want := range map[string]string{filepath.Join(dir, "gone.pem"): "no such file", dir: "not a file", "/dev/zero": "not a file"} {
		t.Setenv("SSL_CERT_FILE", path)
		in := &inspection{TLS: TLS{Name: "mx.test"}, now: noon, sent: certificates([]*holder{p.leaf, p.ca})}
		if v := in.prove()[2]; v.OK || !strings.Contains(v.Text, path) || !strings.Contains(v.Text, want) {
			t.Errorf("%s: %+v", path, v)
		}
	}
}

// layouts are files that say the root of p in many ways, or seem to.
func layouts(p pki) []string {
	block := func(c *holder) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	root, other := block(p.root), block(p.other)
	first, _, _ := strings.Cut(root, "\n")
	return []string{
		"", root, other + root, root + other, root + root, strings.ReplaceAll(other+root, "\n", "\r\n"),
		"# a comment\n" + other + "# another: one\n" + root + "the end",
		other + "#" + root, strings.ReplaceAll(root, "-----BEGIN", "# -----BEGIN"), strings.ReplaceAll(root, "-----END", "#-----END"),
		strings.ReplaceAll(root, "\n", "\n  "), " " + root, strings.ReplaceAll(root, "\n", "\r"), strings.ReplaceAll(root, "\n", ""),
		other[:300] + "\n" + root, other[:300] + root, root[:len(root)-40], root[:len(root)-1], root[:len(root)-1] + other, root + other[:100],
		first + " is how it begins\n" + root, "\ufeff" + root, "\ufeff\n" + root, strings.Replace(root, "\n-----END", "\n!!\n-----END", 1),
		strings.Replace(root, first, first+"\nProc-Type: 4,ENCRYPTED\n", 1), strings.Replace(root, first, first+"\nName: a\n", 1),
		strings.Replace(root, "M", "\vM", 1), strings.Replace(root, "M", "\u00a0M", 1), strings.Replace(root, "M", " \tM", 1),
		strings.ReplaceAll(other, "CERTIFICATE", "TRUSTED CERTIFICATE") + root, strings.ReplaceAll(root, "CERTIFICATE", "X509 CRL") + other,
		strings.Repeat("a word\n", maxCertificate/4) + root, "-----\n" + root, "-----BEGIN \n" + root, first + "\n-----END CERTIFICATE-----\n" + root,
	}
}

// TestLayouts: of a file ehlo sees what crypto/x509 sees, however it is laid out.
func TestLayouts(t *testing.T) {
	p, path := newPKI(t), filepath.Join(t.TempDir(), "store.pem")
	for i, text := range layouts(p) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := x509.NewCertPool()
		want.AppendCertsFromPEM([]byte(text))
		s := systemStore{chain: certificates([]*holder{p.root, p.other}), found: x509.NewCertPool()}
		if _, _, err := s.read(path); err != nil || !s.found.Equal(want) {
			t.Errorf("%d: not what crypto/x509 reads (%v): %.200q", i, err, text)
		}
	}
}

// FuzzLayouts: a file that is found to be plain reads the same by encoding/pem.
func FuzzLayouts(f *testing.F) {
	p := newPKI(f)
	s := systemStore{chain: certificates([]*holder{p.root, p.other})}
	for _, text := range layouts(p) {
		if len(text) < 1<<14 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, got, plain := s.scan(bytes.NewReader(text))
		if !plain {
			return
		}
		_, want, err := s.decode(bytes.NewReader(text))
		if err != nil || !slices.EqualFunc(got, want, (*x509.Certificate).Equal) {
			t.Errorf("%d certificates, want %d (%v)", len(got), len(want), err)
		}
	})
}

// TestSubject: the head of a certificate has the subject that crypto/x509 sees, or none.
func TestSubject(t *testing.T) {
	p := newPKI(t)
	for _, c := range []*holder{p.root, p.ca, p.leaf} {
		for n := range len(c.Raw) + 1 {
			if got := subjectOf(c.Raw[:n]); got != nil && !bytes.Equal(got, c.RawSubject) {
				t.Fatalf("%d octets: %x, want %x", n, got, c.RawSubject)
			}
		}
		if subjectOf(c.Raw) == nil {
			t.Error("no subject in a whole certificate")
		}
	}
}

// TestSubjectIn: however the text of a certificate is laid out, it is the same certificate.
func TestSubjectIn(t *testing.T) {
	p := newPKI(t)
	for _, c := range []*holder{p.root, p.leaf} {
		text := base64.StdEncoding.EncodeToString(c.Raw)
		for _, width := range []int{64, 76, 63, 4, len(text)} {
			for _, end := range []string{"\n", "\r\n", " \t\n"} {
				body := end
				for line := range slices.Chunk([]byte(text), width) {
					body += string(line) + end
				}
				if got := subjectIn([]byte(body), nil); !bytes.Equal(got, c.RawSubject) {
					t.Errorf("lines of %d, %q: %x, want %x", width, end, got, c.RawSubject)
				}
				if der, err := decodePEM([]byte(body)); err != nil || !bytes.Equal(der, c.Raw) {
					t.Errorf("lines of %d, %q: another certificate, %v", width, end, err)
				}
			}
		}
	}
}

// FuzzSubject: where crypto/x509 reads a certificate, both see one subject; nothing else
// breaks the reader.
func FuzzSubject(f *testing.F) {
	f.Add(newPKI(f).ca.Raw)
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		got := subjectOf(der)
		if c, err := x509.ParseCertificate(der); err == nil && !bytes.Equal(got, c.RawSubject) {
			t.Errorf("%x, want %x", got, c.RawSubject)
		}
		body := pem.EncodeToMemory(&pem.Block{Bytes: der})
		if in := subjectIn(body[bytes.IndexByte(body, '\n'):], nil); len(der) >= 192 && !bytes.Equal(in, got) {
			t.Errorf("in a file %x, want %x", in, got)
		}
	})
}
