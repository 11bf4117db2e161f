package mime

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/transform"
)

// foreignCharset finds the charset of somebody else's text by any name that IANA
// registered, and by some that are in use without; nil for UTF-8 and US-ASCII, which
// need no decoding, and for a known one that nothing here decodes.
func foreignCharset(name string) (encoding.Encoding, error) {
	low := strings.ToLower(name)
	switch low {
	case "", "us-ascii", "ascii", "utf-8", "utf8":
		return nil, nil
	case "gb2312", "gb_2312-80", "x-gbk":
		low = "gbk" // which has all of its characters
	case "ks_c_5601-1987", "x-euc-kr":
		low = "euc-kr"
	case "x-sjis":
		low = "shift_jis"
	}
	if n, ok := strings.CutPrefix(low, "cp125"); ok {
		low = "windows-125" + n
	}
	e, err := ianaindex.IANA.Encoding(low)
	if err != nil {
		return nil, fmt.Errorf("unknown charset %s", clip(name))
	}
	return e, nil
}

func charsetReader(name string, in io.Reader) (io.Reader, error) {
	e, err := foreignCharset(name)
	if err == nil && e == nil {
		switch strings.ToLower(name) {
		case "us-ascii", "ascii", "utf-8", "utf8":
			return in, nil
		}
		err = fmt.Errorf("charset %s is not decoded here", clip(name))
	}
	if err != nil {
		return nil, err
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
	case low == "utf-8" || low == "utf8":
		c.utf8 = true
	case e != nil:
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
	case c.by != nil:
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
