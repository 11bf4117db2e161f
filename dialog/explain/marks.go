package explain

import "strings"

// kind is what a line of a transcript is.
type kind uint8

const (
	unmarked kind = iota
	received      // from the server
	sent          // to the server
	began         // a connection begins
)

// cutMark takes the mark off a line of a transcript: those of ehlo, in UTF-8 and in
// ASCII; of swaks; of curl -v; of sendmail -v, msmtp and Exim; and S: and C:, as
// documents have them. ours says that it is ehlo's.
func cutMark(line string) (k kind, ours bool, rest string) {
	line = strings.TrimLeft(line, " \t")
	mark, rest, _ := strings.Cut(line, " ")
	switch mark {
	case "←", "⇐", "<=":
		k, ours = received, true
	case "<-":
		k, ours = received, strings.HasPrefix(rest, "  ")
	case "<~", "<**", "<~*", "<", "<<<", "<--", "SMTP<<", "S:":
		k = received
	case "→", "⇒", "->", "=>", "~>", ">", ">>>", "-->", "SMTP>>", "C:":
		k = sent
	case "●", "===", "*":
		word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
		switch word {
		case "connect", "Trying", "Connected":
			return began, false, ""
		}
	}
	if k == unmarked {
		return unmarked, false, line
	}
	return k, ours, strings.TrimLeft(rest, " ")
}

// cutAside takes off a line of ehlo what stands at its right: the time, and before
// it the command that the reply answers. ok says that there was one.
func cutAside(line string) (rest string, answers command, ok bool) {
	line = strings.TrimRight(line, " ")
	if i := strings.LastIndex(line, "  "); i >= 0 && isTime(line[i+2:]) {
		line = strings.TrimRight(line[:i], " ")
	}
	i := strings.LastIndex(line, "  ")
	if i < 0 {
		return line, command{}, false
	}
	aside := line[i+2:]
	if answers, ok = sentCommand(aside); aside == "message" {
		answers, ok = command{phase: "dot"}, true
	}
	if !ok {
		return line, command{}, false
	}
	return strings.TrimRight(line[:i], " "), answers, true
}

// isTime reports whether s is how long a reply took: "+84 ms".
func isTime(s string) bool {
	number, unit, ok := strings.Cut(strings.TrimPrefix(s, "+"), " ")
	return ok && number != "" && strings.Trim(number, "0123456789.") == "" &&
		(unit == "ms" || unit == "s" || strings.HasPrefix(unit, "min"))
}

// sentCommand is the command of a line that is known to be sent, or of an aside,
// "RCPT bob@example.net".
func sentCommand(line string) (command, bool) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	c := command{phase: phaseOf(verb)}
	if c.phase == "rcpt" {
		c.recipient = mailbox(rest)
	}
	return c, c.phase != ""
}

// phaseOf is the phase of a command, "" for no command.
func phaseOf(verb string) string {
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO", "LHLO":
		return "hello"
	case "STARTTLS":
		return "tls"
	case "AUTH":
		return "auth"
	case "MAIL":
		return "mail"
	case "RCPT":
		return "rcpt"
	case "DATA":
		return "data"
	case "BDAT":
		return "dot"
	case "QUIT":
		return "quit"
	case "VRFY", "EXPN", "HELP", "NOOP", "RSET", "ETRN", "ATRN", "XCLIENT", "XFORWARD":
		return "ask"
	}
	return ""
}

// typed is the command of a line that may be anything: it has to look like one.
func typed(line string) (command, bool) {
	c, ok := sentCommand(line)
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	words := strings.Fields(rest)
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO", "LHLO", "VRFY", "EXPN", "ETRN":
		ok = ok && len(words) == 1
	case "MAIL":
		ok = ok && hasPrefixFold(rest, "FROM:")
	case "RCPT":
		ok = ok && hasPrefixFold(rest, "TO:")
	case "AUTH":
		ok = ok && (len(words) == 1 || len(words) == 2) && words[0] == strings.ToUpper(words[0])
	case "BDAT":
		ok = ok && len(words) > 0 && isDigits(words[0])
	default:
		ok = ok && rest == ""
	}
	return c, ok
}

// mailbox is the address in "TO:<bob@example.net> NOTIFY=NEVER", or one that stands
// alone; "" for none.
func mailbox(s string) string {
	if hasPrefixFold(s, "TO:") {
		s = s[len("TO:"):]
	}
	s = strings.TrimSpace(s)
	if in, ok := strings.CutPrefix(s, "<"); ok {
		s, _, ok = strings.Cut(in, ">")
		if !ok {
			return ""
		}
	}
	s, _, _ = strings.Cut(s, " ")
	if at := strings.LastIndexByte(s, '@'); at <= 0 || at == len(s)-1 || len(s) > 320 {
		return ""
	}
	return s
}
