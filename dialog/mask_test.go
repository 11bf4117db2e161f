package dialog

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"mime/quotedprintable"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// echoes are the ways in which servers have been seen to repeat what they were
// sent.
func echoes(s string) map[string]string {
	var printable strings.Builder
	w := quotedprintable.NewWriter(&printable)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	quoted, _ := json.Marshal(s)
	ascii := strconv.QuoteToASCII(s)
	octal, numbers := "", ""
	for _, b := range []byte(s) {
		octal += fmt.Sprintf("\\%03o", b)
	}
	for _, r := range s {
		numbers += fmt.Sprintf("&#%d;", r)
	}
	return map[string]string{
		"raw":           s,
		"base64":        base64.StdEncoding.EncodeToString([]byte(s)),
		"base64url":     base64.RawURLEncoding.EncodeToString([]byte(s)),
		"within base64": base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + s)),
		"amid base64":   base64.StdEncoding.EncodeToString([]byte("no: " + s + " is wrong")),
		"hex":           fmt.Sprintf("%x", s),
		"HEX":           fmt.Sprintf("%X", s),
		"url":           url.QueryEscape(s),
		"path":          url.PathEscape(s),
		"printable":     strings.ReplaceAll(printable.String(), "=\r\n", ""),
		"JSON":          string(quoted[1 : len(quoted)-1]),
		"ASCII":         ascii[1 : len(ascii)-1],
		"octal":         octal,
		"HTML":          html.EscapeString(s),
		"UTF-16":        base64.StdEncoding.EncodeToString([]byte(wide(s))),
		"hex, parted":   hexed(s, " "),
		"hex, colons":   hexed(s, ":"),
		"numbers":       numbers,
	}
}

// TestMask: no secret that a server repeats is left, in any of the ways servers do.
func TestMask(t *testing.T) {
	secrets := []string{"wonderland", "correct horse battery staple", "pässwörd", "a&b<c>\"d'e", `back\slash\\twice`, "100%=sure+1", "日本語のパスワード", "ǅemper 😀", "a&amp;b%20c=3D\\x41", "aaaa", "abcdabcd1234=="}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		secret := make([]byte, 4+r.IntN(40))
		for i := range secret {
			secret[i] = byte('!' + r.IntN(94))
		}
		secrets = append(secrets, string(secret))
	}
	for _, secret := range secrets {
		var m masker
		m.Add(transcript.NewSecret(secret))
		for name, echo := range echoes(secret) {
			for _, upper := range []bool{false, true} {
				if upper {
					echo = strings.ToUpper(echo)
				}
				text, found := m.Hide([]byte("535 5.7.8 " + echo + " was refused"))
				if !found || !strings.Contains(string(text), transcript.Hidden) {
					t.Errorf("%s of %q is not found in %q: %q", name, secret, echo, text)
				}
				for form, left := range echoes(secret) {
					if len(left) > 0 && strings.Contains(strings.ToLower(string(text)), strings.ToLower(left)) {
						t.Errorf("%s of %q leaves %s: %q", name, secret, form, text)
					}
				}
			}
		}
	}
}

// TestMaskBytes: a digest is no text, and is found in what is written byte by byte.
func TestMaskBytes(t *testing.T) {
	secret := "\xff\x00\xdc\x80\xc7\x85\x02\xe2\x82'\xa0"
	var m masker
	m.Add(transcript.NewSecret(secret))
	echoes := echoes(secret)
	for _, name := range []string{"base64", "base64url", "within base64", "amid base64", "hex", "HEX", "url", "path", "printable", "octal"} {
		if text, found := m.Hide([]byte("535 " + echoes[name] + " was refused")); !found || strings.Contains(string(text), echoes[name]) {
			t.Errorf("%s is left: %q", name, text)
		}
	}
}

// TestMaskSpares: what is no secret stays byte for byte.
func TestMaskSpares(t *testing.T) {
	var m masker
	for _, text := range []string{"", "250 2.1.0 Ok", "334 VXNlcm5hbWU6", "\xff\xfe"} {
		if got, found := m.Hide([]byte(text)); found || string(got) != text {
			t.Errorf("the zero masker makes %q of %q", got, text)
		}
	}
	m.Add(transcript.NewSecret("abc"), transcript.NewSecret(""))
	if got, found := m.Hide([]byte("250 abc ")); found {
		t.Errorf("a secret of three bytes is looked for: %q", got)
	}
	m.Add(transcript.NewSecret("wonderland"))
	for _, text := range []string{"535 5.7.8 no wonder", "534 d29uZGVy", "250 \xffwonderlan"} {
		if got, found := m.Hide([]byte(text)); found || string(got) != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	var m masker
	m.Add(transcript.NewSecret("wonderland"), transcript.NewSecret("AGFsaWNlAHdvbmRlcmxhbmQ="))
	line := []byte("535 " + strings.Repeat("AGFsaWNlAHdvbmRlcmxhbmX= ", 320))
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		m.Hide(line)
	}
}
