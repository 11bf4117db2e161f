package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// shown is the document of message show.
type shown struct {
	Schema string `json:"schema"` // "ehlo.message-show/1"
	OK     bool   `json:"ok"`
	verdict
	*mime.Structure
	Extracted []mime.Extracted `json:"extracted,omitempty"`
	TookMS    float64          `json:"took_ms"`
	took      time.Duration
	quiet     bool // what is wrong, and no more
}

// Kind is that of a result.
func (shown) Kind() string { return transcript.ResultKind }

// Lines is the header, a row for each part, what is odd about either below it, the
// files that were made, and the closing block.
func (s shown) Lines() []transcript.Line {
	if s.quiet {
		return append(findingLines(worse(s.Findings)), s.closing(s.took, nil)...)
	}
	rest := slices.Clone(s.Findings)
	// take gives the findings that belong to a line, once.
	take := func(belongs func(mime.Finding) bool) []transcript.Line {
		var found []mime.Finding
		rest = slices.DeleteFunc(rest, func(f mime.Finding) bool {
			if !belongs(f) {
				return false
			}
			found = append(found, f)
			return true
		})
		return findingLines(found)
	}
	absent := take(func(f mime.Finding) bool {
		return f.Place != nil && f.Place.Offset == 0 && strings.HasPrefix(f.ID, "no-")
	})
	var lines []transcript.Line
	for i, field := range s.Header {
		end := s.Root.Body
		if i+1 < len(s.Header) {
			end = s.Header[i+1].Offset
		}
		lines = append(lines, transcript.Line{Mark: transcript.Labelled, Label: field.Name, Text: field.Value})
		lines = append(lines, take(func(f mime.Finding) bool {
			return f.Place != nil && f.Place.Part == "" && f.Place.Offset >= field.Offset && f.Place.Offset < end
		})...)
	}
	lines = append(append(lines, absent...), transcript.Line{Mark: transcript.Blank})
	lines = append(lines, s.table(take)...)
	lines = append(lines, findingLines(rest)...)
	if len(s.Extracted) > 0 {
		lines = append(lines, transcript.Line{Mark: transcript.Blank})
	}
	for _, x := range s.Extracted {
		lines = append(lines, transcript.Line{Mark: transcript.Info, Cells: []string{"extracted", x.File, fmt.Sprintf("part %s, %s, %s", x.Part, x.Type, transcript.Count(int(x.Size), "octet"))}})
	}
	return append(lines, s.closing(s.took, nil)...)
}

// table has a row for each part, in order, with what take finds about it.
func (s shown) table(take func(func(mime.Finding) bool) []transcript.Line) []transcript.Line {
	var all []*mime.Part
	within := map[*mime.Part]string{} // of a message within: what its header is called
	var walk func(p *mime.Part)
	walk = func(p *mime.Part) {
		all = append(all, p)
		for _, c := range p.Parts {
			if strings.HasPrefix(p.Type, "message/") {
				within[c] = p.ID + ".HEADER"
			}
			walk(c)
		}
	}
	walk(s.Root)
	lines := []transcript.Line{{
		Mark: transcript.RowHead, Cells: []string{"PART", "TYPE", "ENCODING", "OCTETS", "DECODED", "NAME"}, Spare: []int{4, 2},
	}}
	for _, p := range all {
		kind := p.Type
		if p.Charset != "" {
			kind += "; " + p.Charset
		}
		lines = append(lines, transcript.Line{Mark: transcript.Row, Cells: []string{
			orNone(p.ID), kind, p.Encoding, strconv.FormatInt(p.Size, 10), strconv.FormatInt(p.Decoded, 10), orNone(p.Name)}})
		header := within[p]
		lines = append(lines, take(func(f mime.Finding) bool {
			if f.Place == nil {
				return false
			}
			return f.Place.Part != "" && (f.Place.Part == p.ID || f.Place.Part == header)
		})...)
	}
	return lines
}

func orNone(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// showMessage lists what a message consists of, and takes parts out of it.
func showMessage(ctx context.Context, r *run, src mime.Source) (exit, error) {
	began := time.Now()
	ctx, cancel := r.limited(ctx)
	defer cancel()
	dir := r.String("extract")
	if r.Set("part") && dir == "" {
		return exit{}, &usageError{msg: "--part needs --extract DIR", next: r.next}
	}
	reading, err := r.load(ctx, src)
	if err != nil {
		return exit{}, err
	}
	defer reading.Close()
	structure, err := patiently(ctx, reading.Show)
	if err != nil {
		return exit{}, r.unfit(err)
	}
	s := shown{Schema: "ehlo.message-show/1", Structure: structure, quiet: r.Bool("quiet")}
	if dir != "" {
		if s.Extracted, err = reading.Extract(dir, r.Strings("part")...); err != nil {
			return exit{}, r.unfit(fmt.Errorf("--extract: %w", plainFileError(err)))
		}
	}
	s.verdict = judgeFindings(structure)
	s.took = time.Since(began)
	s.OK, s.TookMS = s.Status == StatusDone, transcript.Millis(s.took)
	return exit{Status: s.Status}, r.conclude(s)
}

// judgeFindings is failed where a finding is a fault; a warning is none.
func judgeFindings(s *mime.Structure) verdict {
	counts := map[mime.Level]int{}
	for _, f := range s.Findings {
		counts[f.Level]++
	}
	v := verdict{Status: StatusDone, Outcome: "done", Sentence: fmt.Sprintf("%s, %s", transcript.Count(len(s.Leaves()), "part"), transcript.Count(int(s.Size), "octet"))}
	if n := counts[mime.Fail]; n > 0 {
		v = verdict{Status: StatusRefused, Outcome: "failed", Sentence: transcript.Count(n, "fault")}
	}
	if n := counts[mime.Warn]; n > 0 {
		v.Sentence += " · " + transcript.Count(n, "warning")
	}
	return v
}

// worse are the findings that are more than worth knowing.
func worse(found []mime.Finding) []mime.Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f mime.Finding) bool { return f.Level == mime.Info })
}

// findingLines are the findings on a message or a signature.
func findingLines(found []mime.Finding) []transcript.Line {
	var lines []transcript.Line
	for _, f := range found {
		mark := transcript.Finding
		switch f.Level {
		case mime.Fail:
			mark = transcript.Failure
		case mime.Info:
			mark = transcript.Note
		}
		text := f.Text
		if f.Place != nil {
			text += fmt.Sprintf(" · line %d, offset %d", f.Place.Line, f.Place.Offset)
			if f.Count > 1 {
				text += fmt.Sprintf(", %d times", f.Count)
			}
		}
		if f.Ref != "" {
			text += " · " + f.Ref
		}
		lines = append(lines, transcript.Line{Mark: mark, Text: text})
	}
	return lines
}
