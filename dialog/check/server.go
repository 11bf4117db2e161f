package check

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// serverChecks judge how MX hosts present themselves.
func serverChecks() []Check {
	row := func(id, about, ref string, looks Look, run func(context.Context, *Subject) []Result, gives ...Verdict) Check {
		return Check{ID: id, Group: Receiving, Topic: "server", About: about, Ref: ref, Needs: []Need{NeedDomain}, Looks: looks, Gives: gives, Run: run}
	}
	return []Check{
		row("mx-reach", "every address of every MX host takes connections on port 25", "RFC 5321 section 5.1", LookGreeting, mxReach, Pass, Fail, Error, Skip),
		row("mx-greeting", "servers greet with 220 and answer EHLO", "RFC 5321 section 4.2", LookGreeting, onServers(connected, "no server was reached", mxGreeting), Pass, Warn, Fail, Error, Skip),
		row("mx-identity", "servers name themselves in full, by a name that leads to them", "RFC 5321 section 4.1.4", LookGreeting, mxIdentity, Pass, Info, Warn, Error, Skip),
		row("mx-fcrdns", "the addresses of MX hosts have names that lead back to them", "RFC 1912 section 2.1", 0, mxReverse, Pass, Warn, Error, Skip),
		row("auth-plain-clear", "no passwords are asked for before TLS", "RFC 4954 section 4", LookGreeting, onServers((*Server).greeted, "no server greeted", authInClear), Pass, Warn, Fail, Error, Skip),
	}
}

func anyServer(*Server) bool { return true }

// connected reports whether the connection was made.
func connected(v *Server) bool { return v.Report.Visit.Reached }

func mxReach(ctx context.Context, s *Subject) []Result {
	all := s.Servers(ctx)
	if len(all) == 0 {
		return one(s.without(ctx, "no server is known"))
	}
	reached := slices.ContainsFunc(all, connected)
	return each(all, anyServer, func(v *Server) []Result { return one(reachedResult(ctx, v, reached)) })
}

// reachedResult says whether v takes connections; others says that some server does, so
// that our own network lets us out.
func reachedResult(ctx context.Context, v *Server, others bool) Result {
	err := v.Report.Visit.Err
	var failed *reach.ConnectError
	switch {
	case connected(v):
		return Passed("takes connections")
	case ctx.Err() != nil:
		return Untested("not reached: %v", context.Cause(ctx))
	case errors.As(err, new(*LimitError)):
		return Untested("not reached: %v", reason(err))
	case errors.As(err, new(*reach.SpecialError)), !public(v.Addr):
		return Skipped("not reached: not everybody's address") // which mx-addr tells
	case !errors.As(err, &failed):
		return Untested("not reached: %v", reason(err))
	case errors.Is(err, syscall.ECONNREFUSED):
		return Failed("refused the connection").With(failed.Error()).
			Meaning("senders go on to another host, or try again for days").
			Fixed("start the mail server there, or take the host out of the MX records")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return Untested("%s", failed.Short()).With(failed.Error()).
			Meaning("this host has no way there: no IPv6, perhaps").Fixed("try again from a host that has")
	case !others:
		return Untested("%s", failed.Short()).With(failed.Error()).
			Meaning("no server answers: many networks let nothing out to port 25").
			Fixed("try again from a host whose network does")
	}
	return Failed("%s", failed.Short()).With(failed.Error()).
		Meaning("senders wait for minutes before they go on to another host").
		Fixed("open port 25 in its firewall, or take the host out of the MX records")
}

// reason is err without what a report says anyway.
func reason(err error) error {
	var at *dialog.Error
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		return limit
	case errors.As(err, &at):
		return at.Err
	}
	return err
}

// senderPatience is how long senders wait for a greeting, and for the replies before DATA
// (RFC 5321 sections 4.5.3.2.1 and 4.5.3.2.2).
const senderPatience = 5 * time.Minute

// patience is the value of --timeout by which ehlo waits as long, for what a phase brings.
func patience(p dialog.Phase) string {
	if p == dialog.PhaseConnect {
		return "banner=5m"
	}
	return "reply=5m"
}

func mxGreeting(_ context.Context, _ *Subject, v *Server) []Result {
	report, err := v.Report.Visit.Report, v.Report.Visit.Err
	var refusal *dialog.Refusal
	var broken *dialog.ProtocolError
	var late *dialog.TimeoutError
	var at *dialog.Error
	early := errors.As(err, &at) && at.Phase <= dialog.PhaseFirstHello
	switch {
	case early && errors.As(err, &refusal) && refusal.Reply.Temporary():
		return one(Warned("puts us off: %s", refusal.Reply.Codes()).With(refusal.Reply.String()).
			Meaning("mail is delayed until it greets again").Fixed("ehlo explain '%s'", refusal.Reply.String()))
	case early && errors.As(err, &refusal):
		return one(Failed("turns us away: %s", refusal.Reply.Codes()).With(refusal.Reply.String()).
			Meaning("senders treated so deliver nothing; it may be our address alone").
			Fixed("ehlo explain '%s'", refusal.Reply.String()))
	case early && errors.As(err, &broken):
		return one(Failed("breaks the protocol: %s", broken.Reason).
			Meaning("senders end the conversation, and try again later").
			Fixed("have a mail server answer there, and nothing else"))
	case early && errors.As(err, &late) && late.After < senderPatience:
		return one(Untested("%v", late).Meaning("senders wait for 5 minutes, so that it may take mail all the same").
			By("RFC 5321 section 4.5.3.2").Fixed("again with --timeout %s --max-time 15m", patience(at.Phase)))
	case early && (late != nil || errors.As(err, new(*dialog.LostError))):
		return one(Failed("no greeting: %v", reason(err)).Meaning("senders give up and try again later").
			Fixed("look at its log, and at the load and the filters before it"))
	case early:
		return one(Untested("%v", reason(err)))
	case report.Banner == nil || !v.greeted():
		return one(Untested("no conversation"))
	}
	text := report.Banner.String()
	if report.Offers[0].Verb == "HELO" {
		return one(Warned("knows only HELO: no extensions, no TLS").With(text).
			Fixed("have it answer EHLO, which every server has to (RFC 5321 section 2.2.1)"))
	}
	if odd := oddities(report); len(odd) > 0 {
		return one(Warned("%s", strings.Join(odd, "; ")).With(text).Fixed("ehlo probe %s   # shows each reply as it came", v.Host))
	}
	return one(Passed("greets").With(text))
}

