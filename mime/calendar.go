package mime

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// calendarMost bounds a calendar file, which is read into memory.
const calendarMost = 16 << 20

// calendar adds an invitation as the last alternative, where Gmail and Outlook
// look for it (RFC 6047 section 2.4).
func (b *body) calendar(c *Calendar, forced Encoding) error {
	text, err := c.Source.text()
	if err != nil {
		return fmt.Errorf("calendar: %w", err)
	}
	method, err := calendarMethod(text)
	if err != nil {
		return fmt.Errorf("calendar: %w", err)
	}
	kind := "text/calendar; charset=utf-8"
	if method != "" {
		kind += "; method=" + method
	}
	content := lines([]byte(text))
	l, err := textLeaf(kind, content, forced, false)
	if err != nil {
		return err
	}
	b.texts = append(b.texts, l)
	if c.Attach {
		file, err := b.attach(Attachment{Source: Bytes(content), Name: "invite.ics", Type: "application/ics"}, false, forced)
		if err != nil {
			return err
		}
		b.files = append(b.files, file)
	}
	return nil
}

// text reads UTF-8 into memory.
func (s Source) text() (string, error) {
	h, err := s.hold(calendarMost)
	if err != nil {
		return "", err
	}
	defer h.close()
	if h.size > calendarMost {
		return "", fmt.Errorf("%d bytes: over %d MiB", h.size, calendarMost>>20)
	}
	r, err := h.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	if i := invalidUTF8(string(b)); i >= 0 {
		return "", fmt.Errorf("octet 0x%02x at offset %d is not UTF-8 (RFC 5545 section 3.1.4)", b[i], i)
	}
	return strings.TrimPrefix(string(b), "\uFEFF"), nil
}

// calendarMethod is the METHOD property of an iCalendar object (RFC 5545 section
// 3.7.2), "" if there is none.
func calendarMethod(text string) (string, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text) // section 3.1: unfolded
	depth, method, begun := 0, "", false
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, ";")
		value = strings.ToUpper(strings.TrimSpace(value))
		switch name = strings.ToUpper(strings.TrimSpace(name)); {
		case name == "":
		case depth == 0 && (name != "BEGIN" || value != "VCALENDAR"):
			return "", fmt.Errorf("%s where BEGIN:VCALENDAR is wanted (RFC 5545 section 3.4)", clip(line))
		case name == "BEGIN":
			depth, begun = depth+1, true
		case name == "END":
			depth--
		case name == "METHOD" && depth == 1 && method != "" && method != value:
			return "", fmt.Errorf("two methods, %s and %s (RFC 6047 section 2.4)", clip(method), clip(value))
		case name == "METHOD" && depth == 1:
			if method = value; !fieldName(method) || strings.ContainsAny(method, "()<>@,;\\\"/[]?=") {
				return "", fmt.Errorf("method %s is no word (RFC 5545 section 3.7.2)", clip(value))
			}
		}
	}
	if !begun {
		return "", errors.New("it is empty")
	}
	if depth != 0 {
		return "", errors.New("BEGIN and END do not pair (RFC 5545 section 3.4)")
	}
	return method, nil
}
