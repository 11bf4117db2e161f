package cmd_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ehlo-mail/ehlo/cmd"
)

var update = flag.Bool("update", false, "write the transcripts in testdata/script anew")

// TestMain makes the test program stand for ehlo in scripts. "masked" is ehlo
// with everything that differs from run to run replaced, so that a script can
// hold the whole transcript that it expects.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ehlo":   func() { os.Exit(cmd.Main(context.Background(), cmd.OSEnv(), os.Args[1:])) },
		"masked": masked,
	})
}

func masked() {
	env := cmd.OSEnv()
	var out, err bytes.Buffer
	env.Out, env.Err = &out, &err
	// A script may look at the transcript as a terminal of so many columns has it.
	env.OutWidth, _ = strconv.Atoi(os.Getenv("SCRIPT_COLUMNS"))
	status := cmd.Main(context.Background(), env, os.Args[1:])
	_, _ = io.WriteString(os.Stdout, mask(out.String()))
	_, _ = io.WriteString(os.Stderr, mask(err.String()))
	os.Exit(status)
}

var masks = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(` *exit (\d+) ([·-]) [\d.]+ m?s`), "  exit $1 $2 TIME"},
	{regexp.MustCompile(` +\+?\d+(\.\d+)? m?s$`), "  TIME"},
	{regexp.MustCompile(`\([\d.]+ m?s after`), "(TIME after"},
	{regexp.MustCompile(`"(\w+_ms)": [\d.e-]+`), `"$1": 0`},
	{regexp.MustCompile(`"(at|until|not_before|not_after)": ?"[^"]*"`), `"$1": "WHEN"`},
	{regexp.MustCompile(`<\d{14}\.[0-9a-f]+@`), "<ID@"},
	{regexp.MustCompile(`no-such-user-[0-9a-f]{16}`), "no-such-user-RANDOM"},
	{regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\d\d:\d\d:\d\dZ`), "CLOCK"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\dZ`), "DATE"},
}

// mask replaces times, dates, random names and ports. Times stand at the right
// edge: the spaces before them go too.
func mask(text string) string {
	var b bytes.Buffer
	for line := range bytes.Lines([]byte(text)) {
		end := ""
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line, end = line[:n-1], "\n"
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
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("TZ", "UTC")
			env.Setenv("USER", "user")
			return nil
		},
	})
}
