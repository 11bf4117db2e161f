package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// kind is what a flag's value is.
type kind uint8

const (
	isBool kind = iota // given or not; "--no-NAME" takes it back
	isText
	isList // text, repeatable; never split at commas
	isInt
	isTime  // a duration
	isWord  // one of words
	isWords // some of words, separated by commas, in any case
)

// ofWords reports whether the value is of a flag's words.
func (k kind) ofWords() bool { return k == isWord || k == isWords }

// flag is one row of the table that everything about flags is made from: the
// parser, the environment variables, the keys of the configuration file, help,
// the manual, completions and --dump.
type flag struct {
	name  string // without dashes: also the key of the setting it writes
	short string // one letter, or ""
	group string
	only  string // the commands that have it, where not all that take its group do
	not   string // those that lack it, where most have it
	kind  kind
	value string // what stands for the value in help
	about string

	def      string          // the default; a bool without one has a third state, not set
	words    []string        // of isWord
	listed   func() []string // of isWord, too, where a package knows them: the table is data that no start makes
	least    int             // of isInt
	most     int
	optional string // the word that stands for a missing value; the next argument is taken only if it is one of words

	writes string // a shorthand: the setting it writes instead of its own
	as     string // and the value it writes there

	lines    bool // the value may have several lines
	secret   bool // the value is shown nowhere
	file     bool // the value may be @FILE, or - for standard input
	from     from // where else it may be set
	complete complete

	check func(string) error // says which rule the value breaks
}

// from says which layers besides the command line may set a flag.
type from uint8

const (
	anywhere    from = iota // the environment and the configuration file
	environment             // the environment alone: it says which file and profile
	commandLine             // nothing else
)

// complete is what a shell offers for a value that is not one of a few words.
type complete uint8

const (
	nothing complete = iota
	files
	atFiles // @FILE
	dirs
)

// groups are the headings of help, in order.
func groups() []string {
	return []string{"route", "time", "protocol", "TLS", "auth", "envelope", "message", "probe", "check", "sender", "scan", "parts", "explain", "load", "MX", "sandbox", "output", "settings", "help"}
}

// choices are the words that f takes, nil if it takes others.
func (f *flag) choices() []string {
	if f.listed != nil {
		return f.listed()
	}
	return f.words
}

// purpose is what f is for. Behind a colon its words follow.
func (f *flag) purpose() string {
	if strings.HasSuffix(f.about, ":") {
		return f.about + " " + strings.Join(f.choices(), ", ")
	}
	return f.about
}

// setting is the key that f writes.
func (f *flag) setting() string {
	if f.writes != "" {
		return f.writes
	}
	return f.name
}

// shorthand reports whether f only writes another flag's setting.
func (f *flag) shorthand() bool { return f.writes != "" }

// takesValue reports whether an argument follows f.
func (f *flag) takesValue() bool { return f.kind != isBool }

// switches reports whether f's value may be true or false.
func (f *flag) switches() bool { return f.kind == isBool || f.optional == "true" }

// shown is f as help spells it: a bool that is on by default is there to be switched off.
func (f *flag) shown() string {
	if f.kind == isBool && f.def == "true" {
		return "--no-" + f.name
	}
	return "--" + f.name
}

// env is the environment variable that sets f, "" if none does.
func (f *flag) env() string {
	if f.shorthand() || f.from == commandLine {
		return ""
	}
	return f.variable()
}

// variable is the name that an environment variable for f has.
func (f *flag) variable() string {
	name := append(make([]byte, 0, 40), "EHLO_"...)
	for _, c := range []byte(f.name) {
		switch {
		case c == '-':
			c = '_'
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		name = append(name, c)
	}
	return string(name)
}

// key is f's key in the configuration file, "" if it has none.
func (f *flag) key() string {
	if f.shorthand() || f.from != anywhere {
		return ""
	}
	return f.name
}

// takenBack reports whether --no-NAME exists: for a bool that something else
// than the command line may have set, or that has three states.
func (f *flag) takenBack() bool {
	return f.kind == isBool && !f.shorthand() && f.from == anywhere
}

// valid says which rule value breaks, nil if none.
func (f *flag) valid(value string) error {
	if err := f.form(value); err != nil {
		return err
	}
	if f.check != nil {
		return f.check(value)
	}
	return nil
}

// displayed is value as it may be shown.
func (f *flag) displayed(value string) string {
	if f.secret {
		return transcript.Hidden
	}
	return value
}

func (f *flag) form(value string) error {
	switch f.kind {
	case isBool:
		_, err := parseBool(value)
		return err
	case isInt:
		return checkInt(value, f.least, f.most)
	case isTime:
		_, err := parseDuration(value)
		return err
	case isWord:
		if !f.named(value) {
			return fmt.Errorf("it is one of %s", strings.Join(f.choices(), ", "))
		}
	case isWords:
		for part := range strings.SplitSeq(value, ",") {
			if !f.named(part) {
				return fmt.Errorf("%s is none of %s", quote(part), strings.Join(f.choices(), ", "))
			}
		}
	case isText, isList:
		if strings.ContainsRune(value, 0) {
			return errNUL
		}
		if !f.lines && strings.ContainsAny(value, "\r\n") {
			return errLines
		}
	}
	return nil
}

// named reports whether value is one of f's words, or some of them.
func (f *flag) named(value string) bool {
	if f.kind != isWords {
		return slices.Contains(f.choices(), value)
	}
	for part := range strings.SplitSeq(value, ",") {
		if !slices.ContainsFunc(f.choices(), func(word string) bool { return strings.EqualFold(word, part) }) {
			return false
		}
	}
	return true
}

// on reports whether command c has the flag.
func (f *flag) on(c *command) bool {
	if !slices.Contains(c.groups, f.group) {
		return false
	}
	return (f.only == "" || hasWord(f.only, c.name)) && !hasWord(f.not, c.name)
}

// hasWord reports whether word is one of words, parted by spaces, without making
// a list of them: every start of the program asks this of every flag.
func hasWord(words, word string) bool {
	for words != "" {
		var first string
		if first, words, _ = strings.Cut(words, " "); first == word {
			return true
		}
	}
	return false
}

// flagsOf are the flags of command c, in the order of the table.
func flagsOf(c *command) []*flag {
	var list []*flag
	for i := range flagTable {
		if f := &flagTable[i]; f.on(c) {
			list = append(list, f)
		}
	}
	return list
}

// findFlag gives the flag that a name without dashes means, on command c or, if c
// is nil, on any. "no-NAME" gives flag NAME and negated.
func findFlag(c *command, name string) (f *flag, negated bool) {
	rest, no := strings.CutPrefix(name, "no-")
	for i := range flagTable {
		f := &flagTable[i]
		if c != nil && !f.on(c) {
			continue
		}
		if f.name == name {
			return f, false
		}
		if no && f.name == rest && f.takenBack() {
			return f, true
		}
	}
	return nil, false
}

// findShort gives the flag of a single letter.
func findShort(c *command, letter string) *flag {
	for i := range flagTable {
		if f := &flagTable[i]; f.short == letter && (c == nil || f.on(c)) {
			return f
		}
	}
	return nil
}
