package cmd

import (
	"fmt"
	"slices"
	"strings"
)

// given is one flag as the command line gave it.
type given struct {
	flag  *flag
	typed string // with its dashes, as typed: "-4", "--no-tls"
	value string // what it writes to its setting
}

// call is a command line taken apart: which command, its flags in order, its
// arguments.
type call struct {
	command *command
	flags   []given
	args    []string
	help    bool
	version bool
}

// words are the command line in the one shape that urfave/cli reads without
// surprises: the command, "--flag=value" each, "--", the arguments.
func (c *call) words() []string {
	words := []string{"ehlo", c.command.name}
	for _, g := range c.flags {
		words = append(words, g.typed+"="+g.value)
	}
	return append(append(words, "--"), c.args...)
}

// parse takes the arguments apart (without the program's name). Flags stand
// before or behind the command and its arguments; "--" ends them. Without a
// command, call.command is nil. With --help or --version no other flag matters,
// so that help is to be had for a line that is still wrong. The call is never nil:
// it tells how to report the error.
func parse(args []string) (*call, error) {
	p := parser{args: args}
	name, found := p.findCommand()
	c := &call{}
	if found {
		if c.command = findCommand(name); c.command == nil {
			_ = p.read(c) // --color and --exit-codes still hold
			if p.strange != "" {
				return c, unknownFlag(nil, p.strange) // name may well be its value
			}
			return c, unknownCommand(name)
		}
	}
	p.command = c.command
	err := p.read(c)
	if c.help || c.version {
		return c, nil
	}
	if err != nil || c.command == nil {
		return c, err
	}
	return c, c.checkArgs()
}

// parser walks over the arguments.
type parser struct {
	args    []string
	command *command
	at      int    // where the command's name stands, -1 if nowhere
	strange string // the first unknown flag before it
}

// findCommand gives the first argument that is neither a flag nor a flag's value.
func (p *parser) findCommand() (string, bool) {
	p.at = -1
	for i := 0; i < len(p.args); i++ {
		arg := p.args[i]
		if arg == "--" {
			if i+1 < len(p.args) {
				p.at = i + 1
			}
			break
		}
		if !isFlag(arg) {
			p.at = i
			break
		}
		name, _, valued := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		f, _ := findFlag(nil, name)
		if f != nil && f.takesValue() && !valued && p.takes(f, i+1) {
			i++
		}
		if f == nil && p.strange == "" && strings.HasPrefix(arg, "--") {
			p.strange, _, _ = strings.Cut(arg, "=")
		}
	}
	if p.at < 0 {
		return "", false
	}
	return p.args[p.at], true
}

// isFlag reports whether arg is spelt like a flag; "-" alone is a value.
func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// takes reports whether the argument at i is the value of f, which precedes it.
func (p *parser) takes(f *flag, i int) bool {
	if i >= len(p.args) || p.args[i] == "--" {
		return false
	}
	arg := p.args[i]
	if f.optional != "" {
		return f.named(arg) || f.kind == isWords && looksLikeWord(arg)
	}
	if !isFlag(arg) {
		return true
	}
	// A flag where a value belongs means that the value was forgotten; a number
	// with a sign is a value, though hardly a good one.
	if (f.kind == isInt || f.kind == isTime) && strings.ContainsRune("0123456789", rune(arg[1])) {
		return true
	}
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	if strings.HasPrefix(arg, "--") {
		known, _ := findFlag(nil, name)
		return known == nil
	}
	return findShort(nil, name) == nil
}

