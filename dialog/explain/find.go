package explain

import (
	"strconv"
	"strings"
)

// finder reads a text line by line. It keeps the commands that are not answered
// yet, oldest first, so that each reply is that to its own.
type finder struct {
	found []Found
	line  int       // the number of the line, from 1
	begun bool      // a command was sent, or a reply taken, on this connection
	owed  []command // what has no reply yet
	body  bool      // sent lines are a message
	open  bool      // the last reply goes on: its last line was "550-..."
	wraps bool      // the last line was of a reply that ehlo may have wrapped
	hint  string    // the phase that the line before has told of
	dsn   report    // the delivery report that is being read
}

// command is a command as far as its reply is concerned.
type command struct{ phase, recipient string }

// text reads a text of lines. Each is held until the next one has shown that it does not
// go on with it.
func (f *finder) text(text string) {
	held, at, n := "", 0, 0
	flush := func() {
		if at > 0 {
			f.line = at
			f.read(held)
		}
	}
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if at > 0 && goesOn(held, line) {
			if len(held) < plainMost {
				held += " " + strings.TrimSpace(line)
			}
			continue
		}
		flush()
		if len(f.found) >= foundMost {
			return
		}
		held, at = line, n
	}
	flush()
	f.endReport()
}

// goesOn reports whether an indented line goes on with the one before it: with a field of a
// header (RFC 5322 section 2.2.3), with what Postfix writes of a recipient in a bounce,
// "<bob@example.net>: host mx1 said: 550 ...", or with what somebody announces as that does.
func goesOn(held, line string) bool {
	indented := func(s string) bool { return s != "" && (s[0] == ' ' || s[0] == '\t') }
	text := strings.TrimLeft(line, " \t")
	if !indented(line) || text == "" || held == "" || indented(held) {
		return false
	}
	if hasPrefixFold(held, "Diagnostic-Code:") {
		return true
	}
	if address, _, ok := strings.Cut(held, ">: "); ok && held[0] == '<' && mailbox(address+">") != "" {
		return true
	}
	kind, _, _ := cutMark(text)
	_, _, _, begins := cutReply(text)
	return kind == unmarked && !begins && strings.Contains(held, " said: ")
}

// read reads one line.
func (f *finder) read(line string) {
	kind, ours, rest := cutMark(line)
	switch {
	case kind == received:
		if ours {
			rest = f.aside(rest)
		}
		f.reply(rest, true, ours)
	case kind == sent:
		f.sent(rest)
	case kind == began:
		f.begun, f.owed, f.body, f.open = false, nil, false, false
	case f.wraps && strings.HasPrefix(line, wrapped):
		on := f.open
		f.open = true
		last := &f.found[len(f.found)-1]
		if end := &last.Lines[len(last.Lines)-1]; len(*end) < plainMost {
			*end += " " + f.aside(strings.TrimSpace(line))
		}
		f.open = on
	default:
		f.wraps = false
		f.bare(line)
	}
}

// aside takes off a line of ehlo what the reply answers: that one it belongs to, not
// to the oldest command.
func (f *finder) aside(line string) string {
	rest, answers, ok := cutAside(line)
	switch {
	case !ok:
	case f.open:
		last := &f.found[len(f.found)-1]
		last.Phase, last.Recipient = answers.phase, answers.recipient
	case len(f.owed) > 0:
		f.owed[0] = answers
	default:
		f.owed = []command{answers}
	}
	return rest
}

// wrapped is what a line of ehlo that another one goes on with begins with.
const wrapped = "        "

// bare reads a line without a mark: of a conversation by hand, of a log, of prose.
func (f *finder) bare(line string) {
	line = strings.TrimLeft(line, "> \t")
	if c, ok := typed(line); ok {
		f.owe(c)
		return
	}
	if _, _, _, ok := cutReply(line); ok && (f.begun || f.open || f.line == 1 || f.shaped(line)) {
		f.reply(line, false, false)
		return
	}
	f.open = false
	f.loose(line)
}

// shaped reports whether a line among prose is a refusal, and not one that happens to
// begin with a number: "550 guests". It goes on in a next line or has an enhanced
// code, it was announced, or its wording is known.
func (f *finder) shaped(line string) bool {
	code, text, last, _ := cutReply(line)
	if code/100 != 4 && code/100 != 5 {
		return false
	}
	enhanced := enhancedOf(text)
	if !last || text == "" || f.hint != "" || enhanced != "" && int(enhanced[0]-'0') == code/100 {
		return true
	}
	_, known := firstRule(ruleFiles(), "", line[:3], sayingOf([]string{text}))
	return known
}

// sent takes a line that the client sent.
func (f *finder) sent(line string) {
	if _, _, _, ok := cutReply(line); ok {
		f.bare(line) // a letter that quotes another one marks it so, too
		return
	}
	line = strings.TrimLeft(line, "┌│└/|\\ ")
	f.open, f.wraps = false, false
	switch c, ok := sentCommand(line); {
	case line == ".":
		f.body = false
	case f.body:
	case ok:
		f.owe(c)
	}
}

func (f *finder) owe(c command) {
	f.begun = true
	f.open = false
	if len(f.owed) < foundMost {
		f.owed = append(f.owed, c)
	}
}

// reply takes a line of a reply.
func (f *finder) reply(line string, marked, ours bool) {
	code, text, last, ok := cutReply(line)
	f.wraps = ok && ours
	if !ok {
		return
	}
	if n := len(f.found) - 1; f.open && n >= 0 && f.found[n].Code == code {
		if e := enhancedOf(text); f.found[n].Enhanced == "" && strings.HasPrefix(e, line[:1]) { // not in the first line, as some have it
			f.found[n].Enhanced = e
		}
		if len(f.found[n].Lines) < 1000 {
			f.found[n].Lines = append(f.found[n].Lines, text)
		}
	} else {
		found := Found{Code: code, Enhanced: enhancedOf(text), Lines: []string{text}, Line: f.line}
		switch {
		case len(f.owed) > 0:
			found.Phase, found.Recipient = f.owed[0].phase, f.owed[0].recipient
			f.owed = f.owed[1:]
		case marked && !f.begun:
			found.Phase = "connect"
		default:
			found.Phase = f.hint
		}
		f.body, f.begun, f.hint = false, f.begun || marked, ""
		switch {
		case code == 354:
			f.body = true
			f.owed = append(f.owed, command{phase: "dot"})
		case code == 334:
			f.owed = append(f.owed, command{phase: "auth"})
		}
		f.found = append(f.found, found)
	}
	f.open = !last
}

// cutReply takes a line of a reply apart (RFC 5321 section 4.2): its code, its text,
// and whether it is the last.
func cutReply(line string) (code int, text string, last, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !isDigits(line[:3]) {
		return 0, "", false, false
	}
	code, _ = strconv.Atoi(line[:3])
	switch {
	case len(line) == 3:
		return code, "", true, true
	case line[3] == ' ' || line[3] == '-':
		return code, line[4:], line[3] == ' ', true
	}
	return 0, "", false, false
}

// enhancedOf is the enhanced code that a reply's text begins with, "" for none.
// Some put it in brackets, or a # before it.
func enhancedOf(text string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(text, " (["), " ")
	word = strings.TrimPrefix(strings.TrimRight(word, ":,;)]"), "#")
	if !isEnhanced(word) {
		return ""
	}
	return word
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
