package cmd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/mime"
)

// asker asks one server, and remembers what it says of a mailbox that cannot
// exist: an answer counts only if that one gets another.
type asker struct {
	ctx     context.Context
	session *dialog.Session
	madeUp  map[string]*dialog.Reply // by verb and domain
	opened  bool                     // MAIL was accepted
	err     error
}

func (a *asker) say(phase dialog.Phase, verb string, args ...any) *dialog.Reply {
	if a.err != nil {
		return nil
	}
	c, err := dialog.NewCommand(verb, args...)
	if err != nil {
		a.err = err
		return nil
	}
	turns, err := a.session.Exchange(a.ctx, dialog.Step{Phase: phase, Command: c, Waits: true})
	if err != nil {
		a.err = err
		return nil
	}
	return turns[0].Reply()
}

// ask settles every mailbox of g at one server, without ever sending a message.
func (g *mailboxes) ask(ctx context.Context, s *dialog.Session, host string) error {
	a := &asker{ctx: ctx, session: s, madeUp: map[string]*dialog.Reply{}}
	for i, m := range g.list {
		if m.By != "" {
			continue
		}
		a.mailbox(m, g.to[i])
		m.Host = host
		if a.err != nil {
			return a.err
		}
	}
	return nil
}

// mailbox asks VRFY, then EXPN, then RCPT, until one of them gives an answer that
// counts (RFC 5321 section 3.5).
func (a *asker) mailbox(m *mailboxFacts, to mime.Mailbox) {
	for _, verb := range []string{"VRFY", "EXPN"} {
		r := a.say(dialog.PhaseAsk, verb, to.Path())
		switch {
		case r == nil:
			return
		case r.Positive() && r.Code != 252:
			if counts, why := a.counts(verb, to); counts {
				m.settle(verb, r, StatusDone, why)
				return
			}
		case verb == "VRFY" && absent(r, dialog.PhaseAsk):
			m.settle(verb, r, StatusRefused, "")
			return
		}
	}
	if !a.opened {
		r := a.say(dialog.PhaseMail, "MAIL", "FROM:<>")
		switch {
		case r == nil:
			return
		case !r.Positive():
			m.settle("MAIL", r, statusOf(r), "the null sender was refused, so no recipient could be tried")
			return
		}
		a.opened = true
	}
	r := a.say(dialog.PhaseRcpt, "RCPT", "TO:<"+to.Path()+">")
	switch {
	case r == nil:
	case r.Positive() && r.Code != 252:
		switch counts, why := a.counts("RCPT", to); {
		case a.err != nil:
		case counts:
			m.settle("RCPT", r, StatusDone, why)
		default:
			m.settle("RCPT", r, StatusUnknown, why)
		}
	case absent(r, dialog.PhaseRcpt):
		m.settle("RCPT", r, StatusRefused, "")
	default:
		m.settle("RCPT", r, statusOf(r), "the server did not say whether there is such a mailbox")
	}
}

// counts reports whether a positive answer to verb says something, and why: a
// mailbox of the same domain that cannot exist has to be refused as such.
func (a *asker) counts(verb string, to mime.Mailbox) (bool, string) {
	phase, path := dialog.PhaseAsk, madeUp()+"@"+to.Domain
	if verb == "RCPT" {
		phase, path = dialog.PhaseRcpt, "TO:<"+path+">"
	}
	key := verb + " " + strings.ToLower(to.Domain)
	r := a.madeUp[key]
	if r == nil {
		if r = a.say(phase, verb, path); r == nil {
			return false, ""
		}
		a.madeUp[key] = r
	}
	switch {
	case r.Positive():
		return false, "for a made-up name too: the server takes every address"
	case absent(r, phase) || verb != "RCPT" && r.Permanent():
		return true, "a made-up name was refused, so the answer counts"
	}
	return false, fmt.Sprintf("a made-up name was answered with %s, which says nothing of mailboxes", r.Codes())
}

// madeUp is a local part that nobody has.
func madeUp() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "no-such-user-" + hex.EncodeToString(b[:])
}

// absent reports whether a reply says that there is no such mailbox, rather than
// that the question is not answered, or not to us. VRFY is often refused as such
// with 550, so that code alone says nothing there.
func absent(r *dialog.Reply, p dialog.Phase) bool {
	e := explained(r, p)
	return r.Permanent() && e.Reason == "user-unknown" && (p == dialog.PhaseRcpt || !r.Enhanced.IsZero())
}

func statusOf(r *dialog.Reply) Status {
	if r.Temporary() {
		return StatusDeferred
	}
	return StatusUnknown
}

func (m *mailboxFacts) settle(by string, r *dialog.Reply, s Status, why string) {
	m.By, m.replied, m.reply, m.Why, m.Status = by, repliedWith(r), r.String(), why, s
	switch s {
	case StatusDone:
		m.Answer = "exists"
	case StatusRefused:
		m.Answer = "absent"
	}
}
