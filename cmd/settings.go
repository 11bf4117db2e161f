package cmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Layer is where a setting's value comes from; a higher one wins.
type Layer uint8

// The layers.
const (
	FromDefault Layer = iota
	FromConfig
	FromProfile
	FromEnvironment
	FromFlag
)

// Source is where a setting's value comes from, for people: "default",
// "config.toml:3", "profile work, config.toml:9", "EHLO_PORT", "--port".
type Source struct {
	Layer Layer
	Where string
}

// String is Where.
func (s Source) String() string { return s.Where }

// Pair is a setting with one of its values.
type Pair struct{ Name, Value string }

// Settings are the settings of one command, each resolved: flag beats
// environment beats profile beats default. Every value has passed its flag's
// check. Asking for a name that the command lacks gives its zero value, so that
// commands may share code.
type Settings struct {
	command *command
	next    string // the help to point to
	values  map[string]*setting
	typed   []Pair // what the command line gave, in its order
}

type setting struct {
	flag   *flag
	values []string
	source Source
}

// String is the value of a text, a word or the last of a list; "" if it has none.
func (s *Settings) String(name string) string {
	values := s.Strings(name)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Strings are the values of a list, in order.
func (s *Settings) Strings(name string) []string {
	if v := s.values[name]; v != nil {
		return v.values
	}
	return nil
}

// Bool reports whether a setting is on.
func (s *Settings) Bool(name string) bool {
	yes, err := parseBool(s.String(name))
	return err == nil && yes
}

// Int is the value of a number, 0 if it has none.
func (s *Settings) Int(name string) int {
	n, err := strconv.Atoi(s.String(name))
	if err != nil {
		return 0
	}
	return n
}

// Duration is the value of a time span, 0 if it has none.
func (s *Settings) Duration(name string) time.Duration {
	d, err := parseDuration(s.String(name))
	if err != nil {
		return 0
	}
	return d
}

// Timeouts are the waits that --timeout names, by class; the last of a class wins.
func (s *Settings) Timeouts() map[string]time.Duration {
	waits := map[string]time.Duration{}
	for _, v := range s.Strings("timeout") {
		if class, d, err := parseTimeout(v); err == nil {
			waits[class] = d
		}
	}
	return waits
}

// Time is the value of a point in time; false if it has none.
func (s *Settings) Time(name string) (time.Time, bool) {
	t, err := parseTime(s.String(name))
	return t, err == nil
}

// Set reports whether somebody set it: anything but the default.
func (s *Settings) Set(name string) bool {
	v := s.values[name]
	return v != nil && v.source.Layer != FromDefault
}

// readsFiles reports whether some setting may name a file or standard input: either may
// be a pipe that has nothing to say yet.
func (s *Settings) readsFiles() bool {
	for _, v := range s.values {
		for _, text := range v.values {
			if v.flag.complete == files || v.flag.complete == dirs || v.flag.file && (text == "-" || strings.HasPrefix(text, "@")) {
				return true
			}
		}
	}
	return false
}

// Source is where the value comes from.
func (s *Settings) Source(name string) Source {
	if v := s.values[name]; v != nil {
		return v.source
	}
	return Source{Where: "default"}
}

// Ordered are the values of several settings in the order of the command line;
// values from elsewhere follow, name by name.
func (s *Settings) Ordered(names ...string) []Pair {
	var pairs []Pair
	for _, p := range s.typed {
		if slices.Contains(names, p.Name) && s.Source(p.Name).Layer == FromFlag {
			pairs = append(pairs, p)
		}
	}
	for _, name := range names {
		if s.Set(name) && s.Source(name).Layer != FromFlag {
			for _, v := range s.Strings(name) {
				pairs = append(pairs, Pair{name, v})
			}
		}
	}
	return pairs
}

// Weakened is a note if the TLS policy comes from somewhere less visible than
// the command line and is weaker than standard, the policy that this target
// would have had ("may" or "verify"); else "".
func (s *Settings) Weakened(standard string) string {
	policy, from := s.String("tls-policy"), s.Source("tls-policy")
	if policy == "" || from.Layer == FromDefault || from.Layer == FromFlag {
		return ""
	}
	if slices.Index(policies, policy) >= slices.Index(policies, standard) {
		return ""
	}
	return fmt.Sprintf("TLS policy %s, from %s, is weaker than the default %s", policy, from, standard)
}
