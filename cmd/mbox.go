package cmd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/mime"
)

// mbox takes every message of a file in mbox format (RFC 4155 appendix A), in which
// a line "From ADDRESS DATE" at its start or behind a blank line begins one, and one
// more ">" stands before a ">From " within. Any other line "From " is text.
func (r *run) mbox(l *letter, path string) error {
	in := r.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("--data-mbox: %w", plainFileError(err))
		}
		defer f.Close()
		in = f
	}
	box := &mailbox{r: bufio.NewReaderSize(in, 64<<10)}
	if err := box.begin(); err != nil {
		var file *os.PathError
		if errors.As(err, &file) {
			return fmt.Errorf("--data-mbox: %w", plainFileError(err))
		}
		return fmt.Errorf("--data-mbox: %s: %w", path, err)
	}
	for box.more {
		box.more = false
		m, err := r.whole(mime.Reader(box), fmt.Sprintf("data-mbox: %s: number %d", path, len(l.messages)+1))
		if err != nil {
			return err
		}
		if l.add(m, fmt.Sprintf("number %d", len(l.messages)+1)); len(l.messages) > messagesMost {
			return fmt.Errorf("--data-mbox: %s: at most %d messages are sent", path, messagesMost)
		}
	}
	return nil
}

// mailbox reads one message of an mbox to its end; more says that another follows.
type mailbox struct {
	r      *bufio.Reader
	line   []byte // what is left of the line that is being read
	within bool   // it is not the beginning of a line
	blank  []byte // a blank line, held back: the one before "From " is no part of a message
	more   bool
}

var errNoMbox = errors.New("no mbox: it does not begin with a line \"From ADDRESS DATE\" (RFC 4155)")

func (b *mailbox) begin() error {
	line, err := b.r.ReadSlice('\n')
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
		var file *os.PathError
		if errors.As(err, &file) {
			return file.Err
		}
		return err
	case !separates(line):
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
	case b.blank != nil && separates(line):
		b.more, b.blank = true, nil
		return
	case len(bytes.TrimRight(line, "\r\n")) == 0:
		held := b.blank
		b.blank = bytes.Clone(line)
		b.line = held
		return
	case line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")):
		line = line[1:]
	}
	b.line = append(b.blank, line...)
	b.blank = nil
}

// separates reports whether a line has the form "From ADDRESS DATE" (RFC 4155
// appendix A). Only the local part of an address, quoted, has spaces in it; UUCP adds
// "remote from" a host.
func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	words := strings.Fields(string(rest))
	if n := len(words); n > 3 && words[n-3] == "remote" && words[n-2] == "from" {
		words = words[:n-3]
	}
	if !ok || len(words) < 5 || len(words) > 20 {
		return false
	}
	for i := 0; i <= 1 || words[0][0] == '"' && i < len(words); i++ {
		if asctime(words[i:]) {
			return true
		}
	}
	return false
}

// asctime reports whether words are a date as asctime writes it, such as Sun Nov 22
// 01:14:02 2026. Some programs leave the seconds out, or add a time zone, before the
// year or behind it.
func asctime(words []string) bool {
	if len(words) < 5 || len(words) > 6 {
		return false
	}
	clock := "15:04:05"
	if strings.Count(words[3], ":") == 1 {
		clock = "15:04"
	}
	for _, year := range words[4:] {
		if _, err := time.Parse("Mon Jan 2 "+clock+" 2006", strings.Join(words[:4], " ")+" "+year); err == nil {
			return true
		}
	}
	return false
}
