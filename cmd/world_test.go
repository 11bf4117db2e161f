package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// world is a fake Env: what the program may see, and what it wrote.
type world struct {
	Env
	out, err bytes.Buffer
}

// newWorld has the variables of pairs ("EHLO_PORT=25") and nothing else.
func newWorld(pairs ...string) *world {
	w := &world{}
	vars := map[string]string{"LANG": "C.UTF-8"}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	w.Env = Env{
		In: strings.NewReader(""), Out: &w.out, Err: &w.err,
		Getenv:   func(name string) string { return vars[name] },
		Now:      func() time.Time { return time.Date(2026, 11, 22, 1, 14, 2, 0, time.UTC) },
		Hostname: func() (string, error) { return "client.example.com", nil },
		Version:  "v1.2.3",
	}
	return w
}

func (w *world) run(args ...string) (out, errs string, status int) {
	w.out.Reset()
	w.err.Reset()
	status = Main(context.Background(), w.Env, args)
	return w.out.String(), w.err.String(), status
}

// configured is a world with a configuration file, and the file's path.
func configured(t *testing.T, text string, pairs ...string) (*world, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "ehlo", "config.toml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return newWorld(append([]string{"XDG_CONFIG_HOME=" + dir}, pairs...)...), path
}

// dumped is the value and the source of a setting as --dump prints them.
func dumped(t *testing.T, w *world, setting string, args ...string) string {
	t.Helper()
	out, errs, status := w.run(append(args, "--dump", "--format", "text", "--color", "never")...)
	if status != 0 || errs != "" {
		t.Fatalf("%q: status %d, stderr %q", args, status, errs)
	}
	var rows []string
	for _, line := range strings.Split(out, "\n") {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == setting {
			rows = append(rows, strings.Join(fields[1:], " "))
		}
	}
	return strings.Join(rows, " | ")
}
