package dialog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// open opens content, given up when ctx ends: a message that is to be signed is
// read to its end there, which may take long.
func (s *Session) open(ctx context.Context, content Content) (io.ReadCloser, error) {
	if s.Waiting != nil {
		s.Waiting(Waiting{For: "message to be read"})
	}
	type opened struct {
		source io.ReadCloser
		err    error
	}
	done := make(chan opened)
	go func() {
		source, err := content.Open()
		select {
		case done <- opened{source, err}:
		case <-ctx.Done():
			if err == nil {
				source.Close()
			}
		}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, &BodyError{o.err}
		}
		return o.source, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// message is a body on the wire: it writes what it reads, and insists on the
// size that was declared.
type message struct {
	source io.Reader
	size   int64
	show   ShowData
	seen   []byte // of the message, as far as it is to be shown

	writing func(done, total int64) // told of each block; may be nil
}

// WriteTo writes the message as it is, for BDAT.
func (m *message) WriteTo(w io.Writer) (int64, error) {
	return m.copy(func(block []byte) error {
		_, err := w.Write(block)
		return err
	})
}

func (m *message) copy(write func([]byte) error) (total int64, err error) {
	block := make([]byte, min(m.size+1, writeBuffer))
	for {
		n, err := m.source.Read(block)
		total += int64(n)
		if total > m.size {
			return total, fmt.Errorf("it is longer than the %d bytes it had", m.size)
		}
		if m.show != ShowNone && len(m.seen) < maxShownData {
			m.seen = append(m.seen, block[:n]...)
		}
		if n > 0 {
			if err := write(block[:n]); err != nil {
				return total, err
			}
			if m.writing != nil {
				m.writing(total, m.size)
			}
		}
		switch {
		case errors.Is(err, io.EOF) && total < m.size:
			return total, fmt.Errorf("it ends after %d bytes of the %d it had", total, m.size)
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, err
		}
	}
}

// shown are the lines of the message that --show-data asks for.
func (m *message) shown() []string {
	if m.show == ShowNone {
		return nil
	}
	text := string(m.seen[:min(len(m.seen), maxShownData)])
	rest := m.size - int64(len(text))
	if m.show == ShowHeaders {
		head, _, _ := strings.Cut(text, "\r\n\r\n")
		if len(head) < len(text) {
			head += "\r\n"
		}
		rest = max(0, m.size-int64(len(head))-2)
		text = head
	}
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("(body, %d bytes)", rest))
	}
	return lines
}
