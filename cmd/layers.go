package cmd

import (
	"fmt"
	"strconv"
	"strings"
)

// newSettings has c's settings at their defaults.
func newSettings(c *command) *Settings {
	flags := flagsOf(c)
	s := &Settings{command: c, next: helpFor(c), values: make(map[string]*setting, len(flags))}
	all := make([]setting, len(flags))
	for i, f := range flags {
		if f.shorthand() || f.group == "help" {
			continue
		}
		v := &all[i]
		v.flag = f
		s.values[f.name] = v
		v.reset(c)
	}
	return s
}

func (v *setting) reset(c *command) {
	v.values, v.source = nil, Source{Where: "default"}
	def := v.flag.def
	if own, ok := c.defaults[v.flag.name]; ok {
		def = own
	}
	if def != "" {
		v.values = []string{def}
	}
}

// resolve lays the environment, the configuration and the flags over each other.
func resolve(c *call, env Env) (*Settings, error) {
	s := newSettings(c.command)
	if err := s.takeFlags(c.flags); err != nil {
		return nil, err
	}
	if err := s.takeEnvironment(env); err != nil {
		return nil, err
	}
	if err := s.takeConfig(env); err != nil {
		return nil, err
	}
	if err := s.settleConflicts(); err != nil {
		return nil, err
	}
	return s, s.checkStdin()
}

// take gives v one more value from a layer; values of a lower layer, and of a
// setting that holds but one, make way.
func (v *setting) take(value string, from Source) {
	if v.flag.kind != isList || v.source.Layer != from.Layer {
		v.values = nil
	}
	v.values = append(v.values, value)
	v.source = from
}

func (s *Settings) takeFlags(flags []given) error {
	for _, g := range flags {
		name := g.flag.setting()
		v := s.values[name]
		// A bool without a default has three states: both of its flags at once
		// contradict. Of any other pair the last wins.
		if v.flag.kind == isBool && v.flag.def == "" && v.source.Layer == FromFlag && v.values[0] != g.value {
			return s.contradiction(v.source.Where, g.typed)
		}
		v.take(g.value, Source{FromFlag, g.typed})
		s.typed = append(s.typed, Pair{name, g.value})
	}
	return nil
}

func (s *Settings) contradiction(a, b string) error {
	return &usageError{msg: fmt.Sprintf("%s and %s contradict each other", a, b), next: s.next}
}

func (s *Settings) takeEnvironment(env Env) error {
	for _, f := range flagsOf(s.command) {
		v, variable := s.values[f.name], f.env()
		if f.secret {
			if err := refuseVariable(f, env); err != nil {
				return err
			}
		}
		if variable == "" || v.source.Layer > FromEnvironment {
			continue
		}
		value := env.Getenv(variable)
		if value == "" {
			continue
		}
		if err := f.validElsewhere(value); err != nil {
			return badValue(variable, value, err, s.next)
		}
		v.take(f.plain(value), Source{FromEnvironment, variable})
	}
	return nil
}

// refuseVariable refuses a secret in the environment, rather than to look past it.
func refuseVariable(f *flag, env Env) error {
	name := f.variable()
	if env.Getenv(name) == "" {
		return nil
	}
	return &usageError{
		msg:    name + ": secrets are not taken from the environment, which every program that you start can read",
		likely: name + "_FILE=FILE",
	}
}

// validElsewhere is valid for a value from the environment or the configuration:
// what reads a file or starts a program is taken from the command line alone.
func (f *flag) validElsewhere(value string) error {
	switch {
	case f.file && strings.HasPrefix(value, "@"):
		return fmt.Errorf("a file is taken from the command line alone")
	case f.name == "server" && (strings.HasPrefix(value, "exec:") || strings.HasPrefix(value, "unix:")):
		return fmt.Errorf("%s targets are taken from the command line alone", value[:5])
	}
	return f.valid(value)
}

// plain spells a bool as true or false.
func (f *flag) plain(value string) string {
	if !f.switches() {
		return value
	}
	yes, err := parseBool(value)
	if err != nil {
		return value
	}
	return strconv.FormatBool(yes)
}

// settleConflicts refuses two settings that contradict each other. Where one
// comes from a higher layer, the other is not meant this time and makes way.
func (s *Settings) settleConflicts() error {
	for _, c := range conflicts {
		if err := s.settle(s.holding(c.a), s.holding(c.b), c.stays); err != nil {
			return err
		}
	}
	return s.settleAuth()
}

// settle settles one conflict; nil is a side that is not set.
func (s *Settings) settle(a, b *setting, stays bool) error {
	switch {
	case a == nil || b == nil:
	case a.source.Layer > b.source.Layer:
		b.reset(s.command)
	case a.source.Layer < b.source.Layer && !stays:
		a.reset(s.command)
	default:
		return s.contradiction(a.named(), b.named())
	}
	return nil
}

// holding is the setting of one side of a conflict if it is set and says yes.
func (s *Settings) holding(side string) *setting {
	name, value, bound := strings.Cut(side, "=")
	v := s.values[name]
	if v == nil || v.source.Layer == FromDefault {
		return nil
	}
	last := v.values[len(v.values)-1]
	if bound && !strings.EqualFold(last, value) || v.flag.switches() && last == "false" {
		return nil
	}
	return v
}

// named is the setting as its layer spells it.
func (v *setting) named() string {
	if v.source.Layer == FromConfig || v.source.Layer == FromProfile {
		return v.flag.name + " (" + v.source.Where + ")"
	}
	return v.source.Where
}

// checkStdin refuses a second reader of standard input: it would find nothing.
func (s *Settings) checkStdin() error {
	var first string
	for i := range flagTable {
		f := &flagTable[i]
		v := s.values[f.name]
		if v == nil || !f.file {
			continue
		}
		for _, value := range v.values {
			if value != "-" && value != "@-" {
				continue
			}
			name := "--" + f.name
			if first != "" {
				return &usageError{msg: fmt.Sprintf("%s and %s both read standard input", first, name), next: s.next}
			}
			first = name
		}
	}
	return nil
}
