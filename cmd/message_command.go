package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// runMessage builds, shows, signs or verifies a message without sending it.
func runMessage(ctx context.Context, r *run) (exit, error) {
	wrong := func(format string, args ...any) (exit, error) {
		return exit{Status: StatusUsage}, &usageError{msg: fmt.Sprintf(format, args...), next: r.next}
	}
	if len(r.args) == 0 {
		return wrong("message needs one of build, show, sign and verify")
	}
	action, rest := r.args[0], r.args[1:]
	do, known := map[string]func(context.Context, *run, mime.Source) (exit, error){
		"build": nil, "show": showMessage, "sign": signMessage, "verify": verifyMessage,
	}[action]
	switch {
	case !known:
		return wrong("message knows build, show, sign and verify, and not %s", quote(action))
	case action == "build" && len(rest) > 0:
		return wrong("message build takes flags alone, not %s", quote(rest[0]))
	case action != "build" && len(rest) != 1:
		return wrong("message %s needs one FILE, or - for standard input", action)
	}
	switch flag := r.misplaced(action); flag {
	case "":
	case "format":
		return wrong("message %s writes the message itself: no --json and no --format", action)
	default:
		return wrong("--%s is of no use to message %s", flag, action)
	}
	switch {
	case action == "build":
		return r.build(ctx)
	case rest[0] == "-":
		return do(ctx, r, mime.Reader(r.In))
	}
	return do(ctx, r, mime.File(rest[0]))
}

// misplaced is a flag of the command line that an action does nothing with, "" for
// none.
func (r *run) misplaced(action string) string {
	for _, p := range r.typed {
		f, _ := findFlag(r.command, p.Name)
		if f == nil {
			continue
		}
		fits := true
		switch signs := strings.HasPrefix(f.name, "dkim-"); {
		case f.group == "parts":
			fits = action == "show"
		case f.group == "sender" || f.group == "protocol":
			fits = action == "verify"
		case signs || f.name == "fixup":
			fits = action == "build" || action == "sign"
		case f.group == "message" || f.group == "envelope":
			fits = action == "build"
		case f.name == "format":
			fits = action == "show" || action == "verify" // the others write a message
		}
		if !fits {
			return f.name
		}
	}
	return ""
}

// build writes what send would send.
func (r *run) build(ctx context.Context) (exit, error) {
	within, cancel := r.limited(ctx)
	defer cancel()
	l, err := r.letterIn(within)
	if err != nil {
		return exit{}, err
	}
	defer l.close()
	return exit{}, r.emit(ctx, l.messages[0])
}

// signMessage writes a message with its signatures.
func signMessage(ctx context.Context, r *run, src mime.Source) (exit, error) {
	if !r.Set("dkim-key") {
		return exit{}, &usageError{msg: "message sign needs --dkim-domain, --dkim-selector and --dkim-key", next: r.next}
	}
	within, cancel := r.limited(ctx)
	defer cancel()
	m, err := patiently(within, func() (*mime.Message, error) { return mime.Whole(src, r.wholeOptions()) })
	if err != nil {
		return exit{}, r.unfit(err)
	}
	l := &letter{messages: []*mime.Message{m}}
	defer l.close()
	if err := r.sign(l); err != nil {
		return exit{}, r.unfit(err)
	}
	return exit{}, r.emit(ctx, l.messages[0])
}

// load takes a message to be read.
func (r *run) load(ctx context.Context, src mime.Source) (*mime.Reading, error) {
	reading, err := patiently(ctx, func() (*mime.Reading, error) { return mime.Load(src, 0) })
	if err != nil {
		return nil, r.unfit(err)
	}
	return reading, nil
}

// unfit says of a message or of a file what is wrong with it; the end of the run
// stays what it is.
func (r *run) unfit(err error) error {
	if errors.Is(err, ErrInterrupted) || errors.As(err, new(*maxTimeError)) {
		return err
	}
	return &usageError{msg: plainFileError(err).Error(), next: r.hint(err)}
}

// emit writes a message to standard output, or to the file of --output: that whole
// or not at all.
func (r *run) emit(ctx context.Context, m *mime.Message) error {
	forms := m.Forms()
	in, err := forms[len(forms)-1].Open()
	if err != nil {
		return r.unfit(err)
	}
	defer in.Close()
	from := &watched{ctx: ctx, r: in}
	write := func(to io.Writer) error {
		if _, err := io.Copy(to, from); from.err != nil {
			return r.unfit(from.err)
		} else if err != nil {
			return &outputError{plainFileError(err)}
		}
		return nil
	}
	path := r.String("output")
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() || errors.Is(err, fs.ErrNotExist) && path != "" {
		return replace(path, info, write)
	}
	_, err = patiently(ctx, func() (struct{}, error) { // a terminal, a pipe: it may be full
		to := r.Out
		if path != "" {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return struct{}{}, &outputError{plainFileError(err)}
			}
			defer f.Close()
			to = f
		}
		return struct{}{}, write(to)
	})
	return err
}

// replace writes a file anew, or leaves it as it is; info is what is known of it, if
// it is there.
func replace(path string, info os.FileInfo, write func(io.Writer) error) error {
	mode := os.FileMode(0o600) // a message is private
	if info != nil {
		mode = info.Mode().Perm()
		if to, err := filepath.EvalSymlinks(path); err == nil {
			path = to
		}
	}
	err := writeAnew(path, mode, write)
	if err == nil || errors.As(err, new(*usageError)) || errors.As(err, new(*outputError)) || errors.Is(err, ErrInterrupted) {
		return err
	}
	return &outputError{plainFileError(err)}
}

// writeAnew writes a file whole, or not at all.
func writeAnew(path string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ehlo-*")
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Chmod(mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// watched is a message that is being read: it ends with ctx, and keeps the error
// that is its own.
type watched struct {
	ctx context.Context
	r   io.Reader
	err error
}

// Read reads on while ctx lasts.
func (w *watched) Read(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
		return 0, w.err
	}
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// conclude shows the one event of a command that touches no network.
func (r *run) conclude(e transcript.Event) error {
	stream, finish, err := r.output(nil)
	if err != nil {
		return err
	}
	stream.Emit(e)
	return finish()
}
