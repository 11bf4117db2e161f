package explain

import "strings"

// saying is what a reply says, in the form that phrases are looked for in.
type saying struct {
	text  string     // what plain makes of it
	pairs [64]uint64 // which pairs of letters its words begin with
}

func sayingOf(text []string) *saying {
	s := &saying{text: plain(text)}
	for i := 0; i+2 < len(s.text); i++ {
		if s.text[i] == ' ' {
			at, bit := pair(s.text[i+1:])
			s.pairs[at] |= bit
		}
	}
	return s
}

// pair is where saying keeps the first two bytes of a word, of which there are two:
// a word of one letter is followed by a space.
func pair(word string) (at int, bit uint64) {
	return int(word[0] & 63), 1 << (word[1] & 63)
}

// any reports whether one of phrases, with "|" between, occurs. A phrase is whole
// words; a "*" at the end of it, or of a part of it, stands for whatever the word
// goes on with, and " .. " for up to gap bytes in between: "exceed* .. quota".
func (s *saying) any(phrases string) bool {
	for phrases != "" {
		var phrase string
		phrase, phrases, _ = strings.Cut(phrases, "|")
		if len(phrase) < 2 {
			continue
		}
		// Most phrases end here, without a search.
		if at, bit := pair(phrase); s.pairs[at]&bit != 0 && occurs(s.text, phrase, len(s.text)) {
			return true
		}
	}
	return false
}

// gap bounds what " .. " stands for: what belongs together stands together.
const gap = 50

// occurs reports whether a phrase occurs in text, and begins within its first bytes.
func occurs(text, phrase string, within int) bool {
	part, rest, more := strings.Cut(phrase, " .. ")
	stem, open := strings.CutSuffix(part, "*")
	end := min(len(text), within+len(stem)) // what begins later is not looked at
	for from := 0; from < end; {
		i := strings.Index(text[from:end], stem)
		if i < 0 {
			return false
		}
		start, after := from+i, from+i+len(stem)
		if start > 0 && text[start-1] == ' ' && (open || after == len(text) || text[after] == ' ') {
			if !more {
				return true
			}
			if n := strings.IndexByte(text[after:], ' '); n < 0 {
				return false
			} else if occurs(text[after+n:], rest, gap) {
				return true
			}
		}
		from = start + 1
	}
	return false
}
