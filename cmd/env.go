package cmd

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"
)

// Env is everything that the program takes from the world. A test gives its own.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// Getenv gives an environment variable, "" where it is not set.
	Getenv func(string) string
	// OutWidth and ErrWidth are the columns of the terminal behind Out and Err; 0 is not a terminal.
	OutWidth, ErrWidth int
	InTerminal         bool // In is a terminal: a person would have to type the message
	Now                func() time.Time
	Hostname           func() (string, error)
	Ready              <-chan struct{} // closed when signals are caught: no connection is opened and nothing is written before; nil is closed
	Hurry              <-chan struct{} // closed by a second interrupt: not even a farewell is waited for; may be nil
	// Prompt asks for a secret on the terminal, without showing what is typed. The
	// error is errNoTerminal where there is nobody to ask; nil asks nobody.
	Prompt func(ctx context.Context, text string) ([]byte, error)
	// Keyring gives the password of an account in a service of the system's keyring.
	// The error is errNoEntry where it has none; nil is a system without keyring.
	Keyring func(service, account string) (string, error)
	Version string // "" takes what the Go toolchain recorded in the program
}

// OSEnv is the world that the process was started in.
func OSEnv() Env {
	return Env{
		In:         os.Stdin,
		Out:        os.Stdout,
		Err:        os.Stderr,
		Getenv:     os.Getenv,
		OutWidth:   columns(os.Stdout),
		ErrWidth:   columns(os.Stderr),
		InTerminal: isatty.IsTerminal(os.Stdin.Fd()),
		Now:        time.Now,
		Hostname:   os.Hostname,
		Prompt:     promptTerminal,
		Keyring:    systemKeyring,
	}
}

// ready waits until signals are caught.
func (e Env) ready() {
	if e.Ready != nil {
		<-e.Ready
	}
}

// columns is the width of the terminal behind f, 0 if it is none. A terminal
// that does not know its width (a serial line says 0) has 80.
func columns(f *os.File) int {
	if !isatty.IsTerminal(f.Fd()) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
