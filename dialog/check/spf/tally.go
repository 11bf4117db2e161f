package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Find gives the SPF records that domain publishes: one is right (section 4.5). The
// error is why the DNS did not say; a domain without a record is none.
func Find(ctx context.Context, r route.Resolver, domain string) ([]string, error) {
	answer, err := r.TXT(ctx, presentation(domain))
	if definite(err) {
		return nil, nil
	}
	return records(answer.Records), err
}

// Cost is what a record costs where no directive matches, so at most.
type Cost struct {
	Lookups int // terms that ask the DNS, those of included records too; 10 are allowed
	Voids   int // questions that nobody gets an answer to, whatever the kind of address; 2 are allowed
	Charges []Charge
	Partial bool     // something was not followed, as its Charge says: it may be more
	Open    []string // terms that pass a large part of the Internet, each with its domain
	Unsaid  []string // includes that make a large part of it neutral, likewise
}

// Charge is one term that asks the DNS.
type Charge struct {
	Domain string // whose record it is in
	Depth  int    // 0 in the first record
	Term   string // as it is written
	Name   string // of its mechanism or modifier
	Voids  int    // questions of its own without an answer
	Broken bool   // an evaluation that comes here ends with an error
	Lost   bool   // the DNS did not answer: what it costs is not known
	Own    bool   // it names no other domain, but that of its record
	Note   string // what is void or broken, or why it was not followed; ""
}

// Tally walks through a record of domain and all that it includes.
func Tally(ctx context.Context, r route.Resolver, domain string, record *Record) Cost {
	w := &walk{ctx: ctx, resolver: r, path: map[string]bool{}, pass: Pass}
	w.record(domain, record, 0)
	return w.cost
}

type walk struct {
	ctx      context.Context
	resolver route.Resolver
	path     map[string]bool // the domains that led here
	cost     Cost
	named    bool    // %{p} was paid for
	pass     Outcome // what a pass of the record at hand comes to in the first one; "" nothing
}

func (w *walk) record(domain string, record *Record, depth int) {
	w.path[domain] = true
	defer delete(w.path, domain)
	var decided [2]bool // of IPv4 and IPv6: every host has met a directive that matches it
	for i := range record.Terms {
		t := &record.Terms[i]
		if t.Everyone() {
			w.open(domain, t)
		}
		if n := t.Network; n.IsValid() && n.Bits() == 0 {
			if decided[n.Addr().BitLen()/128] = true; decided[0] && decided[1] {
				return
			}
		}
		if t.Name == "all" && !t.Modifier() {
			return // nothing behind it is evaluated, and no redirect either
		}
		if !t.Modifier() {
			w.term(domain, t, depth)
		}
	}
	if t := record.Modifier("redirect"); t != nil {
		w.term(domain, t, depth)
	}
}

// open keeps a term that passes a large part of the Internet, if that is what an
// evaluation of the first record comes to.
func (w *walk) open(domain string, t *Term) {
	list := map[Outcome]*[]string{Pass: &w.cost.Open, Neutral: &w.cost.Unsaid}[w.pass]
	if list != nil && len(*list) < maxErrors {
		*list = append(*list, t.Text+" of "+domain)
	}
}

func (w *walk) term(domain string, t *Term, depth int) {
	if t.macro.uses("p") && !w.named {
		w.named = true
		w.cost.Lookups++
	}
	if !t.Asks() {
		return
	}
	if w.cost.Lookups >= maxTally {
		w.cost.Partial = true
		return
	}
	w.cost.Lookups++
	w.cost.Charges = append(w.cost.Charges, Charge{Domain: domain, Depth: depth, Term: t.Text, Name: t.Name, Own: t.Value == ""})
	at := len(w.cost.Charges) - 1
	note := func(format string, args ...any) { w.cost.Charges[at].Note = fmt.Sprintf(format, args...) }
	void := func(format string, args ...any) {
		w.cost.Voids++
		w.cost.Charges[at].Voids++
		note(format, args...)
	}
	e := evaluation{ctx: w.ctx, resolver: w.resolver}
	target := domain
	lost := func(err error) {
		w.cost.Partial, w.cost.Charges[at].Lost = true, true
		note("%v", err)
	}
	switch {
	case t.Name == "ptr":
		return // what it asks for depends on the host
	case !t.macro.fixed():
		w.cost.Partial = true
		note("its name depends on the message: not followed")
		return
	case t.Value != "":
		var err error
		if target, err = e.target(t, nil, domain); err != nil {
			w.cost.Charges[at].Broken = t.Name == "include" || t.Name == "redirect"
			note("%v", err)
			return
		}
	}
	switch t.Name {
	case "a":
		w.address(target, route.Both, void, lost)
	case "exists":
		if w.address(target, route.IPv4, void, lost) && t.Outcome() == Pass {
			w.open(domain, t) // the name is the same for every host, so it matches each
		}
	case "mx":
		w.exchangers(&e, target, at, void, note, lost)
	default:
		outer := w.pass
		if t.Name == "include" {
			w.pass = w.within(t, depth)
		}
		w.include(target, at, depth, note, lost)
		w.pass = outer
	}
}

