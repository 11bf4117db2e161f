package explain

import (
	"net/netip"
	"strings"
	"unicode"
)

// plainMost bounds how much of a reply its wording is looked for in, in bytes: servers
// come to the point, and a search costs as much as there is to search in.
const plainMost = 1 << 10

// plain makes the lines of a reply comparable: words in lower case with one space
// between and around them. Punctuation is gone but for dots and apostrophes within a
// word, and so is what is another in each reply: codes, mailboxes, IP addresses.
// "Not" is a word of its own, and letters have no accents. A phrase is then found across line breaks and whatever
// stands in for its object.
func plain(text []string) string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, line := range text {
		if b.Len() > plainMost {
			break
		}
		line = strings.ReplaceAll(head(line), "\u2019", "'")
		line = strings.ReplaceAll(line, "..", " ")
		for word := range strings.FieldsFuncSeq(line, parts) {
			if isTest(word) {
				continue
			}
			word = cutCode(strings.Map(fold, strings.ToLower(apart(word))))
			if isEnhanced(word) || isAddress(word) || strings.Contains(word, "@") && !strings.Contains(word, "://") {
				continue
			}
			for w := range strings.FieldsFuncSeq(joinNames(word), within) {
				if w = strings.Trim(w, ".'"); w != "" {
					b.WriteString(unfold(w))
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

// head is as much of a line as is looked at, in whole words.
func head(line string) string {
	if len(line) <= plainMost {
		return line
	}
	return line[:strings.LastIndexByte(line[:plainMost], ' ')+1]
}

// fold takes the accent off a small Latin letter, as many servers write it.
func fold(r rune) rune {
	switch r {
	case 'à', 'á', 'â', 'ã', 'ä', 'å', 'ą':
		return 'a'
	case 'ç', 'ć', 'č':
		return 'c'
	case 'ď':
		return 'd'
	case 'è', 'é', 'ê', 'ë', 'ę', 'ě':
		return 'e'
	case 'ğ':
		return 'g'
	case 'ì', 'í', 'î', 'ï', 'ı':
		return 'i'
	case 'ł':
		return 'l'
	case 'ñ', 'ń', 'ň':
		return 'n'
	case 'ò', 'ó', 'ô', 'õ', 'ö', 'ø', 'ő':
		return 'o'
	case 'ř':
		return 'r'
	case 'š', 'ś', 'ß', 'ş':
		return 's'
	case 'ť':
		return 't'
	case 'ù', 'ú', 'û', 'ü', 'ů':
		return 'u'
	case 'ý':
		return 'y'
	case 'ž', 'ź', 'ż':
		return 'z'
	}
	return r
}

// apart parts what one sentence ends with from what the next begins with, where no
// space does: "error.Mailbox full". A name has more dots, or no capital behind one.
func apart(word string) string {
	lower := func(c byte) bool { return 'a' <= c && c <= 'z' }
	i := strings.IndexByte(word, '.')
	if i < 1 || i+2 >= len(word) || !lower(word[i-1]) || !lower(word[i+2]) || word[i+1] < 'A' || word[i+1] > 'Z' ||
		strings.IndexByte(word[i+1:], '.') >= 0 {
		return word
	}
	return word[:i] + " " + word[i+1:]
}

// isTest reports whether a word is the name of a test, such as a filter lists of those
// that a message met: RCVD_IN_BL_SPAMCOP_NET. It is not why the message was refused.
func isTest(word string) bool {
	return strings.Count(word, "_") > 1 && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// unfold takes a contracted "not" out of a word: a phrase is written with "does not"
// and found in "doesn't" and "doesnt"; and a French elision off it: "l'adresse".
func unfold(word string) string {
	if len(word) > 2 && word[1] == '\'' {
		return word[2:]
	}
	switch word {
	case "cannot", "can't", "cant":
		return "can not"
	case "won't":
		return "will not"
	case "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "couldnt":
		return word[:len(word)-len("nt")] + " not"
	}
	for _, not := range [...]string{"n't", "'nt"} {
		if verb, ok := strings.CutSuffix(word, not); ok {
			return verb + " not"
		}
	}
	return word
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
	word = scheme + " " + join.Replace(host) + " " + join.Replace(path)
	for field := range strings.SplitSeq(query, "&") {
		if _, value, ok := strings.Cut(field, "="); ok && !strings.Contains(value, "@") { // "p=NoSuchUser" tells, and "ip=192.0.2.1" nothing
			word += " " + value
		}
	}
	return word
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
