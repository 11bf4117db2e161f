package check

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// activeChecks ask servers what a sender would not, but for a message.
func activeChecks() []Check {
	row := func(id, about, ref string, judge func(*inquiry) Result, gives ...Verdict) Check {
		return Check{ID: id, Group: Receiving, Topic: "active", About: about, Ref: ref, Needs: []Need{NeedDomain, NeedActive}, Looks: LookMailboxes, Gives: gives,
			Run: func(ctx context.Context, s *Subject) []Result { return s.onAsked(ctx, judge) }}
	}
	return []Check{
		row("vrfy-expn", "servers do not tell strangers which mailboxes and lists there are", "RFC 5321 section 7.3", disclosure, Pass, Warn, Error, Skip),
		row("postmaster", "mail to postmaster is taken", "RFC 5321 section 4.5.1", postmaster, Pass, Fail, Error, Skip),
		row("abuse", "mail to abuse is taken", "RFC 2142 section 2", abuse, Pass, Warn, Error, Skip),
		row("catch-all", "a mailbox that cannot exist is refused", "RFC 5321 section 3.3", catchAll, Pass, Warn, Error, Skip),
		{ID: "starttls-injection", Group: Receiving, Topic: "active", About: "what stands in the clear behind STARTTLS is not answered under TLS",
			Ref: "RFC 3207 section 6", Needs: []Need{NeedDomain, NeedActive}, Looks: LookInjection, Gives: []Verdict{Pass, Warn, Fail, Error, Skip},
			Run: onServers((*Server).greeted, "no server greeted", injection)},
	}
}

// inquiry is what a server answered to questions about mailboxes; nil replies were
// not come to.
type inquiry struct {
	v        *Server
	err      error
	vrfy     [2]*dialog.Reply // postmaster, and a name that nobody has
	expn     *dialog.Reply    // postmaster
	mail     *dialog.Reply    // from the null sender
	post     *dialog.Reply    // RCPT postmaster
	abuse    *dialog.Reply
	madeUp   *dialog.Reply
	nobody   string      // the local part of a mailbox that cannot exist
	evidence [3][]string // of the conversation's parts: VRFY and EXPN, MAIL, RCPT
}

// shown is text with the made-up name without its random end, so that one run is like the
// next.
func (a *inquiry) shown(text string) string {
	return strings.ReplaceAll(text, a.nobody, "no-such-user")
}

// onAsked judges what every server answered. Each address is asked once, on one connection.
func (s *Subject) onAsked(ctx context.Context, judge func(*inquiry) Result) []Result {
	all := s.Servers(ctx)
	answers := asked(s, "mailboxes", all, func(v *Server) *inquiry { return s.askMailboxes(ctx, v) })
	results := each(all, (*Server).greeted, func(v *Server) []Result { return one(judge(answers[v])) })
	if len(results) == 0 {
		return one(s.without(ctx, "no server greeted"))
	}
	return results
}

// askMailboxes converses with v: VRFY, EXPN, MAIL from the null sender and RCPT, and
// no DATA.
func (s *Subject) askMailboxes(ctx context.Context, v *Server) *inquiry {
	nobody := madeUp()
	a := &inquiry{v: v, nobody: nobody}
	a.err = s.talk(ctx, v, func(ctx context.Context, session *dialog.Session) error {
		for _, q := range []struct {
			phase  dialog.Phase
			verb   string
			arg    string
			answer **dialog.Reply
		}{
			{dialog.PhaseAsk, "VRFY", "postmaster@" + s.ASCII, &a.vrfy[0]},
			{dialog.PhaseAsk, "VRFY", nobody + "@" + s.ASCII, &a.vrfy[1]},
			{dialog.PhaseAsk, "EXPN", "postmaster@" + s.ASCII, &a.expn},
			{dialog.PhaseMail, "MAIL", "FROM:<>", &a.mail},
			{dialog.PhaseRcpt, "RCPT", "TO:<postmaster@" + s.ASCII + ">", &a.post},
			{dialog.PhaseRcpt, "RCPT", "TO:<abuse@" + s.ASCII + ">", &a.abuse},
			{dialog.PhaseRcpt, "RCPT", "TO:<" + nobody + "@" + s.ASCII + ">", &a.madeUp},
		} {
			if q.phase == dialog.PhaseRcpt && !a.mail.Positive() {
				break
			}
			reply, err := say(ctx, session, q.phase, q.verb, q.arg)
			if err != nil {
				return err
			}
			*q.answer = reply
			seen := a.shown(q.verb + " " + q.arg + ": " + reply.String())
			part := map[dialog.Phase]int{dialog.PhaseAsk: 0, dialog.PhaseMail: 1, dialog.PhaseRcpt: 2}[q.phase]
			a.evidence[part] = append(a.evidence[part], seen)
		}
		return nil
	})
	return a
}

