package check

import (
	"context"
	"slices"
	"strconv"
	"strings"

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
	met  func(context.Context, *Subject) ruling
}

// ruling is what a rule comes to.
type ruling struct {
	state
	note string // what it rests on or lacks, in a few words
	fix  string // what to do, where the checks do not say it
}

// state is what a rule comes to, in short.
type state uint8

const (
	met      state = iota
	notMet         // and mail is refused for it
	notBulk        // not met, and only bulk mail has to
	untried        // it needs a flag
	disputed       // receivers differ
	notKnown       // it was tried without an answer
	unseen         // nobody can see it from outside
)

// String is the state for people.
func (s state) String() string {
	return [...]string{"met", "not met", "not met", "not tested", "not tested", "not known", "not tested"}[s]
}

// is is a ruling of which there is nothing more to say.
func is(s state) ruling { return ruling{state: s} }

// needs is of a rule that was not tried without a flag.
func needs(flag string) ruling {
	r := ruling{state: untried, note: "needs " + flag}
	switch flag {
	case "--ip":
		r.fix = "name the address that it is sent from with --ip"
	case "--mail-from":
		r.fix = "name the sender of its envelope with --mail-from"
	case "--helo":
		r.fix = "name what its host greets with by --helo"
	}
	return r
}

// doubted is of a rule that receivers differ on.
func doubted(why string) ruling {
	return ruling{disputed, why, "see what msg-dkim says: ehlo check --only msg-dkim --message FILE"}
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
		{ruleSPF, spfMet}, {ruleDKIM, dkimMet}, {ruleDMARC, dmarcMet}, {ruleAlign, alignMet},
		{ruleDNS, by("send-fcrdns")}, {"the message is sent under TLS", nobody}, {ruleFormat, by("msg-headers", "msg-lines")},
		{ruleClick, clickMet}, {ruleSpam, nobody},
	}
}

func yahooRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, dkimMet}, {ruleDMARC, dmarcMet}, {ruleAlign, alignMet},
		{ruleDNS, by("send-fcrdns")}, {ruleFormat, by("msg-headers", "msg-lines")}, {ruleClick, clickMet},
		{"who unsubscribes gets nothing after two days", nobody}, {ruleSpam, nobody},
	}
}

func outlookRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, dkimMet}, {ruleDMARC, dmarcMet}, {ruleAlign, alignMet},
		{"there is a way to unsubscribe", offerMet}, {"From and Reply-To are addresses that take mail", nobody},
		{"addresses that do not take mail are taken off the list", nobody},
	}
}

func appleRules() []rule {
	return []rule{
		{ruleSPF, spfMet}, {ruleDKIM, dkimMet}, {ruleDMARC, dmarcMet},
		{"the message does not fail a DMARC policy that is enforced", enforcedMet}, {ruleDNS, by("send-fcrdns")},
		{ruleFormat, by("msg-headers", "msg-lines")}, {"there is a way to unsubscribe", offerMet}, {ruleOptIn, nobody},
		{"replies with errors are acted on", nobody},
	}
}

// rollUp judges the rules: each is a line of the evidence. It passes only if every rule
// that can be seen is met.
func rollUp(ctx context.Context, s *Subject, rules []rule) Result {
	counted, texts := map[string]int{}, map[state][]string{}
	var lines, fixes []string
	for _, rule := range rules {
		found := rule.met(ctx, s)
		counted[found.String()]++
		texts[found.state] = append(texts[found.state], rule.text)
		line := found.String() + ": " + rule.text
		if found.note != "" {
			line += " (" + found.note + ")"
		}
		lines = append(lines, line)
		if found.fix != "" && !slices.Contains(fixes, found.fix) {
			fixes = append(fixes, found.fix)
		}
	}
	summary := strconv.Itoa(counted["met"]) + " of " + transcript.Count(len(rules), "rule") + " met"
	for _, word := range []string{"not met", "not known", "not tested"} {
		if counted[word] > 0 {
			summary += ", " + strconv.Itoa(counted[word]) + " " + word
		}
	}
	list := func(of ...state) string {
		var all []string
		for _, s := range of {
			all = append(all, texts[s]...)
		}
		return strings.Join(all, "; ")
	}
	switch {
	case len(texts[notMet]) > 0:
		return Failed("%s", summary).With(lines...).Meaning("not met: %s", list(notMet, notBulk)).
			Fixed("look at the check of each: ehlo check DOMAIN --message FILE --ip ADDR -v")
	case len(texts[notKnown]) > 0:
		return Untested("%s", summary).With(lines...).Meaning("not known: %s", list(notKnown)).Fixed("try again later")
	case len(texts[untried])+len(texts[disputed]) > 0:
		return Noted("%s", summary).With(lines...).Meaning("not tested: %s", list(untried, disputed)).Fixed("%s", strings.Join(fixes, "; "))
	case len(texts[notBulk]) > 0:
		return Noted("%s", summary).With(lines...).Meaning("not met: %s", list(notBulk)).Fixed("in marketing mail: see what msg-unsub says")
	}
	return Passed("%s", summary).With(lines...)
}

// nobody is of a rule that cannot be seen from outside.
func nobody(context.Context, *Subject) ruling { return is(unseen) }

// by is met if none of these checks fails, and not tried if none of them was.
func by(ids ...string) func(context.Context, *Subject) ruling {
	return func(ctx context.Context, s *Subject) ruling {
		found := needs("--ip")
		for _, c := range messageAndSending() {
			if !slices.Contains(ids, c.ID) {
				continue
			}
			switch outcome(c, run(ctx, s, c)).Verdict {
			case Fail:
				return is(notMet)
			case Error:
				found = is(notKnown)
			case Pass, Info, Warn:
				if found.state == untried {
					found = is(met)
				}
			}
		}
		return found
	}
}

// messageAndSending are the checks that rules rest on.
func messageAndSending() []Check { return slices.Concat(messageChecks(), sendChecks()) }
