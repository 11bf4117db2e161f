// Package explain says what an SMTP reply means, why it probably came and what to do next.
//
//	Reply        explains one reply, by its text, its codes and the moment it came
//	Explanation  what Reply answers
//	RetryAfter   the waiting time that a reply asks for
//
// The knowledge is data: rules.csv (wordings), enhanced.csv (RFC 3463) and
// codes.csv (RFC 5321 and its extensions). A row in one of them is all that a new
// explanation takes. They are read when a reply is explained, never before.
package explain

import (
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
	Next   string // what to do: a command, or "again with --flag"; ADDRESS, DOMAIN and TARGET stand for the user's own
	Reason string // one of Reasons; "" for a positive or intermediate reply
	Source string // the document that defines the code: "RFC 3463 section 3.2"
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

// Reply explains a reply. The phase is the moment it came: "connect",
// "first-hello" or "hello", "tls", "auth", "ask", "mail", "rcpt", "data", "dot",
// "quit"; any other word stands for no moment in particular. The enhanced code is "" when there was none;
// the text is the reply's lines, with or without their codes.
//
// What the server says in plain words goes first, then its enhanced code, then its
// basic code at that phase, then the class. Where the two codes disagree the basic
// one decides whether it is for good (RFC 5321 section 4.2.1).
func Reply(phase string, code int, enhanced string, text []string) Explanation {
	if phase == "first-hello" {
		phase = "hello"
	}
	e := find(phase, code, enhanced, text).explanation()
	switch code / 100 {
	case 2, 3:
		e.Means, e.Reason = e.Brief, ""
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

// find gives the row that says most about a reply; there is always one.
func find(phase string, code int, enhanced string, text []string) row {
	number := strconv.Itoa(code)
	class := code / 100
	negative := class == 4 || class == 5
	if negative {
		if r, ok := matchRule(phase, number, text); ok {
			return r
		}
	}
	if r, ok := lookup(enhancedCSV, phase, enhancedKeys(enhanced)...); ok {
		return r
	}
	basic, known := lookup(codesCSV, phase, number)
	if known && basic.reason != "other" {
		return basic
	}
	// X.Y.0 is "other or undefined" (RFC 3463 section 3): it tells the subject of
	// a failure, and nothing in a success.
	if negative {
		if r, ok := lookup(enhancedCSV, phase, subjectKey(enhanced)); ok {
			return r
		}
	}
	if known {
		return basic
	}
	r, _ := lookup(codesCSV, phase, classKeys(class, code)...)
	return r
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

// subjectKey gives the key of an enhanced code's subject: "X.7.0" for "5.7.509".
func subjectKey(enhanced string) string {
	parts := strings.Split(enhanced, ".")
	if len(parts) != 3 || parts[1] == "0" {
		return ""
	}
	return "X." + parts[1] + ".0"
}

// classKeys gives the keys of what a code's first two digits say, and its first
// one: "57z", "5yz" (RFC 5321 section 4.2.1).
func classKeys(class, code int) []string {
	if class < 2 || class > 5 {
		return []string{"?yz"}
	}
	return []string{strconv.Itoa(code/10) + "z", strconv.Itoa(class) + "yz"}
}
