package check

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/ehlo-mail/ehlo/dialog"
)

// optInChecks do what nobody but a server's owner should.
func optInChecks() []Check {
	return []Check{
		{ID: "relay-open", Group: Receiving, Topic: "active", About: "servers do not take mail from strangers to strangers, however it is addressed",
			Ref: "RFC 5321 section 7.1", Needs: []Need{NeedDomain, NeedRelayOpen}, Looks: LookRelay,
			Gives: []Verdict{Pass, Warn, Fail, Error, Skip}, Run: relayOpen},
		{ID: "smuggling", Group: Receiving, Topic: "active", About: "only CR LF . CR LF ends a message",
			Ref: "RFC 5321 section 4.1.1.4", Needs: []Need{NeedDomain, NeedSmuggling}, Looks: LookTLS,
			Gives: []Verdict{Pass, Info, Fail, Error, Skip}, Run: smuggling},
	}
}

// relayForm is a way to address somebody elsewhere.
type relayForm struct {
	name  string
	path  string
	local bool // a server may take it for a mailbox of its own, if it takes every name
}

// relayForms are the six of relay-open, to a mailbox at a domain that is reserved for
// examples (RFC 2606 section 3).
func relayForms(domain string, addr netip.Addr) []relayForm {
	const user, other = "relay-test", "example.org"
	literal := addr.String()
	if addr.Is6() {
		literal = "IPv6:" + literal
	}
	return []relayForm{
		{"the address as it is", user + "@" + other, false},
		{"a source route", "@" + domain + ":" + user + "@" + other, false},
		{"a % in its local part", user + "%" + other + "@" + domain, true},
		{"a % at the server's address", user + "%" + other + "@[" + literal + "]", true},
		{"a quoted address", `"` + user + "@" + other + `"@` + domain, true},
		{"a path of hosts", other + "!" + user + "@" + domain, true},
	}
}

// relayed is what a server made of the forms.
type relayed struct {
	taken, local, evidence []string
	control                *dialog.Reply   // to a made-up name at its own domain: a positive one says that it takes every name
	vain                   []*dialog.Reply // to forms, that say nothing of relaying
	err                    error
}

func relayOpen(ctx context.Context, s *Subject) []Result {
	all := s.Servers(ctx)
	found := asked(s, "relaying", all, func(v *Server) *relayed {
		r := &relayed{}
		r.err = s.talk(ctx, v, func(ctx context.Context, session *dialog.Session) error { return r.ask(ctx, session, s.ASCII, v) })
		return r
	})
	results := each(all, (*Server).greeted, func(v *Server) []Result { return one(found[v].verdict()) })
	if len(results) == 0 {
		return one(s.without(ctx, "no server greeted"))
	}
	return results
}

// ask tries every form, each in a transaction of its own, and never says DATA.
func (r *relayed) ask(ctx context.Context, session *dialog.Session, domain string, v *Server) error {
	forms := append([]relayForm{{"", madeUp() + "@" + domain, true}}, relayForms(domain, v.Addr)...)
	for _, form := range forms {
		reply, err := say(ctx, session, dialog.PhaseMail, "MAIL", "FROM:<>")
		if err != nil {
			return err
		}
		if reply.Temporary() {
			return fmt.Errorf("the null sender is put off: %s", reply)
		}
		if !reply.Positive() {
			return fmt.Errorf("the null sender is refused: %s", reply)
		}
		if reply, err = say(ctx, session, dialog.PhaseRcpt, "RCPT", "TO:<"+form.path+">"); err != nil {
			return err
		}
		if form.name == "" {
			r.control = reply
		} else {
			r.answered(form, reply)
		}
		if _, err = say(ctx, session, dialog.PhaseMail, "RSET"); err != nil {
			return err
		}
	}
	return nil
}

// answered takes down the reply to a form.
func (r *relayed) answered(form relayForm, reply *dialog.Reply) {
	r.evidence = append(r.evidence, "RCPT TO:<"+form.path+">: "+reply.String())
	switch _, vain := aside(dialog.PhaseRcpt, reply); {
	case vain:
		r.vain = append(r.vain, reply)
	case reply.Positive() && form.local:
		r.local = append(r.local, form.name)
	case reply.Positive():
		r.taken = append(r.taken, form.name)
	}
}

func (r *relayed) verdict() Result {
	every := r.control.Positive()
	_, vain := aside(dialog.PhaseRcpt, r.control)
	switch {
	case len(r.taken) > 0:
		return Failed("takes mail to other domains: %s", strings.Join(append(r.taken, r.local...), ", ")).With(r.evidence...).
			Meaning("spammers send through it, and it ends on every blocklist").
			Fixed("relay for its own networks and for those who log in alone; Postfix: smtpd_relay_restrictions").As("open")
	case r.err != nil:
		return Untested("%v", reason(r.err)).With(r.evidence...)
	case len(r.vain) > 0:
		first := r.vain[0]
		why, _ := aside(dialog.PhaseRcpt, first)
		are := "are"
		if len(r.vain) == 1 {
			are = "is"
		}
		forms := fmt.Sprintf("%d of %d forms of address %s", len(r.vain), len(r.evidence), are)
		return refusedAside(forms, first.String(), first, why).With(r.evidence...)
	case len(r.local) > 0 && vain:
		return refusedAside("a made-up name at its own domain is", r.control.Codes(), r.control, "").With(r.evidence...).
			Meaning("it takes addresses that may be its own, or lead to other domains: %s", strings.Join(r.local, ", "))
	case len(r.local) > 0 && !every:
		return Warned("takes addresses that may lead to other domains: %s", strings.Join(r.local, ", ")).With(r.evidence...).
			Meaning("it may relay them: only a message would tell").
			Fixed("refuse them; Postfix: allow_percent_hack = no, swap_bangpath = no")
	}
	return Passed("does not relay").With(r.evidence...).As("closed")
}

