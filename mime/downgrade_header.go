package mime

import (
	"bytes"
	"fmt"
	stdmime "mime"
	"slices"
	"strings"
	"unicode/utf8"
)

// entityHeader is the header of an entity that is re-encoded.
type entityHeader struct {
	message bool // a message's header, not only a part's
	digest  bool // of a part of a multipart/digest (RFC 2046 section 5.1.5)

	fields [][]byte // as they came, with their folds, without the last CR LF
	length int

	media, boundary, charset, encoding string
	typed, versioned                   bool // there is a Content-Type, a MIME-Version
}

func (h *entityHeader) add(line []byte) error {
	if h.length += len(line); h.length > headerMost {
		return fmt.Errorf("a header over %d KiB", headerMost>>10)
	}
	if n := len(h.fields); n > 0 && blank(line[0]) {
		h.fields[n-1] = append(append(h.fields[n-1], "\r\n"...), line...)
		return nil
	}
	h.fields = append(h.fields, bytes.Clone(line))
	return nil
}

// split gives the name and the unfolded value of a field.
func split(field []byte) (name, value string) {
	n, v, _ := strings.Cut(string(field), ":")
	return strings.TrimRight(n, " \t"), strings.Trim(strings.ReplaceAll(v, "\r\n", ""), " \t")
}

// judge finds out what the header says of its entity.
func (h *entityHeader) judge() {
	h.media = "text/plain" // RFC 2045 section 5.2
	if h.digest {
		h.media = "message/rfc822"
	}
	for _, f := range h.fields {
		name, value := split(f)
		switch strings.ToLower(name) {
		case "content-type":
			h.typed = true
			media, params, err := stdmime.ParseMediaType(value)
			if err != nil { // it may be anything
				media = "application/octet-stream"
			}
			h.media, h.boundary, h.charset = media, params["boundary"], strings.ToLower(params["charset"])
		case "content-transfer-encoding":
			h.encoding = strings.ToLower(value)
		case "mime-version":
			h.versioned = true
		}
	}
}

// identity reports whether the content is not encoded (RFC 2045 section 6.2).
func (h *entityHeader) identity() bool {
	return h.encoding == "" || h.encoding == "7bit" || h.encoding == "8bit" || h.encoding == "binary"
}

// container reports whether the content is parts between boundaries.
func (h *entityHeader) container() bool {
	return h.identity() && strings.HasPrefix(h.media, "multipart/") && h.boundary != ""
}

// write gives the fields in ASCII. The encoding is that of the content from now
// on: AutoEncoding says that it stays, SevenBit that it is none.
func (h *entityHeader) write(encoding Encoding, what octets) ([]byte, error) {
	var out []byte
	for _, f := range h.fields {
		name, value := split(f)
		if encoding != AutoEncoding && strings.EqualFold(name, "Content-Transfer-Encoding") {
			continue
		}
		if ascii(f) {
			out = append(append(out, f...), "\r\n"...)
			continue
		}
		field, err := asciiField(name, value)
		if err != nil {
			return nil, err
		}
		out = append(out, field...)
	}
	if encoding <= SevenBit {
		return out, nil
	}
	if h.message && !h.versioned {
		out = append(out, "MIME-Version: 1.0\r\n"...)
	}
	if !h.typed {
		charset := "utf-8"
		if what&notUTF8 != 0 {
			charset = unknown8bit
		}
		out = append(out, "Content-Type: text/plain; charset="+charset+"\r\n"...)
	}
	return append(out, "Content-Transfer-Encoding: "+encoding.String()+"\r\n"...), nil
}

// asciiField writes a field whose value is not ASCII so that it is.
func asciiField(name, value string) ([]byte, error) {
	c := charset{}
	switch {
	case !fieldName(name):
		return nil, fmt.Errorf("header field %s has no name in ASCII", clip(name))
	case !utf8.ValidString(value):
		c = charset{name: unknown8bit}
	}
	if rest, ok := strings.CutPrefix(strings.ToLower(name), "content-"); ok && (rest == "type" || rest == "disposition") {
		media, params, err := stdmime.ParseMediaType(value)
		if err != nil {
			media, params, err = stdmime.ParseMediaType(quoted(value))
		}
		if err != nil || !utf8.ValidString(value) {
			return nil, fmt.Errorf("header %s: its parameters cannot be read: %s", name, clip(value))
		}
		value = media
		for _, p := range sortedKeys(params) {
			value += param(p, params[p])
		}
		return appendField(nil, name, value)
	}
	if c.name == unknown8bit {
		return appendField(nil, name, c.text(value, lineGood-4-len(name), false))
	}
	h, err := Header{name, value}.fit(c)
	if err != nil {
		return nil, err
	}
	if !ascii(h.Value) {
		return nil, fmt.Errorf("header %s: an address in it needs SMTPUTF8", name)
	}
	return appendField(nil, name, h.Value)
}

// quoted puts the quotes around parameters that need them and have none, as in
// filename=é.txt. A value with quotes in it stays as it is.
func quoted(value string) string {
	if strings.ContainsAny(value, `"\\`) {
		return value
	}
	all := strings.Split(value, ";")
	for i, p := range all {
		if name, v, ok := strings.Cut(p, "="); ok && i > 0 && !ascii(v) && !strings.Contains(name, "*") {
			all[i] = name + `="` + strings.Trim(v, " \t") + `"`
		}
	}
	return strings.Join(all, ";")
}

func sortedKeys(params map[string]string) []string {
	var all []string
	for k := range params {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
