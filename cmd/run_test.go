package cmd

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// refusing is an output that fails.
type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) { return 0, r.err }

// panicking is an output with a defect.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("of what\nnobody thought") }

func TestOutputFails(t *testing.T) {
	for _, line := range []string{"", "--version", "version", "--help", "send --help", "completion fish", "man", "mx --dump", "mx --dump --json"} {
		w := newWorld()
		w.Out = refusing{syscall.ENOSPC}
		_, errs, status := w.run(strings.Fields(line)...)
		if want := "ehlo: output could not be written: no space left on device\n"; status != 74 || errs != want {
			t.Errorf("ehlo %s on a full disk: status %d, stderr %q", line, status, errs)
		}
		// Whoever closed the pipe has seen enough.
		w.Out = refusing{fmt.Errorf("write: %w", syscall.EPIPE)}
		if _, errs, status := w.run(strings.Fields(line)...); status != 74 || errs != "" {
			t.Errorf("ehlo %s into a closed pipe: status %d, stderr %q", line, status, errs)
		}
	}
}

func TestDefect(t *testing.T) {
	w := newWorld()
	w.Out = panicking{}
	_, errs, status := w.run("version")
	if status != 70 || !strings.HasPrefix(errs, "ehlo: a defect in ehlo at cmd/run_test.go:") ||
		!strings.HasSuffix(errs, `: of what\x0anobody thought`+"\n") || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d, stderr %q", status, errs)
	}
}

func TestFailed(t *testing.T) {
	tests := []struct {
		end  exit
		err  error
		want Status
	}{
		{exit{}, &usageError{}, StatusUsage},
		{exit{}, errors.New("a file cannot be read"), StatusUsage},
		{exit{}, fmt.Errorf("send: %w", ErrInterrupted), StatusInterrupted},
		{exit{Status: StatusUnknown}, ErrInterrupted, StatusUnknown},
		{exit{Status: StatusRefused}, errors.New("x"), StatusRefused},
		{exit{Status: StatusDone}, &outputError{syscall.EIO}, StatusOutput},
	}
	for _, tt := range tests {
		if got := failed(tt.end, tt.err); got.Status != tt.want {
			t.Errorf("%+v with %v is %d, want %d", tt.end, tt.err, got.Status, tt.want)
		}
	}
}

// The scheme of exit codes holds for a line that is wrong, too.
func TestExitCodesOfUsage(t *testing.T) {
	for line, want := range map[string]int{
		"send --form": 2, "send --form --exit-codes sysexits": 64, "--exit-codes=swaks sned": 1, "send --exit-codes sysexits -4 -6": 64,
	} {
		if _, _, status := newWorld().run(strings.Fields(line)...); status != want {
			t.Errorf("ehlo %s: status %d, want %d", line, status, want)
		}
	}
	if _, _, status := newWorld("EHLO_EXIT_CODES=sysexits").run("sned"); status != 64 {
		t.Errorf("EHLO_EXIT_CODES: status %d", status)
	}
}

// Errors are coloured by the rule of their own stream.
func TestErrorColour(t *testing.T) {
	coloured := "\x1b[1;31mehlo:\x1b["
	for _, tt := range []struct {
		line, env string
		width     int
		want      bool
	}{
		{"sned", "", 0, false},
		{"sned", "", 80, true},
		{"sned", "NO_COLOR=1", 80, false},
		{"sned", "TERM=dumb", 80, false},
		{"sned", "FORCE_COLOR=1", 0, true},
		{"sned", "EHLO_COLOR=always", 0, true},
		{"--color=never sned", "EHLO_COLOR=always", 80, false},
		{"send --color always --form", "", 0, true},
	} {
		w := newWorld(tt.env)
		w.ErrWidth = tt.width
		if _, errs, _ := w.run(strings.Fields(tt.line)...); strings.HasPrefix(errs, coloured) != tt.want {
			t.Errorf("%s ehlo %s at %d columns: %q", tt.env, tt.line, tt.width, errs)
		}
	}
}
