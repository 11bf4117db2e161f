package dialog

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// minMasked is the length of the shortest secret that is looked for: a shorter
// one stands in every second reply by chance.
const minMasked = 4

// masker hides secrets that a server repeats: as they are, in base64 (alone or
// within something longer), in hex, or with any of their characters escaped. It
// does not look at case, as servers put what they quote in capitals.
//
// The zero masker hides nothing. It is safe for concurrent use.
type masker struct {
	mu      sync.Mutex
	secrets []string          // in lower case, as everything here
	plain   []string          // what is hidden as it stands
	coded   []string          // the inner characters of base64
	written map[rune][]string // the ways to write a character
	begins  [256]bool         // the bytes with which anything hidden begins
}

// Add has secrets hidden from now on.
func (m *masker) Add(secrets ...transcript.Secret) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, secret := range secrets {
		value := secret.Reveal()
		s := lower([]byte(value))
		if len(s) < minMasked || slices.Contains(m.secrets, s) {
			continue
		}
		m.secrets = append(m.secrets, s)
		m.plain = append(m.plain, s, fmt.Sprintf("%x", value))
		for _, form := range base64Forms(value) {
			m.coded = append(m.coded, lower([]byte(form)))
		}
		if m.written == nil {
			m.written = map[rune][]string{}
		}
		for _, c := range s {
			m.written[c] = nil
			for _, r := range []rune{unicode.ToUpper(c), unicode.ToLower(c)} {
				m.written[c] = append(m.written[c], forms(r)...)
			}
		}
		first, _ := utf8.DecodeRuneInString(s)
		for _, form := range slices.Concat(m.written[first], m.plain, m.coded) {
			m.begins[form[0]] = true
		}
		m.begins[s[0]] = true
	}
}

// Hide gives text with every secret in it replaced, and whether there was one. A
// text without any is returned as it is.
func (m *masker) Hide(text []byte) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.secrets) == 0 {
		return text, false
	}
	small := lower(text)
	var out []byte
	done := 0
	for i := 0; i < len(text); {
		n := 0
		if m.begins[small[i]] {
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
		out = append(append(out, text[done:from]...), transcript.Hidden...)
		i += n
		done = i
	}
	if done == 0 {
		return text, false
	}
	return append(out, text[done:]...), true
}

// at is the length of the longest secret that text begins with, 0 for none.
func (m *masker) at(text string) int {
	longest := 0
	for _, form := range m.plain {
		if strings.HasPrefix(text, form) {
			longest = max(longest, len(form))
		}
	}
	for _, s := range m.secrets {
		longest = max(longest, m.escaped(text, s))
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

// escaped is how much of text is s with its characters written in any of the
// ways that servers and their logs know, 0 if text does not begin with it.
func (m *masker) escaped(text, s string) int {
	n := 0
	for i, r := range s {
		taken := 0
		for _, form := range m.written[r] {
			if strings.HasPrefix(text[n:], form) {
				taken = len(form)
				break
			}
		}
		if r == utf8.RuneError { // a byte that is not UTF-8
			taken = 0
			if n < len(text) && text[n] == s[i] {
				taken = 1
			}
		}
		if taken == 0 {
			return 0
		}
		n += taken
	}
	return n
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

// forms are the ways to write a character, longest first where one begins with
// another: escaped byte by byte as in a URL, in quoted-printable and in C, by its
// number in HTML and JSON, behind a backslash, and as it is.
func forms(r rune) []string {
	var url, printable, hex, octal string
	for _, b := range []byte(string(r)) {
		url += fmt.Sprintf("%%%02x", b)
		printable += fmt.Sprintf("=%02x", b)
		hex += fmt.Sprintf("\\x%02x", b)
		octal += fmt.Sprintf("\\%03o", b)
	}
	all := []string{
		url, printable, hex, octal, fmt.Sprintf("&#%d;", r), fmt.Sprintf("&#x%x;", r),
		fmt.Sprintf("\\u%04x", r), fmt.Sprintf("\\u{%x}", r), "\\" + string(r), string(r),
	}
	for i := range all {
		all[i] = lower([]byte(all[i]))
	}
	switch r {
	case '&':
		all = append([]string{"&amp;"}, all...)
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
