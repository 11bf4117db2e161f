package mime

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	stdmime "mime"
	"strings"
	"time"
)

// Options say how Whole treats a message.
type Options struct {
	Fixup bool      // mend what would be refused, add a missing Date and Message-ID, have a 7bit form
	Now   time.Time // the Date that Fixup adds; the zero time is now
	Host  string    // the right side of the Message-ID that Fixup adds; "" is localhost
	Allow Breach    // what is to break the rules; not together with Fixup
	Limit int64     // on what is spooled from a pipe, in octets; 0 is 1 GiB
}

// Whole takes a message as the user wrote it: but for line ends, which become
// CR LF, and a last one, it is sent as it is. What cannot be sent is an error
// that wraps a *Fault, or is mended if o says so; Notes say what was changed. A
// Bcc field with an address is among that: the one who wrote it meant to hide what
// it says, and no server takes it out. With Fixup a message that needs 8BITMIME or
// SMTPUTF8 has a second of its Forms, which needs nothing. The message is read once
// here, for that form twice more, and once at each Open.
func Whole(src Source, o Options) (*Message, error) {
	h, err := src.hold(cmp.Or(o.Limit, spoolMost))
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	m, err := whole(h, o)
	if err != nil {
		err = fmt.Errorf("message: %w", err)
		return nil, errors.Join(err, h.close())
	}
	return m, nil
}

func whole(h *held, o Options) (*Message, error) {
	own, s, err := scannedBy(h, func(r io.Reader) *scan {
		s := newScan(r, o.Fixup)
		s.allow = o.Allow
		return s
	})
	if err != nil {
		return nil, err
	}
	m := &Message{fields: s.fields, notes: s.notes(), release: []func() error{h.close}}
	added, err := m.add(o)
	if err != nil {
		return nil, err
	}
	all := join([]stretch{bytesStretch(added), own})
	m.size, m.open = all.size, all.open
	m.judge(s)
	if o.Fixup && m.needs != nil {
		m.sevenBit(all)
	}
	return m, nil
}

// scannedBy reads a message once, by the scan that make makes, to judge it. A message
// in which nothing is to be changed is then read as it is.
func scannedBy(h *held, make func(io.Reader) *scan) (stretch, *scan, error) {
	r, err := h.open()
	if err != nil {
		return stretch{}, nil, err
	}
	defer r.Close()
	s := make(r)
	if _, err := io.Copy(io.Discard, s); err != nil {
		return stretch{}, nil, err
	}
	if s.notes() == nil {
		return stretch{h.size, h.open}, s, nil
	}
	return stretch{s.size, func() (io.ReadCloser, error) {
		r, err := h.open()
		if err != nil {
			return nil, err
		}
		return reading{make(r), r}, nil
	}}, s, nil
}

// reading closes what its reader reads from.
type reading struct {
	io.Reader
	io.Closer
}

// add makes the fields that Fixup puts on top.
func (m *Message) add(o Options) ([]byte, error) {
	if !o.Fixup {
		return nil, nil
	}
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	id, err := newID(now, o.Host)
	if err != nil {
		return nil, err
	}
	var text []byte
	var fields []Header
	for _, f := range []Header{{"Date", date(now)}, {"Message-ID", id}} {
		if m.Header(f.Name) != nil {
			continue
		}
		if text, err = appendField(text, f.Name, f.Value); err != nil {
			return nil, err
		}
		fields = append(fields, f)
		m.notes = append(m.notes, f.Name+" added")
	}
	m.fields = append(fields, m.fields...)
	return text, nil
}

