package mime

import (
	"cmp"
	"fmt"
	"slices"
)

// Level is how bad a Finding is.
type Level string

// The levels of a Finding.
const (
	Info Level = "info" // worth knowing
	Warn Level = "warn" // some readers or servers will object
	Fail Level = "fail" // against a standard, or harmful
)

// Finding is something about a message, a signature or a key that somebody should
// know, told once for each kind and part.
type Finding struct {
	ID    string `json:"id"` // in words for a script: long-line
	Level Level  `json:"level"`
	Text  string `json:"text"`            // one line; foreign text in it is quoted
	Ref   string `json:"ref,omitempty"`   // "RFC 5322 section 3.6"
	Place *Place `json:"place,omitempty"` // where it is first seen; nil: nowhere in particular
	Count int64  `json:"count,omitempty"` // how often, where it has a place
}

// Place is a place in a message as it was given.
type Place struct {
	Offset int64  `json:"offset"`         // octets before it
	Line   int64  `json:"line"`           // from 1
	Part   string `json:"part,omitempty"` // Part.ID; "" is the header, or between parts
}

// findings collects what is found in a message, and stays small however much
// that is.
type findings struct {
	all  []Finding
	at   map[findingKey]int
	more int64 // not kept
}

type findingKey struct{ id, part string }

const findingsMost = 1000

// add notes n findings of a kind, of which the first is at p.
func (f *findings) add(level Level, id, ref string, p Place, n int64, format string, args ...any) {
	key := findingKey{id, p.Part}
	if i, ok := f.at[key]; ok {
		f.all[i].Count += n
		return
	}
	if len(f.all) == findingsMost {
		f.more += n
		return
	}
	if f.at == nil {
		f.at = map[findingKey]int{}
	}
	f.at[key] = len(f.all)
	f.all = append(f.all, Finding{id, level, fmt.Sprintf(format, args...), ref, &p, n})
}

// sorted gives the findings by their places.
func (f *findings) sorted() []Finding {
	if f.more > 0 {
		f.all = append(f.all, Finding{ID: "more", Level: Info, Text: fmt.Sprintf("%d more findings are not listed", f.more), Count: f.more})
	}
	slices.SortStableFunc(f.all, func(a, b Finding) int {
		switch {
		case a.Place == nil || b.Place == nil:
			return 0
		case a.Place.Offset != b.Place.Offset:
			return cmp.Compare(a.Place.Offset, b.Place.Offset)
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return f.all
}
