package mime

import (
	"fmt"
	"strings"
)

// tagList is a tag-list (RFC 6376 section 3.2): of signatures, and of keys.
type tagList []tag

type tag struct{ name, value string }

// parseTags reads a tag-list. A name that comes twice spoils it all (RFC 6376
// section 3.2).
func parseTags(s string) (tagList, error) {
	var all tagList
	for spec := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(spec, "=")
		name, value = trimFWS(name), trimFWS(value)
		switch {
		case !ok && name == "":
			continue
		case !ok:
			return nil, fmt.Errorf("%s is no tag: name=value is wanted", verbatim(name))
		case !tagName(name):
			return nil, fmt.Errorf("%s cannot name a tag", verbatim(name))
		case len(all) == tagsMost:
			return nil, fmt.Errorf("over %d tags", tagsMost)
		}
		if _, double := all.get(name); double {
			return nil, fmt.Errorf("tag %s= is there twice", name)
		}
		all = append(all, tag{name, value})
	}
	return all, nil
}

// tagsMost bounds the tags of one list: RFC 6376 knows 14.
const tagsMost = 100

func (l tagList) get(name string) (string, bool) {
	for _, t := range l {
		if t.name == name {
			return t.value, true
		}
	}
	return "", false
}

// word is a tag's value without any white space, "" if the tag is absent.
func (l tagList) word(name string) string {
	value, _ := l.get(name)
	return dropFWS(value)
}

// list is a tag's value parted at its colons, nil if the tag is absent.
func (l tagList) list(name string) []string {
	if _, ok := l.get(name); !ok {
		return nil
	}
	return strings.Split(l.word(name), ":")
}

// tagName reports whether s is a tag-name: a letter, then letters, digits and
// underscores.
func tagName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// withoutB empties the b= tag of a DKIM-Signature field and leaves every other
// octet as it is (RFC 6376 section 3.7). The tag is found by its name: base64 and
// copied headers may hold "b=" too.
func withoutB(field string) string {
	at := strings.IndexByte(field, ':') + 1
	for at < len(field) {
		end := len(field)
		if n := strings.IndexByte(field[at:], ';'); n >= 0 {
			end = at + n
		}
		if name, _, ok := strings.Cut(field[at:end], "="); ok && trimFWS(name) == "b" {
			rest := field[end:]
			if rest == "" && strings.HasSuffix(field, "\r\n") {
				rest = "\r\n"
			}
			return field[:at+len(name)+1] + rest
		}
		at = end + 1
	}
	return field
}

// isFWS reports whether c can be folding white space.
func isFWS(c rune) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func trimFWS(s string) string { return strings.TrimFunc(s, isFWS) }

func dropFWS(s string) string {
	return strings.Map(func(c rune) rune {
		if isFWS(c) {
			return -1
		}
		return c
	}, s)
}
