package explain

import (
	_ "embed"
	"strings"
)

// The data. One row a line, so that a row is found without parsing the others.
var (
	//go:embed codes.csv
	codesCSV string
	//go:embed enhanced.csv
	enhancedCSV string
)

// row is one row of codes.csv or enhanced.csv, or what a rule answers.
type row struct {
	key    string // "550", "55z", "5yz"; "5.1.1", "X.1.1"
	phase  string // when it applies; "" always
	title  string // what its specification calls it; only in the row without phase
	means  string
	likely string
	next   string
	reason string
	source string
}

func (r row) explanation(layer string) Explanation {
	return Explanation{
		Brief: r.means, Likely: r.likely, Next: r.next, Reason: r.reason,
		Source: r.source, Fault: fault(r.reason), Layer: layer,
	}
}

// lookup gives the row of the first key that the data has, that of the phase
// before the one of no phase.
func lookup(data, phase string, keys ...string) (row, bool) {
	for _, key := range keys {
		if key == "" {
			continue
		}
		var general row
		found := false
		for line := range strings.Lines(data) {
			if !strings.HasPrefix(line, key) || !strings.HasPrefix(line[len(key):], ",") {
				continue
			}
			r, ok := parseRow(line)
			switch {
			case ok && r.phase == "":
				general, found = r, true
			case ok && r.phase == phase:
				return r, true
			}
		}
		if found {
			return general, true
		}
	}
	return row{}, false
}

// parseRow reads one line of codes.csv or enhanced.csv.
func parseRow(line string) (row, bool) {
	var f [8]string
	if !fields(line, f[:]) {
		return row{}, false
	}
	return row{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]}, true
}

// fields takes a line of CSV apart (RFC 4180), of as many fields as f has room for
// and without a line end in any. encoding/csv would make a reader for each line.
func fields(line string, f []string) bool {
	line = strings.TrimRight(line, "\r\n")
	for i := range f {
		more := false
		if quoted, ok := strings.CutPrefix(line, `"`); ok {
			end := 0
			for { // two quotes within stand for one
				n := strings.IndexByte(quoted[end:], '"')
				if n < 0 {
					return false
				}
				if end += n; !strings.HasPrefix(quoted[end+1:], `"`) {
					break
				}
				end += 2
			}
			f[i] = strings.ReplaceAll(quoted[:end], `""`, `"`)
			if line = quoted[end+1:]; line != "" {
				if line, more = strings.CutPrefix(line, ","); !more {
					return false
				}
			}
		} else {
			f[i], line, more = strings.Cut(line, ",")
		}
		if more != (i < len(f)-1) {
			return false
		}
	}
	return true
}
