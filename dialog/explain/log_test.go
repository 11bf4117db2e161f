package explain

import (
	"slices"
	"strings"
	"testing"
)

// TestFindInLogs: every refusal of a log is found, with a reply in it or without, in
// company and alone.
func TestFindInLogs(t *testing.T) {
	postfix := func(rest string) string {
		return "Nov 22 01:00:00 mx postfix/smtp[12]: A1: to=<bob@example.net>, relay=none, delay=30, " + rest
	}
	tests := []struct{ line, want, reason string }{
		{postfix("dsn=4.7.28, status=deferred (host mx1[192.0.2.1] said: 421-4.7.28 unusual rate of mail from you 421 4.7.28 see our page (in reply to end of DATA command))"),
			"dot 421 4.7.28 bob@example.net: 4.7.28 unusual rate of mail from you 421 4.7.28 see our page", "rate-limited"},
		{postfix("dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=nowhere.test type=AAAA: Host not found)"),
			"- 0 5.4.4 bob@example.net: Host or domain name not found. Name service error for name=nowhere.test type=AAAA: Host not found", "host-unknown"},
		{postfix("dsn=4.4.1, status=deferred (connect to mx1.example.net[192.0.2.1]:25: Connection timed out)"),
			"- 0 4.4.1 bob@example.net: connect to mx1.example.net[192.0.2.1]:25: Connection timed out", "network-error"},
		{postfix("dsn=4.4.2, status=deferred (lost connection with mx1.example.net[192.0.2.1] while sending RCPT TO)"),
			"rcpt 0 4.4.2 bob@example.net: lost connection with mx1.example.net[192.0.2.1] while sending RCPT TO", "network-error"},
		{postfix("dsn=4.4.2, status=deferred (conversation with mx1.example.net[192.0.2.1] timed out while receiving the initial server greeting)"),
			"connect 0 4.4.2 bob@example.net: conversation with mx1.example.net[192.0.2.1] timed out while receiving the initial server greeting", "network-error"},
		{postfix("status=bounced (unknown user: \"bob\")"), "- 0 - bob@example.net: unknown user: \"bob\"", "user-unknown"},
		{"Nov 22 01:00:00 mx postfix/qmgr[12]: A1: from=<me@example.com>, status=expired, returned to sender", "- 0 - -: expired, returned to sender", ""},
		{"Nov 22 01:00:00 mx sendmail[12]: xAM1: to=<bob@example.net>, delay=00:00:01, mailer=esmtp, dsn=5.1.2, stat=Host unknown (Name server: nowhere.test: host not found)",
			"- 0 5.1.2 bob@example.net: Host unknown (Name server: nowhere.test: host not found)", "host-unknown"},
		{"2026-11-22 01:00:00 1tDxyz-000000001Ab-0cde ** bob@example.net R=dnslookup T=remote_smtp H=mx1 [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<bob@example.net>: 550 No such user",
			"rcpt 550 - bob@example.net: No such user", "user-unknown"},
		{"2026-11-22 01:00:00 1tDxyz-000000001Ab-0cde ** bob@example.net: Unrouteable address", "- 0 - bob@example.net: Unrouteable address", ""},
		{"2026-11-22 01:00:00 1tDxyz-0001Ab-2c == bob@example.net R=dnslookup T=remote_smtp defer (110): Connection timed out", "- 0 - bob@example.net: Connection timed out", "network-error"},
		{"== bob@example.net R=dnslookup T=remote_smtp defer (111): Connection refused", "- 0 - bob@example.net: Connection refused", "network-error"},
		{"2026-11-22 01:00:00 1tDxyz-0001Ab-2c == bob@example.net R=dnslookup T=remote_smtp defer (-46) H=mx1 [192.0.2.1]: SMTP timeout after end of data",
			"dot 0 - bob@example.net: SMTP timeout after end of data", ""},
		{"@4000 delivery 12: deferral: 192.0.2.1_does_not_like_recipient./Remote_host_said:_450_4.2.1_busy/Giving_up_on_192.0.2.1./",
			"rcpt 450 4.2.1 -: 4.2.1 busy Giving up on 192.0.2.1.", ""},
		{"@4000 delivery 13: failure: Sorry,_I_couldn't_find_any_host_named_nowhere.test._(#5.1.2)/",
			"- 0 5.1.2 -: Sorry, I couldn't find any host named nowhere.test. (#5.1.2)", "host-unknown"},
	}
	var log []string
	for _, tt := range tests {
		log = append(log, tt.line)
		if got := summaries(tt.line); len(got) != 1 || got[0] != "1 "+tt.want {
			t.Errorf("%s\ngot  %q\nwant %q", tt.line, got, "1 "+tt.want)
			continue
		}
		if f := Find(tt.line)[0]; !f.Negative() || tt.reason != "" && f.Explain().Reason != tt.reason {
			t.Errorf("%s: negative %v, %+v", tt.line, f.Negative(), f.Explain())
		}
	}
	if got := summaries(strings.Join(log, "\n")); len(got) != len(tests) {
		t.Errorf("%d of %d found in one log:\n%s", len(got), len(tests), strings.Join(got, "\n"))
	}
	for line, means := range map[string]string{log[2]: "refused for now: ", log[10]: "refused for now: ", log[1]: "refused for good: ", log[9]: "refused for good: "} {
		if e := Find(line)[0].Explain(); !strings.HasPrefix(e.Means, means) || e.Retry != (means == "refused for now: ") {
			t.Errorf("%s: %+v", line, e)
		}
	}
}

