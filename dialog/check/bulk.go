package check

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check/dmarc"
	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func bulkChecks() []Check {
	row := func(id, who, ref string, rules func() []rule) Check {
		return Check{ID: id, Group: Message, Topic: "bulk", About: "the message meets what " + who + " demands of bulk mail", Ref: ref, Needs: []Need{NeedMessage},
			Gives: []Verdict{Pass, Info, Fail, Error},
			Run:   func(ctx context.Context, s *Subject) []Result { return one(rollUp(ctx, s, rules())) }}
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
type state uint8

const (
	met      state = iota
	notMet         // and mail is refused for it
	notBulk        // not met, and only bulk mail has to
	untried        // it needs --ip
	notKnown       // it was tried without an answer
	unseen         // nobody can see it from outside
)

// String is the state for people.
func (s state) String() string {
	return [...]string{"met", "not met", "not met", "not tested", "not known", "not tested"}[s]
}

// The rules that several receivers have.
const (
	ruleSPF    = "SPF is set up and passes"
	ruleDKIM   = "DKIM is set up and passes"
	ruleDMARC  = "a DMARC record is published, p=none at least"
	ruleAlign  = "From is aligned with the domain of SPF or DKIM"
	ruleDNS    = "the sending address has a name that leads back to it"
	ruleFormat = "the message is formed as RFC 5322 has it"
	ruleClick  = "one click unsubscribes (RFC 8058), in marketing mail"
	ruleSpam   = "less than 0.3 % of the mail is reported as spam"
	ruleOptIn  = "only who asked for the mail gets it"
)

func gmailRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleAlign, alignMet},
		{ruleDNS, by("send-fcrdns")}, {"the message is sent under TLS", nobody}, {ruleFormat, by("msg-headers", "msg-lines")},
		{ruleClick, clickMet}, {ruleSpam, nobody},
	}
}

func yahooRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleAlign, alignMet},
		{ruleDNS, by("send-fcrdns")}, {ruleFormat, by("msg-headers", "msg-lines")}, {ruleClick, clickMet},
		{"who unsubscribes gets nothing after two days", nobody}, {ruleSpam, nobody},
	}
}

func outlookRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet}, {ruleAlign, alignMet},
		{"there is a way to unsubscribe", offerMet}, {"From and Reply-To are addresses that take mail", nobody},
		{"addresses that do not take mail are taken off the list", nobody},
	}
}

func appleRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, by("msg-dkim")}, {ruleDMARC, dmarcMet},
		{"the message does not fail a DMARC policy that is enforced", enforcedMet}, {ruleDNS, by("send-fcrdns")},
		{ruleFormat, by("msg-headers", "msg-lines")}, {"there is a way to unsubscribe", offerMet}, {ruleOptIn, nobody},
		{"replies with errors are acted on", nobody},
	}
}

// rollUp judges the rules: each is a line of the evidence. It passes only if every rule
// that can be seen is met.
func rollUp(ctx context.Context, s *Subject, rules []rule) Result {
	counted, texts := map[string]int{}, map[state][]string{}
	var lines []string
	for _, rule := range rules {
		state := rule.met(ctx, s)
		counted[state.String()]++
		texts[state] = append(texts[state], rule.text)
		line := state.String() + ": " + rule.text
		if state == untried {
			line += " (needs --ip)"
		}
		lines = append(lines, line)
	}
	summary := strconv.Itoa(counted["met"]) + " of " + transcript.Count(len(rules), "rule") + " met"
	for _, word := range []string{"not met", "not known", "not tested"} {
		if counted[word] > 0 {
			summary += ", " + strconv.Itoa(counted[word]) + " " + word
		}
	}
	list := func(of state) string { return strings.Join(texts[of], "; ") }
	switch {
	case len(texts[notMet]) > 0:
		return Failed("%s", summary).With(lines...).Meaning("not met: %s", strings.Join(append(texts[notMet], texts[notBulk]...), "; ")).
			Fixed("look at the check of each: ehlo check DOMAIN --message FILE --ip ADDR -v")
	case len(texts[notKnown]) > 0:
		return Untested("%s", summary).With(lines...).Meaning("not known: %s", list(notKnown)).Fixed("try again later")
	case len(texts[untried]) > 0:
		return Noted("%s", summary).With(lines...).Meaning("not tested: %s", list(untried)).
			Fixed("name the address that it is sent from with --ip")
	case len(texts[notBulk]) > 0:
		return Noted("%s", summary).With(lines...).Meaning("not met: %s", list(notBulk))
	}
	return Passed("%s", summary).With(lines...)
}

