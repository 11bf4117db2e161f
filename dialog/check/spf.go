package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/check/spf"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

func spfChecks() []Check {
	domain := []Need{NeedDomain}
	return []Check{
		{ID: "spf-record", Group: Sending, Topic: "spf", About: "the domain publishes one SPF record",
			Ref: "RFC 7208 section 3.2", Needs: domain, Gives: []Verdict{Pass, Warn, Fail, Error}, Run: spfRecord},
		{ID: "spf-syntax", Group: Sending, Topic: "spf", About: "the record can be read, and has nothing in it that is in vain",
			Ref: "RFC 7208 section 4.6", Needs: domain, Gives: []Verdict{Pass, Info, Warn, Fail, Error, Skip}, Run: spfSyntax},
		{ID: "spf-lookups", Group: Sending, Topic: "spf", About: "it asks the DNS by at most 10 terms, those of included records too",
			Ref: "RFC 7208 section 4.6.4", Needs: domain, Gives: []Verdict{Pass, Info, Fail, Error, Skip}, Run: spfLookups},
		{ID: "spf-void", Group: Sending, Topic: "spf", About: "it asks for nothing that does not exist; 2 such questions are allowed",
			Ref: "RFC 7208 section 4.6.4", Needs: domain, Gives: []Verdict{Pass, Info, Warn, Fail, Error, Skip}, Run: spfVoid},
		{ID: "spf-all", Group: Sending, Topic: "spf", About: "it says what to make of all other hosts, and does not pass them",
			Ref: "RFC 7208 section 5.1", Needs: domain, Gives: []Verdict{Pass, Warn, Fail, Error, Skip}, Run: spfAll},
		{ID: "spf-eval", Group: Sending, Topic: "spf", About: "the host may send for the sender, or else the domain",
			Ref: "RFC 7208 section 2.6", Needs: []Need{NeedIP, NeedSender, NeedGreeting}, Gives: []Verdict{Pass, Warn, Fail, Error}, Run: spfEval},
	}
}

// published is what a domain says by SPF.
type published struct {
	texts   []string // its SPF records
	similar []string // other TXT records that were meant as one
	err     error    // why the DNS did not say
}

func (s *Subject) published(ctx context.Context) published {
	return Once(s, "spf", func() published {
		answer, err := s.Resolver.TXT(ctx, s.ASCII)
		var told *route.Error
		if errors.As(err, &told) && told.Definite() {
			err = nil
		}
		p := published{err: err}
		for _, text := range answer.Records {
			switch {
			case spf.IsRecord(text):
				p.texts = append(p.texts, text)
			case resemblesSPF(text):
				p.similar = append(p.similar, text)
			}
		}
		return p
	})
}

// resemblesSPF reports whether a text that is no SPF record was probably meant as one.
func resemblesSPF(text string) bool {
	text = strings.ToLower(strings.TrimLeft(text, "\" '\t\ufeff"))
	for _, start := range []string{"v=spf", "v =spf", "v= spf", "spf1", "spf=", "v:spf1", "spf2.0"} {
		if strings.HasPrefix(text, start) {
			return start != "spf2.0" || !strings.HasPrefix(text, "spf2.0/") // that is Sender ID (RFC 4406)
		}
	}
	return false
}

// shown are records as evidence.
func (s *Subject) shownTXT(texts []string) []string {
	lines := make([]string, 0, len(texts))
	for _, text := range texts {
		lines = append(lines, fmt.Sprintf(`%s TXT "%s"`, s.ASCII, text))
	}
	return lines
}

func spfRecord(ctx context.Context, s *Subject) []Result {
	p := s.published(ctx)
	switch {
	case p.err != nil:
		return one(Untested("the DNS does not say").With(p.err.Error()).As("temperror"))
	case len(p.texts) > 1:
		return one(Failed("%d SPF records: one is allowed", len(p.texts)).With(s.shownTXT(p.texts)...).As("permerror").
			Meaning("none of them counts: receivers see permerror").
			Fixed("join them into one record, and remove the others").By("RFC 7208 section 4.5"))
	case len(p.texts) == 0 && len(p.similar) > 0:
		return one(Failed("a TXT record that is none of SPF, though it was meant as one").With(s.shownTXT(p.similar)...).As("none").
			Meaning("receivers pass it over: the domain has no SPF").
			Fixed("let it begin with v=spf1 and a space, and part its terms by spaces").By("RFC 7208 section 4.5"))
	case len(p.texts) == 0:
		return one(Warned("no SPF record").As("none").
			Meaning("receivers cannot tell its hosts from others; some take no mail without SPF or DKIM").
			Fixed("%s", s.noRecord(ctx)))
	}
	return one(Passed("%s", p.texts[0]))
}

