package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// configPath is the file that settings come from, and whether somebody named
// it: only then is it an error if it is not there.
func (s *Settings) configPath(env Env) (path string, named bool) {
	if s.Set("config") {
		return s.String("config"), true
	}
	dir := env.Getenv("XDG_CONFIG_HOME")
	if dir == "" && runtime.GOOS == "windows" {
		dir = env.Getenv("AppData")
	}
	if dir == "" {
		home := env.Getenv("HOME")
		if home == "" {
			return "", false
		}
		dir = filepath.Join(home, ".config")
	}
	// The XDG base directory specification ignores a relative path.
	if !filepath.IsAbs(dir) {
		return "", false
	}
	return filepath.Join(dir, "ehlo", "config.toml"), false
}

// takeConfig takes the keys of the configuration file and of the profile that is
// asked for. The whole file is checked, so that a mistake shows before its
// profile is needed.
func (s *Settings) takeConfig(env Env) error {
	if s.values["config"] == nil {
		return nil // help and the like need none
	}
	profile := s.String("profile")
	path, named := s.configPath(env)
	if path == "" {
		return s.noProfile(profile, "there is no configuration file")
	}
	text, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return s.noProfile(profile, "there is no "+path)
	case err != nil:
		return &usageError{msg: fmt.Sprintf("configuration: %v", plainFileError(err)), next: s.next}
	}
	file, err := readConfig(path, text)
	if err != nil {
		return err
	}
	top, err := file.section(nil, file.tree)
	if err != nil {
		return err
	}
	profiles, err := file.profiles()
	if err != nil {
		return err
	}
	if profile != "" {
		chosen, ok := profiles[profile]
		if !ok {
			e := &usageError{msg: fmt.Sprintf("%s has no profile %s", path, quote(profile)), next: s.next}
			if near := nearest(profile, file.names); near != "" {
				e.likely = "--profile " + near
			}
			return e
		}
		s.lay(chosen, FromProfile, "profile "+profile+", ")
	}
	s.lay(top, FromConfig, "")
	return nil
}

func (s *Settings) noProfile(profile, why string) error {
	if profile == "" {
		return nil
	}
	return &usageError{msg: fmt.Sprintf("no profile %s: %s", quote(profile), why), next: s.next}
}

// lay puts keys under what higher layers have set.
func (s *Settings) lay(keys []key, layer Layer, before string) {
	for _, k := range keys {
		v := s.values[k.flag.name]
		if v == nil || v.source.Layer > layer {
			continue
		}
		for _, value := range k.values {
			v.take(value, Source{layer, before + k.where})
		}
	}
}

// configFile is a parsed configuration file.
type configFile struct {
	path  string
	tree  map[string]any
	lines map[string]int // the line of each key, its path joined by NUL
	names []string       // of the profiles, as they come
}

// key is one key of the file with its values as the command line would have them.
type key struct {
	flag   *flag
	values []string
	where  string // config.toml:3
}

// readConfig parses text; what is wrong is named with its line.
func readConfig(path string, text []byte) (*configFile, error) {
	file := &configFile{path: path, lines: map[string]int{}}
	// Editors on Windows begin a file with a byte order mark; TOML has none.
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if err := toml.Unmarshal(text, &file.tree); err != nil {
		var bad *toml.DecodeError
		if !errors.As(err, &bad) {
			return nil, &usageError{msg: fmt.Sprintf("%s: %v", path, err)}
		}
		line, _ := bad.Position()
		return nil, &usageError{msg: fmt.Sprintf("%s:%d: %s", path, line, strings.TrimPrefix(bad.Error(), "toml: "))}
	}
	file.index(text)
	return file, nil
}

// index notes where each key stands: the decoder gives values without positions.
func (f *configFile) index(text []byte) {
	p := unstable.Parser{}
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		node := p.Expression()
		var path []string
		line := 0
		for it := node.Key(); it.Next(); {
			path = append(path, string(it.Node().Data))
			if line == 0 {
				line = p.Shape(it.Node().Raw).Start.Line
			}
		}
		if node.Kind != unstable.KeyValue {
			table = path
		} else {
			path = append(append([]string{}, table...), path...)
		}
		for n := range path {
			at := strings.Join(path[:n+1], "\x00")
			if _, ok := f.lines[at]; !ok {
				f.lines[at] = line
			}
		}
	}
}

