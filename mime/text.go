package mime

import (
	"bytes"
	"fmt"
	stdmime "mime"
	"strings"
)

// leaf makes a part of a body, in c.
func (t Body) leaf(c charset, forced Encoding) (*entity, error) {
	media, params, err := stdmime.ParseMediaType(t.Type)
	if err != nil || !strings.HasPrefix(media, "text/") {
		return nil, fmt.Errorf("type %s of a body: text/... is wanted", clip(t.Type))
	}
	content, err := c.encode(t.Text)
	if err != nil {
		return nil, fmt.Errorf("%s body: %w", media, err)
	}
	if params["charset"] == "" {
		params["charset"] = c.label()
	}
	kind := stdmime.FormatMediaType(media, params)
	if kind == "" {
		return nil, fmt.Errorf("type %s of a body: no header can hold it", clip(t.Type))
	}
	return textLeaf(kind, lines(content), forced, c.stateful())
}

// textLeaf makes a part of text in CR LF lines. escapes says that ESC is as
// good as a printable character in it.
func textLeaf(kind string, content []byte, forced Encoding, escapes bool) (*entity, error) {
	plain := bytesStretch(content)
	seven, eight := fits(content, escapes)
	media, _, _ := strings.Cut(kind, ";")
	switch {
	case forced == SevenBit && !seven:
		return nil, fmt.Errorf("%s body: it cannot go as 7bit: it is not ASCII, has control characters or a line over 998 octets", media)
	case forced == EightBit && !eight:
		return nil, fmt.Errorf("%s body: it cannot go as 8bit: it has a NUL or a line over 998 octets", media)
	}
	var quoted stretch
	if forced == QuotedPrintable || !seven {
		var err error
		if quoted, err = quotedStretch(plain, true); err != nil {
			return nil, err
		}
	}
	coded := func(e Encoding) (Encoding, stretch, error) {
		switch e {
		case QuotedPrintable:
			return e, quoted, nil
		case Base64:
			return e, base64Stretch(plain), nil
		}
		return e, plain, nil
	}
	return &entity{fields: []Header{{"Content-Type", kind}}, in: func(c carriage) (Encoding, stretch, error) {
		switch {
		case forced.carriage() > c:
			return 0, stretch{}, errCarriage
		case forced != AutoEncoding:
			return coded(forced)
		case seven:
			return coded(SevenBit)
		case eight && c >= carries8bit:
			return coded(EightBit)
		case c >= carriesBinary:
			return coded(Binary)
		case quoted.size <= base64Len(plain.size)*3/2: // a person can read it
			return coded(QuotedPrintable)
		}
		return coded(Base64)
	}}, nil
}

// fits reports whether CR LF text can go as 7bit (printable ASCII in lines of at
// most 998 octets) and as 8bit (anything but NUL in such lines).
func fits(s []byte, escapes bool) (seven, eight bool) {
	seven, eight = true, true
	for line := range bytes.SplitSeq(s, []byte("\r\n")) {
		if len(line) > lineMost || bytes.IndexByte(line, 0) >= 0 {
			return false, false
		}
		for _, c := range line {
			if (c < ' ' || c > '~') && c != '\t' && !(escapes && c == 0x1b) {
				seven = false
				break
			}
		}
	}
	return seven, eight
}

// lines gives text with CR LF for every CR LF, CR and LF, and at its end.
func lines(s []byte) []byte {
	if len(s) == 0 {
		return nil
	}
	out := make([]byte, 0, len(s)+len(s)/32+2)
	for i, c := range s {
		switch {
		case c == '\r':
			out = append(out, '\r', '\n')
		case c != '\n':
			out = append(out, c)
		case i == 0 || s[i-1] != '\r':
			out = append(out, '\r', '\n')
		}
	}
	if c := s[len(s)-1]; c != '\r' && c != '\n' {
		out = append(out, '\r', '\n')
	}
	return out
}

// invalidUTF8 is the offset of the first octet that is not UTF-8, else -1.
func invalidUTF8(s string) int {
	for i, r := range s {
		if r == '\uFFFD' && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}
