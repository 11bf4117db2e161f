package dialog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Command is one command line without its line end. It cannot hold a CR, an LF
// or a NUL, so that nothing a user or a file says becomes a second command.
type Command struct {
	parts   []any  // string or transcript.Secret, joined by spaces
	shape   string // what is in the base64 of an AUTH exchange, without its secrets
	answers string // the command that a line goes on with, where it is none itself
}

// NewCommand joins verb and args, each a string or a transcript.Secret, by
// single spaces. It refuses CR, LF and NUL, naming the part.
func NewCommand(verb string, args ...any) (Command, error) {
	c := Command{parts: append([]any{verb}, args...)}
	for _, part := range c.parts {
		var text string
		switch p := part.(type) {
		case string:
			text = p
		case transcript.Secret:
			text = p.Reveal()
		default:
			return Command{}, fmt.Errorf("a command is made of strings and secrets, not of %T", part)
		}
		if i := strings.IndexAny(text, "\r\n\x00"); i >= 0 {
			return Command{}, fmt.Errorf("%s holds %s: that would begin another command", verbOf(verb), nameOf(text[i]))
		}
	}
	switch n := len(c.line()); {
	case strings.TrimSpace(verb) == "":
		return Command{}, errors.New("an empty line is no command")
	case n > maxCommand:
		return Command{}, fmt.Errorf("%s is %d bytes long: at most %d are sent", verbOf(verb), n, maxCommand)
	}
	return c, nil
}

func nameOf(b byte) string {
	return map[byte]string{'\r': "a CR", '\n': "an LF", 0: "a NUL"}[b]
}

func verbOf(line string) string {
	verb, _, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
	if i := strings.IndexAny(verb, "\r\n\x00"); i >= 0 {
		verb = verb[:i]
	}
	return strings.ToUpper(verb)
}

// Verb is the command's first word in capitals, or that of the command which a
// line of AUTH goes on with; "" for no command.
func (c Command) Verb() string {
	if len(c.parts) == 0 || c.answers != "" {
		return c.answers
	}
	verb, _ := c.parts[0].(string)
	return verbOf(verb)
}

// String is the line with its secrets hidden.
func (c Command) String() string {
	return c.join(func(s transcript.Secret) string { return s.String() })
}

// MarshalText gives String.
func (c Command) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Command) line() string { return string(c.append(nil)) }

// append adds the line to b.
func (c Command) append(b []byte) []byte {
	for i, part := range c.parts {
		if i > 0 {
			b = append(b, ' ')
		}
		switch p := part.(type) {
		case string:
			b = append(b, p...)
		case transcript.Secret:
			b = append(b, p.Reveal()...)
		}
	}
	return b
}

func (c Command) join(open func(transcript.Secret) string) string {
	words := make([]string, len(c.parts))
	for i, part := range c.parts {
		switch p := part.(type) {
		case string:
			words[i] = p
		case transcript.Secret:
			words[i] = open(p)
		}
	}
	return strings.Join(words, " ")
}

// IsZero reports whether there is no command.
func (c Command) IsZero() bool { return len(c.parts) == 0 }

// subject is what a reply to c is said to answer: "RCPT bob@example.net", "MAIL".
func (c Command) subject() string {
	verb := c.Verb()
	if verb != "RCPT" {
		return verb
	}
	line := c.String()
	if from, to := strings.IndexByte(line, '<'), strings.LastIndexByte(line, '>'); from >= 0 && to > from {
		return verb + " " + line[from+1:to]
	}
	return verb
}
