package policy

import (
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

func phase(text string, took time.Duration) transcript.Line {
	return transcript.Line{Mark: transcript.Phase, Label: "policy", Text: text, Took: took}
}

func finding(text string) transcript.Line {
	return transcript.Line{Mark: transcript.Finding, Text: text}
}

func note(text string) transcript.Line { return transcript.Line{Mark: transcript.Note, Text: text} }

// list is s, but never null in JSON.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
