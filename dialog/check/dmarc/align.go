package dmarc

import (
	"context"
	"errors"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// aligner compares domains with that of the author, and walks up from each once.
type aligner struct {
	lookup Lookup
	author *Walk // as discovery left it: perhaps with its first step only
	walks  map[string]*Walk
	err    error // the first that hid an organisational domain
}

// align sets Aligned, Org and Why (RFC 9989 section 4.10.2). Equal domains and strict alignment
// need no walk, nor does a domain that is not within the author's organisation: its own
// is itself or above it.
func (a *aligner) align(ctx context.Context, id *Identifier) {
	author := a.author.Domain
	switch {
	case id.Domain == author:
		id.Aligned, id.Why = true, "aligned: it is the domain of From"
		return
	case id.Mode == Strict:
		id.Why = "not aligned: it is not " + author + ", and alignment is strict"
		return
	}
	if a.author.Org == "" {
		a.author.climb(ctx, a.lookup)
	}
	org, err := a.author.Org, a.author.Err
	if err == nil {
		if id.Domain != org && !strings.HasSuffix(id.Domain, "."+org) {
			id.Why = "not aligned: it is not within " + org + ", the organisation of " + author
			return
		}
		id.Org, err = a.org(ctx, id.Domain)
	}
	switch {
	case err != nil:
		id.Why = "not known to be aligned: " + err.Error()
		if a.err == nil {
			a.err = err
		}
	case id.Org == org:
		id.Aligned, id.Why = true, "aligned: both are of "+org
	default:
		id.Why = "not aligned: it is of " + id.Org + ", and " + author + " is of " + org
	}
}

func (a *aligner) org(ctx context.Context, domain string) (string, error) {
	w, ok := a.walks[domain]
	if !ok {
		w = Tree(ctx, a.lookup, domain)
		a.walks[domain] = w
	}
	return w.Org, w.Err
}

// broken is the result that an error of the DNS leads to.
func broken(err error) Result {
	var e *route.Error
	if errors.As(err, &e) && !e.Temporary() {
		return PermError
	}
	return TempError
}
