package cmd

import (
	"fmt"
	"slices"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
)

// settleAuth refuses settings of a login that contradict each other; as anywhere,
// what comes from a lower layer makes way.
func (s *Settings) settleAuth() error {
	all := sources()
	for _, name := range append(namesOf(all), "auth-user", "auth-optional") {
		if err := s.settle(s.holding("auth=none"), s.holding(name), false); err != nil {
			return err
		}
	}
	for i, src := range all {
		for _, other := range all[:i] {
			if other.gives != src.gives {
				continue
			}
			if err := s.settle(s.holding(other.setting), s.holding(src.setting), false); err != nil {
				return err
			}
		}
	}
	for _, src := range all {
		given, auth := s.holding(src.setting), s.holding("auth")
		if given == nil || s.mayUse(src.gives) {
			continue
		}
		if s.settle(given, auth, false) != nil {
			return &usageError{msg: fmt.Sprintf("%s gives a %s, but no mechanism of %s takes one", given.named(), nounOf(src.gives), auth.named()), next: s.next}
		}
	}
	// From elsewhere it is a wish for the case that there is a login.
	if s.Bool("auth-optional") && s.Source("auth-optional").Layer == FromFlag && !s.logsIn() {
		return &usageError{msg: "--auth-optional has nothing to log in with", likely: "--auth-user USER", next: s.next}
	}
	return nil
}

func namesOf(all []source) []string {
	var names []string
	for _, src := range all {
		names = append(names, src.setting)
	}
	return slices.Clip(names)
}

// nounOf is what satisfies a need, in a word.
func nounOf(need sasl.Need) string {
	if need == sasl.NeedToken {
		return "token"
	}
	return "password"
}
