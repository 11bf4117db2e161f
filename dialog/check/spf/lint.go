package spf

import (
	"fmt"
	"strings"
)

// Remark is something in a record that is legal, and that its owner would not want.
type Remark struct {
	Offset int    // of the term, from 0
	Term   string // as it is written; "" if it is the whole record
	Text   string
	Fix    string // what to do about it; "" where nothing has to be done
	Ref    string // "RFC 7208 section 5.5"
	Minor  bool   // worth knowing, and no harm
}

// Lint looks through a record that Parse took apart. text is the record as it is
// published.
func (r *Record) Lint(text string) []Remark {
	var found []Remark
	add := func(t *Term, section string, minor bool, fix, format string, args ...any) {
		m := Remark{Text: fmt.Sprintf(format, args...), Fix: fix, Ref: "RFC 7208 section " + section, Minor: minor}
		if t != nil {
			m.Offset, m.Term = t.Offset, t.Text
		}
		found = append(found, m)
	}
	all := r.All()
	said := map[string]bool{}
	for i := range r.Terms {
		t := &r.Terms[i]
		switch {
		case t.Modifier():
			r.lintModifier(t, all, add)
		case all != nil && t.Offset > all.Offset:
			add(t, "5.1", false, "move "+t.Text+" before "+all.Text+", or remove it", "stands behind all, and is never evaluated")
		case said[t.String()]:
			add(t, "4.6.2", !t.Asks(), "remove it where it stands the second time", "comes a second time, and can match nothing more")
		case t.Name == "ptr":
			add(t, "5.5", false, "name the hosts by ip4 and ip6 instead", "ptr is slow and unreliable, and not to be used")
		}
		said[t.String()] = true
		if t.macro.uses("p") {
			add(t, "7.2", false, "do without %{p}", "%%{p} is slow and unreliable, and not to be used")
		}
	}
	if len(text) > maxPublished {
		add(nil, "3.4", false, "remove what sends no more, or move networks to a record of their own, by include", "%d octets: more than %d may not fit an answer over UDP", len(text), maxPublished)
	}
	return found
}

func (r *Record) lintModifier(t, all *Term, add func(t *Term, section string, minor bool, fix, format string, args ...any)) {
	switch t.Name {
	case "redirect":
		if all != nil {
			add(t, "6.1", false, "remove "+t.Text+", or "+all.Text, "is ignored, as there is %s", all.Text)
		} else if t.Offset != r.Terms[len(r.Terms)-1].Offset {
			add(t, "6.1", true, "move it to the end", "is evaluated last, and belongs at the end")
		}
	case "exp":
	case "all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists":
		instead := strings.Replace(t.Text, "=", ":", 1)
		add(t, "6", false, "write "+instead, "is an unknown modifier, and ignored: write %s", instead)
	default:
		add(t, "6", true, "", "is an unknown modifier, and ignored")
	}
}
