package check

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// dnsbl asks each list about the address, but first whether it is a list at all: each
// has 127.0.0.2 on it, and 127.0.0.1 not (RFC 5782 section 5).
func dnsbl(ctx context.Context, s *Subject) []Result {
	var all []Result
	for _, zone := range s.DNSBLs {
		r, err := askList(ctx, s, strings.Trim(zone, "."))
		if err != nil {
			r = Untested("%v", err)
		}
		all = append(all, r.On(zone))
	}
	return all
}

func askList(ctx context.Context, s *Subject, zone string) (Result, error) {
	in, out := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")
	if s.IP.Unmap().Is6() {
		in, out = netip.MustParseAddr("::ffff:7f00:2"), netip.MustParseAddr("::ffff:7f00:1")
	}
	for _, test := range []struct {
		addr netip.Addr
		want bool
	}{{in, true}, {out, false}} {
		codes, err := listing(ctx, s, test.addr, zone)
		switch {
		case err != nil:
			return Result{}, err
		case refusal(codes) != "":
			return Untested("%s", refusal(codes)).With(codes...), nil
		case test.want && len(codes) == 0 && s.IP.Unmap().Is6():
			return Untested("the list has no test entry for IPv6: it lists IPv4 addresses alone, or is dead").By("RFC 5782 section 5"), nil
		case test.want && len(codes) == 0:
			return Untested("the list does not have its test entry: it is dead, or none").By("RFC 5782 section 5"), nil
		case !test.want && len(codes) > 0:
			return Untested("the list has every address on it").With(codes...).By("RFC 5782 section 5"), nil
		}
	}
	codes, err := listing(ctx, s, s.IP, zone)
	switch {
	case err != nil:
		return Result{}, err
	case refusal(codes) != "":
		return Untested("%s", refusal(codes)).With(codes...), nil
	case len(codes) == 0:
		return Passed("%s is not listed", s.IP), nil
	}
	r := Failed("%s is listed: %s", s.IP, strings.Join(codes, ", ")).
		Meaning("receivers that use the list refuse mail from this address").
		Fixed("find out what was sent from it, stop that, then ask the list to take it off")
	if why, err := s.texts(ctx, reversed(s.IP, zone)); err == nil {
		r = r.With(why...)
	}
	return r, nil
}

// listing gives the codes that a list answers with; none if the address is not on it.
func listing(ctx context.Context, s *Subject, addr netip.Addr, zone string) ([]string, error) {
	a, err := s.Resolver.Addr(ctx, reversed(addr, zone), route.IPv4)
	if isDefinite(err) {
		return nil, nil
	}
	return addresses(a.Records), err
}

// refusal says why codes are no answer of a list, "" if they are one.
func refusal(codes []string) string {
	for _, code := range codes {
		switch {
		case code == "127.255.255.252":
			return "the list does not know the name that it was asked by"
		case code == "127.255.255.254":
			return "the list does not answer a public resolver: ask it by one of your own, with --dns-server"
		case code == "127.255.255.255":
			return "the list was asked too often, and does not answer"
		case code == "127.0.0.1": // URIBL's, by its own documentation; RFC 5782 section 2.1 begins at 127.0.0.2
			return "the list answers with 127.0.0.1: so lists tell those whom they refuse to answer"
		case strings.HasPrefix(code, "127.255.255."):
			return "the list answers with an error"
		case !strings.HasPrefix(code, "127."):
			return "the answer is no code of a list: the zone has other addresses, or somebody rewrites what does not exist"
		}
	}
	return ""
}

// reversed is the name by which a list is asked about an address (RFC 5782 sections 2.1
// and 2.4).
func reversed(addr netip.Addr, zone string) string {
	if addr.Is4() {
		b := addr.As4()
		return fmt.Sprintf("%d.%d.%d.%d.%s", b[3], b[2], b[1], b[0], zone)
	}
	var name strings.Builder
	b := addr.As16()
	for i := len(b) - 1; i >= 0; i-- {
		fmt.Fprintf(&name, "%x.%x.", b[i]&0xf, b[i]>>4)
	}
	return name.String() + zone
}
