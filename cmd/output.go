package cmd

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// output opens the stream that the run's events go to: standard output, or the
// file that --output names. Close it when all is emitted; its error is an
// *outputError. before is called ahead of each write.
func (r *run) output(before func()) (stream *transcript.Stream, closed func() error, err error) {
	var file io.WriteCloser
	w, width := r.Out, r.OutWidth
	if name := r.String("output"); name != "" {
		if file, err = os.Create(name); err != nil {
			return nil, nil, &usageError{msg: "--output: " + plainFileError(err).Error(), next: r.next}
		}
		w, width = file, 0
	}
	if f, ok := w.(*os.File); ok {
		w = intact{f}
	}
	colored, err := transcript.Color(r.String("color"), r.Getenv, width > 0)
	if err != nil {
		return nil, nil, err
	}
	sink, err := r.sink(w, transcript.Options{
		Format:  r.String("format"),
		Width:   width,
		Color:   colored,
		ASCII:   transcript.ASCII(r.Getenv),
		Raw:     r.Bool("raw"),
		Quiet:   r.Bool("quiet"),
		Verbose: r.Bool("verbose"),
		Before:  before,
	})
	if err != nil {
		return nil, nil, err
	}
	closed = func() error {
		err := sink.Close()
		if file != nil {
			if cerr := file.Close(); err == nil {
				err = cerr
			}
		}
		if err != nil {
			return &outputError{err}
		}
		return nil
	}
	if r.String("format") == "none" {
		return nil, closed, nil
	}
	return transcript.NewStream(sink, r.Now), closed, nil
}

// sink is where the events of a run go: that of a format that every command has, or of
// one that check alone has, as its row in the flag table says.
func (r *run) sink(w io.Writer, o transcript.Options) (transcript.Sink, error) {
	for _, f := range checkFormats() {
		if f.name == o.Format {
			return &verdictSink{w: w, format: f, before: o.Before}, nil
		}
	}
	return transcript.New(w, o)
}

// intact is a file that holds whole records: where a full disk has let a part of one
// through, that is taken back.
type intact struct{ *os.File }

// Write writes p, or nothing of it to a regular file that p would end.
func (f intact) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if err == nil || n == 0 {
		return n, err
	}
	end, serr := f.Seek(0, io.SeekCurrent)
	info, ierr := f.Stat()
	if serr != nil || ierr != nil || !info.Mode().IsRegular() || info.Size() != end { // somebody else writes to it, too
		return n, err
	}
	if f.Truncate(end-int64(n)) == nil {
		_, _ = f.Seek(end-int64(n), io.SeekStart)
	}
	return n, err
}

// complain says on standard error what is wrong, what was likely meant and what
// to do next.
func complain(env Env, c *call, err error) {
	if quiet(err) {
		return
	}
	name, dim := "ehlo:", func(s string) string { return s }
	if colored, cerr := transcript.Color(c.asked(env, "color"), env.Getenv, env.ErrWidth > 0); cerr == nil && colored {
		name = paint(name, color.Bold, color.FgRed)
		dim = func(s string) string { return paint(s, color.Faint) }
	}
	ascii := transcript.ASCII(env.Getenv)
	var b strings.Builder
	b.WriteString(name + " " + transcript.Escape(err.Error(), ascii) + "\n")
	var usage *usageError
	if errors.As(err, &usage) {
		if usage.likely != "" {
			b.WriteString("  " + dim("likely") + "  " + transcript.Escape(usage.likely, ascii) + "\n")
		}
		if usage.next != "" {
			b.WriteString("  " + dim("next") + "    " + transcript.Escape(usage.next, ascii) + "\n")
		}
	}
	_, _ = io.WriteString(env.Err, b.String()) // nobody is left to tell
}

// asked is the word that the command line or else the environment gives a
// setting, for a line that may be wrong elsewhere.
func (c *call) asked(env Env, name string) string {
	if c != nil {
		for _, g := range slices.Backward(c.flags) {
			if g.flag.setting() == name {
				return g.value
			}
		}
	}
	f, _ := findFlag(nil, name)
	return env.Getenv(f.env())
}

func paint(s string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(s)
}
