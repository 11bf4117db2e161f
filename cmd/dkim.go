package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// signingKeys reads the keys of --dkim-key, each with the domain and the selector
// that stand at its place; one domain or selector serves for all.
func (r *run) signingKeys() ([]*mime.Key, error) {
	files, domains, selectors := r.Strings("dkim-key"), r.Strings("dkim-domain"), r.Strings("dkim-selector")
	if len(files) == 0 {
		if len(domains)+len(selectors) > 0 {
			return nil, fmt.Errorf("--dkim-domain and --dkim-selector need a --dkim-key to sign with")
		}
		return nil, nil
	}
	at := func(flag string, list []string, i int) (string, error) {
		switch {
		case len(list) == 1:
			return list[0], nil
		case i < len(list):
			return list[i], nil
		}
		return "", fmt.Errorf("--dkim-key number %d has no --%s", i+1, flag)
	}
	var keys []*mime.Key
	for i, file := range files {
		domain, err := at("dkim-domain", domains, i)
		if err != nil {
			return nil, err
		}
		selector, err := at("dkim-selector", selectors, i)
		if err != nil {
			return nil, err
		}
		text, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("--dkim-key: %w", plainFileError(err))
		}
		key, err := mime.ParseKey(domain, selector, text)
		clear(text)
		if err != nil {
			return nil, fmt.Errorf("--dkim-key: %s: %w", file, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// sign signs the message of l where keys are given.
func (r *run) sign(l *letter) error {
	var err error
	if l.keys, err = r.signingKeys(); err != nil || len(l.keys) == 0 {
		return err
	}
	o := mime.SignOptions{Now: r.clock()()}
	if names := r.String("dkim-headers"); names != "" {
		o.Headers = strings.FieldsFunc(names, func(c rune) bool { return strings.ContainsRune(":, ", c) })
	}
	if words := r.String("dkim-canonicalization"); words != "" {
		if o.Header, o.Body, err = mime.ParseCanonicalization(words); err != nil {
			return err
		}
	}
	for i, m := range l.messages {
		if l.messages[i], err = mime.Sign(m, l.keys, o); err != nil {
			return err
		}
	}
	return nil
}

// published compares the keys of a message with what the DNS has of them, and
// shows what is wrong.
func (w *outlook) published(ctx context.Context, keys []*mime.Key) {
	for _, k := range keys {
		found, err := mime.CheckKey(ctx, w.texts, k)
		for _, f := range found {
			w.Session.Stream.Emit(dialog.Finding{Text: "DKIM: " + f.Text})
		}
		if err != nil && ctx.Err() == nil {
			w.Session.Stream.Emit(dialog.Finding{Text: "DKIM: the published key is not known: " + err.Error()})
		}
	}
}

// texts looks up TXT records for package mime.
func (w *outlook) texts(ctx context.Context, name string) ([]string, error) {
	answer, err := w.Resolver.TXT(ctx, name)
	var e *route.Error
	if errors.As(err, &e) && e.Definite() {
		return nil, nil
	}
	return answer.Records, err
}

// verified is what the signatures of a message are worth.
type verified struct {
	*mime.Verification
	Schema string `json:"schema"` // "ehlo.message-verify/1"
	OK     bool   `json:"ok"`
	verdict
	took time.Duration
}

// Kind is that of a result.
func (verified) Kind() string { return transcript.ResultKind }

// Lines is an item for each signature, and the closing block.
func (v verified) Lines() []transcript.Line {
	var lines []transcript.Line
	for _, s := range v.Signatures {
		mark, word := transcript.Fail, string(s.Verdict)
		switch s.Verdict {
		case mime.VerdictPass:
			mark = transcript.Pass
		case mime.VerdictTempError:
			mark = transcript.Untested
		}
		detail := s.Algorithm
		if s.Reason != "" {
			detail += " · " + s.Reason
		}
		if s.Alignment != "" {
			detail += " · alignment with From: " + string(s.Alignment)
		}
		lines = append(lines, transcript.Line{Mark: mark, Cells: []string{word, s.Domain + " (" + s.Selector + ")", detail}})
		lines = append(lines, findingLines(s.Findings)...)
	}
	for _, a := range v.ARC {
		lines = append(lines, transcript.Line{Mark: transcript.Info, Cells: []string{"arc", fmt.Sprintf("%s: %s (%s)", a.Instance, a.Domain, a.Selector), "cv=" + a.Chain + ", not verified"}})
	}
	lines = append(lines, findingLines(v.Findings)...)
	return append(lines, v.closing(v.took, nil)...)
}

func findingLines(found []mime.Finding) []transcript.Line {
	var lines []transcript.Line
	for _, f := range found {
		mark := transcript.Finding
		switch f.Level {
		case mime.Fail:
			mark = transcript.Failure
		case mime.Info:
			mark = transcript.Note
		}
		text := f.Text
		if f.Place != nil {
			where := fmt.Sprintf("line %d, offset %d", f.Place.Line, f.Place.Offset)
			if f.Count > 1 {
				where += fmt.Sprintf(", %d times", f.Count)
			}
			text += " (" + where + ")"
		}
		if f.Ref != "" {
			text += " · " + f.Ref
		}
		lines = append(lines, transcript.Line{Mark: mark, Text: text})
	}
	return lines
}
