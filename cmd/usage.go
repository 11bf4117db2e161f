package cmd

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// usageError is something that the caller wrote and should write otherwise:
// status 2. Msg names the thing and the rule it breaks, in lower case.
type usageError struct {
	msg    string
	likely string // what was probably meant; "" if nothing is near
	next   string // a command that helps
}

func (e *usageError) Error() string { return e.msg }

// outputError says that output could not be written: status 74.
type outputError struct{ err error }

func (e *outputError) Error() string { return "output could not be written: " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// badValue says which rule the value of a flag, a variable or a key breaks.
func badValue(where, value string, rule error, next string) error {
	return &usageError{msg: fmt.Sprintf("%s %s: %v", where, quote(hidden(value)), rule), next: next}
}

// hidden is value without the password of a URL.
func hidden(value string) string {
	if u, err := url.Parse(value); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && password != "" {
			return strings.Replace(value, ":"+password+"@", ":[hidden]@", 1)
		}
	}
	return value
}

func unknownFlag(c *command, typed string) error {
	who := "ehlo"
	if c != nil {
		who = c.name
	}
	e := &usageError{msg: fmt.Sprintf("%s has no flag %s", who, typed), next: helpFor(c)}
	name := strings.TrimLeft(typed, "-")
	if f, _ := findFlag(nil, name); f != nil && strings.HasPrefix(typed, "--") {
		e.likely = typed + " is a flag of " + strings.Join(commandsWith(f), ", ")
		return e
	}
	if near := nearest(name, flagNames(c)); near != "" {
		e.likely = "--" + near
	}
	return e
}

// unknownCommand suggests the nearest command, and one that takes such an
// argument where word is spelt like an address or a host.
func unknownCommand(word string) error {
	e := &usageError{msg: "there is no command " + quote(word), next: "ehlo --help"}
	var names []string
	for _, c := range commands() {
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	switch near := nearest(word, names); {
	case near != "":
		e.likely = "ehlo " + near
	case strings.Contains(word, "@"):
		e.likely = "ehlo verify " + shellWord(word)
	case strings.ContainsAny(word, ".:"):
		e.likely = "ehlo probe " + shellWord(word)
	}
	return e
}

// flagNames are the names that may stand behind "--" on c: those of help, and
// those that take something back.
func flagNames(c *command) []string {
	var names []string
	for i := range flagTable {
		f := &flagTable[i]
		if c != nil && !f.on(c) {
			continue
		}
		names = append(names, f.name)
		if f.takenBack() {
			names = append(names, "no-"+f.name)
		}
	}
	return names
}

func commandsWith(f *flag) []string {
	var names []string
	for _, c := range commands() {
		if f.on(c) && !c.hidden {
			names = append(names, c.name)
		}
	}
	return names
}

// helpFor is the command that prints help for c, or for all.
func helpFor(c *command) string {
	if c == nil {
		return "ehlo --help"
	}
	return "ehlo " + c.name + " --help"
}

// quote sets a word that somebody wrote apart from our own.
func quote(word string) string {
	const most = 60
	if runes := []rune(word); len(runes) > most {
		word = string(runes[:most]) + "..."
	}
	return "'" + word + "'"
}

// shellWord is word so that it can be pasted into a shell.
func shellWord(word string) string {
	plain := func(r rune) bool { return alphanumeric(r) || strings.ContainsRune("@%_-+=:,./", r) }
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// nearest gives the candidate that word was probably meant to be, or "": the one
// with the fewest slips of the finger, of which more than a third of its letters
// are too many, else the first that it begins.
func nearest(word string, candidates []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := slips(word, c); d < least && d < len(word) {
			best, least = c, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	for _, c := range candidates {
		if strings.HasPrefix(c, word) {
			return c
		}
	}
	return ""
}

// slips counts the letters to insert, drop, replace or swap with a neighbour to
// make b of a (the restricted Damerau-Levenshtein distance).
func slips(a, b string) int {
	before := make([]int, len(b)+1) // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// sortedNames gives the keys of m in order.
func sortedNames[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
