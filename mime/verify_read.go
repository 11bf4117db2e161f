package mime

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readSignature reads a DKIM-Signature field (RFC 6376 sections 3.5 and 6.1.1). What
// spoils it is its verdict.
func readSignature(field string, now time.Time) *signature {
	s := &signature{text: field, limit: -1}
	s.out.Headers = []string{}
	_, value, _ := strings.Cut(field, ":")
	var err error
	if s.tags, err = parseTags(value); err != nil {
		s.give(VerdictPermError, fmt.Errorf("the signature is malformed: %w", err))
		return s
	}
	s.out.Domain, s.out.Selector = strings.ToLower(s.tags.word("d")), s.tags.word("s")
	s.out.Identity, s.out.Algorithm = s.tags.word("i"), s.tags.word("a")
	if h := s.tags.list("h"); h != nil {
		s.out.Headers = h
	}
	s.out.Canonicalization = s.tags.word("c")
	if s.out.Canonicalization == "" {
		s.out.Canonicalization = "simple/simple"
	}
	for _, check := range []func() error{s.required, s.names, s.algorithm, s.length} {
		if err := check(); err != nil {
			s.give(VerdictPermError, err)
			return s
		}
	}
	if err := s.times(now); err != nil {
		s.give(VerdictPermError, err)
	}
	if s.out.Expires != nil && now.After(*s.out.Expires) {
		s.give(VerdictFail, fmt.Errorf("it expired on %s", s.out.Expires.Format("2006-01-02 15:04Z")))
	}
	return s
}

// required checks that all is there that must be.
func (s *signature) required() error {
	if v := s.tags.word("v"); v != "1" {
		return fmt.Errorf("the signature has v=%s, where 1 is wanted", verbatim(v))
	}
	for _, name := range []string{"a", "b", "bh", "d", "h", "s"} {
		if s.tags.word(name) == "" {
			return fmt.Errorf("the signature has no %s=", name)
		}
	}
	if q := s.tags.list("q"); q != nil && !slices.Contains(q, "dns/txt") {
		return fmt.Errorf("q=%s: dns/txt is the only known way to ask for a key", verbatim(strings.Join(q, ":")))
	}
	return nil
}

// names checks the domain, the selector, the identity and the signed fields.
func (s *signature) names() error {
	if _, err := signingDomain(s.out.Domain); err != nil {
		return err
	}
	if err := checkSelector(s.out.Selector); err != nil {
		return err
	}
	if s.out.Identity != "" {
		_, domain, ok := cutLast(s.out.Identity, "@")
		if domain = strings.ToLower(domain); !ok || domain != s.out.Domain && !strings.HasSuffix(domain, "."+s.out.Domain) {
			return fmt.Errorf("i=%s is not within d=%s (RFC 6376 section 6.1.1)", verbatim(s.out.Identity), s.out.Domain)
		}
	}
	if !slices.ContainsFunc(s.out.Headers, func(h string) bool { return strings.EqualFold(h, "From") }) {
		return errors.New("h= does not name From, which must be signed (RFC 6376 section 6.1.1)")
	}
	if len(s.out.Headers) > fieldsMost {
		return fmt.Errorf("h= names over %d fields", fieldsMost)
	}
	return nil
}

// algorithm checks a=, c=, bh= and b=.
func (s *signature) algorithm() error {
	switch s.out.Algorithm {
	case "rsa-sha256", "ed25519-sha256":
		s.kind, _, _ = strings.Cut(s.out.Algorithm, "-")
	case "rsa-sha1":
		return errors.New("a=rsa-sha1: SHA-1 is broken, and such a signature must not be taken (RFC 8301 section 3.1)")
	default:
		return fmt.Errorf("a=%s: rsa-sha256 and ed25519-sha256 are known", verbatim(s.out.Algorithm))
	}
	var err error
	if s.header, _, err = ParseCanonicalization(s.out.Canonicalization); err != nil {
		return err
	}
	if s.sum, err = base64.StdEncoding.DecodeString(s.tags.word("bh")); err != nil {
		return fmt.Errorf("bh= is no base64: %w", err)
	}
	if s.sig, err = base64.StdEncoding.DecodeString(s.tags.word("b")); err != nil {
		return fmt.Errorf("b= is no base64: %w", err)
	}
	return nil
}

func (s *signature) length() error {
	l := s.tags.word("l")
	if _, ok := s.tags.get("l"); !ok {
		return nil
	}
	n, err := decimal(l)
	if err != nil {
		return fmt.Errorf("l=%s is no length", verbatim(l))
	}
	s.limit = n
	return nil
}

// times reads t= and x=.
func (s *signature) times(now time.Time) error {
	for _, t := range []struct {
		name string
		to   **time.Time
	}{{"t", &s.out.Signed}, {"x", &s.out.Expires}} {
		value, ok := s.tags.get(t.name)
		if !ok {
			continue
		}
		n, err := decimal(value)
		if err != nil || n > 1e12 { // RFC 6376 section 3.5: 12 digits must be taken
			return fmt.Errorf("%s=%s is no time", t.name, verbatim(value))
		}
		at := time.Unix(n, 0).UTC()
		*t.to = &at
	}
	signed, expires := s.out.Signed, s.out.Expires
	if signed != nil && expires != nil && !expires.After(*signed) {
		return errors.New("x= is not behind t=: it expired before it was made")
	}
	if signed != nil && signed.After(now.Add(5*time.Minute)) {
		s.find(Warn, "dkim-future", "RFC 6376 section 3.5", "it says that it is made on %s, which is still to come: some receivers ignore it", signed.Format("2006-01-02 15:04Z"))
	}
	return nil
}

// decimal reads digits alone.
func decimal(s string) (int64, error) {
	if strings.Trim(s, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 10, 64)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
