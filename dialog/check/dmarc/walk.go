package dmarc

import (
	"context"
	"errors"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Lookup asks the DNS for text, as a route.Resolver does.
type Lookup interface {
	TXT(ctx context.Context, name string) (route.Answer[string], error)
}

// queriesMost are the queries of one tree walk, whatever the domain (RFC 9989 section 4.10).
const queriesMost = 8

// Step is one question for a domain's policy record.
type Step struct {
	Domain string   // the record is asked for at _dmarc. before it
	Record *Record  // the one that is there; nil if there is none or several
	Count  int      // how many there are: several are all discarded (RFC 9989 section 4.10)
	Near   []string // texts that were meant as records, and why they are not
	Err    error    // what kept it from being known whether there is one
}

// Walk is a DNS tree walk (RFC 9989 section 4.10).
type Walk struct {
	Domain string // where it started
	Steps  []Step // from there upwards
	// Org is the organisational domain (RFC 9989 section 4.10.2), which is Domain itself where
	// nothing else is published; "" if Err keeps it from being known.
	Org string
	Err error
}

// Tree walks up from a domain, in A-labels, until a record says psd=y or psd=n or nothing is
// left. It asks at most 8 questions, and none after one that got no answer.
func Tree(ctx context.Context, l Lookup, domain string) *Walk {
	w := &Walk{Domain: tidy(domain)}
	w.climb(ctx, l)
	return w
}

// climb goes on from the steps that are there.
func (w *Walk) climb(ctx context.Context, l Lookup) {
	for i, name := range targets(w.Domain) {
		if i >= len(w.Steps) {
			w.Steps = append(w.Steps, ask(ctx, l, name))
		}
		s := w.Steps[i]
		if s.Err != nil {
			w.Err = s.Err
			return
		}
		if s.Record != nil && s.Record.PSD != SuffixUnknown {
			break
		}
	}
	w.Org = w.organisation()
}

// tidy is a domain as it is asked for.
func tidy(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }

// targets are the domains that a walk asks about: of eight labels and more all but seven
// are left out at once.
func targets(domain string) []string {
	if domain == "" {
		return nil
	}
	all := []string{domain}
	rest := strings.Split(domain, ".")[1:]
	if n := len(rest) - (queriesMost - 1); n > 0 {
		rest = rest[n:]
	}
	for ; len(rest) > 0; rest = rest[1:] {
		all = append(all, strings.Join(rest, "."))
	}
	return all
}

// ask asks for the record of one domain.
func ask(ctx context.Context, l Lookup, domain string) Step {
	s := Step{Domain: domain}
	texts, err := records(ctx, l, "_dmarc."+domain)
	if err != nil {
		s.Err = err
		return s
	}
	for _, text := range texts {
		r, err := Parse(text)
		var not *NotRecord
		switch {
		case errors.As(err, &not) && not.Near && len(s.Near) < problemsMost:
			s.Near = append(s.Near, not.Why+": "+clip(text))
		case err == nil:
			s.Count++
			s.Record = r
		}
	}
	if s.Count > 1 {
		s.Record = nil
	}
	return s
}

// records gives the texts at name: none where the DNS says so, or name is too long to
// be asked for.
func records(ctx context.Context, l Lookup, name string) ([]string, error) {
	a, err := l.TXT(ctx, name)
	var e *route.Error
	if errors.As(err, &e) && (e.Definite() || e.Kind == route.BadName) {
		return nil, nil
	}
	return a.Records, err
}

// organisation selects the organisational domain (RFC 9989 section 4.10.2).
func (w *Walk) organisation() string {
	org := w.Domain
	for i, s := range w.Steps {
		switch {
		case s.Record == nil:
			continue
		case s.Record.PSD == SuffixNo:
			return s.Domain
		case s.Record.PSD == SuffixYes && i > 0:
			return below(w.Domain, s.Domain)
		}
		org = s.Domain
	}
	return org
}

// below is the part of domain with one label more than parent, which domain ends in.
func below(domain, parent string) string {
	labels := strings.Split(domain, ".")
	return strings.Join(labels[len(labels)-strings.Count(parent, ".")-2:], ".")
}

// Found is the step that asked for the record of a domain; nil if none did.
func (w *Walk) Found(domain string) *Step {
	for i := range w.Steps {
		if w.Steps[i].Domain == domain {
			return &w.Steps[i]
		}
	}
	return nil
}
