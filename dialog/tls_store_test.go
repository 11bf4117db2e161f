//go:build linux

package dialog

import (
	"encoding/pem"
	"os"
	"path/filepath"
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
		{"in a directory, without a file", none, full, []*holder{p.leaf, p.ca}, true},
		{"nowhere", one, empty, []*holder{p.leaf, p.ca}, false},
		{"no store", none, empty, []*holder{p.leaf, p.ca}, false},
	} {
		t.Setenv("SSL_CERT_FILE", c.file)
		t.Setenv("SSL_CERT_DIR", c.dir)
		in := &inspection{TLS: TLS{Name: "mx.test", System: new(Store)}, now: noon, sent: certificates(c.chain)}
		in.prove()
		if in.path.anchored != c.want {
			t.Errorf("%s: %v, want %v", c.name, in.path.anchored, c.want)
		}
	}
}
