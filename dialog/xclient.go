package dialog

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Xclient says for whom the client speaks (XCLIENT), as Options.XClient lists it,
// and greets again, as the server begins a session anew for that client. Without
// any it does nothing. The server has to offer XCLIENT and each attribute.
func Xclient() Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		if len(s.XClient) == 0 {
			return nil
		}
		if err := s.attributes(ctx, "XCLIENT", s.XClient, 220); err != nil {
			return err
		}
		return Hello().Do(ctx, s)
	}}
}

// Xforward hands on what the client knows of where a message came from (XFORWARD),
// as Options.XForward lists it. Without any it does nothing.
func Xforward() Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error { return s.forward(ctx) }}
}

// forward sends XFORWARD, which holds for one transaction, and first RSET if one
// is open: in it XFORWARD is out of order.
func (s *Session) forward(ctx context.Context) error {
	if len(s.XForward) == 0 {
		return nil
	}
	if s.pending {
		turns, err := s.Exchange(ctx, resetStep())
		if err := refused(turns, err, 250); err != nil {
			return err
		}
		s.pending = false
	}
	return s.attributes(ctx, "XFORWARD", s.XForward, 250)
}

// attributes sends NAME=value pairs with their values in xtext, and wants code.
func (s *Session) attributes(ctx context.Context, verb string, pairs []string, code int) error {
	if err := s.halt(PhaseAuth); err != nil {
		return err
	}
	unmet := func(attribute, reason string) error {
		err := &Error{PhaseAuth, &UnmetError{Keyword: verb, Reason: reason, Param: attribute}}
		s.lament(err)
		return err
	}
	offer, offered := s.Offers(verb)
	if !offered {
		return unmet("", "the server does not offer "+verb)
	}
	var words []any
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		name = capitals(name)
		if !slices.ContainsFunc(offer.Params, func(p string) bool { return strings.EqualFold(p, name) }) {
			return unmet(name, fmt.Sprintf("%s takes %s here, and not %s", verb, strings.Join(offer.Params, " "), name))
		}
		words = append(words, Xtext(name, value))
	}
	c, err := NewCommand(verb, words...)
	if err != nil {
		return &Error{PhaseAuth, err}
	}
	turns, err := s.Exchange(ctx, Step{Phase: PhaseAuth, Command: c, Waits: true})
	return refused(turns, err, code)
}