// noRecord is the record for a domain that has none.
func (s *Subject) noRecord(ctx context.Context) string {
	if s.takesNoMail(ctx, s.ASCII) {
		return fmt.Sprintf(`%s. TXT "v=spf1 -all"   # or "v=spf1 a -all", if it sends mail though it takes none`, s.ASCII)
	}
	return fmt.Sprintf(`%s. TXT "v=spf1 mx -all"   # or "v=spf1 -all", if it sends no mail`, s.ASCII)
}

// policy gives the record of the domain where it can be read; else skip says why there
// is nothing to judge.
func (s *Subject) policy(ctx context.Context) (record *spf.Record, text string, skip []Result) {
	p := s.published(ctx)
	switch {
	case p.err != nil:
		return nil, "", one(Untested("the SPF record is not known").As("temperror"))
	case len(p.texts) == 0:
		return nil, "", one(Skipped("no SPF record"))
	case len(p.texts) > 1:
		return nil, "", one(Skipped("several SPF records"))
	}
	record, err := spf.Parse(p.texts[0])
	if err != nil {
		return nil, "", one(Skipped("the SPF record cannot be read"))
	}
	return record, p.texts[0], nil
}

func spfSyntax(ctx context.Context, s *Subject) []Result {
	record, text, skip := s.policy(ctx)
	if skip == nil {
		return spfRemarks(record, text)
	}
	p := s.published(ctx)
	if len(p.texts) != 1 {
		return skip
	}
	_, err := spf.Parse(p.texts[0])
	var wrong spf.SyntaxErrors
	if !errors.As(err, &wrong) {
		return skip
	}
	var results []Result
	for _, e := range wrong {
		results = append(results, Failed("%s at offset %d: %s", e.Term, e.Offset, e.Rule).With(s.shownTXT(p.texts)...).As("permerror").
			Meaning("the whole record does not count: receivers see permerror").
			Fixed("mend or remove %s, then: ehlo check %s --only 'spf-*'", e.Term, s.ASCII))
	}
	return results
}

// spfRemarks are what is legal in a record, and not wanted.
func spfRemarks(record *spf.Record, text string) []Result {
	var results []Result
	for _, m := range record.Lint(text) {
		made := Warned
		if m.Minor {
			made = Noted
		}
		r := made("%s", m.Text)
		if m.Term != "" {
			r = made("%s at offset %d: %s", m.Term, m.Offset, m.Text)
		}
		results = append(results, r.With(text).By(m.Ref).Fixed("%s", m.Fix))
	}
	if len(results) == 0 {
		return one(Passed("nothing in it is wrong or in vain"))
	}
	return results
}

// cost is what the record can cost at most.
func (s *Subject) spfCost(ctx context.Context, record *spf.Record) spf.Cost {
	return Once(s, "spf-cost", func() spf.Cost { return spf.Tally(ctx, s.Resolver, s.ASCII, record) })
}

// charges are the terms that ask the DNS, a line each; wanted chooses.
func charges(cost spf.Cost, wanted func(spf.Charge) bool) []string {
	var lines []string
	for _, c := range cost.Charges {
		if !wanted(c) {
			continue
		}
		line := strings.Repeat("  ", c.Depth) + c.Term + " of " + c.Domain
		if c.Note != "" {
			line += ": " + c.Note
		}
		lines = append(lines, line)
	}
	return lines
}

func spfLookups(ctx context.Context, s *Subject) []Result {
	record, _, skip := s.policy(ctx)
	if skip != nil {
		return skip
	}
	cost := s.spfCost(ctx, record)
	all := charges(cost, func(spf.Charge) bool { return true })
	var results []Result
	for _, c := range cost.Charges {
		if c.Broken {
			results = append(results, Failed("%s of %s: %s", c.Term, c.Domain, c.Note).With(all...).As("permerror").
				Meaning("an evaluation that comes to this term ends with permerror").
				Fixed("remove the term, or mend what it names"))
		}
	}
	switch {
	case cost.Lookups > spf.MaxLookups:
		results = append(results, Failed("%d look-ups: %d are allowed", cost.Lookups, spf.MaxLookups).With(all...).As("permerror").
			Meaning("receivers stop where one more is needed: hosts that come behind it get permerror").
			Fixed("remove includes that are not used; name networks by ip4 and ip6, which cost nothing"))
	case len(results) > 0:
	case lost(cost):
		results = append(results, Untested("%d of %d look-ups, and the DNS does not say what more", cost.Lookups, spf.MaxLookups).With(all...).As("temperror"))
	case cost.Partial:
		results = append(results, Noted("%d of %d look-ups, and what could not be followed", cost.Lookups, spf.MaxLookups).With(all...))
	case cost.Lookups == spf.MaxLookups:
		results = append(results, Noted("%d of %d look-ups: not one more", cost.Lookups, spf.MaxLookups).With(all...))
	default:
		results = append(results, Passed("%d of %d look-ups", cost.Lookups, spf.MaxLookups).With(all...))
	}
	return results
}

