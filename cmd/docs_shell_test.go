package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/cmd"
)

// shell runs command lines as a person types them, but for what other programs
// do: of those it knows that they are not to be run.
type shell struct {
	*testing.T
	dir   string
	vars  map[string]string
	ports []string // pairs for a replacer: the ports that a document names, those that were free
}

// newShell is a shell in an empty directory, but for the files that examples name.
func newShell(t *testing.T) *shell {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("ehlo", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, "password.txt", []byte("wonderland\n"))
	write(t, "photo.png", []byte("\x89PNG\r\n\x1a\n"))
	write(t, "recipients.txt", []byte("# who\nbob@good.test\nalice@starttls.test\n"))
	write(t, "message.eml", []byte("From: a@client.test\nTo: bob@good.test\nDate: Sun, 22 Nov 2026 01:14:02 +0000\n"+
		"Message-ID: <1@client.test>\nSubject: Hello\n\nIt works.\n"))
	write(t, "key.pem", []byte(`-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIDQHEabInZHv+o0akekf0HTsGoxB+ZzW5BMkiqJT5eHe
-----END PRIVATE KEY-----
`)) // of ed._domainkey.good.test
	write(t, "invite.ics", []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//client.test//ehlo//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"+
		"UID:1@client.test\r\nDTSTAMP:20261122T011402Z\r\nDTSTART:20261123T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	return &shell{T: t, dir: dir, vars: map[string]string{"LC_ALL": "C.UTF-8", "USER": "user", "XDG_CONFIG_HOME": dir}}
}

// others are the commands of other programs that documents show.
var others = []string{"go test", "go install", "go build", ".ci/run", "testdata/interop/run.sh"}

// shown runs one command line and compares what it prints with the lines that
// stand below it, if there are any. It gives the lines that should stand there.
func (s *shell) shown(line string, below []string) []string {
	s.Helper()
	if slices.ContainsFunc(others, func(other string) bool { return strings.HasPrefix(line, other) }) {
		return below
	}
	words, rest := shellWords(strings.NewReplacer(s.ports...).Replace(line))
	vars := map[string]string{}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		name, value, _ := strings.Cut(words[0], "=")
		vars[name], words = value, words[1:]
	}
	switch {
	case len(words) > 3 && slices.Equal(words[:3], []string{"go", "run", "."}):
		words = words[3:]
	case len(words) > 0 && words[0] == "ehlo":
		words = words[1:]
	default:
		s.Errorf("$ %s: what is that?", line)
		return below
	}
	if len(words) > 0 && words[0] == "sandbox" && !slices.Contains(words, "--list") {
		s.sandbox(words[1:])
		return below
	}
	var out bytes.Buffer
	env := docsEnv(&out, &out)
	env.Getenv = func(name string) string {
		if value, ok := vars[name]; ok {
			return value
		}
		return s.vars[name]
	}
	status, want := cmd.Main(context.Background(), env, words), 0
	if _, text, ok := strings.Cut(rest, "# exit "); ok {
		_, _ = fmt.Sscan(text, &want)
	}
	if status != want {
		s.Errorf("$ %s: exit %d, not %d\n%s", line, status, want, out.String())
	}
	for _, m := range regexp.MustCompile(`\.([a-z_]+)`).FindAllStringSubmatch(rest, -1) { // jq
		if strings.Contains(rest, "| jq ") && !strings.Contains(out.String(), `"`+m[1]+`":`) {
			s.Errorf("$ %s: there is no %s in\n%s", line, m[1], out.String())
		}
	}
	if len(below) == 0 {
		return nil
	}
	got := strings.TrimSuffix(out.String(), "\n")
	if matches(strings.Split(mask(got, false), "\n"), strings.Split(mask(strings.Join(below, "\n"), false), "\n")) {
		return below
	}
	if *update && !slices.Contains(below, "...") {
		return strings.Split(got, "\n")
	}
	s.Errorf("$ %s prints\n%s", line, got)
	return below
}

// sandbox runs the sandbox until the test ends. Ports that the line names are
// replaced by free ones from now on.
func (s *shell) sandbox(flags []string) {
	s.Helper()
	named := map[string]string{}
	for i, flag := range flags {
		if strings.HasSuffix(flag, "-listen") && i+1 < len(flags) {
			named[flag], flags[i+1] = flags[i+1], "127.0.0.1:0"
		}
	}
	world := startSandbox(s.T, flags...)
	for flag, port := range map[string]string{"--dns-listen": world.dns, "--socks-listen": world.socks} {
		if named[flag] != "" {
			s.ports = append(s.ports, named[flag], port)
		}
	}
}

// shellWords splits a command line at spaces outside of quotes, up to a pipe, a
// redirection or a comment, which are the rest. The command of a process
// substitution is taken for the line.
func shellWords(line string) (words []string, rest string) {
	if _, inner, ok := strings.Cut(line, "<("); ok {
		line, _, _ = strings.Cut(inner, ")")
	}
	var word strings.Builder
	quote, begun := rune(0), false
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ':
			end()
		case strings.ContainsRune("|>#", r) && !begun:
			return words, line[i:]
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	end()
	return words, ""
}

// matches compares lines; "..." in want stands for any lines.
func matches(got, want []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "...":
		return matches(got, want[1:]) || len(got) > 0 && matches(got[1:], want)
	}
	return len(got) > 0 && got[0] == want[0] && matches(got[1:], want[1:])
}

// ehlo runs the program in this process, in a world without a terminal, a
// configuration or a name server.
func ehlo(t *testing.T, args ...string) (out, errs string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = cmd.Main(context.Background(), docsEnv(&stdout, &stderr), args)
	return stdout.String(), stderr.String(), status
}

// sink is a buffer that is written and read at the same time.
type sink struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// background is an "ehlo sandbox" that runs.
type background struct {
	dns, socks string
	stop       func() string // ends it, and gives what it printed
}

// startSandbox runs "ehlo sandbox" with flags until stop is called or the test ends.
func startSandbox(t *testing.T, flags ...string) *background {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	var stdout, stderr sink
	ended := make(chan int, 1)
	go func() { ended <- cmd.Main(ctx, docsEnv(&stdout, &stderr), append([]string{"sandbox"}, flags...)) }()
	b := &background{stop: sync.OnceValue(func() string {
		cancel(cmd.ErrInterrupted)
		if status := <-ended; status != 0 || stderr.String() != "" {
			t.Errorf("ehlo sandbox %q: status %d, stderr %q", flags, status, stderr.String())
		}
		return stdout.String()
	})}
	t.Cleanup(func() { b.stop() })
	ports := regexp.MustCompile(`(?s)\bdns\b\W+(127\.0\.0\.1:\d+).*\bsocks\b\W+(127\.0\.0\.1:\d+)`)
	for deadline := time.Now().Add(10 * time.Second); b.dns == ""; time.Sleep(time.Millisecond) {
		if found := ports.FindStringSubmatch(stdout.String()); found != nil {
			b.dns, b.socks = found[1], found[2]
		} else if time.Now().After(deadline) {
			t.Fatalf("ehlo sandbox %q does not say where it is: %q", flags, stdout.String())
		}
	}
	return b
}

// docsEnv is the world that commands run in.
func docsEnv(out, errs io.Writer) cmd.Env {
	vars := map[string]string{"LC_ALL": "C.UTF-8", "USER": "user"}
	return cmd.Env{
		In: strings.NewReader(""), Out: out, Err: errs, Getenv: func(name string) string { return vars[name] },
		Now: time.Now, Hostname: func() (string, error) { return "client.example.com", nil }, Version: "v1.2.3",
	}
}
