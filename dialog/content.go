package dialog

import "io"

// Content is a message that can be sent. Deliver takes the first of several
// whose needs are all offered.
type Content interface {
	// Open gives the message from its start: lines ending in CR LF, the last
	// one too, neither dot-stuffed nor ended by a dot. It gives the same bytes
	// on every try, or an error if what it reads from has changed.
	Open() (io.ReadCloser, error)
	// Size is the exact number of bytes that Open gives, which SIZE declares
	// (RFC 1870 section 3).
	Size() int64
	// Needs lists the EHLO keywords without which it cannot be sent unharmed:
	// 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), BINARYMIME (RFC 3030).
	Needs() []string
}
