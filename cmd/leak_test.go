package cmd

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"mime/quotedprintable"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// leakSeed is where the passwords come from: with it each run is the same again,
// but for nonces and ports.
const leakSeed = 20261122

// TestLeak logs in with 1000 random secrets, by every mechanism and in every
// format, at servers that repeat whatever they know. Nothing of it may show.
func TestLeak(t *testing.T) {
	t.Parallel()
	runs := 1000
	if testing.Short() {
		runs = 200
	}
	cert := parrotCert(t)
	var ran, answered atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for i := range runs {
			l := newLeak(uint64(i))
			t.Run(fmt.Sprintf("%d/%s/%s", i, l.mechanism, l.way), func(t *testing.T) {
				t.Parallel()
				ran.Add(1)
				if l.try(t, cert) {
					answered.Add(1)
				}
			})
		}
	})
	// Where TLS is broken into, nobody logs in.
	if all, got := ran.Load(), answered.Load(); all > 100 && got < all*8/10 {
		t.Errorf("of %d logins only %d came to an answer", all, got)
	}
}

// leak is one run: whose secret is to be kept, and where it might show.
type leak struct {
	number    uint64
	mechanism string
	secret    string // the password or the token
	token     bool
	way       string // how the server repeats it
	format    []string
	file      bool // the transcript goes to a file
	secure    bool
	drips     bool // the server writes byte by byte
	command   []string
	locale    string
	random    *rand.Rand
}