// at is "FILE:LINE" of a key, with the whole path or only the file's name.
func (f *configFile) at(path []string, whole bool) string {
	name := f.path
	if !whole {
		name = filepath.Base(f.path)
	}
	if line := f.lines[strings.Join(path, "\x00")]; line > 0 {
		return name + ":" + strconv.Itoa(line)
	}
	return name
}

func (f *configFile) bad(path []string, format string, args ...any) error {
	return &usageError{msg: f.at(path, true) + ": " + fmt.Sprintf(format, args...)}
}

// profiles are the keys of each [profile.NAME].
func (f *configFile) profiles() (map[string][]key, error) {
	all, ok := f.tree["profile"]
	if !ok {
		return nil, nil
	}
	tables, ok := all.(map[string]any)
	if !ok {
		return nil, f.bad([]string{"profile"}, "profiles are written [profile.NAME]")
	}
	profiles := map[string][]key{}
	f.names = sortedNames(tables)
	for _, name := range f.names {
		path := []string{"profile", name}
		table, ok := tables[name].(map[string]any)
		if !ok {
			return nil, f.bad(path, "profiles are written [profile.NAME]")
		}
		keys, err := f.section(path, table)
		if err != nil {
			return nil, err
		}
		profiles[name] = keys
	}
	return profiles, nil
}

// section checks the keys of one table, the first mistake of the file first.
func (f *configFile) section(path []string, table map[string]any) ([]key, error) {
	var keys []key
	var first error
	firstLine := 0
	for _, name := range sortedNames(table) {
		at := append(append([]string{}, path...), name)
		if len(path) == 0 && name == "profile" {
			continue
		}
		k, err := f.key(at, name, table[name])
		if line := f.lines[strings.Join(at, "\x00")]; err != nil && (first == nil || line < firstLine) {
			first, firstLine = err, line
		}
		keys = append(keys, k)
	}
	return keys, first
}

func (f *configFile) key(path []string, name string, value any) (key, error) {
	row := keyFlag(name)
	if row == nil {
		e := &usageError{msg: fmt.Sprintf("%s: unknown key %s", f.at(path, true), quote(name)), likely: nearest(name, configKeys())}
		if known, _ := findFlag(nil, name); known != nil {
			e.msg = fmt.Sprintf("%s: %s is not taken from a file", f.at(path, true), name)
			switch e.likely = ""; {
			case known.shorthand():
				e.likely = known.writes + " = " + strconv.Quote(known.as)
			case known.secret:
				e.msg = fmt.Sprintf("%s: %s is a secret, which no configuration file should hold", f.at(path, true), name)
				e.likely = name + `-file = "FILE"`
			}
		}
		return key{}, e
	}
	k := key{flag: row, where: f.at(path, false)}
	values, many := value.([]any)
	if !many {
		values = []any{value}
	} else if row.kind != isList {
		return key{}, f.bad(path, "%s takes one value, not a list", name)
	}
	for _, v := range values {
		text, ok := scalar(v)
		if !ok {
			return key{}, f.bad(path, "%s takes text, a whole number, true or false", name)
		}
		if err := row.validElsewhere(text); err != nil {
			return key{}, f.bad(path, "%s %s: %v", name, quote(text), err)
		}
		k.values = append(k.values, row.plain(text))
	}
	return k, nil
}

// scalar is a TOML value as the command line would have it.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case fmt.Stringer: // dates
		return v.String(), true
	}
	return "", false
}

// keyFlag is the flag that a key of the file sets.
func keyFlag(name string) *flag {
	for i := range flagTable {
		if f := &flagTable[i]; f.key() == name && name != "" {
			return f
		}
	}
	return nil
}

func configKeys() []string {
	var keys []string
	for i := range flagTable {
		if k := flagTable[i].key(); k != "" {
			keys = append(keys, k)
		}
	}
	return keys
}
