package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The peak of a process's memory counts from its fork, when it is still a copy of
// its parent. So a small process of its own starts all of them: the test itself
// grows by what the servers hold.

// spec is what to run.
type spec struct {
	N     int
	Args  []string // behind the program; if Other, with one of its own
	Other bool
	TTY   bool // standard output and standard error are a terminal
}

// result is what became of it.
type result struct {
	N, Status int
	Wall      int64 // nanoseconds
	Bytes     int64 // resident at most
	Out, Err  string
	Failed    string // why it was not run
}

// killTime is when a program that does not end is killed.
const killTime = 15 * time.Second

// launcher hands specs to its process.
type launcher struct {
	mu    sync.Mutex
	in    *json.Encoder
	n     int
	wait  map[int]chan result
	ended bool
}

// launch starts the process, which ends with the test.
func launch(t *testing.T, program, dir string) *launcher {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestHostileLauncher$")
	c.Env = []string{"EHLO_TEST_LAUNCH=" + program, "HOME=" + dir, "XDG_CONFIG_HOME=" + dir + "/config", "PATH=" + os.Getenv("PATH"),
		"LC_ALL=C.UTF-8", "TZ=UTC", "USER=user", "TERM=xterm"}
	c.Dir = dir
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	l := &launcher{in: json.NewEncoder(in), wait: map[int]chan result{}}
	t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
	go func() {
		for d := json.NewDecoder(out); ; {
			var r result
			err := d.Decode(&r)
			l.mu.Lock()
			if err != nil {
				l.ended = true
				for _, c := range l.wait {
					c <- result{Failed: "the launcher ended: " + err.Error()}
				}
				l.wait = nil
				l.mu.Unlock()
				return
			}
			l.wait[r.N] <- r
			delete(l.wait, r.N)
			l.mu.Unlock()
		}
	}()
	return l
}

// run runs one spec and waits for its end.
func (l *launcher) run(s spec) result {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return result{Failed: "the launcher has ended"}
	}
	l.n++
	s.N = l.n
	c := make(chan result, 1)
	l.wait[s.N] = c
	err := l.in.Encode(s)
	l.mu.Unlock()
	if err != nil {
		return result{Failed: err.Error()}
	}
	return <-c
}

// TestHostileLauncher is not a test: it is that process.
func TestHostileLauncher(t *testing.T) {
	program := os.Getenv("EHLO_TEST_LAUNCH")
	if program == "" {
		t.Skip("for TestHostile")
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	var wg sync.WaitGroup
	for d := json.NewDecoder(os.Stdin); ; {
		var s spec
		if err := d.Decode(&s); err != nil {
			break
		}
		wg.Go(func() {
			r := play(program, s)
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(r)
		})
	}
	wg.Wait()
	os.Exit(0) // no word of the test's own on standard output
}

// play runs one spec.
func play(program string, s spec) result {
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	c := exec.CommandContext(ctx, program, s.Args...)
	if s.Other {
		c = exec.CommandContext(ctx, s.Args[0], s.Args[1:]...)
	}
	c.WaitDelay = time.Second
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	shown := make(chan struct{})
	close(shown)
	var terminal *os.File
	if s.TTY {
		screen, far, err := openTerminal()
		if err != nil {
			return result{N: s.N, Failed: "no terminal: " + err.Error()}
		}
		defer screen.Close()
		terminal = far
		c.Stdout, c.Stderr = far, far
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		shown = make(chan struct{})
		go func() {
			_, _ = io.Copy(&out, screen) // it ends with EIO as the last one leaves the terminal
			close(shown)
		}()
	}
	begun := time.Now()
	err := c.Start()
	if terminal != nil {
		_ = terminal.Close()
	}
	if err != nil {
		return result{N: s.N, Failed: err.Error()}
	}
	err = c.Wait()
	r := result{N: s.N, Wall: int64(time.Since(begun))}
	<-shown
	r.Out, r.Err = out.String(), errs.String()
	r.Status = c.ProcessState.ExitCode()
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.Bytes = usage.Maxrss << 10
	}
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		r.Failed = err.Error()
	}
	return r
}

// openTerminal opens a pseudo terminal of 100 columns.
func openTerminal() (screen, far *os.File, err error) {
	screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	conn, err := screen.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var number int
	var failed error
	err = conn.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
		if failed == nil {
			failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100})
		}
	})
	if err = errors.Join(err, failed); err == nil {
		far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		_ = screen.Close()
		return nil, nil, err
	}
	return screen, far, nil
}
