package mime

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Verdict is the result of a check, in the words of RFC 8601 section 2.7.1.
type Verdict string

// The verdicts on a DKIM signature.
const (
	VerdictPass      Verdict = "pass"
	VerdictFail      Verdict = "fail"      // it can be read, and is not right
	VerdictTempError Verdict = "temperror" // the key could not be looked up now
	VerdictPermError Verdict = "permerror" // it or its key cannot be used
)

// Verification is what the signatures of a message are worth.
type Verification struct {
	From       string             `json:"from"` // the domain of From, in A-labels; "" if it cannot be told
	Author     string             `json:"-"`    // its address: foreign text
	ReturnPath *string            `json:"-"`    // the address of the topmost Return-Path, "" is the null one; nil if there is none
	Aligned    bool               `json:"aligned"`
	Signatures []SignatureVerdict `json:"signatures"` // the topmost first
	ARC        []ARCSet           `json:"arc,omitempty"`
	Findings   []Finding          `json:"findings"`
}

// SignatureVerdict is the verdict on one signature.
type SignatureVerdict struct {
	Domain           string     `json:"domain"`             // d=
	Selector         string     `json:"selector"`           // s=
	Identity         string     `json:"identity,omitempty"` // i=, if it is there
	Algorithm        string     `json:"algorithm"`          // a=
	Canonicalization string     `json:"canonicalization"`   // c=
	Headers          []string   `json:"headers"`            // h=
	Signed           *time.Time `json:"signed,omitempty"`   // t=
	Expires          *time.Time `json:"expires,omitempty"`  // x=
	KeyBits          int        `json:"key_bits,omitempty"`
	Verdict          Verdict    `json:"verdict"`
	Reason           string     `json:"reason,omitempty"` // of any verdict but pass
	Alignment        Alignment  `json:"alignment"`        // of its domain with From's
	Findings         []Finding  `json:"findings,omitempty"`
}

// Sound reports whether the signature passes and covers what it has to.
func (s SignatureVerdict) Sound() bool {
	return s.Verdict == VerdictPass && !slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Level == Fail })
}

// ARCSet is one hop's seal (RFC 8617), as it says itself: it is not verified.
type ARCSet struct {
	Instance string `json:"instance"`
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
	Chain    string `json:"chain"`   // cv=
	Results  string `json:"results"` // of its ARC-Authentication-Results: foreign text
}

// signaturesMost bounds the signatures that are verified, and the seals shown.
const signaturesMost = 10

// Verify checks the DKIM signatures of the message (RFC 6376 section 6) at a time; the
// zero time is now. It looks keys up, reads the message once, and keeps none of its
// body. Line ends count as CR LF. The error is that of reading or of ctx: a signature that
// cannot be verified has its verdict.
func (r *Reading) Verify(ctx context.Context, lookup LookupTXT, now time.Time) (*Verification, error) {
	if now.IsZero() {
		now = time.Now()
	}
	in, err := r.held.open()
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	defer in.Close()
	l := newLineReader(in)
	fields, err := rawHeader(l)
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	v := &Verification{Signatures: []SignatureVerdict{}, Findings: []Finding{}}
	v.from(fields)
	all := v.signatures(fields, now)
	keys := &keyring{lookup: lookup, known: map[string]fetched{}}
	for _, s := range all {
		s.fetch(ctx, keys)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if err := hashBody(ctx, l, all); err != nil {
		return nil, err
	}
	for _, s := range all {
		s.decide(fields)
		s.out.Alignment = Align(s.out.Domain, v.From)
		v.Aligned = v.Aligned || s.out.Sound() && s.out.Alignment != NotAligned
		v.Signatures = append(v.Signatures, s.out)
	}
	v.ARC = arcSets(fields)
	return v, nil
}

// signatures reads the signatures, the topmost first.
func (v *Verification) signatures(fields []rawField, now time.Time) []*signature {
	var all []*signature
	more := 0
	for _, f := range fields {
		switch {
		case f.name != strings.ToLower(signatureField):
		case len(all) == signaturesMost:
			more++
		default:
			all = append(all, readSignature(f.text, now))
		}
	}
	if more > 0 {
		v.Findings = append(v.Findings, Finding{ID: "many-signatures", Level: Warn, Ref: "RFC 6376 section 8.4",
			Text: fmt.Sprintf("%d signatures behind the first %d were not verified", more, signaturesMost), Count: int64(more)})
	}
	return all
}

// hashBody reads the body once for all signatures that are still to be decided.
func hashBody(ctx context.Context, l *lineReader, all []*signature) error {
	var open []*bodyHash
	for _, s := range all {
		if s.body != nil {
			open = append(open, s.body)
		}
	}
	for n := 0; len(open) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := l.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("message: %w", err)
		}
		for _, b := range open {
			b.add(p)
		}
	}
	return nil
}

