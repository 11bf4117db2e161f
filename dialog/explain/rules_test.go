package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRuleData holds every rule to its form, and to its example: that rule answers
// it, and none before.
func TestRuleData(t *testing.T) {
	for i, file := range allRules() {
		for n, line := range rows(t, fmt.Sprint("file ", i), file) {
			r, ok := parseRule(line)
			at := fmt.Sprintf("%s (file %d line %d)", r.words, i, n)
			if got := reasonOf(line); got != r.reason {
				t.Errorf("%s: its reason is read as %q", at, got)
			}
			if !ok {
				t.Errorf("%s does not parse", at)
				continue
			}
			for _, phrases := range []string{r.words, r.unless} {
				for _, p := range phrasesOf(phrases) {
					if words := strings.TrimSpace(plain([]string{p})); words != p || len(p) < 2 {
						t.Errorf("%s: phrase %q can occur nowhere: %q", at, p, words)
					}
				}
			}
			phases, _ := strings.CutPrefix(r.phases, "only ")
			for phase := range strings.FieldsSeq(phases) {
				if !isPhase(phase) {
					t.Errorf("%s: no phase is called %q", at, phase)
				}
			}
			if !slices.Contains(Reasons(), r.reason) || r.reason == "other" {
				t.Errorf("%s: reason %q", at, r.reason)
			}
			_, err := time.Parse(time.DateOnly, r.date)
			fromBounces := strings.HasPrefix(r.source, "bounces of ") && r.date == ""
			if err != nil && !fromBounces || r.source == "" || r.means == "" {
				t.Errorf("%s: no meaning, no source or no date: %v", at, err)
			}
			for _, text := range []string{r.means, r.likely, r.next} {
				checkStyle(t, at, text)
			}
			phase, _, _ := strings.Cut(phases, " ")
			code, _, _ := strings.Cut(r.example, " ")
			if number, err := strconv.Atoi(code); err != nil || number/100 != 4 && number/100 != 5 {
				t.Errorf("%s: example %q", at, r.example)
			}
			if got, ok := firstRule(allRules(), phase, code, sayingOf([]string{r.example})); !ok || got != r {
				t.Errorf("%s: example %q is answered by %q", at, r.example, got.words)
			}
		}
	}
}

// phrasesOf takes phrases apart into runs of words.
func phrasesOf(phrases string) []string {
	if phrases == "" {
		return nil
	}
	var all []string
	for p := range strings.SplitSeq(phrases, "|") {
		for rest := p; rest != ""; {
			var part string
			part, rest, _ = cutPart(rest)
			words, ok := classOf(part)
			if !ok {
				words = part
			}
			for word := range strings.SplitSeq(words, "|") {
				all = append(all, strings.TrimSuffix(word, "*"))
			}
		}
	}
	return all
}

// TestClasses: every class that a rule names is there, and every class is named.
func TestClasses(t *testing.T) {
	files := strings.Join(allRules(), "")
	for _, rest := range strings.Split(files, "{")[1:] {
		name, _, _ := strings.Cut(rest, "}")
		if words, ok := classOf("{" + name + "}"); !ok || words == "" {
			t.Errorf("no class is called %q", name)
		}
	}
	for line := range strings.Lines(classesCSV) {
		name, words, _ := strings.Cut(strings.TrimSpace(line), ",")
		if name != "class" && !strings.Contains(files, "{"+name+"}") {
			t.Errorf("no rule names %s", name)
		}
		seen := make(map[string]bool)
		for word := range strings.SplitSeq(words, "|") {
			if seen[word] || len(word) < 2 {
				t.Errorf("%s: %q is there twice, or too short", name, word)
			}
			seen[word] = true
		}
	}
}

// TestSureFirst: what a code says goes before what single words hint at, and not
// where servers give the code for anything.
func TestSureFirst(t *testing.T) {
	text := []string{"the advertising newsletter"}
	for enhanced, want := range map[string]string{"": "spam", "5.7.1": "spam", "5.2.1": "spam", "5.7.26": "auth-failure"} {
		if e := Reply("dot", 550, enhanced, text); e.Reason != want {
			t.Errorf("550 %s: %s, want %s", enhanced, e.Reason, want)
		}
	}
	if _, ok := Text(text); ok {
		t.Error("single words are no known wording")
	}
}

