package cmd

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// purist is a server that takes everything, and notes each breach of the rules.
type purist struct {
	keywords string
	breaches []string
	messages int
	eight    bool // BODY=8BITMIME was declared
	utf8     bool // SMTPUTF8
}

func (p *purist) breach(format string, a ...any) {
	p.breaches = append(p.breaches, fmt.Sprintf(format, a...))
}

// line judges a line with its end, and gives it without.
func (p *purist) line(line []byte, most int, eight bool) []byte {
	text, ended := bytes.CutSuffix(line, []byte("\r\n"))
	switch {
	case !ended:
		p.breach("a bare LF, or no line end: %.80q", line)
	case bytes.ContainsAny(text, "\r\n\x00"):
		p.breach("a bare CR or a NUL: %.80q", line)
	case len(text) > most:
		p.breach("a line of %d octets", len(text))
	}
	if !eight && bytes.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
		p.breach("octets over 127: %.80q", line)
	}
	return text
}

func (p *purist) serve(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReaderSize(nc, 1<<16)
	say := func(reply string) { _, _ = io.WriteString(nc, reply+"\r\n") }
	say("220 x")
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if len(line) > 0 {
				p.breach("half a command: %.80q", line)
			}
			return
		}
		text := string(p.line(line, 8190, strings.Contains(p.keywords, "SMTPUTF8")))
		verb, rest, _ := strings.Cut(text, " ")
		path, params := rest, ""
		if i := strings.LastIndexByte(rest, '>'); i >= 0 {
			path, params = rest[:i+1], rest[i+1:]
		}
		switch verb {
		case "EHLO", "HELO", "LHLO":
			if rest == "" || strings.ContainsAny(rest, " \t") {
				p.breach("a greeting of several words: %q", text)
			}
			say("250-x\r\n250-" + strings.ReplaceAll(cmp.Or(p.keywords, "HELP"), " ", "\r\n250-") + "\r\n250 ENHANCEDSTATUSCODES")
		case "MAIL":
			for _, param := range strings.Fields(params) {
				key, _, _ := strings.Cut(param, "=")
				if !slices.Contains([]string{"SIZE", "BODY", "SMTPUTF8"}, key) {
					p.breach("a parameter of its own: %q", text)
				}
			}
			p.eight, p.utf8 = strings.Contains(params, "BODY=8BITMIME"), strings.Contains(params, "SMTPUTF8")
			p.path(path, "FROM:<", text)
			say("250 ok")
		case "RCPT":
			p.path(path, "TO:<", text)
			if params != "" {
				p.breach("a parameter of its own: %q", text)
			}
			say("250 ok")
		case "DATA":
			say("354 go")
			if !p.text(r) {
				return
			}
			say("250 ok")
		case "QUIT", "RSET":
			if text != verb {
				p.breach("an argument: %q", text)
			}
			say(map[string]string{"QUIT": "221 bye", "RSET": "250 ok"}[verb])
		default:
			p.breach("no command: %q", text)
			say("500 what")
		}
	}
}

// path judges what stands in the brackets: outside of quotes neither blank nor bracket.
func (p *purist) path(path, prefix, line string) {
	inside, opened := strings.CutPrefix(path, prefix)
	inside, closed := strings.CutSuffix(inside, ">")
	if !opened || !closed {
		p.breach("no path: %q", line)
	}
	quoted, escaped := false, false
	for _, c := range inside {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(" \t<>", c), c < ' ', c == 0x7f:
			p.breach("%q in a path: %q", c, line)
		}
	}
	if quoted {
		p.breach("an open quote: %q", line)
	}
}

// text judges a message, and reports whether it came to its end.
func (p *purist) text(r *bufio.Reader) bool {
	header := true
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			p.breach("no end of the message: %.80q, %v", line, err)
			return false
		}
		text := p.line(line, 999, p.eight || header && p.utf8) // 998 and a dot
		switch {
		case string(text) == ".":
			p.messages++
			return true
		case len(text) > 998 && text[0] != '.':
			p.breach("a line of %d octets", len(text))
		case len(text) > 0 && text[0] == '.' && (len(text) == 1 || text[1] != '.'):
			p.breach("an undoubled dot: %.80q", text)
		case len(text) == 0:
			header = false
		}
	}
}

