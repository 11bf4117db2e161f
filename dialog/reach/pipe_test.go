//go:build unix

package reach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// polite is a server for the shell: a banner, a reply to EHLO, one to QUIT.
const polite = `printf '220 pipe.test ESMTP\r\n'; read -r hello; printf '250 pipe.test\r\n'; read -r quit; printf '221 bye\r\n'`

// talk visits a command and tells what became of it, and the findings shown.
func talk(t *testing.T, command string, said func(string)) (finding string, err error) {
	t.Helper()
	r := &Reach{ConnectTimeout: 5 * time.Second, Said: said, Session: dialog.Options{Timeouts: dialog.DefaultTimeouts(), Hello: "client.test", Now: time.Now}}
	r.Session.Timeouts.Quit = time.Second
	shown := shownBy(r)
	v := r.Visit(t.Context(), Hop{Host: "localhost", Command: command}, dialog.Plan{dialog.Greet(), dialog.Hello(), dialog.Quit()})
	var findings []string
	for line := range strings.Lines(shown.String()) {
		if text, ok := strings.CutPrefix(line, "  !   "); ok {
			findings = append(findings, strings.TrimSpace(text))
		}
	}
	if !strings.HasPrefix(shown.String(), "● connect   exec:") {
		t.Errorf("shown:\n%s", shown)
	}
	return strings.Join(findings, "; "), v.Err
}

func TestPipe(t *testing.T) {
	for _, test := range []struct {
		command string
		err     string
		finding string
	}{
		{polite, "", ""},
		{polite + "; exit 3", "", "the command ended with exit status 3"},
		{polite + "; kill -TERM $$", "", "the command was ended: signal: terminated"},
		{polite + "; cat >&2", "", ""}, // waits for the end of its input
		{"no-such-command-here 2>&-", "the server closed the connection before the greeting", "the command ended with exit status 127: the shell found no such program"},
		{"/ 2>&-", "the server closed the connection before the greeting", "the command ended with exit status 126: the shell cannot run it"},
		{"true", "the server closed the connection before the greeting", ""},
		{"exec <&-; printf '220 deaf.test\\r\\n'; exec >&-; sleep 0", "the server closed the connection", ""},
		{`printf '554 no\r\n'; read -r quit; exit 1`, "refused", "the command ended with exit status 1"},
	} {
		finding, err := talk(t, test.command, nil)
		text := ""
		if err != nil {
			text, _, _ = strings.Cut(err.Error(), " (")
			if errors.As(err, new(*dialog.Refusal)) {
				text = "refused"
			}
		}
		if !strings.HasPrefix(text, test.err) || (text == "") != (test.err == "") || finding != test.finding {
			t.Errorf("%s:\n%q, finding %q; want\n%q, finding %q", test.command, text, finding, test.err, test.finding)
		}
	}
}

// What a command says beside the conversation is told line by line, and bounded.
func TestPipeErrors(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	said := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}
	_, err := talk(t, `printf 'one\r\ntwo \033[31m\n\nlast' >&2; `+polite, said)
	if got := strings.Join(lines, "|"); err != nil || got != "one|two \x1b[31m||last" {
		t.Errorf("%q, %v", got, err)
	}
	lines = nil
	finding, err := talk(t, `head -c 3000000 /dev/zero >&2; `+polite, said)
	total := len(strings.Join(lines, ""))
	if err != nil || finding != "" || len(lines) != mostErrors/mostErrorLine+1 || total > mostErrors+100 || !strings.HasPrefix(lines[len(lines)-1], "(what follows") {
		t.Errorf("%d lines, %d bytes, %v, %q", len(lines), total, err, finding)
	}
}

// A command that does not end is killed, with what it has started.
func TestPipeKilled(t *testing.T) {
	var mu sync.Mutex
	var pids []int
	said := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if pid, err := strconv.Atoi(line); err == nil {
			pids = append(pids, pid)
		}
	}
	began := time.Now()
	finding, err := talk(t, `sleep 600 & echo $! >&2; echo $$ >&2; `+polite+`; wait`, said)
	if err != nil || finding != "the command did not end with the conversation, and was killed" {
		t.Errorf("%v, %q", err, finding)
	}
	if took := time.Since(began); took > grace+burst+3*time.Second {
		t.Errorf("it took %s", took)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(pids) != 2 {
		t.Fatalf("processes %v", pids)
	}
	for _, pid := range pids {
		for deadline := time.Now().Add(3 * time.Second); !gone(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still there", pid)
			}
		}
	}
}

// gone reports whether a process has ended; whoever adopts it may not have
// noticed yet.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return os.IsNotExist(err)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

// The end of a run ends a command that says nothing.
func TestPipeTime(t *testing.T) {
	r := &Reach{ConnectTimeout: time.Second, Session: dialog.Options{Timeouts: dialog.DefaultTimeouts(), Hello: "client.test", Now: time.Now}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	v := r.Visit(ctx, Hop{Host: "localhost", Command: "exec sleep 600"}, dialog.Plan{dialog.Greet(), dialog.Quit()})
	if v.Err == nil || !v.Reached {
		t.Errorf("%+v", v)
	}
	if took := time.Since(began); took > burst+3*time.Second {
		t.Errorf("it took %s", took)
	}
	r.Session.Timeouts.Banner = 50 * time.Millisecond
	v = r.Visit(t.Context(), Hop{Host: "localhost", Command: "cat"}, dialog.Plan{dialog.Greet(), dialog.Quit()})
	if !errors.As(v.Err, new(*dialog.TimeoutError)) {
		t.Errorf("a silent command: %v", v.Err)
	}
}

// A command that reads nothing does not hold up a write for ever.
func TestPipeDeaf(t *testing.T) {
	c, err := startChild("exec sleep 600", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	block := make([]byte, 1<<20)
	if _, err := c.Write(block); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	hurry := make(chan struct{})
	close(hurry)
	if text := c.end(t.Context(), hurry); text != "the command did not end with the conversation, and was killed" {
		t.Errorf("%q", text)
	}
	if _, err := c.Write(block); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("behind the end: %v", err)
	}
}
