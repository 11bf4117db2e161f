package mutate

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Value is what a property may ask for: some of the types that f.Fuzz knows.
type Value interface {
	[]byte | string | bool | byte | uint32 | int64
}

// value is one argument of a property: octets for []byte and string, else a number.
type value struct {
	kind   string // as the files of testdata/fuzz call it
	octets []byte
	number uint64
}

// from makes a value of an argument of f.Add, which has refused other types.
func from(arg any) value {
	switch arg := arg.(type) {
	case []byte:
		return value{kind: "[]byte", octets: arg}
	case string:
		return value{kind: "string", octets: []byte(arg)}
	case bool:
		if arg {
			return value{kind: "bool", number: 1}
		}
		return value{kind: "bool"}
	case byte:
		return value{kind: "byte", number: uint64(arg)}
	case uint32:
		return value{kind: "uint32", number: uint64(arg)}
	case int64:
		return value{kind: "int64", number: uint64(arg)}
	}
	return value{}
}

// kind is what the files of testdata/fuzz call a type.
func kind[A Value]() string {
	var a A
	return from(a).kind
}

// of gives v as an argument. A string is a copy; octets are not.
func of[A Value](v *value) (a A) {
	switch a := any(&a).(type) {
	case *[]byte:
		*a = v.octets[:len(v.octets):len(v.octets)]
	case *string:
		*a = string(v.octets)
	case *bool:
		*a = v.number&1 == 1
	case *byte:
		*a = byte(v.number)
	case *uint32:
		*a = uint32(v.number)
	case *int64:
		*a = int64(v.number)
	}
	return a
}

const version = "go test fuzz v1"

// String gives v as a line of a file of testdata/fuzz.
func (v value) String() string {
	switch v.kind {
	case "bool":
		return fmt.Sprintf("bool(%v)", v.number&1 == 1)
	case "byte":
		return fmt.Sprintf("byte(%q)", rune(byte(v.number)))
	case "uint32":
		return fmt.Sprintf("uint32(%d)", uint32(v.number))
	case "int64":
		return fmt.Sprintf("int64(%d)", int64(v.number))
	}
	return fmt.Sprintf("%s(%q)", v.kind, v.octets)
}

// read reads a line of a file of testdata/fuzz.
func read(line string) (value, error) {
	kind, literal, ok := strings.Cut(strings.TrimSuffix(line, ")"), "(")
	if !ok || !strings.HasSuffix(line, ")") {
		return value{}, fmt.Errorf("%.40q is no value", line)
	}
	var err error
	v := value{kind: kind}
	switch kind {
	case "[]byte", "string":
		var s string
		s, err = strconv.Unquote(literal)
		v.octets = []byte(s)
	case "bool":
		var yes bool
		if yes, err = strconv.ParseBool(literal); yes {
			v.number = 1
		}
	case "byte", "uint8":
		v.kind = "byte"
		if c, _, rest, quoted := strconv.UnquoteChar(strings.TrimSuffix(strings.TrimPrefix(literal, "'"), "'"), '\''); strings.HasPrefix(literal, "'") {
			if v.number, err = uint64(byte(c)), quoted; rest != "" {
				err = strconv.ErrSyntax
			}
		} else {
			v.number, err = strconv.ParseUint(literal, 0, 8)
		}
	case "uint32":
		v.number, err = strconv.ParseUint(literal, 0, 32)
	case "int64":
		var n int64
		n, err = strconv.ParseInt(literal, 0, 64)
		v.number = uint64(n)
	default:
		err = fmt.Errorf("a type that no property here asks for")
	}
	if err != nil {
		return value{}, fmt.Errorf("%.40q: %w", line, err)
	}
	return v, nil
}

// stored reads the seeds of a directory; there need be none. What is not of the types
// above is passed over.
func stored(dir string) ([][]value, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var seeds [][]value
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return nil, err
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		var seed []value
		for _, line := range lines[1:] {
			v, err := read(line)
			if err != nil {
				seed = nil
				break
			}
			seed = append(seed, v)
		}
		if lines[0] == version && seed != nil {
			seeds = append(seeds, seed)
		}
	}
	return seeds, nil
}

// keep says what to do with an input that fails. Where many rounds were asked for it is
// made a seed at once, as go test's engine does.
func (c *Corpus) keep(entry string) string {
	name := filepath.Join("testdata", "fuzz", c.f.Name(), fmt.Sprintf("%x", sha256.Sum256([]byte(entry)))[:16])
	if os.Getenv("EHLO_MANY") != "" {
		err := os.MkdirAll(filepath.Dir(name), 0o777)
		if err == nil {
			err = os.WriteFile(name, []byte(entry), 0o666)
		}
		if err == nil {
			return "the input is a seed now: " + name
		}
	}
	return "the input, a seed if it is written to " + name + ":\n" + entry
}
