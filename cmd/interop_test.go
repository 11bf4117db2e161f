package cmd_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Deliveries to servers that others wrote. testdata/interop/run.sh starts them
// and says in the environment where they are.

func TestInteropPostfix(t *testing.T) { interop(t, "POSTFIX") }

func TestInteropExim(t *testing.T) { interop(t, "EXIM") }

// peer is a real server that takes mail for alice@ and bob@example.test.
type peer struct {
	addr  string // with STARTTLS
	tls   string // with TLS from the first byte
	mail  string // a Maildir for each mailbox
	ca    string
	ascii bool // it has no SMTPUTF8
}

func interop(t *testing.T, name string) {
	base := "EHLO_INTEROP_" + name
	p := peer{addr: os.Getenv(base), tls: os.Getenv(base + "_TLS"), mail: os.Getenv(base + "_MAIL"), ca: os.Getenv("EHLO_INTEROP_CA")}
	if p.addr == "" || p.tls == "" || p.mail == "" || p.ca == "" {
		t.Skipf("%s, %[1]s_TLS, %[1]s_MAIL and EHLO_INTEROP_CA are not set: testdata/interop/run.sh starts the server and sets them", base)
	}
	ways := []struct {
		name  string
		flags []string
	}{
		{"as offered", nil},
		{"without CHUNKING", []string{"--no-chunking"}},
		{"in lockstep", []string{"--no-pipeline", "--no-chunking"}},
	}
	for _, way := range ways {
		for _, server := range []string{p.addr, "smtps://" + p.tls} {
			t.Run(way.name+" to "+server, func(t *testing.T) {
				t.Run("composed", func(t *testing.T) { p.composed(t, server, way.flags) })
				t.Run("whole", func(t *testing.T) { p.whole(t, server, way.flags) })
				t.Run("partly", func(t *testing.T) { p.partly(t, server, way.flags) })
				t.Run("relaying", func(t *testing.T) { p.relaying(t, server, way.flags) })
			})
		}
	}
	t.Run("probe", p.probe)
	t.Run("verify", p.verify)
}

// sent is what send said of a message.
type sent struct {
	OK         bool
	Outcome    string
	Summary    string
	Message    struct{ ID string }
	Recipients []struct {
		Address, Outcome, Phase string
		Code                    int
	}
	Transcript []struct {
		Event   string
		Text    string // of a finding
		Answers string
		Items   []struct {
			Text string
			Data []string
		}
	}
}

// send sends with flags to a server of p, or to a UNIX socket by its path, under
// verified TLS.
func (p peer) send(t *testing.T, want int, server string, flags ...[]string) sent {
	t.Helper()
	to := "--server"
	if strings.HasPrefix(server, "/") {
		to = "--socket"
	}
	args := []string{"send", "--json", "--show-data", "all", "--helo", "client.test", "--from", "sender@client.test",
		to, server, "--tls-verify", "--tls-ca-path", p.ca}
	out, errs, status := ehlo(t, append(args, slices.Concat(flags...)...)...)
	if status != want || errs != "" {
		t.Fatalf("status %d, not %d: %s%s", status, want, errs, out)
	}
	return document(t, out)
}

// document reads the document of a send.
func document(t *testing.T, out string) sent {
	t.Helper()
	var s sent
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// body is the message as it was sent, and how.
func (s sent) body() (text, how string) {
	for _, r := range s.Transcript {
		for i, item := range r.Items {
			if item.Data == nil {
				continue
			}
			how = "alone"
			if i > 0 {
				how, _, _ = strings.Cut(r.Items[i-1].Text, " ")
			}
			return strings.Join(item.Data, "\r\n") + "\r\n", how
		}
	}
	return "", ""
}

// composed sends what ehlo composes: two texts in UTF-8, a part within them and
// files, in all more than one write holds.
func (p peer) composed(t *testing.T, server string, flags []string) {
	dir := t.TempDir()
	image, file := filepath.Join(dir, "bild.png"), filepath.Join(dir, "Übersicht.bin")
	noise := make([]byte, 100_000)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise)
	write(t, image, append([]byte("\x89PNG\r\n\x1a\n"), noise[:300]...))
	write(t, file, noise)
	s := p.send(t, 0, server, flags, []string{
		"--to", "Älice <alice@example.test>", "--cc", "bob@example.test", "--subject", "Grüße aus 東京, und noch ein langer Betreff, der gefaltet werden muß",
		"--body", "Zeile eins: äöü\n.\n..zwei Punkte\nFrom hier\n" + strings.Repeat("lang ", 300) + "\n", "--html", "<p>Grüße <img src='cid:bild.png'></p>",
		"--inline", "@" + image, "--attach", "@" + file, "--header", "X-Note: schön",
	})
	body, how := s.body()
	switch chunked := how == "BDAT"; {
	case body == "" || len(body) < 100_000:
		t.Fatalf("of the message %d bytes were shown", len(body))
	case chunked != (len(flags) == 0):
		t.Errorf("the message went behind %q", how)
	}
	p.arrived(t, "alice", s.Message.ID, []byte(body))
	p.arrived(t, "bob", s.Message.ID, []byte(body))
}

