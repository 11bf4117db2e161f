package dialog

import (
	"io"
	"testing"
)

// A server is accused of answering an injected NOOP by NOOP's own reply, or by one reply
// too many; what it says to everybody accuses nobody.
func TestInjected(t *testing.T) {
	broken := func(quote string) error {
		return &Error{PhaseQuit, &ProtocolError{Reason: "a reply before its command", Quote: []byte(quote), outOfStep: true}}
	}
	for _, test := range []struct {
		name string
		code int // of the reply to QUIT; 0 without one
		err  error
		want Injection
	}{
		{"the reply to QUIT", 221, nil, InjectionDiscarded},
		{"the end of the connection", 0, &Error{PhaseQuit, &LostError{Err: io.EOF}}, InjectionClosed},
		{"the reply to NOOP in place of it", 250, nil, InjectionAnswered},
		{"the reply to NOOP ahead of QUIT", 0, broken("250 2.0.0 Ok\r\n"), InjectionAnswered},
		{"a refusal of NOOP ahead of QUIT", 0, broken("503 5.5.1 EHLO first\r\n"), InjectionAnswered},
		{"two replies", 250, broken("221 2.0.0 Bye\r\n"), InjectionAnswered},
		{"a goodbye to whatever is said", 421, nil, InjectionUntested},
		{"a goodbye ahead of QUIT", 0, broken("421 4.3.2 shutting down\r\n"), InjectionUntested},
		{"two goodbyes", 421, broken("421 4.3.2 shutting down\r\n"), InjectionUntested},
		{"a refusal of QUIT", 502, nil, InjectionUntested},
		{"no reply in time", 0, &Error{PhaseQuit, &TimeoutError{}}, InjectionUntested},
		{"what is no reply", 0, &Error{PhaseQuit, &ProtocolError{Reason: "not a reply (RFC 5321 section 4.2)"}}, InjectionUntested},
	} {
		turns := []Turn{{State: Written}}
		if test.code != 0 {
			turns[0] = Turn{State: Answered, Replies: []Reply{{Code: test.code}}}
		}
		if got := injected(turns, test.err); got != test.want {
			t.Errorf("%s: %v, not %v", test.name, got, test.want)
		}
	}
}
