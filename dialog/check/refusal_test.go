package check

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog"
)

// said is a reply of one line.
func said(text string) *dialog.Reply {
	r := &dialog.Reply{Raw: []byte(text + "\r\n")}
	var e dialog.EnhancedCode
	if n, _ := fmt.Sscanf(text, "%d %d.%d.%d", &r.Code, &e.Class, &e.Subject, &e.Detail); n == 4 {
		r.Enhanced = e
	}
	return r
}

// A refusal of who asks, or of the moment, is no answer about a recipient or a name.
func TestAside(t *testing.T) {
	rcpt, ask := dialog.PhaseRcpt, dialog.PhaseAsk
	for _, test := range []struct {
		phase dialog.Phase
		reply string
		want  bool
	}{
		// Who asks.
		{rcpt, "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org", true},
		{rcpt, "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", true},
		{rcpt, "550 5.7.1 Your IP has bad reputation", true},
		{rcpt, "550 5.7.25 Client host rejected: cannot find your reverse hostname", true},
		{rcpt, "550 5.7.1 <>: Sender address rejected: Access denied", true},
		{rcpt, "550 5.7.1 Bounces are not accepted here", true},
		{rcpt, "550 5.7.23 SPF validation failed", true},
		{rcpt, "550 5.7.1 spam policy", true},
		{rcpt, "550 5.7.1 no-such-user-0123456789abcdef@good.test: spam policy", true},
		{rcpt, "554 5.7.1 Rejected due to local policy", true},
		{rcpt, "554 5.7.1 too many bad recipients", true},
		{rcpt, "550 5.7.1 virus found", true},
		{rcpt, "554 5.3.0 internal error", true},
		{rcpt, "530 5.7.0 Must issue a STARTTLS command first", true},
		// By its HELO.
		{rcpt, "504 Helo command rejected", true},
		{rcpt, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", true},
		{rcpt, "550 5.7.1 <client.test>: Helo command rejected: You are not me", true},
		{rcpt, "501 5.5.4 Syntactically invalid HELO argument(s)", true},
		{ask, "550 5.7.1 <client.test>: Helo command rejected: You are not me", true},
		// The command, not the recipient.
		{rcpt, "503 5.5.1 bad sequence of commands", true},
		{rcpt, "502 5.5.1 not implemented", true},
		// The moment.
		{rcpt, "451 4.3.0 try again later", true},
		{rcpt, "450 4.2.0 <a@good.test>: Recipient address rejected: Greylisted", true},
		{rcpt, "450 4.1.1 <a@good.test>: User unknown", true},
		{ask, "452 4.3.1 no room", true},

		// The recipient.
		{rcpt, "550 5.1.1 <a@good.test> no such user here", false},
		{rcpt, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", false},
		{rcpt, "554 5.7.1 <relay-test@example.org>: Recipient address rejected: Access denied", false},
		{rcpt, "550 5.7.1 recipient rejected by policy", false},
		{rcpt, "550 5.2.1 This account is suspended", false},
		{rcpt, "552 5.2.2 mailbox full", false},
		{rcpt, "501 5.1.3 Bad recipient address syntax", false},
		{rcpt, `501 <"relay-test@example.org"@good.test>: syntax error`, false},
		{rcpt, "550 source routing not allowed", false},
		{rcpt, "551 5.1.6 User not local; please try <x@good.test>", false},
		{rcpt, "550 5.1.2 unknown domain", false},
		{rcpt, "556 5.1.10 recipient domain does not accept mail", false},
		// Relaying.
		{rcpt, "554 5.7.1 <relay-test@example.org>: Relay access denied", false},
		{rcpt, "454 4.7.1 <relay-test@example.org>: Relay access denied", false}, // Postfix: defer_unauth_destination
		{rcpt, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", false},
		{rcpt, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", false},
		{rcpt, "530 5.7.0 Authentication required", false},
		{rcpt, "550 5.7.1 <a@mx.helo.test>: Relay access denied", false},
		// Nothing in particular.
		{rcpt, "550 no", false},
		{rcpt, "550 5.7.1 Access denied", false},
		// What is not told to strangers.
		{ask, "502 5.5.1 VRFY command is disabled", false},
		{ask, "550 5.7.1 VRFY is against our policy", false},
		{ask, "550 5.1.1 no such user", false},
		// No refusal.
		{rcpt, "250 2.1.5 Ok, blocked using nothing", false},
		{ask, "252 2.0.0 cannot VRFY", false},
	} {
		why, got := aside(test.phase, said(test.reply))
		if got != test.want || got && why == "" {
			t.Errorf("%s: %s: %t, not %t (%s)", test.phase, test.reply, got, test.want, why)
		}
	}
	if _, is := aside(rcpt, nil); is {
		t.Error("no reply is taken for a refusal")
	}
}

// relay-open: one form that is relayed outweighs what could not be tried, and that outweighs
// what was refused rightly.
func TestRelayedVerdict(t *testing.T) {
	const refused, blocked, taken = "550 5.7.1 relaying denied", "550 5.7.1 client blocked using zen.spamhaus.org", "250 2.1.5 Ok"
	for _, test := range []struct {
		name    string
		control string
		replies [6]string // to the forms; the last four are local ones
		want    Verdict
	}{
		{"all refused", "550 5.1.1 no such user", [6]string{refused, refused, refused, refused, refused, refused}, Pass},
		{"all put off", "451 4.3.0 later", [6]string{"451 4.3.0 later", "451 4.3.0 later", "451 4.3.0 later", "451 4.3.0 later", "451 4.3.0 later", "451 4.3.0 later"}, Error},
		{"a blocked client", blocked, [6]string{blocked, blocked, blocked, blocked, blocked, blocked}, Error},
		{"one put off", "550 5.1.1 no such user", [6]string{"450 4.7.1 greylisted", refused, refused, refused, refused, refused}, Error},
		{"one blocked, one relayed", blocked, [6]string{blocked, taken, refused, refused, refused, refused}, Fail},
		{"one blocked, one perhaps relayed", "550 5.1.1 no such user", [6]string{blocked, refused, taken, refused, refused, refused}, Error},
		{"perhaps relayed", "550 5.1.1 no such user", [6]string{refused, refused, taken, refused, refused, refused}, Warn},
		{"every name taken", taken, [6]string{refused, refused, taken, taken, taken, taken}, Pass},
		{"perhaps every name taken", "450 4.7.1 greylisted", [6]string{refused, refused, taken, taken, taken, taken}, Error},
		{"all put off as Postfix does", "550 5.1.1 no such user", [6]string{"454 4.7.1 Relay access denied", "454 4.7.1 Relay access denied", refused, refused, refused, refused}, Pass},
	} {
		r := &relayed{control: said(test.control)}
		for i, form := range relayForms("good.test", netip.MustParseAddr("192.0.2.1")) {
			r.answered(form, said(test.replies[i]))
		}
		if got := r.verdict(); got.Verdict != test.want || len(got.Evidence) != 6 {
			t.Errorf("%s: %s, not %s: %s", test.name, got.Verdict, test.want, got.Summary)
		}
	}
}

// What --active asks of mailboxes is answered by nobody who refuses the client.
func TestAskedAside(t *testing.T) {
	for _, reply := range []string{
		"550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org", "550 5.7.1 spam policy",
		"504 Helo command rejected", "451 4.3.0 later",
	} {
		r := said(reply)
		a := &inquiry{mail: said("250 2.1.0 Ok"), vrfy: [2]*dialog.Reply{r, r}, expn: r, post: r, abuse: r, madeUp: r, nobody: "no-such-user-1"}
		for name, judge := range map[string]func(*inquiry) Result{"postmaster": postmaster, "abuse": abuse, "catch-all": catchAll} {
			if got := judge(a); got.Verdict != Error || !strings.Contains(got.Summary, r.Codes()) {
				t.Errorf("%s after %s: %s: %s", name, reply, got.Verdict, got.Summary)
			}
		}
	}
	blocked, later := said("550 5.7.1 client blocked using zen.spamhaus.org"), said("451 4.3.0 later")
	yes, no, none := said("250 2.1.5 a@good.test"), said("550 5.1.1 no such user"), said("252 2.0.0 cannot VRFY")
	for _, test := range []struct {
		post, nobody, expn *dialog.Reply
		want               Verdict
	}{
		{none, none, said("502 5.5.1 no EXPN"), Pass}, {blocked, blocked, blocked, Error}, {later, later, later, Error},
		{yes, no, none, Warn}, {yes, later, none, Error}, {later, no, none, Warn}, {later, later, no, Warn}, {none, none, later, Error},
	} {
		if got := disclosure(&inquiry{vrfy: [2]*dialog.Reply{test.post, test.nobody}, expn: test.expn}); got.Verdict != test.want {
			t.Errorf("VRFY %s, %s, EXPN %s: %s, not %s: %s", test.post, test.nobody, test.expn, got.Verdict, test.want, got.Summary)
		}
	}
}