// whole sends files with everything that a line can do to a client: as they are;
// with the LF line ends of a text file, and none at the end; with UTF-8 in the
// header, which takes SMTPUTF8.
func (p peer) whole(t *testing.T, server string, flags []string) {
	text := "From: sender@client.test\r\nTo: alice@example.test\r\nSubject: tricky\r\n" +
		"Date: Sun, 22 Nov 2026 01:14:02 +0000\r\nMessage-ID: %ID%\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n" +
		"X-Folded: one\r\n  two\r\n\tthree   \r\n\r\n" +
		".\r\n..\r\n...\r\n.dot first\r\n\r\n\r\nFrom the start\r\ntrailing   \t \r\n \r\n" +
		strings.Repeat("x", 998) + "\r\n." + strings.Repeat("y", 997) + "\r\n" +
		"8 bit: \xe4\xf6\xfc \x80\xff \xc3\xa4\r\nBDAT 5 LAST\r\nQUIT\r\n.\r\n\r\n\r\n.\r\n"
	utf8 := strings.Replace(text, "tricky", "tückisch", 1)
	path := filepath.Join(t.TempDir(), "tricky.eml")
	for _, message := range []struct{ file, arrives string }{
		{text, text}, {strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), text}, {utf8, utf8},
	} {
		if message.arrives == utf8 && p.ascii {
			continue
		}
		id := fmt.Sprintf("<%d@client.test>", rand.Int64())
		write(t, path, []byte(strings.Replace(message.file, "%ID%", id, 1)))
		p.send(t, 0, server, flags, []string{"--to", "alice@example.test", "--data", "@" + path})
		p.arrived(t, "alice", id, []byte(strings.Replace(message.arrives, "%ID%", id, 1)))
	}
}

// partly has one recipient of three refused.
func (p peer) partly(t *testing.T, server string, flags []string) {
	s := p.send(t, 8, server, flags, []string{"--to", "alice@example.test,nobody@example.test,bob@example.test"})
	var outcomes []string
	for _, to := range s.Recipients {
		outcomes = append(outcomes, fmt.Sprintf("%s %s %s %d", to.Address, to.Outcome, to.Phase, to.Code/100))
	}
	want := []string{"alice@example.test accepted dot 2", "nobody@example.test refused rcpt 5", "bob@example.test accepted dot 2"}
	if !slices.Equal(outcomes, want) {
		t.Errorf("%q, not %q", outcomes, want)
	}
	body, _ := s.body()
	p.arrived(t, "alice", s.Message.ID, []byte(body))
	p.arrived(t, "bob", s.Message.ID, []byte(body))
}

func (p peer) relaying(t *testing.T, server string, flags []string) {
	s := p.send(t, 1, server, flags, []string{"--to", "somebody@elsewhere.test"})
	if to := s.Recipients[0]; to.Outcome != "refused" || to.Phase != "rcpt" || s.Outcome != "refused" {
		t.Errorf("%s, %+v", s.Outcome, to)
	}
	// BDAT in one group with its envelope has left by then: by DATA it must not.
	if body, how := s.body(); body != "" && how != "BDAT" {
		t.Errorf("a message was sent although nobody was accepted: %q", body)
	}
}

// arrived waits for the message with that Message-ID in a mailbox and compares it,
// but for what the server put on top.
func (p peer) arrived(t *testing.T, mailbox, id string, want []byte) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		files, err := filepath.Glob(filepath.Join(p.mail, mailbox, "new", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			got, err := os.ReadFile(name)
			if err != nil || !bytes.Contains(got, []byte(id)) {
				continue
			}
			got = withoutTrace(bytes.ReplaceAll(got, []byte("\n"), []byte("\r\n"))) // a Maildir has LF
			if !bytes.Equal(got, want) {
				t.Errorf("%s has another message than was sent:\n%s", mailbox, difference(got, want))
			}
			return
		}
		select {
		case <-time.After(20 * time.Millisecond): // the server delivers in its own time
		case <-deadline:
			t.Fatalf("the message %s did not come to %s", id, mailbox)
		}
	}
}

