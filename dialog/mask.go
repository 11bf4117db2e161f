package dialog

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// minMasked is the length of the shortest secret that is looked for: a shorter
// one stands in every second reply by chance.
const minMasked = 4

// minForeseen is that of one that is looked for before the server was told it.
const minForeseen = 8

// masker hides secrets that a server repeats: as they are, in base64 (alone or
// within something longer), in hex, or with any of their characters escaped. It
// does not look at case, as servers put what they quote in capitals.
//
// The zero masker hides nothing. It is safe for concurrent use.
type masker struct {
	mu      sync.Mutex
	secrets []string            // in lower case, as everything here
	plain   []string            // what is hidden as it stands
	coded   []string            // the inner characters of base64
	written [][][]string        // for each secret, the ways to write each of its characters
	chars   map[string][]string // the ways to write a character
	begins  map[string]bool     // the two bytes with which anything hidden begins
}

// Add has secrets hidden from now on.
func (m *masker) Add(secrets ...transcript.Secret) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chars == nil {
		m.chars, m.begins = map[string][]string{}, map[string]bool{}
	}
	for _, secret := range secrets {
		value := secret.Reveal()
		s := lower([]byte(value))
		if len(s) < minMasked || slices.Contains(m.secrets, s) {
			continue
		}
		m.secrets = append(m.secrets, s)
		m.plain = append(m.plain, s)
		for _, between := range []string{"", " ", ":", "-"} {
			m.plain = append(m.plain, hexed(value, between))
		}
		for _, form := range append(base64Forms(value), base64Forms(wide(value))...) {
			m.coded = append(m.coded, lower([]byte(form)))
		}
		written := m.spellings(s)
		m.written = append(m.written, written)
		for _, form := range slices.Concat(m.plain, m.coded, written[0]) {
			if len(form) > 1 {
				m.begins[form[:2]] = true
				continue
			}
			for _, second := range written[1] {
				m.begins[form+second[:1]] = true
			}
		}
	}
}

// empty reports whether there is nothing to hide.
func (m *masker) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.secrets) == 0
}

// stretch is a part of a text.
type stretch struct{ from, to int }

// Hide gives text with every secret in it replaced, and whether there was one. A
// text without any is returned as it is.
func (m *masker) Hide(text []byte) ([]byte, bool) {
	found := m.find(text)
	if len(found) == 0 {
		return text, false
	}
	var out []byte
	done := 0
	for _, s := range found {
		out = append(append(out, text[done:s.from]...), transcript.Hidden...)
		done = s.to
	}
	return append(out, text[done:]...), true
}

// find gives the parts of text that are secrets, from the first to the last.
func (m *masker) find(text []byte) []stretch {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.secrets) == 0 {
		return nil
	}
	small := lower(text)
	var found []stretch
	done := 0
	for i := 0; i+minMasked <= len(text); {
		n := 0
		if m.begins[small[i:i+2]] {
			n = m.at(small[i:])
		}
		if n == 0 {
			i++
			continue
		}
		// A character of base64 at either end holds bits of the secret too.
		from := i
		if coded := m.codedAt(small[i:]); coded == n {
			if from > done && isBase64(small[from-1]) {
				from--
			}
			for end := i + n; i+n < len(text) && (i+n == end && isBase64(small[i+n]) || small[i+n] == '='); {
				n++
			}
		}
		i += n
		done = i
		found = append(found, stretch{from, done})
	}
	return found
}

// at is the length of the longest secret that text begins with, 0 for none.
func (m *masker) at(text string) int {
	longest := 0
	for _, form := range m.plain {
		if strings.HasPrefix(text, form) {
			longest = max(longest, len(form))
		}
	}
	for _, written := range m.written {
		longest = max(longest, spelled(text, written))
	}
	return max(longest, m.codedAt(text))
}

