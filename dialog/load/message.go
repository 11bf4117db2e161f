package load

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog"
)

// Message is a message that is ready for the wire. It is in memory, once for all
// sessions.
type Message struct {
	Weight int // how often it is sent, beside others; 0 counts as 1
	needs  []string
	text   []byte // as it is, for BDAT
	dotted []byte // stuffed and ended, for DATA
}

// NewMessage reads a content into memory.
func NewMessage(content dialog.Content) (*Message, error) {
	in, err := content.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	m := &Message{text: make([]byte, 0, content.Size()+1), needs: content.Needs()}
	buffer := bytes.NewBuffer(m.text)
	if _, err := io.Copy(buffer, in); err != nil {
		return nil, err
	}
	m.text = buffer.Bytes()
	m.dotted = stuff(m.text)
	return m, nil
}

// MadeUp is a plain message of size bytes, headers included, or the shortest there
// is.
func MadeUp(from string, to []string, size int) *Message {
	head := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: load\r\n\r\n", from, to[0])
	const line = 78
	var b strings.Builder
	b.Grow(max(size, len(head)))
	b.WriteString(head)
	for n := size - len(head); n > 0; {
		width := min(n, line+2)
		if n-width == 1 {
			width-- // a line end has two bytes
		}
		b.WriteString(strings.Repeat("x", max(0, width-2)) + "\r\n"[:min(width, 2)])
		n -= width
	}
	text := []byte(b.String())
	if text[len(text)-1] == '\r' { // one byte is no line
		text = text[:len(text)-1]
	}
	return &Message{text: text, dotted: stuff(text)}
}

// Size is the message's bytes, as SIZE counts them.
func (m *Message) Size() int { return len(m.text) }

// stuff is text behind DATA: with dots doubled where a line begins with one, and a
// line of one dot behind it (RFC 5321 section 4.5.2).
func stuff(text []byte) []byte {
	out := make([]byte, 0, len(text)+5)
	for line := range bytes.Lines(text) {
		if line[0] == '.' {
			out = append(out, '.')
		}
		out = append(out, line...)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		out = append(out, "\r\n"...)
	}
	return append(out, ".\r\n"...)
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
