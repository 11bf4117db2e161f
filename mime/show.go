package mime

import (
	"cmp"
	"fmt"
)

// Reading is a message that somebody else made, to be shown, taken apart and
// verified. However odd it is, it can be read: what is wrong is told by findings.
// It may hold a temporary file until Close.
type Reading struct {
	held *held
}

// Load takes a message to be read. What is not a file is spooled, up to limit
// octets; 0 is 1 GiB.
func Load(src Source, limit int64) (*Reading, error) {
	h, err := src.hold(cmp.Or(limit, spoolMost))
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return &Reading{h}, nil
}

// Size is the number of octets as they were given.
func (r *Reading) Size() int64 { return r.held.size }

// Close removes what is held outside memory.
func (r *Reading) Close() error { return r.held.close() }

// Structure is what a message consists of, and what is odd about it.
type Structure struct {
	Size     int64     `json:"size"`   // octets
	Lines    int64     `json:"lines"`  // also one without a line end
	Ends     string    `json:"ends"`   // line ends: crlf, lf, mixed or none
	Header   []Field   `json:"header"` // of the message; the parts have theirs
	Root     *Part     `json:"root"`
	Findings []Finding `json:"findings"` // in the order of their places
}

// Field is a header field.
type Field struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // unfolded, RFC 2047 words decoded: foreign text
	Offset int64  `json:"offset"`
	Line   int64  `json:"line"`
}

// Part is a part of a message (RFC 2045), or the whole.
type Part struct {
	ID          string `json:"id"`   // 1, 2.1: as IMAP counts (RFC 3501 section 6.4.5); of several parts "" is the whole, 2.TEXT a message within
	Type        string `json:"type"` // in lower case: text/plain
	Charset     string `json:"charset,omitempty"`
	Name        string `json:"name,omitempty"` // as it was given: foreign text, and no name for a file
	Disposition string `json:"disposition,omitempty"`
	ContentID   string `json:"content_id,omitempty"` // without brackets
	Encoding    string `json:"encoding"`             // Content-Transfer-Encoding, in lower case: 7bit if there is none
	Subject     string `json:"subject,omitempty"`    // of a message within the message
	Offset      int64  `json:"offset"`               // of its header
	Body        int64  `json:"body_offset"`
	Line        int64  `json:"line"`
	Size        int64  `json:"size"`         // of its body as it stands, in octets
	Decoded     int64  `json:"size_decoded"` // of its content; 0 for a part of parts

	Parts []*Part `json:"parts,omitempty"`

	boundary string
	depth    int
	bodyLine int64
}

// Limits on what of a message is looked at and kept.
const (
	partsMost    = 10000   // further ones are not listed
	nestMost     = 50      // parts within deeper ones are not taken apart
	headerKept   = 1 << 20 // octets of the message's header
	partHeader   = 64 << 10
	partsKept    = 4 << 20 // octets of the headers of all parts
	boundaryMost = 200     // RFC 2046 section 5.1.1 allows 70
)

// Leaves lists the parts that have content of their own, in order.
func (s *Structure) Leaves() []*Part {
	var all []*Part
	var walk func(*Part)
	walk = func(p *Part) {
		if len(p.Parts) == 0 {
			all = append(all, p)
		}
		for _, c := range p.Parts {
			walk(c)
		}
	}
	walk(s.Root)
	return all
}

// Show reads the message from start to end and tells what it consists of. Memory
// does not grow with the message. The error is that of reading.
func (r *Reading) Show() (*Structure, error) {
	in, err := r.held.open()
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	defer in.Close()
	return newWalker(nil).walk(in)
}
