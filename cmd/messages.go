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
func (r *run) writeAll(l *letter) error {
	var err error
	switch {
	case r.Set("data-folder"):
		err = r.folder(l, "data-folder", r.String("data-folder"))
	case r.Set("data-mbox"):
		err = r.mbox(l, r.String("data-mbox"))
	default:
		err = r.copies(l)
	}
	if err != nil {
		l.close()
		l.messages = nil
	}
	return err
}

// add adds a message with its name.
func (l *letter) add(m *mime.Message, name string) {
	l.messages, l.names = append(l.messages, m), append(l.names, name)
}

// copies are the --count messages. Composed ones have a Message-ID each, a whole
// one is sent again as it is.
func (r *run) copies(l *letter) error {
	write := func() (*mime.Message, error) { return r.compose(l) }
	switch {
	case r.Set("data-template"):
		write = func() (*mime.Message, error) { return r.template(l) }
	case r.Set("data"):
		whole, err := r.whole(r.source(r.String("data")), "data")
		if err != nil {
			return err
		}
		write = func() (*mime.Message, error) { return whole, nil }
	}
	if r.malformed() != 0 && !r.Set("data") && !r.Set("data-template") {
		return errors.New("--malformed is about a whole message: --data, --data-template, --data-folder or --data-mbox")
	}
	n := 1
	if f, _ := findFlag(r.command, "count"); f != nil {
		n = r.Int("count")
	}
	for i := range n {
		m, err := write()
		if err != nil {
			return err
		}
		l.add(m, fmt.Sprintf("number %d", i+1))
	}
	return nil
}

// folder takes every file of a directory, or of the cur and new of a Maildir, by
// name. Hidden ones are left out; a link counts as what it leads to. The flag is the
// one that names it.
func (r *run) folder(l *letter, flag, path string) error {
	var files []string
	for _, dir := range []string{path, filepath.Join(path, "new"), filepath.Join(path, "cur")} {
		entries, err := os.ReadDir(dir)
		if err != nil && dir == path {
			return fmt.Errorf("--%s: %w", flag, plainFileError(err))
		}
		for _, e := range entries {
			file := filepath.Join(dir, e.Name())
			info, err := os.Stat(file)
			switch {
			case strings.HasPrefix(e.Name(), "."):
			case err != nil:
				return fmt.Errorf("--%s: %w", flag, plainFileError(err))
			case info.Mode().IsRegular():
				files = append(files, file)
			case !info.IsDir():
				l.skipped = append(l.skipped, file)
			}
		}
	}
	slices.Sort(files)
	switch {
	case len(files) == 0:
		return fmt.Errorf("--%s: %s has no message", flag, path)
	case len(files) > messagesMost:
		return fmt.Errorf("--%s: %s has %d files: at most %d are sent", flag, path, len(files), messagesMost)
	}
	for _, file := range files {
		m, err := r.whole(mime.File(file), flag+": "+file)
		if err != nil {
			return err
		}
		l.add(m, file)
	}
	return nil
}
