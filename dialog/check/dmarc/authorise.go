package dmarc

import (
	"context"
	"slices"
)

// Authorisation is whether a domain takes the reports of another.
type Authorisation struct {
	URI      URI
	External bool   // it is of another organisation, and so has to agree
	Name     string // what was asked for, where External
	Agreed   bool
	// Override replaces the URI: the rua= or ruf= of the other domain's own record.
	Override []URI
	Err      error // what kept it from being known
}

// Authorise asks whether the host of a report address agreed to take reports about domain,
// at which the record was found (RFC 9990 section 4, RFC 9991 section 5). An address of the same organisation
// needs no consent, nor does one without a host.
func Authorise(ctx context.Context, l Lookup, domain string, u URI) Authorisation {
	a := Authorisation{URI: u}
	domain = tidy(domain)
	if u.Host == "" || u.Host == domain {
		return a
	}
	from, to := Tree(ctx, l, domain), Tree(ctx, l, u.Host)
	if from.Err != nil || to.Err != nil {
		a.Err = from.Err
		if a.Err == nil {
			a.Err = to.Err
		}
		return a
	}
	if a.External = from.Org != to.Org; !a.External {
		return a
	}
	a.Name = domain + "._report._dmarc." + u.Host
	texts, err := records(ctx, l, a.Name)
	a.Err = err
	for _, text := range texts {
		r, err := Parse(text)
		if err != nil {
			continue
		}
		a.Agreed = true
		for _, o := range slices.Concat(r.RUA, r.RUF) {
			if len(a.Override) < urisMost {
				a.Override = append(a.Override, o)
			}
		}
	}
	return a
}

// Astray reports whether an override leads to another host again, so that no report is
// sent at all.
func (a Authorisation) Astray() bool {
	return slices.ContainsFunc(a.Override, func(o URI) bool { return o.Host != a.URI.Host })
}
