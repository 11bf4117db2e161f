//go:build linux

package dialog

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
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
				if !bytes.Equal(decodePEM([]byte(body)), c.Raw) {
					t.Errorf("lines of %d, %q: another certificate", width, end)
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
