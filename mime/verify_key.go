package mime

import (
	"context"
	"errors"
)

// Published is a key as it is published.
type Published struct {
	Name string // where: SELECTOR._domainkey.DOMAIN
	Kind string // rsa, ed25519; "" if there is none that can be used
	Bits int
}

// JudgeKey looks at the key published for a selector of a domain, as a receiver would
// (RFC 6376 section 6.1.2), and tells what is wrong with it. The error says that it could
// not be looked up, or that the selector cannot be one.
func JudgeKey(ctx context.Context, lookup LookupTXT, domain, selector string) (Published, []Finding, error) {
	p := Published{Name: keyName(selector, domain)}
	if err := checkSelector(selector); err != nil {
		return p, nil, err
	}
	r, err := lookupKey(ctx, lookup, p.Name)
	fail := func(id, ref string, err error) (Published, []Finding, error) {
		return p, []Finding{{ID: id, Level: Fail, Ref: ref, Text: err.Error()}}, nil
	}
	var unknown *lookupError
	switch {
	case errors.As(err, &unknown):
		return p, nil, err
	case errors.Is(err, errNoRecord):
		return fail("dkim-no-record", "RFC 6376 section 3.6.2", err)
	case errors.Is(err, errRevoked):
		return fail("dkim-revoked", "RFC 6376 section 3.6.1", err)
	case errors.As(err, new(*severalError)):
		return fail("dkim-several-records", "RFC 6376 section 3.6.2.2", err)
	case err != nil:
		return fail("dkim-bad-record", "RFC 6376 section 3.6.1", err)
	}
	if err := r.permits(r.kind, "sha256"); err != nil {
		return fail("dkim-not-permitted", "RFC 6376 section 6.1.2", err)
	}
	p.Kind, p.Bits = r.kind, r.bits
	return p, r.findings(), nil
}
