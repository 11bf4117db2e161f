package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// TestPromptChild is not a test: TestPromptTerminal runs it in a process of its
// own. It asks, and says on standard output what came of it.
func TestPromptChild(t *testing.T) {
	if os.Getenv("EHLO_TEST_PROMPT") == "" {
		t.Skip("for TestPromptTerminal")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	typed, err := OSEnv().Prompt(ctx, "password: ")
	fmt.Printf("typed %q, interrupted %v, no terminal %v, ended %v\n", typed, errors.Is(err, ErrInterrupted), errors.Is(err, errNoTerminal), ctx.Err() != nil)
}

// pty is a pseudo terminal: what is written to keys is typed, what is read from
// it is seen.
func pty(t *testing.T) (keys, terminal *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo terminals: ", err)
	}
	t.Cleanup(func() { keys.Close() })
	conn, err := keys.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var failed error
	err = conn.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		t.Skip("no pseudo terminals: ", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals: ", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keys, terminal
}

// child is TestPromptChild in a session of its own.
func child(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestPromptChild$")
	c.Env = append(os.Environ(), "EHLO_TEST_PROMPT=1")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out := &bytes.Buffer{}
	c.Stdout = out
	return c, out
}

func TestPromptTerminal(t *testing.T) {
	tests := []struct {
		name, keys string
		signal     os.Signal
		want       string
	}{
		{"typed", hunter + "\r", nil, fmt.Sprintf("typed %q, interrupted false, no terminal false, ended false\n", hunter)},
		{"mended", "wrong\x15" + hunter + "x\x7f\n", nil, fmt.Sprintf("typed %q, interrupted false, no terminal false, ended false\n", hunter)},
		{"Ctrl-C", hunter + "\x03", nil, "typed \"\", interrupted true, no terminal false, ended false\n"},
		{"SIGTERM", "", syscall.SIGTERM, "typed \"\", interrupted false, no terminal false, ended true\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, terminal := pty(t)
			fd := int(terminal.Fd())
			before, err := term.GetState(fd)
			if err != nil {
				t.Fatal(err)
			}
			c, out := child(t)
			c.Stdin = terminal // which makes it the controlling one; a prompt goes there, not to stdout
			c.SysProcAttr.Setctty = true
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			seen := make([]byte, 0, 64)
			until := func(what string) {
				t.Helper()
				_ = keys.SetReadDeadline(time.Now().Add(20 * time.Second))
				var b [64]byte
				for !strings.Contains(string(seen), what) {
					n, err := keys.Read(b[:])
					seen = append(seen, b[:n]...)
					if err != nil {
						_ = c.Process.Kill()
						t.Fatalf("%q, %v", seen, err)
					}
				}
			}
			until("password: ")
			if _, err := io.WriteString(keys, tt.keys); err != nil {
				t.Fatal(err)
			}
			if tt.signal != nil {
				if err := c.Process.Signal(tt.signal); err != nil {
					t.Fatal(err)
				}
			}
			until("\r\n")
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(out.String(), tt.want) {
				t.Errorf("%s, want %s", out, tt.want)
			}
			if string(seen) != "password: \r\n" {
				t.Errorf("the terminal shows %q", seen)
			}
			if after, err := term.GetState(fd); err != nil || !reflect.DeepEqual(before, after) {
				t.Errorf("the terminal is left as %+v, not %+v: %v", after, before, err)
			}
		})
	}
}

func TestPromptWithoutTerminal(t *testing.T) {
	c, out := child(t)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if want := "typed \"\", interrupted false, no terminal true, ended false\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("%s, want %s", out, want)
	}
}
