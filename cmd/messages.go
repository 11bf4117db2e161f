package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/mime"
)

// messagesMost is how many messages a run sends.
const messagesMost = 100_000

// writeAll composes or reads all messages that are to be sent.
func (r *run) writeAll(l *letter) ([]*mime.Message, error) {
	var all []*mime.Message
	var err error
	switch {
	case r.Set("data-folder"):
		all, err = r.folder(r.String("data-folder"))
	case r.Set("data-mbox"):
		all, err = r.mbox(r.String("data-mbox"))
	default:
		all, err = r.copies(l)
	}
	if err != nil {
		for _, m := range all {
			_ = m.Close()
		}
		return nil, err
	}
	return all, nil
}

// copies are the --count messages. Composed ones have a Message-ID each, a whole
// one is sent again as it is.
func (r *run) copies(l *letter) ([]*mime.Message, error) {
	write := func() (*mime.Message, error) { return r.compose(l) }
	switch {
	case r.Set("data-template"):
		write = func() (*mime.Message, error) { return r.template(l) }
	case r.Set("data"):
		whole, err := r.whole(r.source(r.String("data")), "data")
		if err != nil {
			return nil, err
		}
		write = func() (*mime.Message, error) { return whole, nil }
	}
	if r.malformed() != 0 && !r.Set("data") && !r.Set("data-template") {
		return nil, errors.New("--malformed is about a whole message: --data, --data-template, --data-folder or --data-mbox")
	}
	var all []*mime.Message
	n := 1
	if f, _ := findFlag(r.command, "count"); f != nil {
		n = r.Int("count")
	}
	for range n {
		m, err := write()
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
	return all, nil
}

// folder takes every file of a directory, or of the cur and new of a Maildir, by
// name. Hidden ones are left out.
func (r *run) folder(path string) ([]*mime.Message, error) {
	var files []string
	for _, dir := range []string{path, filepath.Join(path, "new"), filepath.Join(path, "cur")} {
		entries, err := os.ReadDir(dir)
		if err != nil && dir == path {
			return nil, fmt.Errorf("--data-folder: %w", plainFileError(err))
		}
		for _, e := range entries {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	slices.Sort(files)
	switch {
	case len(files) == 0:
		return nil, fmt.Errorf("--data-folder: %s has no message", path)
	case len(files) > messagesMost:
		return nil, fmt.Errorf("--data-folder: %s has %d files: at most %d are sent", path, len(files), messagesMost)
	}
	var all []*mime.Message
	for _, file := range files {
		m, err := r.whole(mime.File(file), "data-folder: "+file)
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
	return all, nil
}