// TestSettles: a code tells whose domain it is, and which try.
func TestSettles(t *testing.T) {
	tests := []struct{ enhanced, text, want string }{
		{"4.1.8", "<a@nowhere.test>: Domain not found", "rejected-sender"},
		{"4.1.2", "<b@nowhere.test>: Domain not found", "host-unknown"},
		{"5.4.7", "the connection timed out", "expired"},
		{"4.4.2", "the connection timed out", "network-error"},
		{"4.2.2", "there is no space left", "mailbox-full"},
		{"4.3.1", "there is no space left", "system-full"},
		{"5.3.4", "the mailbox quota is exceeded", "message-too-big"},
		{"5.1.8", "blocked using zen.spamhaus.org", "blocked"},
		{"4.7.23", "a temporary error", "auth-failure"},
		{"4.7.25", "a DNS error", "require-ptr"},
		{"5.5.1", "not permitted by policy", "syntax"},
		{"5.7.1", "not permitted by policy", "policy"},
	}
	for _, tt := range tests {
		if e := Reply("rcpt", 450, tt.enhanced, []string{tt.text}); e.Reason != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.enhanced, tt.text, e.Reason, tt.want)
		}
	}
}

// TestRest: what stands behind a text of the RFC explains the reply, if anything does.
func TestRest(t *testing.T) {
	for text, want := range map[string]string{
		"Requested action not taken: mailbox unavailable":                             "user-unknown",
		"Requested action not taken: mailbox unavailable (S2017062302)":               "user-unknown",
		"Requested action not taken: mailbox unavailable\nMail send limit exceeded.":  "rate-limited",
		"Requested action not taken: mailbox unavailable\nFailure, ask somebody else": "user-unknown",
	} {
		if e := Reply("rcpt", 550, "", strings.Split(text, "\n")); e.Reason != want {
			t.Errorf("%q: %s, want %s", text, e.Reason, want)
		}
	}
}

func TestSays(t *testing.T) {
	tests := []struct {
		text, phrases string
		want          bool
	}{
		{"the mailbox is full", "mailbox is full", true},
		{"the mailbox is fully open", "mailbox is full", false},
		{"the mailbox is fully open", "mailbox is full*", true},
		{"xmailbox is full", "mailbox is full", false},
		{"the mailbox of bob is full now", "mailbox .. full", true},
		{"full is the mailbox", "mailbox .. full", false},
		{"mailbox, mailbox full", "mailbox .. full", true},
		{"the mailbox " + strings.Repeat("of ", 20) + "bob is full", "mailbox .. full", false},
		{"mailbox " + strings.Repeat("of ", 20) + "bob: mailbox is full", "mailbox .. full", true},
		{"aa bb cc", "xx|bb", true},
		{"a b c", "", false},
		{"<bob@example.net>: user unknown", "user unknown", true},
		{"user <bob@example.net> unknown", "user unknown", true},
		{"user bob-smith=x@example.net unknown", "user unknown", true},
		{"complain to spam@example.net", "spam", false},
		{"550-5.1.1 no such 550 5.1.1 user", "no such user", true},
		{"host [192.0.2.1] blocked", "host blocked", true},
		{"host 2001:db8::1 blocked", "host blocked", true},
		{"rate-limited", "rate limited", true},
		{"It can’t be", "can not be", true},
		{"(#5.1.1) sorry", "sorry", true},
		{"see zen.spamhaus.org.", "zen.spamhaus.org", true},
		{"see https://example.net/help?p=NoSuchUser", "nosuchuser", true},
		{"see https://example.net/no-such-user/help.html", "no such user", false},
		{"host spam-filter.example.com says no", "spam", false},
		{"user unknown.", "user unknown", true},
		{"try mx-1.example.net/no", "mx.1.example.net", true},
		{"see https://example.net/?ip=192.0.2.1&why=spam", "ip", false},
		{"see https://example.net/?ip=192.0.2.1&why=spam", "spam", true},
		{"the mailbox doesn't exist", "does not exist", true},
		{"the mailbox doesnt exist; you can't have it", "does not .. can not have", true},
		{"l'adresse n'existe pas", "adresse existe", true},
		{"Delivery error.Mailbox full", "mailbox full", true},
		{"see www.Example.com", "example.com", false},
		{"no such user", "no such + user", true},
		{"no such local user", "no such + user", false},
		{"no such user", "no such + {mailbox}", true},
		{"no such luck", "no such + {mailbox}", false},
		{"the addressee was not found", "{mailbox} .. {missing}", true},
		{"not found: the addressee", "{mailbox} .. {missing}", false},
		{"the mailbox", "{nothing}", false},
	}
	for _, tt := range tests {
		if got := sayingOf([]string{tt.text}).any(tt.phrases); got != tt.want {
			t.Errorf("%q in %q: %v", tt.phrases, plain([]string{tt.text}), got)
		}
	}
}