// judge fills what follows from the scan.
func (m *Message) judge(s *scan) {
	if (s.eightBody || s.rawHeader) && s.allow&Breach8Bit == 0 {
		m.needs = append(m.needs, "8BITMIME")
	}
	if s.utf8Header && !s.rawHeader && !s.rawPart && s.allow&BreachUTF8 == 0 {
		m.needs = append(m.needs, "SMTPUTF8")
	}
	m.kind, m.parts = "text/plain", 1 // RFC 2045 section 5.2
	for _, v := range m.Header("Content-Type") {
		if kind, _, err := stdmime.ParseMediaType(v); err == nil {
			m.kind = kind
		}
	}
	if strings.HasPrefix(m.kind, "multipart/") {
		m.parts = 0
	}
	m.findings = append(s.breached(), judge(m.fields)...)
	if s.stray > 0 {
		m.findings = append(m.findings, fmt.Sprintf("line %d is neither a header field nor blank: some readers take it for the body", s.stray))
	}
	if s.rawHeader {
		m.findings = append(m.findings, "the header has octets over 127 that are not UTF-8: no standard says what they mean (RFC 6532)")
	}
	if s.rawPart {
		m.findings = append(m.findings, "the header of a part has octets over 127 that are not UTF-8: no standard says what they mean (RFC 6532)")
	}
	if s.kept > headerMost {
		m.findings = append(m.findings, "the header is over 256 KiB: what comes after was not looked at")
	}
	if s.crcrlf+s.bareCR+s.nul+s.long+s.words+s.bccs > 0 && m.Header("DKIM-Signature") != nil {
		m.findings = append(m.findings, "what was mended breaks the message's DKIM signature")
	}
}

// sevenBit adds the form for a server without 8BITMIME, if there is one.
func (m *Message) sevenBit(all stretch) {
	seven, signed, err := downgraded(all)
	if err != nil {
		m.findings = append(m.findings, fmt.Sprintf("it cannot be re-encoded for a server without %s: %v", strings.Join(m.needs, " and "), err))
		return
	}
	form := *m
	form.size, form.open, form.needs = seven.size, seven.open, nil
	form.notes = append(m.Notes(), "8-bit content re-encoded, as the server does not take it")
	form.findings = m.Findings()
	if signed || m.Header("DKIM-Signature") != nil {
		form.findings = append(form.findings, "what was re-encoded breaks the message's signature")
	}
	m.forms = []*Message{m, &form}
	form.forms = m.forms
}

// judge gives the findings on a header (RFC 5322 section 3.6).
func judge(fields []Header) []string {
	var all []string
	for _, name := range []string{"Date", "From"} {
		if values(fields, name) == nil {
			all = append(all, "no "+name+" field: RFC 5322 section 3.6 requires one")
		}
	}
	if values(fields, "Message-ID") == nil {
		all = append(all, "no Message-ID field: RFC 5322 section 3.6.4 asks for one")
	}
	seen := map[string]int{}
	for _, f := range fields {
		name := strings.ToLower(f.Name)
		if seen[name]++; seen[name] == 2 && once(name) {
			all = append(all, "more than one "+f.Name+" field: RFC 5322 section 3.6 allows one")
		}
	}
	if strings.TrimSpace(strings.Join(values(fields, "Bcc"), "")) != "" {
		all = append(all, "the Bcc field is sent too: every recipient can read it")
	}
	return all
}

// notes say what reading the message changed.
func (s *scan) notes() []string {
	var all []string
	for _, n := range []struct {
		count      int
		what, many string
	}{
		{s.lf, "LF line end made CR LF", "LF line ends made CR LF"},
		{s.crcrlf, "CR CR LF line end made CR LF", "CR CR LF line ends made CR LF"},
		{s.bareCR, "bare CR made CR LF", "bare CRs made CR LF"},
		{s.nul, "NUL dropped", "NULs dropped"},
		{s.bccs, "Bcc field removed", "Bcc fields removed"},
		{s.long, "break put into a line over 998 octets", "breaks put into lines over 998 octets"},
		{s.words, "header line over 998 octets written in RFC 2047 words", "header lines over 998 octets written in RFC 2047 words"},
	} {
		switch {
		case n.count == 1:
			all = append(all, "1 "+n.what)
		case n.count > 1:
			all = append(all, fmt.Sprintf("%d %s", n.count, n.many))
		}
	}
	if s.noEnd {
		all = append(all, "a last CR LF added")
	}
	return all
}
