package dialog

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Login is who logs in, and under which conditions.
type Login struct {
	Credentials sasl.Credentials // Host, Port, TLS and Offered are filled in
	// Mechanisms are tried in this order, whether offered or not; none leaves the
	// choice to what is offered, strongest first.
	Mechanisms []string
	Optional   bool // goes on without where AUTH is not offered or refused
	Cleartext  bool // a connection without TLS will do
	Unverified bool // a server that has not proved its name will do
}

// AuthReport is what became of a login.
type AuthReport struct {
	Offered   []string  `json:"offered"`
	User      string    `json:"user,omitempty"`
	Mechanism string    `json:"mechanism,omitempty"` // that succeeded
	Tries     []AuthTry `json:"tries"`
}

// AuthTry is one exchange of one mechanism.
type AuthTry struct {
	Mechanism string `json:"mechanism"`
	OK        bool   `json:"ok"`
	Reply     *Reply `json:"reply,omitempty"` // that ended it
	Error     string `json:"error,omitempty"` // why the client ended it
}

// Auth logs in (RFC 4954) as Options.Login says; without one it does nothing.
// Nothing is sent to a server in the clear, or to one that has not proved its
// name, unless that is allowed. The error is an *AuthError, or what ended the
// conversation.
func Auth() Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		if s.Login == nil {
			return nil
		}
		if err := s.halt(PhaseAuth); err != nil {
			return err
		}
		err := s.login(ctx)
		var failed *AuthError
		if !errors.As(err, &failed) {
			return err
		}
		if s.Login.Optional && !failed.Fatal {
			s.Stream.Emit(Finding{Text: failed.Reason + ": going on without a login"})
			return nil
		}
		if failed.Reply == nil && !failed.shown {
			s.Stream.Emit(Finding{Fail: true, Text: failed.Reason})
		}
		return &Error{PhaseAuth, failed}
	}}
}

func (s *Session) login(ctx context.Context) error {
	login := s.Login
	offer, offered := s.Offers("AUTH")
	report := &AuthReport{Offered: []string{}, User: login.Credentials.User, Tries: []AuthTry{}}
	for _, name := range offer.Params {
		report.Offered = append(report.Offered, capitals(name))
	}
	s.Report.Auth = report
	switch {
	case !s.Secure() && !login.Cleartext:
		return &AuthError{Kind: AuthClear, Reason: "the connection is not encrypted: no credentials are sent"}
	case s.Secure() && !s.Report.TLS.Verified() && !login.Unverified:
		return &AuthError{Kind: AuthUnproven, Reason: "the certificate does not prove " + s.Report.TLS.Name + ": no credentials are sent"}
	case !offered && len(login.Mechanisms) == 0:
		return &AuthError{Kind: AuthNotOffered, Reason: "the server does not offer AUTH"}
	}
	credentials := login.Credentials
	credentials.Host, credentials.Offered = s.TLS.Name, report.Offered
	if conn, ok := s.conn.nc.(*tls.Conn); ok {
		state := conn.ConnectionState()
		credentials.TLS = &state
	}
	ready, lacking := login.choose(credentials)
	if len(ready) == 0 {
		return &AuthError{Kind: AuthNoMechanism, Offered: report.Offered, Reason: noMechanism(report.Offered, lacking)}
	}
	var failed *AuthError
	for _, m := range ready {
		if failed != nil && !login.again(failed, m) {
			continue
		}
		if failed != nil && m.Bares {
			s.downgraded(failed.Mechanism, m)
		}
		try, err := s.try(ctx, m, credentials)
		report.Tries = append(report.Tries, try)
		if err == nil {
			report.Mechanism = m.Name
			return nil
		}
		if !errors.As(err, &failed) {
			return err
		}
		failed.Offered = report.Offered
		if failed.Fatal {
			break
		}
	}
	return failed
}

// choose gives the mechanisms to try, in order, and what the credentials lack
// for the others. Each exchange is begun here once, to see whether it can be.
func (l *Login) choose(c sasl.Credentials) (ready []sasl.Mechanism, lacking []error) {
	candidates := sasl.Mechanisms()
	if len(l.Mechanisms) > 0 {
		candidates = nil
		for _, name := range l.Mechanisms {
			if m, ok := sasl.Find(name); ok {
				candidates = append(candidates, m)
			}
		}
	}
	for _, m := range candidates {
		if len(l.Mechanisms) == 0 && !slices.Contains(c.Offered, m.Name) {
			continue
		}
		if len(l.Mechanisms) == 0 && m.Name == "ANONYMOUS" && c.User != "" {
			lacking = append(lacking, fmt.Errorf("ANONYMOUS does not log %s in", c.User))
			continue
		}
		if _, err := m.New(c); err != nil {
			lacking = append(lacking, err)
			continue
		}
		ready = append(ready, m)
	}
	return ready, lacking
}

