package cmd

import (
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/mime"
)

// defaultText is the message where nobody says what it is.
const defaultText = "This is a test message, sent by ehlo.\n"

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
		draft.Text = defaultText
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

// whole is the message that a flag gives; where is its name, and what of it was read.
func (r *run) whole(src mime.Source, where string) (*mime.Message, error) {
	m, err := mime.Whole(src, r.wholeOptions())
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", where, plainFileError(err))
	}
	return m, nil
}

func (r *run) wholeOptions() mime.Options {
	return mime.Options{Fixup: r.Bool("fixup"), Now: r.clock()(), Host: r.messageHost(), Allow: r.malformed()}
}

// malformed are the rules that a whole message is let break.
func (r *run) malformed() mime.Breach {
	var all mime.Breach
	for word := range strings.SplitSeq(r.String("malformed"), ",") {
		all |= mime.ParseBreach(strings.ToLower(word))
	}
	return all
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
	if !r.Set("body") {
		body = defaultText
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