// signature is one being verified.
type signature struct {
	out    SignatureVerdict
	text   string // the field
	tags   tagList
	kind   string // rsa, ed25519
	header Canonicalization
	key    *keyRecord
	body   *bodyHash
	limit  int64 // l=, < 0: none
	sum    []byte
	sig    []byte
}

// give sets the verdict, if there is none.
func (s *signature) give(v Verdict, err error) {
	if s.out.Verdict == "" {
		s.out.Verdict, s.out.Reason = v, err.Error()
	}
}

func (s *signature) find(level Level, id, ref, format string, args ...any) {
	s.out.Findings = append(s.out.Findings, Finding{ID: id, Level: level, Ref: ref, Text: fmt.Sprintf(format, args...)})
}

// fetch looks the key up, and judges it with the signature (RFC 6376 section 6.1.2).
func (s *signature) fetch(ctx context.Context, keys *keyring) {
	if s.out.Verdict == VerdictPermError {
		return
	}
	key, err := keys.get(ctx, keyName(s.out.Selector, s.out.Domain))
	var unknown *lookupError
	if errors.As(err, &unknown) {
		s.give(VerdictTempError, err)
		return
	}
	if err == nil {
		err = key.permits(s.kind, "sha256")
	}
	if err != nil {
		s.give(VerdictPermError, err)
		return
	}
	s.key, s.out.KeyBits = key, key.bits
	s.out.Findings = append(s.out.Findings, key.findings()...)
	if _, domain, _ := cutLast(s.out.Identity, "@"); key.strict() && s.out.Identity != "" && !strings.EqualFold(domain, s.out.Domain) {
		s.give(VerdictPermError, fmt.Errorf("i=%s is not at %s, as the key record's t=s demands", verbatim(s.out.Identity), s.out.Domain))
	}
	if s.out.Verdict == "" {
		_, by, _ := ParseCanonicalization(s.out.Canonicalization)
		s.body = newBodyHash(by, sha256.New(), s.limit)
	}
}

// decide compares the hashes (RFC 6376 section 6.1.3).
func (s *signature) decide(fields []rawField) {
	if s.body == nil {
		return
	}
	sum := s.body.sum()
	switch {
	case s.limit > s.body.octets:
		s.give(VerdictPermError, fmt.Errorf("l=%d is more than the body has: %d octets", s.limit, s.body.octets))
		return
	case s.limit >= 0 && s.limit < s.body.octets:
		s.find(Fail, "dkim-length", "RFC 6376 section 8.2", "l=%d signs %d of %d octets of the body: anybody can write the rest", s.limit, s.limit, s.body.octets)
	case s.limit >= 0:
		s.find(Warn, "dkim-length", "RFC 6376 section 8.2", "l=%d: anybody can add to the body", s.limit)
	}
	if string(sum) != string(s.sum) {
		s.give(VerdictFail, fmt.Errorf("the body was changed: its hash is %s, and bh= is %s",
			base64.StdEncoding.EncodeToString(sum), base64.StdEncoding.EncodeToString(s.sum)))
		return
	}
	hash := headerHash(crypto.SHA256.New(), s.header, fields, s.out.Headers, s.text)
	if !s.key.verify(hash, s.sig) {
		s.give(VerdictFail, errors.New("the signature is not the key's: a signed header field was changed, or it was made with another key"))
		return
	}
	s.out.Verdict = VerdictPass
	s.unsigned(fields)
}

// unsigned tells what a signature that passes says nothing about.
func (s *signature) unsigned(fields []rawField) {
	named := map[string]int{}
	for _, name := range s.out.Headers {
		named[strings.ToLower(name)]++
	}
	there := map[string]int{}
	for _, f := range fields {
		there[f.name]++
	}
	var not []string
	level := Info
	for _, name := range []string{"Subject", "Date", "To", "Cc", "Reply-To", "Content-Type", "MIME-Version"} {
		low := strings.ToLower(name)
		if there[low] <= named[low] {
			continue
		}
		not = append(not, name)
		if name == "Subject" || name == "Date" { // whoever sends it again may write what readers go by; some large signers leave out the others
			level = Warn
		}
	}
	if len(not) > 0 {
		s.find(level, "dkim-unsigned-fields", "RFC 6376 section 5.4.1", "not signed: %s", strings.Join(not, ", "))
	}
	if there["from"] > named["from"] {
		s.find(Fail, "dkim-added-from", "RFC 6376 section 8.15", "there are %d From fields, and %d of them are signed", there["from"], named["from"])
	}
}

// keyring looks a key up once.
type keyring struct {
	lookup LookupTXT
	known  map[string]fetched
}

type fetched struct {
	key *keyRecord
	err error
}

func (k *keyring) get(ctx context.Context, name string) (*keyRecord, error) {
	name = strings.ToLower(name)
	f, ok := k.known[name]
	if !ok {
		f.key, f.err = lookupKey(ctx, k.lookup, name)
		k.known[name] = f
	}
	return f.key, f.err
}