// withoutTrace takes off the fields that a server puts on top of a message (RFC
// 5321 section 4.4).
func withoutTrace(message []byte) []byte {
	trace := []string{"return-path", "x-original-to", "delivered-to", "received", "received-spf", "envelope-to", "delivery-date"}
	for within := false; ; {
		line, rest, _ := bytes.Cut(message, []byte("\r\n"))
		name, _, _ := strings.Cut(string(line), ":")
		folded := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		if !(folded && within) && !slices.Contains(trace, strings.ToLower(name)) {
			return message
		}
		message, within = rest, true
	}
}

// difference shows the first line in which a and b differ.
func difference(got, want []byte) string {
	g, w := bytes.SplitAfter(got, []byte("\r\n")), bytes.SplitAfter(want, []byte("\r\n"))
	for i := range max(len(g), len(w)) {
		var a, b []byte
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if !bytes.Equal(a, b) {
			return fmt.Sprintf("line %d is %q, not %q", i+1, a, b)
		}
	}
	return "none"
}

// probe lists exactly the keywords that the server itself says it has, before
// TLS and after, and over TLS from the first byte.
func (p peer) probe(t *testing.T) {
	before, after := p.keywords(t, p.addr, false)
	_, implicit := p.keywords(t, p.tls, true)
	for _, test := range []struct {
		target string
		want   [][]string
	}{
		{p.addr, [][]string{before, after}},
		{"smtps://" + p.tls, [][]string{implicit}},
	} {
		out, errs, status := ehlo(t, "probe", "--json", "--helo", "client.test", "--tls-ca-path", p.ca, test.target)
		var doc struct {
			Targets []struct {
				Servers []struct {
					TLS    struct{ Verified bool }
					Offers []struct {
						Secure     bool
						Extensions []struct {
							Keyword string
							Params  []string
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(out), &doc); err != nil || status != 0 || errs != "" || !doc.Targets[0].Servers[0].TLS.Verified {
			t.Fatalf("%s: %v, status %d: %s%s", test.target, err, status, errs, out)
		}
		var got [][]string
		for _, offers := range doc.Targets[0].Servers[0].Offers {
			var list []string
			for _, e := range offers.Extensions {
				list = append(list, strings.Join(append([]string{e.Keyword}, e.Params...), " "))
			}
			got = append(got, list)
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) || len(got[0]) < 5 {
			t.Errorf("%s offers\n%q, not\n%q", test.target, got, test.want)
		}
	}
}

// keywords asks a server with nothing of ehlo's what it offers in the clear and
// under TLS.
func (p peer) keywords(t *testing.T, addr string, implicit bool) (clear, secure []string) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	hello := func(nc net.Conn, banner bool) []string {
		text := textproto.NewReader(bufio.NewReader(nc))
		var said string
		var errs [3]error
		if banner {
			_, _, errs[0] = text.ReadResponse(220)
		}
		_, errs[1] = fmt.Fprint(nc, "EHLO client.test\r\n")
		_, said, errs[2] = text.ReadResponse(250)
		if err := cmp.Or(errs[:]...); err != nil {
			t.Fatal(err)
		}
		return strings.Split(said, "\n")[1:]
	}
	if !implicit {
		clear = hello(nc, true)
		if _, err := fmt.Fprint(nc, "STARTTLS\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := textproto.NewReader(bufio.NewReader(nc)).ReadResponse(220); err != nil {
			t.Fatal(err)
		}
	}
	return clear, hello(tls.Client(nc, &tls.Config{InsecureSkipVerify: true}), implicit)
}

func (p peer) verify(t *testing.T) {
	for _, test := range []struct {
		address, answer string
		status          int
	}{
		{"alice@example.test", "exists", 0},
		{"nobody@example.test", "absent", 1},
	} {
		out, errs, status := ehlo(t, "verify", "--json", "--helo", "client.test", "--server", p.addr, "--tls-verify", "--tls-ca-path", p.ca, test.address)
		var doc struct {
			Targets []struct{ Address, Answer string }
		}
		if err := json.Unmarshal([]byte(out), &doc); err != nil || status != test.status || errs != "" {
			t.Fatalf("%s: %v, status %d: %s%s", test.address, err, status, errs, out)
		}
		if got := doc.Targets[0]; got.Address != test.address || got.Answer != test.answer {
			t.Errorf("%+v, not %s", got, test.answer)
		}
	}
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
