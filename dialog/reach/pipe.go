package reach

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// How much of what a command says on its standard error is passed on, in bytes.
const (
	mostErrors    = 64 << 10
	mostErrorLine = 1 << 10 // a longer line is passed on in parts
)

// How long a command may take to end by itself once the conversation has, and
// to vanish once it is killed.
const (
	grace = 2 * time.Second
	burst = time.Second
)

// child is a command as the other side of a connection: its standard input and
// output. In between stands a net.Pipe, as the pipes of some systems know no
// deadlines.
type child struct {
	net.Conn
	cmd    *exec.Cmd
	pipes  []*os.File    // our ends
	served chan struct{} // closed when it has ended and all it said is read
}

// startChild runs a command by the system's shell. said is told of each line on
// its standard error, as it came; it may be nil.
func startChild(command string, said func(string)) (_ *child, err error) {
	c := &child{cmd: shell(command), served: make(chan struct{})}
	var theirs []*os.File
	defer func() {
		closeAll(theirs)
		if err != nil {
			closeAll(c.pipes)
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	theirIn, in := pipe()
	out, theirOut := pipe()
	errs, theirErrs := pipe()
	theirs, c.pipes = []*os.File{theirIn, theirOut, theirErrs}, []*os.File{in, out, errs}
	if err != nil {
		return nil, err
	}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, theirErrs
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	c.Conn = near
	go c.serve(in, out, errs, far, said)
	return c, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// serve carries bytes until the command has ended and all it said is read.
func (c *child) serve(in, out, errs *os.File, far net.Conn, said func(string)) {
	defer close(c.served)
	done := make(chan struct{}, 3)
	go func() {
		_, _ = io.Copy(in, far)
		_ = in.Close()                  // the end of its input
		_, _ = io.Copy(io.Discard, far) // it may have closed that and speak on
		done <- struct{}{}
	}()
	go func() {
		_, _ = io.Copy(far, out)
		_ = far.Close()
		_, _ = io.Copy(io.Discard, out) // no SIGPIPE for a farewell
		done <- struct{}{}
	}()
	go func() {
		relay(errs, said)
		done <- struct{}{}
	}()
	_ = c.cmd.Wait() // end reads the state
	for range cap(done) {
		<-done
	}
	closeAll(c.pipes)
}

// relay tells said of the lines of r, up to a limit, and reads on behind it.
func relay(r io.Reader, said func(string)) {
	lines, left := bufio.NewReaderSize(r, mostErrorLine), mostErrors
	for said != nil && left > 0 {
		line, err := lines.ReadSlice('\n')
		line = line[:min(len(line), left)]
		left -= len(line)
		if len(line) > 0 {
			said(strings.TrimRight(string(line), "\r\n"))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		if left == 0 {
			said(fmt.Sprintf("(what follows its first %d bytes is not shown)", mostErrors))
		}
	}
	_, _ = io.Copy(io.Discard, lines)
}

// Write gives the error of a connection whose other side is gone.
func (c *child) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = syscall.EPIPE
	}
	return n, err
}

// end closes the connection and waits for the command to end by itself, for a
// moment; then it and all that it started are killed. It gives what there is to
// say of how it ended, "" if it ended well.
func (c *child) end(ctx context.Context, hurry <-chan struct{}) string {
	_ = c.Close()
	wait, killed := time.NewTimer(grace), false
	defer wait.Stop()
	select {
	case <-c.served:
	case <-wait.C:
		killed = true
	case <-ctx.Done():
		killed = !c.within(burst / 4)
	case <-hurry:
		killed = true
	}
	if killed {
		kill(c.cmd)
		if !c.within(burst) {
			closeAll(c.pipes) // something that is not of its group holds the other ends
			c.within(burst)
		}
		return "the command did not end with the conversation, and was killed"
	}
	return ending(c.cmd.ProcessState)
}

// within reports whether the command ends in time.
func (c *child) within(limit time.Duration) bool {
	wait := time.NewTimer(limit)
	defer wait.Stop()
	select {
	case <-c.served:
		return true
	case <-wait.C:
		return false
	}
}

// ending says how a command ended, "" if it ended well.
func ending(state *os.ProcessState) string {
	switch {
	case state.Success():
		return ""
	case state.ExitCode() == 127:
		return "the command ended with exit status 127: the shell found no such program"
	case state.ExitCode() == 126:
		return "the command ended with exit status 126: the shell cannot run it"
	case state.ExitCode() >= 0:
		return fmt.Sprintf("the command ended with exit status %d", state.ExitCode())
	}
	return "the command was ended: " + state.String()
}

// finish ends the command that a connection leads to, if it is one, and shows how
// it ended.
func finish(ctx context.Context, nc net.Conn, o *dialog.Options) {
	if c, ok := nc.(*child); ok {
		if text := c.end(ctx, o.Hurry); text != "" {
			o.Stream.Emit(dialog.Finding{Text: text})
		}
	}
}
