// Ehlo is a command-line SMTP client and protocol diagnostic tool.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/ehlo-mail/ehlo/cmd"
)

// version is set by the linker in a release.
var version string

func main() {
	// The first interrupt ends the run politely, the second without a farewell,
	// but still with its outcome; the third ends the process.
	ctx, cancel := context.WithCancelCause(context.Background())
	hurry := make(chan struct{})
	interrupts := make(chan os.Signal, 3)
	ready := make(chan struct{})
	go func() { // each signal caught is a hand-over between threads: it goes on beside the start
		// Caught, a write to a closed pipe fails with EPIPE instead of killing the
		// process, so that a run can still say what became of its message. Ignored,
		// it would be ignored in the programs that we start, too.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
		if !signal.Ignored(syscall.SIGHUP) { // as nohup asks
			signal.Notify(interrupts, syscall.SIGHUP)
		}
		close(ready)
		<-interrupts
		cancel(cmd.ErrInterrupted)
		<-interrupts
		close(hurry)
		<-interrupts
		os.Exit(int(cmd.StatusInterrupted))
	}()

	env := cmd.OSEnv()
	env.Ready, env.Hurry = ready, hurry
	env.Version = version
	os.Exit(cmd.Main(ctx, env, os.Args[1:]))
}
