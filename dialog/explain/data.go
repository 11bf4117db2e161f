package explain

import (
	_ "embed"
	"encoding/csv"
	"strings"
)

// The data. One row a line, so that a row is found without parsing the others.
var (
	//go:embed codes.csv
	codesCSV string
	//go:embed enhanced.csv
	enhancedCSV string
	//go:embed rules.csv
	rulesCSV string
)

// row is one row of codes.csv or enhanced.csv, or the second half of one of rules.csv.
type row struct {
	key    string // "550", "55z", "5yz"; "5.1.1", "X.1.1"; a rule's words
	phase  string // when it applies; "" always
	means  string
	likely string
	next   string
	reason string
	source string
}

func (r row) explanation() Explanation {
	return Explanation{Brief: r.means, Likely: r.likely, Next: r.next, Reason: r.reason, Source: r.source}
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
			if !strings.HasPrefix(line, key+",") {
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
	f, ok := fields(line, 7)
	if !ok {
		return row{}, false
	}
	return row{f[0], f[1], f[2], f[3], f[4], f[5], f[6]}, true
}

func fields(line string, n int) ([]string, bool) {
	r := csv.NewReader(strings.NewReader(line))
	r.FieldsPerRecord = n
	f, err := r.Read()
	return f, err == nil
}
