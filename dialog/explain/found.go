package explain

import (
	"cmp"
	"slices"
	"strings"
)

// Found is a reply that a text tells of.
type Found struct {
	Phase     string   // when it came, as Reply wants it; "" where the text does not tell
	Code      int      // 0 where there is none: in the Status of a delivery report, in what a log says in its own words
	Enhanced  string   // "" for none; then there is a Code, or there are Lines
	Lines     []string // what it says, foreign bytes as they came, without the basic code
	Recipient string   // the mailbox that it was about the first time; "" where the text does not tell
	Line      int      // of the text, from 1
	Times     int      // how often it is told
	Later     bool     // where there is no code: it is tried again, as the log says
}

// Negative reports whether the reply is a refusal: 4yz or 5yz (RFC 5321 section
// 4.2.1), a Status that says so, or what a log calls one.
func (f Found) Negative() bool {
	if f.Code == 0 {
		return !strings.HasPrefix(f.Enhanced, "2")
	}
	return f.Code/100 == 4 || f.Code/100 == 5
}

// Explain explains the reply.
func (f Found) Explain() Explanation {
	switch {
	case f.Code != 0:
		return Reply(f.Phase, f.Code, f.Enhanced, f.Lines)
	case len(f.Lines) == 0:
		e, _ := Status(f.Enhanced)
		return e
	}
	code := 599 // what nobody sends, so that it says no more than its class
	if f.Later && f.Enhanced == "" || strings.HasPrefix(f.Enhanced, "4") {
		code = 499
	}
	return Reply(f.Phase, code, f.Enhanced, f.Lines)
}

// foundMost bounds how many replies are taken from one text.
const foundMost = 10_000

// Find gives the replies in a text, each once, in the order in which they stand
// there: a transcript of ehlo (text or JSON), swaks, curl -v, sendmail -v, msmtp or
// of what was typed into a connection; the log of Postfix, Exim, Sendmail or qmail; a bounce
// (RFC 3464), or one reply alone. Of prose and of logs it takes refusals only.
func Find(text string) []Found {
	var f finder
	if !f.json(text) {
		f.text(withoutColour(text))
	}
	return merge(f.found)
}

// withoutColour is a text without the sequences that colour it (ECMA-48 section 8.3.117,
// SGR), as ehlo --color=always and a terminal's log have them.
func withoutColour(text string) string {
	const begin = "\x1b["
	if !strings.Contains(text, begin) {
		return text
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, begin)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		behind := strings.TrimLeft(rest, "0123456789;:")
		if strings.HasPrefix(behind, "m") {
			text = behind[1:]
			continue
		}
		b.WriteString(begin)
		text = rest
	}
}

// merge makes one of replies that are the same but for where the text tells them,
// as a bounce does: in its letter and in its report.
func merge(all []Found) []Found {
	type codes struct {
		code     int
		enhanced string
		later    bool
	}
	at := map[codes][]int{}
	var merged []Found
	var texts []string
	for _, f := range all {
		f.Times = 1
		key, text := codes{f.Code, f.Enhanced, f.Later && f.Enhanced == ""}, plain(f.Lines)
		i := slices.IndexFunc(at[key], func(i int) bool {
			// Prose breaks a line where it likes, so one may be the beginning of the other.
			return same(f.Phase, merged[i].Phase) && (strings.HasPrefix(text, texts[i]) || strings.HasPrefix(texts[i], text))
		})
		if i < 0 {
			at[key] = append(at[key], len(merged))
			merged, texts = append(merged, f), append(texts, text)
			continue
		}
		i = at[key][i]
		g := &merged[i]
		g.Times++
		g.Phase, g.Recipient = cmp.Or(g.Phase, f.Phase), cmp.Or(g.Recipient, f.Recipient)
		if len(texts[i]) < len(text) {
			texts[i], g.Lines = text, f.Lines
		}
	}
	return merged
}

// same reports whether a and b say the same; "" says nothing.
func same(a, b string) bool { return a == b || a == "" || b == "" }
