package transcript

import (
	"strings"
	"unicode/utf8"
)

// Hostile counts the characters of text that Escape has to show as escapes where
// UTF-8 may be written; line ends do not count.
func Hostile(text string) int {
	count := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		for len(line) > 0 {
			r, size := utf8.DecodeRuneInString(line)
			if r == utf8.RuneError && size == 1 || !Printable(r) {
				count++
			}
			line = line[size:]
		}
	}
	return count
}