// within is what a pass of an included record comes to in the first one: what the include
// says there. Of an include deeper down only a pass makes the outer one match.
func (w *walk) within(t *Term, depth int) Outcome {
	switch {
	case depth == 0:
		return t.Outcome()
	case t.Outcome() == Pass:
		return w.pass
	}
	return ""
}

type noter func(format string, args ...any)

// address reports whether name has an address of the family.
func (w *walk) address(name string, family route.Family, void noter, lost func(error)) bool {
	_, err := w.resolver.Addr(w.ctx, presentation(name), family)
	switch {
	case definite(err):
		void("%s has no address", name)
	case err != nil:
		lost(err)
	}
	return err == nil
}

// definite reports whether the DNS said that there is nothing.
func definite(err error) bool {
	var failed *route.Error
	return errors.As(err, &failed) && failed.Definite()
}

func (w *walk) exchangers(e *evaluation, name string, at int, void, note noter, lost func(error)) {
	var asked []Question
	hosts, err := e.exchangers(&asked, name)
	switch {
	case err != nil:
		lost(err)
		return
	case len(hosts) == 0:
		void("%s has no MX record", name)
	case len(hosts) > maxHosts:
		w.cost.Charges[at].Broken = true
		note("%s has %d MX records: mx allows %d", name, len(hosts), maxHosts)
		return
	}
	for _, mx := range hosts {
		if mx.Host != "." {
			w.address(mx.Host, route.Both, void, lost)
		}
	}
}

// include goes into the record of an include or a redirect.
func (w *walk) include(name string, at, depth int, note noter, lost func(error)) {
	broken := func(format string, args ...any) {
		w.cost.Charges[at].Broken = true
		note(format, args...)
	}
	if w.path[name] {
		broken("%s leads back to itself: evaluations run into the limit", name)
		return
	}
	found, err := Find(w.ctx, w.resolver, name)
	switch {
	case err != nil:
		lost(err)
		return
	case len(found) == 0:
		if _, err := w.resolver.TXT(w.ctx, presentation(name)); definite(err) { // no TXT record at all, nor the name, perhaps
			w.cost.Voids++
			w.cost.Charges[at].Voids++
		}
		broken("%s has no SPF record", name)
		return
	case len(found) > 1:
		broken("%s has %d SPF records: one is allowed", name, len(found))
		return
	}
	record, err := Parse(found[0])
	if err != nil {
		broken("the record of %s has a syntax error: %v", name, err)
		return
	}
	w.record(name, record, depth+1)
}

// Everyone reports whether a term passes a large part of the Internet: all, or a
// network of more than 16 million addresses.
func (t *Term) Everyone() bool {
	if t.Modifier() || t.Outcome() != Pass {
		return false
	}
	return t.Name == "all" || t.wide()
}

func (t *Term) wide() bool {
	var none netip.Prefix
	if t.Network == none {
		return (t.Name == "a" || t.Name == "mx") && (t.Bits4 < 8 || t.Bits6 < 16)
	}
	if t.Network.Addr().Is4() {
		return t.Network.Bits() < 8
	}
	return t.Network.Bits() < 16
}

// Ending is the all that a record of domain ends with, redirects followed; nil if there
// is none, so that other hosts are neutral (section 4.7). The error is a *route.Error
// where the DNS does not say, or what else keeps it from being known.
func Ending(ctx context.Context, r route.Resolver, domain string, record *Record) (*Term, error) {
	e := evaluation{ctx: ctx, resolver: r}
	for range MaxLookups {
		all, redirect := record.All(), record.Modifier("redirect")
		if all != nil || redirect == nil {
			return all, nil
		}
		if !redirect.macro.fixed() {
			return nil, fmt.Errorf("%s depends on the message", redirect.Text)
		}
		name, err := e.target(redirect, nil, domain)
		if err != nil {
			return nil, fmt.Errorf("%s leads nowhere: %w", redirect.Text, err)
		}
		domain = name
		found, err := Find(ctx, r, domain)
		if err != nil {
			return nil, err
		}
		switch len(found) {
		case 1:
		case 0:
			return nil, fmt.Errorf("it leads to %s, which has no SPF record", domain)
		default:
			return nil, fmt.Errorf("it leads to %s, which has several SPF records", domain)
		}
		if record, err = Parse(found[0]); err != nil {
			return nil, fmt.Errorf("the record of %s: %w", domain, err)
		}
	}
	return nil, fmt.Errorf("more than %d redirects", MaxLookups)
}
