package check

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

func sendChecks() []Check {
	return []Check{
		{ID: "send-fcrdns", Group: Sending, Topic: "host", About: "the sending address has a name that leads back to it",
			Ref: "RFC 8601 section 2.7.3", Needs: []Need{NeedIP}, Gives: []Verdict{Pass, Fail, Error}, Run: sendFCrDNS},
		{ID: "send-helo", Group: Sending, Topic: "host", About: "the name that the sending host greets with is its own",
			Ref: "RFC 5321 section 4.1.4", Needs: []Need{NeedHELO}, Gives: []Verdict{Pass, Warn, Fail, Error}, Run: sendHELO},
		{ID: "dnsbl", Group: Sending, Topic: "host", About: "the sending address is on none of the lists that were named",
			Ref: "RFC 5782 section 2", Needs: []Need{NeedIP, NeedDNSBL}, Gives: []Verdict{Pass, Fail, Error}, Run: dnsbl},
	}
}

// sendFCrDNS is stricter than for a host that takes mail: it is senders that are
// refused for it.
func sendFCrDNS(ctx context.Context, s *Subject) []Result {
	r := FCrDNS(ctx, s.Resolver, s.IP).verdict()
	if r.Verdict == Warn {
		r.Verdict = Fail
	}
	return one(r)
}

func sendHELO(ctx context.Context, s *Subject) []Result {
	name := s.HELO
	if literal, ok := strings.CutPrefix(name, "["); ok {
		return one(literalHELO(s, strings.TrimPrefix(strings.TrimSuffix(literal, "]"), "IPv6:")))
	}
	_, host, err := route.ParseDomain(name)
	switch {
	case err != nil:
		return one(Failed("%v", err).Meaning("receivers refuse such a greeting").Fixed("greet with the host's full name"))
	case !strings.Contains(host, "."):
		return one(Failed("%s is not fully qualified", name).Meaning("many receivers refuse such a greeting").
			Fixed("greet with the host's full name, as its PTR record has it"))
	}
	addrs, err := s.Resolver.Addr(ctx, host, route.Both)
	switch {
	case isDefinite(err):
		return one(Failed("%s has no address", name).With(err.Error()).Meaning("many receivers refuse such a greeting").
			Fixed("publish the host's address: %s. A ADDRESS", host))
	case err != nil:
		return one(Untested("%v", err))
	case !s.IP.IsValid():
		return one(Passed("%s has an address", name).With(addresses(addrs.Records)...))
	case !slices.Contains(addrs.Records, s.IP.Unmap()):
		return one(Warned("%s is not %s", name, s.IP).With(addresses(addrs.Records)...).
			Meaning("receivers may count it against the mail, though they must not refuse it for that").Fixed("greet with the name that leads to %s", s.IP))
	}
	return one(Passed("%s is %s", name, s.IP))
}

// literalHELO is about a greeting with an address (RFC 5321 section 4.1.4).
func literalHELO(s *Subject, text string) Result {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return Failed("%s is no address literal", s.HELO).Fixed("greet with the host's full name")
	case s.IP.IsValid() && addr.Unmap() != s.IP.Unmap():
		return Failed("%s is not %s", s.HELO, s.IP).Fixed("greet with the host's full name")
	}
	return Warned("an address in place of a name").Meaning("it is allowed to a host without a name, and many receivers refuse it").
		Fixed("greet with the host's full name")
}

func addresses(all []netip.Addr) []string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.String()
	}
	return texts
}