// talk has a conversation with v beyond the greeting, under TLS where that comes about.
func (s *Subject) talk(ctx context.Context, v *Server, do func(context.Context, *dialog.Session) error) error {
	return s.converse(ctx, v, dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.StartTLS(), {Do: do}, dialog.Quit()})
}

// converse runs a plan at v when its turn comes.
func (s *Subject) converse(ctx context.Context, v *Server, plan dialog.Plan) error {
	r, manners := s.polite()
	var visit reach.Visit
	if err := manners.converse(ctx, v.address, func() {
		here := *r
		here.Session.TLS.Policy, here.Session.TLS.Name = dialog.PolicyMay, v.Host
		if !secured(v) {
			here.Session.TLS.Policy = dialog.PolicyNever
		}
		visit = here.Visit(ctx, v.hop, plan)
	}); err != nil {
		return err
	}
	return visit.Err
}

// say writes a command and gives the reply.
func say(ctx context.Context, session *dialog.Session, phase dialog.Phase, verb string, args ...any) (*dialog.Reply, error) {
	command, err := dialog.NewCommand(verb, args...)
	if err != nil {
		return nil, err
	}
	turns, err := session.Exchange(ctx, dialog.Step{Phase: phase, Command: command, Waits: true})
	if err != nil {
		return nil, err
	}
	return turns[0].Reply(), nil
}

// madeUp is a local part that nobody has.
func madeUp() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "no-such-user-" + hex.EncodeToString(b[:])
}

// known reports whether a reply to VRFY or EXPN says something: 252 does not.
func known(r *dialog.Reply) bool { return r != nil && r.Positive() && r.Code != 252 }

// denies reports whether a reply to VRFY or EXPN says that there is no such name, rather
// than that it is not told.
func denies(r *dialog.Reply) bool {
	return r != nil && r.Permanent() && r.Enhanced == dialog.EnhancedCode{Class: 5, Subject: 1, Detail: 1}
}

func disclosure(a *inquiry) Result {
	if a.expn == nil {
		return a.unanswered()
	}
	r := Passed("VRFY and EXPN tell nothing")
	for _, asked := range []struct {
		verb  string
		reply *dialog.Reply
	}{{"VRFY", a.vrfy[0]}, {"VRFY", a.vrfy[1]}, {"EXPN", a.expn}} {
		if why, is := aside(dialog.PhaseAsk, asked.reply); is {
			r = refusedAside(asked.verb+" is", a.shown(asked.reply.String()), asked.reply, why)
			break
		}
	}
	_, vain := aside(dialog.PhaseAsk, a.vrfy[1])
	switch {
	case known(a.expn) || denies(a.expn):
		r = Warned("EXPN tells which lists there are, or who is on them").Meaning("strangers collect addresses").
			Fixed("switch EXPN off; Postfix does not have it")
	case known(a.vrfy[0]) && !known(a.vrfy[1]) && !vain || denies(a.vrfy[1]):
		r = Warned("VRFY tells which mailboxes there are").Meaning("strangers collect addresses").
			Fixed("answer 252 to every VRFY, or 502; Postfix: disable_vrfy_command = yes")
	}
	return r.With(a.evidence[0]...)
}

