package cmd

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// The terminal is asked once for each server, and only for what a mechanism needs
// and no setting gives.
func TestAsk(t *testing.T) {
	in := secretFiles(t)
	tests := []struct{ line, want string }{
		{"send --auth-user alice", "password for alice at mx.test:587: "},
		{"send --auth-user alice --auth", "password for alice at mx.test:587: "},
		{"send --auth-user al\x1bice --auth PLAIN,XOAUTH2", `password for al\x1bice at mx.test:587: `},
		{"send --auth-user alice --auth OAUTHBEARER", "token for alice at mx.test:587: "},
		{"send --netrc=$DIR/netrc --auth-user bob", "password for bob at mx.test:587: "},
		{"send --auth-user alice --auth EXTERNAL", ""},
		{"send --auth EXTERNAL,PLAIN", ""},
		{"send --auth-user alice --auth-token t", ""},
		{"send --auth-user alice --auth-password-file $DIR/line", ""},
		{"send", ""},
	}
	for _, tt := range tests {
		w := newWorld()
		asked := ""
		w.Prompt = func(_ context.Context, text string) ([]byte, error) {
			asked += text
			return []byte(hunter), nil
		}
		r := runOf(t, w, in(tt.line))
		for range 2 {
			c, _, err := r.credentials(t.Context(), "mx.test", 587)
			if err != nil || tt.want != "" && c.Password.Reveal()+c.Token.Reveal() != hunter {
				t.Errorf("%s: %v", tt.line, err)
			}
		}
		if asked != tt.want {
			t.Errorf("%s: asked %q, want %q", tt.line, asked, tt.want)
		}
		if _, _, err := r.credentials(t.Context(), "::1", 25); err != nil || tt.want != "" && !strings.HasSuffix(asked, " at [::1]:25: ") {
			t.Errorf("%s: asked %q, %v", tt.line, asked, err)
		}
	}
}

func TestAskErrors(t *testing.T) {
	tests := []struct {
		typed string
		err   error
		want  string
	}{
		{"", nil, "password for alice: what was typed is empty"},
		{"", errNoTerminal, "no password for alice, and no terminal to ask for it"},
		{"", &maxTimeError{1e9}, "password for alice: time is up: --max-time is 1.00 s"},
		{"a\x00" + hunter, nil, "password for alice: what was typed holds a NUL"},
		{strings.Repeat("x", mostSecret+1), nil, "password for alice: what was typed is over 64 KiB"},
	}
	for _, tt := range tests {
		w := newWorld()
		w.Prompt = func(context.Context, string) ([]byte, error) { return []byte(tt.typed), tt.err }
		_, _, err := runOf(t, w, "send --auth-user alice").credentials(t.Context(), "mx.test", 587)
		if !errors.As(err, new(*usageError)) || err.Error() != tt.want {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	w := newWorld()
	w.Prompt = func(context.Context, string) ([]byte, error) { return nil, ErrInterrupted }
	if _, _, err := runOf(t, w, "send --auth-user alice").credentials(t.Context(), "mx.test", 587); !errors.Is(err, ErrInterrupted) {
		t.Error(err)
	}
}

func TestReadKeys(t *testing.T) {
	for keys, want := range map[string]string{
		"abc\r": "abc", "abc\nmore": "abc", "abx\x7fc\r": "abc", "ü\x08u\r": "u", "\x7f\x7fa\r": "a", "wrong\x15right\r": "right",
		"\r": "", "ab\x04": "ab", "a b\tc\r": "a b\tc", "\xff\x7fa\r": "a",
	} {
		got, err := readKeys(strings.NewReader(keys))
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", keys, got, err)
		}
	}
	for keys, want := range map[string]error{"ab\x03c\r": ErrInterrupted, "\x1c": ErrInterrupted, "ab": io.EOF, "": io.EOF} {
		if _, err := readKeys(strings.NewReader(keys)); !errors.Is(err, want) {
			t.Errorf("%q: %v", keys, err)
		}
	}
	if _, err := readKeys(strings.NewReader("\x04")); err == nil {
		t.Error("Ctrl-D is taken for an empty password")
	}
	if got, err := readKeys(strings.NewReader(strings.Repeat("x", 2*mostSecret) + "\r")); err != nil || len(got) != mostSecret+1 {
		t.Error(len(got), err)
	}
}