// nasty are what values are made of.
func nasty() []string {
	return []string{
		"\r\n", "\n", "\r", "\x00", "\r\n.\r\n", "\n.\n", ".", "..", "\r\nRCPT TO:<evil@x.test>\r\n", "\r\n\r\nbody", "> SIZE=1", "> BODY=8BITMIME", "<", ">", "\"", "\\", "\\\"", " ", "\t",
		"a@x.test", "b@x.test", ",", ";", ":", "(", ")", "Subject", "X: y", "\u00fc", "\u202e", "\xff", "\x1b[2J", "\x7f", "\u0085", "\u2028", strings.Repeat("x", 1200), strings.Repeat("\u00fc", 600), strings.Repeat("y ", 700),
		"=?utf-8?q?a?=", "@", "xn--a", "[127.0.0.1]", "bob", "QUIT", "DATA", "text/plain", "utf-8", "<1@x.test>", "https://x.test/\r\nX: y", "mailto:a@x.test",
	}
}

// TestPurity: whatever is put into any flag, what goes out obeys the rules of lines,
// addresses and messages, or nothing goes out. EHLO_PURITY=N has N runs.
func TestPurity(t *testing.T) {
	runs, _ := strconv.Atoi(cmp.Or(os.Getenv("EHLO_PURITY"), "400"))
	const seed = 998
	r := rand.New(rand.NewPCG(seed, 78))
	send := commands()[slices.IndexFunc(commands(), func(c *command) bool { return c.name == "send" })]
	var flags []*flag
	for i := range flagTable {
		f := &flagTable[i]
		skip := []string{"dkim-domain", "dkim-selector", "dkim-key", "data-folder", "data-mbox", "mail-param", "rcpt-param", "xclient", "xforward", "quit-after", "drop-after", "drop-after-send", "malformed", "protocol"}
		if f.on(send) && (f.kind == isText || f.kind == isList || f.kind == isWord) && slices.Contains([]string{"protocol", "envelope", "message"}, f.group) && !slices.Contains(skip, f.name) &&
			!strings.HasPrefix(f.name, "dsn-") && !slices.Contains([]string{"deliver-by", "hold-until", "rrvs", "mail-auth"}, f.name) { // parameters that are asked for
			flags = append(flags, f)
		}
	}
	value := func() string {
		var b strings.Builder
		for range 1 + r.IntN(3) {
			all := nasty()
			b.WriteString(all[r.IntN(len(all))])
		}
		return b.String()
	}
	dir := t.TempDir()
	sent := 0
	for n := range runs {
		srv := &purist{keywords: [...]string{"", "8BITMIME", "8BITMIME SMTPUTF8", "PIPELINING", "PIPELINING 8BITMIME SMTPUTF8 SIZE"}[r.IntN(5)]}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"send", "--server", listener.Addr().String(), "--connect-timeout", "2s", "--timeout", "5s"}
		given := map[string]bool{}
		for range 1 + r.IntN(3) {
			f := flags[r.IntN(len(flags))]
			v := value()
			switch {
			case len(f.choices()) > 0 && r.IntN(3) > 0:
				v = f.choices()[r.IntN(len(f.choices()))]
			case f.check != nil && strings.HasPrefix(f.value, "@") || f.name == "data" && r.IntN(2) == 0:
				path := filepath.Join(dir, strconv.Itoa(n))
				if err := os.WriteFile(path, []byte("From: a@x.test\n\n"+v), 0o600); err != nil {
					t.Fatal(err)
				}
				v = "@" + path
			case (f.name == "header" || f.name == "add-header") && r.IntN(2) == 0:
				v = "X-Any: " + v
			}
			given[f.name] = true
			args = append(args, "--"+f.name, v)
			if strings.HasPrefix(f.name, "attach-") || f.name == "inline-cid" {
				path := filepath.Join(dir, "file")
				if err := os.WriteFile(path, []byte(value()), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--attach", "@"+path)
			}
		}
		for _, f := range [][2]string{{"to", "b@x.test"}, {"from", "a@x.test"}, {"helo", "c.test"}} {
			if !given[f[0]] {
				args = append(args, "--"+f[0], f[1])
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if nc, err := listener.Accept(); err == nil { // else nothing was sent
				srv.serve(nc)
			}
		}()
		out, errs, status := newWorld().run(args...)
		listener.Close()
		<-done
		if len(srv.breaches) > 0 || status == int(StatusDefect) {
			t.Fatalf("run %d of seed %d, %q: status %d, offered %q\n%s\n%s%s", n, seed, args, status, srv.keywords, strings.Join(srv.breaches, "\n"), errs, out)
		}
		sent += srv.messages
	}
	t.Logf("%d runs, %d messages", runs, sent)
	if sent < runs/20 {
		t.Errorf("only %d of %d runs sent a message", sent, runs)
	}
}
