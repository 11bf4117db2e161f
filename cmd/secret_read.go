package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// checkSecretFile holds a value to FILE, - or fd:N.
func checkSecretFile(v string) error {
	if v == "" {
		return errEmpty
	}
	if strings.HasPrefix(v, "@") {
		return errors.New("a file is named here without an @")
	}
	n, ok := strings.CutPrefix(v, "fd:")
	if !ok {
		return nil
	}
	fd, err := strconv.Atoi(n)
	switch {
	case err != nil || fd < 0 || fd > 1<<20:
		return errors.New("a file descriptor is written fd:3")
	case fd == 0:
		return errors.New("standard input is written -")
	case fd < 3:
		return errors.New("it is for writing")
	}
	return nil
}

// secretWord is the value itself, of a flag that should not be used for long.
func (r *run) secretWord(_ context.Context, setting string) ([]byte, error) {
	noun := strings.TrimPrefix(setting, "auth-")
	r.warn("others on this machine can read the %s in the list of processes: --auth-%s-file FILE hides it", noun, noun)
	return []byte(r.String(setting)), nil
}

// secretFile reads the file that a setting names.
func (r *run) secretFile(ctx context.Context, setting string) ([]byte, error) {
	value, what := r.String(setting), r.String(setting)
	if value == "-" {
		what = "standard input"
	}
	return within(ctx, func() ([]byte, error) {
		in := io.NopCloser(r.In)
		if value != "-" {
			f, err := openSecret(value)
			if err != nil {
				return nil, err
			}
			in = f
		}
		defer in.Close()
		raw, err := io.ReadAll(io.LimitReader(in, mostSecret+1))
		if err == nil {
			err = flaw(what, raw)
		}
		return raw, err
	})
}

// openSecret opens a file, or a descriptor that this process was given.
func openSecret(value string) (*os.File, error) {
	n, ok := strings.CutPrefix(value, "fd:")
	if !ok {
		return openFile(value)
	}
	fd, err := strconv.Atoi(n)
	if err != nil {
		return nil, err
	}
	return openDescriptor(fd)
}

// openFile opens a file that is no directory: reading one fails with words that
// differ from system to system.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close()
		return nil, fmt.Errorf("%s is a directory", path)
	}
	return f, nil
}

// within gives what read gives, or the reason why ctx has ended: a pipe may have
// nothing to say.
func within(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type given struct {
		raw []byte
		err error
	}
	done := make(chan given, 1)
	go func() {
		raw, err := read()
		done <- given{raw, err}
	}()
	select {
	case g := <-done:
		return g.raw, g.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
