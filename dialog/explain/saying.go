package explain

import (
	_ "embed"
	"strings"
)

// Classes of words that phrases name in braces, one a line: what a mailbox is called,
// what a missing thing is.
//
//go:embed classes.csv
var classesCSV string

// saying is what a reply says, in the form that phrases are looked for in.
type saying struct {
	text    string              // what plain makes of it
	starts  [64]uint64          // what its words begin with (see start)
	classes map[string][]string // the words of a class that it may have, of those asked for
}

func sayingOf(text []string) *saying { return index(plain(text)) }

// index makes a saying of what plain makes of a reply.
func index(text string) *saying {
	s := &saying{text: text, classes: map[string][]string{}}
	for i := 0; i+2 < len(s.text); i++ {
		if s.text[i] == ' ' {
			at, bit := start(s.text[i+1:])
			s.starts[at] |= bit
		}
	}
	return s
}

// rest is what is said behind words that a reply begins with and that say no more than
// that it is a refusal: a text of RFC 5321 section 4.2.3, as in "Requested action not
// taken: mailbox unavailable", or what Postfix puts before the answer of a table or of
// another server. It answers false where that is all, but for a name or a number.
func (s *saying) rest() (*saying, bool) {
	for _, text := range [...]string{
		" requested mail action not taken mailbox unavailable ", " requested action not taken mailbox unavailable ",
		" requested mail action aborted exceeded storage allocation ", " requested action aborted local error in processing ",
		" requested action not taken mailbox name not allowed ", " requested action not taken ", " transaction failed ",
		" service not available closing transmission channel ", " recipient address rejected ", " client host rejected ",
	} {
		if rest, ok := strings.CutPrefix(s.text, text); ok && strings.Count(rest, " ") > 2 {
			return index(" " + rest), true
		}
	}
	return nil, false
}

// start is where saying keeps the first three bytes of a word. There are two at least, for
// a word of one letter is followed by a space; a third that is missing is one, too.
func start(word string) (at int, bit uint64) {
	third := byte(' ')
	if len(word) > 2 {
		third = word[2]
	}
	return int(word[0]^third<<3) & 63, 1 << ((word[1] ^ third) & 63)
}

// may reports whether a phrase may occur: most may not, which takes no search to see. Of
// a class and of "ab*" the first three bytes are not known.
func (s *saying) may(phrase string) bool {
	at, bit := start(phrase)
	return s.starts[at]&bit != 0 || phrase[0] == '{' || len(phrase) == 3 && phrase[2] == '*'
}

// any reports whether one of phrases, with "|" between, occurs. A phrase is whole
// words; a "*" at the end of it, or of a part of it, stands for whatever the word
// goes on with; " .. " for up to gap bytes in between: "exceed* .. quota"; " + " for
// nothing in between; and a part in braces for each of a class of words:
// "no such + {mailbox}".
func (s *saying) any(phrases string) bool {
	for phrases != "" {
		var phrase string
		phrase, phrases, _ = strings.Cut(phrases, "|")
		if len(phrase) >= 2 && s.may(phrase) && s.says(phrase, len(s.text), 0) {
			return true
		}
	}
	return false
}

// gap bounds what " .. " stands for: what belongs together stands together.
const gap = 50

// mostTried bounds how many times a part of a phrase is found without what belongs
// behind it: nobody says "mailbox" more often who has something to say of one.
const mostTried = 8

// says reports whether a phrase occurs behind the first from bytes of the text, and
// begins within that many further ones.
func (s *saying) says(phrase string, within, from int) bool {
	part, rest, near := cutPart(phrase)
	if part[0] == '{' {
		for _, word := range s.class(part) {
			if s.begins(word, rest, near, within, from) {
				return true
			}
		}
		return false
	}
	return s.begins(part, rest, near, within, from)
}

// cutPart cuts the first part off a phrase; the rest of it begins near bytes behind.
func cutPart(phrase string) (part, rest string, near int) {
	for i := 0; i+3 < len(phrase); i++ {
		switch {
		case phrase[i] != ' ':
		case strings.HasPrefix(phrase[i:], " .. "):
			return phrase[:i], phrase[i+len(" .. "):], gap
		case strings.HasPrefix(phrase[i:], " + "):
			return phrase[:i], phrase[i+len(" + "):], 1
		}
	}
	return phrase, "", 0
}

// begins reports whether a run of words occurs, as says does of a phrase, and the rest
// of the phrase no more than near bytes behind it.
func (s *saying) begins(words, rest string, near, within, from int) bool {
	if !s.may(words) {
		return false
	}
	stem, open := strings.CutSuffix(words, "*")
	text := s.text
	end := min(len(text), from+within+len(stem)) // what begins later is not looked at
	for tried := 0; from < end && tried < mostTried; {
		i := strings.Index(text[from:end], stem)
		if i < 0 {
			return false
		}
		start, after := from+i, from+i+len(stem)
		if start > 0 && text[start-1] == ' ' && (open || after == len(text) || text[after] == ' ') {
			if near == 0 {
				return true
			}
			if n := strings.IndexByte(text[after:], ' '); n >= 0 && s.says(rest, near, after+n) {
				return true
			}
			tried++
		}
		from = start + 1
	}
	return false
}

// class gives the words that may occur, of a class that is named in braces.
func (s *saying) class(name string) []string {
	words, ok := s.classes[name]
	if !ok {
		class, _ := classOf(name)
		for word := range strings.SplitSeq(class, "|") {
			if len(word) >= 2 && s.may(word) {
				words = append(words, word)
			}
		}
		s.classes[name] = words
	}
	return words
}

// classOf gives the words of a class that is named in braces, with "|" between.
func classOf(part string) (words string, ok bool) {
	name, ok := strings.CutPrefix(part, "{")
	if !ok {
		return "", false
	}
	name = strings.TrimSuffix(name, "}")
	for line := range strings.Lines(classesCSV) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if words, ok := strings.CutPrefix(rest, ","); ok {
				return strings.TrimRight(words, "\r\n"), true
			}
		}
	}
	return "", false
}
