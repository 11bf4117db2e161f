package cmd

import (
	"slices"
	"strconv"
)

// Status is what the process tells its caller, the same for every command.
type Status int

// The exit statuses.
const (
	StatusDone        Status = 0
	StatusRefused     Status = 1
	StatusUsage       Status = 2
	StatusDeferred    Status = 3
	StatusNoAnswer    Status = 4
	StatusTLS         Status = 5
	StatusAuth        Status = 6
	StatusProtocol    Status = 7
	StatusPartly      Status = 8
	StatusUnknown     Status = 9
	StatusDefect      Status = 70
	StatusOutput      Status = 74
	StatusInterrupted Status = 130
)

// String is the number, as the closing line prints it.
func (s Status) String() string { return strconv.Itoa(int(s)) }

// statusRow is one status with its meaning, for help and the manual.
type statusRow struct {
	status Status
	about  string
}

func statusTable() []statusRow {
	return []statusRow{
		{StatusDone, "done; every verdict positive"},
		{StatusRefused, "refused for good (5yz, null MX, no such domain), or a check failed"},
		{StatusUsage, "usage: flags, arguments, a file that cannot be read, a bad message"},
		{StatusDeferred, "refused for now (4yz): trying again later may help"},
		{StatusNoAnswer, "no answer: DNS failed, time-out, connection refused, no banner"},
		{StatusTLS, "TLS"},
		{StatusAuth, "authentication"},
		{StatusProtocol, "protocol broken by the peer, or connection lost before the message"},
		{StatusPartly, "partly done: some recipients or targets failed"},
		{StatusUnknown, "outcome unknown: connection lost after the message, before its reply"},
		{StatusDefect, "a defect in ehlo"},
		{StatusOutput, "output could not be written"},
		{StatusInterrupted, "interrupted"},
	}
}

// combine is the status of several recipients or targets together. Unknown
// outranks all, an interrupt too, for a second try might deliver twice; some
// done and some not is partly; nothing done is deferred if later may help for
// any of them, else refused.
func combine(all ...Status) Status {
	if len(all) == 0 {
		return StatusDone
	}
	for _, s := range []Status{StatusUnknown, StatusInterrupted, StatusDefect, StatusOutput} {
		if slices.Contains(all, s) {
			return s
		}
	}
	switch {
	case all[0] == slices.Min(all) && all[0] == slices.Max(all):
		return all[0]
	case slices.Contains(all, StatusDone) || slices.Contains(all, StatusPartly):
		return StatusPartly
	case slices.Contains(all, StatusDeferred) || slices.Contains(all, StatusNoAnswer):
		return StatusDeferred
	}
	return StatusRefused
}

// exit is how a command ended.
type exit struct {
	Status Status
	// Phase is where it ended, in the words of --quit-after: "connect",
	// "first-hello", "tls", "hello", "auth", "mail", "rcpt", "data", "dot",
	// "quit"; "route" before a connection, "" where no phase matters.
	Phase string
}

// code is the number for the process, in the scheme that --exit-codes names.
func (e exit) code(scheme string) Status {
	switch scheme {
	case "swaks":
		return e.swaks()
	case "sysexits":
		return e.sysexits()
	}
	return e.Status
}

// swaks gives the exit code that swaks(1) has for the same end, section "EXIT
// CODES" of its manual. Where swaks has none (a defect, an interrupt) it is ours.
func (e exit) swaks() Status {
	switch e.Status {
	case StatusUsage:
		return 1
	case StatusTLS:
		return 29
	case StatusAuth:
		return 28
	case StatusProtocol, StatusUnknown:
		return 6 // the connection was closed unexpectedly
	case StatusPartly:
		return 24
	case StatusRefused, StatusDeferred:
		return swaksPhase(e.Phase)
	case StatusNoAnswer:
		if e.Phase == "" || e.Phase == "route" || e.Phase == "connect" {
			return 2
		}
		return swaksPhase(e.Phase)
	}
	return e.Status
}

func swaksPhase(phase string) Status {
	switch phase {
	case "connect":
		return 21
	case "first-hello":
		return 22
	case "tls":
		return 29
	case "hello":
		return 32 // EHLO after TLS
	case "auth":
		return 28
	case "mail":
		return 23
	case "rcpt":
		return 24
	case "data":
		return 25
	case "dot":
		return 26
	case "quit":
		return 27
	}
	return 2
}

// sysexits gives the code of <sysexits.h>. An unknown outcome is EX_PROTOCOL,
// never EX_TEMPFAIL: whoever reads that would send again.
func (e exit) sysexits() Status {
	switch e.Status {
	case StatusRefused:
		switch e.Phase {
		case "rcpt":
			return 67 // EX_NOUSER
		case "route":
			return 68 // EX_NOHOST
		}
		return 69 // EX_UNAVAILABLE
	case StatusUsage:
		return 64 // EX_USAGE
	case StatusDeferred, StatusNoAnswer:
		return 75 // EX_TEMPFAIL
	case StatusAuth:
		return 77 // EX_NOPERM
	case StatusTLS, StatusProtocol, StatusUnknown:
		return 76 // EX_PROTOCOL
	case StatusPartly:
		return 69
	}
	return e.Status
}
