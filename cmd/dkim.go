package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/mime"
)

// signingKeys reads the keys of --dkim-key, each with the domain and the selector
// that stand at its place; one domain or selector serves for all.
func (r *run) signingKeys() ([]*mime.Key, error) {
	files, domains, selectors := r.Strings("dkim-key"), r.Strings("dkim-domain"), r.Strings("dkim-selector")
	if len(files) == 0 {
		if len(domains)+len(selectors) > 0 {
			return nil, errors.New("--dkim-domain and --dkim-selector need a --dkim-key to sign with")
		}
		return nil, nil
	}
	for _, f := range []struct {
		name string
		list *[]string
	}{{"dkim-domain", &domains}, {"dkim-selector", &selectors}} {
		switch n := len(*f.list); {
		case n == 0:
			return nil, fmt.Errorf("--dkim-key needs a --%s", f.name)
		case n == 1: // for all
			*f.list = slices.Repeat(*f.list, len(files))
		case n != len(files):
			return nil, fmt.Errorf("%d of --dkim-key and %d of --%s: they are paired in order", len(files), n, f.name)
		}
	}
	var keys []*mime.Key
	for i, file := range files {
		text, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("--dkim-key: %w", plainFileError(err))
		}
		key, err := mime.ParseKey(domains[i], selectors[i], text)
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
		signed, err := mime.Sign(m, l.keys, o)
		if err != nil {
			return err
		}
		l.messages[i] = signed
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
