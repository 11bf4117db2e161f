package reach

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
)

// Discovery looks up what a domain publishes of TLS, and holds its hosts to it.
type Discovery struct {
	Want  policy.Discovery
	Fetch policy.Fetcher // for MTA-STS; Dial and Family are filled in
}

// PolicyError is a host that a published policy, or the lack of one, keeps us from.
type PolicyError struct {
	Host   string
	Action policy.Action // Skip, PutOff or Refuse
	By     string        // "DANE", "MTA-STS" or Vouched
	Why    string
	Err    error // how the host failed what is demanded; nil: it was not spoken to
}

// Vouched is what a PolicyError is by where Reach.Vouch keeps us from a host.
const Vouched = "REQUIRETLS"

func (e *PolicyError) Error() string { return e.Why }
func (e *PolicyError) Unwrap() error { return e.Err }

// short is what is wrong with the host in a few words.
func (e *PolicyError) short() string {
	switch {
	case e.Err != nil:
		return "did not pass " + e.By
	case e.Action == policy.PutOff:
		return "has TLSA records that cannot be had"
	}
	return "is not to be used"
}

// held is err as it concerns a host that a published policy made demands on: one
// that does not meet them is passed over like one that cannot be reached (RFC 7672
// section 2.2, RFC 8461 section 5).
func held(d policy.Demand, host string, err error) error {
	if d.By == "" || !errors.As(err, new(*dialog.TLSError)) {
		return err
	}
	return &dialog.Error{Phase: phaseOf(err), Err: &PolicyError{Host: host, Action: policy.Skip, By: d.By, Why: err.Error(), Err: err}}
}

// sts looks for the MTA-STS policy of a domain, and shows what there is.
func (r *Reach) sts(ctx context.Context, domain string, signed bool) *policy.STS {
	var fetch policy.Fetcher
	switch {
	case r.Discover != nil && r.Discover.Want != policy.NeedsDANE:
		fetch = r.Discover.Fetch
	case r.Vouch != nil && !signed:
		fetch = *r.Vouch
	default:
		return nil
	}
	r.waiting("MTA-STS policy of " + domain)
	found := policy.FindSTS(ctx, r.Resolver, r.Fetcher(fetch, domain), domain)
	r.Session.Stream.Emit(found)
	return found
}

// Fetcher is f as it reaches the policy host of domain from here: with the
// redirects and the family that hold for every connection.
func (r *Reach) Fetcher(f policy.Fetcher, domain string) policy.Fetcher {
	f.Family = r.Family
	f.Instead = func(addr netip.AddrPort) string {
		return r.Address(Hop{Host: "mta-sts." + domain, Port: addr.Port(), Addr: addr, web: true})
	}
	f.Dial = r.dial
	return f
}

// DANE looks for the TLSA records of a hop's host. It is nil for an address and
// for a process on this host, which can have none.
func (r *Reach) DANE(ctx context.Context, hop Hop) *policy.DANE {
	if net.ParseIP(hop.Host) != nil || hop.local() {
		return nil
	}
	r.waiting("TLSA records of " + hop.Host)
	return policy.FindDANE(ctx, r.Resolver, policy.Query{
		Host: hop.Host, Port: hop.Port, Domain: hop.Domain, Signed: hop.Signed, Family: r.Family,
	})
}

func (r *Reach) waiting(what string) {
	if r.Session.Waiting != nil {
		r.Session.Waiting(dialog.Waiting{For: what})
	}
}

// vouched is a *PolicyError if nothing vouches for the way from a domain to its host
// though something has to: who forges MX records names a host that can prove its name.
func (r *Reach) vouched(hop Hop) error {
	if r.Vouch == nil || hop.Domain == "" || hop.Signed || hop.STS != nil && hop.STS.Allows(hop.Host) {
		return nil
	}
	why := fmt.Sprintf("no DNSSEC and no MTA-STS policy proves that mail for %s goes to %s", hop.Domain, hop.Host)
	return &PolicyError{Host: hop.Host, Action: policy.Skip, By: Vouched, Why: why}
}

// demand raises o to what is published for a hop. Its error is a *PolicyError. The
// result tells what came of it when the conversation is over.
func (r *Reach) demand(ctx context.Context, hop Hop, o *dialog.Options) (policy.Demand, error) {
	if err := r.vouched(hop); err != nil {
		o.Stream.Emit(dialog.Finding{Fail: true, Text: err.Error()})
		return policy.Demand{}, err
	}
	if r.Discover == nil || o.TLS.Policy == dialog.PolicyNever {
		return policy.Demand{}, nil
	}
	// Also where MTA-STS is asked for: it must not override a DANE that fails (RFC
	// 8461 section 2).
	dane := r.DANE(ctx, hop)
	if dane != nil {
		o.Stream.Emit(dane)
	}
	if ctx.Err() != nil {
		return policy.Demand{}, context.Cause(ctx)
	}
	d := policy.Decide(r.Discover.Want, dane, hop.STS, hop.Host)
	for _, text := range d.Notes {
		o.Stream.Emit(dialog.Finding{Text: text})
	}
	if d.Action != policy.Go {
		o.Stream.Emit(dialog.Finding{Fail: true, Text: d.Why})
		return d, &PolicyError{Host: hop.Host, Action: d.Action, By: d.By, Why: d.Why}
	}
	switch d.Level {
	case policy.Must:
		o.TLS.Policy = max(o.TLS.Policy, dialog.PolicyMust)
	case policy.Verify:
		o.TLS.Policy = max(o.TLS.Policy, dialog.PolicyVerify)
	}
	if d.DANE != nil {
		if o.TLS.SNI == "" {
			o.TLS.SNI = d.DANE.Base // RFC 7672 section 8.1
		}
		o.TLS.Prove = func(state tls.ConnectionState) []dialog.TLSVerdict {
			var verdicts []dialog.TLSVerdict
			for _, line := range d.DANE.Verify(state.PeerCertificates, o.Now()).Lines {
				verdicts = append(verdicts, dialog.TLSVerdict(line))
			}
			return verdicts
		}
	}
	return d, nil
}

// tested says what a policy in mode testing would have made of a visit.
func tested(d policy.Demand, visit Visit, o *dialog.Options) {
	if !d.Testing || !visit.Reached || visit.Report.TLS != nil && visit.Report.TLS.Verified() {
		return
	}
	o.Stream.Emit(dialog.Finding{Text: "MTA-STS is in mode testing: in mode enforce, senders would not deliver to " + visit.Hop.Host})
}
