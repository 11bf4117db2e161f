package cmd_test

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// hostileTable holds exit statuses, by domain and column.
type hostileTable map[string]map[string]int

const hostileFile = "../testdata/hostile.txt"

// columns are those of the table; big is send with a message of 48 MiB, login a
// probe of port 587 as alice.
func columns() []string { return []string{"mx", "probe", "send", "verify", "tls", "login", "big"} }

// of is the status that a run has to end with: 0 where the table says nothing.
func (h hostileTable) of(domain, column string) int { return h[domain][column] }

// readHostileTable reads lines of a domain and its statuses: "send=4 probe=4".
func readHostileTable() (hostileTable, error) {
	f, err := os.Open(hostileFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	table := hostileTable{}
	for s := bufio.NewScanner(f); s.Scan(); {
		words := strings.Fields(s.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		table[words[0]] = map[string]int{}
		for _, word := range words[1:] {
			column, text, _ := strings.Cut(word, "=")
			n, err := strconv.Atoi(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", hostileFile, words[0], err)
			}
			table[words[0]][column] = n
		}
	}
	return table, nil
}

// write writes the table in the order of the sandbox's, without what is 0.
func (h hostileTable) write() error {
	var b strings.Builder
	b.WriteString("# The exit status of each command at each domain of the sandbox, where it is not 0. TestHostile holds the\n" +
		"# program to it, and writes it with -update: compare it with what the domain is to do (ehlo sandbox --list --json).\n" +
		"# big: send, with a message of 48 MiB. login: probe --auth as alice, port 587.\n\n")
	for _, s := range sandbox.Scenarios() {
		line := fmt.Sprintf("%-24s", s.Name+".test")
		any := false
		for _, column := range columns() {
			if status := h[s.Name+".test"][column]; status != 0 {
				line += fmt.Sprintf(" %s=%d", column, status)
				any = true
			}
		}
		if any {
			b.WriteString(line + "\n")
		}
	}
	return os.WriteFile(hostileFile, []byte(b.String()), 0o644)
}

// report says how it went, and writes it where it is asked to.
func (h *hostile) report(toDocs bool, runs, rounds int) {
	if *update {
		for domain, statuses := range h.want { // of what was not run this time
			if h.got[domain] == nil {
				h.got[domain] = statuses
			}
		}
		if err := h.got.write(); err != nil {
			h.Fatal(err)
		}
	}
	domains := len(h.got)
	over, rss := h.worst.over, h.worst.rss
	if over == nil || rss == nil {
		h.Fatal("nothing was run")
	}
	text := fmt.Sprintf("- %d of %d domains pass, with %d runs of `ehlo` as a process, %d times in a row with the same end.\n"+
		"- The limit was `--max-time %v`; the run that ended last beyond it: %v (%s).\n"+
		"- The most memory that was resident: %.1f MiB (%s).\n",
		domains-len(h.bad), domains, runs, rounds, hostileTime, (over.wall() - over.limit).Round(time.Millisecond), over.name(),
		float64(rss.Bytes)/(1<<20), rss.name())
	h.Log("\n" + text)
	late := slices.SortedFunc(slices.Values(h.ran), func(a, b *trial) int { return cmp.Compare(b.wall()-b.limit, a.wall()-a.limit) })
	for _, x := range late[:min(10, len(late))] {
		h.Logf("%v beyond its limit: %s", (x.wall() - x.limit).Round(time.Millisecond), x.name())
	}
	if toDocs && !h.Failed() {
		if err := writeBetween("../docs/reliability.md", "<!-- scenarios -->", "<!-- end -->", text); err != nil {
			h.Fatal(err)
		}
	}
}

// writeBetween replaces what stands in a document between two lines of its own.
func writeBetween(file, from, to, text string) error {
	doc, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	between := regexp.MustCompile(`(?s)(` + regexp.QuoteMeta(from) + `\n).*?(` + regexp.QuoteMeta(to) + `)`)
	if !between.Match(doc) {
		return fmt.Errorf("%s has no %s ... %s", file, from, to)
	}
	return os.WriteFile(file, between.ReplaceAll(doc, []byte("${1}\n"+strings.ReplaceAll(text, "$", "$$")+"\n${2}")), 0o644)
}
