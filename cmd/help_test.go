package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func TestHelp(t *testing.T) {
	for _, c := range commands() {
		out, errs, status := newWorld().run(c.name, "--help")
		if status != 0 || errs != "" {
			t.Errorf("ehlo %s --help: status %d, stderr %q", c.name, status, errs)
		}
		lines := strings.Split(out, "\n")
		if len(c.examples) != 3 || lines[2] != "Examples" {
			t.Errorf("ehlo %s --help does not open with three examples:\n%s", c.name, strings.Join(lines[:4], "\n"))
		}
		for i, e := range c.examples {
			if lines[3+2*i] != "  "+e.line {
				t.Errorf("ehlo %s --help: example %d is %q, want %q", c.name, i+1, lines[3+2*i], e.line)
			}
		}
		for _, line := range lines {
			if len(line) > helpWidth || transcript.Escape(line, true) != line || strings.TrimRight(line, " ") != line {
				t.Errorf("ehlo %s --help: %q is over %d columns, not ASCII, or ends in a space", c.name, line, helpWidth)
			}
		}
		for _, f := range flagsOf(c) {
			if !strings.Contains(out, f.shown()) {
				t.Errorf("ehlo %s --help lacks %s", c.name, f.shown())
			}
		}
		for _, line := range [][]string{{"help", c.name}, {"--help", c.name}, {c.name, "-h"}, {c.name, "--form", "-h"}, {c.name, "--version=no", "--help"}} {
			if same, _, status := newWorld().run(line...); same != out || status != 0 {
				t.Errorf("ehlo %s is not ehlo %s --help; status %d", strings.Join(line, " "), c.name, status)
			}
		}
	}
}

// Each example is a line that parses, stays offline, and needs nothing set up.
func TestExamplesParse(t *testing.T) {
	for _, c := range commands() {
		for _, e := range c.examples {
			line, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(e.line, "source <("), ")"), " |")
			line, _, _ = strings.Cut(line, " > ")
			quoted := false
			args := strings.FieldsFunc(line, func(r rune) bool {
				if r == '\'' {
					quoted = !quoted
				}
				return r == '\'' || r == ' ' && !quoted
			})
			call, err := parse(args[1:])
			if err != nil || args[0] != "ehlo" {
				t.Errorf("%s: %v", e.line, err)
				continue
			}
			if call.help || call.version {
				continue
			}
			s, err := resolve(call, newWorld().Env)
			if err != nil {
				t.Errorf("%s: %v", e.line, err)
			} else if _, ok := s.values["sandbox"]; ok && !s.Bool("sandbox") {
				t.Errorf("%s: it would touch the network", e.line)
			}
		}
	}
}

func TestOverview(t *testing.T) {
	alone, errs, status := newWorld().run()
	if status != 2 || errs != "" {
		t.Errorf("ehlo alone: status %d, stderr %q", status, errs)
	}
	for _, line := range []string{"--help", "-h", "help"} {
		if out, _, status := newWorld().run(line); status != 0 || out != alone {
			t.Errorf("ehlo %s: status %d, or other than ehlo alone", line, status)
		}
	}
	for _, c := range commands() {
		if strings.Contains(alone, "\n  "+c.name+" ") == c.hidden {
			t.Errorf("the overview and %s's being hidden disagree", c.name)
		}
	}
}

// Headings are bold where the rule for colour says so; words are the same.
func TestHelpColour(t *testing.T) {
	plain, _, _ := newWorld().run("mx", "--help")
	w := newWorld()
	w.OutWidth = 120
	bold, _, _ := w.run("mx", "--help")
	if !strings.Contains(bold, "\x1b[1mExamples\x1b[") {
		t.Errorf("no bold heading on a terminal: %q", bold[:80])
	}
	for _, code := range []string{"\x1b[1m", "\x1b[22m", "\x1b[0m", "\x1b[22;0m", "\x1b[0;22m"} {
		bold = strings.ReplaceAll(bold, code, "")
	}
	if bold != plain {
		t.Error("help on a terminal differs by more than bold headings")
	}
	if out, _, _ := w.run("mx", "--help", "--color=never"); out != plain {
		t.Error("--color=never does not hold for help")
	}
}

func TestVersion(t *testing.T) {
	for _, line := range [][]string{{"version"}, {"--version"}, {"send", "--version"}} {
		out, errs, status := newWorld().run(line...)
		if status != 0 || errs != "" || !strings.HasPrefix(out, "ehlo 1.2.3 (go") {
			t.Errorf("ehlo %v: status %d, %q, stderr %q", line, status, out, errs)
		}
	}
	w := newWorld()
	w.Version = ""
	if out, _, _ := w.run("version"); len(strings.Fields(out)) < 4 {
		t.Errorf("without a version: %q", out)
	}
}

func TestDump(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dump.json")
	out, errs, status := newWorld("EHLO_DNS_SERVER=192.0.2.1").run("mx", "a.test", "--dump", "--json", "--output", path, "-4")
	if status != 0 || out != "" || errs != "" {
		t.Fatalf("status %d, stdout %q, stderr %q", status, out, errs)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(got)), " ")
	for _, want := range []string{
		`{ "schema": "ehlo.dump/1", "ok": true, "exit_status": 0, "outcome": "done", "command": "mx", "arguments": [ "a.test" ], "settings": [`,
		`{ "name": "ipv4", "values": [ "true" ], "from": "-4" }`,
		`{ "name": "dns-server", "values": [ "192.0.2.1" ], "from": "EHLO_DNS_SERVER" }`,
		`{ "name": "timeout", "values": [], "from": "default" }`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %s:\n%s", want, got)
		}
	}
	// Every setting of the command is there, and no shorthand.
	for _, f := range flagsOf(findCommand("mx")) {
		if has := strings.Contains(text, `"name": "`+f.name+`"`); has == (f.shorthand() || f.group == "help" || f.name == "dump") {
			t.Errorf("setting %s listed: %v", f.name, has)
		}
	}
	// Foreign bytes are escaped, and nothing is sent.
	if got := dumped(t, newWorld("EHLO_SUBJECT=\x1b[31mred"), "subject", "send"); got != `EHLO_SUBJECT \x1b[31mred` {
		t.Errorf("subject is dumped as %q", got)
	}
}
