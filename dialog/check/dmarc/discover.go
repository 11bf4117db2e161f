package dmarc

import (
	"context"
	"errors"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Source is whose record applies to a domain.
type Source string

// The sources, in the order of preference (RFC 9989 section 4.10.1).
const (
	Author       Source = "author"
	Organisation Source = "organisation"
	PublicSuffix Source = "public-suffix"
)

// Discovery is the policy that applies to mail from a domain.
type Discovery struct {
	Domain string // of the author
	Walk   *Walk  // as far as it was needed: its first step is the author's domain
	Source Source // "" if no record applies
	At     string // the domain whose record applies
	Record *Record
	Tag    string // p, sp or np: where Policy stands
	Policy Policy // "" if none applies
	// Requested is what Policy becomes by t=y: one level milder (RFC 9989 section 4.7).
	Requested Policy
	Absent    bool  // asked for np=: the domain does not exist (RFC 8020)
	Err       error // what kept it from being known
}

// Literal reports whether the author's domain is an address in place of one ("[192.0.2.1]"):
// no record can be published for it, and none is asked for.
func (d *Discovery) Literal() bool { return strings.HasPrefix(d.Domain, "[") }

// Applies reports whether a policy applies: a record that is usable was found.
func (d *Discovery) Applies() bool { return d.Policy != "" }

// Discover finds the policy that applies to mail from a domain, in A-labels (RFC 9989
// section 4.10.1): of itself, of its organisational domain, or of its public suffix.
func Discover(ctx context.Context, l Lookup, domain string) *Discovery {
	d := &Discovery{Domain: tidy(domain)}
	d.Walk = &Walk{Domain: d.Domain}
	if d.Domain == "" || d.Literal() {
		return d
	}
	first := ask(ctx, l, d.Domain)
	d.Walk.Steps = []Step{first}
	switch {
	case first.Err != nil:
		d.Walk.Err, d.Err = first.Err, first.Err
		return d
	case first.Record != nil:
		d.Source, d.At, d.Record = Author, d.Domain, first.Record
	default:
		d.Walk.climb(ctx, l)
		if d.Err = d.Walk.Err; d.Err != nil {
			return d
		}
		d.inherit()
	}
	d.decide(ctx, l)
	return d
}

// inherit takes the record of the organisational domain, or else of the public suffix.
func (d *Discovery) inherit() {
	if s := d.Walk.Found(d.Walk.Org); s != nil && s.Record != nil {
		d.Source, d.At, d.Record = Organisation, s.Domain, s.Record
		return
	}
	for _, s := range d.Walk.Steps {
		if s.Record != nil && s.Record.PSD == SuffixYes {
			d.Source, d.At, d.Record = PublicSuffix, s.Domain, s.Record
		}
	}
}

// decide takes the policy from the record.
func (d *Discovery) decide(ctx context.Context, l Lookup) {
	if d.Record == nil || !d.Record.Usable() {
		return
	}
	sub := d.Source != Author
	exists := true
	there, _ := d.Record.For(sub, true)
	if gone, _ := d.Record.For(sub, false); gone != there {
		if exists, d.Err = existing(ctx, l, d.Domain); d.Err != nil {
			return
		}
		d.Absent = !exists
	}
	d.Policy, d.Tag = d.Record.For(sub, exists)
	d.Requested = d.Policy
	if d.Record.Testing {
		d.Requested = d.Policy.milder()
	}
}

// existing reports whether a domain exists: whether any question about it is answered with
// something else than NXDOMAIN (RFC 9989 section 3.2.13, RFC 8020).
func existing(ctx context.Context, l Lookup, domain string) (bool, error) {
	_, err := l.TXT(ctx, domain)
	var e *route.Error
	switch {
	case err == nil || errors.As(err, &e) && e.Kind == route.NoData:
		return true, nil
	case e != nil && e.Kind == route.NXDomain:
		return false, nil
	}
	return false, err
}
