package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/ehlo-mail/ehlo/dialog/sasl"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// ask asks on the terminal for what no setting gives, if a mechanism needs it. It
// asks once for each server, as the question names it.
func (r *run) ask(ctx context.Context, c *sasl.Credentials) error {
	if !c.Password.Empty() || !c.Token.Empty() || c.User == "" {
		return nil
	}
	noun, missing := "password", &c.Password
	switch {
	case r.mayUse(sasl.NeedPassword):
	case r.mayUse(sasl.NeedToken):
		noun, missing = "token", &c.Token
	default:
		return nil
	}
	server := net.JoinHostPort(strings.Trim(c.Host, "[]"), strconv.Itoa(int(c.Port)))
	question := transcript.Escape(fmt.Sprintf("%s for %s at %s: ", noun, c.User, server), transcript.ASCII(r.Getenv))
	if secret, ok := r.login.typed[question]; ok {
		*missing = secret
		return nil
	}
	typed, err := r.prompt(ctx, question)
	if err == nil {
		defer clear(typed)
		err = flaw("what was typed", typed)
	}
	switch {
	case errors.Is(err, ErrInterrupted):
		return err
	case errors.Is(err, errNoTerminal):
		return &usageError{
			msg:  fmt.Sprintf("no %s for %s, and no terminal to ask for it", noun, c.User),
			next: fmt.Sprintf("again with --auth-%s-file FILE   # - is standard input", noun),
		}
	case err != nil:
		return &usageError{msg: noun + " for " + c.User + ": " + err.Error(), next: r.next}
	}
	*missing = transcript.NewSecret(string(typed))
	if r.login.typed == nil {
		r.login.typed = map[string]transcript.Secret{}
	}
	r.login.typed[question] = *missing
	return nil
}

func (r *run) prompt(ctx context.Context, question string) ([]byte, error) {
	if r.Prompt == nil {
		return nil, errNoTerminal
	}
	return r.Prompt(ctx, question)
}

// errNoTerminal says that there is nobody to ask.
var errNoTerminal = errors.New("there is no terminal")

// promptTerminal asks on the terminal that the process was started from, wherever
// its standard streams lead. It is as it was before when promptTerminal returns.
// The error is errNoTerminal, ErrInterrupted after Ctrl-C, or the cause of ctx.
func promptTerminal(ctx context.Context, text string) ([]byte, error) {
	in, out := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		in, out = "CONIN$", "CONOUT$"
	}
	keys, err := os.OpenFile(in, os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	defer keys.Close()
	screen, err := os.OpenFile(out, os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	defer screen.Close()
	restore, err := rawMode(keys)
	if err != nil {
		return nil, errNoTerminal
	}
	defer func() {
		restore()
		_, _ = io.WriteString(screen, "\n")
	}()
	if _, err := io.WriteString(screen, text); err != nil {
		return nil, err
	}
	return within(ctx, func() ([]byte, error) { return readKeys(keys) })
}

// rawMode has the terminal hand over each key, shown nowhere, until restore is
// called. Its keys for signals are then ours to look at: set and restored by the
// same goroutine, the mode cannot outlive an interrupt.
func rawMode(f *os.File) (restore func(), err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var before *term.State
	var failed error
	// Not by Fd, which makes reads block that Close should end.
	err = conn.Control(func(fd uintptr) { before, failed = term.MakeRaw(int(fd)) })
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	return func() {
		_ = conn.Control(func(fd uintptr) { _ = term.Restore(int(fd), before) })
	}, nil
}

// The keys that do something in a line that is typed blind.
const (
	keyInterrupt = 0x03 // Ctrl-C
	keyEnd       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyKill      = 0x15 // Ctrl-U
	keyQuit      = 0x1c // Ctrl-\
	keyDelete    = 0x7f
)

// readKeys reads one line as it is typed, without its end. The error is
// ErrInterrupted after Ctrl-C.
func readKeys(keys io.Reader) ([]byte, error) {
	line := make([]byte, 0, 256)
	var key [1]byte
	for {
		if _, err := io.ReadFull(keys, key[:]); err != nil {
			clear(line)
			return nil, err
		}
		switch key[0] {
		case '\r', '\n':
			return line, nil
		case keyInterrupt, keyQuit:
			clear(line)
			return nil, ErrInterrupted
		case keyEnd:
			if len(line) == 0 {
				return nil, errors.New("nothing was typed")
			}
			return line, nil
		case keyBackspace, keyDelete:
			_, size := utf8.DecodeLastRune(line)
			line = line[:len(line)-size]
		case keyKill:
			line = line[:0]
		default:
			if len(line) <= mostSecret {
				line = append(line, key[0])
			}
		}
	}
}
