// Package signals catches the signals that end a run.
//
// To have one caught is a hand-over between threads. It is done while the packages
// that come behind this one are initialised, most of them, so that nobody waits for it.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

var (
	interrupts = make(chan os.Signal, 3)
	ready      = make(chan struct{})
)

// Interrupts gives each signal that asks the process to end: SIGINT, SIGTERM, and SIGHUP
// unless that is ignored.
func Interrupts() <-chan os.Signal { return interrupts }

// Ready is closed once all of them are caught, and SIGPIPE.
func Ready() <-chan struct{} { return ready }

func init() { go catch() }

func catch() {
	// Caught, a write to a closed pipe fails with EPIPE instead of killing the
	// process, so that a run can still say what became of its message. Ignored,
	// it would be ignored in the programs that we start, too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup asks
		signal.Notify(interrupts, syscall.SIGHUP)
	}
	close(ready)
}
