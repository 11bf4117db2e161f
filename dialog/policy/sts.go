package policy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Stage is how far MTA-STS goes at a domain.
type Stage uint8

// The stages. Senders apply a policy in the last one alone.
const (
	NoRecord   Stage = iota // the domain does not have MTA-STS
	Unknown                 // the DNS could not say
	BadRecord               // there is a record, or several, and none counts
	NotFetched              // the policy cannot be had
	BadPolicy               // it can, and is not valid
	Fetched                 // it can, and is
)

// String is the stage in one word.
func (s Stage) String() string {
	switch s {
	case NoRecord:
		return "none"
	case Unknown:
		return "unknown"
	case BadRecord:
		return "invalid-record"
	case NotFetched:
		return "not-fetched"
	case BadPolicy:
		return "invalid-policy"
	case Fetched:
		return "fetched"
	}
	return "unknown"
}

// MarshalText is the word of String.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// STS is what a domain says by MTA-STS.
type STS struct {
	Domain   string // as the DNS has it
	Stage    Stage
	Record   string // the TXT record, as it came
	ID       string // the policy's
	Policy   Policy // in stage Fetched
	Checks   []Line // of the certificate of the policy host, if it showed one
	Address  string // that the policy came from, as address:port
	Server   string // the DNS server that answered
	Err      error  // what ended it before Fetched: an *route.Error, a *FetchError, a *PolicyError
	Findings []route.Finding
	Took     time.Duration
}

const stsVersion = "v=STSv1"

// FindSTS looks for the MTA-STS policy of domain, which may be in any script: the
// record at _mta-sts, and the policy by HTTPS, once (RFC 8461 section 3). It takes
// 60 s at the most and never fails: what stands in the way is in Stage and Err.
func FindSTS(ctx context.Context, r route.Resolver, f Fetcher, domain string) *STS {
	start := time.Now()
	s := &STS{Domain: domain}
	s.find(ctx, r, f)
	s.Took = time.Since(start)
	return s
}

func (s *STS) find(ctx context.Context, r route.Resolver, f Fetcher) {
	_, ascii, err := route.ParseDomain(s.Domain)
	if err != nil {
		s.stop(NoRecord, err)
		return
	}
	s.Domain = ascii
	texts, server, err := texts(ctx, r, "_mta-sts."+ascii)
	s.Server = server
	if err != nil {
		s.stop(Unknown, err)
		return
	}
	record, found, err := choose(texts, stsVersion)
	s.Record = record
	switch {
	case err != nil:
		s.stop(BadRecord, err)
		return
	case !found:
		return
	}
	if s.ID, err = s.read(record); err != nil {
		s.stop(BadRecord, err)
		return
	}
	body, err := s.fetch(ctx, r, f)
	if err != nil {
		s.stop(NotFetched, err)
		return
	}
	if s.Policy, err = ParsePolicy(body); err != nil {
		s.stop(BadPolicy, err)
		return
	}
	s.Stage = Fetched
	s.Findings = append(s.Findings, s.Policy.Findings...)
}

func (s *STS) stop(at Stage, err error) { s.Stage, s.Err = at, err }

// Active reports whether senders hold hosts to the policy: in mode enforce or
// testing.
func (s *STS) Active() bool {
	return s != nil && s.Stage == Fetched && s.Policy.Mode != None
}

// Enforced reports whether senders deliver to no host that fails the policy.
func (s *STS) Enforced() bool { return s.Active() && s.Policy.Mode == Enforce }

// Allows reports whether the policy lists the MX host; without a policy none is.
func (s *STS) Allows(host string) bool { return s.Active() && s.Policy.Allows(host) }

// read gives the id of a record.
func (s *STS) read(record string) (id string, err error) {
	found, err := fieldsOf(record, stsVersion, "id")
	if err != nil {
		return "", err
	}
	seen := map[string]bool{}
	for _, f := range found {
		if seen[f.name] {
			s.Findings = append(s.Findings, route.Finding{ID: "sts-record-again", Text: f.name + " comes again in the record, so it is passed over"})
			continue
		}
		seen[f.name] = true
		if f.name != "id" {
			continue
		}
		if len(f.value) > 32 || !alphanumerics(f.value) {
			return "", fmt.Errorf("the id %s is not 1 to 32 letters and digits", quote(f.value))
		}
		id = f.value
	}
	if id == "" {
		return "", errors.New("it has no id")
	}
	return id, nil
}

func alphanumerics(s string) bool {
	for i := range len(s) {
		if !alphanumeric(s[i]) {
			return false
		}
	}
	return s != ""
}

// texts gives the TXT records at name; that there are none is no error.
func texts(ctx context.Context, r route.Resolver, name string) (found []string, server string, err error) {
	a, err := r.TXT(ctx, name)
	var e *route.Error
	if errors.As(err, &e) && e.Definite() {
		return nil, e.Server, nil
	}
	if e != nil {
		return nil, e.Server, err
	}
	return a.Records, a.Server, err
}
