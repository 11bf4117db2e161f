package mime

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// foreignCharset finds the charset of somebody else's text by its name or an alias that
// is in use; nil for UTF-8 and US-ASCII, which need no decoding. An index of all that
// IANA registered would cost each start of the program 0.1 ms.
func foreignCharset(name string) (encoding.Encoding, error) {
	low := strings.ToLower(name)
	switch low {
	case "", "us-ascii", "ascii", "utf-8", "utf8":
		return nil, nil
	case "latin1", "l1":
		low = "iso-8859-1"
	case "gb2312", "gb_2312-80", "cp936", "x-gbk":
		low = "gbk" // which has all of their characters
	case "ks_c_5601-1987", "cp949", "windows-949", "x-euc-kr":
		low = "euc-kr"
	case "x-sjis", "windows-31j", "cp932":
		low = "shift_jis"
	case "big5-hkscs", "cp950":
		low = "big5"
	case "iso-8859-8-i":
		low = "iso-8859-8"
	case "macintosh":
		return charmap.Macintosh, nil
	case "windows-874", "tis-620", "iso-8859-11":
		return charmap.Windows874, nil
	case "utf-16":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	}
	if n, ok := strings.CutPrefix(low, "cp125"); ok {
		low = "windows-125" + n
	}
	for _, c := range charsets() {
		if c.name == low && c.by != nil {
			return c.by, nil
		}
	}
	return nil, fmt.Errorf("charset %s is not known here", clip(name))
}

func charsetReader(name string, in io.Reader) (io.Reader, error) {
	e, err := foreignCharset(name)
	if e == nil {
		return in, err
	}
	return transform.NewReader(in, e.NewDecoder()), nil
}

// charsetCheck takes text and says how often it is not what its charset says.
type charsetCheck struct {
	ascii  bool
	utf8   bool
	by     *transform.Writer
	left   []byte // of a character that is not all there
	at     int64  // octets taken
	wrong  int64
	wrongs int64 // the offset of the first one in the decoded content
}

func newCharsetCheck(name string) (*charsetCheck, error) {
	e, err := foreignCharset(name)
	if err != nil {
		return nil, err
	}
	c := &charsetCheck{}
	switch low := strings.ToLower(name); {
	case low == "" || low == "us-ascii" || low == "ascii":
		c.ascii = true
	case e == nil:
		c.utf8 = true
	default:
		c.by = transform.NewWriter(writerFunc(c.decoded), e.NewDecoder())
	}
	return c, nil
}

func (c *charsetCheck) bad(at int64) {
	if c.wrong++; c.wrong == 1 {
		c.wrongs = at
	}
}

// decoded counts what a decoder puts in the place of what it cannot read.
func (c *charsetCheck) decoded(p []byte) (int, error) {
	if n := bytes.Count(p, []byte(string(utf8.RuneError))); n > 0 {
		c.bad(c.at)
		c.wrong += int64(n - 1)
	}
	return len(p), nil
}

func (c *charsetCheck) write(p []byte) {
	switch {
	case c.ascii:
		if !ascii(p) {
			for i, b := range p {
				if b >= 0x80 {
					c.bad(c.at + int64(i))
				}
			}
		}
	case c.utf8:
		c.valid(p)
	default:
		c.by.Write(p)
	}
	c.at += int64(len(p))
}

func (c *charsetCheck) valid(p []byte) {
	if len(c.left) == 0 && ascii(p) {
		return
	}
	start := c.at - int64(len(c.left))
	if len(c.left) > 0 {
		p = append(c.left, p...)
	}
	i := 0
	for i < len(p) && utf8.FullRune(p[i:]) {
		r, n := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && n == 1 {
			c.bad(start + int64(i))
		}
		i += n
	}
	c.left = append([]byte(nil), p[i:]...)
}

func (c *charsetCheck) close() {
	if len(c.left) > 0 {
		c.bad(c.at - int64(len(c.left)))
	}
	if c.by != nil {
		c.by.Close()
	}
}