func noMechanism(offered []string, lacking []error) string {
	switch {
	case len(lacking) > 0:
		return lacking[0].Error()
	case len(offered) == 0:
		return "the server offers AUTH without a mechanism"
	}
	return "none of the mechanisms offered is known: " + strings.Join(offered, " ")
}

// again reports whether m is worth a try after failed. A list that was asked for
// is gone through. Else a server that broke one mechanism, perhaps because it does
// not know the password, gets nothing more, nor does one that refused a login bound
// to this connection, perhaps because somebody is in between. And where the
// credentials were not accepted, one that keeps no verifier for the mechanism may
// still know the password itself: it is asked once that way, as more tries would
// lock an account.
func (l *Login) again(failed *AuthError, m sasl.Mechanism) bool {
	before, _ := sasl.Find(failed.Mechanism)
	switch {
	case len(l.Mechanisms) > 0:
		return true
	case failed.Kind == AuthBroken || before.Binds:
		return false
	case failed.Reply == nil || failed.Reply.Code == 504 || failed.Reply.Code == 534:
		return true
	}
	return !before.Bares && m.Bares
}

// downgraded says that what a mechanism kept from the server it is told now.
func (s *Session) downgraded(before string, m sasl.Mechanism) {
	if b, _ := sasl.Find(before); !b.Bares {
		s.Stream.Emit(Finding{Text: fmt.Sprintf("%s did not succeed: the server is now told the password itself, by %s", before, m.Name)})
	}
}

// exchange is the course of one mechanism.
type exchange struct {
	*Session
	name   string
	client sasl.Client
}

// try says AUTH and answers challenges until the server has decided.
func (s *Session) try(ctx context.Context, m sasl.Mechanism, c sasl.Credentials) (AuthTry, error) {
	x := &exchange{Session: s, name: m.Name}
	try := AuthTry{Mechanism: m.Name}
	var err error
	if x.client, err = m.New(c); err != nil {
		try.Error = err.Error()
		return try, &AuthError{Kind: AuthNoMechanism, Mechanism: m.Name, Reason: err.Error()}
	}
	s.Stream.Emit(authBegun{Mechanism: m.Name, User: c.User, Offered: c.Offered})
	reply, err := x.run(ctx)
	var failed *AuthError
	if errors.As(err, &failed) {
		failed.Mechanism, failed.Reply = m.Name, reply
		if failed.Kind != AuthRefused {
			failed.Reply = nil
			try.Error = failed.Reason
		}
	}
	try.OK, try.Reply = err == nil, reply
	return try, err
}

// run is the exchange. Its reply is the one that ended it.
func (x *exchange) run(ctx context.Context) (*Reply, error) {
	first, ok, err := x.client.Start()
	if err != nil {
		return nil, &AuthError{Kind: AuthBroken, Reason: err.Error()}
	}
	command, sent := x.begin(first, ok)
	reply, err := x.say(ctx, command)
	for round := 0; err == nil && reply.Code == 334; round++ {
		if round == maxAuthRounds {
			return x.cancel(ctx, fmt.Sprintf("the server has more than %d challenges", maxAuthRounds))
		}
		challenge, bad := reply.challenge()
		if bad != nil {
			return x.cancel(ctx, bad.Error())
		}
		answer, bad := first, error(nil)
		if ok && !sent && len(challenge) == 0 {
			sent = true
		} else if answer, bad = x.next(ctx, challenge); ctx.Err() != nil {
			return nil, &Error{PhaseAuth, context.Cause(ctx)}
		}
		if !x.repeats(challenge) {
			x.tell(challenge)
		} else if bad != nil { // it may quote the challenge
			bad = &sasl.Error{Mechanism: x.name, Reason: "the server's words repeat the password", Refused: errors.Is(bad, sasl.ErrSay)}
		}
		switch {
		case errors.Is(bad, sasl.ErrSay):
			x.Stream.Emit(Finding{Text: bad.Error()})
		case bad != nil:
			return x.cancel(ctx, bad.Error())
		}
		reply, err = x.say(ctx, x.answer(answer))
	}
	switch {
	case err != nil:
		return nil, err
	case reply.Code == 235:
		if err := x.client.Done(); err != nil {
			return reply, &AuthError{Kind: AuthBroken, Fatal: true, Reason: err.Error()}
		}
		return reply, nil
	case reply.Code == 421:
		return reply, &Error{PhaseAuth, &Refusal{Command: command, Reply: reply}}
	case reply.Positive() || reply.Intermediate():
		return reply, &AuthError{Kind: AuthBroken, Fatal: true, Reason: fmt.Sprintf("AUTH was answered with %d: neither 235 nor a refusal", reply.Code)}
	}
	return reply, &AuthError{Kind: AuthRefused, Reason: "the server refused the login with " + reply.String()}
}

