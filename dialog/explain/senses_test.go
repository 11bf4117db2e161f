package explain

import (
	"strings"
	"testing"
)

// TestSenses holds rules to words that mean another thing beside other words, at another
// moment or with another code.
func TestSenses(t *testing.T) {
	tests := []struct{ phase, enhanced, text, reason string }{
		// The object that a word belongs to.
		{"", "4.4.2", "Closing the session due to inactivity", "network-error"},
		{"rcpt", "5.2.1", "The mailbox was closed due to inactivity", "mailbox-disabled"},
		{"", "", "The session is idle for too long", "network-error"},
		{"dot", "", "The mail carries credentials in the body", "other"},
		{"mail", "", "Your credentials are needed", "security"},
		{"dot", "", "The certificate of the S/MIME signature expired", "other"},
		{"tls", "", "The certificate of your host expired", "starttls-failed"},
		{"dot", "", "Sorry, names of files that are banned: exe", "content"},
		{"rcpt", "", "The mailbox is being moved to another disk", "system-error"},
		{"rcpt", "", "The user has moved to another firm", "has-moved"},
		{"rcpt", "", "Mailbox busy: held by another process", "system-error"},
		{"", "", "Too many invalid commands from you", "syntax"},
		{"rcpt", "", "Too many invalid recipients from you", "rate-limited"},
		{"dot", "", "The mailbox holds too many messages", "mailbox-full"},
		{"dot", "", "The size of the headers is over: message header size limit", "message-too-big"},
		{"dot", "", "The name of the file: attachment filename is too long", "content"},
		{"rcpt", "", "The user list is locked: database is locked for maintenance", "system-error"},
		{"dot", "", "Read error on the TCP socket: tcp read error", "network-error"},
		{"rcpt", "", "Error talking to the policy daemon", "system-error"},
		{"rcpt", "", "The sender is not in the address book of that user", "filtered"},
		{"hello", "", "Your HELO does not match your IP", "require-ptr"},
		{"rcpt", "", "Helo host blocked using dbl.example.org", "blocked"},
		{"dot", "", "It is a phishing mail that impersonates a bank", "spam"},
		{"dot", "", "It is from a host that impersonates a bank", "auth-failure"},

		// What is refused, looked at, over or broken is another thing each time.
		{"connect", "", "Connection refused: the load average is 30", "system-error"},
		{"rcpt", "", "The connection to MySQL: connection lost", "system-error"},
		{"rcpt", "", "Callback failed: the domain may be blacklisted", "rejected-sender"},
		{"dot", "4.2.0", "Transient failure of the mailbox rules", "system-error"},
		{"dot", "", "No Sender ID (PRA) found", "auth-failure"},
		{"connect", "", "IP blocked due to malicious traffic", "blocked"},
		{"rcpt", "", "The outgoing allowance of this month is used up", "other"},
		{"rcpt", "", "The domain has a null MX record", "not-accepting"},
		{"rcpt", "", "The mailbox is over its storage", "mailbox-full"},
		{"rcpt", "", "Invalid BATV tag", "rejected-sender"},
		{"rcpt", "", "Its owner has to delete some mail first", "other"},
		{"rcpt", "", "Send MAIL first", "syntax"},
		{"connect", "", "Too many unauthenticated clients", "too-many-connections"},
		{"dot", "", "Mail from our own domain has to come from inside", "rejected-sender"},
		{"rcpt", "", "badrcptto: it is on our blacklist", "blocked"},
		{"dot", "", "Refused by rspamd: the message is spam", "spam"},
		{"dot", "", "rspamd says: connection refused", "system-error"},
		{"rcpt", "", "The mailbox is being migrated", "system-error"},
		{"rcpt", "", "The mailbox was migrated to another firm", "has-moved"},
		{"dot", "", "A list loop: the X-Loop header is already present", "system-error"},
		{"dot", "", "Message refused after a hard bounce or a spam complaint", "blocked"},
		{"rcpt", "", "This mailbox does not accept replies", "not-accepting"},
		{"hello", "", "The HELO name does not agree with the name of your IP", "require-ptr"},
		{"dot", "", "[CS01] rejected for a listing in Spamhaus", "blocked"},
		{"connect", "", "Throttled: see https://ipcheck.proofpoint.com/?ip=192.0.2.1", "rate-limited"},
		{"rcpt", "", "Mailbox busy, come again", "system-error"},
		{"rcpt", "", "The mailbox was locked for abuse", "suspended"},
		{"dot", "4.6.0", "Conversion failed: an internal error", "system-error"},
		{"dot", "", "The domain does not allow mail from your address", "auth-failure"},
		{"rcpt", "", "The recipient's domain does not allow mail from your address", "other"},
		{"", "", "You were silent for too long", "network-error"},
		{"", "", "The message was in the queue for too long", "expired"},
		{"rcpt", "", "The mailbox is no longer active", "mailbox-disabled"},
		{"rcpt", "", "The domain is no longer active", "not-accepting"},
		{"rcpt", "", "Ms Jones no longer works here: she has left the company", "user-unknown"},
		{"dot", "", "Anhang nicht erlaubt", "content"},
		{"dot", "", "Der Anhang wurde nicht geprueft", "other"},

		// What is denied is not said.
		{"dot", "", "Refused by policy; this is not a spam decision", "policy"},
		{"dot", "", "No virus was found, but the attachment is not accepted", "content"},
		{"rcpt", "5.1.1", "No such user; your IP will be blocked after ten of them", "user-unknown"},
		{"rcpt", "", "An error of the greylisting daemon", "system-error"},
		{"rcpt", "", "The sender stands on the recipient's blocklist", "filtered"},

		// Of two things the one that is more exact, or graver.
		{"mail", "", "More than 50 mails per hour: account suspended", "suspended"},
		{"rcpt", "", "Could not complete the check: sender verify callout timed out", "rejected-sender"},
		{"rcpt", "", "This domain no longer accepts mail", "not-accepting"},
		{"connect", "", "192.0.2.1 blocked after too many attempts", "blocked"},

		// A limit of the policy is no policy, and what says nothing stays unexplained.
		{"dot", "", "Refused, over the policy limit", "other"},
		{"connect", "", "Come again, try another server", "other"},
		{"connect", "", "Try again later, closing connection", "other"},
		{"rcpt", "", "Mailbox unavailable (e.g., mailbox busy)", "user-unknown"},

		// Two things are said, of which neither is known to go first: neither is believed.
		{"dot", "", "Your domain is not allowed in header From: IP 192.0.2.1", "other"},
		{"rcpt", "", "The mailbox is locked by a POP3 client", "other"},
		{"rcpt", "", "No such user; keep sending and your IP gets blacklisted", "other"},
		{"dot", "", "It was classified as spam: mend your SPF and your reverse DNS", "other"},
		{"dot", "", "We do not reach the spam filter", "other"},
		{"rcpt", "", "Unknown domain or user", "other"},

		// Words before the reason, as a server puts them.
		{"rcpt", "", "Recipient address rejected: maintenance of our disks", "system-error"},
		{"rcpt", "", "Recipient address rejected: our office is closed", "other"},
		{"rcpt", "", "Client host rejected: this recipient is invalid", "user-unknown"},
		{"connect", "", "Client host rejected: we know you", "blocked"},
		{"connect", "", "Service not available, closing transmission channel: limit of 5 sessions", "too-many-connections"},
	}
	for _, tt := range tests {
		code := 550
		if tt.enhanced != "" && tt.enhanced[0] == '4' || tt.reason == "system-error" || tt.reason == "network-error" {
			code = 450
		}
		e := Reply(tt.phase, code, tt.enhanced, []string{tt.text})
		if e.Reason != tt.reason {
			t.Errorf("%s %d %s %q: reason %q, want %q (%s)", tt.phase, code, tt.enhanced, tt.text, e.Reason, tt.reason, e.Means)
		}
	}
}

