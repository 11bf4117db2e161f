package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/mime"
)

// letter is what send delivers, and for whom.
type letter struct {
	from        mime.Mailbox
	to, cc, bcc []mime.Mailbox  // as the header has them
	all         []mime.Mailbox  // as the envelope has them: each once
	messages    []*mime.Message // at least one
	names       []string        // of several messages, in their order
	skipped     []string        // what of a folder is no message
	keys        []*mime.Key     // that signed them
}

// contents are the forms of message number i, best first.
func (l *letter) contents(i int) []dialog.Content {
	var list []dialog.Content
	for _, form := range l.messages[i].Forms() {
		if name := l.name(i); name != "" {
			list = append(list, named{form, name})
			continue
		}
		list = append(list, form)
	}
	return list
}

// name tells message number i from the others; "" where it is the only one.
func (l *letter) name(i int) string {
	if len(l.messages) < 2 {
		return ""
	}
	return l.names[i]
}

// named is a message with its name among several.
type named struct {
	*mime.Message
	name string
}

// Summary begins with the name.
func (n named) Summary() string { return n.name + " · " + n.Message.Summary() }

// close removes what the messages hold outside memory.
func (l *letter) close() {
	for _, m := range l.messages {
		_ = m.Close()
	}
}

// most is how much of a file is read into memory.
const most = 16 << 20

// letterIn is letter, given up when ctx ends.
func (r *run) letterIn(ctx context.Context) (*letter, error) {
	if !r.readsFiles() {
		return r.letter()
	}
	return patiently(ctx, r.letter)
}

// patiently is what do gives, or why ctx ended if that comes first: a pipe that is
// read may have nothing to say, and one that is written nobody to read it.
func patiently[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := do()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// letter composes or reads the message and its envelope. Every error is a
// *usageError.
func (r *run) letter() (*letter, error) {
	l, err := r.addresses()
	if err == nil {
		err = r.writeAll(l)
	}
	if err == nil {
		if err = r.sign(l); err != nil {
			l.close()
		}
	}
	if err != nil {
		return nil, &usageError{msg: err.Error(), next: r.hint(err)}
	}
	return l, nil
}

// hint is what to do about a message or an envelope that cannot be sent.
func (r *run) hint(err error) string {
	var fault *mime.Fault
	switch {
	case errors.As(err, new(*mime.SpoolError)):
		return "set TMPDIR to a directory with room for it, or give the message as a file"
	case errors.As(err, new(*mime.ContentIDError)):
		return "again with --inline-cid ID before that --inline   # an ID of its own: <img src=\"cid:ID\">"
	case errors.As(err, new(*mime.AttachedError)):
		return "again with --attach-type application/octet-stream before that --attach   # as a file, not as a message"
	case !errors.As(err, &fault):
	case fault.Mendable() && !r.Bool("fixup"):
		return "again with --fixup   # mends it"
	case fault.Kind == mime.NoHeader && r.Set("data"):
		return "again with --body   # --data takes a whole message, header and all"
	}
	return r.next
}

func (r *run) read(path string) ([]byte, error) {
	if path == "-" {
		return readAll(r.In, "standard input")
	}
	return readFile(path)
}

// readFile reads a whole file that has to fit into memory.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path)
}

func readAll(in io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s is over %d MiB", name, most>>20)
	}
	return text, err
}

// plainFileError drops the system call from a file's error: "open x: no such
// file" says no more than "x: no such file".
func plainFileError(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// source is where a flag that takes TEXT, @FILE or - has its bytes.
func (r *run) source(value string) mime.Source {
	path, file := strings.CutPrefix(value, "@")
	switch {
	case value == "-" || value == "@-":
		return mime.Reader(r.In)
	case file:
		return mime.File(path)
	}
	return mime.Bytes([]byte(value))
}

// text is the value of --body or --html.
func (r *run) text(name string) (string, error) {
	value := r.String(name)
	path, file := strings.CutPrefix(value, "@")
	if value != "-" && !file {
		return value, nil
	}
	text, err := r.read(path)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", name, plainFileError(err))
	}
	return string(text), nil
}