// codedAt is how much of text is a secret in base64.
func (m *masker) codedAt(text string) int {
	longest := 0
	for _, form := range m.coded {
		if strings.HasPrefix(text, form) {
			longest = max(longest, len(form))
		}
	}
	return longest
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// spelled is how much of text is a secret with each of its characters in any of
// the ways in which it may be written, 0 if text does not begin with it.
func spelled(text string, written [][]string) int {
	// What is raw in one writing begins an escape in another: "%20", "&amp;". So
	// each character may end at several places.
	const most = 4
	var places, next [most]int
	n := 1
	for _, forms := range written {
		k := 0
		for _, at := range places[:n] {
			for _, form := range forms {
				end := at + len(form)
				if end > len(text) || form[0] != text[at] || text[at:end] != form {
					continue
				}
				if k < most && !slices.Contains(next[:k], end) {
					next[k] = end
					k++
				}
			}
		}
		if k == 0 {
			return 0
		}
		places, n = next, k
	}
	return slices.Max(places[:n])
}

// hexed is s in hex, with something between the bytes.
func hexed(s, between string) string {
	list := make([]string, len(s))
	for i := range len(s) {
		list[i] = fmt.Sprintf("%02x", s[i])
	}
	return strings.Join(list, between)
}

// wide is s in UTF-16, as NTLM has it.
func wide(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

// base64Forms are the characters that s surely leads to in base64, wherever in a
// longer text it stands, in both alphabets (RFC 4648).
func base64Forms(s string) []string {
	var forms []string
	for before := range 3 {
		// Bits of the neighbours are in the first and the last character.
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
		from := []int{0, 2, 3}[before]
		to := (before + len(s)) * 8 / 6
		form := text[from:to]
		forms = append(forms, form, strings.NewReplacer("+", "-", "/", "_").Replace(form))
	}
	return forms
}

// spellings are the ways to write each character of s in turn; a byte that is not
// UTF-8 is one of ISO 8859-1.
func (m *masker) spellings(s string) [][]string {
	var all [][]string
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = rune(s[0])
		}
		written, known := m.chars[s[:n]]
		if !known {
			written = forms(s[:n], r)
			for _, other := range []rune{unicode.ToUpper(r), unicode.ToLower(r)} {
				if other != r && utf8.ValidString(s[:n]) {
					written = append(written, forms(string(other), other)...)
				}
			}
			m.chars[s[:n]] = written
		}
		all = append(all, written)
		s = s[n:]
	}
	return all
}

// forms are the ways to write char, which is r: escaped byte by byte as in a URL,
// in quoted-printable and in C, by its number in HTML, C and JSON, behind a
// backslash, and as it is.
func forms(char string, r rune) []string {
	var url, printable, hex, octal string
	for _, b := range []byte(char) {
		url += fmt.Sprintf("%%%02x", b)
		printable += fmt.Sprintf("=%02x", b)
		hex += fmt.Sprintf("\\x%02x", b)
		octal += fmt.Sprintf("\\%03o", b)
	}
	all := []string{
		lower([]byte(char)), "\\" + lower([]byte(char)), url, printable, hex, octal,
		fmt.Sprintf("&#%d;", r), fmt.Sprintf("&#%04d;", r), fmt.Sprintf("&#%03d;", r), fmt.Sprintf("&#x%x;", r), fmt.Sprintf("&#%d", r),
		string(r) + "\x00", fmt.Sprintf("\\u{%x}", r), fmt.Sprintf("\\u%08x", r),
	}
	json := ""
	for _, unit := range utf16.Encode([]rune{r}) {
		json += fmt.Sprintf("\\u%04x", unit)
	}
	all = append(all, json)
	switch r {
	case '&':
		all = append(all, "&amp;")
	case '<':
		all = append(all, "&lt;")
	case '>':
		all = append(all, "&gt;")
	case '"':
		all = append(all, "&quot;")
	case '\'':
		all = append(all, "&apos;")
	case ' ':
		all = append(all, "+", "_")
	}
	return all
}

// lower puts ASCII letters in lower case: every byte stays where it is.
func lower(text []byte) string {
	small := bytes.Clone(text)
	for i, c := range small {
		if 'A' <= c && c <= 'Z' {
			small[i] = c - 'A' + 'a'
		}
	}
	return string(small)
}