// TestDecides: where words may say two things, the code tells which.
func TestDecides(t *testing.T) {
	tests := []struct{ enhanced, text, want string }{
		{"", "mail is suspended, no space left", "other"},
		{"5.3.1", "mail is suspended, no space left", "system-full"},
		{"", "the mailbox was deleted, there is no such user", "mailbox-disabled"},
		{"5.1.1", "the mailbox was deleted, there is no such user", "user-unknown"},
		{"5.1.1", "the mailbox is suspended, there is no such user", "suspended"},
		{"5.2.1", "the authentication failed", "security"},
		{"5.7.26", "the authentication failed", "auth-failure"},
	}
	for _, tt := range tests {
		if e := Reply("rcpt", 550, tt.enhanced, []string{tt.text}); e.Reason != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.enhanced, tt.text, e.Reason, tt.want)
		}
	}
}

// TestPhrases: what a rule or a class looks for is found where it stands alone.
func TestPhrases(t *testing.T) {
	for _, file := range allRules() {
		for line := range strings.Lines(file) {
			r, _ := parseRule(line)
			for _, phrase := range append(phrasesOf(r.words), phrasesOf(r.unless)...) {
				if !index(" " + phrase + " ").any(phrase) {
					t.Errorf("%q is not found in itself", phrase)
				}
				if len(phrase) > 2 && !index(" "+phrase+"s ").any(phrase+"*") {
					t.Errorf("%q is not found in what begins with it", phrase)
				}
			}
		}
	}
}
