package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// unstuffLax is unstuff of a server that takes CR and LF for a line end by themselves,
// too: "\n.\n" and the like end the message. It keeps lines as they should have been.
func unstuffLax(w io.Writer, r *bufio.Reader) error {
	var line []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return err
		}
		switch {
		case c == '\r':
			if next, err := r.Peek(1); err == nil && next[0] == '\n' {
				_, _ = r.Discard(1)
			}
		case c == '\n':
		case len(line) < maxLine:
			line = append(line, c)
			continue
		default: // the rest of a longer line is dropped
			continue
		}
		if string(line) == "." {
			return nil
		}
		if _, err := fmt.Fprintf(w, "%s\r\n", bytes.TrimPrefix(line, []byte("."))); err != nil {
			return err
		}
		line = line[:0]
	}
}