// newLeak is run number n, the same each time.
func newLeak(n uint64) *leak {
	l := &leak{number: n, random: rand.New(rand.NewPCG(leakSeed, n))}
	var names []string
	for _, m := range sasl.Mechanisms() {
		if m.Needs == sasl.NeedPassword || m.Needs == sasl.NeedToken {
			names = append(names, m.Name)
		}
	}
	l.mechanism = pick(l.random, names)
	m, _ := sasl.Find(l.mechanism)
	l.token = m.Needs == sasl.NeedToken
	l.secret = l.newSecret()
	l.way = pick(l.random, []string{
		"refusal", "refusal", "challenge", "challenge", "success", "farewell", "goodbye", "malformed", "long", "stray", "codes", "lost",
		"again", "again", "folded", "folded", "injected", "sandbox",
	})
	if (l.way == "again" || l.way == "injected") && len(l.secret) < 8 {
		l.way = "refusal" // a short one is not looked for before it is sent
	}
	if n%40 == 0 {
		l.way = "silence" // each waits for its time-out
	}
	l.format = pick(l.random, [][]string{
		{}, {"-v"}, {"-q"}, {"--raw"}, {"--raw", "-v"}, {"--color=always"}, {"--color=always", "--raw", "-v"}, {"--json"}, {"--json", "-v"}, {"--format=jsonl"},
	})
	l.file = l.random.IntN(5) == 0
	l.drips = l.random.IntN(4) == 0 && l.way != "injected"
	l.locale = pick(l.random, []string{"LANG=C", "LANG=C.UTF-8", "LANG=C.UTF-8"})
	l.command = []string{"probe"}
	if l.way != "again" {
		l.command = pick(l.random, [][]string{{"probe"}, {"send", "--quit-after", "auth", "--to", "bob@x.test", "--server"}, {"verify", "bob@x.test", "--server"}})
	}
	l.secure = m.Binds || l.way == "injected" || l.random.IntN(4) == 0
	return l
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// newSecret is 4 to 64 characters of one kind or another.
func (l *leak) newSecret() string {
	const printable = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
	const coded = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	letters := pick(l.random, []string{
		printable, printable + "    ", "\\\"'%=&<> +_/;#x41\\u00", coded, "0123456789abcdef", "xYz", "äöüßéÄÖÜabcXYZ123", "пароль日本語のλόγοςabc ",
	})
	if l.token {
		letters = pick(l.random, []string{printable, coded, coded + "-_."})
	}
	chars := []rune(letters)
	secret := make([]rune, 4+l.random.IntN(61))
	for i := range secret {
		secret[i] = pick(l.random, chars)
	}
	switch l.random.IntN(8) {
	case 0:
		return base64.StdEncoding.EncodeToString([]byte(string(secret)))[:4+l.random.IntN(2)*4]
	case 1:
		return string(secret[:4])
	}
	return string(secret)
}

// try is the run itself. It reports whether the server was told anything secret.
func (l *leak) try(t *testing.T, cert tls.Certificate) bool {
	p := &parrot{leak: l, cert: cert}
	target := "mx1.auth-echo.test:587"
	if l.way != "sandbox" {
		target = "[127.0.0.1]:" + p.listen(t)
	}
	secret := "--auth-password-file"
	if l.token {
		secret = "--auth-token-file"
	}
	line := append(slices.Clone(l.command), target, "--auth", l.mechanism, "--auth-user", "alice", secret, "-",
		"--auth-unverified", "--auth-cleartext", "--tls-optional")
	switch l.way {
	case "sandbox":
		line = append(line, "--sandbox")
	case "again":
		line = append(line, target)
	case "silence":
		line = append(line, "--timeout", "50ms")
	}
	file := filepath.Join(t.TempDir(), "out")
	if l.file {
		line = append(line, "--output", file)
	}
	line = append(line, l.format...)
	w := newWorld(l.locale)
	w.In = strings.NewReader(l.secret)
	out, errs, status := w.run(line...)
	if status == int(StatusUsage) || status == int(StatusDefect) {
		t.Fatalf("ehlo %q: status %d: %s", line, status, errs)
	}
	written, _ := os.ReadFile(file)
	known := p.known()
	for where, text := range map[string]string{"standard output": out, "standard error": errs, "the file": string(written)} {
		if raw := unpainted(text); strings.ContainsFunc(raw, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) || !utf8.ValidString(raw) {
			t.Errorf("seed %d, run %d: %s holds control characters: %q", leakSeed, l.number, where, raw)
		}
		for what, secret := range known {
			if form, ok := shows(text, what, secret); ok {
				t.Errorf("seed %d, run %d: %s shows the %s %q %s\nehlo %q", leakSeed, l.number, where, what, secret, form, line)
				return true
			}
		}
	}
	return p.told() || l.way == "sandbox"
}

// unpainted is text without its colours.
func unpainted(text string) string {
	var b strings.Builder
	for {
		before, behind, ok := strings.Cut(text, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		text = strings.TrimLeft(behind, "0123456789;")
		text = strings.TrimPrefix(text, "m")
	}
}

// shows looks for secret in text, and says in which form and where it stands there.
func shows(text, what, secret string) (string, bool) {
	found := func(form, written string) (string, bool) {
		at := strings.Index(text, written)
		if at < 0 {
			return "", false
		}
		return fmt.Sprintf("%s: %q", form, text[max(0, at-100):min(len(text), at+len(written)+20)]), true
	}
	for form, written := range writings(secret) {
		// By chance shorter ones stand in any nonce.
		if len(written) < 5 && written != secret {
			continue
		}
		for _, s := range []string{written, strings.ToUpper(written), strings.ToLower(written)} {
			if where, ok := found(form, s); ok {
				return where, true
			}
		}
	}
	if strings.HasPrefix(what, "answer") { // much in it is no secret
		return "", false
	}
	for at := 0; at+8 <= len(secret); at++ { // a part is a leak too
		if where, ok := found("in part", secret[at:at+8]); ok {
			return where, true
		}
	}
	return "", false
}

// writings are the ways in which s may be written, by what they are called.
func writings(s string) map[string]string {
	octal, percent := "", ""
	for _, b := range []byte(s) {
		octal += fmt.Sprintf("\\%03o", b)
		percent += fmt.Sprintf("%%%02X", b)
	}
	all := map[string]string{
		"as it is":           s,
		"in base64":          strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "="),
		"in base64url":       base64.RawURLEncoding.EncodeToString([]byte(s)),
		"in hex":             fmt.Sprintf("%x", s),
		"by url.QueryEscape": url.QueryEscape(s),
		"by url.PathEscape":  url.PathEscape(s),
		"percent-encoded":    percent,
		"in octal":           octal,
	}
	for before := 1; before < 3; before++ {
		inner := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
		all[fmt.Sprintf("in base64 behind %d", before)] = inner[before+1 : (before+len(s))*8/6]
	}
	if !utf8.ValidString(s) {
		return all
	}
	var printable strings.Builder
	w := quotedprintable.NewWriter(&printable)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	quoted, _ := json.Marshal(s)
	ascii := strconv.QuoteToASCII(s)
	all["in quoted-printable"] = strings.ReplaceAll(printable.String(), "=\r\n", "")
	all["in JSON"] = string(quoted[1 : len(quoted)-1])
	all["in ASCII"] = ascii[1 : len(ascii)-1]
	all["in HTML"] = html.EscapeString(s)
	all["as it is shown"] = transcript.Escape(s, false)
	all["shown in ASCII"] = transcript.Escape(s, true)
	for _, r := range s {
		all["in numbers"] += fmt.Sprintf("&#%d;", r)
	}
	return all
}

// proof is what is secret in the decoded answer of a mechanism: what a password
// can be tried out on. "" is an answer without.
func proof(mechanism, answer string) string {
	switch {
	case strings.HasPrefix(mechanism, "SCRAM"):
		_, p, _ := strings.Cut(answer, ",p=")
		return p
	case mechanism == "DIGEST-MD5":
		_, p, _ := strings.Cut(answer, "response=")
		return p
	case mechanism == "CRAM-MD5":
		return answer[strings.LastIndexByte(answer, ' ')+1:]
	case mechanism == "NTLM" && len(answer) > 28 && answer[8] == 3:
		n, at := int(binary.LittleEndian.Uint16([]byte(answer[20:]))), int(binary.LittleEndian.Uint32([]byte(answer[24:])))
		if at+n <= len(answer) {
			return answer[at : at+n]
		}
	}
	return ""
}

// TestLeakOfSettings: --dump and lines that are wrong keep the secrets that stand
// on the command line.
func TestLeakOfSettings(t *testing.T) {
	t.Parallel()
	for n := range uint64(200) {
		l := newLeak(n)
		for _, flag := range []string{"--auth-password", "--auth-token"} {
			given := flag + "=" + l.secret
			for _, line := range [][]string{
				{"send", "--dump", given}, {"probe", "--dump", "--json", given}, {"verify", given, "--dump", "-v", "--color=always"},
				{"probe", given, "--nosuch", "mx.test"}, {"probe", given, "--auth", "PLAN", "mx.test"}, {"send", given, "--to", "a@b", "--no-auth"},
				{"probe", "--auth-user", "alice", flag, l.secret, "--no-tls", "mx.test"},
			} {
				out, errs, _ := newWorld().run(line...)
				if i := slices.Index(line, l.secret); i > 0 && strings.HasPrefix(l.secret, "-") {
					continue // taken for a flag, which an error names
				}
				if form, ok := shows(out+errs, "secret", l.secret); ok {
					t.Errorf("seed %d, run %d: ehlo %q shows the secret %s", leakSeed, n, line, form)
				}
			}
		}
	}
}