// looksLikeWord reports whether arg is in capitals, as mechanisms are and hosts are
// not: a misspelt one is no target.
func looksLikeWord(arg string) bool {
	return strings.Trim(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_,") == "" && strings.ContainsAny(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// read fills c and gives the first error, going on behind it to look for --help.
func (p *parser) read(c *call) (first error) {
	for i := 0; i < len(p.args); i++ {
		arg := p.args[i]
		switch {
		case arg == "--":
			for j, rest := range p.args[i+1:] {
				if i+1+j != p.at {
					c.args = append(c.args, rest)
				}
			}
			return first
		case i == p.at:
		case !isFlag(arg):
			c.args = append(c.args, arg)
		default:
			used, err := p.flag(c, i)
			if err != nil && first == nil {
				first = err
			}
			i += used
		}
	}
	return first
}

// flag reads the flag at i and gives the number of further arguments it used.
func (p *parser) flag(c *call, i int) (used int, err error) {
	arg := p.args[i]
	typed, value, valued := strings.Cut(arg, "=")
	if !strings.HasPrefix(arg, "--") {
		return 0, p.letters(c, typed, valued)
	}
	f, negated := findFlag(p.command, typed[2:])
	switch {
	case f == nil:
		return p.skip(i), unknownFlag(p.command, typed)
	case f.kind == isBool:
		return 0, c.addBool(p.command, f, typed, value, valued, negated)
	case valued:
	case p.takes(f, i+1):
		value, used = p.args[i+1], 1
	case f.optional != "":
		value = f.optional
	default:
		return 0, &usageError{msg: fmt.Sprintf("%s needs a value: %s", typed, f.value), next: helpFor(p.command)}
	}
	return used, c.add(p.command, f, typed, value)
}

// skip gives the number of arguments behind an unknown flag that are its value,
// known from another command.
func (p *parser) skip(i int) int {
	name, _, valued := strings.Cut(strings.TrimLeft(p.args[i], "-"), "=")
	f, _ := findFlag(nil, name)
	if f != nil && f.takesValue() && !valued && p.takes(f, i+1) {
		return 1
	}
	return 0
}

// letters reads single letters behind one dash: "-4", "-4q". What is behind an
// equals sign may be a secret that lacks a dash.
func (p *parser) letters(c *call, typed string, valued bool) error {
	for _, letter := range typed[1:] {
		if findShort(p.command, string(letter)) == nil {
			return unknownFlag(p.command, typed)
		}
	}
	if valued {
		return &usageError{msg: typed + " takes no value", next: helpFor(p.command)}
	}
	for _, letter := range typed[1:] {
		f := findShort(p.command, string(letter))
		if err := c.addBool(p.command, f, "-"+string(letter), "", false, false); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) addBool(on *command, f *flag, typed, value string, valued, negated bool) error {
	yes := true
	if valued {
		var err error
		if yes, err = parseBool(value); err != nil {
			return badValue(typed, value, err, helpFor(on))
		}
	}
	switch {
	case f.name == "help":
		c.help = c.help || yes
	case f.name == "version":
		c.version = c.version || yes
	case f.shorthand() && yes:
		return c.add(on, f, typed, f.as)
	case f.shorthand():
		return &usageError{msg: fmt.Sprintf("%s=%s says nothing: say --%s VALUE", typed, value, f.writes), next: helpFor(on)}
	default:
		if yes != negated {
			return c.add(on, f, typed, "true")
		}
		return c.add(on, f, typed, "false")
	}
	return nil
}

func (c *call) add(on *command, f *flag, typed, value string) error {
	if !f.shorthand() {
		if err := f.valid(value); err != nil {
			return badValue(typed, f.displayed(value), err, helpFor(on))
		}
		value = f.plain(value)
	}
	c.flags = append(c.flags, given{flag: f, typed: typed, value: value})
	return nil
}

// checkArgs holds the arguments to the number that the command takes; --dump,
// which does nothing with them, does without.
func (c *call) checkArgs() error {
	dumps := slices.ContainsFunc(c.flags, func(g given) bool { return g.flag.name == "dump" })
	switch most := c.command.most; {
	case len(c.args) < c.command.least && !dumps:
		return &usageError{msg: fmt.Sprintf("%s needs %s", c.command.name, article(c.command.usage)), next: helpFor(c.command)}
	case most == 0 && len(c.args) > 0:
		e := &usageError{msg: fmt.Sprintf("%s takes no arguments: %s", c.command.name, quote(c.args[0])), next: helpFor(c.command)}
		if to, _ := findFlag(c.command, "to"); to != nil && strings.Contains(c.args[0], "@") {
			e.likely = "--to " + shellWord(c.args[0])
		}
		return e
	case most > 0 && len(c.args) > most:
		return &usageError{msg: fmt.Sprintf("%s takes one argument: %s is one more", c.command.name, quote(c.args[most])), next: helpFor(c.command)}
	}
	for _, arg := range c.args {
		if arg == "" {
			return &usageError{msg: fmt.Sprintf("%s: an argument is empty", c.command.name), next: helpFor(c.command)}
		}
	}
	return nil
}

// article is "a DOMAIN" of "DOMAIN...", "an ADDRESS" of "ADDRESS...".
func article(usage string) string {
	noun := strings.Trim(strings.TrimSuffix(usage, "..."), "[]")
	if noun != "" && strings.ContainsRune("AEIO", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
