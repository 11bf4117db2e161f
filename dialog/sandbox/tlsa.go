package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// The usages of a TLSA record that name an authority (RFC 6698 section 2.1.1).
const (
	usagePKIXTA = 0
	usageDANETA = 2
)

// tlsa makes the TLSA records of a service of the host name, which belong to owner.
func (a *authority) tlsa(v *Service, name, owner string) ([]dns.RR, error) {
	var all []dns.RR
	for _, spec := range list(v.TLSA) {
		rr, err := a.association(v, name, spec)
		if err != nil {
			return nil, fmt.Errorf("sandbox: TLSA %q of %s: %w", spec, name, err)
		}
		rr.Hdr = header(owner, dns.TypeTLSA)
		all = append(all, rr)
	}
	return all, nil
}

// association makes one TLSA record, by a spec as Service.TLSA has them.
func (a *authority) association(v *Service, name, spec string) (*dns.TLSA, error) {
	fields := strings.Fields(spec)
	if len(fields) < 3 {
		return nil, fmt.Errorf("%d fields", len(fields))
	}
	var numbers [3]uint8
	for i := range numbers {
		n, err := strconv.ParseUint(fields[i], 10, 8)
		if err != nil {
			return nil, err
		}
		numbers[i] = uint8(n)
	}
	rr := &dns.TLSA{Usage: numbers[0], Selector: numbers[1], MatchingType: numbers[2]}
	id, err := a.identity(v, name)
	if len(fields) > 3 {
		id, err = a.issue(SelfSigned, "other."+name)
	}
	if err != nil {
		return nil, err
	}
	of := id.leaf.cert
	if by := id.leaf.by; by != nil && (rr.Usage == usagePKIXTA || rr.Usage == usageDANETA) {
		of = by.cert
	}
	matching := rr.MatchingType
	if matching > 2 { // nobody knows what its data would be
		matching = 1
	}
	rr.Certificate, err = dns.CertificateToDANE(rr.Selector, matching, of)
	return rr, err
}

// list splits what is separated by ", "; nothing is an empty list.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ", ")
}
