package reach

import (
	"os/exec"
	"syscall"
)

// shell is a command for the shell, in a process group of its own.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CmdLine:       `cmd.exe /d /s /c "` + command + `"`, // the shell has its own rules for quotes
		CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP,
	}
	return cmd
}

// kill ends a command. What it has started ends with its pipes.
func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// reusePort does nothing: SO_REUSEADDR has another meaning here, and a port that
// a connection has left is free.
func reusePort(_, _ string, _ syscall.RawConn) error { return nil }
