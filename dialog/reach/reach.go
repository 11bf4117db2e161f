// Package reach takes a conversation to a target: it finds the hops, dials them,
// and decides whether the next one is tried.
//
//	Target  what the user asked for: a domain, a host, an address, a URL
//	Way     how connections leave this host: from which address, through which proxy
//	Proxied the header of the PROXY protocol that a connection begins with
//	Reach   how to get there: resolver, dialer, TLS, and the options of each session
//	Hop     one address of one host
//	Visit   what became of one hop
package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Dialer opens a connection; net.Dialer's DialContext is one.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Reach is how targets are reached.
type Reach struct {
	Resolver       route.Resolver
	HostsFile      string // read for host targets alone; "" is none
	Dial           Dialer
	Via            string // the proxy that Dial goes through, for people; "" is none
	Family         route.Family
	ConnectTo      []Redirect
	PublicOnly     bool            // special addresses are not dialled: private, loopback and others
	Proxied        *Proxied        // the PROXY header that a connection begins with; nil is none
	Said           func(string)    // told of each line on a command's standard error, as it came; may be nil
	ConnectTimeout time.Duration   // for one address
	Discover       *Discovery      // nil: what the domain publishes of TLS is not looked up
	Vouch          *policy.Fetcher // not nil: DNSSEC or the MTA-STS policy that it fetches has to lead to a host (RFC 8689 section 4.2.1)
	Session        dialog.Options  // for each session; TLS.Name is the hop's host unless it is set
	Visited        func(Visit)     // told of each visit as it ends; may be nil
}

// Hop is one address of one host that a target leads to.
type Hop struct {
	Host     string         // what the certificate has to prove
	Addr     netip.AddrPort // not valid if only a Redirect says where to go
	Port     uint16
	Pref     uint16      // of its MX record
	Socket   string      // the UNIX socket that leads there instead of Addr, or ""
	Command  string      // the command that is dialled instead of Addr, or ""
	Implicit bool        // TLS from the first byte, RFC 8314 section 3
	Domain   string      // whose mail goes there; "" if the user named the host
	Signed   bool        // the DNS answers that lead from Domain to Host are validated
	web      bool        // it is no SMTP server, but where a policy is fetched
	STS      *policy.STS // the MTA-STS policy of Domain; nil: not looked for
}

// local reports whether the hop is a process on this host, without an address.
func (h Hop) local() bool { return h.Socket != "" || h.Command != "" }

// Hops finds where t leads, and shows it. The error is one of route's, or the
// context's cause.
func (r *Reach) Hops(ctx context.Context, t Target) ([]Hop, error) {
	hop := Hop{Host: t.Name, Port: t.Port, Socket: t.Socket, Command: t.Command, Implicit: t.Implicit}
	if hop.local() {
		return []Hop{hop}, nil
	}
	if to, ok := r.redirect(hop); ok && to.To != "" && t.Direct {
		return []Hop{hop}, nil
	}
	find := route.To
	if t.Direct {
		find = route.ToHost
	}
	if r.Session.Waiting != nil {
		r.Session.Waiting(dialog.Waiting{For: "DNS answer for " + t.Name})
	}
	found, err := find(ctx, r.Resolver, t.Name, t.Port, route.Options{Family: r.Family, HostsFile: r.HostsFile})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !found.Literal && !errors.As(err, new(*route.DomainError)) {
		r.Session.Stream.Emit(route.Resolved{Route: found, Err: err})
	}
	if err != nil {
		return nil, err
	}
	if !t.Direct && !found.Literal {
		hop.Domain, hop.Signed = found.Domain, found.Authentic
		hop.STS = r.sts(ctx, found.Domain, found.Authentic)
	}
	var hops []Hop
	for _, host := range found.Hosts {
		for _, addr := range host.Addrs {
			hop.Pref, hop.Host, hop.Addr = host.Pref, host.Name, netip.AddrPortFrom(addr, t.Port)
			if hop.Host == "" {
				hop.Host = addr.String()
			}
			hops = append(hops, hop)
		}
	}
	return hops, nil
}

// Visit is what became of one hop.
type Visit struct {
	Hop     Hop
	Addr    string // that was dialled, the hop's or a Redirect's
	Report  dialog.Report
	Err     error         // nil, or a *dialog.Error
	Reached bool          // the connection was made
	Connect time.Duration // until it was, with the header of the PROXY protocol
}

// Visit dials a hop and runs a plan there. The plan begins with the banner;
// implicit TLS comes before it.
func (r *Reach) Visit(ctx context.Context, hop Hop, plan dialog.Plan) (visit Visit) {
	visit = Visit{Hop: hop, Addr: r.Address(hop)}
	options := r.Session
	options.Local = hop.local()
	if options.TLS.Name == "" {
		options.TLS.Name = hop.Host
	}
	demand, err := r.demand(ctx, hop, &options)
	if err != nil {
		visit.Err = &dialog.Error{Phase: dialog.PhaseTLS, Err: err}
		return visit
	}
	defer func() {
		visit.Err = held(demand, hop.Host, visit.Err)
		if r.Visited != nil {
			r.Visited(visit)
		}
	}()
	began := time.Now()
	nc, err := r.connect(ctx, hop, &options)
	if err != nil {
		visit.Err = &dialog.Error{Phase: dialog.PhaseConnect, Err: err}
		return visit
	}
	visit.Reached, visit.Connect = true, time.Since(began)
	defer finish(ctx, nc, &options)
	if hop.Implicit {
		if options.Waiting != nil {
			options.Waiting(dialog.Waiting{For: "TLS handshake", Limit: options.Timeouts.Reply})
		}
		secured, report, err := dialog.Handshake(ctx, nc, options.TLS, options.Timeouts.Reply, options.Now())
		if err != nil {
			_ = nc.Close()
			options.Stream.Emit(dialog.Finding{Fail: true, Text: err.Error()})
			if failed, ok := err.(*dialog.TLSError); ok {
				failed.Implicit = true
			}
			visit.Err = &dialog.Error{Phase: dialog.PhaseTLS, Err: err}
			return visit
		}
		report.Implicit = true
		nc = secured
		plan = append(dialog.Plan{dialog.Judge(report)}, plan...)
	}
	if options.Hello == "" {
		options.Hello = literal(nc.LocalAddr())
	}
	session := dialog.NewSession(nc, options)
	visit.Err = plan.Run(ctx, session)
	visit.Report = session.Report
	tested(demand, visit, &options)
	return visit
}

