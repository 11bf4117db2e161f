package cmd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// aMatrix has a row of every kind: whole, of a long address, failed in the clear.
func aMatrix() matrix {
	ms := func(f float64) *float64 { return &f }
	left, expired := 61, -20
	return matrix{Rows: []stages{
		{pref: "10", Host: "mx1.good.test", Address: "192.0.2.10", ConnectMS: ms(40.7), BannerMS: ms(1.3), HandshakeMS: ms(12), Code: 220,
			TLS: "TLS 1.3", Certificate: "verified", Left: &left, DANE: "match"},
		{pref: "10", Host: "mx1.good.test", Address: "2001:db8:ffff::10", ConnectMS: ms(0.3), BannerMS: ms(84), HandshakeMS: ms(9.1), Code: 220,
			TLS: "TLS 1.3", Certificate: "verified", Left: &left, DANE: "match"},
		{pref: "20", Host: "mail.mx2.good.test", Address: "127.88.1.9", ConnectMS: ms(0.3), BannerMS: ms(2), Code: 220, DANE: "no-tls",
			broken: &verdict{Sentence: "the TLSA records of mail.mx2.good.test promise TLS, and it has none"}},
		{pref: "30", Host: "mx3.good.test", Address: "127.88.1.10", ConnectMS: ms(1240), BannerMS: ms(1), HandshakeMS: ms(30), Code: 220,
			TLS: "TLS 1.2", Certificate: "name, dates", Left: &expired, DANE: "no-answer"},
		{pref: "40", Host: "mx4.good.test", Address: "127.88.1.11", DANE: "insecure", Error: "x", failed: "refused the connection"},
	}}
}

func drawn(t *testing.T, m matrix, o transcript.Options) string {
	t.Helper()
	var b strings.Builder
	sink, err := transcript.New(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	sink.Write(transcript.Record{Event: m})
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestMatrixWidths: at every width each row has all that it has in a pipe, its columns
// stand apart, and no line is longer than the terminal.
func TestMatrixWidths(t *testing.T) {
	m := aMatrix()
	for width := 40; width <= 200; width++ {
		for _, ascii := range []bool{false, true} {
			got := drawn(t, m, transcript.Options{Width: width, ASCII: ascii})
			blocks := regexp.MustCompile(`(?m)^ {6}(?:\d)`).Split(got, -1)
			if len(blocks) != len(m.Rows)+1 {
				t.Fatalf("%d columns: %d rows of %d:\n%s", width, len(blocks)-1, len(m.Rows), got)
			}
			for i, s := range m.Rows {
				block := strings.Join(strings.Fields(blocks[i+1]), " ") + " "
				cells := slices.Clone(s.lines()[0].Cells)
				if ascii {
					for c := range cells {
						cells[c] = strings.ReplaceAll(cells[c], "–", "-")
					}
				}
				first, _, _ := strings.Cut(blocks[i+1], "\n")
				for c, cell := range regexp.MustCompile(` {2,}`).Split(first, -1)[1:] {
					if cell != cells[c+1] {
						t.Errorf("%d columns: row %d has %q for %q:\n%s", width, i, cell, cells[c+1], got)
					}
				}
				for _, cell := range cells[1:] {
					if !strings.Contains(block, " "+cell+" ") {
						t.Errorf("%d columns: row %d lacks %q:\n%s", width, i, cell, got)
					}
				}
			}
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width && !isFinding(line) {
					t.Errorf("%d columns: a line of %d: %s", width, n, line)
				}
			}
		}
	}
}

// isFinding reports whether a line is of a finding: those are laid out for 60 columns
// at least.
func isFinding(line string) bool {
	return strings.HasPrefix(line, "  ✗") || strings.HasPrefix(line, "  x")
}

// TestMatrixDrawn shows the matrix on terminals.
func TestMatrixDrawn(t *testing.T) {
	m := aMatrix()
	m.Rows = slices.Delete(m.Rows, 1, 2) // the table is too wide for 100 columns with it
	m.Rows[1].Host = "mx2.good.test"
	tests := map[int]string{
		40: `    PREF  HOST           ADDRESS
      10  mx1.good.test  192.0.2.10
          connect 41 ms ·
          banner 1.3 ms ·
          handshake 12 ms · tls 1.3 ·
          certificate verified, 61
          days · dane match
`,
		60: `    PREF  HOST           ADDRESS      CONNECT  BANNER
      10  mx1.good.test  192.0.2.10   41 ms    1.3 ms
          handshake 12 ms · tls 1.3 ·
          certificate verified, 61 days · dane match
`,
		80: `    PREF  HOST           ADDRESS      CONNECT  BANNER  HANDSHAKE  TLS
      10  mx1.good.test  192.0.2.10   41 ms    1.3 ms  12 ms      1.3
          certificate verified, 61 days · dane match
`,
		100: `    PREF  HOST           ADDRESS      CONNECT  BANNER  HANDSHAKE  TLS  CERTIFICATE        DANE
      10  mx1.good.test  192.0.2.10   41 ms    1.3 ms  12 ms      1.3  verified, 61 days  match
      20  mx2.good.test  127.88.1.9   0.3 ms   2.0 ms  –            –  –                  no-tls
`,
		200: `    PREF  HOST           ADDRESS      CONNECT  BANNER  HANDSHAKE  TLS  CERTIFICATE        DANE
      10  mx1.good.test  192.0.2.10   41 ms    1.3 ms  12 ms      1.3  verified, 61 days  match
`,
		0: `    PREF  HOST           ADDRESS      CONNECT  BANNER  HANDSHAKE  TLS  CERTIFICATE        DANE
      10  mx1.good.test  192.0.2.10   41 ms    1.3 ms  12 ms      1.3  verified, 61 days  match
`,
	}
	for width, want := range tests {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			got := drawn(t, m, transcript.Options{Width: width})
			if !strings.HasPrefix(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