// unanswered is the verdict where the conversation ended too early.
func (a *inquiry) unanswered() Result {
	if a.err == nil {
		return Untested("was not asked")
	}
	return Untested("%v", reason(a.err))
}

// mailbox judges the reply to a recipient that has to be there; bad is made of what
// a refusal comes to.
func (a *inquiry) mailbox(name string, r *dialog.Reply, bad func(string, ...any) Result) Result {
	switch {
	case a.mail != nil && !a.mail.Positive():
		if a.mail.Permanent() {
			return Untested("the null sender is refused, so no mailbox can be asked about: %s", a.mail.Codes()).With(a.evidence[1]...)
		}
		return Untested("MAIL is put off: %s", a.mail.Codes()).With(a.evidence[1]...)
	case r == nil:
		return a.unanswered()
	case r.Positive():
		return Passed("%s is taken", name).With(a.evidence[2]...)
	case r.Temporary():
		return Untested("%s is put off: %s", name, r.Codes()).With(a.evidence[2]...)
	}
	if why, is := aside(dialog.PhaseRcpt, r); is {
		return refusedAside(name+" is", a.shown(r.String()), r, why).With(a.evidence[2]...)
	}
	return bad("%s is refused: %s", name, r.Codes()).With(a.evidence[2]...)
}

func postmaster(a *inquiry) Result {
	r := a.mailbox("postmaster", a.post, Failed)
	if r.Verdict == Fail {
		r = r.Meaning("nobody can tell you of what is wrong with your mail").Fixed("deliver postmaster to somebody who reads it")
	}
	return r
}

func abuse(a *inquiry) Result {
	r := a.mailbox("abuse", a.abuse, Warned)
	if r.Verdict == Warn {
		r = r.Meaning("who complains about your mail complains to lists instead").Fixed("deliver abuse to somebody who reads it")
	}
	return r
}

func catchAll(a *inquiry) Result {
	name := "a mailbox that cannot exist"
	r := a.mailbox(name, a.madeUp, Passed)
	if a.madeUp.Positive() {
		r = Warned("%s is taken: %s", name, a.madeUp.Codes()).With(r.Evidence...).
			Meaning("mail with a typing error is lost or bounces later, and so does spam").
			Fixed("refuse unknown recipients at RCPT; Postfix: local_recipient_maps, relay_recipient_maps")
	}
	return r
}

func injection(_ context.Context, _ *Subject, v *Server) []Result {
	var failed *dialog.TLSError
	switch err := v.Report.Visit.Err; {
	case errors.As(err, &failed) && failed.Kind == dialog.TLSNotOffered:
		return one(Skipped("STARTTLS is not offered"))
	case !secured(v) || v.deaf():
		return one(Untested("nothing is answered under TLS: %v", reason(err)))
	}
	evidence := fmt.Sprintf("NOOP behind STARTTLS, in one packet: %s", v.Report.Injection)
	switch v.Report.Injection {
	case dialog.InjectionDiscarded:
		return one(Passed("a command behind STARTTLS is thrown away").With(evidence))
	case dialog.InjectionClosed:
		return one(Passed("the connection ends where a command stands behind STARTTLS").With(evidence))
	case dialog.InjectionAnswered:
		return one(Failed("a command sent in the clear behind STARTTLS is answered under TLS").With(evidence).
			Meaning("whoever is on the way can add commands (CVE-2011-0411)").Fixed("update the server: it has to empty its buffer before the handshake"))
	case dialog.InjectionInClear:
		return one(Warned("a command sent behind STARTTLS is answered before the handshake").With(evidence).
			Fixed("update the server: nothing may stand between 220 and the handshake"))
	}
	return one(Untested("the server was not reached again, or what it answered tells nothing"))
}
