package sandbox

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestActs plays what no correct server does, and looks at it from the wire.
func TestActs(t *testing.T) {
	world := func(t *testing.T, rules ...Rule) (*World, *bufio.Reader, io.Writer) {
		t.Helper()
		w := start(t, Options{Scenarios: []Scenario{{Name: "x", Hosts: one("192.0.2.1", Service{Offers: modest, Rules: rules})}}})
		c := dial(t, w, "192.0.2.1:25")
		return w, bufio.NewReader(c), c
	}
	t.Run("reset", func(t *testing.T) {
		_, r, c := world(t, On("EHLO", Reset()))
		if _, err := io.WriteString(c, "EHLO client.test\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadByte(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset", err)
		}
	})
	t.Run("flood", func(t *testing.T) {
		_, r, _ := world(t, On("CONNECT", Flood("220-x\r\n", 0)))
		if n, err := io.CopyN(io.Discard, r, 8<<20); err != nil {
			t.Errorf("it ended after %d octets: %v", n, err)
		}
	})
	t.Run("so many", func(t *testing.T) {
		_, r, _ := world(t, On("CONNECT", Flood("220-x\r\n", 3), Say("220 y"), HangUp()))
		if got, err := io.ReadAll(r); err != nil || string(got) != strings.Repeat("220-x\r\n", 3)+"220 y\r\n" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("drip", func(t *testing.T) {
		_, r, _ := world(t, On("CONNECT", Drip("220 x\r\n", time.Millisecond), HangUp()))
		if got, err := io.ReadAll(r); err != nil || string(got) != "220 x\r\n" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	// The window closes, so that a client that has more to say than the kernels
	// hold between them comes to its own limit.
	t.Run("deaf", func(t *testing.T) {
		w, _, c := world(t, On("CONNECT", Say("220 x"), Deaf()))
		_ = c.(interface{ SetWriteDeadline(time.Time) error }).SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := io.Copy(c, io.LimitReader(zeros{}, 64<<20)); err == nil {
			t.Errorf("%d octets went to a server that does not read", n)
		}
		if err := w.Close(); err != nil { // it does not wait for Idle
			t.Error(err)
		}
	})
	t.Run("body", func(t *testing.T) {
		w := start(t, Options{Scenarios: []Scenario{{Name: "x", Hosts: one("192.0.2.1", Service{Offers: modest, Rules: []Rule{
			On("BODY alice@", Swallow(4), Say("552 5.3.4 too big"), HangUp())}})}}})
		run(t, w, "192.0.2.1:25", `
			S: 220 *
			C: HELO client.test
			S: 250 *
			C: MAIL FROM:<>
			S: 250 Ok
			C: RCPT TO:<alice@x.test>
			S: 250 Ok
			C: DATA
			S: 354 *
			C: 1234
			S: 552 5.3.4 too big
			EOF`)
		run(t, w, "192.0.2.1:25", `
			S: 220 *
			C: HELO client.test
			S: 250 *
			C: MAIL FROM:<>
			S: 250 Ok
			C: RCPT TO:<bob@x.test>
			S: 250 Ok
			C: BODY
			S: 500 *
			C: DATA
			S: 354 *
			C: .
			S: 250 *`)
	})
}

// zeros are as many as anyone reads.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestTakes is whether a command takes effect at which something else is played.
func TestTakes(t *testing.T) {
	yes, no := oneLine(250, "", "Ok"), oneLine(550, "", "no")
	for _, test := range []struct {
		acts     []Act
		yes, no  bool
		whatever string
	}{
		{nil, true, false, "nothing"},
		{[]Act{Raw("x")}, true, false, "raw octets"},
		{[]Act{Drip("x", 0)}, true, false, "a drip"},
		{[]Act{Flood("x", 2)}, true, false, "a flood that ends"},
		{[]Act{Flood("x", 0)}, false, false, "a flood that does not"},
		{[]Act{Say("250 Ok")}, true, true, "yes"},
		{[]Act{Say("550 no")}, false, false, "no"},
		{[]Act{Say("250 Ok"), HangUp()}, false, false, "yes, and the end"},
		{[]Act{Reset()}, false, false, "a reset"},
		{[]Act{Deaf()}, false, false, "deafness"},
	} {
		r := On("DOT", test.acts...)
		if r.takes(yes) != test.yes || r.takes(no) != test.no {
			t.Errorf("%s: %v and %v", test.whatever, r.takes(yes), r.takes(no))
		}
	}
}
