package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// runMessage builds, shows, signs or verifies a message without sending it.
func runMessage(ctx context.Context, r *run) (exit, error) {
	action, rest := r.args[0], r.args[1:]
	wrong := func(format string, args ...any) (exit, error) {
		return exit{Status: StatusUsage}, &usageError{msg: fmt.Sprintf(format, args...), next: r.next}
	}
	if action == "build" {
		if len(rest) > 0 {
			return wrong("message build takes flags alone, not %s", quote(rest[0]))
		}
		return r.build(ctx)
	}
	actions := map[string]func(context.Context, *run, mime.Source) (exit, error){"show": showMessage, "sign": signMessage, "verify": verifyMessage}
	do, ok := actions[action]
	switch {
	case !ok:
		return wrong("message knows build, show, sign and verify, and not %s", quote(action))
	case len(rest) != 1:
		return wrong("message %s needs one FILE, or - for standard input", action)
	case rest[0] == "-":
		return do(ctx, r, mime.Reader(r.In))
	}
	return do(ctx, r, mime.File(rest[0]))
}

// build writes what send would send.
func (r *run) build(ctx context.Context) (exit, error) {
	l, err := r.letterIn(ctx)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	defer l.close()
	return exit{}, r.emit(l.messages[0])
}

// signMessage writes a message with its signatures.
func signMessage(_ context.Context, r *run, src mime.Source) (exit, error) {
	fail := func(err error) (exit, error) {
		return exit{Status: StatusUsage}, &usageError{msg: plainFileError(err).Error(), next: r.next}
	}
	m, err := mime.Whole(src, mime.Options{Fixup: r.Bool("fixup"), Now: r.clock()(), Host: r.messageHost()})
	if err != nil {
		return fail(err)
	}
	defer m.Close()
	l := &letter{messages: []*mime.Message{m}}
	if err := r.sign(l); err != nil {
		return fail(err)
	}
	if len(l.keys) == 0 {
		return fail(errors.New("message sign needs --dkim-domain, --dkim-selector and --dkim-key"))
	}
	return exit{}, r.emit(l.messages[0])
}

// emit writes a message to standard output, or to the file of --output: whole or
// not at all.
func (r *run) emit(m *mime.Message) error {
	forms := m.Forms()
	in, err := forms[len(forms)-1].Open()
	if err != nil {
		return &usageError{msg: plainFileError(err).Error(), next: r.next}
	}
	defer in.Close()
	path := r.String("output")
	if path == "" {
		if _, err := io.Copy(r.Out, in); err != nil {
			return &outputError{err}
		}
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ehlo-*.eml")
	if err != nil {
		return &outputError{plainFileError(err)}
	}
	_, err = io.Copy(f, in)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return &outputError{plainFileError(err)}
	}
	return nil
}

// shown is the document of message show.
type shown struct {
	Schema string `json:"schema"` // "ehlo.message-show/1"
	OK     bool   `json:"ok"`
	verdict
	*mime.Structure
	Extracted []mime.Extracted `json:"extracted,omitempty"`
	took      time.Duration
}

// Kind is that of a result.
func (shown) Kind() string { return transcript.ResultKind }

// Lines is the header, a row for each part, what is odd, and the closing block.
func (s shown) Lines() []transcript.Line {
	var lines []transcript.Line
	for _, f := range s.Header {
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: f.Name, Text: f.Value})
	}
	lines = append(lines, transcript.Line{Mark: transcript.Blank}, transcript.Line{
		Mark: transcript.RowHead, Cells: []string{"PART", "TYPE", "ENCODING", "OCTETS", "DECODED", "NAME"}, Spare: []int{4, 2},
	})
	lines = append(lines, partRows(s.Root)...)
	lines = append(lines, findingLines(s.Findings)...)
	for _, x := range s.Extracted {
		lines = append(lines, transcript.Line{Mark: transcript.Info, Cells: []string{"extracted", x.File, fmt.Sprintf("part %s, %s, %d octets", x.Part, x.Type, x.Size)}})
	}
	return append(lines, s.closing(s.took, nil)...)
}

