package mime

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// header gives the fields of the message but for Content-*: values encoded, not
// yet folded.
func (d *Draft) header(c charset) ([]Header, error) {
	from := d.From
	if from.IsNull() {
		from = d.DefaultFrom
	}
	if from.Domain == "" {
		return nil, errors.New("no address for the From field")
	}
	if err := plain(d.Subject, true); err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	now := d.Date
	if now.IsZero() {
		now = time.Now()
	}
	id, err := d.id(now, from)
	if err != nil {
		return nil, err
	}
	fields := []Header{{"Date", date(now)}}
	for _, f := range []struct {
		name string
		list []Mailbox
	}{{"From", []Mailbox{from}}, {"Reply-To", d.ReplyTo}, {"To", d.To}, {"Cc", d.Cc}} {
		if fields, err = appendList(fields, f.name, f.list, c); err != nil {
			return nil, err
		}
	}
	if len(d.To)+len(d.Cc) == 0 {
		fields = append(fields, Header{"To", "undisclosed-recipients:;"})
	}
	fields = append(fields,
		Header{"Subject", c.text(d.Subject, lineGood-2-len("Subject: "), true)},
		Header{"Message-ID", id})
	if fields, err = d.optional(fields, c); err != nil {
		return nil, err
	}
	if fields, err = d.custom(fields, c); err != nil {
		return nil, err
	}
	return append(fields, Header{"MIME-Version", "1.0"}), nil
}

// optional adds the fields that only some messages have.
func (d *Draft) optional(fields []Header, c charset) ([]Header, error) {
	references := d.References
	if d.InReplyTo != "" {
		id, err := checkID(d.InReplyTo)
		if err != nil {
			return nil, fmt.Errorf("header In-Reply-To: %w", err)
		}
		fields = append(fields, Header{"In-Reply-To", id})
		if references == nil {
			references = []string{id}
		}
	}
	var ids []string
	for _, r := range references {
		id, err := checkID(r)
		if err != nil {
			return nil, fmt.Errorf("header References: %w", err)
		}
		ids = append(ids, id)
	}
	if ids != nil {
		fields = append(fields, Header{"References", strings.Join(ids, " ")})
	}
	fields, err := d.unsubscribe(fields)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		to   Mailbox
	}{{"Disposition-Notification-To", d.ReadReceipt}, {"Return-Receipt-To", d.DeliveryReceipt}} {
		if f.to.IsNull() {
			continue
		}
		if fields, err = appendList(fields, f.name, []Mailbox{f.to}, c); err != nil {
			return nil, err
		}
	}
	if d.UserAgent != "" {
		h, err := Header{"User-Agent", d.UserAgent}.encode(c)
		if err != nil {
			return nil, err
		}
		fields = append(fields, h)
	}
	return fields, nil
}

