package explain

import (
	"encoding/json"
	"slices"
	"strings"
)

// json reads documents and records of ehlo, one behind the other. It answers false
// for what is not JSON.
func (f *finder) json(text string) bool {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return false
	}
	in := json.NewDecoder(strings.NewReader(text))
	at := int64(0)
	f.line = 1
	for n := 0; ; n++ {
		var value any
		if err := in.Decode(&value); err != nil {
			if n == 0 {
				f.line = 0
			}
			return n > 0 // what is behind the last whole document is cut off
		}
		f.line += strings.Count(text[at:in.InputOffset()], "\n")
		at = in.InputOffset()
		f.value(value)
	}
}

// value looks for replies in a value.
func (f *finder) value(value any) {
	if len(f.found) >= foundMost {
		return
	}
	switch v := value.(type) {
	case []any:
		for _, v := range v {
			f.value(v)
		}
	case map[string]any:
		if records, ok := v["transcript"]; ok { // the rest of the document tells the same again
			f.value(records)
			return
		}
		if f.object(v) {
			return
		}
		var names []string
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			f.value(v[name])
		}
	}
}

// object takes a reply: an object with a code and with lines or a text.
func (f *finder) object(v map[string]any) bool {
	code, _ := v["code"].(float64)
	found := Found{Code: int(code), Line: f.line}
	if found.Code < 200 || found.Code > 599 {
		return false
	}
	lines, _ := v["lines"].([]any)
	for _, line := range lines {
		if text, ok := line.(string); ok {
			found.Lines = append(found.Lines, text)
		}
	}
	if text, ok := v["text"].(string); ok && lines == nil {
		found.Lines = []string{text}
	}
	if found.Lines == nil {
		return false
	}
	if enhanced, _ := v["enhanced"].(string); isEnhanced(enhanced) {
		found.Enhanced = enhanced
	}
	answers, known := v["answers"].(string)
	switch c, ok := sentCommand(answers); {
	case ok:
		found.Phase, found.Recipient = c.phase, c.recipient
	case answers == "message":
		found.Phase = "dot"
	case known:
		found.Phase = "connect"
	}
	if address, _ := v["address"].(string); found.Recipient == "" {
		found.Recipient = mailbox(address)
	}
	f.found = append(f.found, found)
	return true
}
