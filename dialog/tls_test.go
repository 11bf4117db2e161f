package dialog

import (
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// shown is what a person reads of an event, with -v.
func shown(e transcript.Event) string {
	marks := map[transcript.Mark]string{transcript.Phase: "●", transcript.Finding: "!", transcript.Failure: "✗", transcript.Good: "✓", transcript.Note: "·"}
	var text strings.Builder
	for _, line := range e.Lines() {
		text.WriteString(marks[line.Mark] + " " + line.Text + "\n")
	}
	return text.String()
}
