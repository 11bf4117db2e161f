package dialog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Reply is a server's answer to a command (RFC 5321 section 4.2).
type Reply struct {
	Code     int           // 200 to 599, the same on every line
	Enhanced EnhancedCode  // RFC 3463, zero if there is none
	Raw      []byte        // all its bytes as they came, line ends included
	Oddities []string      // what was tolerated in it
	Took     time.Duration // since its group of commands left
	Came     time.Time     // when its end was read; zero if it came before its command's end
	asked    string        // the text of a 334, without any mask
}

// clone is a copy that shares no bytes with r.
func (r *Reply) clone() *Reply {
	c := *r
	c.Raw = bytes.Clone(r.Raw)
	return &c
}

// Positive reports whether the server agreed: 2yz.
func (r *Reply) Positive() bool { return r != nil && r.Code/100 == 2 }

// Intermediate reports whether the server wants more: 3yz.
func (r *Reply) Intermediate() bool { return r != nil && r.Code/100 == 3 }

// Temporary reports whether trying again later may help: 4yz.
func (r *Reply) Temporary() bool { return r != nil && r.Code/100 == 4 }

// Permanent reports whether the server said no for good: 5yz.
func (r *Reply) Permanent() bool { return r != nil && r.Code/100 == 5 }

// Lines are the texts of the reply's lines, without codes and line ends.
func (r *Reply) Lines() []string {
	var lines []string
	for raw := range bytes.Lines(r.Raw) {
		_, text := splitLine(string(trimEnd(raw)))
		lines = append(lines, text)
	}
	return lines
}

// Text is the whole text on one line, without codes, enhanced ones included.
func (r *Reply) Text() string {
	lines := r.Lines()
	for i, line := range lines {
		if code, rest, ok := cutEnhanced(line); ok && code == r.Enhanced {
			line = rest
		}
		lines[i] = strings.TrimSpace(line)
	}
	return strings.TrimSpace(strings.Join(lines, " "))
}

// Codes is the code with the enhanced one, if there is one: "550 5.1.1".
func (r *Reply) Codes() string {
	if r.Enhanced.IsZero() {
		return fmt.Sprint(r.Code)
	}
	return fmt.Sprintf("%d %s", r.Code, r.Enhanced.String())
}

// String is the reply on one line.
func (r *Reply) String() string { return strings.TrimSpace(r.Codes() + " " + r.Text()) }

// challenge is what a 334 asks, decoded (RFC 4954 section 4).
func (r *Reply) challenge() ([]byte, error) {
	if bytes.Count(r.Raw, []byte("\n")) > 1 {
		return nil, errors.New("the challenge has more lines than one (RFC 4954 section 4)")
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.asked))
	if err != nil {
		return nil, errors.New("the challenge is not base64 (RFC 4954 section 4)")
	}
	return text, nil
}

// MarshalJSON gives code, enhanced, lines, oddities, took_ms and, if the reply
// is not UTF-8, raw_base64.
func (r *Reply) MarshalJSON() ([]byte, error) { return json.Marshal(r.fields()) }

type replyFields struct {
	Code      int      `json:"code"`
	Enhanced  string   `json:"enhanced,omitempty"`
	Lines     []string `json:"lines"`
	RawBase64 string   `json:"raw_base64,omitempty"`
	Oddities  []string `json:"oddities,omitempty"`
	TookMS    float64  `json:"took_ms"`
}

func (r *Reply) fields() replyFields {
	f := replyFields{Code: r.Code, Lines: r.Lines(), Oddities: r.Oddities, TookMS: milliseconds(r.Took)}
	if !r.Enhanced.IsZero() {
		f.Enhanced = r.Enhanced.String()
	}
	if !utf8.Valid(r.Raw) {
		f.RawBase64 = base64.StdEncoding.EncodeToString(r.Raw)
	}
	return f
}

func milliseconds(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }

// EnhancedCode is an enhanced mail system status code (RFC 3463 section 2).
type EnhancedCode struct{ Class, Subject, Detail int }

// IsZero reports whether there is no code.
func (e EnhancedCode) IsZero() bool { return e == EnhancedCode{} }

// String is the code as it is written: "5.1.1".
func (e EnhancedCode) String() string { return fmt.Sprintf("%d.%d.%d", e.Class, e.Subject, e.Detail) }

// cutEnhanced takes an enhanced code off the front of a reply's text
// (RFC 2034 section 4): class 2, 4 or 5, at most three digits for each of the
// others (RFC 3463 section 2), followed by a space or the end.
func cutEnhanced(text string) (EnhancedCode, string, bool) {
	e, n := enhancedIn(text)
	if n == 0 {
		return EnhancedCode{}, text, false
	}
	return e, strings.TrimPrefix(text[n:], " "), true
}

// enhancedIn reads the enhanced code that a text begins with, and its length, 0 if
// it begins with none.
func enhancedIn[T string | []byte](text T) (EnhancedCode, int) {
	var parts [3]int
	at := 0
	for n := range parts {
		if n > 0 {
			if at == len(text) || text[at] != '.' {
				return EnhancedCode{}, 0
			}
			at++
		}
		from := at
		for ; at < len(text) && at-from <= 3 && '0' <= text[at] && text[at] <= '9'; at++ {
			parts[n] = parts[n]*10 + int(text[at]-'0')
		}
		if at == from || at-from > 3 || at-from > 1 && text[from] == '0' {
			return EnhancedCode{}, 0
		}
	}
	if at < len(text) && text[at] != ' ' || parts[0] != 2 && parts[0] != 4 && parts[0] != 5 {
		return EnhancedCode{}, 0
	}
	return EnhancedCode{parts[0], parts[1], parts[2]}, at
}
