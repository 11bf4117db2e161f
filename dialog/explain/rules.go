package explain

import "strings"

// rule is one row of rules.csv: a wording that leaves no doubt.
type rule struct {
	words  []string // one of them occurs in the text
	unless []string // and none of these
	code   string   // how the code begins: "4", "530"; "" for any
	row             // its key is not used
}

// matchRule gives the row of the first rule that a reply's text fits.
func matchRule(phase, code string, text []string) (row, bool) {
	said := plain(text)
	if said == "" {
		return row{}, false
	}
	for line := range strings.Lines(rulesCSV) {
		r, ok := parseRule(line)
		if !ok || r.phase != "" && r.phase != phase || !strings.HasPrefix(code, r.code) {
			continue
		}
		if containsAny(said, r.words) && !containsAny(said, r.unless) {
			return r.row, true
		}
	}
	return row{}, false
}

// parseRule reads one line of rules.csv; its heading is a row that no text fits.
func parseRule(line string) (rule, bool) {
	f, ok := fields(line, 9)
	if !ok {
		return rule{}, false
	}
	return rule{
		words:  alternatives(f[0]),
		unless: alternatives(f[1]),
		code:   f[2],
		row:    row{"", f[3], f[4], f[5], f[6], f[7], f[8]},
	}, true
}

func alternatives(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// plain joins a reply's lines in lower case with single spaces, without the
// enhanced code that each may begin with, so that a wording is found across a line
// break too.
func plain(text []string) string {
	var words []string
	for _, line := range text {
		w := strings.Fields(strings.ToLower(line))
		if len(w) > 0 && isEnhanced(w[0]) {
			w = w[1:]
		}
		words = append(words, w...)
	}
	return strings.Join(words, " ")
}

// isEnhanced reports whether s has the form of an enhanced code (RFC 3463 section 2).
func isEnhanced(s string) bool {
	return len(s) >= 5 && strings.Count(s, ".") == 2 && strings.Trim(s, "0123456789.") == ""
}
