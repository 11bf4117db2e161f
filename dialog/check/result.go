package check

import "fmt"

// Verdict is what a check comes to. The zero Verdict is Unknown, neither good nor
// bad.
type Verdict uint8

// The verdicts, from good to bad: the worst of several stands for all.
const (
	Unknown Verdict = iota
	Skip            // it needs an input or a permission, or there is nothing to judge
	Pass
	Info  // worth knowing, neither good nor bad
	Warn  // it works today, and should be mended
	Error // it was tried, and nothing is known: no verdict on the domain
	Fail  // mail is lost, delayed, exposed or refused by it
)

// String is the word of v.
func (v Verdict) String() string {
	words := [...]string{"unknown", "skip", "pass", "info", "warn", "error", "fail"}
	if int(v) < len(words) {
		return words[v]
	}
	return words[Unknown]
}

// MarshalText is the word of String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Result is one thing that a check found. Its texts may hold foreign bytes as they
// came: whoever shows them escapes them.
type Result struct {
	ID       string   `json:"id"`
	Group    Group    `json:"group,omitempty"`
	Verdict  Verdict  `json:"verdict"`
	Subject  string   `json:"subject,omitempty"`  // the host, selector or list that it is about, where there may be several
	Summary  string   `json:"summary"`            // what was seen, in a line without the subject
	Evidence []string `json:"evidence,omitempty"` // records and replies that it rests on, a line each
	Means    string   `json:"means,omitempty"`    // what follows from it
	Fix      string   `json:"fix,omitempty"`      // what to do; a record or a command to paste where there is one
	Ref      string   `json:"ref,omitempty"`      // the check's, unless it is another
	Result   string   `json:"result,omitempty"`   // a word for machines, where a standard has one: "softfail"
}

// Passed is a result with the verdict Pass. The others are made likewise; On, With,
// Meaning, Fixed, By and As add the rest.
func Passed(format string, args ...any) Result { return made(Pass, format, args) }

// Noted is a result with the verdict Info.
func Noted(format string, args ...any) Result { return made(Info, format, args) }

// Warned is a result with the verdict Warn.
func Warned(format string, args ...any) Result { return made(Warn, format, args) }

// Failed is a result with the verdict Fail.
func Failed(format string, args ...any) Result { return made(Fail, format, args) }

// Skipped is a result with the verdict Skip: there is nothing to judge, and why.
func Skipped(format string, args ...any) Result { return made(Skip, format, args) }

// Untested is a result with the verdict Error: what stood in the way.
func Untested(format string, args ...any) Result { return made(Error, format, args) }

func made(v Verdict, format string, args []any) Result {
	return Result{Verdict: v, Summary: fmt.Sprintf(format, args...)}
}

// On says whom r is about.
func (r Result) On(subject string) Result {
	r.Subject = subject
	return r
}

// With adds evidence, a line each.
func (r Result) With(lines ...string) Result {
	r.Evidence = append(r.Evidence[:len(r.Evidence):len(r.Evidence)], lines...)
	return r
}

// Meaning says what follows from r.
func (r Result) Meaning(format string, args ...any) Result {
	r.Means = fmt.Sprintf(format, args...)
	return r
}

// Fixed says what to do about r.
func (r Result) Fixed(format string, args ...any) Result {
	r.Fix = fmt.Sprintf(format, args...)
	return r
}

// By names the rule that r rests on, where it is not the check's.
func (r Result) By(ref string) Result {
	r.Ref = ref
	return r
}

// As gives r the word that its standard has for it.
func (r Result) As(word string) Result {
	r.Result = word
	return r
}

// one is a list of one result.
func one(r Result) []Result { return []Result{r} }
