// Package explain says what an SMTP reply means, why it probably came and what to do next.
//
//	Reply        explains a reply, by its text, its codes and the moment it came
//	Status       explains an enhanced code alone, such as the Status of a bounce
//	Text         explains a text without a code
//	Explanation  what these answer
//	Title        what a code's specification calls it
//	Find         the replies in a transcript, a log or a bounce
//	RetryAfter   the waiting time that a reply asks for
//
// The knowledge is data: rules/*.csv (wordings, those of known receivers before
// those of everybody, and last, where no code says more, what single words hint at),
// classes.csv (words of one meaning, for wordings to name), over.csv (which reason goes
// before which where a reply speaks of both), enhanced.csv (RFC 3463
// and IANA's registry) and codes.csv (RFC 5321 and its extensions). A row in one of
// them is all that a new explanation takes. They are read when a reply is explained,
// never before.
package explain

import (
	"slices"
	"strconv"
	"strings"
)

// Explanation is what is known about a reply. Its texts are lines of a closing
// block: lower case, no full stop, "" when there is nothing to say. They come
// from this package's data alone and never repeat what the server wrote.
type Explanation struct {
	Means  string // what the reply says, as far as it says it: "refused for good: no such mailbox"
	Brief  string // the same in few words, for a list of recipients: "no such mailbox"
	Likely string // why it probably came; not seen, only likely
	Next   string // what to do: a command, or "again with --flag"; ADDRESS, DOMAIN, SENDER (a domain) and TARGET stand for the user's own
	Reason string // one of Reasons; "" for a positive or intermediate reply
	Fault  string // one of Faults: who has to change something; "" where the reply does not tell
	Source string // the document that defines the code or has the wording: "RFC 3463 section 3.2"
	Layer  string // one of Layers: what the answer was found by
	Retry  bool   // the same may succeed later: a 4yz reply (RFC 5321 section 4.2.1)
}

// Reasons lists every Reason, a fixed vocabulary for scripts.
func Reasons() []string {
	return strings.Fields(`
		user-unknown mailbox-full mailbox-disabled has-moved host-unknown no-relaying not-accepting
		blocked bad-reputation require-ptr auth-failure policy rejected-sender spam virus content
		message-too-big rate-limited too-many-connections greylisted starttls-failed security syntax
		not-rfc-compliant system-error system-full network-error expired suspended filtered other`)
}

// Faults lists every Fault. With "policy" nothing is broken: the receiver wants it so.
func Faults() []string { return strings.Fields("sender receiver network message policy") }

// The layers: the first that knows a reply answers.
const (
	ByText     = "text"     // the wording
	ByEnhanced = "enhanced" // the enhanced code, or its subject where nobody registered it
	ByPhase    = "phase"    // the code, at the moment it came
	ByCode     = "code"     // the code
	ByClass    = "class"    // the code's first digit, or the first two
)

// Layers lists every Layer, in the order in which they are asked.
func Layers() []string { return []string{ByText, ByEnhanced, ByPhase, ByCode, ByClass} }

// fault says who has to change something if mail fails for a reason.
func fault(reason string) string {
	switch reason {
	case "user-unknown", "host-unknown", "no-relaying", "blocked", "bad-reputation", "require-ptr", "auth-failure",
		"rejected-sender", "rate-limited", "too-many-connections", "security", "syntax", "not-rfc-compliant", "suspended":
		return "sender"
	case "mailbox-full", "mailbox-disabled", "has-moved", "not-accepting", "starttls-failed", "system-error", "system-full":
		return "receiver"
	case "network-error", "expired":
		return "network"
	case "spam", "virus", "content", "message-too-big":
		return "message"
	case "policy", "greylisted", "filtered":
		return "policy"
	}
	return ""
}

// Reply explains a reply. The phase is the moment it came: "connect",
// "first-hello" or "hello", "tls", "auth", "ask", "mail", "rcpt", "data", "dot",
// "quit"; any other word stands for no moment in particular. The enhanced code is "" when there was none;
// the text is the reply's lines, with or without their codes.
//
// What the server says in plain words goes first, then its enhanced code, then what
// single words hint at, then its basic code at that phase, then the class. Where the two codes disagree the basic
// one decides whether it is for good (RFC 5321 section 4.2.1).
func Reply(phase string, code int, enhanced string, text []string) Explanation {
	if phase == "first-hello" {
		phase = "hello"
	}
	if class := strconv.Itoa(code / 100); strings.Contains(enhanced, ".") && enhanced[:1] != class {
		enhanced = class + enhanced[strings.Index(enhanced, "."):] // for now, or for good, is the basic code's to say
	}
	r, layer := find(phase, code, enhanced, text)
	e := r.explanation(layer).of(code / 100)
	if layer == ByClass && (code < 200 || code > 599) {
		e.Fault = "receiver" // it is no reply at all
	}
	return e
}

