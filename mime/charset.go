package mime

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// unknown8bit is the name for octets of which nobody knows what they mean (RFC
// 1428).
const unknown8bit = "unknown-8bit"

// charset is what characters are written in, by its MIME name. The zero charset
// is UTF-8.
type charset struct {
	name string
	by   encoding.Encoding // nil for us-ascii and utf-8
}

func charsets() []charset {
	return []charset{
		{"utf-8", nil}, {"us-ascii", nil},
		{"iso-8859-1", charmap.ISO8859_1}, {"iso-8859-2", charmap.ISO8859_2}, {"iso-8859-3", charmap.ISO8859_3},
		{"iso-8859-4", charmap.ISO8859_4}, {"iso-8859-5", charmap.ISO8859_5}, {"iso-8859-6", charmap.ISO8859_6},
		{"iso-8859-7", charmap.ISO8859_7}, {"iso-8859-8", charmap.ISO8859_8}, {"iso-8859-9", charmap.ISO8859_9},
		{"iso-8859-10", charmap.ISO8859_10}, {"iso-8859-13", charmap.ISO8859_13}, {"iso-8859-14", charmap.ISO8859_14},
		{"iso-8859-15", charmap.ISO8859_15}, {"iso-8859-16", charmap.ISO8859_16},
		{"windows-1250", charmap.Windows1250}, {"windows-1251", charmap.Windows1251}, {"windows-1252", charmap.Windows1252},
		{"windows-1253", charmap.Windows1253}, {"windows-1254", charmap.Windows1254}, {"windows-1255", charmap.Windows1255},
		{"windows-1256", charmap.Windows1256}, {"windows-1257", charmap.Windows1257}, {"windows-1258", charmap.Windows1258},
		{"koi8-r", charmap.KOI8R}, {"koi8-u", charmap.KOI8U},
		{"iso-2022-jp", japanese.ISO2022JP}, {"shift_jis", japanese.ShiftJIS}, {"euc-jp", japanese.EUCJP},
		{"euc-kr", korean.EUCKR}, {"gbk", simplifiedchinese.GBK}, {"gb18030", simplifiedchinese.GB18030},
		{"big5", traditionalchinese.Big5},
	}
}

func findCharset(name string) (charset, error) {
	if name == "" {
		return charset{}, nil
	}
	var known []string
	for _, c := range charsets() {
		if strings.EqualFold(c.name, name) {
			return c, nil
		}
		known = append(known, c.name)
	}
	return charset{}, fmt.Errorf("charset %s: one of %s is wanted", clip(name), strings.Join(known, ", "))
}

// encode gives UTF-8 text in c. The error names the first character that c does
// not have, and its offset.
func (c charset) encode(s string) ([]byte, error) {
	if c.name == unknown8bit {
		return []byte(s), nil
	}
	if i := invalidUTF8(s); i >= 0 {
		return nil, fmt.Errorf("octet 0x%02x at offset %d is not UTF-8", s[i], i)
	}
	switch {
	case c.name == "us-ascii":
		for i, r := range s {
			if r >= 0x80 {
				return nil, fmt.Errorf("%q at offset %d is not in us-ascii", r, i)
			}
		}
		fallthrough
	case c.by == nil:
		return []byte(s), nil
	}
	b, err := c.by.NewEncoder().Bytes([]byte(s))
	if err == nil {
		return b, nil
	}
	for i, r := range s {
		if _, err := c.by.NewEncoder().String(string(r)); err != nil {
			return nil, fmt.Errorf("%q at offset %d is not in %s", r, i, c.name)
		}
	}
	return nil, fmt.Errorf("charset %s: %w", c.name, err)
}

// label is the charset parameter. It is utf-8 for ASCII too, so that it depends
// on what was asked for, and not on the text.
func (c charset) label() string { return cmp.Or(c.name, "utf-8") }

// forWords is what RFC 2047 words of s are written in.
func (c charset) forWords(s string) charset {
	if c.by != nil || c.name == unknown8bit {
		if _, err := c.encode(s); err == nil {
			return c
		}
	}
	return charset{name: "utf-8"}
}

// stateful reports whether c switches between sets by escape sequences, which
// are octets of 7bit data (RFC 1468).
func (c charset) stateful() bool { return strings.HasPrefix(c.name, "iso-2022-") }
