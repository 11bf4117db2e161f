package explain

import (
	"net/netip"
	"strings"
	"unicode"
)

// plainMost bounds how much of a reply its wording is looked for in.
const plainMost = 8 << 10

// plain makes the lines of a reply comparable: words in lower case with one space
// between and around them. Punctuation is gone but for dots and apostrophes within a
// word, and so is what is another in each reply: codes, mailboxes, IP addresses.
// A phrase is then found across line breaks and whatever stands in for its object.
func plain(text []string) string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, line := range text {
		if b.Len() > plainMost {
			break
		}
		line = strings.ReplaceAll(strings.ToLower(line[:min(len(line), plainMost)]), "\u2019", "'")
		for word := range strings.FieldsFuncSeq(line, parts) {
			word = cutCode(word)
			if isEnhanced(word) || isAddress(word) || strings.Contains(word, "@") {
				continue
			}
			for w := range strings.FieldsFuncSeq(joinNames(word), within) {
				if w = strings.Trim(w, ".'"); w != "" {
					b.WriteString(w)
					b.WriteByte(' ')
				}
			}
		}
	}
	if b.Len() == 1 {
		return ""
	}
	return b.String()
}

// parts reports whether r stands between words, and never within an address.
func parts(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>[](){}",;`, r) }

// within reports whether r stands between words.
func within(r rune) bool {
	return r != '.' && r != '\'' && r < unicode.MaxASCII && !('a' <= r && r <= 'z') && !('0' <= r && r <= '9')
}

// joinNames makes one word of a host's name, and one of the path behind it, for they
// are names and say nothing: a host is called spam-filter.example.com, and the page
// that a reply refers to /no-such-user/.
func joinNames(word string) string {
	scheme, rest, isURL := strings.Cut(word, "://")
	if !isURL {
		scheme, rest = "", word
	}
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if !isHost(strings.TrimRight(host, ".:!")) {
		return word
	}
	path, query, _ := strings.Cut(path, "?")
	join := strings.NewReplacer("-", ".", "_", ".", "/", ".")
	return scheme + " " + join.Replace(host) + " " + join.Replace(path) + " " + query
}

// isHost reports whether a word can be the name of a host: labels with dots between
// (RFC 1123 section 2.1), the last one of letters.
func isHost(word string) bool {
	last := strings.LastIndexByte(word, '.')
	return last > 0 && len(word)-last > 2 &&
		strings.Trim(word[last+1:], "abcdefghijklmnopqrstuvwxyz") == "" &&
		strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// cutCode takes the code off what a log makes of a line of many: "550-5.1.1".
func cutCode(word string) string {
	if len(word) >= 3 && (word[0] == '4' || word[0] == '5') && isDigits(word[:3]) {
		if rest := word[3:]; rest == "" || rest[0] == '-' {
			return strings.TrimPrefix(rest, "-")
		}
	}
	return word
}

// isEnhanced reports whether s has the form of an enhanced code (RFC 3463 section 2).
func isEnhanced(s string) bool {
	class, rest, _ := strings.Cut(strings.TrimPrefix(s, "#"), ".")
	subject, detail, _ := strings.Cut(rest, ".")
	number := func(s string) bool { return 0 < len(s) && len(s) <= 3 && isDigits(s) }
	return len(class) == 1 && strings.Contains("245", class) && number(subject) && number(detail)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// isAddress reports whether a word is an IP address.
func isAddress(word string) bool {
	if strings.Count(word, ".") < 3 && strings.Count(word, ":") < 2 {
		return false
	}
	_, err := netip.ParseAddr(strings.Trim(word, ".:"))
	return err == nil
}
