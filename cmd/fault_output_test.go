//go:build unix

package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// output: what cannot be written is status 74, and standard error says what became of
// the message; a file never holds a part of a record.
func (p program) output(t *testing.T) {
	const lost = "ehlo: output could not be written: "
	const accepted = "; the message: accepted, by mx1.plain.test for alice@plain.test"
	for _, format := range []string{"text", "json", "jsonl"} {
		for _, to := range []string{"standard output", "--output"} {
			// Blocks of 512 or of 1024 bytes, as the shell has it.
			for _, blocks := range []int{0, 1, 2, 3} {
				if format == "text" && blocks > 1 {
					continue // it fits
				}
				t.Run(fmt.Sprintf("%s to %s of %d blocks", format, to, blocks), func(t *testing.T) {
					file := filepath.Join(t.TempDir(), "out")
					send := fmt.Sprintf(`ulimit -f %d; exec "$EHLO" send --sandbox --to alice@plain.test --format %s`, blocks, format)
					if to == "--output" {
						send += " --output " + file
					} else {
						send += " >" + file
					}
					c := p.command(t)
					c.Path, c.Args = "/bin/sh", []string{"sh", "-c", send}
					var errs bytes.Buffer
					c.Stderr = &errs
					_ = c.Run()
					if got := c.ProcessState.ExitCode(); got != 74 || !strings.HasPrefix(errs.String(), lost) || !strings.Contains(errs.String(), accepted) {
						t.Errorf("status %d, %q", got, errs.String())
					}
					written, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					if len(written) > 0 && written[len(written)-1] != '\n' || format == "json" && len(written) > 0 {
						t.Errorf("a part of a record: %q", written)
					}
					for line := range bytes.Lines(written) {
						if format == "jsonl" && !json.Valid(line) {
							t.Errorf("a part of a record: %q", line)
						}
					}
				})
			}
		}
	}
}

// shell: runs in surroundings that a shell makes; $EHLO is the program.
func (p program) shell(t *testing.T) {
	const letter = `printf 'From: <a@x.test>\nDate: Sun, 22 Nov 2026 01:14:02 +0000\nMessage-ID: <1@x.test>\n\nhi\n'`
	const big = `{ ` + letter + `; head -c 3000000 /dev/zero | tr '\0' x | fold -w 70; }`
	const send = `"$EHLO" send --sandbox --to alice@plain.test `
	for _, test := range []struct {
		name, script string
		status       int
		says         string // on standard output or standard error
		linux        bool
	}{
		{"a full disk", send + `>/dev/full`, 74, "the message: accepted", true},
		{"help on a full disk", `"$EHLO" --help >/dev/full`, 74, "output could not be written", true},
		{"a reader that is gone, of jsonl", `{ ` + send + `--format jsonl; echo "status $?" >&2; } | head -n 1 >/dev/null`, 0, "status ", false},
		{"standard output closed", send + `>&-`, 0, "", false},
		{"standard input closed", send + `--data - <&-`, 2, "the message is empty", false},
		{"a message from a FIFO", `mkfifo fifo; ` + letter + ` >fifo & ` + send + `--data @fifo`, 0, "accepted", false},
		{"a big message from a pipe", big + ` | ` + send + `--data -`, 0, "accepted", false},
		{"no directory for temporary files", big + ` | TMPDIR=$PWD/none ` + send + `--data -`, 2, "set TMPDIR to a directory with room", false},
		{"no room for temporary files", `{ ` + big + ` >big; }; ulimit -f 2000; ` + send + `--data - <big`, 2, "set TMPDIR to a directory with room", true},
		{"a message that is not there", send + `--data @none`, 2, "none: no such file", false},
		{"a locale that is not UTF-8", `LC_ALL=C ` + send, 0, "ok accepted", false},
		{"a locale that does not exist", `LC_ALL=xx_YY.KOI8-R ` + send, 0, "ok accepted", false},
		{"a time zone that does not exist", `TZ=No/Where ` + send, 0, "accepted", false},
		{"no home", `HOME= XDG_CONFIG_HOME= PATH= ` + send, 0, "accepted", false},
		{"ten file descriptors", `ulimit -n 10; ` + send, 4, "too many open files", true},
		{"an environment of one variable", `env -i "$EHLO" send --sandbox --to alice@plain.test`, 0, "accepted", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.linux && runtime.GOOS != "linux" {
				t.Skip("of Linux")
			}
			c := p.command(t)
			c.Path, c.Args, c.Dir = "/bin/sh", []string{"sh", "-c", test.script}, t.TempDir()
			var out bytes.Buffer
			c.Stdout, c.Stderr = &out, &out
			began := time.Now()
			_ = c.Run()
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			if got := c.ProcessState.ExitCode(); got != test.status || !strings.Contains(out.String(), test.says) {
				t.Errorf("status %d, not %d, or without %q:\n%s", got, test.status, test.says, out.String())
			}
			if strings.Contains(out.String(), "goroutine ") {
				t.Errorf("it ended by a panic:\n%s", out.String())
			}
		})
	}
}
