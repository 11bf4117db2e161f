package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
)

// MostHeld is how many bytes of messages an offer is to keep in memory at most;
// Message.Held tells how many one of them needs.
const MostHeld = 256 << 20

// Message is a message that is ready for the wire. It is in memory, once for all
// sessions.
type Message struct {
	Weight int // how often it is sent, beside others; 0 counts as 1
	needs  []string
	text   []byte // as it is, for BDAT
	dotted []byte // stuffed and ended, for DATA; the same memory where no line is stuffed
	held   int    // bytes of both
}

// NewMessage reads a content into memory. The error says that it cannot be read, or
// that its bytes are not as many as its Size says.
func NewMessage(content dialog.Content) (*Message, error) {
	in, err := content.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	size := int(content.Size())
	text := make([]byte, size+len(ending))
	n, err := io.ReadFull(in, text[:size+1])
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	case n != size:
		return nil, fmt.Errorf("a message of %d bytes has changed", size)
	}
	return ready(text[:size], content.Needs()), nil
}

// MadeUp is a plain message of size bytes, headers included, or the shortest there
// is.
func MadeUp(from string, to []string, size int) *Message {
	head := "From: <" + from + ">\r\nTo: <" + to[0] + ">\r\nSubject: load\r\n\r\n"
	if size == len(head)+1 { // a line end has two bytes
		head = strings.TrimSuffix(head, "\r\n\r\n") + "s\r\n\r\n"
	}
	text := append(make([]byte, 0, max(size, len(head))+len(ending)), head...)
	line := strings.Repeat("x", 78)
	for n := size - len(text); n > 0; n = size - len(text) {
		width := min(n, len(line)+2)
		if n-width == 1 {
			width--
		}
		text = append(append(text, line[:width-2]...), "\r\n"...)
	}
	return ready(text, nil)
}

// Size is the message's bytes, as SIZE counts them.
func (m *Message) Size() int { return len(m.text) }

// Held is how many bytes of memory it needs.
func (m *Message) Held() int { return m.held }

// ending is the longest that stands behind a text.
const ending = "\r\n.\r\n"

// ready is the message of a text, and takes the room behind it.
func ready(text []byte, needs []string) *Message {
	m := &Message{needs: needs, text: text, dotted: stuff(text)}
	if m.held = len(m.dotted); dots(text) > 0 {
		m.held += len(text)
	} else {
		m.text = m.dotted[:len(text):len(text)]
	}
	return m
}

// stuff is text behind DATA: with dots doubled where a line begins with one, and a
// line of one dot behind it (RFC 5321 section 4.5.2). Without such a line it is text
// itself, with its end in the room behind it if there is as much.
func stuff(text []byte) []byte {
	out := text
	if n := dots(text); n > 0 {
		out = make([]byte, 0, len(text)+n+len(ending))
		for line := range bytes.Lines(text) {
			if line[0] == '.' {
				out = append(out, '.')
			}
			out = append(out, line...)
		}
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		out = append(out, "\r\n"...)
	}
	return append(out, ".\r\n"...)
}

// dots is how many lines begin with one.
func dots(text []byte) int {
	n := bytes.Count(text, []byte("\n."))
	if bytes.HasPrefix(text, []byte(".")) {
		n++
	}
	return n
}

// body is what a step writes: bytes of a message that are ready.
type body struct {
	bytes []byte
	size  int64 // as the message counts them
}

// WriteTo gives the message's own bytes, without the dots.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	_, err := w.Write(b.bytes)
	return b.size, err
}

// deck deals messages in turn, each as often as its weight says.
type deck struct {
	messages    []*Message
	total, step int64
}

func newDeck(messages []*Message) *deck {
	d := &deck{messages: messages}
	for _, m := range messages {
		d.total += int64(max(1, m.Weight))
	}
	// A step that reaches every place mixes what stands together.
	for d.step = max(1, d.total*5/8); gcd(d.step, d.total) != 1; {
		d.step++
	}
	return d
}

// deal gives the message with number n.
func (d *deck) deal(n int64) *Message {
	at := n % d.total * d.step % d.total
	for _, m := range d.messages {
		if at -= int64(max(1, m.Weight)); at < 0 {
			return m
		}
	}
	return d.messages[0]
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
