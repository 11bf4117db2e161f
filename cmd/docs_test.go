package cmd_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// documents are what people read. A line of a console block that begins with "$ " is
// a command, which ends with status 0 or the one behind "# exit"; the lines below
// it, if there are any, are what it prints but for times and the like, "..." for any
// lines. A toml block is the configuration of the commands in its document.
func documents(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("../docs/*.md")
	if err != nil || len(list) < 4 {
		t.Fatalf("%q, %v", list, err)
	}
	return append(list, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md")
}

// TestDocsCommands runs every command that a document shows. With -update it
// writes what they print into the documents.
func TestDocsCommands(t *testing.T) {
	for _, path := range documents(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			path, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := newShell(t)
			lines := strings.Split(string(text), "\n")
			var after []string
			for at := 0; at < len(lines); at++ {
				after = append(after, lines[at])
				switch lines[at] {
				case "```toml":
					end := at + slices.Index(lines[at:], "```")
					write(t, filepath.Join(s.dir, "ehlo", "config.toml"), []byte(strings.Join(lines[at+1:end], "\n")))
				case "```console":
					for lines[at+1] != "```" {
						command, ok := strings.CutPrefix(lines[at+1], "$ ")
						if !ok {
							t.Fatalf("line %d is no command", at+2)
						}
						end := at + 2
						for lines[end] != "```" && !strings.HasPrefix(lines[end], "$ ") {
							end++
						}
						after = append(after, lines[at+1])
						after = append(after, s.shown(command, lines[at+2:end])...)
						at = end - 1
					}
				}
			}
			if *update {
				write(t, path, []byte(strings.Join(after, "\n")))
			}
		})
	}
}

// TestHelpExamples runs the three examples of every --help.
func TestHelpExamples(t *testing.T) {
	for _, c := range commandNames(t) {
		help, _, _ := ehlo(t, c, "--help")
		_, examples, _ := strings.Cut(help, "\nExamples\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		s := newShell(t)
		if strings.Count(examples, "\n") != 5 {
			t.Errorf("ehlo %s --help: these are not three examples:\n%s", c, examples)
			continue
		}
		for i, line := range strings.Split(examples, "\n") {
			if i%2 == 0 { // below each stands what it is
				s.shown(strings.TrimSpace(line), nil)
			}
		}
	}
}

// TestDocsFlags wants every flag that a document names to exist.
func TestDocsFlags(t *testing.T) {
	known := map[string]bool{}
	flags := regexp.MustCompile(`(^|[^-\w])--([a-z][a-z0-9-]*)`)
	for _, c := range commandNames(t) {
		help, _, _ := ehlo(t, c, "--help")
		for _, m := range flags.FindAllStringSubmatch(help, -1) {
			known[m[2]] = true
		}
	}
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range flags.FindAllStringSubmatch(string(text), -1) {
			if !known[m[2]] && !known[strings.TrimPrefix(m[2], "no-")] {
				t.Errorf("%s names --%s", path, m[2])
			}
		}
	}
}

// TestDocsLinks wants every file that a document links to.
func TestDocsLinks(t *testing.T) {
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)[)#]`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			}
		}
	}
}

// TestDocsStatuses holds README's table of exit statuses to that of --help.
func TestDocsStatuses(t *testing.T) {
	help, _, _ := ehlo(t, "send", "--help")
	_, table, _ := strings.Cut(help, "\nExit status\n")
	var want strings.Builder
	for row := range strings.Lines(table) {
		status, about, _ := strings.Cut(strings.TrimSpace(row), " ")
		fmt.Fprintf(&want, "| %s | %s |\n", status, strings.TrimSpace(about))
	}
	if readme := read(t, "README.md"); !strings.Contains(readme, "|---|---|\n"+want.String()+"\n") {
		t.Errorf("README.md lacks this table:\n%s", want.String())
	}
}

// commandNames are the commands of "ehlo help", and man, which it does not list.
func commandNames(t *testing.T) []string {
	t.Helper()
	help, _, _ := ehlo(t, "help")
	_, list, _ := strings.Cut(help, "\nCommands\n")
	list, _, _ = strings.Cut(list, "\n\n")
	names := []string{"man"}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+)`).FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	if len(names) < 8 {
		t.Fatalf("commands: %q", names)
	}
	return names
}

// TestDependencies wants a line in docs/dependencies.md for every module that
// go.mod requires for our own code.
func TestDependencies(t *testing.T) {
	text := read(t, "docs/dependencies.md")
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) (v\S+)$`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		if !strings.Contains(text, fmt.Sprintf("| %s | %s, ", m[1], m[2])) {
			t.Errorf("docs/dependencies.md lacks %s %s", m[1], m[2])
		}
	}
}

// TestImports holds the packages to the arrows of docs/architecture.md.
func TestImports(t *testing.T) {
	const module = "github.com/ehlo-mail/ehlo"
	allowed := map[string]string{
		"": "cmd cmd/signals", "cmd/signals": "", "cmd": "dialog dialog/check dialog/check/dmarc dialog/check/spf dialog/explain dialog/load dialog/policy dialog/reach dialog/route dialog/sandbox dialog/sasl dialog/scan dialog/stack dialog/transcript mime",
		"dialog/check":       "dialog dialog/check/dmarc dialog/check/spf dialog/explain dialog/policy dialog/reach dialog/route dialog/scan dialog/transcript mime",
		"dialog/check/dmarc": "dialog/route", "dialog/check/spf": "dialog/route dialog/transcript",
		"dialog/load": "dialog dialog/reach dialog/transcript",
		"dialog/scan": "dialog dialog/reach", "dialog/reach": "dialog dialog/policy dialog/route dialog/transcript",
		"dialog": "dialog/sasl dialog/stack dialog/transcript", "dialog/sasl": "dialog/transcript",
		"dialog/policy": "dialog/route dialog/transcript", "dialog/route": "dialog/transcript",
		"dialog/explain": "", "dialog/sandbox": "", "dialog/stack": "", "dialog/transcript": "", "mime": "",
	}
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Name() == "testdata" {
			return fs.SkipDir // programs of its own, none of which is the project's
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		from, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		from = strings.TrimPrefix(filepath.ToSlash(from), ".")
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found[from] = true
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(to, module+"/"); ok && !slices.Contains(strings.Fields(allowed[from]), ours) {
				t.Errorf("%s imports %s", path, ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(allowed)); !slices.Equal(got, want) {
		t.Errorf("there are the packages %q, not %q", got, want)
	}
}
