package dialog

import (
	"bytes"
	"io"
)

// dotted is a message behind DATA: a dot at the beginning of a line is doubled,
// and a line of one dot ends it (RFC 5321 section 4.5.2).
type dotted struct {
	*message
	unstuffed bool // dots stay as they are
}

// WriteTo gives the message's own bytes, without the dots.
func (d *dotted) WriteTo(w io.Writer) (int64, error) {
	s := stuffer{w: w, atStart: true, off: d.unstuffed}
	n, err := d.copy(s.write)
	if err != nil {
		return n, err
	}
	return n, s.end()
}

// stuffer doubles dots over any division into blocks.
type stuffer struct {
	w       io.Writer
	atStart bool // the next byte begins a line
	cr      bool // the last byte was a CR
	off     bool // dots are not doubled
}

func (s *stuffer) write(block []byte) error {
	for len(block) > 0 {
		if s.atStart && block[0] == '.' && !s.off {
			if _, err := s.w.Write(block[:1]); err != nil {
				return err
			}
		}
		// Up to the next dot that begins a line: one write where there is none.
		end := s.lineDot(block)
		if _, err := s.w.Write(block[:end]); err != nil {
			return err
		}
		s.note(block[:end])
		block = block[end:]
	}
	return nil
}

// lineDot is the index of the first dot, but for one at 0, that begins a line.
func (s *stuffer) lineDot(block []byte) int {
	if s.cr && len(block) > 1 && block[0] == '\n' && block[1] == '.' {
		return 1
	}
	if i := bytes.Index(block, []byte("\r\n.")); i >= 0 {
		return i + 2
	}
	return len(block)
}

func (s *stuffer) note(written []byte) {
	n := len(written)
	lf := written[n-1] == '\n'
	s.atStart = lf && (n > 1 && written[n-2] == '\r' || n == 1 && s.cr)
	s.cr = written[n-1] == '\r'
}

// end writes the last line, after a line end if the message lacks its own.
func (s *stuffer) end() error {
	last := ".\r\n"
	if !s.atStart {
		last = "\r\n" + last
	}
	_, err := io.WriteString(s.w, last)
	return err
}
