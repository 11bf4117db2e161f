package mime

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Draft is what a message is made of.
type Draft struct {
	From        Mailbox // the null sender leaves the From field to DefaultFrom
	DefaultFrom Mailbox
	To, Cc      []Mailbox
	Bcc         []Mailbox // in no header field; alone, To says undisclosed-recipients
	Subject     string    // text: what looks like an RFC 2047 word is shown as it stands
	Text, HTML  string    // UTF-8, any line ends; both: alternatives; neither: an empty text

	Attachments []Attachment
	Inlines     []Attachment // what HTML refers to as cid:ContentID

	Headers    []Header // each replaces the field of its name; ASCII goes as it is
	AddHeaders []Header // added behind the others

	Date      time.Time // the zero time is now
	MessageID string    // with or without brackets; "" makes a new one
	Host      string    // the right side of a new Message-ID; "" is the domain of From
	UserAgent string    // "" leaves the field out
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Source    Source
	Name      string // "" is the base name of the file
	Type      string // a media type; "" is found by the name, then by the content
	ContentID string // of an inline; "" is the name
}

// Compose makes a message of d. What leaves is ASCII in lines of at most 998
// octets, and UTF-8 only in the header of a message with an address that needs
// it. Files are read again at each Open.
func Compose(d Draft) (*Message, error) {
	fields, err := d.header()
	if err != nil {
		return nil, err
	}
	b, err := d.body()
	if err != nil {
		return nil, err
	}
	m, err := b.message(fields)
	if err != nil {
		b.close()
		return nil, err
	}
	return m, nil
}

// header gives the fields of the message but for Content-*: values encoded, not
// yet folded.
func (d *Draft) header() ([]Header, error) {
	from := d.From
	if from.IsNull() {
		from = d.DefaultFrom
	}
	if from.Domain == "" {
		return nil, fmt.Errorf("no address for the From field")
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
	}{{"From", []Mailbox{from}}, {"To", d.To}, {"Cc", d.Cc}} {
		if len(f.list) == 0 {
			continue
		}
		value, err := addresses(f.list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		fields = append(fields, Header{f.name, value})
	}
	if len(d.To)+len(d.Cc) == 0 {
		fields = append(fields, Header{"To", "undisclosed-recipients:;"})
	}
	fields = append(fields,
		Header{"Subject", encodeText(d.Subject, lineGood-2-len("Subject: "), true)},
		Header{"Message-ID", id})
	if d.UserAgent != "" {
		h, err := Header{"User-Agent", d.UserAgent}.encode()
		if err != nil {
			return nil, err
		}
		fields = append(fields, h)
	}
	if fields, err = d.custom(fields); err != nil {
		return nil, err
	}
	return append(fields, Header{"MIME-Version", "1.0"}), nil
}

// custom puts the user's own fields among fields.
func (d *Draft) custom(fields []Header) ([]Header, error) {
	for _, h := range d.Headers {
		h, err := h.encode()
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
		h, err := h.encode()
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
func (h Header) encode() (Header, error) {
	if !fieldName(h.Name) {
		return h, fmt.Errorf("header name %s: a name is printable ASCII without a colon or a space (RFC 5322 section 3.6.8)", clip(h.Name))
	}
	switch strings.ToLower(h.Name) {
	case "mime-version", "content-type", "content-transfer-encoding":
		return h, fmt.Errorf("header %s: it follows from the body of a composed message", h.Name)
	}
	if err := plain(h.Value, true); err != nil {
		return h, fmt.Errorf("header %s: %w", h.Name, err)
	}
	h.Value = strings.Trim(h.Value, " \t")
	if ascii(h.Value) && len(h.Value) <= wordLong {
		return h, nil
	}
	switch strings.ToLower(h.Name) {
	case "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc",
		"disposition-notification-to", "errors-to", "return-receipt-to":
		if ascii(h.Value) {
			return h, nil
		}
		list, err := ParseList(h.Value)
		if err == nil {
			h.Value, err = addresses(list)
		}
		if err != nil {
			return h, fmt.Errorf("header %s: %w", h.Name, err)
		}
	case "date", "message-id", "in-reply-to", "references", "content-id", "dkim-signature":
		if !ascii(h.Value) {
			return h, fmt.Errorf("header %s: it can hold ASCII only", h.Name)
		}
	default:
		h.Value = encodeText(h.Value, lineGood-4-len(h.Name), false)
	}
	return h, nil
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

func addresses(list []Mailbox) (string, error) {
	all := make([]string, len(list))
	for i, m := range list {
		if err := m.check(); err != nil {
			return "", err
		}
		all[i] = m.Header()
	}
	return strings.Join(all, ", "), nil
}

// date writes t as RFC 5322 section 3.3 has it.
func date(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 -0700") }

// id is the given Message-ID in its brackets, or a new one.
func (d *Draft) id(now time.Time, from Mailbox) (string, error) {
	if d.MessageID != "" {
		return checkID("<" + strings.TrimSuffix(strings.TrimPrefix(d.MessageID, "<"), ">") + ">")
	}
	return newID(now, cmp.Or(d.Host, from.Domain))
}

// newID makes a Message-ID: the time in UTC, then chance.
func newID(now time.Time, host string) (string, error) {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return checkID("<" + now.UTC().Format("20060102150405") + "." + hex.EncodeToString(b[:]) + "@" + cmp.Or(host, "localhost") + ">")
}

func checkID(id string) (string, error) {
	left, right, _ := strings.Cut(id[1:len(id)-1], "@")
	if left == "" || right == "" || !ascii(id) || len(id) > 900 || strings.ContainsAny(left+right, " <>,;@") || plain(id, false) != nil {
		return "", fmt.Errorf("Message-ID %s: not of the form <left@right> (RFC 5322 section 3.6.4)", clip(id))
	}
	return id, nil
}
