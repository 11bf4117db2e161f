package mime

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Values are what the tokens of a template stand for.
type Values struct {
	From       Mailbox   // %FROM_ADDRESS%, of the envelope: <> for the null sender
	To         []Mailbox // %TO_ADDRESS%, with ", " between them
	Subject    string    // %SUBJECT%, encoded for a header field
	Date       time.Time // %DATE%; the zero time is now
	MessageID  string    // %MESSAGEID%, without brackets; "" makes a new one
	Host       string    // the right side of a new Message-ID; "" is the domain of From
	Version    string    // %SWAKS_VERSION% and %EHLO_VERSION%
	Headers    []Header  // in the place of fields of their names
	AddHeaders []Header  // %NEW_HEADERS%, or the end of the header
	Body       []byte    // %BODY%
}

// Template puts values in the place of the tokens of a whole message, as swaks
// has them: %NEWLINE% too, while a literal \n stays. What a token stands for is
// not looked at again, and what is no token stays. The result is for Whole.
func Template(text []byte, v Values) ([]byte, error) {
	words, err := v.words()
	if err != nil {
		return nil, err
	}
	add := v.AddHeaders
	for _, h := range v.Headers {
		field, err := fieldText(h)
		if err != nil {
			return nil, err
		}
		var done bool
		if text, done = replaceField(text, h.Name, field); !done {
			add = append(add[:len(add):len(add)], h)
		}
	}
	var fields []byte
	for _, h := range add {
		field, err := fieldText(h)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field...)
	}
	if len(fields) > 0 && !bytes.Contains(text, []byte("%NEW_HEADERS%")) {
		n := headerEnd(text)
		if n > 0 && text[n-1] != '\n' {
			fields = append([]byte("\n"), fields...)
		}
		text = bytes.Join([][]byte{text[:n], fields, text[n:]}, nil)
	}
	words = append(words, "%NEW_HEADERS%", string(fields), "%BODY%", string(v.Body))
	return []byte(strings.NewReplacer(words...).Replace(string(text))), nil
}

// words are the tokens and what they stand for, in turn.
func (v *Values) words() ([]string, error) {
	now := v.Date
	if now.IsZero() {
		now = time.Now()
	}
	id, err := checkID(v.MessageID)
	if v.MessageID == "" {
		id, err = newID(now, cmp.Or(v.Host, v.From.Domain))
	}
	if err != nil {
		return nil, err
	}
	if err := plain(v.Subject, true); err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	var to []string
	for _, m := range v.To {
		to = append(to, m.Path())
	}
	return []string{
		"%FROM_ADDRESS%", cmp.Or(v.From.Path(), "<>"),
		"%TO_ADDRESS%", strings.Join(to, ", "),
		"%SUBJECT%", charset{}.text(v.Subject, lineGood-2-len("Subject: "), true),
		"%DATE%", date(now),
		"%MESSAGEID%", id[1 : len(id)-1],
		"%SWAKS_VERSION%", v.Version, "%EHLO_VERSION%", v.Version,
		"%NEWLINE%", "\r\n",
	}, nil
}

// fieldText is a field of the user's, encoded and folded.
func fieldText(h Header) ([]byte, error) {
	h, err := h.encode(charset{})
	if err != nil {
		return nil, err
	}
	return appendField(nil, h.Name, h.Value)
}

// headerEnd is where the blank line behind the header begins, or the text ends.
func headerEnd(text []byte) int {
	at := 0
	for line := range bytes.Lines(text) {
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return at
		}
		at += len(line)
	}
	return at
}

// replaceField puts field in the place of the first field of that name, and
// removes the others. It reports whether there was one.
func replaceField(text []byte, name string, field []byte) ([]byte, bool) {
	end := headerEnd(text)
	var out []byte
	done, in := false, false
	for line := range bytes.Lines(text[:end]) {
		if !blank(line[0]) {
			n, _, colon := bytes.Cut(line, []byte(":"))
			in = colon && strings.EqualFold(string(bytes.TrimRight(n, " \t")), name)
			if in && !done {
				out, done = append(out, field...), true
			}
		}
		if !in {
			out = append(out, line...)
		}
	}
	return append(out, text[end:]...), done
}