// smuggling sends messages, so it is kept from every server that is not one's own.
func smuggling(ctx context.Context, s *Subject) []Result {
	if known := s.addresses(ctx); len(known) > 0 && !slices.ContainsFunc(known, func(v *Server) bool { return s.owns(v.Addr) }) {
		return each(known, anyServer, func(*Server) []Result { return one(smuggled(nil)) }) // nobody need be connected to for that
	}
	all := s.Servers(ctx)
	found := make(map[*Server]*smugglings, len(all))
	var group sync.WaitGroup
	for _, v := range all {
		if v.greeted() && s.owns(v.Addr) {
			seen := &smugglings{endings: make([]dialog.Smuggling, len(dialog.SmuggledEndings()))}
			found[v] = seen
			group.Go(func() { s.smuggle(ctx, v, seen) })
		}
	}
	group.Wait()
	results := each(all, (*Server).greeted, func(v *Server) []Result { return one(smuggled(found[v])) })
	if len(results) == 0 {
		return one(s.without(ctx, "no server greeted"))
	}
	return results
}

// owns reports whether a server may be sent messages.
func (s *Subject) owns(addr netip.Addr) bool { return s.Own || own(addr) }

// smugglings are what a server made of the messages.
type smugglings struct {
	plain   dialog.Smuggling // of one without an odd ending
	err     error            // that ended its conversation
	endings []dialog.Smuggling
}

// smuggle sends a message without an odd ending, then tries one ending after the
// other, on a connection each.
func (s *Subject) smuggle(ctx context.Context, v *Server, seen *smugglings) {
	send := func(ending string, hasty bool, found *dialog.Smuggling) error {
		return s.converse(ctx, v, dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.SmuggleMessage("postmaster@"+s.ASCII, ending, hasty, found), dialog.Quit()})
	}
	seen.err = send("\r\n", false, &seen.plain)
	if seen.plain != dialog.SmugglingKept && seen.plain != dialog.SmugglingRefused {
		return // the others would tell nothing
	}
	for i, ending := range dialog.SmuggledEndings() {
		found := &seen.endings[i]
		if send(ending, false, found) != nil && ctx.Err() != nil {
			return
		}
		if again := dialog.SmugglingUntested; *found == dialog.SmugglingUnclear { // it does not mind haste
			if _ = send(ending, true, &again); again == dialog.SmugglingDone {
				*found = again
			}
		}
	}
}

func smuggled(all *smugglings) Result {
	if all == nil {
		return Skipped("a server at a public address is sent no messages")
	}
	seen := all.endings
	var done, kept, untested, unclear, evidence []string
	for i, ending := range dialog.SmuggledEndings() {
		name := strings.NewReplacer("\r", "<CR>", "\n", "<LF>").Replace(ending)
		evidence = append(evidence, name+": "+seen[i].String())
		switch seen[i] {
		case dialog.SmugglingDone:
			done = append(done, name)
		case dialog.SmugglingKept:
			kept = append(kept, name)
		case dialog.SmugglingUntested:
			untested = append(untested, name)
		case dialog.SmugglingUnclear:
			unclear = append(unclear, name)
		}
	}
	switch {
	case all.plain == dialog.SmugglingUnclear, all.plain == dialog.SmugglingDone:
		return Untested("a message without odd line ends has more replies than one, too").With("<CR><LF>: " + all.plain.String()).
			Meaning("so its replies do not tell what it takes for the end of a message")
	case len(done) > 0:
		return Failed("takes %s for the end of a message", strings.Join(done, " ")).With(evidence...).
			Meaning("who sends through a server that passes it on can forge mail to this one (SMTP smuggling)").
			Fixed("update the server; Postfix: smtpd_forbid_bare_newline = normalize")
	case all.plain == dialog.SmugglingUntested && all.err != nil:
		return Untested("no message is taken: %v", reason(all.err))
	case all.plain != dialog.SmugglingKept:
		return Untested("a message without odd line ends is not taken either").With(append([]string{"<CR><LF>: " + all.plain.String()}, evidence...)...)
	case len(unclear) > 0:
		return Untested("has more replies than one to %s, and they are not those to what stands behind it", strings.Join(unclear, " ")).With(evidence...)
	case len(untested) > 0:
		return Untested("not every form could be tried: %s", strings.Join(untested, " ")).With(evidence...)
	case len(kept) > 0:
		return Noted("takes %s as a part of the message", strings.Join(kept, " ")).With(evidence...).
			Meaning("if it passes that on as it is, other servers may take it for the end").Fixed("refuse messages with bare CR or LF")
	}
	return Passed("refuses other ends than <CR><LF>.<CR><LF>").With(evidence...)
}