// of completes e as an answer of a class.
func (e Explanation) of(class int) Explanation {
	switch class {
	case 2, 3:
		e.Means, e.Reason, e.Fault = e.Brief, "", ""
	case 4:
		e.Means, e.Retry = "refused for now: "+e.Brief, true
	case 5:
		e.Means = "refused for good: " + e.Brief
	default:
		e.Means = e.Brief
	}
	if !e.Retry && strings.Contains(e.Next, "--retry-for") {
		e.Next = "" // it tries again only what was refused for now
	}
	return e
}

// Status explains an enhanced code that stands alone, "5.1.1" or "X.1.1" for any
// class; "5.x.x" is the class and "5.1.x" the subject. It answers false for what has
// not that form (RFC 3463 section 2) or a subject that nobody has registered.
func Status(enhanced string) (Explanation, bool) {
	enhanced = strings.ReplaceAll(strings.ToUpper(enhanced), ".X", ".0")
	class, rest, _ := strings.Cut(enhanced, ".")
	if !isEnhanced("5."+rest) || len(class) != 1 || !strings.Contains("245X", class) {
		return Explanation{}, false
	}
	known, ok := lookup(enhancedCSV, "", enhanced, "X."+rest)
	if !ok {
		known, ok = lookup(enhancedCSV, "", subjectKeys(enhanced)...)
	}
	digit, _ := strconv.Atoi(class)
	return known.explanation(ByEnhanced).of(digit), ok
}

// Text explains lines that a server may have said with any code. It answers false
// where no wording in them is known.
func Text(text []string) (Explanation, bool) {
	r, ok := firstRule(ruleFiles(), "", "", sayingOf(text))
	return r.row().explanation(ByText).of(0), ok
}

// Title is what the specification of the most exact code of a reply calls that code,
// and which specification it is. The code is 0, or the enhanced code "", where there
// is none; of is the one that it tells of, "" if neither has a title.
func Title(code int, enhanced string) (of, title, source string) {
	_, rest, _ := strings.Cut(enhanced, ".")
	general := "X." + rest // this row has the title
	if r, ok := lookup(enhancedCSV, "", general); ok && !strings.HasSuffix(rest, ".0") {
		return enhanced, r.title, r.source
	}
	number := strconv.Itoa(code)
	if r, ok := lookup(codesCSV, "", number); ok {
		return number, r.title, r.source
	}
	if r, ok := lookup(enhancedCSV, "", general); ok {
		return enhanced, r.title, r.source
	}
	return "", "", ""
}

// find gives the row that says most about a reply, and what it was found by; there
// is always one.
func find(phase string, code int, enhanced string, text []string) (row, string) {
	number := strconv.Itoa(code)
	class := code / 100
	negative := class == 4 || class == 5
	exact, found := lookup(enhancedCSV, phase, enhancedKeys(enhanced)...)
	basic, known := lookup(codesCSV, phase, number)
	unread := false // there are words, and no wording in them is known
	torn := false   // they say two things
	if negative {
		said := sayingOf(text)
		unread = said.text != ""
		files := allRules()
		if found && exact.reason != "other" && !vague(enhanced) {
			files = ruleFiles() // the code says more than single words hint at
		}
		if r, ok := firstRule(files, phase, number, said); ok {
			if found && (settles(exact.reason, r.reason) || r.anybodys() && ofMessage(exact.reason, r.reason)) {
				return exact, ByEnhanced
			}
			if found && r.anybodys() && decides(exact.reason, r.reason) && !vague(enhanced) {
				if meant, ok := ruleFor(exact.reason, phase, number, said); ok {
					r = meant
				}
			}
			var rivals []string
			if !found || exact.reason != r.reason {
				rivals = rivalsOf(r, phase, number, said)
			}
			if len(rivals) == 0 {
				return r.row().unless(exact, found).unless(basic, known), ByText
			}
			torn = !found || !slices.Contains(rivals, exact.reason)
		}
	}
	if found {
		return exact.doubt(torn || unread && vague(enhanced)), ByEnhanced
	}
	layer := ByCode
	if basic.phase != "" {
		layer = ByPhase
	}
	if known && basic.reason != "other" {
		return basic.doubt((torn || unread) && !(phase == "auth" && ofLogin(code))), layer
	}
	// X.Y.0 is "other or undefined" (RFC 3463 section 3): it tells the subject of
	// a failure, and nothing in a success.
	if negative {
		if r, ok := lookup(enhancedCSV, phase, subjectKeys(enhanced)...); ok {
			return r.doubt(unread), ByEnhanced
		}
	}
	if known {
		return basic, layer
	}
	r, _ := lookup(codesCSV, phase, classKeys(class, code)...)
	return r.doubt(unread), ByClass
}

