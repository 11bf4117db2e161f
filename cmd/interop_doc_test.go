package cmd_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// docs/interop.md is written by the interop tests: each writes, with -update, its own
// section from what it has just seen, and without it holds the section to that.

const interopPage = "../docs/interop.md"

// pageLock is held by who writes the page: its tests run side by side.
var pageLock sync.Mutex

// section holds the named section of docs/interop.md to text, or writes it there with -update. On
// another system than the page's, whose servers may offer something else, it says so.
func section(t *testing.T, name, text string) {
	t.Helper()
	if t.Failed() {
		return // what was seen is not what is right
	}
	pageLock.Lock()
	defer pageLock.Unlock()
	page, err := os.ReadFile(interopPage)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->\n"
	before, rest, found := strings.Cut(string(page), begin)
	old, after, ends := strings.Cut(rest, end)
	switch here := system(t); {
	case !found || !ends:
		t.Fatalf("%s has no section %s", interopPage, name)
	case old == text:
	case *update:
		write(t, interopPage, []byte(before+begin+text+end+after))
	case !strings.Contains(before, here):
		t.Logf("%s was not made on %s: its section %s is not compared", interopPage, here, name)
	default:
		t.Errorf("%s is stale: testdata/interop/run.sh go test -count=1 ./cmd -run Interop -update\n%s",
			interopPage, difference(crlf(old), crlf(text)))
	}
}

func crlf(text string) []byte { return []byte(strings.ReplaceAll(text, "\n", "\r\n")) }

// system is the distribution with its version, as "Debian 12".
func system(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string) string {
		found := regexp.MustCompile(`(?m)^` + name + `="?(\w+)[^"\n]*"?$`).FindSubmatch(text)
		if found == nil {
			return "?"
		}
		return string(found[1])
	}
	return field("NAME") + " " + field("VERSION_ID")
}

// version is that of a package that was unpacked, without what a security update
// changes: "3.7".
func version(t *testing.T, name string) string {
	t.Helper()
	list, err := os.ReadFile(setting(t, "VERSIONS"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (?:\d+:)?(\d+\.\d+)`).FindSubmatch(list)
	if found == nil {
		t.Fatalf("no version of %s is known", name)
	}
	return string(found[1])
}

// table is a table in Markdown, its columns aligned.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		for column, cell := range row {
			fmt.Fprintf(&b, "| %-*s ", widths[column], cell)
		}
		b.WriteString("|\n")
		if i == 0 {
			for _, width := range widths {
				b.WriteString("|" + strings.Repeat("-", width+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