// unsubscribe adds List-Unsubscribe (RFC 2369 section 3.2), and where a client
// can POST to one of its URIs, List-Unsubscribe-Post (RFC 8058 section 3.1).
func (d *Draft) unsubscribe(fields []Header) ([]Header, error) {
	var all []string
	post := false
	for _, s := range d.Unsubscribe {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
		u, err := url.Parse(s)
		switch {
		case err != nil || !ascii(s) || strings.ContainsAny(s, " <>,\""):
			return nil, fmt.Errorf("header List-Unsubscribe: %s is no URI, in which a comma is %%2C", clip(s))
		case u.Scheme == "https" && u.Host != "":
			post = true
		case u.Scheme == "http" && u.Host != "", u.Scheme == "mailto" && u.Opaque != "":
		default:
			return nil, fmt.Errorf("header List-Unsubscribe: %s: https://... or mailto:... is wanted", clip(s))
		}
		all = append(all, "<"+s+">")
	}
	if all != nil {
		fields = append(fields, Header{"List-Unsubscribe", strings.Join(all, ", ")})
	}
	if post {
		fields = append(fields, Header{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"})
	}
	return fields, nil
}

func appendList(fields []Header, name string, list []Mailbox, c charset) ([]Header, error) {
	if len(list) == 0 {
		return fields, nil
	}
	value, err := addresses(list, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return append(fields, Header{name, value}), nil
}

// addresses writes an address list (RFC 5322 section 3.4).
func addresses(list []Mailbox, c charset) (string, error) {
	var b strings.Builder
	group := ""
	for i, m := range list {
		if err := m.check(); err != nil {
			return "", err
		}
		if group != "" && m.Group != group {
			b.WriteByte(';')
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if m.Group != "" && m.Group != group {
			b.WriteString(c.phrase(m.Group) + ": ")
		}
		group = m.Group
		b.WriteString(m.header(c))
	}
	if group != "" {
		b.WriteByte(';')
	}
	return b.String(), nil
}

// custom puts the user's own fields among fields.
func (d *Draft) custom(fields []Header, c charset) ([]Header, error) {
	for _, h := range slices.Concat(d.Headers, d.AddHeaders) {
		switch strings.ToLower(h.Name) {
		case "mime-version", "content-type", "content-transfer-encoding":
			return nil, fmt.Errorf("header %s: it follows from the body of a composed message", h.Name)
		}
	}
	for _, h := range d.Headers {
		h, err := h.encode(c)
		if err != nil {
			return nil, err
		}
		kept, done := fields[:0:0], false
		for _, f := range fields {
			if !strings.EqualFold(f.Name, h.Name) {
				kept = append(kept, f)
			} else if !done {
				kept, done = append(kept, h), true
			}
		}
		if !done {
			kept = append(kept, h)
		}
		fields = kept
	}
	for _, h := range d.AddHeaders {
		h, err := h.encode(c)
		if err != nil {
			return nil, err
		}
		if once(h.Name) && values(fields, h.Name) != nil {
			return nil, fmt.Errorf("header %s: only one is allowed (RFC 5322 section 3.6), so replace it", h.Name)
		}
		fields = append(fields, h)
	}
	return fields, nil
}

// encode checks a field that the user gave and makes its value fit to be sent.
func (h Header) encode(c charset) (Header, error) {
	if !fieldName(h.Name) {
		return h, fmt.Errorf("header name %s: a name is printable ASCII without a colon or a space (RFC 5322 section 3.6.8)", clip(h.Name))
	}
	if err := plain(h.Value, true); err != nil {
		return h, fmt.Errorf("header %s: %w", h.Name, err)
	}
	h.Value = strings.Trim(h.Value, " \t")
	if strings.EqualFold(h.Name, "Date") {
		if _, err := mail.ParseDate(h.Value); err != nil {
			return h, fmt.Errorf("header Date: %s is no date (RFC 5322 section 3.3)", clip(h.Value))
		}
	}
	if ascii(h.Value) && len(h.Value) <= wordLong {
		return h, nil
	}
	return h.fit(c)
}

// fit makes a value ASCII by what the field holds: addresses, text, or what can
// hold nothing else. The value is UTF-8 without control characters.
func (h Header) fit(c charset) (Header, error) {
	switch name := strings.ToLower(h.Name); {
	case addressField(name):
		if ascii(h.Value) {
			return h, nil
		}
		list, err := ParseList(strings.ReplaceAll(h.Value, "\t", " "))
		if err == nil {
			h.Value, err = addresses(list, c)
		}
		if err != nil {
			return h, fmt.Errorf("header %s: %w", h.Name, err)
		}
	case slices.Contains([]string{"date", "message-id", "in-reply-to", "references", "content-id", "dkim-signature"}, name):
		if !ascii(h.Value) {
			return h, fmt.Errorf("header %s: it can hold ASCII only", h.Name)
		}
	default:
		h.Value = c.text(h.Value, lineGood-4-len(h.Name), false)
	}
	return h, nil
}

// addressField reports whether a field holds addresses.
func addressField(name string) bool {
	switch strings.ToLower(name) {
	case "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc",
		"disposition-notification-to", "errors-to", "return-receipt-to":
		return true
	}
	return false
}

// once lists the fields that a message has at most once (RFC 5322 section 3.6).
func once(name string) bool {
	switch strings.ToLower(name) {
	case "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject":
		return true
	}
	return false
}

// fieldName reports whether s can name a field: ftext of RFC 5322 section 3.6.8.
func fieldName[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return len(s) > 0
}

// date writes t as RFC 5322 section 3.3 has it.
func date(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 -0700") }

// id is the given Message-ID in its brackets, or a new one.
func (d *Draft) id(now time.Time, from Mailbox) (string, error) {
	if d.MessageID != "" {
		return checkID(d.MessageID)
	}
	return newID(now, cmp.Or(d.Host, from.Domain))
}

// newID makes a Message-ID in its brackets: the time in UTC, then chance, at
// host ("" is localhost).
func newID(now time.Time, host string) (string, error) {
	chance := fmt.Sprintf("%016x", rand.Uint64()) // to be unique; it keeps no secret
	return checkID(now.UTC().Format("20060102150405") + "." + chance + "@" + cmp.Or(host, "localhost"))
}

// checkID gives a Message-ID in its brackets (RFC 5322 section 3.6.4).
func checkID(s string) (string, error) {
	id := "<" + strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">") + ">"
	left, right, _ := strings.Cut(id[1:len(id)-1], "@")
	if left == "" || right == "" || !ascii(id) || len(id) > 900 || strings.ContainsAny(left+right, " <>,;@") || plain(id, false) != nil {
		return "", fmt.Errorf("Message-ID %s: not of the form <left@right> (RFC 5322 section 3.6.4)", clip(id))
	}
	return id, nil
}
