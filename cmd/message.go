package cmd

import (
	"bytes"
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
	keys        []*mime.Key     // that signed them
}

// contents are the forms of a message, best first.
func contents(m *mime.Message) []dialog.Content {
	var list []dialog.Content
	for _, form := range m.Forms() {
		list = append(list, form)
	}
	return list
}

// close removes what the messages hold outside memory.
func (l *letter) close() {
	for _, m := range l.messages {
		_ = m.Close()
	}
}

// most is how much of a file is read into memory.
const most = 16 << 20

// letterIn is letter, given up when ctx ends: a pipe that is read may have nothing
// to say.
func (r *run) letterIn(ctx context.Context) (*letter, error) {
	type written struct {
		*letter
		err error
	}
	done := make(chan written, 1)
	go func() {
		l, err := r.letter()
		done <- written{l, err}
	}()
	select {
	case w := <-done:
		return w.letter, w.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// letter composes or reads the message and its envelope. Every error is a
// *usageError.
func (r *run) letter() (*letter, error) {
	l, err := r.addresses()
	if err == nil {
		l.messages, err = r.writeAll(l)
	}
	if err == nil {
		err = r.sign(l)
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
	case !errors.As(err, &fault):
	case fault.Mendable() && !r.Bool("fixup"):
		return "again with --fixup   # mends it"
	case fault.Kind == mime.NoHeader:
		return "again with --body   # --data takes a whole message, header and all"
	}
	return r.next
}

func (r *run) addresses() (*letter, error) {
	l := &letter{}
	var err error
	if from := r.String("from"); r.Set("from") {
		if l.from, err = mime.ParseReversePath(from); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	} else {
		l.from = r.sender()
	}
	once := map[string]bool{}
	for _, f := range []struct {
		name string
		list *[]mime.Mailbox
	}{{"to", &l.to}, {"cc", &l.cc}, {"bcc", &l.bcc}} {
		if *f.list, err = r.mailboxes(f.name); err != nil {
			return nil, err
		}
		for _, m := range *f.list {
			if path := m.Path(); !once[path] {
				once[path] = true
				l.all = append(l.all, m)
			}
		}
	}
	if len(l.all) == 0 {
		return nil, errors.New("send needs a recipient: --to MAILBOX")
	}
	return l, nil
}

// sender is the default sender: this user at this host.
func (r *run) sender() mime.Mailbox {
	if r.Bool("sandbox") {
		return mime.Mailbox{Local: "sender", Domain: "client.test"}
	}
	user := "postmaster"
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if u := r.Getenv(name); u != "" {
			user = u
			break
		}
	}
	host := r.fqdn()
	if host == "" {
		host = ownAddress()
	}
	m, err := mime.ParseMailbox(user + "@" + host)
	if err != nil {
		return mime.Mailbox{Local: "postmaster", Domain: host}
	}
	return m
}

// mailboxes reads a flag of addresses: lists, or @FILE with lists on its lines,
// between blank ones and # comments.
func (r *run) mailboxes(name string) ([]mime.Mailbox, error) {
	var all []mime.Mailbox
	for _, value := range r.Strings(name) {
		path, file := strings.CutPrefix(value, "@")
		if !file {
			list, err := mime.ParseList(value)
			if err != nil {
				return nil, fmt.Errorf("--%s: %w", name, err)
			}
			all = append(all, list...)
			continue
		}
		text, err := r.read(path)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", name, plainFileError(err))
		}
		number := 0
		for line := range bytes.Lines(text) {
			number++
			line = bytes.TrimSpace(line)
			if len(line) == 0 || line[0] == '#' {
				continue
			}
			list, err := mime.ParseList(string(line))
			if err != nil {
				return nil, fmt.Errorf("--%s: %s:%d: %w", name, path, number, err)
			}
			all = append(all, list...)
		}
	}
	return all, nil
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

// whole is the message that flag gives.
func (r *run) whole(src mime.Source, flag string) (*mime.Message, error) {
	m, err := mime.Whole(src, mime.Options{Fixup: r.Bool("fixup"), Now: r.clock()(), Host: r.messageHost()})
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, plainFileError(err))
	}
	return m, nil
}

