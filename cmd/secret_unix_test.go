//go:build unix

package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// commanded is what --auth-password-command gives.
func commanded(ctx context.Context, t *testing.T, command string) (string, error) {
	t.Helper()
	w := newWorld()
	w.In = strings.NewReader("not for the command")
	r := runOf(t, w, "send --auth-user alice")
	r.values["auth-password-command"].take(command, Source{FromFlag, "--auth-password-command"})
	c, _, err := r.credentials(ctx, "mx.test", 587)
	return c.Password.Reveal(), err
}

func TestPasswordCommand(t *testing.T) {
	for command, want := range map[string]string{
		"echo " + hunter:                         hunter,
		"printf ' %s ' " + hunter:                " " + hunter + " ",
		"echo debug >&2; echo " + hunter:         hunter,
		"cat; echo " + hunter:                    hunter, // standard input is empty
		"yes debug | head -c 100000 >&2; echo x": "x",
		"echo x; sleep 2 &":                      "x", // which holds the pipe
	} {
		if got, err := commanded(t.Context(), t, command); err != nil || got != want {
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
	const most = "--auth-password-command: "
	for command, want := range map[string]string{
		"exit 3":                      most + "the command ended with exit status 3",
		"echo " + hunter + "; exit 1": most + "the command ended with exit status 1",
		"echo first >&2; printf 'no \\033[2J entry\\n\\n' >&2; exit 4": most + "the command ended with exit status 4: no \x1b[2J entry",
		"yes xxxxxxxxx | head -n 9999 | tr -d '\\n' >&2; exit 1":       most + "the command ended with exit status 1: " + strings.Repeat("x", 160) + "...",
		"kill -9 $$":                    most + "the command ended with signal: killed",
		"true":                          most + "what the command printed is empty",
		"echo " + hunter + "; echo two": most + "what the command printed has several lines: one is wanted, and nothing else",
		"yes " + hunter:                 most + "what the command printed is over 64 KiB",
		"printf 'a\\000b'":              most + "what the command printed holds a NUL",
		"no-such-program-" + "of-ehlo 2>/dev/null": most + "the command ended with exit status 127",
	} {
		_, err := commanded(t.Context(), t, command)
		if !errors.As(err, new(*usageError)) || err.Error() != want {
			t.Errorf("%s: %v, want %s", command, err, want)
		}
		if err != nil && strings.Contains(err.Error(), hunter) {
			t.Errorf("%s: the password stands in its error", command)
		}
	}
	if _, err := commanded(t.Context(), t, "kill -INT $$"); !errors.Is(err, ErrInterrupted) {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// A command that takes too long is killed with all that it has started.
func TestPasswordCommandKilled(t *testing.T) {
	if foreground() {
		t.Skip("on a terminal of its own a command shares our process group")
	}
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if text, _ := os.ReadFile(file); strings.HasSuffix(string(text), "\n") {
				cancel(&maxTimeError{time.Second})
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err := commanded(ctx, t, "sleep 1000 & echo $! > "+file+"; wait")
	if err == nil || err.Error() != "--auth-password-command: time is up: --max-time is 1.00 s" {
		t.Error(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

// alive reports whether a process runs; one that nobody waits for does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(status), ") Z ")
}

func TestDescriptor(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if _, err := write.WriteString(hunter + "\n"); err != nil {
		t.Fatal(err)
	}
	write.Close()
	line := func(fd uintptr) string { return fmt.Sprintf("send --auth-user alice --auth-password-file fd:%d", fd) }
	handed, err := syscall.Dup(int(read.Fd())) // as a shell hands it over: not closed on exec
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(handed)
	if _, _, err := runOf(t, newWorld(), line(read.Fd())).credentials(t.Context(), "mx.test", 25); err == nil || !strings.Contains(err.Error(), "bad file descriptor") {
		t.Errorf("a descriptor that was not handed over: %v", err)
	}
	fd := uintptr(handed)
	c, _, err := runOf(t, newWorld(), line(fd)).credentials(t.Context(), "mx.test", 25)
	if err != nil || c.Password.Reveal() != hunter {
		t.Errorf("%q, %v", c.Password.Reveal(), err)
	}
	if _, err := read.Stat(); err != nil {
		t.Errorf("the descriptor is closed: %v", err)
	}
	_, _, err = runOf(t, newWorld(), line(999983)).credentials(t.Context(), "mx.test", 25)
	if err == nil || err.Error() != "--auth-password-file: fd:999983: bad file descriptor" {
		t.Error(err)
	}
}

// A file of a kind that has no end, and one that never begins.
func TestOddFiles(t *testing.T) {
	_, _, err := runOf(t, newWorld(), "send --auth-user a --auth-password-file /dev/zero").credentials(t.Context(), "mx.test", 25)
	if err == nil || err.Error() != "--auth-password-file: /dev/zero is over 64 KiB" {
		t.Error(err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, &maxTimeError{time.Millisecond})
	defer cancel()
	for _, flag := range []string{"--auth-password-file ", "--netrc="} {
		_, _, err = runOf(t, newWorld(), "send --auth-user a "+flag+fifo).credentials(ctx, "mx.test", 25)
		if err == nil || !strings.HasSuffix(err.Error(), ": time is up: --max-time is 1.0 ms") {
			t.Error(err)
		}
	}
}
