package dialog

import (
	"io"
	"testing"
)

// A server is accused of obeying smuggled commands by the replies that they have, and not by
// a reply too many.
func TestSmuggled(t *testing.T) {
	lost := &Error{PhaseQuit, &LostError{Err: io.EOF}}
	broken := &Error{PhaseDot, &ProtocolError{Reason: "a reply before its command", outOfStep: true}}
	late := &Error{PhaseQuit, &TimeoutError{}}
	for _, test := range []struct {
		name  string
		codes []int // of the replies to the message, and to QUIT
		err   error
		want  Smuggling
	}{
		{"one message, taken", []int{250, 221}, nil, SmugglingKept},
		{"one message, refused", []int{554, 221}, nil, SmugglingRefused},
		{"taken, and nothing said to QUIT", []int{250}, lost, SmugglingKept},
		{"taken, and a goodbye", []int{250, 421}, nil, SmugglingKept},
		{"refused, and closed", []int{554}, lost, SmugglingRefused},
		{"closed without a word", nil, lost, SmugglingRefused},
		{"no reply in time", nil, late, SmugglingUntested},
		{"no reply to QUIT in time", []int{250}, late, SmugglingUntested},
		{"a second message", []int{250, 250, 250, 354, 250, 221}, nil, SmugglingDone},
		{"a second message, behind a refused one", []int{554, 250, 250, 354, 250, 221}, nil, SmugglingDone},
		{"a second message that is refused", []int{250, 250, 250, 354, 554, 221}, nil, SmugglingDone},
		{"a second envelope, and no haste behind DATA", []int{250, 250, 250, 503, 221}, nil, SmugglingDone},
		{"a second envelope, and the end", []int{250, 250, 250}, lost, SmugglingDone},
		{"DATA obeyed, and waiting for its end", []int{250, 550, 550, 354}, late, SmugglingDone},
		{"one reply too many", []int{250, 250, 221}, nil, SmugglingUnclear},
		{"a refusal too many", []int{250, 550, 221}, nil, SmugglingUnclear},
		{"one reply too many, and the end", []int{250, 250}, lost, SmugglingUnclear},
		{"one reply too many, in lockstep", []int{250}, broken, SmugglingUnclear},
		{"commands that are all refused", []int{250, 503, 503, 503, 500, 221}, nil, SmugglingUnclear},
	} {
		replies := make([]Reply, len(test.codes))
		for i, code := range test.codes {
			replies[i].Code = code
		}
		if got := smuggled(replies, test.err); got != test.want {
			t.Errorf("%s: %s, not %s", test.name, got, test.want)
		}
	}
}
