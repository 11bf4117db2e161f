package explain

import "testing"

// TestRules holds every rule to wordings that servers really use, and to ones that it must not take.
func TestRules(t *testing.T) {
	tests := []struct {
		phase    string
		code     int
		enhanced string
		text     []string
		reason   string
	}{
		{"rcpt", 450, "4.2.0", []string{"4.2.0 <bob@example.net>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.net.html"}, "greylisted"},
		{"rcpt", 451, "4.7.1", []string{"4.7.1 Greylisting in action, please come back in 00:04:59"}, "greylisted"},
		{"dot", 451, "", []string{"You are being gray", "listed"}, "greylisted"},
		{"rcpt", 451, "4.7.1", []string{"4.7.1 You are being grey", "4.7.1 listed"}, "greylisted"},
		{"rcpt", 451, "", []string{"the sky is grey, listen"}, "other"},
		{"rcpt", 550, "5.7.1", []string{"5.7.1 no greylisting here"}, "policy"},

		{"rcpt", 554, "5.7.1", []string{"5.7.1 <bob@example.net>: Relay access denied"}, "no-relaying"},
		{"rcpt", 550, "5.7.1", []string{"5.7.1 Unable to relay"}, "no-relaying"},
		{"rcpt", 550, "", []string{"relay not permitted"}, "no-relaying"},
		{"rcpt", 550, "5.7.1", []string{"5.7.1 <bob@example.net>... Relaying denied. Proper authentication required."}, "no-relaying"},

		{"rcpt", 450, "4.7.25", []string{"4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"}, "require-ptr"},
		{"connect", 554, "", []string{"no PTR record for 192.0.2.1"}, "require-ptr"},

		{"rcpt", 504, "5.5.2", []string{"5.5.2 <laptop>: Helo command rejected: need fully-qualified hostname"}, "policy"},

		{"mail", 530, "5.7.0", []string{"5.7.0 Must issue a STARTTLS command first"}, "security"},
		{"mail", 530, "5.7.0", []string{"5.7.0 Authentication Required."}, "security"},
		{"dot", 550, "5.7.26", []string{"5.7.26 Sender authentication required"}, "auth-failure"},
		{"rcpt", 550, "5.7.30", []string{"5.7.30 REQUIRETLS: verified TLS required"}, "security"},

		{"rcpt", 554, "5.7.1", []string{"5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.org"}, "blocked"},
		{"rcpt", 554, "5.7.1", []string{"5.7.1 Service unavailable; Sender address [a@example.com] blocked using dbl.example.org"}, "policy"},

		{"connect", 421, "4.7.0", []string{"4.7.0 mx.example.net Error: too many connections from 192.0.2.1"}, "too-many-connections"},
		{"connect", 421, "4.7.0", []string{"4.7.0 mx.example.net Error: connection rate limit exceeded"}, "too-many-connections"},
		{"mail", 450, "4.7.1", []string{"4.7.1 Error: message rate limit exceeded"}, "rate-limited"},
		{"dot", 421, "4.7.28", []string{"4.7.28 your messages are throttled"}, "rate-limited"},

		{"rcpt", 450, "4.1.8", []string{"4.1.8 <a@nowhere.test>: Sender address rejected: Domain not found"}, "rejected-sender"},

		{"rcpt", 550, "", []string{"No such user here"}, "user-unknown"},
		{"rcpt", 550, "5.1.0", []string{"5.1.0 <c@example.net>: Recipient address rejected: User unknown", "5.1.0 in virtual mailbox table"}, "user-unknown"},
		{"rcpt", 550, "", []string{"<a@example.com>: Sender address rejected: undeliverable address: User unknown"}, "other"},
		{"mail", 550, "", []string{"User unknown"}, "rejected-sender"},

		{"rcpt", 452, "", []string{"mailbox is full"}, "mailbox-full"},
		{"dot", 554, "", []string{"mailbox full"}, "mailbox-full"},

		{"dot", 550, "5.7.1", []string{"5.7.1 rejected by the DMARC policy of example.com"}, "auth-failure"},

		{"dot", 554, "5.7.1", []string{"5.7.1 virus found: Eicar"}, "virus"},
		{"dot", 451, "4.7.1", []string{"4.7.1 antivirus not available"}, "policy"},
		{"dot", 550, "", []string{"This message is considered", "spam"}, "spam"},
		{"dot", 550, "", []string{"complain to antispam@example.net"}, "other"},
	}
	for _, tt := range tests {
		e := Reply(tt.phase, tt.code, tt.enhanced, tt.text)
		if e.Reason != tt.reason {
			t.Errorf("%s %d %s %q: reason %q, want %q (%s)", tt.phase, tt.code, tt.enhanced, tt.text, e.Reason, tt.reason, e.Means)
		}
	}
}
