// Package transcript carries what happened in a conversation to whoever shows it.
//
//	Event    a fact: its value marshals for machines, its Lines are for people
//	Line     one line for people, in parts that a sink lays out
//	Stream   hands events to a sink, each with its time and target
//	Sink     renders records: text, json, jsonl, none (see Formats)
//	Secret   a value that none of its faces shows
//	Escape   makes foreign bytes printable: the only place that does
//	Progress the line on a terminal that says what a long wait waits for
//
// Facts flow one way. A sink cannot answer, so showing cannot steer.
package transcript

import (
	"sync"
	"time"
)

// Event is a fact worth showing. The value itself marshals to a JSON object
// for machines; a sink adds the kind, the time and the target.
type Event interface {
	// Kind is the event's name in JSON: "sent", "received", "tls", "result", ...
	Kind() string
	// Lines are the event for people. Their strings may hold foreign bytes as
	// they came: the sink escapes them.
	Lines() []Line
}

// ResultKind is the kind of the one event that ends a command. Its value is the
// command's document, its lines the closing block.
const ResultKind = "result"

// ReportKind is the kind of an event that is asked for by name (the report of
// probe, the table of mx), so that a quiet sink shows it too.
const ReportKind = "report"

// Mark says what a line is; its glyph, column and colour follow from it.
type Mark uint8

// The marks, in the order in which a transcript meets them.
const (
	Plain           Mark = iota // no mark: text from column 1
	Blank                       // an empty line; never the first, never two in a row
	Head                        // ■ a target, a hop, a domain: Label is the name, Aside follows it dim; an empty line precedes it
	Phase                       // ● resolve, connect, tls, message, retry: Label is the word
	Sent                        // → ⇒ a line we wrote: Text, bracketed by Group
	Received                    // ← ⇐ the first line of a reply: Label is "250 2.1.0 " as it came, Text the rest
	Continued                   // ← ⇐ a later line of the same reply
	Data                        // ┊ a line of the message, shown on request
	Finding                     // ! under the line it concerns
	Failure                     // ✗ likewise
	Good                        // ✓ likewise
	Note                        // · likewise, only when verbose
	Row                         // a table row: Cells; its first cells are right-aligned where they are numbers
	RowHead                     // the heading row of a table: Cells in capitals
	Labelled                    // "means   the receiver ...": Label and Text, below the closing line or the item above it
	Pass                        // ✓ an item of a list: Cells are its word, its subject and its detail; Aside alone is dim text
	Warn                        // !
	Fail                        // ✗
	Untested                    // ?
	Deferred                    // ~
	Info                        // ·
	ClosingOK                   // ✓ the line that closes a run: Label is the word, Aside "exit 0"; an empty line precedes it
	ClosingPartly               // !
	ClosingDeferred             // ~
	ClosingFailed               // ✗
	ClosingUnknown              // ?
)

// Closing reports whether m closes a run.
func (m Mark) Closing() bool { return m >= ClosingOK }

// Group says where a sent line stands in a write of several lines.
type Group uint8

// The places in a group: a lone line has no bracket.
const (
	Alone  Group = iota
	First        // ┌
	Middle       // │
	Last         // └
)

// Line is one line for people. A sink pads, wraps, colours and escapes it.
type Line struct {
	Mark   Mark
	Secure bool          // sent or received under TLS
	Group  Group         // of a Sent or Data line
	Label  string        // the word or code that the line begins with
	Text   string        // what it says
	Aside  string        // dim, at its own column: what a reply answers, a decoded prompt
	Cells  []string      // of a Row, a RowHead or an item; those of one event are aligned together
	Spare  []int         // of a RowHead: the columns to leave out, in this order, on a narrow terminal
	Below  int           // of a RowHead: the first column that goes below its row instead, behind its heading; 0 for none
	Raw    string        // the line's bytes on the wire with their line end, for --raw; "" has none
	Took   time.Duration // shown at the right edge; 0 shows none
}

// Record is an event as it reaches a sink.
type Record struct {
	At     time.Time
	Target string // which of several targets it concerns; "" when there is one
	Event  Event
}

// Sink renders records in the order in which they happened.
type Sink interface {
	Write(Record)
	// Close writes what is still held back and returns the first error that
	// writing met: the caller exits with status 74 then.
	Close() error
}

// Stream hands events to a sink. A nil *Stream is silent. It is safe for
// concurrent use.
type Stream struct {
	target string
	out    *output
}

type output struct {
	mu   sync.Mutex
	sink Sink
	now  func() time.Time
}

// NewStream gives a stream into sink; now gives the time of each record. The
// stream is silent if sink is nil or that of the format "none".
func NewStream(sink Sink, now func() time.Time) *Stream {
	if _, silent := sink.(none); silent || sink == nil {
		return nil
	}
	return &Stream{out: &output{sink: sink, now: now}}
}

// For is the stream whose records are tagged with target.
func (s *Stream) For(target string) *Stream {
	if s == nil {
		return nil
	}
	return &Stream{target: target, out: s.out}
}

// Live reports whether anything is shown. A caller asks before it builds an
// event, so that silence costs nothing.
func (s *Stream) Live() bool { return s != nil }

// Emit shows e.
func (s *Stream) Emit(e Event) {
	if s == nil {
		return
	}
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.sink.Write(Record{At: s.out.now(), Target: s.target, Event: e})
}
