package check

import (
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/explain"
)

// aside reports whether a refusal says nothing of what was asked about, a recipient or a
// name: it is of the moment, as a 4yz (RFC 5321 section 4.2.1), or of the client that asked,
// which is on a blocklist, say. why is then what the reply says in a few words. A refusal that
// gives no reason is taken for an answer; so is one that speaks of relaying whatever its code,
// as Postfix puts strangers' mail to elsewhere off by 454.
func aside(phase dialog.Phase, r *dialog.Reply) (why string, is bool) {
	if r == nil || !r.Temporary() && !r.Permanent() {
		return "", false
	}
	enhanced := ""
	if !r.Enhanced.IsZero() {
		enhanced = r.Enhanced.String()
	}
	e := explain.Reply(phase.String(), r.Code, enhanced, r.Lines())
	return e.Brief, r.Temporary() && e.Reason != "no-relaying" || ofClient(phase, r, e.Reason)
}

// ofClient reports whether r, a refusal for good with one of explain's reasons, is about
// the client: its address, its names, its rate, the null sender, or a message that it never
// sent.
func ofClient(phase dialog.Phase, r *dialog.Reply, reason string) bool {
	switch reason {
	case "blocked", "bad-reputation", "require-ptr", "auth-failure", "rejected-sender", "spam", "virus", "content", "message-too-big",
		"rate-limited", "too-many-connections", "greylisted", "starttls-failed", "system-error", "system-full", "network-error", "expired":
		return true
	case "policy", "suspended": // whose rule or account it is, the reason does not tell
		return says(r, "helo", "ehlo") || phase == dialog.PhaseRcpt && !ofRecipient(r)
	case "syntax", "not-rfc-compliant": // 500, 502 and 503 are about the command itself (RFC 5321 section 4.2.2)
		return says(r, "helo", "ehlo") || phase == dialog.PhaseRcpt && (r.Code == 500 || r.Code == 502 || r.Code == 503)
	case "security": // a stranger need not log in to be refused; to be asked for TLS is another matter
		return says(r, "tls", "starttls", "encryption", "encrypted")
	}
	return false
}

// ofRecipient reports whether r names the recipient as what it refuses: in words, or by an
// enhanced code about its address or mailbox (RFC 3463 sections 3.2 and 3.3).
func ofRecipient(r *dialog.Reply) bool {
	c := r.Enhanced
	sender := c.Subject == 1 && (c.Detail == 7 || c.Detail == 8) // X.1.7 and X.1.8 are about the sender's
	return (c.Subject == 1 || c.Subject == 2) && !sender || says(r, "recipient", "mailbox")
}

// says reports whether one of the words, in lower case, stands in the text of r.
func says(r *dialog.Reply, words ...string) bool {
	text := strings.ToLower(strings.Join(r.Lines(), " "))
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return (c < 'a' || c > 'z') && c != '-' && c != '.' && c != '@' }) {
		for _, w := range words {
			if strings.Trim(word, ".-") == w {
				return true
			}
		}
	}
	return false
}

// refusedAside is the verdict on what a refusal, shown as text, says nothing about: "VRFY is".
func refusedAside(what, text string, r *dialog.Reply, why string) Result {
	if r.Temporary() {
		return Untested("%s put off: %s", what, r.Codes())
	}
	return Untested("%s refused for another reason: %s", what, text).Meaning("%s", why)
}
