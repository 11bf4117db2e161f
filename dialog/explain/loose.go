package explain

import (
	"cmp"
	"strings"
)

// report is what a delivery report (RFC 3464) has said of a recipient so far.
type report struct {
	recipient string
	status    string // "5.1.1"
	line      int    // where that stands
	words     string // a Diagnostic-Code without a reply: what the sender of the report says itself
	explained bool   // a Diagnostic-Code has said more
}

// loose reads a line of prose, of a log or of a delivery report, in which a refusal
// may stand anywhere.
func (f *finder) loose(line string) {
	if f.field(line) {
		return
	}
	if len(line) < 200 { // qmail tells it in a line of its own
		f.hint = cmp.Or(told(line), f.hint)
	}
	found, ok := inLine(line)
	if !ok {
		found, ok = logged(line)
	}
	if !ok {
		return
	}
	found.Line = f.line
	if found.Phase == "" {
		found.Phase = f.hint
	}
	f.hint = ""
	f.found = append(f.found, found)
}

// field reads a field of a delivery report.
func (f *finder) field(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case line == "":
		f.endReport()
		f.hint = ""
		return true
	case !ok:
		return false
	case strings.EqualFold(name, "Final-Recipient"):
		_, address, _ := strings.Cut(value, ";")
		f.dsn.recipient = mailbox(address)
		return true
	case strings.EqualFold(name, "Status"):
		word, _, _ := strings.Cut(value, " ")
		if isEnhanced(word) {
			f.dsn.status, f.dsn.line = word, f.line
			return true
		}
	case strings.EqualFold(name, "Diagnostic-Code"):
		_, text, _ := strings.Cut(value, ";")
		found, ok := inLine("said: " + text)
		if !ok {
			f.dsn.words = strings.TrimSpace(text)
			return true
		}
		f.dsn.explained = true
		found.Line, found.Recipient = f.line, f.dsn.recipient
		if found.Enhanced == "" && f.dsn.status != "" && int(f.dsn.status[0]-'0') == found.Code/100 {
			found.Enhanced = f.dsn.status
		}
		f.found = append(f.found, found)
		return true
	}
	return false
}

// endReport ends what is said of a recipient. A Status that nothing explained is a
// refusal of its own.
func (f *finder) endReport() {
	if d := f.dsn; d.status != "" && d.status[0] != '2' && !d.explained {
		found := Found{Enhanced: d.status, Recipient: d.recipient, Line: d.line}
		if d.words != "" {
			found.Lines = []string{d.words}
		}
		f.found = append(f.found, found)
	}
	f.dsn = report{}
}

// inLine finds a refusal in a line: a code with an enhanced code of its class
// anywhere, a code alone behind words that announce a reply.
func inLine(line string) (Found, bool) {
	announced := 0 // not looked for yet
	for i := 0; i+4 < len(line); i++ {
		if line[i] != '4' && line[i] != '5' || i > 0 && !opens(line[i-1]) {
			continue
		}
		code, _, _, ok := cutReply(line[i:])
		if !ok {
			continue
		}
		text := line[i+4:]
		enhanced := enhancedOf(text)
		if announced == 0 {
			announced = announcement(line)
		}
		if announced > i || announced < 0 {
			if enhanced == "" || int(enhanced[0]-'0') != code/100 {
				continue
			}
		}
		text, command := cutReplyTo(text)
		phase := command
		if phase == "" {
			phase = told(line[:i])
		}
		return Found{Phase: phase, Code: code, Enhanced: enhanced, Lines: []string{text}, Recipient: about(line)}, true
	}
	return Found{}, false
}

// opens reports whether a reply may begin behind c.
func opens(c byte) bool { return strings.IndexByte(" \t:;('\"[=>", c) >= 0 }

// announcement is where words end that announce a reply, -1 if there are none.
func announcement(line string) int {
	line = lowerASCII(line)
	for _, words := range []string{
		"said:", "talk to me:", "smtp;", "remote server returned", "error from remote mail", "response was:",
		"server was:", "the error was:", "returned:", "reject:", "responded:", "response:", "reply=", "stat=", "replied:", "failed with:",
	} {
		if i := strings.Index(line, words); i >= 0 {
			return i + len(words)
		}
	}
	return -1
}

// cutReplyTo takes off the text of a reply what a log has behind it, and gives the
// phase that this tells, "" for none.
func cutReplyTo(text string) (said, phase string) {
	lower := lowerASCII(text)
	if i := strings.Index(lower, "(in reply to "); i >= 0 { // Postfix
		return strings.TrimSpace(text[:i]), momentOf(lower[i+len("(in reply to "):])
	}
	if i := strings.Index(lower, "; from=<"); i >= 0 { // Postfix' own refusals
		return text[:i], ""
	}
	if i := strings.Index(text, "  exit "); i >= 0 { // ehlo's closing line
		text = text[:i]
	}
	return strings.TrimRight(text, "'\" "), ""
}

// told is the phase that words before a reply tell, "" for none.
func told(line string) string {
	line = lowerASCII(line)
	switch {
	case strings.Contains(line, "refused to talk to me"):
		return "connect"
	case strings.Contains(line, "does not like recipient"): // qmail
		return "rcpt"
	case strings.Contains(line, "does not like sender"):
		return "mail"
	case strings.Contains(line, "after i sent the message"):
		return "dot"
	}
	for _, words := range []string{" after pipelined ", " after ", "reject: "} {
		if _, rest, ok := strings.Cut(line, words); ok {
			if phase := momentOf(rest); phase != "" {
				return phase
			}
		}
	}
	return ""
}

// momentOf is the phase that words such as "end of data" or "rcpt to:<...>" name.
func momentOf(words string) string {
	switch {
	case strings.HasPrefix(words, "initial"), strings.HasPrefix(words, "connect"):
		return "connect"
	case strings.HasPrefix(words, "end of data"), strings.HasPrefix(words, "end-of-message"):
		return "dot"
	}
	end := strings.IndexAny(words, " :")
	if end < 0 {
		return ""
	}
	return phaseOf(words[:end])
}

// about is the recipient that a line of a log or of a bounce names.
func about(line string) string {
	if address, _, ok := strings.Cut(line, ">: "); ok && line[0] == '<' { // Postfix' bounces
		return mailbox(address + ">")
	}
	for _, before := range []string{"to=<", "RCPT TO:<"} {
		if _, rest, ok := strings.Cut(line, before); ok {
			if address, _, ok := strings.Cut(rest, ">"); ok {
				return mailbox(address)
			}
		}
	}
	return ""
}

// lowerASCII is s with ASCII letters in lower case, byte by byte: places in it are
// those in s.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
