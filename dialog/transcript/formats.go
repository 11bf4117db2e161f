package transcript

import (
	"fmt"
	"io"
	"strings"
)

// Options say how a sink renders. The zero value is the text of a pipe: 100
// columns, no colour, UTF-8, no line broken.
type Options struct {
	Format  string // a name of Formats; "" is text
	Width   int    // columns of the terminal; 0 when the output is not one
	Color   bool   // see Color
	ASCII   bool   // see ASCII
	Raw     bool   // wire lines as the bytes that passed
	Quiet   bool   // findings and failures only
	Verbose bool   // notes too
	Before  func() // called before each write, to take a progress line away; nil is none
}

// Format is one row of Formats.
type Format struct {
	Name  string
	About string // one line of help
	New   func(io.Writer, Options) Sink
}

// Formats are the output formats, in the order in which help lists them.
var Formats = []Format{
	{"text", "a transcript for people", newText},
	{"json", "one document when all is done: the result, with the transcript inside", newJSON},
	{"jsonl", "one line for each event as it happens, the result last", newJSONL},
	{"none", "nothing: the exit status tells", newNone},
}

// New gives the sink that o.Format names, writing to w. It fails only for a
// name that is not in Formats.
func New(w io.Writer, o Options) (Sink, error) {
	if o.Format == "" {
		o.Format = Formats[0].Name
	}
	var names []string
	for _, f := range Formats {
		if f.Name == o.Format {
			return f.New(w, o), nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("format %q: want one of %s", o.Format, strings.Join(names, ", "))
}

// none renders nothing. A Stream into it is silent, as if it had no sink.
type none struct{}

func newNone(io.Writer, Options) Sink { return none{} }

func (none) Write(Record) {}

func (none) Close() error { return nil }
