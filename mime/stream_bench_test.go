package mime

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkFile judges a big file that is a whole message, and then reads it as
// a body is read that is sent.
func BenchmarkFile(b *testing.B) {
	const size = 16 << 20
	for _, end := range []string{"\r\n", "\n"} {
		line := strings.Repeat("0123456789abcde\t", 4) + "0123456789ab" + end
		text := append([]byte("From: <a@x.test>"+end+end), bytes.Repeat([]byte(line), size/len(line))...)
		path := filepath.Join(b.TempDir(), "big.eml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			b.Fatal(err)
		}
		name := strings.NewReplacer("\r", "CR", "\n", "LF").Replace(end)
		b.Run(name+"/judge", func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Whole(File(path), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/read", func(b *testing.B) {
			m, err := Whole(File(path), Options{})
			if err != nil {
				b.Fatal(err)
			}
			block := make([]byte, 32<<10)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := m.Open()
				for err == nil {
					_, err = r.Read(block)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}