func partRows(p *mime.Part) []transcript.Line {
	id, name, kind := p.ID, p.Name, p.Type
	if id == "" {
		id = "–"
	}
	if name == "" {
		name = "–"
	}
	if p.Charset != "" {
		kind += "; " + p.Charset
	}
	lines := []transcript.Line{{Mark: transcript.Row, Cells: []string{id, kind, p.Encoding, fmt.Sprint(p.Size), fmt.Sprint(p.Decoded), name}}}
	for _, c := range p.Parts {
		lines = append(lines, partRows(c)...)
	}
	return lines
}

// showMessage lists what a message consists of, and takes parts out of it.
func showMessage(_ context.Context, r *run, src mime.Source) (exit, error) {
	began := time.Now()
	fail := func(err error) (exit, error) {
		return exit{Status: StatusUsage}, &usageError{msg: plainFileError(err).Error(), next: r.next}
	}
	reading, err := mime.Load(src, 0)
	if err != nil {
		return fail(err)
	}
	defer reading.Close()
	structure, err := reading.Show()
	if err != nil {
		return fail(err)
	}
	s := shown{Schema: "ehlo.message-show/1", Structure: structure}
	if dir := r.String("extract"); dir != "" {
		if s.Extracted, err = reading.Extract(dir, r.Strings("part")...); err != nil {
			return fail(fmt.Errorf("--extract: %w", plainFileError(err)))
		}
	}
	s.verdict = judgeFindings(structure.Findings)
	if s.Status == StatusDone {
		s.Sentence = fmt.Sprintf("%s, %d octets", plural(len(structure.Leaves()), "part"), structure.Size)
	}
	s.OK, s.took = s.Status == StatusDone, time.Since(began)
	return exit{Status: s.Status}, r.conclude(s)
}

// judgeFindings is a fault where one finding is, else done.
func judgeFindings(found []mime.Finding) verdict {
	counts := map[mime.Level]int{}
	for _, f := range found {
		counts[f.Level]++
	}
	v := verdict{Status: StatusDone, Outcome: "done"}
	if n := counts[mime.Fail]; n > 0 {
		v = verdict{Status: StatusRefused, Outcome: "failed", Sentence: plural(n, "fault")}
	}
	if n := counts[mime.Warn]; n > 0 && v.Sentence != "" {
		v.Sentence += " · " + plural(n, "warning")
	}
	return v
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

// verifyMessage says what the signatures of a message are worth.
func verifyMessage(ctx context.Context, r *run, src mime.Source) (exit, error) {
	began := time.Now()
	ctx, cancel := r.limited(ctx)
	defer cancel()
	reading, err := mime.Load(src, 0)
	if err != nil {
		return exit{Status: StatusUsage}, &usageError{msg: plainFileError(err).Error(), next: r.next}
	}
	defer reading.Close()
	w, err := r.open(ctx)
	if err != nil {
		return exit{Status: StatusUsage}, err
	}
	found, err := reading.Verify(ctx, w.texts, r.clock()())
	if err != nil {
		return exit{Status: StatusNoAnswer}, errors.Join(err, w.close())
	}
	v := verified{Verification: found, Schema: "ehlo.message-verify/1", verdict: judgeSignatures(found), took: time.Since(began)}
	v.OK = v.Status == StatusDone
	w.stream.Emit(v)
	return exit{Status: v.Status}, w.close()
}

// judgeSignatures is done where a signature passes.
func judgeSignatures(found *mime.Verification) verdict {
	var passed []string
	unknown := false
	for _, s := range found.Signatures {
		if s.Verdict == mime.VerdictPass {
			passed = append(passed, s.Domain)
		}
		unknown = unknown || s.Verdict == mime.VerdictTempError
	}
	v := verdict{Status: StatusDone, Outcome: "passed", Sentence: "signed by " + strings.Join(passed, ", ")}
	switch {
	case len(passed) > 0 && !found.Aligned:
		v.Sentence += fmt.Sprintf(", none of them aligned with From (%s)", found.From)
	case len(passed) > 0:
	case unknown:
		v = verdict{Status: StatusNoAnswer, Outcome: endingOf(StatusNoAnswer).word, Sentence: "a key could not be looked up"}
	case len(found.Signatures) == 0:
		v = verdict{Status: StatusRefused, Outcome: "failed", Sentence: "the message has no DKIM signature"}
	default:
		v = verdict{Status: StatusRefused, Outcome: "failed", Sentence: "no DKIM signature passes"}
	}
	return v
}
