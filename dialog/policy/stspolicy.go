package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Mode is what senders do with a host that fails an MTA-STS policy (RFC 8461
// section 5).
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // they do not deliver to it
	Testing Mode = "testing" // they deliver, and report it
	None    Mode = "none"    // as if there were no policy
)

// Policy is an MTA-STS policy (RFC 8461 section 3.2).
type Policy struct {
	Mode     Mode
	MX       []string // names, or "*." and a name, in lower case
	MaxAge   time.Duration
	Findings []route.Finding
}

// PolicyError is the line that makes a policy invalid.
type PolicyError struct {
	Line   int // from 1; 0 if something is missing
	Reason string
}

func (e *PolicyError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

// Allows reports whether the policy lists the MX host, which may be in any script
// (RFC 8461 section 4.1). "*" stands for exactly one label, the first.
func (p Policy) Allows(host string) bool {
	if _, ascii, err := route.ParseDomain(host); err == nil {
		host = ascii
	}
	host = strings.ToLower(host)
	first, parent, _ := strings.Cut(host, ".")
	if first == "" || strings.Contains(host, `\`) { // a dot within a label is written \.
		return false
	}
	return slices.Contains(p.MX, host) || slices.Contains(p.MX, "*."+parent)
}

// ParsePolicy reads a policy as it was served. Names that are not known are passed
// over, and of names that come again the first counts, but for mx. The error is a *PolicyError.
func ParsePolicy(body []byte) (Policy, error) {
	p := reading{seen: map[string]bool{}}
	text := strings.TrimSuffix(string(body), "\n")
	for line := range strings.SplitSeq(text, "\n") {
		p.line++
		if err := p.read(strings.TrimSuffix(line, "\r")); err != nil {
			return Policy{}, err
		}
	}
	for _, key := range []string{"version", "mode", "max_age"} {
		if !p.seen[key] {
			return Policy{}, &PolicyError{0, "it has no " + key}
		}
	}
	if len(p.MX) == 0 && p.Mode != None {
		return Policy{}, &PolicyError{0, "it lists no mx"}
	}
	p.judge()
	return p.Policy, nil
}

// reading is a policy that is being read.
type reading struct {
	Policy
	line int
	seen map[string]bool
}

func (p *reading) wrong(format string, args ...any) error {
	return &PolicyError{p.line, fmt.Sprintf(format, args...)}
}

func (p *reading) find(id, format string, args ...any) {
	p.Findings = append(p.Findings, route.Finding{ID: id, Text: fmt.Sprintf(format, args...)})
}

// read takes one line: NAME ":" *WSP VALUE *WSP.
func (p *reading) read(line string) error {
	if line == "" {
		if !p.seen[""] {
			p.find("sts-empty-line", "line %d of the policy is empty, which its grammar does not have", p.line)
		}
		p.seen[""] = true
		return nil
	}
	key, value, ok := strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	switch {
	case !ok:
		return p.wrong("%s is not NAME: VALUE", quote(line))
	case p.line == 1 && strings.HasPrefix(key, "\ufeff"):
		return p.wrong("a byte order mark comes before %s", quote(strings.TrimPrefix(key, "\ufeff")))
	case !extName(key):
		return p.wrong("%s is no name of a field", quote(key))
	case !plain(value):
		return p.wrong("%s is no value of a field", quote(value))
	}
	again := p.seen[key]
	p.seen[key] = true
	switch {
	case key == "mx":
		return p.mx(value)
	case key != "version" && key != "mode" && key != "max_age":
		if low := strings.ToLower(key); low != key && (low == "version" || low == "mode" || low == "max_age" || low == "mx") {
			p.find("sts-case", "line %d of the policy: %s is not %s, so it is passed over", p.line, key, low)
		}
		return nil
	case again:
		p.find("sts-again", "line %d of the policy: %s comes again, so it is passed over", p.line, key)
		return nil
	case key == "version" && value != "STSv1":
		return p.wrong("the version is %s, not STSv1", quote(value))
	case key == "mode":
		p.Mode = Mode(value)
		if p.Mode != Enforce && p.Mode != Testing && p.Mode != None {
			return p.wrong("the mode is %s, not enforce, testing or none", quote(value))
		}
	case key == "max_age":
		return p.age(value)
	}
	return nil
}

func (p *reading) mx(value string) error {
	name := strings.TrimPrefix(value, "*.")
	_, ascii, err := route.ParseDomain(name)
	switch {
	case err != nil:
		return p.wrong("mx %s is neither a name nor *. and a name", quote(value))
	case ascii != strings.ToLower(name): // in its own script, or with a dot at the end
		return p.wrong("mx %s has to be written %s", quote(value), strings.TrimSuffix(value, name)+ascii)
	}
	p.MX = append(p.MX, strings.ToLower(value))
	return nil
}

func (p *reading) age(value string) error {
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err != nil || len(value) > 10 || strings.Trim(value, "0123456789") != "" {
		return p.wrong("max_age %s is not a number of seconds", quote(value))
	}
	if seconds > maxAge {
		return p.wrong("max_age %d is over %d, a year", seconds, maxAge)
	}
	p.MaxAge = time.Duration(seconds) * time.Second
	return nil
}

// judge finds what is valid and of little use.
func (p *reading) judge() {
	switch p.Mode {
	case Testing:
		p.find("sts-testing", "mode testing: senders report what fails, and deliver all the same")
	case None:
		p.find("sts-none", "mode none: the domain has no policy any more (RFC 8461 section 8.3)")
	}
	if p.MaxAge < shortAge && p.Mode != None {
		p.find("sts-max-age", "max_age %d: senders forget the policy within a day; weeks are what it is meant for (RFC 8461 section 3.2)",
			p.MaxAge/time.Second)
	}
}

// plain is sts-policy-ext-value of RFC 8461 section 3.2: printable ASCII, anything
// beyond it in UTF-8, and spaces within.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}
