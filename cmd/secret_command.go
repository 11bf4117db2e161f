package cmd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// secretCommand runs the command that a setting names, in a shell, and takes what
// it prints. Its standard input is empty: ours may be the message.
func (r *run) secretCommand(ctx context.Context, setting string) ([]byte, error) {
	c := shellCommand(ctx, r.String(setting))
	out := &bounded{most: mostSecret + 1, err: errTooMuch}
	said := &bounded{most: 4 << 10}
	c.Stdout, c.Stderr = out, said
	// Something that it has left running may hold its output open.
	c.WaitDelay = time.Second
	err := c.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		clear(out.held)
		return nil, context.Cause(ctx)
	case err == nil, errors.Is(err, exec.ErrWaitDelay), len(out.held) > mostSecret:
		return out.held, flaw("what the command printed", out.held)
	case errors.As(err, &ended):
		clear(out.held)
		if interrupted(ended.ProcessState) {
			return nil, ErrInterrupted
		}
		return nil, fmt.Errorf("the command ended with %s%s", ended.ProcessState, lastWords(said.held))
	}
	return nil, fmt.Errorf("the command cannot be run: %w", err)
}

// lastWords is the end of what a command said on standard error, ": permission
// denied", escaped and short; "" if it said nothing.
func lastWords(said []byte) string {
	const most = 160
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	last := []rune(strings.TrimSpace(lines[len(lines)-1]))
	if len(last) == 0 {
		return ""
	}
	if len(last) > most {
		last = append(last[:most], []rune("...")...)
	}
	return ": " + string(last)
}

var errTooMuch = errors.New("too much")

// bounded keeps the first bytes that are written to it. Beyond, it gives err, or
// takes and forgets them.
type bounded struct {
	held []byte
	most int
	err  error
}

// Write keeps what there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	room := min(len(p), b.most-len(b.held))
	b.held = append(b.held, p[:room]...)
	if room < len(p) && b.err != nil {
		return room, b.err
	}
	return len(p), nil
}