// nobody is of a rule that cannot be seen from outside.
func nobody(context.Context, *Subject) state { return unseen }

// by is met if none of these checks fails, and not tried if none of them was.
func by(ids ...string) func(context.Context, *Subject) state {
	return func(ctx context.Context, s *Subject) state {
		found := untried
		for _, c := range messageAndSending() {
			if !slices.Contains(ids, c.ID) {
				continue
			}
			switch outcome(c, run(ctx, s, c)).Verdict {
			case Fail:
				return notMet
			case Error:
				found = notKnown
			case Pass, Info, Warn:
				if found == untried {
					found = met
				}
			}
		}
		return found
	}
}

// messageAndSending are the checks that rules rest on.
func messageAndSending() []Check { return slices.Concat(messageChecks(), sendChecks()) }

// spfMet is of the message, if it is known where it comes from.
func spfMet(ctx context.Context, s *Subject) state {
	found, err := s.verified(ctx)
	switch {
	case err != nil:
		return notKnown
	case !s.IP.IsValid():
		return untried
	}
	switch s.spf(ctx, found).Outcome {
	case spf.Pass:
		return met
	case spf.TempError:
		return notKnown
	}
	return notMet
}

// dmarcMet asks for the record of the author's domain.
func dmarcMet(ctx context.Context, s *Subject) state {
	found, err := s.verified(ctx)
	if err != nil {
		return notKnown
	}
	switch d := s.authentic(ctx, found).Discovery; {
	case d.Err != nil:
		return notKnown
	case !d.Applies():
		return notMet
	}
	return met
}

// alignMet looks for a pass that is aligned, whether a DMARC record applies or not.
func alignMet(ctx context.Context, s *Subject) state {
	found, err := s.verified(ctx)
	if err != nil {
		return notKnown
	}
	v := s.authentic(ctx, found)
	switch {
	case slices.ContainsFunc(v.Identifiers, func(id dmarc.Identifier) bool { return id.Aligned && id.Result == string(dmarc.Pass) }):
		return met
	case v.Discovery.Err != nil, v.Result == dmarc.TempError, slices.ContainsFunc(v.Identifiers, unanswered):
		return notKnown
	case !s.IP.IsValid() && v.Discovery.Domain != "":
		return untried
	}
	return notMet
}

// unanswered reports whether a result may be a pass that the DNS hid.
func unanswered(id dmarc.Identifier) bool { return id.Result == string(dmarc.TempError) }

// enforcedMet is met but where DMARC asks receivers not to deliver the message.
func enforcedMet(ctx context.Context, s *Subject) state {
	found, err := s.verified(ctx)
	if err != nil {
		return notKnown
	}
	switch v := s.authentic(ctx, found); {
	case v.Result == dmarc.TempError:
		return notKnown
	case v.Result != dmarc.Fail || v.Discovery.Requested == dmarc.None:
		return met
	case !s.IP.IsValid():
		return untried
	}
	return notMet
}

// clickMet is asked of marketing mail alone, which nothing tells from other mail; what
// is wrong with a field that is there msg-unsub says.
func clickMet(ctx context.Context, s *Subject) state {
	switch msgUnsub(ctx, s)[0].Verdict {
	case Pass:
		return met
	case Error:
		return notKnown
	}
	return notBulk
}

// offerMet reports what can be seen of the header: a link in the body may do as well.
func offerMet(_ context.Context, s *Subject) state {
	parts, err := s.structure()
	if err != nil {
		return notKnown
	}
	if list, _ := field(parts, "List-Unsubscribe"); len(uris(list)) > 0 {
		return met
	}
	return unseen
}