// TestHead: what stands far behind says nothing, and what is cut is no word of its own.
func TestHead(t *testing.T) {
	far := strings.Repeat("words that say nothing ", plainMost/20)
	if said := sayingOf([]string{far + "mailbox full"}); said.any("mailbox full") {
		t.Error("what stands behind the first words counts")
	}
	cut := strings.Repeat("a", plainMost-len(" spam"))
	if said := sayingOf([]string{cut + " spammers"}); said.any("spam") {
		t.Error("the beginning of a word counts")
	}
	if said := sayingOf([]string{"see " + strings.Repeat("x", plainMost), "mailbox full"}); !said.any("mailbox full") {
		t.Error("the line behind a long word does not count")
	}
}

// TestNames: names of tests and mailboxes say nothing of why.
func TestNames(t *testing.T) {
	for text, phrases := range map[string]string{
		"score 7.1 (DNSBL_AND_URIBL,RCVD_IN_BL_SPAMCOP_NET)":     "spamcop|bl spamcop net|uribl",
		"see http://www.openspf.org/?id=spam@example.com&ip=1.2": "spam",
	} {
		if sayingOf([]string{text}).any(phrases) {
			t.Errorf("%q says %s", text, phrases)
		}
	}
	if !sayingOf([]string{"see http://www.openspf.org/why.html?s=bob@example.com&ip=192.0.2.1"}).any("www.openspf.org") {
		t.Error("a mailbox in its query hides the page")
	}
}

// FuzzPlain: words, with one space between, and nothing else; and not too many.
func FuzzPlain(f *testing.F) {
	f.Add("5.1.1 <bob@example.net>: User unknown")
	f.Add("550-5.7.1 [192.0.2.1] \u2019 #5.1.1 450")
	f.Fuzz(func(t *testing.T, text string) {
		said := plain(strings.Split(text, "\n"))
		if strings.Contains(said, "  ") || len(said) > 4*plainMost {
			t.Errorf("%q", said)
		}
		if strings.ContainsAny(said, "@<>[](),;:!?-_=/") {
			t.Errorf("%q", said)
		}
	})
}

