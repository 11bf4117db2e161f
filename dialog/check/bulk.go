package check

import (
	"context"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check/spf"
)

func bulkChecks() []Check {
	row := func(id, who, ref string, rules func() []rule) Check {
		return Check{ID: id, Group: Message, Topic: "bulk", About: "the message meets what " + who + " demands of bulk mail", Ref: ref, Needs: []Need{NeedMessage},
			Run: func(ctx context.Context, s *Subject) []Result { return one(rollUp(ctx, s, rules())) }}
	}
	return []Check{
		row("bulk-gmail", "Gmail", "https://support.google.com/a/answer/81126", gmailRules),
		row("bulk-yahoo", "Yahoo", "https://senders.yahooinc.com/best-practices/", yahooRules),
		row("bulk-outlook", "Outlook.com", "https://sendersupport.olc.protection.outlook.com/pm/policies.aspx", outlookRules),
		row("bulk-apple", "iCloud Mail", "https://support.apple.com/en-us/102322", appleRules),
	}
}

// rule is one that a receiver has published for bulk mail.
type rule struct {
	text string
	met  func(context.Context, *Subject) state
}

// state is what a rule comes to.
type state string

const (
	met    state = "met"
	notMet state = "not met"
	unseen state = "not tested"
)

// The rules that several receivers have.
const (
	ruleSPF    = "SPF is set up and passes"
	ruleDKIM   = "DKIM is set up and passes"
	ruleDMARC  = "a DMARC record is published, p=none at least"
	ruleAlign  = "From is aligned with the domain of SPF or DKIM"
	ruleDNS    = "the sending address has a name that leads back to it"
	ruleFormat = "the message is formed as RFC 5322 has it"
	ruleClick  = "one click unsubscribes (RFC 8058)"
	ruleSpam   = "less than 0.3 % of the mail is reported as spam"
	ruleOptIn  = "only who asked for the mail gets it"
)

func gmailRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleAlign, by("msg-dmarc")},
		{ruleDNS, by("send-fcrdns")}, {"the message is sent under TLS", nobody}, {ruleFormat, by("msg-headers", "msg-lines")},
		{ruleClick, clickMet}, {ruleSpam, nobody},
	}
}

func yahooRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleAlign, by("msg-dmarc")},
		{ruleDNS, by("send-fcrdns")}, {ruleFormat, by("msg-headers", "msg-lines")}, {ruleClick, clickMet},
		{"who unsubscribes gets nothing after two days", nobody}, {ruleSpam, nobody},
	}
}

func outlookRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleAlign, by("msg-dmarc")},
		{"there is a way to unsubscribe", offerMet}, {"From and Reply-To are addresses that take mail", nobody},
		{"addresses that do not take mail are taken off the list", nobody},
	}
}

func appleRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleDNS, by("send-fcrdns")},
		{ruleFormat, by("msg-headers", "msg-lines")}, {"there is a way to unsubscribe", offerMet}, {ruleOptIn, nobody},
		{"replies with errors are acted on", nobody},
	}
}

// rollUp judges the rules: each is a line of the evidence.
func rollUp(ctx context.Context, s *Subject, rules []rule) Result {
	counted := map[state]int{}
	var lines, broken []string
	for _, rule := range rules {
		state := rule.met(ctx, s)
		counted[state]++
		lines = append(lines, string(state)+": "+rule.text)
		if state == notMet {
			broken = append(broken, rule.text)
		}
	}
	summary := decimal(counted[met]) + " of " + count(len(rules), "rule") + " met"
	for _, state := range []state{notMet, unseen} {
		if counted[state] > 0 {
			summary += ", " + decimal(counted[state]) + " " + string(state)
		}
	}
	switch {
	case len(broken) > 0:
		return Failed("%s", summary).With(lines...).Meaning("not met: %s", strings.Join(broken, "; ")).
			Fixed("look at the check of each: ehlo check DOMAIN --message FILE --ip ADDR -v")
	case counted[met] == 0:
		return Untested("%s", summary).With(lines...)
	}
	return Passed("%s", summary).With(lines...)
}

// nobody is of a rule that cannot be seen from outside.
func nobody(context.Context, *Subject) state { return unseen }

// by is met if none of these checks fails, and not tested if none of them was.
func by(ids ...string) func(context.Context, *Subject) state {
	return func(ctx context.Context, s *Subject) state {
		worst := unseen
		for _, c := range messageAndSending() {
			if !slices.Contains(ids, c.ID) {
				continue
			}
			switch outcome(c, run(ctx, s, c)).Verdict {
			case Fail:
				return notMet
			case Pass, Info, Warn:
				worst = met
			}
		}
		return worst
	}
}

// messageAndSending are the checks that rules rest on.
func messageAndSending() []Check { return slices.Concat(messageChecks(), sendChecks()) }

// spfMet is of the message, if it is known where it comes from.
func spfMet(ctx context.Context, s *Subject) state {
	found, err := s.verified(ctx)
	if err != nil || !s.IP.IsValid() {
		return unseen
	}
	switch s.spf(ctx, found).Outcome {
	case spf.Pass:
		return met
	case spf.TempError:
		return unseen
	}
	return notMet
}

// dmarcMet asks for the record of the author's domain.
func dmarcMet(ctx context.Context, s *Subject) state {
	found, err := s.verified(ctx)
	if err != nil {
		return unseen
	}
	switch d := s.authentic(ctx, found).Discovery; {
	case d.Err != nil || d.Domain == "":
		return unseen
	case !d.Applies():
		return notMet
	}
	return met
}

func clickMet(ctx context.Context, s *Subject) state {
	switch msgUnsub(ctx, s)[0].Verdict {
	case Pass:
		return met
	case Error:
		return unseen
	}
	return notMet
}

// offerMet reports what can be seen of the header: a link in the body may do as well.
func offerMet(_ context.Context, s *Subject) state {
	parts, err := s.structure()
	if err != nil {
		return unseen
	}
	if list, _ := field(parts, "List-Unsubscribe"); len(uris(list)) > 0 {
		return met
	}
	return unseen
}