// settles reports whether a code's reason tells what the words leave open: whose domain
// is unknown, that it was the last try that failed, whose room or which limit it is, which
// check could not be made or is the policy that they speak of.
func settles(code, words string) bool {
	switch code {
	case "rejected-sender":
		return words == "host-unknown" || words == "user-unknown"
	case "expired":
		return words == "network-error" || words == "host-unknown"
	case "mailbox-full":
		return words == "system-full"
	case "message-too-big":
		return words == "mailbox-full" || words == "rate-limited"
	case "auth-failure", "require-ptr":
		return words == "system-error" || words == "network-error" || words == "policy"
	case "syntax":
		return words == "policy"
	}
	return false
}

// ofMessage reports whether words speak of the authentication of a client, and the code
// of that of a message: X.7.26 beside "authentication failed".
func ofMessage(code, words string) bool { return code == "auth-failure" && words == "security" }

// decides reports whether a code tells which of two things is meant that the words may
// say: a connection that was closed "for inactivity" is no mailbox that was, and mail
// that is "suspended" for want of room no account.
func decides(code, words string) bool {
	switch code {
	case "network-error", "system-full", "host-unknown", "auth-failure", "mailbox-full", "message-too-big":
		return words != code
	case "user-unknown":
		return words == "mailbox-disabled" || words == "host-unknown"
	}
	return false
}

// doubt takes the reason off a row that may as well be wrong.
func (r row) doubt(doubtful bool) row {
	if doubtful {
		r.reason = "other"
	}
	return r
}

// vague reports whether servers give an enhanced code for more reasons than it is
// registered for. It is believed where no words stand beside it, and not against words
// that are not understood: 4.2.1 and 4.2.2 come with any reason to try again later, 5.4.1
// with unknown mailboxes, X.1.8 with hosts that have no name.
func vague(code string) bool {
	switch code {
	case "4.1.1", "4.1.2", "4.1.8", "4.2.1", "4.2.2", "4.3.2", "4.4.3", "4.4.4", "4.4.5", "4.5.5",
		"4.7.9", "5.1.8", "5.2.1", "5.3.2", "5.4.1", "5.4.3", "5.4.4", "5.4.5", "5.4.6", "5.5.3", "5.5.4", "5.6.7", "5.7.2", "5.7.7", "5.7.9":
		return true
	}
	return false
}

// ofLogin reports whether a basic code is about a login and nothing else (RFC 4954
// section 6). Every other one comes with whatever a server has to say: none is believed
// against words that are not understood.
func ofLogin(code int) bool {
	switch code {
	case 432, 534, 535, 538:
		return true
	}
	return false
}

// enhancedKeys gives the keys under which an exact enhanced code is looked up,
// "4.7.1" before "X.7.1"; none for X.Y.0, which is exact about nothing.
func enhancedKeys(enhanced string) []string {
	class, rest, ok := strings.Cut(enhanced, ".")
	if !ok || class == "" || strings.HasSuffix(rest, ".0") {
		return nil
	}
	return []string{enhanced, "X." + rest}
}

// subjectKeys gives the keys of an enhanced code's subject: "5.7.0" and "X.7.0" for
// "5.7.509".
func subjectKeys(enhanced string) []string {
	parts := strings.Split(enhanced, ".")
	if len(parts) != 3 || parts[1] == "0" {
		return nil
	}
	subject := "." + parts[1] + ".0"
	return []string{parts[0] + subject, "X" + subject}
}

// classKeys gives the keys of what a code's first two digits say, and its first
// one: "57z", "5yz" (RFC 5321 section 4.2.1).
func classKeys(class, code int) []string {
	if class < 2 || class > 5 {
		return []string{"?yz"}
	}
	return []string{strconv.Itoa(code/10) + "z", strconv.Itoa(class) + "yz"}
}
