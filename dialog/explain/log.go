package explain

import (
	"cmp"
	"strings"
)

// logged finds a refusal that a log tells in words of its own: what kept a server from
// speaking to the next one, or what it decided itself. No reply stands in such a line.
func logged(line string) (Found, bool) {
	for _, read := range [...]func(string) (Found, bool){postfixLine, sendmailLine, eximLine, qmailLine} {
		if found, ok := read(line); ok {
			return found, true
		}
	}
	return Found{}, false
}

// postfixLine reads "to=<...>, ..., dsn=4.4.1, status=deferred (REASON)", and what the
// queue gives up: "from=<...>, status=expired, returned to sender".
func postfixLine(line string) (Found, bool) {
	before, rest, ok := strings.Cut(line, " status=")
	if !ok {
		return Found{}, false
	}
	word, reason, _ := strings.Cut(rest, " ")
	word = strings.TrimRight(word, ",")
	found := Found{Recipient: about(line), Later: word == "deferred"}
	switch word {
	case "deferred", "bounced", "undeliverable":
		reason, ok = strings.CutPrefix(reason, "(")
		reason = strings.TrimSuffix(strings.TrimRight(reason, " "), ")")
		ok = ok && reason != "" && strings.Contains(before, "to=<")
	case "expired":
		reason = word + ", " + reason
		ok = strings.Contains(before, "from=<")
	default:
		return Found{}, false
	}
	if _, rest, during := strings.Cut(lowerASCII(reason), " while "); during {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "sending "), "receiving the ")
		found.Phase = momentOf(rest + " ")
	}
	found.Phase = cmp.Or(found.Phase, told(reason))
	found.Enhanced, found.Lines = stated(before), []string{reason}
	return found, ok
}

// sendmailLine reads "to=<...>, ..., dsn=5.1.2, stat=REASON".
func sendmailLine(line string) (Found, bool) {
	before, reason, ok := strings.Cut(line, ", stat=")
	enhanced := stated(before)
	return Found{Enhanced: enhanced, Lines: []string{strings.TrimPrefix(reason, "Deferred: ")}, Recipient: about(line)},
		ok && reason != "" && enhanced != ""
}

// stated is the code of a refusal that a line has as "dsn=4.4.1,", "" for none.
func stated(line string) string {
	_, rest, _ := strings.Cut(line, " dsn=")
	code, _, _ := strings.Cut(rest, ",")
	if !isEnhanced(code) || code[0] == '2' {
		return ""
	}
	return code
}

// eximLine reads "ID ** ADDRESS ... : REASON", refused for good, and "ID == ADDRESS
// ... : REASON", to be tried again. The fields between hold no colon with a space behind it.
func eximLine(line string) (Found, bool) {
	for _, mark := range [...]string{"** ", "== "} {
		before, rest, ok := strings.Cut(line, mark)
		if !ok {
			continue
		}
		fields, reason, _ := strings.Cut(rest, ": ")
		word, _, _ := strings.Cut(fields, " ")
		address := mailbox(word)
		shaped := eximID(before) || before == "" && strings.Contains(fields, " R=")                          // with a router it is no prose
		if !shaped || address == "" || reason == "" || strings.HasPrefix(reason, "retry time not reached") { // nothing was tried
			return Found{}, false
		}
		found := Found{Lines: []string{reason}, Recipient: address, Later: mark == "== "}
		if _, moment, ok := strings.Cut(lowerASCII(reason), " after "); ok {
			found.Phase = momentOf(strings.TrimPrefix(moment, "pipelined ") + " ")
		}
		return found, true
	}
	return Found{}, false
}

// eximID reports whether what stands before a mark of Exim's log ends with the name of a
// message: "1tDxyz-000000001Ab-0cde ", before release 4.97 "1tDxyz-0001Ab-2c ".
func eximID(before string) bool {
	id, ok := strings.CutSuffix(before, " ")
	parts := strings.Split(id[strings.LastIndexByte(id, ' ')+1:], "-")
	if !ok || len(parts) != 3 {
		return false
	}
	long, short := [3]int{6, 11, 4}, [3]int{6, 6, 2}
	lengths := [3]int{len(parts[0]), len(parts[1]), len(parts[2])}
	return (lengths == long || lengths == short) &&
		strings.Trim(lowerASCII(strings.Join(parts, "")), "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// qmailLine reads "delivery 12: failure: REASON" and "deferral", where "_" is a space
// and "/" a line end.
func qmailLine(line string) (Found, bool) {
	_, rest, ok := strings.Cut(line, "delivery ")
	number, rest, numbered := strings.Cut(rest, ": ")
	word, reason, worded := strings.Cut(rest, ": ")
	if !ok || !numbered || !worded || number == "" || !isDigits(number) || word != "failure" && word != "deferral" {
		return Found{}, false
	}
	reason = strings.TrimSpace(strings.NewReplacer("_", " ", "/", " ").Replace(reason))
	if found, ok := inLine(reason); ok {
		return found, true
	}
	found := Found{Phase: told(reason), Lines: []string{reason}, Later: word == "deferral"}
	if _, code, ok := strings.Cut(reason, "(#"); ok && !strings.HasPrefix(code, "2") {
		found.Enhanced = enhancedOf(code)
	}
	return found, reason != ""
}