// lost reports whether the DNS did not answer about one of the terms.
func lost(cost spf.Cost) bool {
	return slices.ContainsFunc(cost.Charges, func(c spf.Charge) bool { return c.Lost })
}

func spfVoid(ctx context.Context, s *Subject) []Result {
	record, _, skip := s.policy(ctx)
	if skip != nil {
		return skip
	}
	cost := s.spfCost(ctx, record)
	void := charges(cost, func(c spf.Charge) bool { return c.Voids > 0 })
	fix := "remove terms whose names are gone: whoever registers such a name may send for the domain"
	if !slices.ContainsFunc(cost.Charges, func(c spf.Charge) bool { return c.Voids > 0 && !c.Own }) {
		fix = "remove the terms that name nothing: a where the domain has no address, mx where it has no MX host with one"
	}
	switch {
	case cost.Voids > spf.MaxVoids:
		return one(Failed("%d look-ups that find nothing: %d are allowed", cost.Voids, spf.MaxVoids).With(void...).As("permerror").
			Meaning("receivers stop there: hosts that come behind it get permerror").Fixed("%s", fix))
	case lost(cost):
		return one(Untested("the DNS does not say what it asks for").With(charges(cost, func(c spf.Charge) bool { return c.Lost || c.Voids > 0 })...).As("temperror"))
	case cost.Voids > 0:
		return one(Warned("a look-up that finds nothing: %d of %d that are allowed", cost.Voids, spf.MaxVoids).With(void...).Fixed("%s", fix))
	}
	if unfollowed := charges(cost, func(c spf.Charge) bool { return c.Note != "" }); cost.Partial || len(unfollowed) > 0 {
		return one(Noted("no look-up finds nothing, of those that could be followed").With(unfollowed...))
	}
	return one(Passed("no look-up finds nothing"))
}

func spfAll(ctx context.Context, s *Subject) []Result {
	record, text, skip := s.policy(ctx)
	if skip != nil {
		return skip
	}
	if open := s.spfCost(ctx, record).Open; len(open) > 0 {
		return one(Failed("%s", strings.Join(open, ", ")).With(text).
			Meaning("whoever wants to may send for the domain").
			Fixed("name the hosts that send, and end with -all or ~all").By("RFC 7208 section 11.1"))
	}
	cost := s.spfCost(ctx, record)
	end, err := spf.Ending(ctx, s.Resolver, s.ASCII, record)
	switch {
	case slices.ContainsFunc(cost.Charges, mayOpen):
		return one(Untested("where it leads is not known").With(text).With(charges(cost, mayOpen)...).As("temperror"))
	case len(cost.Unsaid) > 0:
		return one(Warned("%s: other hosts are neutral", strings.Join(cost.Unsaid, ", ")).With(text).
			Meaning("a forged sender is not told from a true one").Fixed("once all hosts that send are named: ~all or -all"))
	case errors.As(err, new(*route.Error)):
		return one(Untested("where it leads is not known").With(text, err.Error()))
	case err != nil:
		return one(Skipped("%v", err))
	case end == nil:
		return one(Warned("it ends without all: other hosts are neutral").With(text).
			Meaning("a forged sender is not told from a true one").Fixed("end with -all or ~all").By("RFC 7208 section 4.7"))
	case end.Outcome() == spf.Neutral:
		return one(Warned("%s: other hosts are neutral", end.Text).With(text).
			Meaning("a forged sender is not told from a true one").Fixed("once all hosts that send are named: ~all or -all"))
	}
	if end.Outcome() == spf.Pass { // and nothing is open
		return one(Passed("%s, which no host comes to", end.Text).With(text))
	}
	return one(Passed("%s: other hosts get %s", end.Text, end.Outcome()))
}

// mayOpen reports whether a term that the DNS did not answer about may pass every host.
func mayOpen(c spf.Charge) bool {
	return c.Lost && slices.Contains([]string{"include", "redirect", "exists"}, c.Name)
}
