package spf

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Checker evaluates policies. Only Resolver is needed.
type Checker struct {
	Resolver route.Resolver
	Receiver string           // the checking host's name, for %{r}; "" is "unknown"
	Now      func() time.Time // for %{t}; nil is time.Now
	Timeout  time.Duration    // of one check; 0 is 20 s (section 4.6.4)
}

// Check is Checker.Check with the defaults.
func Check(ctx context.Context, r route.Resolver, ip netip.Addr, helo, mailFrom string) Result {
	c := Checker{Resolver: r}
	return c.Check(ctx, ip, helo, mailFrom)
}

// Check decides whether the host at ip, which called itself helo, may send mail from
// mailFrom, an address without angle brackets. Where mailFrom is "", the null
// reverse-path, it is postmaster at helo that is asked for (section 2.4). It never
// fails: what stands in the way is an outcome.
func (c *Checker) Check(ctx context.Context, ip netip.Addr, helo, mailFrom string) Result {
	limit := c.Timeout
	if limit <= 0 {
		limit = timeLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the time for the whole check is up: %v", limit))
	defer cancel()

	r := Result{IP: ip.Unmap().WithZone(""), Identity: "mailfrom"}
	if mailFrom == "" {
		mailFrom, r.Identity = helo, "helo"
	}
	local, domain := "postmaster", mailFrom // section 4.3
	if at := strings.LastIndexByte(mailFrom, '@'); at >= 0 {
		domain = mailFrom[at+1:]
		if at > 0 {
			local = mailFrom[:at]
		}
	}
	domain = ascii(domain)
	r.Sender, r.Domain = local+"@"+domain, domain
	e := &evaluation{ctx: ctx, resolver: c.Resolver, ip: r.IP, helo: ascii(helo), local: local, domain: domain,
		receiver: c.Receiver, now: time.Now, result: &r}
	if e.receiver == "" {
		e.receiver = "unknown"
	}
	if c.Now != nil {
		e.now = c.Now
	}
	if rule := senderRule(domain); rule != "" {
		r.Trace = &Trace{Domain: domain, Outcome: None, Reason: "it is not asked for: " + rule + " (section 4.3)"}
	} else {
		r.Trace = e.checkHost(domain, true)
	}
	r.Outcome, r.Reason = r.Trace.Outcome, r.Trace.Reason
	if r.Outcome == TempError || r.Outcome == PermError {
		r.Directive, r.At = "", ""
	}
	return r
}

// ascii is a domain as the DNS has it: in A-labels (RFC 8616 section 4), without its
// last dot. What IDNA cannot convert is left as it is, and is no domain.
func ascii(domain string) string {
	domain = strings.TrimSuffix(domain, ".")
	for i := range len(domain) {
		if domain[i] >= 0x80 && utf8.ValidString(domain) {
			profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))
			if a, err := profile.ToASCII(domain); err == nil {
				return a
			}
			break
		}
	}
	return domain
}

// domainRule names the rule that keeps a name from being asked for (section 4.3), or
// gives "".
func domainRule(name string) string {
	name = strings.TrimSuffix(name, ".")
	switch {
	case name == "":
		return "an empty name"
	case len(name) > maxDomain:
		return fmt.Sprintf("a name of %d octets: it has at most %d", len(name), maxDomain)
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return "a name with an empty label"
		case len(label) > 63:
			return fmt.Sprintf("a name with a label of %d octets: it has at most 63", len(label))
		}
	}
	return ""
}

// senderRule is domainRule for the domain that a check begins with.
func senderRule(name string) string {
	_, err := netip.ParseAddr(name)
	switch {
	case err == nil || strings.HasPrefix(name, "["):
		return "an address, not a domain"
	case domainRule(name) == "" && !strings.Contains(name, "."):
		return "a name of one label"
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return "a name that IDNA does not allow"
		}
	}
	return domainRule(name)
}

// presentation writes a name for the resolver, which takes backslash escapes (RFC 1035
// section 5.1): macros can bring any octet into a label.
func presentation(name string) string {
	plain := true
	for i := range len(name) {
		c := name[i]
		plain = plain && (isAlpha(c) || isDigit(c) || c == '.' || c == '-' || c == '_')
	}
	if plain {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if isAlpha(c) || isDigit(c) || strings.IndexByte(".-_+=~/*:!#%&'", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "\\%03d", c)
	}
	return b.String()
}
