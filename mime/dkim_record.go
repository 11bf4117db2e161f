package mime

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// LookupTXT gives the TXT records of a name, a string each, whose pieces are
// joined; none and no error if there are none, for whatever reason; an error, which
// names what was asked for, if that could not be found out now.
type LookupTXT func(ctx context.Context, name string) ([]string, error)

// Kinds of keys (RFC 6376 section 3.6.1, RFC 8463 section 2).
const (
	kindRSA     = "rsa"
	kindEd25519 = "ed25519"
)

// rsaMost bounds what a foreign key makes us compute, in bits.
const rsaMost = 16384

// keyRecord is a published key (RFC 6376 section 3.6.1).
type keyRecord struct {
	kind     string
	public   crypto.PublicKey
	bits     int
	hashes   []string // nil: all
	services []string // nil: all
	flags    []string
	beside   int // other TXT records at its name
}

// Errors of a key record that somebody decides on.
var (
	errRevoked  = errors.New("the key is revoked: its p= is empty")
	errNoRecord = errors.New("no key is published")
)

// parseRecord reads a key record.
func parseRecord(s string) (*keyRecord, error) {
	tags, err := parseTags(s)
	if err != nil {
		return nil, fmt.Errorf("the key record is malformed: %w", err)
	}
	if v, ok := tags.get("v"); ok && (v != "DKIM1" || tags[0].name != "v") {
		return nil, fmt.Errorf("the key record has v=%s: v=DKIM1 is wanted, in the first place", verbatim(v))
	}
	p, ok := tags.get("p")
	if !ok {
		return nil, errors.New("the key record has no p=, which is the key")
	}
	r := &keyRecord{kind: kindRSA, hashes: tags.list("h"), services: tags.list("s"), flags: tags.list("t")}
	if k, ok := tags.get("k"); ok {
		r.kind = k
	}
	if p = dropFWS(p); p == "" {
		return r, errRevoked
	}
	der, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return r, fmt.Errorf("the key record's p= is no base64: %w", err)
	}
	return r, r.read(der)
}

// read reads the octets of the public key.
func (r *keyRecord) read(der []byte) error {
	switch r.kind {
	case kindEd25519:
		if len(der) != ed25519.PublicKeySize {
			return fmt.Errorf("the published Ed25519 key has %d octets, not %d (RFC 8463 section 4.2)", len(der), ed25519.PublicKeySize)
		}
		r.public, r.bits = ed25519.PublicKey(der), 256
	case kindRSA:
		// RFC 6376 is at odds with itself about the form: erratum 3017 allows both.
		pub, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			if pub, err = x509.ParsePKCS1PublicKey(der); err != nil {
				return errors.New("the published key is no RSA key")
			}
		}
		k, ok := pub.(*rsa.PublicKey)
		if !ok {
			return errors.New("the published key is no RSA key")
		}
		r.public, r.bits = k, k.N.BitLen()
		if r.bits < rsaLeast || r.bits > rsaMost {
			return fmt.Errorf("the published RSA key has %d bits: %d to %d are taken (RFC 8301 section 3.2)", r.bits, rsaLeast, rsaMost)
		}
	default:
		return fmt.Errorf("the published key is of the kind %s: rsa and ed25519 are known", verbatim(r.kind))
	}
	return nil
}

// testing reports whether the domain tests DKIM: t=y.
func (r *keyRecord) testing() bool { return slices.Contains(r.flags, "y") }

// findings are why receivers may not count a signature by the key, though it can be used.
func (r *keyRecord) findings() []Finding {
	var all []Finding
	if r.kind == kindRSA && r.bits < rsaGood {
		all = append(all, shortKey(r.bits))
	}
	return append(all, r.published()...)
}

// published are those findings that are about how the key is published.
func (r *keyRecord) published() []Finding {
	var all []Finding
	if r.testing() {
		all = append(all, Finding{ID: "dkim-testing", Level: Warn, Ref: "RFC 6376 section 3.6.1",
			Text: "the key record has t=y: the domain only tests DKIM, and receivers may treat its mail as unsigned"})
	}
	if r.beside > 0 {
		all = append(all, Finding{ID: "dkim-more-records", Level: Warn, Ref: "RFC 6376 section 3.6.2.2",
			Text: fmt.Sprintf("%d TXT records where the key record is to be alone: receivers may not find the key", 1+r.beside)})
	}
	return all
}

