//go:build unix

package cmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// shellCommand is line for the shell, killed when ctx ends with all that it has
// started. On a terminal that is ours it stays in our process group instead: a
// program that asks for a passphrase there must not stand in the background, and
// Ctrl-C and Ctrl-Z reach it.
func shellCommand(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	if !foreground() {
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	}
	return c
}

// foreground reports whether we may read from our terminal.
func foreground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// interrupted reports whether a process was ended by Ctrl-C.
func interrupted(p *os.ProcessState) bool {
	status, ok := p.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGINT
}

// openDescriptor is a duplicate of a descriptor that this process was given: one
// that it was not given may belong to the Go runtime, which needs it open.
func openDescriptor(fd int) (*os.File, error) {
	var status unix.Stat_t
	if err := unix.Fstat(fd, &status); err != nil {
		return nil, &os.PathError{Op: "open", Path: fmt.Sprintf("fd:%d", fd), Err: err}
	}
	// Those of the runtime are closed when another program is begun; those that a
	// shell hands over are not.
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
		return nil, &os.PathError{Op: "open", Path: fmt.Sprintf("fd:%d", fd), Err: unix.EBADF}
	}
	twin, err := unix.Dup(fd)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: fmt.Sprintf("fd:%d", fd), Err: err}
	}
	unix.CloseOnExec(twin)
	return os.NewFile(uintptr(twin), fmt.Sprintf("fd:%d", fd)), nil
}