// TestFindNotInProse: what looks like a line of a log, or like a folded reply, and is none.
func TestFindNotInProse(t *testing.T) {
	for _, text := range []string{
		"postfix/smtp[12]: A1: to=<bob@example.net>, relay=mx1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)",
		"the ticket is status=deferred (waiting for review)", "a job ended with status=bounced (see above), to=<bob@example.net>",
		"from here on: status=expired, returned", "a letter says to=<bob@example.net>, status=deferred",
		"2026-11-22 01:00:00 1tDxyz-0001Ab-2c == bob@example.net R=dnslookup T=remote_smtp defer (-53): retry time not reached for any host",
		"2026-11-22 01:00:00 1tDxyz-0001Ab-2c => bob@example.net R=dnslookup T=remote_smtp H=mx1 [192.0.2.1] C=\"250 OK\"",
		"** bob@example.net: please call back", "== bob@example.net: see below", "2026-11-22 == bob@example.net: was here", "** NOTE: the 550 guests",
		"delivery 12: failure is no option", "delivery 12: success: 192.0.2.1_accepted_message./",
		"xAM1: to=<bob@example.net>, dsn=2.0.0, stat=Sent (ok)", "dsn=5.1.1, see there",
		"<bob@example.net>: hello,\n    550 guests came", "He said: look,\n    450 of them",
	} {
		if got := summaries(text); got != nil {
			t.Errorf("%s\nfound %q", text, got)
		}
	}
}

// TestFindFolded: a reply that a bounce folds is one reply.
func TestFindFolded(t *testing.T) {
	tests := []struct{ text, want string }{
		{"<bob@example.net>: host mx1[192.0.2.1] said: 552 5.2.2 Mailbox full (in\n    reply to RCPT TO command)\n", "1 rcpt 552 5.2.2 bob@example.net: 5.2.2 Mailbox full"},
		{"<bob@example.net>: host\n    mx1.a-rather-long-name.example.net[192.0.2.1] said: 550-5.1.1 no\n    550 5.1.1 such user (in reply to RCPT TO command)\n",
			"1 rcpt 550 5.1.1 bob@example.net: 5.1.1 no 550 5.1.1 such user"},
		{"Diagnostic-Code: smtp; 552 5.2.2 Mailbox\n\tis\n full\n\n", "1 - 552 5.2.2 -: 5.2.2 Mailbox is full"},
		{"Remote host said: 552 5.2.2 Mailbox\n    full\n", "1 - 552 5.2.2 -: 5.2.2 Mailbox full"},
		{"Final-Recipient: rfc822; bob@example.net\nStatus: 5.4.4\nDiagnostic-Code: X-Postfix; Host or domain name not\n    found\n\n", "2 - 0 5.4.4 bob@example.net: Host or domain name not found"},
	}
	for _, tt := range tests {
		if got := summaries(tt.text); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%q\ngot  %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

// TestFindColoured: the transcript of a coloured run says what it says without colours.
func TestFindColoured(t *testing.T) {
	bare := "● connect   192.0.2.17:25   0.2 ms\n  ←   220 mx1 ESMTP   +0.1 ms\n  ⇒   RCPT TO:<bob@example.net>\n  ⇐   550 5.1.1 no such user   +0.1 ms\n" +
		"✗ refused  for good at RCPT, with 550 5.1.1   exit 1 · 12 ms\n"
	coloured := "\x1b[1m●\x1b[0m \x1b[1mconnect\x1b[0m   192.0.2.17:25   \x1b[2m0.2 ms\x1b[0m\n  \x1b[32m←\x1b[0m   \x1b[32m220\x1b[0m mx1 ESMTP   \x1b[2m+0.1 ms\x1b[0m\n" +
		"  \x1b[2m⇒\x1b[0m   \x1b[2mRCPT TO:<bob@example.net>\x1b[0m\n  \x1b[1;31m⇐\x1b[0m   \x1b[1;31m550 5.1.1 \x1b[0mno such user   \x1b[2m+0.1 ms\x1b[0m\n" +
		"\x1b[1;31m✗\x1b[0m \x1b[1mrefused\x1b[0m  for good at RCPT, with 550 5.1.1   \x1b[2mexit 1 · 12 ms\x1b[0m\n"
	if got, want := summaries(coloured), summaries(bare); len(want) != 2 || !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, text := range []string{"\x1b", "\x1b[", "\x1b[1", "\x1b[2J550", "\x1b[\x1b[1m"} {
		if got := withoutColour(text); strings.Contains(got, "[1m") || !strings.HasPrefix(got, "\x1b") {
			t.Errorf("%q became %q", text, got)
		}
	}
}
