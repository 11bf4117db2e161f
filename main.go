// Ehlo is a command-line SMTP client and protocol diagnostic tool.
package main

import (
	"context"
	"os"

	"github.com/ehlo-mail/ehlo/cmd"
	"github.com/ehlo-mail/ehlo/cmd/signals"
)

// version is set by the linker in a release.
var version string

func main() {
	// The first interrupt ends the run politely, the second without a farewell,
	// but still with its outcome; the third ends the process.
	ctx, cancel := context.WithCancelCause(context.Background())
	hurry := make(chan struct{})
	go func() {
		<-signals.Interrupts()
		cancel(cmd.ErrInterrupted)
		<-signals.Interrupts()
		close(hurry)
		<-signals.Interrupts()
		os.Exit(int(cmd.StatusInterrupted))
	}()

	env := cmd.OSEnv()
	env.Ready, env.Hurry = signals.Ready(), hurry
	env.Version = version
	os.Exit(cmd.Main(ctx, env, os.Args[1:]))
}