// template is the whole message of --data-template with its tokens replaced.
func (r *run) template(l *letter) (*mime.Message, error) {
	text, err := r.text("data-template")
	if err != nil {
		return nil, err
	}
	body, err := r.text("body")
	if err != nil {
		return nil, err
	}
	filled, err := mime.Template([]byte(text), mime.Values{
		From: l.from, To: l.all, Subject: r.subject(), Date: r.clock()(), Host: r.messageHost(), Version: r.Version,
		Headers: r.fields("header"), AddHeaders: r.fields("add-header"), Body: []byte(body),
	})
	if err != nil {
		return nil, fmt.Errorf("--data-template: %w", err)
	}
	return r.whole(mime.Bytes(filled), "data-template")
}

func (r *run) subject() string {
	if r.Set("subject") {
		return r.String("subject")
	}
	return "Test message"
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

func (r *run) compose(l *letter) (*mime.Message, error) {
	draft := mime.Draft{
		From: l.from, Subject: r.subject(), Date: r.clock()(),
		Host: r.messageHost(), UserAgent: "ehlo",
		Charset: r.String("charset"), InReplyTo: r.String("in-reply-to"), Unsubscribe: r.Strings("list-unsubscribe"),
	}
	draft.To, draft.Cc, draft.Bcc = l.to, l.cc, l.bcc
	if l.from.IsNull() {
		draft.DefaultFrom = r.sender()
	}
	var err error
	if draft.Text, err = r.text("body"); err != nil {
		return nil, err
	}
	if draft.HTML, err = r.text("html"); err != nil {
		return nil, err
	}
	if err := r.extras(&draft); err != nil {
		return nil, err
	}
	if !r.Set("body") && !r.Set("html") {
		draft.Text = "This is a test message, sent by ehlo.\n"
	}
	draft.Headers, draft.AddHeaders = r.fields("header"), r.fields("add-header")
	if err := r.attach(&draft); err != nil {
		return nil, err
	}
	m, err := mime.Compose(draft)
	if err != nil {
		return nil, plainFileError(err)
	}
	return m, nil
}

// extras are what few messages have.
func (r *run) extras(draft *mime.Draft) error {
	var err error
	if draft.Encoding, err = mime.ParseEncoding(r.String("transfer-encoding")); err != nil {
		return err
	}
	if file := r.String("calendar"); file != "" {
		draft.Calendar = &mime.Calendar{Source: r.source(file), Attach: true}
	}
	for _, f := range []struct {
		name string
		to   *mime.Mailbox
	}{{"read-receipt", &draft.ReadReceipt}, {"delivery-receipt", &draft.DeliveryReceipt}} {
		if v := r.String(f.name); v != "" {
			if *f.to, err = mime.ParseMailbox(v); err != nil {
				return fmt.Errorf("--%s: %w", f.name, err)
			}
		}
	}
	draft.ReplyTo, err = r.mailboxes("reply-to")
	return err
}

// fields are the header fields that a flag gives; each has passed checkHeader.
func (r *run) fields(name string) []mime.Header {
	var fields []mime.Header
	for _, field := range r.Strings(name) {
		n, v, _ := strings.Cut(field, ":")
		fields = append(fields, mime.Header{Name: n, Value: strings.TrimSpace(v)})
	}
	return fields
}

// messageHost is the right side of a Message-ID.
func (r *run) messageHost() string {
	if r.Bool("sandbox") {
		return "client.test"
	}
	return r.fqdn()
}

// attach adds the files in the order of the command line; a type, a name or a
// Content-ID belongs to the file that follows it.
func (r *run) attach(draft *mime.Draft) error {
	var next mime.Attachment
	pending := ""
	for _, p := range r.Ordered("attach", "inline", "attach-type", "attach-name", "inline-cid") {
		switch p.Name {
		case "attach-type":
			next.Type, pending = p.Value, p.Name
		case "attach-name":
			next.Name, pending = p.Value, p.Name
		case "inline-cid":
			next.ContentID, pending = p.Value, p.Name
		default:
			next.Source = r.source(p.Value)
			if p.Name == "attach" {
				draft.Attachments = append(draft.Attachments, next)
			} else {
				draft.Inlines = append(draft.Inlines, next)
			}
			next, pending = mime.Attachment{}, ""
		}
	}
	if pending != "" {
		return fmt.Errorf("--%s has no --attach or --inline behind it", pending)
	}
	return nil
}