// TestRules holds rules to wordings that servers really use, and to ones that they must not take.
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
		{"rcpt", 550, "5.7.1", []string{"5.7.1 no greylisting here"}, "other"},

		{"rcpt", 554, "5.7.1", []string{"5.7.1 <bob@example.net>: Relay access denied"}, "no-relaying"},
		{"rcpt", 550, "5.7.1", []string{"5.7.1 Unable to relay"}, "no-relaying"},
		{"rcpt", 550, "", []string{"relay not permitted"}, "no-relaying"},
		{"rcpt", 550, "5.7.1", []string{"5.7.1 <bob@example.net>... Relaying denied. Proper authentication required."}, "no-relaying"},

		{"rcpt", 450, "4.7.25", []string{"4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"}, "require-ptr"},
		{"connect", 554, "", []string{"no PTR record for 192.0.2.1"}, "require-ptr"},

		{"rcpt", 504, "5.5.2", []string{"5.5.2 <laptop>: Helo command rejected: need fully-qualified hostname"}, "not-rfc-compliant"},

		{"mail", 530, "5.7.0", []string{"5.7.0 Must issue a STARTTLS command first"}, "security"},
		{"mail", 530, "5.7.0", []string{"5.7.0 Authentication Required."}, "security"},
		{"dot", 550, "5.7.26", []string{"5.7.26 Sender authentication required"}, "auth-failure"},
		{"rcpt", 550, "5.7.30", []string{"5.7.30 REQUIRETLS: verified TLS required"}, "security"},

		{"rcpt", 554, "5.7.1", []string{"5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.org"}, "blocked"},
		{"rcpt", 554, "5.7.1", []string{"5.7.1 Service unavailable; Sender address [a@example.com] blocked using dbl.example.org"}, "blocked"},

		{"connect", 421, "4.7.0", []string{"4.7.0 mx.example.net Error: too many connections from 192.0.2.1"}, "too-many-connections"},
		{"connect", 421, "4.7.0", []string{"4.7.0 mx.example.net Error: connection rate limit exceeded"}, "too-many-connections"},
		{"mail", 450, "4.7.1", []string{"4.7.1 Error: message rate limit exceeded"}, "rate-limited"},
		{"dot", 421, "4.7.28", []string{"4.7.28 your messages are throttled"}, "rate-limited"},

		{"rcpt", 450, "4.1.8", []string{"4.1.8 <a@nowhere.test>: Sender address rejected: Domain not found"}, "rejected-sender"},

		{"rcpt", 550, "", []string{"No such user here"}, "user-unknown"},
		{"rcpt", 550, "5.1.0", []string{"5.1.0 <c@example.net>: Recipient address rejected: User unknown", "5.1.0 in virtual mailbox table"}, "user-unknown"},
		{"rcpt", 550, "", []string{"<a@example.com>: Sender address rejected: undeliverable address: User unknown"}, "rejected-sender"},
		{"mail", 550, "", []string{"User unknown"}, "rejected-sender"},

		{"rcpt", 452, "", []string{"mailbox is full"}, "mailbox-full"},
		{"dot", 554, "", []string{"mailbox full"}, "mailbox-full"},

		{"dot", 550, "5.7.1", []string{"5.7.1 rejected by the DMARC policy of example.com"}, "auth-failure"},

		{"dot", 554, "5.7.1", []string{"5.7.1 virus found: Eicar"}, "virus"},
		{"dot", 451, "4.7.1", []string{"4.7.1 antivirus not available"}, "system-error"},
		{"dot", 550, "", []string{"This message is considered", "spam"}, "spam"},
		{"dot", 550, "", []string{"complain to antispam@example.net"}, "other"},
		{"dot", 554, "5.0.0", []string{"5.0.0 rejected by spam.example"}, "other"},
		{"rcpt", 450, "4.7.1", []string{"4.7.1 come back later; contact virus@example.com"}, "other"},
		{"rcpt", 450, "4.2.0", []string{"4.2.0 host blocked-spam.example.com says later"}, "other"},
		{"dot", 550, "", []string{"rejected, see https://example.com/blocked/spam.html"}, "other"},

		// A code that is used for anything is no match for words that are not understood.
		{"rcpt", 450, "4.2.1", []string{"4.2.1 Please try again later."}, "other"},
		{"rcpt", 450, "4.2.1", nil, "mailbox-disabled"},
		{"rcpt", 550, "5.4.1", []string{"5.4.1 Declined"}, "other"},
		{"rcpt", 550, "5.4.1", nil, "network-error"},
		{"connect", 554, "", []string{"Declined"}, "other"},
		{"connect", 554, "", nil, "blocked"},
		{"rcpt", 450, "4.2.2", []string{"4.2.2 Declined"}, "other"},
		{"rcpt", 450, "4.2.2", nil, "mailbox-full"},
		{"mail", 503, "", []string{"Declined"}, "other"},
		{"mail", 503, "", nil, "syntax"},
		{"connect", 530, "", []string{"Declined"}, "other"},
		{"auth", 535, "", []string{"Declined"}, "security"},
		{"auth", 454, "", []string{"Declined"}, "other"},
		{"rcpt", 550, "5.1.1", []string{"5.1.1 Declined"}, "user-unknown"},
		{"rcpt", 550, "5.1.1", []string{"5.1.1 inactive email address"}, "mailbox-disabled"},

		// Words that say little count at their own moment, and not where it is unknown.
		{"connect", 550, "", []string{"Access denied"}, "blocked"},
		{"", 550, "", []string{"Access denied"}, "other"},
		{"rcpt", 550, "", []string{"<bob@example.com> not found"}, "user-unknown"},
		{"", 550, "", []string{"not found"}, "other"},
	}
	for _, tt := range tests {
		e := Reply(tt.phase, tt.code, tt.enhanced, tt.text)
		if e.Reason != tt.reason {
			t.Errorf("%s %d %s %q: reason %q, want %q (%s)", tt.phase, tt.code, tt.enhanced, tt.text, e.Reason, tt.reason, e.Means)
		}
	}
}

// TestOver: over.csv names reasons, in order, and none before itself.
func TestOver(t *testing.T) {
	last := ""
	for line := range strings.Lines(overCSV[strings.Index(overCSV, "\n")+1:]) {
		reason, over, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ",")
		words := strings.Fields(over)
		if !slices.Contains(Reasons(), reason) || reason <= last || len(words) == 0 || !slices.IsSorted(words) {
			t.Errorf("%q: no reason, or not in order", line)
		}
		for _, word := range words {
			if word == reason || !slices.Contains(Reasons(), word) {
				t.Errorf("%s: %q is no other reason", reason, word)
			}
		}
		last = reason
	}
}
