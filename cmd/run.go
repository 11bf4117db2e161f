package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

// ErrInterrupted is the cause of a context that a signal has cancelled.
var ErrInterrupted = errors.New("interrupted")

// Main runs the program once with args, the arguments behind its name, and gives
// the exit status of the process. It writes to env alone. A context cancelled
// with ErrInterrupted ends the run politely.
func Main(ctx context.Context, env Env, args []string) (status int) {
	defer func() {
		if p := recover(); p != nil {
			complain(env, nil, &defect{value: p, at: panicked()})
			status = int(StatusDefect)
		}
	}()
	c, err := parse(args)
	if err != nil {
		complain(env, c, err)
		if end, plugin := c.unanswered(env, err); plugin {
			return int(end)
		}
		return int(exit{Status: StatusUsage}.code(c.asked(env, "exit-codes")))
	}
	return int(c.run(ctx, env))
}

// run runs what the command line asks for.
func (c *call) run(ctx context.Context, env Env) Status {
	switch {
	case c.version:
		return show(env, versionText(env))
	case c.command == nil && !c.help:
		if status := show(env, overview(newPage(env, c))); status != StatusDone {
			return status
		}
		return StatusUsage // nothing was done: a script must not take it for success
	case c.help:
		return show(env, helpText(newPage(env, c), c.command))
	}
	end, scheme, err := c.dispatch(ctx, env)
	if err != nil {
		complain(env, c, err)
		if end, plugin := c.unanswered(env, err); plugin {
			return end
		}
		end = failed(end, err)
	}
	return end.code(scheme)
}

// failed is the end of a run that gave an error: a status that the command has
// set stands, else the error's own.
func failed(end exit, err error) exit {
	var out *outputError
	switch {
	case errors.As(err, &out):
		end.Status = StatusOutput
	case end.Status != StatusDone:
	case errors.Is(err, ErrInterrupted):
		end.Status = StatusInterrupted
	case errors.As(err, new(*maxTimeError)):
		end.Status = StatusNoAnswer
	default:
		end.Status = StatusUsage
	}
	return end
}

// dispatch hands the normalised line to urfave/cli, which fills the flags and
// runs the command's action.
func (c *call) dispatch(ctx context.Context, env Env) (end exit, scheme string, err error) {
	scheme = c.asked(env, "exit-codes")
	line := &call{command: c.command}
	action := func(cc *cli.Context) error {
		line.args = cc.Args().Slice()
		r := &run{Env: env, command: c.command, args: line.args}
		var err error
		if r.Settings, err = resolve(line, env); err != nil {
			return err
		}
		if scheme = r.String("exit-codes"); r.String("format") == "nagios" {
			scheme = "" // a plugin's statuses are read as such
		}
		env.ready()
		if r.Bool("dump") {
			end, err = runDump(r)
		} else {
			end, err = c.command.run(cc.Context, r)
		}
		return err
	}
	app := &cli.App{
		Name: "ehlo", HideHelp: true, HideVersion: true, DisableSliceFlagSeparator: true,
		Reader: env.In, Writer: io.Discard, ErrWriter: io.Discard,
		Compiled:       time.Unix(0, 0), // else it asks for the time of the program's file
		ExitErrHandler: func(*cli.Context, error) {},
		Commands: []*cli.Command{{
			Name: c.command.name, HideHelp: true, Flags: c.cliFlags(line), Action: action,
			OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		}},
	}
	err = app.RunContext(ctx, c.words())
	return end, scheme, err
}

// flagValue is one spelling of a flag as urfave/cli fills it: it appends to the
// flags of a line, so that their order is kept.
type flagValue struct {
	line  *call
	flag  *flag
	typed string
}

// Set notes that the flag was given.
func (v *flagValue) Set(value string) error {
	v.line.flags = append(v.line.flags, given{flag: v.flag, typed: v.typed, value: value})
	return nil
}

// String is empty: what a flag holds is Settings' matter.
func (v *flagValue) String() string { return "" }

// cliFlags are the flags that c gives, in the spellings it uses, to fill line.
// parse has refused all others, and urfave/cli looks at every flag beside every
// other: the whole table would cost milliseconds.
func (c *call) cliFlags(line *call) []cli.Flag {
	var flags []cli.Flag
	seen := map[string]bool{}
	for _, g := range c.flags {
		if !seen[g.typed] {
			seen[g.typed] = true
			flags = append(flags, &cli.GenericFlag{Name: strings.TrimLeft(g.typed, "-"), Value: &flagValue{line, g.flag, g.typed}})
		}
	}
	return flags
}

// show writes text to standard output.
func show(env Env, text string) Status {
	if err := write(env, text); err != nil {
		complain(env, nil, err)
		return StatusOutput
	}
	return StatusDone
}

func write(env Env, text string) error {
	env.ready()
	if _, err := io.WriteString(env.Out, text); err != nil {
		return &outputError{err}
	}
	return nil
}

// defect is a panic, for people.
type defect struct {
	value any
	at    string
}

func (d *defect) Error() string {
	return strings.TrimSpace(fmt.Sprintf("a defect in ehlo %s: %v", d.at, d.value))
}

// panicked is where the panic that is being recovered happened: file:line.
func panicked() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			panicking = panicking || frame.Function == "runtime.gopanic"
		case panicking:
			return "at " + path.Base(path.Dir(frame.File)) + "/" + path.Base(frame.File) + fmt.Sprintf(":%d", frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// quiet reports whether err needs no words: whoever read our output has stopped,
// and nothing is left to say.
func quiet(err error) bool {
	out, ok := err.(*outputError)
	return ok && errors.Is(out, syscall.EPIPE)
}
