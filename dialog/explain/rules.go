package explain

import (
	_ "embed"
	"iter"
	"slices"
	"strings"
)

// The rules, a file for each group of receivers or of software.
var (
	//go:embed rules/gmail.csv
	gmailRules string
	//go:embed rules/microsoft.csv
	microsoftRules string
	//go:embed rules/yahoo.csv
	yahooRules string
	//go:embed rules/apple.csv
	appleRules string
	//go:embed rules/providers.csv
	providersRules string
	//go:embed rules/filters.csv
	filtersRules string
	//go:embed rules/lists.csv
	listsRules string
	//go:embed rules/servers.csv
	serversRules string
	//go:embed rules/general.csv
	generalRules string
	//go:embed rules/concepts.csv
	conceptRules string
	// Which reason goes before which where a reply fits rules for both.
	//go:embed over.csv
	overCSV string
)

// ruleFiles are the files of rules in the order in which they are asked: what is
// known to be one receiver's or one program's own goes before what anybody says.
func ruleFiles() []string {
	return []string{
		gmailRules, microsoftRules, yahooRules, appleRules, providersRules,
		filtersRules, listsRules, serversRules, generalRules,
	}
}

// allRules are these and, behind them, what single words hint at: that answers where
// neither a wording nor an enhanced code does.
func allRules() []string { return append(ruleFiles(), conceptRules) }

// unless gives way to the row of a code that is known and has the same reason, if r
// is a wording that many use: the code is more exact then.
func (r row) unless(code row, known bool) row {
	if known && r.source == "" && r.reason == code.reason {
		return code
	}
	return r
}

// rule is one row of a file of rules: wordings that leave no doubt.
type rule struct {
	words   string // one of these phrases occurs in the text (see saying.any)
	unless  string // and none of these
	code    string // how the code begins: "4", "530"; "" for any
	phases  string // when it applies, words with spaces between; "" always; "only" before them: not where the moment is unknown
	reason  string
	means   string
	likely  string
	next    string
	source  string // who writes so; "bounces of X": no page of X's was read
	date    string // when the source was read; "" if that was no page
	example string // a reply that this rule answers, and none before it
}

// common is the source of a wording that is nobody's own: nothing to look up.
const common = "common wording"

// anybodys reports whether a rule is of a wording that is no one receiver's own.
func (r rule) anybodys() bool { return r.source == common || strings.HasPrefix(r.source, "RFC ") }

func (r rule) row() row {
	if r.source == common {
		r.source = ""
	}
	return row{means: r.means, likely: r.likely, next: r.next, reason: r.reason, source: r.source}
}

// fits reports whether a rule is about a code at a phase. What is not known, "",
// excludes none but a rule that has "only" before its phases: there the words alone
// say too little.
func (r rule) fits(phase, code string) bool {
	if code != "" && !strings.HasPrefix(code, r.code) {
		return false
	}
	phases, only := strings.CutPrefix(r.phases, "only ")
	if phase == "" {
		return !only
	}
	return phases == "" || strings.Contains(" "+phases+" ", " "+phase+" ")
}

// parseRule reads one line of a file of rules.
func parseRule(line string) (rule, bool) {
	var f [11]string
	if !fields(line, f[:]) {
		return rule{}, false
	}
	return rule{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10]}, true
}

// reasonOf is the reason of a line of a file of rules, without the rest of it being
// taken apart: no field before has a comma.
func reasonOf(line string) string {
	for range 4 {
		_, line, _ = strings.Cut(line, ",")
	}
	reason, _, _ := strings.Cut(line, ",")
	return reason
}

// firstRule gives the first rule of some files, ruleFiles or allRules, that a reply fits.
// What it says behind words that say nothing goes first, and what single words hint at is
// looked for there alone: "Recipient address rejected: closed" is no word of a recipient.
func firstRule(files []string, phase, code string, said *saying) (rule, bool) {
	rest, ok := said.rest()
	if !ok {
		return ruleOf(files, phase, code, said)
	}
	if r, ok := ruleOf(ruleFiles(), phase, code, rest); ok {
		return r, true
	}
	if r, ok := ruleOf(ruleFiles(), phase, code, said); ok {
		return r, true
	}
	return ruleOf(files[len(ruleFiles()):], phase, code, rest)
}

// ruleOf gives the first rule of some files that a reply fits.
func ruleOf(files []string, phase, code string, said *saying) (rule, bool) {
	for _, file := range files {
		if r, ok := ruleIn(file, phase, code, said); ok {
			return r, true
		}
	}
	return rule{}, false
}

// ruleFor gives the first rule for one reason that a reply fits, of those that are
// nobody's own.
func ruleFor(reason, phase, code string, said *saying) (rule, bool) {
	for _, file := range []string{generalRules, conceptRules} {
		if r, ok := ruleWhere(file, phase, code, said, reason); ok {
			return r, true
		}
	}
	return rule{}, false
}

// ruleIn gives the first rule of one file.
func ruleIn(file, phase, code string, said *saying) (rule, bool) {
	return ruleWhere(file, phase, code, said, "")
}

// ruleWhere gives the first rule of one file that has a reason; any will do for "".
func ruleWhere(file, phase, code string, said *saying, reason string) (rule, bool) {
	for r := range fitting(file, phase, code, said, func(line string) bool { return reason == "" || reasonOf(line) == reason }) {
		return r, true
	}
	return rule{}, false
}

// fitting are the rules of one file that a reply fits, of those whose line is wanted.
func fitting(file, phase, code string, said *saying, wanted func(line string) bool) iter.Seq[rule] {
	if !isPhase(phase) {
		phase = ""
	}
	return func(yield func(rule) bool) {
		_, file, _ := strings.Cut(file, "\n") // the heading
		for line := range strings.Lines(file) {
			words, _, _ := strings.Cut(line, ",")
			if !wanted(line) || !said.any(words) {
				continue // most rules end here: no need to take them apart
			}
			if r, ok := parseRule(line); ok && r.fits(phase, code) && !said.any(r.unless) && !yield(r) {
				return
			}
		}
	}
}

// rivalsOf are the reasons of other rules that a reply fits, where r, the first of them,
// is nobody's own and its reason has not been seen to go before theirs: one of them may
// be meant as well.
func rivalsOf(r rule, phase, code string, said *saying) []string {
	if !r.anybodys() {
		return nil
	}
	if rest, ok := said.rest(); ok {
		said = rest
	}
	known := append(strings.Fields(overOf(r.reason)), r.reason)
	behind := false // r: none before it fits
	wanted := func(line string) bool {
		if !behind {
			behind = strings.HasPrefix(line, r.words+",")
			return false
		}
		return !slices.Contains(known, reasonOf(line))
	}
	var reasons []string
	for _, file := range allRules() {
		for other := range fitting(file, phase, code, said, wanted) {
			reasons = append(reasons, other.reason)
		}
	}
	return reasons
}

// overOf are the reasons that one goes before where a reply speaks of both, with spaces
// between.
func overOf(reason string) string {
	for line := range strings.Lines(overCSV) {
		if rest, ok := strings.CutPrefix(line, reason+","); ok {
			return strings.TrimRight(rest, "\r\n")
		}
	}
	return ""
}

func isPhase(word string) bool {
	switch word {
	case "connect", "hello", "tls", "auth", "ask", "mail", "rcpt", "data", "dot", "quit":
		return true
	}
	return false
}
