package mime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLineEndsInBulk: a body of many buffers with any line ends becomes the same in
// CR LF, is counted, and a fault in it is found at its place.
func TestLineEndsInBulk(t *testing.T) {
	r := rand.New(rand.NewPCG(5322, 1))
	const head = "From: <a@x.test>\r\n\r\n"
	for i := range 60 {
		var given, want strings.Builder
		lf, line, crlf := 0, 3, i%3 // in every third none is CR LF
		for given.Len() < 100_000 {
			text := strings.Repeat("x", [...]int{0, 1, 2, r.IntN(100), r.IntN(lineMost + 1), lineMost}[r.IntN(6)])
			end := "\n"
			if crlf > 0 && r.IntN(crlf*20) == 0 {
				end = "\r\n"
			} else {
				lf++
			}
			given.WriteString(text + end)
			want.WriteString(text + "\r\n")
			line++
		}
		m, err := Whole(Bytes([]byte(head+given.String())), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(read(t, m)); got != head+want.String() || m.Size() != int64(len(got)) || m.Needs() != nil {
			t.Fatalf("%d octets became %d, said to be %d, needing %q", given.Len(), len(got), m.Size(), m.Needs())
		}
		if note := fmt.Sprintf("%d LF line ends made CR LF", lf); m.Notes()[0] != note {
			t.Errorf("%q, not %q", m.Notes(), note)
		}
		rest := given.String()[:r.IntN(200)] + "\n"
		line8 := given.String() + "\xff\n" + rest
		if m, err = Whole(Bytes([]byte(head+line8)), Options{}); err != nil || len(m.Needs()) != 1 || m.Needs()[0] != "8BITMIME" {
			t.Errorf("%v, needs %q", err, m.Needs())
		}
		for fault, kind := range map[string]FaultKind{"\x00": NUL, "\rx": BareCR, strings.Repeat("y", lineMost+1): LongLine} {
			var f *Fault
			_, err := Whole(Bytes([]byte(head+given.String()+fault+"\n"+rest)), Options{})
			at := int64(len(head) + given.Len())
			if kind == LongLine {
				at += lineMost
			}
			if !errors.As(err, &f) || f.Kind != kind || f.Offset != at || f.Line != int64(line) {
				t.Errorf("%v, not line %d, offset %d", err, line, at)
			}
		}
	}
}

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
