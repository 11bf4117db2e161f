package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
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

// mbox takes every message of a file in mbox format (RFC 4155), in which a line
// "From " begins one and one more ">" stands before a ">From " within.
func (r *run) mbox(path string) ([]*mime.Message, error) {
	in := r.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--data-mbox: %w", plainFileError(err))
		}
		defer f.Close()
		in = f
	}
	box := &mailbox{r: bufio.NewReaderSize(in, 64<<10)}
	if err := box.begin(); err != nil {
		var file *os.PathError
		if errors.As(err, &file) {
			return nil, fmt.Errorf("--data-mbox: %w", plainFileError(err))
		}
		return nil, fmt.Errorf("--data-mbox: %s: %w", path, err)
	}
	var all []*mime.Message
	for box.more {
		box.more = false
		m, err := r.whole(mime.Reader(box), fmt.Sprintf("data-mbox: %s: number %d", path, len(all)+1))
		if err != nil {
			return all, err
		}
		if all = append(all, m); len(all) > messagesMost {
			return all, fmt.Errorf("--data-mbox: %s: at most %d messages are sent", path, messagesMost)
		}
	}
	return all, nil
}

// mailbox reads one message of an mbox to its end; more says that another follows.
type mailbox struct {
	r      *bufio.Reader
	line   []byte // what is left of the line that is being read
	within bool   // it is not the beginning of a line
	blank  []byte // a blank line, held back: the one before "From " is no part of a message
	more   bool
}

var errNoMbox = errors.New("no mbox: it does not begin with a line \"From \"")

func (b *mailbox) begin() error {
	line, err := b.r.ReadSlice('\n')
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
		var file *os.PathError
		if errors.As(err, &file) {
			return file.Err
		}
		return err
	case !bytes.HasPrefix(line, []byte("From ")):
		return errNoMbox
	}
	b.more = true
	return nil
}

// Read gives the message without the quoting of mbox.
func (b *mailbox) Read(p []byte) (int, error) {
	for len(b.line) == 0 {
		if b.more {
			return 0, io.EOF
		}
		line, err := b.r.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			if errors.Is(err, io.EOF) && len(b.blank) > 0 {
				b.blank = nil
			}
			return 0, err
		}
		b.take(line)
		b.within = errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !b.within && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	n := copy(p, b.line)
	b.line = b.line[n:]
	return n, nil
}

// take looks at a line, or at a further piece of a long one.
func (b *mailbox) take(line []byte) {
	switch {
	case b.within:
	case bytes.HasPrefix(line, []byte("From ")):
		b.more, b.blank = true, nil
		return
	case len(bytes.TrimRight(line, "\r\n")) == 0:
		held := b.blank
		b.blank = bytes.Clone(line)
		b.line = held
		return
	case bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")):
		line = line[1:]
	}
	b.line = append(b.blank, line...)
	b.blank = nil
}