// literal is an address as EHLO has it where there is no name (RFC 5321 section
// 4.1.3).
func literal(a net.Addr) string {
	addr, err := netip.ParseAddrPort(a.String())
	switch {
	case err != nil:
		return "[127.0.0.1]"
	case addr.Addr().Unmap().Is4():
		return "[" + addr.Addr().Unmap().String() + "]"
	}
	return "[IPv6:" + addr.Addr().WithZone("").String() + "]"
}

// TryNext reports whether a sender goes on to the next hop after err, and says
// in a few words what happened. RFC 5321 section 5.1 has it try the next address
// until one succeeds; what concerns the message, TLS or the user ends the search.
func TryNext(err error) (bool, string) {
	var (
		at       *dialog.Error
		refusal  *dialog.Refusal
		connect  *ConnectError
		timeout  *dialog.TimeoutError
		protocol *dialog.ProtocolError
		policed  *PolicyError
		special  *SpecialError
	)
	switch {
	case errors.As(err, &protocol) && errors.As(err, &at) && at.Phase == dialog.PhaseTLS:
		return false, "" // an attack, perhaps: the next host may have no TLS at all
	case errors.As(err, &policed):
		return policed.Action != policy.Refuse, policed.short()
	case errors.As(err, &connect):
		return true, connect.Short()
	case errors.As(err, &special):
		return true, "has no public address there"
	case errors.As(err, new(*dialog.TLSError)), errors.As(err, new(*dialog.AuthError)), errors.As(err, new(*dialog.UnmetError)), errors.As(err, new(*dialog.BodyError)):
		return false, ""
	case errors.As(err, &refusal):
		return true, fmt.Sprintf("answered %s", refusal.Reply.Codes())
	case errors.As(err, &timeout):
		return true, "did not answer in time"
	case errors.As(err, new(*dialog.LostError)):
		return true, "closed the connection"
	case errors.As(err, new(*dialog.ProtocolError)):
		return true, "broke the protocol"
	}
	return false, ""
}

// Tour runs a plan at one hop after the other while next says so; its word, such
// as "refused the connection", heads the next one.
func (r *Reach) Tour(ctx context.Context, hops []Hop, plan func(Hop) dialog.Plan, next func(Visit) (bool, string)) []Visit {
	var visits []Visit
	for i, hop := range hops {
		here := plan(hop)
		visit := r.Visit(ctx, hop, here)
		visits = append(visits, visit)
		for n := 2; visit.Report.Full && visit.Err == nil && ctx.Err() == nil; n++ { // the same plan goes on where it was
			r.Session.Stream.Emit(Head{Name: hop.Host, What: "connection", Index: n, After: "all that LIMITS allows on one"})
			visit = r.Visit(ctx, hop, here)
			visits = append(visits, visit)
		}
		more, after := next(visit)
		if !more || ctx.Err() != nil || i == len(hops)-1 {
			break
		}
		head := Head{Name: hops[i+1].Host, What: "hop", Index: i + 2, Of: len(hops)}
		if after != "" {
			head.After = hop.Host + " " + after
			if hop.Host == head.Name {
				head.After = hop.Addr.Addr().String() + " " + after
			}
		}
		r.Session.Stream.Emit(head)
	}
	return visits
}

// Deliver takes messages from hop to hop until no recipient is left that another
// hop may take, and decides what a refusal of the whole conversation means.
func (r *Reach) Deliver(ctx context.Context, hops []Hop, mail ...*dialog.Delivery) []Visit {
	plan := func(hop Hop) dialog.Plan {
		return dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), dialog.Xclient(), dialog.Auth(), dialog.Xforward(), dialog.Deliver(hop.Host, mail...), dialog.Quit()}
	}
	visited := 0
	return r.Tour(ctx, hops, plan, func(v Visit) (bool, string) {
		visited++
		var refusal *dialog.Refusal
		if errors.As(v.Err, &refusal) && (visited == len(hops) || refusal.Reply.Temporary()) {
			for _, d := range mail {
				d.Decide(refusal.Reply, phaseOf(v.Err), v.Hop.Host)
			}
		}
		if v.Report.Stopped || !slices.ContainsFunc(mail, (*dialog.Delivery).Open) {
			return false, ""
		}
		if v.Err == nil {
			return true, dialog.Deferred.String()
		}
		return TryNext(v.Err)
	})
}

func phaseOf(err error) dialog.Phase {
	var e *dialog.Error
	if errors.As(err, &e) {
		return e.Phase
	}
	return dialog.PhaseConnect
}
