package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ehlo-mail/ehlo/cmd"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

var update = flag.Bool("update", false, "write the transcripts in testdata/script anew")

// TestMain makes the test program stand for ehlo in scripts. "masked" is ehlo
// with everything that differs from run to run replaced, so that a script can
// hold the whole transcript that it expects.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ehlo":   func() { os.Exit(cmd.Main(interruptible(), cmd.OSEnv(), os.Args[1:])) },
		"masked": masked,
	})
}

// interruptible is a context that an interrupt cancels, as in main; and as there,
// a closed pipe is an error and no signal.
func interruptible() context.Context {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(context.Background())
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		<-interrupts
		cancel(cmd.ErrInterrupted)
	}()
	return ctx
}

func masked() {
	env := cmd.OSEnv()
	var out, err bytes.Buffer
	env.Out, env.Err = &out, &err
	// A script may look at the transcript as a terminal of so many columns has it.
	env.OutWidth, _ = strconv.Atoi(os.Getenv("SCRIPT_COLUMNS"))
	status := cmd.Main(context.Background(), env, os.Args[1:])
	text := strings.ReplaceAll(out.String(), "\r\n", "\n") // of a message that is written
	_, _ = io.WriteString(os.Stdout, from(os.Getenv("SCRIPT_FROM"), mask(text, env.OutWidth > 0)))
	_, _ = io.WriteString(os.Stderr, mask(err.String(), false))
	os.Exit(status)
}

// from is the part of a transcript that begins with the first line that begins
// so, for a script about that part; all of it where no line does.
func from(begin, text string) string {
	if i := strings.Index("\n"+text, "\n"+begin); i >= 0 {
		return text[i:]
	}
	return text
}

var masks = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\([\d.]+ m?s( after|$)`), "(TIME$1"},
	{regexp.MustCompile(`"(\w+_ms)":( ?)[\d.e-]+`), `"$1":${2}0`},
	{regexp.MustCompile(`"(at|until|not_before|not_after)":( ?)"[^"]*"`), `"$1":$2"WHEN"`},
	{regexp.MustCompile(`"(serial|spki_sha256)":( ?)"[0-9a-f]+"`), `"$1":$2"HEX"`},
	{regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000`), "DATE"},
	{regexp.MustCompile(`=_(\d)_[a-z0-9]{26}`), "=_${1}_RANDOM"},
	{regexp.MustCompile(`<\d{14}\.[0-9a-f]+@`), "<ID@"},
	{regexp.MustCompile(`no-such-user-[0-9a-f]{16}`), "no-such-user-RANDOM"},
	{regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\d\d:\d\d:\d\dZ`), "CLOCK"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\dZ`), "DATE"},
	// Nonces, salts and what is made of them: of SCRAM, DIGEST-MD5 and CRAM-MD5, and in base64.
	{regexp.MustCompile(`(\br=|\bs=|\bc=|nonce=\\?")[A-Za-z0-9+/]{20,}=*`), "${1}RANDOM"},
	{regexp.MustCompile(`<[A-Z2-7]{26}@`), "<RANDOM@"},
	// Hashes and numbers of certificates, whole or cut.
	{regexp.MustCompile(`\b(?:[0-9a-f]{128}|[0-9a-f]{64})\b|\b[0-9a-f]{8}…`), "HEX"},
	{regexp.MustCompile(`\bserial +[0-9a-f]+`), "serial HEX"},
	{regexp.MustCompile(`\b(until|from|on) \d{4}-\d\d-\d\d\b`), "$1 DAY"},
	{regexp.MustCompile(`\b\d{4} days left`), "DAYS days left"},
	{regexp.MustCompile(`[A-Za-z0-9+/]{40,}=*`), "BASE64"},
	// What is left of a DKIM signature, and its time.
	{regexp.MustCompile(`; b=[A-Za-z0-9+/]+`), "; b=BASE64"},
	{regexp.MustCompile(`^((?:  [→⇒] ┊ )? )[A-Za-z0-9+/]+==$`), "${1}BASE64"},
	{regexp.MustCompile(`\bt=\d{10};`), "t=TIME;"},
}

// edge is a time at the right edge, or at the end of a line that reaches beyond
// it, with its colour.
var edge = regexp.MustCompile(` {2,}((?:\x1b\[[\d;]*m)?)(exit \d+ [·-] |\+?)\d+(?:\.\d+)? m?s((?:\x1b\[0m)?)$`)

// cell is a time in a table, with the spaces up to the next column.
var cell = regexp.MustCompile(`\b\d+(?:\.\d+)? m?s  +`)

