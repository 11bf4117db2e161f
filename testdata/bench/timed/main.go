//go:build unix

// Command timed runs a command and says, in one line on standard error, what it
// took: seconds by the clock, seconds of processors, and its peak memory in KiB. It is
// small: a process begins with the peak of the one that started it.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	command := exec.Command(os.Args[1], os.Args[2:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	began := time.Now()
	err := command.Run()
	wall := time.Since(began)
	if command.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	usage := command.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	fmt.Fprintf(os.Stderr, "\ntimed %.6f %.6f %d\n", wall.Seconds(), cpu.Seconds(), usage.Maxrss)
	os.Exit(command.ProcessState.ExitCode())
}
