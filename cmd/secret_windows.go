package cmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// shellCommand is line for the shell as it stands, killed when ctx ends.
func shellCommand(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "cmd.exe")
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + line + `"`}
	return c
}

// interrupted is false: Ctrl-C reaches ehlo itself.
func interrupted(*os.ProcessState) bool { return false }

// openDescriptor refuses: descriptors are handed by number on Unix alone.
func openDescriptor(fd int) (*os.File, error) {
	return nil, fmt.Errorf("fd:%d: there are no file descriptors on this system", fd)
}
