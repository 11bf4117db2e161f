package dialog

import (
	"context"
	"errors"
)

// Hello says EHLO and keeps what is offered. A 5yz answer is tried again with
// HELO, which offers nothing (RFC 5321 section 3.2); any other refusal, a 421
// among them, ends the conversation. Options.LMTP and Options.HELO say something else.
func Hello() Stage {
	return Stage{Do: func(ctx context.Context, s *Session) error {
		switch {
		case s.LMTP: // RFC 2033 section 4.1: neither HELO nor EHLO
			return s.hello(ctx, "LHLO")
		case s.HELO:
			return s.hello(ctx, "HELO")
		}
		err := s.hello(ctx, "EHLO")
		var refusal *Refusal
		if errors.As(err, &refusal) && refusal.Reply.Permanent() {
			s.Stream.Emit(Finding{Text: "EHLO is not understood: HELO is tried, which offers no extensions"})
			return s.hello(ctx, "HELO")
		}
		return err
	}}
}

func (s *Session) hello(ctx context.Context, verb string) error {
	c, err := NewCommand(verb, s.Options.Hello)
	if err != nil {
		return &Error{PhaseFirstHello, err}
	}
	phase := PhaseFirstHello
	if s.Report.TLS != nil && !s.Report.TLS.Implicit {
		phase = PhaseHello
	}
	turns, err := s.Exchange(ctx, Step{Phase: phase, Command: c, Waits: true})
	if err := refused(turns, err, 0); err != nil {
		return err
	}
	reply := turns[0].Reply()
	offers := Offers{Reply: reply}
	if verb != "HELO" {
		offers = ParseOffers(reply)
	}
	offers.Secure, offers.Verb = s.Secure(), verb
	if offers.Extensions == nil {
		offers.Extensions = []Offer{} // never null in JSON
	}
	s.Report.Offers = append(s.Report.Offers, offers)
	for _, odd := range offers.Oddities {
		s.Stream.Emit(Finding{Text: odd})
	}
	return nil
}
