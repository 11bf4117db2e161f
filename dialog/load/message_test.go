package load

import (
	"bytes"
	"io"
	"net/textproto"
	"strings"
	"testing"

	"bufio"
)

func TestMadeUp(t *testing.T) {
	shortest := MadeUp("a@c.test", []string{"b@d.test"}, 1).Size()
	for size := shortest; size < shortest+400; size++ {
		m := MadeUp("a@c.test", []string{"b@d.test"}, size)
		if n := m.Size(); n != size || m.Held() > size+len(ending) {
			t.Fatalf("%d bytes, want %d; %d are held", n, size, m.Held())
		}
		text := string(m.text)
		if !strings.HasSuffix(text, "\r\n") || strings.Count(text, "\r") != strings.Count(text, "\n") {
			t.Fatalf("%d bytes: %q", size, text)
		}
	}
}

// content is a text as a message, which says that it has size bytes.
type content struct {
	text string
	size int64
}

func (c content) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.text)), nil }
func (c content) Size() int64                  { return c.size }
func (c content) Needs() []string              { return []string{"8BITMIME"} }

// TestHeld has a text in memory once, unless it differs on the wire.
func TestHeld(t *testing.T) {
	for _, test := range []struct {
		text, dotted string
		held         int
	}{
		{"", ".\r\n", 3},
		{"a\r\n", "a\r\n.\r\n", 6},
		{"a", "a\r\n.\r\n", 6},
		{"a\r\n.b\r\n", "a\r\n..b\r\n.\r\n", 7 + 11},
		{".", "..\r\n.\r\n", 1 + 7},
	} {
		m, err := NewMessage(content{test.text, int64(len(test.text))})
		if err != nil || string(m.text) != test.text || string(m.dotted) != test.dotted || m.Held() != test.held {
			t.Errorf("%q: %q and %q, %d bytes held, %v", test.text, m.text, m.dotted, m.Held(), err)
		}
	}
	for _, size := range []int64{0, 2, 4, 100} {
		if m, err := NewMessage(content{"abc", size}); err == nil {
			t.Errorf("3 bytes that were to be %d are read as %q", size, m.text)
		}
	}
}

// FuzzStuff has a reader of DATA find what was stuffed, up to the line end that it
// needs.
func FuzzStuff(f *testing.F) {
	for _, text := range []string{"", ".", ".\r\n", "..\r\n.\r\nx", "a\r\n.b\r\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(strings.NewReplacer("\r", "", "\n", "\r\n").Replace(text), "\x00", "")
		wire := stuff([]byte(text))
		if !bytes.HasSuffix(wire, []byte(".\r\n")) {
			t.Fatalf("%q ends in %q", text, wire)
		}
		got, err := io.ReadAll(textproto.NewReader(bufio.NewReader(bytes.NewReader(wire))).DotReader())
		if want := strings.ReplaceAll(text, "\r\n", "\n"); err != nil || strings.TrimSuffix(string(got), "\n") != strings.TrimSuffix(want, "\n") {
			t.Fatalf("%q is read as %q, %v", text, got, err)
		}
	})
}

// TestDeck deals every message as often as its weight says, whatever the weights.
func TestDeck(t *testing.T) {
	for _, weights := range [][]int{{1}, {1, 1}, {90, 9, 1}, {5, 10}, {0, 3, 6, 6}} {
		var all []*Message
		total := int64(0)
		for _, w := range weights {
			all = append(all, &Message{Weight: w})
			total += int64(max(1, w))
		}
		d, dealt := newDeck(all), map[*Message]int{}
		for n := range 2 * total {
			dealt[d.deal(n)]++
		}
		for _, m := range all {
			if dealt[m] != 2*max(1, m.Weight) {
				t.Errorf("%v: weight %d was dealt %d times", weights, m.Weight, dealt[m])
			}
		}
	}
}
