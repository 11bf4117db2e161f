// Package mime makes the messages that are sent and judges the ones that are given.
//
//	Mailbox   an address, strict enough for the envelope (RFC 5321) and fit for a header (RFC 5322)
//	Draft     what a message is made of; Compose makes a Message of it
//	Encoding  a Content-Transfer-Encoding, chosen or forced
//	Whole     a message that the user wrote, sent as it is
//	Template  a whole message with tokens in it; Values are what they stand for
//	Source    where bytes come from: a file, memory, a pipe
//	Message   bytes ready to be sent, in one or several Forms, and what is known about them
//	Fault     what keeps a whole message from being sent, and where
//	Key       a DKIM key; Sign signs a Message with it, CheckKey asks what is published
//	Reading   a message of somebody else's: Show gives its Structure, Extract writes its
//	          parts to files (Extracted), Verify judges its signatures (Verification)
//	Finding   what somebody should know about a message, a signature or a key, and its Place
//
// enmime writes the tree of parts and reads it back in tests; the leaves are
// encoded here, so that they stream. What enmime gets wrong is guarded, each guard
// with a test of its own name.
package mime

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Header is one header field. Its value is unfolded.
type Header struct{ Name, Value string }

// Signature is what a DKIM-Signature field says of its maker (RFC 6376
// section 3.5): it is read, not verified.
type Signature struct{ Domain, Selector string }

// Message is a message that can be sent: lines end in CR LF, the last one too,
// and none has over 998 octets, unless it needs BINARYMIME. It may hold a temporary
// file until Close.
type Message struct {
	open     func() (io.ReadCloser, error)
	release  []func() error
	size     int64
	needs    []string
	fields   []Header
	kind     string
	parts    int
	forms    []*Message
	notes    []string
	findings []string
}

// Open gives the message from its start. Every call gives the same bytes, or
// an error if a file that it is read from has changed.
func (m *Message) Open() (io.ReadCloser, error) { return m.open() }

// Size is the exact number of octets that Open gives.
func (m *Message) Size() int64 { return m.size }

// Needs lists the EHLO keywords without which the message cannot be sent
// unharmed: 8BITMIME or BINARYMIME, SMTPUTF8. What an envelope address needs is not in it:
// see Mailbox.UTF8.
func (m *Message) Needs() []string { return slices.Clone(m.needs) }

// Close removes what the message holds outside memory.
func (m *Message) Close() error {
	var all error
	for _, f := range m.release {
		all = errors.Join(all, f())
	}
	m.release = nil
	return all
}

// Forms are the message as servers of different abilities take it, best first,
// with the same header fields, boundaries and content; m is one of them. The last
// asks least of a server. Notes and Findings are those of a form; closing one
// closes all.
func (m *Message) Forms() []*Message {
	if slices.Contains(m.forms, m) {
		return slices.Clone(m.forms)
	}
	return []*Message{m}
}

// ID is the Message-ID with its angle brackets, "" if there is none.
func (m *Message) ID() string {
	for _, v := range m.Header("Message-ID") {
		return strings.TrimSpace(v)
	}
	return ""
}

// ContentType is the media type of the whole, without parameters, in lower
// case: text/plain, multipart/mixed.
func (m *Message) ContentType() string { return m.kind }

// Parts counts the leaves of a composed message: its texts and its files. It
// is 0 for a whole message of several parts, which is not taken apart.
func (m *Message) Parts() int { return m.parts }

// Header gives the values of the named field, in order; the case of the name
// does not matter.
func (m *Message) Header(name string) []string { return values(m.fields, name) }

// Headers gives all header fields in order.
func (m *Message) Headers() []Header { return slices.Clone(m.fields) }

// Unencodable is the name of the first header field with an address or an id that is not
// ASCII, for which RFC 2047 has no words; "" if there is none.
func (m *Message) Unencodable() string {
	for _, h := range m.fields {
		if ascii(h.Value) || textField(h.Name) {
			continue
		}
		if fit, err := h.fit(charset{}); err != nil || !ascii(fit.Value) {
			return h.Name
		}
	}
	return ""
}

// FromDomain is the domain of the From field's first address, which DMARC
// judges (RFC 9989 section 5.3.1), in A-labels and lower case; "" if it cannot
// be read.
func (m *Message) FromDomain() string {
	for _, v := range m.Header("From") {
		if list, err := ParseList(strings.ReplaceAll(v, "\t", " ")); err == nil {
			return strings.ToLower(list[0].Domain)
		}
	}
	return ""
}

// Signatures lists the DKIM signatures that the message carries.
func (m *Message) Signatures() []Signature {
	var all []Signature
	for _, v := range m.Header("DKIM-Signature") {
		var s Signature
		for tag := range strings.SplitSeq(v, ";") {
			name, value, _ := strings.Cut(tag, "=")
			switch strings.TrimSpace(name) {
			case "d":
				s.Domain = strings.TrimSpace(value)
			case "s":
				s.Selector = strings.TrimSpace(value)
			}
		}
		all = append(all, s)
	}
	return all
}

// Summary says in a line what is sent: "2304 bytes · text/plain · DKIM
// example.com (s2026)".
func (m *Message) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes · %s", m.size, m.kind)
	if m.parts > 1 {
		fmt.Fprintf(&b, " · %d parts", m.parts)
	}
	for _, s := range m.Signatures() {
		fmt.Fprintf(&b, " · DKIM %s (%s)", s.Domain, s.Selector)
	}
	return b.String()
}

// Notes say what was changed in a message that the user gave: line ends, and
// with Fixup what was mended.
func (m *Message) Notes() []string { return slices.Clone(m.notes) }

// Findings say what is wrong with the message though it is sent: a missing
// Date, a Bcc field.
func (m *Message) Findings() []string { return slices.Clone(m.findings) }

func values(fields []Header, name string) []string {
	var all []string
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}
