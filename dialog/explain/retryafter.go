package explain

import (
	"strconv"
	"strings"
	"time"
)

// longestWait bounds what is taken for a waiting time: RFC 5321 section 4.5.4.1
// gives up after four to five days.
const longestWait = 5 * 24 * time.Hour

// RetryAfter finds the waiting time that a reply's text asks for, as in "please try
// again in 5 minutes", "greylisted for 300 seconds", "come back in 00:04:59". It
// answers false when the text asks for none: a number that stands for something
// else, such as "100 messages in 60 minutes", is not taken.
func RetryAfter(text string) (time.Duration, bool) {
	words := tokens(text)
	for i, w := range words {
		if !asksToWait(w) {
			continue
		}
		rest := words[i+1:]
		for len(rest) > 0 && isFiller(rest[0]) {
			rest = rest[1:]
		}
		if d := duration(rest); d > 0 && d <= longestWait {
			return d, true
		}
	}
	return 0, false
}

// asksToWait reports whether a waiting time may follow w.
func asksToWait(w string) bool {
	switch w {
	case "again", "retry", "wait", "back", "later", "delayed", "deferred",
		"greylisted", "graylisted", "greylist", "graylist", "greylisting", "graylisting":
		return true
	}
	return false
}

// isFiller reports whether w may stand between such a word and the time.
func isFiller(w string) bool {
	switch w {
	case "in", "for", "after", "at", "least", "about", "another", "approximately", "the", "next":
		return true
	}
	return false
}

// tokens splits text into lower-case words; digits and letters that touch are two
// words ("300s"), a clock time is one ("00:04:59"), and so is the end of a sentence.
func tokens(text string) []string {
	const letter, digit, end = 1, 2, 3
	var words []string
	start, kind := 0, 0
	text = strings.ToLower(text)
	for i := 0; i <= len(text); i++ {
		k := 0
		if i < len(text) {
			switch c := text[i]; {
			case c >= 'a' && c <= 'z':
				k = letter
			case c >= '0' && c <= '9', c == ':' && kind == digit:
				k = digit
			case c == '.', c == ';', c == '!', c == '?':
				k = end
			}
		}
		if k != kind {
			if kind != 0 {
				words = append(words, strings.TrimRight(text[start:i], ":"))
			}
			start, kind = i, k
		}
	}
	return words
}

// duration reads the time that words begin with: "00:04:59", "5 minutes", "an hour",
// "4 min and 59 s"; 0 if they begin with none, or with one beyond all reason.
func duration(words []string) time.Duration {
	if len(words) > 0 && strings.Contains(words[0], ":") {
		return clock(words[0])
	}
	var total time.Duration
	for len(words) >= 2 {
		n, ok := count(words[0])
		u := unit(words[1])
		if !ok || u == 0 {
			break
		}
		if total += time.Duration(n) * u; total > longestWait {
			return 0
		}
		words = words[2:]
		if len(words) > 0 && words[0] == "and" {
			words = words[1:]
		}
	}
	return total
}

// count reads a number of up to six digits, or the article in "an hour".
func count(w string) (int, bool) {
	if w == "a" || w == "an" || w == "one" {
		return 1, true
	}
	n, err := strconv.ParseUint(w, 10, 32)
	return int(n), err == nil && len(w) <= 6
}

func unit(w string) time.Duration {
	switch w {
	case "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour
	}
	return 0
}

// clock reads H:MM:SS or MM:SS.
func clock(w string) time.Duration {
	parts := strings.Split(w, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0
	}
	var seconds int
	for _, p := range parts {
		n, ok := count(p)
		if !ok {
			return 0
		}
		seconds = seconds*60 + n
	}
	return time.Duration(seconds) * time.Second
}