// strict reports whether i= must be at the very domain of d=: t=s.
func (r *keyRecord) strict() bool { return slices.Contains(r.flags, "s") }

// permits returns an error if the record does not allow a mail signature with
// that algorithm (RFC 6376 section 6.1.2).
func (r *keyRecord) permits(kind, hash string) error {
	switch {
	case r.kind != kind:
		return fmt.Errorf("the published key is of the kind %s, and the signature of the kind %s", verbatim(r.kind), verbatim(kind))
	case r.hashes != nil && !slices.Contains(r.hashes, hash):
		return fmt.Errorf("the key record's h=%s does not allow %s", verbatim(strings.Join(r.hashes, ":")), hash)
	case r.services != nil && !slices.Contains(r.services, "*") && !slices.Contains(r.services, "email"):
		return fmt.Errorf("the key record's s=%s does not allow mail", verbatim(strings.Join(r.services, ":")))
	}
	return nil
}

// lookupKey finds the one key record at name. A *lookupError tells nothing about
// the key.
func lookupKey(ctx context.Context, lookup LookupTXT, name string) (*keyRecord, error) {
	all, err := lookup(ctx, name)
	if err != nil {
		return nil, &lookupError{err}
	}
	if len(all) == 0 {
		return nil, errNoRecord
	}
	beside := 0
	if n := len(all); n > 1 { // receivers differ on that: what comes of it is undefined (RFC 6376 section 3.6.2.2)
		all = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !looksLikeKey(s) })
		if len(all) == 0 {
			return nil, errNoRecord
		}
		beside = n - len(all)
	}
	if len(all) > 1 {
		return nil, &severalError{len(all)}
	}
	r, err := parseRecord(all[0])
	if err == nil {
		r.beside = beside
	}
	return r, err
}

// severalError says that a key is published more than once.
type severalError struct{ records int }

func (e *severalError) Error() string {
	return fmt.Sprintf("%d key records are published, and one is allowed (RFC 6376 section 3.6.2.2)", e.records)
}

func looksLikeKey(s string) bool {
	tags, err := parseTags(s)
	if err != nil {
		return strings.HasPrefix(trimFWS(s), "v=DKIM1")
	}
	_, ok := tags.get("p")
	return ok
}

// lookupError is a question that got no answer.
type lookupError struct{ err error }

func (e *lookupError) Error() string { return e.err.Error() }
func (e *lookupError) Unwrap() error { return e.err }

// CheckKey compares a key with what is published for it, as a receiver would, and
// adds what is weak about the key itself. Without findings the key will do. The
// error is that of the lookup.
func CheckKey(ctx context.Context, lookup LookupTXT, k *Key) ([]Finding, error) {
	all := k.Findings()
	fail := func(id, ref string, err error) {
		all = append(all, Finding{ID: id, Level: Fail, Ref: ref, Text: err.Error()})
	}
	r, err := lookupKey(ctx, lookup, k.Name())
	var unknown *lookupError
	switch {
	case errors.As(err, &unknown):
		return all, err
	case errors.Is(err, errNoRecord):
		fail("dkim-no-record", "RFC 6376 section 3.6.2", fmt.Errorf("no key is published at %s", k.Name()))
		return all, nil
	case errors.Is(err, errRevoked):
		fail("dkim-revoked", "RFC 6376 section 3.6.1", err)
		return all, nil
	case err != nil:
		fail("dkim-bad-record", "RFC 6376 section 3.6.1", err)
		return all, nil
	}
	if err := r.permits(k.kind(), "sha256"); err != nil {
		fail("dkim-not-permitted", "RFC 6376 section 6.1.2", err)
	}
	if r.kind == k.kind() && !k.matches(r.public) {
		fail("dkim-other-key", "RFC 6376 section 3.6.1", fmt.Errorf("another key is published at %s: no signature by this one will pass", k.Name()))
	}
	return append(all, r.published()...), nil
}

func (k *Key) matches(public crypto.PublicKey) bool {
	own, ok := k.signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}

// verify reports whether signature is the key's for that hash.
func (r *keyRecord) verify(sum, signature []byte) bool {
	switch k := r.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, sum, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum, signature) == nil
	}
	return false
}