// begin is the AUTH command, with the initial response where the mechanism has
// one and the line may hold it: it is subject to the limit of 512 octets for
// commands (RFC 4954 section 4).
func (x *exchange) begin(m sasl.Message, initial bool) (c Command, sent bool) {
	c = Command{parts: []any{"AUTH", x.name}}
	if !initial {
		return c, false
	}
	text := base64.StdEncoding.EncodeToString(m.Data)
	if text == "" {
		text = "="
	}
	if len("AUTH "+x.name+" "+text+"\r\n") > maxPlainCommand {
		return c, false
	}
	c.parts, c.shape = append(c.parts, x.face(&m, text)), m.Shape
	return c, true
}

// answer is the line that answers a challenge; an empty one says nothing.
func (x *exchange) answer(m sasl.Message) Command {
	text := base64.StdEncoding.EncodeToString(m.Data)
	face := x.face(&m, text)
	return Command{parts: []any{face}, shape: m.Shape, answers: "AUTH"}
}

// face is text, the base64 of m, as a part of a command: hidden, also when it
// comes back, if there is a secret in it.
func (x *exchange) face(m *sasl.Message, text string) any {
	switch {
	case x.ShowSecrets:
		m.Shape = string(m.Data)
		return text
	case len(m.Secrets) == 0:
		return text
	case m.Shape == transcript.Hidden: // no more than text says
		m.Shape = ""
	}
	secret := transcript.NewSecret(text)
	x.conn.reader.mask.Add(append(m.Secrets, secret)...)
	x.conn.reader.veil.Add(m.Awaited...)
	return secret
}

// say writes a line and waits for its reply.
func (x *exchange) say(ctx context.Context, c Command) (*Reply, error) {
	turns, err := x.Exchange(ctx, Step{Phase: PhaseAuth, Command: c, Waits: true})
	if err != nil {
		return nil, err
	}
	return turns[0].Reply(), nil
}

// cancel ends an exchange that has gone wrong (RFC 4954 section 4).
func (x *exchange) cancel(ctx context.Context, reason string) (*Reply, error) {
	x.Stream.Emit(Finding{Fail: true, Text: reason})
	reply, err := x.say(ctx, Command{parts: []any{"*"}, answers: "AUTH"})
	if err != nil {
		return nil, err
	}
	if reply.Code == 421 {
		return reply, &Error{PhaseAuth, &Refusal{Command: Command{parts: []any{"AUTH"}}, Reply: reply}}
	}
	// Whatever is said to "*": a server that says yes has not understood, and one
	// that asks on would take the next command for an answer.
	fatal := reply.Code < 400
	return reply, &AuthError{Kind: AuthBroken, Fatal: fatal, Reason: reason, shown: true}
}

// next is the answer to a challenge. What it costs to compute is bounded but, as
// hashing cannot be interrupted, not waited for when ctx ends.
func (x *exchange) next(ctx context.Context, challenge []byte) (sasl.Message, error) {
	type result struct {
		sasl.Message
		err error
	}
	done := make(chan result, 1)
	go func() {
		m, err := x.client.Next(challenge)
		done <- result{m, err}
	}()
	select {
	case r := <-done:
		return r.Message, r.err
	case <-ctx.Done():
		return sasl.Message{}, context.Cause(ctx)
	}
}

// repeats reports whether a secret is in a challenge.
func (x *exchange) repeats(challenge []byte) bool {
	return len(x.conn.reader.mask.find(challenge)) > 0
}

// tell shows what the mechanism makes of a challenge.
func (x *exchange) tell(challenge []byte) {
	if teller, ok := x.client.(sasl.Teller); ok && x.Stream.Live() {
		if text := teller.Tell(challenge); text != "" {
			x.Stream.Emit(Finding{Text: text, Note: true})
		}
	}
}

// authBegun heads the exchange of a mechanism.
type authBegun struct {
	Mechanism string   `json:"mechanism"`
	User      string   `json:"user,omitempty"`
	Offered   []string `json:"offered"`
}

// Kind is "auth".
func (authBegun) Kind() string { return "auth" }

// Lines is one line.
func (a authBegun) Lines() []transcript.Line {
	text := a.Mechanism
	if a.User != "" {
		text += " as " + a.User
	}
	offered := "not offered"
	if len(a.Offered) > 0 {
		offered = "offered: " + strings.Join(a.Offered, " ")
	}
	return []transcript.Line{{Mark: transcript.Phase, Label: "auth", Text: text + " · " + offered}}
}
