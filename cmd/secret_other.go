//go:build !unix

package cmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// shellCommand is line for the shell.
func shellCommand(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd", "/S", "/C", line)
}

// interrupted is false: Ctrl-C reaches ehlo itself.
func interrupted(*os.ProcessState) bool { return false }

// openDescriptor refuses: only Unix hands descriptors by number.
func openDescriptor(fd int) (*os.File, error) {
	return nil, fmt.Errorf("fd:%d: there are no file descriptors on this system", fd)
}
