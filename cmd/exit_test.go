package cmd

import "testing"

func TestCombine(t *testing.T) {
	tests := []struct {
		all  []Status
		want Status
	}{
		{nil, 0},
		{[]Status{0, 0}, 0},
		{[]Status{5, 5}, 5},
		{[]Status{0, 1}, 8},
		{[]Status{0, 4}, 8},
		{[]Status{8, 1}, 8},
		{[]Status{1, 3}, 3},
		{[]Status{1, 4}, 3}, // no answer now: later may help
		{[]Status{1, 5}, 1},
		{[]Status{5, 6, 7}, 1},
		{[]Status{0, 9}, 9},
		{[]Status{130, 9}, 9}, // unknown outranks an interrupt
		{[]Status{0, 130, 1}, 130},
		{[]Status{0, 70}, 70},
	}
	for _, tt := range tests {
		if got := combine(tt.all...); got != tt.want {
			t.Errorf("%v together is %d, want %d", tt.all, got, tt.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		end             exit
		swaks, sysexits Status
	}{
		{exit{StatusDone, ""}, 0, 0},
		{exit{StatusUsage, ""}, 1, 64},
		{exit{StatusNoAnswer, "route"}, 2, 75},
		{exit{StatusNoAnswer, "connect"}, 2, 75},
		{exit{StatusNoAnswer, "mail"}, 23, 75},
		{exit{StatusRefused, "route"}, 2, 68},
		{exit{StatusRefused, "connect"}, 21, 69},
		{exit{StatusDeferred, "first-hello"}, 22, 75},
		{exit{StatusTLS, "tls"}, 29, 76},
		{exit{StatusRefused, "hello"}, 32, 69},
		{exit{StatusAuth, "auth"}, 28, 77},
		{exit{StatusRefused, "mail"}, 23, 69},
		{exit{StatusRefused, "rcpt"}, 24, 67},
		{exit{StatusRefused, "data"}, 25, 69},
		{exit{StatusDeferred, "dot"}, 26, 75},
		{exit{StatusRefused, "quit"}, 27, 69},
		{exit{StatusProtocol, "data"}, 6, 76},
		{exit{StatusUnknown, "dot"}, 6, 76}, // not 75: nobody is to send again unasked
		{exit{StatusPartly, "rcpt"}, 24, 69},
		{exit{StatusDefect, ""}, 70, 70},
		{exit{StatusOutput, ""}, 74, 74},
		{exit{StatusInterrupted, ""}, 130, 130},
	}
	for _, tt := range tests {
		for scheme, want := range map[string]Status{"ehlo": tt.end.Status, "": tt.end.Status, "swaks": tt.swaks, "sysexits": tt.sysexits} {
			if got := tt.end.code(scheme); got != want {
				t.Errorf("%+v by %q is %d, want %d", tt.end, scheme, got, want)
			}
		}
	}
	// Every status is documented, and none but success is mapped to 0.
	for _, row := range statusTable() {
		for _, scheme := range []string{"swaks", "sysexits"} {
			if got := (exit{Status: row.status}).code(scheme); (got == 0) != (row.status == 0) {
				t.Errorf("%d by %s is %d", row.status, scheme, got)
			}
		}
		if row.about == "" {
			t.Errorf("%d has no meaning", row.status)
		}
	}
}
