package policy

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// clip is foreign text as far as one line has room for it.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s (and %s more)", s[:end], transcript.Count(len(s)-end, "byte"))
}

// quote is foreign text within a sentence. The sink escapes it.
func quote(s string) string { return "'" + clip(s) + "'" }

// listing names the first few of what may be many.
func listing(items []string) string {
	more := ""
	if len(items) > maxShown {
		items, more = items[:maxShown], fmt.Sprintf(" and %d more", len(items)-maxShown)
	}
	clipped := make([]string, len(items))
	for i, item := range items {
		clipped[i] = clip(item)
	}
	return strings.Join(clipped, ", ") + more
}

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