// mask replaces times, dates, random names and ports. The spaces before a time
// at the right edge differ too: a terminal's keep to the edge, others become two.
func mask(text string, terminal bool) string {
	var b bytes.Buffer
	for line := range bytes.Lines([]byte(text)) {
		end := ""
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line, end = line[:n-1], "\n"
		}
		if at := edge.FindSubmatchIndex(line); at != nil {
			on, what, off := string(line[at[2]:at[3]]), string(line[at[4]:at[5]])+"TIME", string(line[at[6]:at[7]])
			spaces := 2
			switch {
			case at[0] == 0 && strings.HasPrefix(what, "exit"): // of a narrow terminal: not at the edge
				spaces = at[2]
			case terminal:
				spaces = utf8.RuneCount(line[at[0]:at[1]]) - utf8.RuneCountInString(on+what+off)
			}
			line = append(line[:at[0]:at[0]], strings.Repeat(" ", spaces)+on+what+off...)
		}
		if bytes.HasPrefix(line, []byte("    ")) {
			line = cell.ReplaceAll(line, []byte("TIME  "))
		}
		for _, m := range masks {
			line = m.what.ReplaceAll(line, []byte(m.with))
		}
		b.Write(line)
		b.WriteString(end)
	}
	return b.String()
}

// TestScript runs testdata/script: the program's behaviour as a user sees it.
func TestScript(t *testing.T) {
	dir, err := filepath.Abs("../testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() { // every fourth: each starts the program several times
		for i := range files[:len(files)/4] {
			files[i] = files[4*i]
		}
		files = files[:len(files)/4]
	}
	testscript.Run(t, testscript.Params{
		Files:         files,
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("TZ", "UTC")
			env.Setenv("USER", "user")
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("CR", "\r")
			env.Setenv("LF", "\n")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "usage": usage, "until": until,
		},
	})
}

// status is "exec" with the exit status that has to come: status 3 masked send ...
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program args...")
	}
	if got := strconv.Itoa(exitStatus(ts, args[1], args[2:])); got != args[0] {
		ts.Fatalf("exit status %s, not %s", got, args[0])
	}
}

func exitStatus(ts *testscript.TestScript, program string, args []string) int {
	var ended *exec.ExitError
	switch err := ts.Exec(program, args...); {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.ExitCode()
	default:
		ts.Fatalf("%s: %v", program, err)
	}
	return -1
}

// usage runs ehlo with a line that is wrong, which has to end with status 2, one
// line of reason and nothing done, and adds what it says to the file "usage".
func usage(ts *testscript.TestScript, neg bool, args []string) {
	if got := exitStatus(ts, "ehlo", args); neg || got != int(cmd.StatusUsage) {
		ts.Fatalf("exit status %d, not %d", got, cmd.StatusUsage)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("it went to work: %s", out)
	}
	said := strings.ReplaceAll(ts.ReadFile("stderr"), ts.Getenv("WORK"), "$WORK")
	line := strings.ReplaceAll(strings.Join(args, " "), ts.Getenv("WORK"), "$WORK")
	line = strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(line)
	lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	if !strings.HasPrefix(said, "ehlo: ") || len(lines) > 3 || len(lines) > 1 && !strings.HasPrefix(lines[1], "  ") {
		ts.Fatalf("not one line of reason: %s", said)
	}
	f, err := os.OpenFile(ts.MkAbs("usage"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = fmt.Fprintf(f, "> ehlo %s\n%s", line, said)
	ts.Check(err)
	ts.Check(f.Close())
}

// until waits for a file to match a regular expression, and puts its first group
// into a variable: until FILE REGEXP [NAME]
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: until FILE REGEXP [NAME]")
	}
	what := regexp.MustCompile(args[1])
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if found := what.FindSubmatch(text); found != nil {
			if len(args) == 3 {
				ts.Setenv(args[2], string(found[1]))
			}
			return
		}
	}
	ts.Fatalf("%s does not come to match %s", args[0], args[1])
}

// TestScriptsCover wants every flag of every command and every domain of the
// sandbox to stand in a script, and transcripts to be clean.
func TestScriptsCover(t *testing.T) {
	files, err := filepath.Glob("../testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var commands strings.Builder
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		commands.Write(archive.Comment)
		for _, f := range archive.Files {
			for _, bad := range []string{"\n\n\n", " \n", "%!", "<nil>", "\t", "0x"} {
				if strings.Contains(string(f.Data), bad) {
					t.Errorf("%s: %s holds %q", filepath.Base(file), f.Name, bad)
				}
			}
		}
	}
	lines := commands.String()
	for _, d := range sandbox.Table() {
		if !strings.Contains(lines, "@"+d.Domain) && !strings.Contains(lines, " "+d.Domain) {
			t.Errorf("no script goes to %s", d.Domain)
		}
	}
	env := cmd.OSEnv()
	for _, name := range []string{"mx", "probe", "send", "tls", "verify", "message", "bench", "explain", "check", "sandbox", "completion"} {
		var help bytes.Buffer
		env.Out = &help
		cmd.Main(t.Context(), env, []string{name, "--help"})
		for _, m := range regexp.MustCompile(`(?m)^  (?:-\w,|   ) (--[a-z0-9-]+)`).FindAllStringSubmatch(help.String(), -1) {
			if !regexp.MustCompile(` ` + m[1] + `\b`).MatchString(lines) {
				t.Errorf("no script gives %s %s", name, m[1])
			}
		}
	}
}
