package transcript

import (
	"strings"

	"github.com/fatih/color"
)

// role is why a piece of text looks as it does. There are no more than these:
// none of them is lost on a light or a dark terminal.
type role uint8

const (
	plain   role = iota
	strong       // names, verdict words
	dim          // what one may skip
	good         // 2yz, pass
	cont         // 3yz
	soft         // 4yz, warn, deferred, partly, unknown: marks only, as yellow words are unreadable on white
	bad          // 5yz, fail
	escaped      // a foreign byte
	roles
)

// brush switches a role on and off.
type brush struct{ on, off string }

// palette asks fatih/color once for each role, so that painting is copying and
// its global state, which looks at stdout only, has no say.
func palette(coloured bool) (p [roles]brush) {
	if !coloured {
		return p
	}
	for r, attributes := range [roles][]color.Attribute{
		strong:  {color.Bold},
		dim:     {color.Faint},
		good:    {color.FgGreen},
		cont:    {color.FgCyan},
		soft:    {color.FgYellow},
		bad:     {color.Bold, color.FgRed},
		escaped: {color.ReverseVideo},
	} {
		if attributes == nil {
			continue
		}
		c := color.New(attributes...)
		c.EnableColor()
		var on, off strings.Builder
		c.SetWriter(&on)
		c.UnsetWriter(&off)
		p[r] = brush{on.String(), off.String()}
	}
	return p
}

// styled is escaped text and how it looks. It is kept and reset, so that a
// line allocates nothing once the first ones have been laid out.
type styled struct {
	text []byte
	runs []run
}

// run says that the text up to end, from the end of the run before, has a role.
type run struct {
	end  int
	role role
}

func (s *styled) reset() { s.text, s.runs = s.text[:0], s.runs[:0] }

// add appends foreign text, escaped, in a role.
func (s *styled) add(text string, r role, ascii bool) {
	for text != "" {
		plain, foreign, rest := cut(text, ascii)
		if plain != "" {
			s.text = append(s.text, plain...)
			s.mark(r)
		}
		if foreign != "" {
			s.text = appendEscaped(s.text, foreign)
			s.mark(escaped)
		}
		text = rest
	}
}

func (s *styled) mark(r role) {
	if n := len(s.runs); n > 0 && s.runs[n-1].role == r {
		s.runs[n-1].end = len(s.text)
		return
	}
	s.runs = append(s.runs, run{len(s.text), r})
}