// oddities of the greeting and of the reply to the first EHLO.
func oddities(report dialog.Report) []string {
	odd := slices.Clone(report.Banner.Oddities)
	odd = append(odd, report.Offers[0].Reply.Oddities...)
	return append(odd, report.Offers[0].Oddities...)
}

// mxIdentity looks at the names in the banner and in the reply to EHLO.
func mxIdentity(ctx context.Context, s *Subject) []Result {
	results := each(s.Servers(ctx), (*Server).greeted, func(v *Server) []Result { return one(s.identity(ctx, v)) })
	if len(results) == 0 {
		return one(s.without(ctx, "no server greeted"))
	}
	return results
}

func (s *Subject) identity(ctx context.Context, v *Server) Result {
	report := v.Report.Visit.Report
	hello, banner := firstWord(report.Offers[0].Reply), firstWord(report.Banner)
	evidence := []string{report.Banner.String(), "250 " + strings.Join(report.Offers[0].Reply.Lines()[:1], "")}
	name := hello
	if !strings.Contains(name, ".") && strings.Contains(banner, ".") {
		name = banner
	}
	if strings.HasPrefix(name, "[") {
		return Warned("names itself by its address, %s", name).With(evidence...).Fixed("let it say its own name, %s", v.Host)
	}
	if _, _, err := route.ParseDomain(name); err != nil || !strings.Contains(strings.TrimSuffix(name, "."), ".") {
		return Warned("does not name itself in full: \"%s\"", name).With(evidence...).
			Meaning("logs and loops are hard to follow").Fixed("let it say its own name, %s", v.Host)
	}
	answer, err := s.Resolver.Addr(ctx, name, route.Both)
	var told *route.Error
	switch {
	case slices.Contains(answer.Records, v.Addr):
	case strings.EqualFold(strings.TrimSuffix(name, "."), v.Host):
	case errors.As(err, &told) && told.Definite():
		return Noted("names itself %s, which has no address", name).With(evidence...)
	case err != nil:
		return Untested("names itself %s, the address of which is not known: %s", name, why(err)).With(evidence...)
	default:
		return Noted("names itself %s, which has other addresses", name).With(evidence...)
	}
	if strings.Contains(banner, ".") && strings.Contains(hello, ".") && !strings.EqualFold(banner, hello) {
		return Noted("greets as %s and answers EHLO as %s", banner, hello).With(evidence...)
	}
	return Passed("names itself %s", name).With(evidence...)
}

func firstWord(r *dialog.Reply) string {
	lines := r.Lines()
	if len(lines) == 0 {
		return ""
	}
	words := strings.Fields(lines[0])
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// mxReverse asks for the names of every address, once whichever hosts have it, and whether they
// lead back. It matters where the host sends, too: receivers ask of senders.
func mxReverse(ctx context.Context, s *Subject) []Result {
	found, _ := s.Route(ctx)
	hosts := map[netip.Addr][]string{}
	var addrs []netip.Addr
	for _, h := range found.Hosts {
		for _, addr := range h.Addrs {
			if name := route.Unicode(h.Name); !slices.Contains(hosts[addr], name) {
				hosts[addr] = append(hosts[addr], name)
			}
			if !slices.Contains(addrs, addr) {
				addrs = append(addrs, addr)
			}
		}
	}
	if len(addrs) == 0 {
		return one(s.without(ctx, "no server is known"))
	}
	results := make([]Result, len(addrs))
	var group sync.WaitGroup
	for i, addr := range addrs {
		group.Go(func() {
			results[i] = FCrDNS(ctx, s.Resolver, addr).verdict().On(strings.Join(hosts[addr], ", "))
		})
	}
	group.Wait()
	return results
}

func authInClear(_ context.Context, _ *Subject, v *Server) []Result {
	first := v.Report.Visit.Report.Offers[0]
	offer, offered := first.Find("AUTH")
	if !offered || first.Secure {
		return one(Passed("no AUTH before TLS"))
	}
	var plain []string
	for _, m := range offer.Params {
		switch strings.ToUpper(m) {
		case "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER":
			plain = append(plain, strings.ToUpper(m))
		}
	}
	evidence := "250 AUTH " + strings.Join(offer.Params, " ")
	if len(plain) == 0 {
		return one(Warned("AUTH is offered before TLS, by mechanisms that do not send the password").With(evidence).
			Fixed("offer AUTH under TLS alone, and on the ports of submission"))
	}
	return one(Failed("asks for passwords in the clear: AUTH %s before TLS", strings.Join(plain, " ")).With(evidence).
		Meaning("whoever is on the way reads the passwords of those who log in").
		Fixed("offer AUTH under TLS alone; Postfix: smtpd_tls_auth_only = yes"))
}
