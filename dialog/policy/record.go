package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// field is a name with its value in a TXT record.
type field struct{ name, value string }

// choose finds the one record of a version among the texts at a name: RFC 8461
// section 3.1 and RFC 8460 section 3 have the same words for it. found is false if
// there is none; the error says why what is there does not count.
func choose(texts []string, version string) (record string, found bool, err error) {
	begins := texts
	if len(texts) > 1 {
		begins = slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return !strings.HasPrefix(s, version+";") })
	}
	switch {
	case len(begins) > 1:
		return "", true, fmt.Errorf("%d records begin with %s: senders take that for none", len(begins), version)
	case len(begins) == 1 && strings.HasPrefix(begins[0], version):
		return begins[0], true, nil
	}
	for _, text := range texts {
		if near := strings.TrimLeft(text, " \t\""); len(near) >= len(version) && strings.EqualFold(near[:len(version)], version) {
			return text, true, fmt.Errorf("it does not begin with exactly %s;", version)
		}
	}
	return "", false, nil
}

// fieldsOf takes a record apart to the letter of its grammar, which is the same in RFC
// 8461 section 3.1 and RFC 8460 section 3:
//
//	version 1*(*WSP ";" *WSP name "=" value) [*WSP ";" *WSP]
//
// Values of names that are not known are checked, those of known ones are not.
func fieldsOf(record, version string, known ...string) ([]field, error) {
	const wsp = " \t"
	parts := strings.Split(record, ";")
	if strings.TrimRight(parts[0], wsp) != version {
		return nil, fmt.Errorf("behind %s comes no semicolon", version)
	}
	parts = parts[1:]
	if n := len(parts); n > 0 && strings.Trim(parts[n-1], wsp) == "" {
		parts[n-1] = "" // the last semicolon may end the record
	}
	var found []field
	for i, part := range parts {
		last := i == len(parts)-1
		if part = strings.TrimLeft(part, wsp); !last {
			part = strings.TrimRight(part, wsp)
		}
		name, value, ok := strings.Cut(part, "=")
		switch {
		case part == "" && last && i > 0:
			return found, nil
		case part == "" && last:
			continue
		case part == "":
			return nil, errors.New("nothing between two semicolons")
		case !ok:
			return nil, fmt.Errorf("%s is not NAME=VALUE", quote(part))
		case !extName(name):
			return nil, fmt.Errorf("%s is no name of a field", quote(name))
		case !slices.Contains(known, name) && !extValue(value):
			return nil, fmt.Errorf("%s is no value of a field", quote(value))
		}
		found = append(found, field{name, value})
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("nothing comes behind %s", version)
	}
	return found, nil
}

// extName is sts-ext-name of RFC 8461 section 3.1.
func extName(s string) bool {
	if s == "" || len(s) > 32 || !alphanumeric(s[0]) {
		return false
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) && s[i] != '_' && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return true
}

// extValue is sts-ext-value of RFC 8461 section 3.1.
func extValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '=' || c == ';' {
			return false
		}
	}
	return s != ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
