package dialog

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// oracle is a server that sends the next of its chunks whenever it has heard a
// write, whatever that said, and after the last of them closes or falls silent.
type oracle struct {
	net.Conn
	mu     sync.Mutex
	cond   *sync.Cond
	chunks [][]byte
	left   int // chunks that may be sent
	silent bool
	closed bool
	now    []byte
	heard  bytes.Buffer
}

func (o *oracle) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.closed:
			return 0, net.ErrClosed
		case len(o.now) > 0:
			n := copy(p, o.now)
			o.now = o.now[n:]
			return n, nil
		case len(o.chunks) == 0 && !o.silent:
			return 0, io.EOF
		case len(o.chunks) > 0 && o.left > 0:
			o.now, o.chunks = o.chunks[0], o.chunks[1:]
			o.left--
		default:
			o.cond.Wait()
		}
	}
}

func (o *oracle) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, net.ErrClosed
	}
	o.heard.Write(p)
	o.left++
	o.cond.Broadcast()
	return len(p), nil
}

func (o *oracle) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.cond.Broadcast()
	return nil
}

func (*oracle) SetWriteDeadline(time.Time) error { return nil }
func (*oracle) SetReadDeadline(time.Time) error  { return nil }

// FuzzDialogue: whatever a server sends, a delivery to two ends in time, and an
// outcome is what the bytes say: Accepted only if the replies in the places of
// RCPT and of the message are positive, Refused and Deferred only with such a
// reply, Unknown only if the whole message was sent to who was not refused.
func FuzzDialogue(f *testing.F) {
	const hi, p, c = "220 x\r\n|250 x\r\n", "220 x\r\n|250-x\r\n250 PIPELINING\r\n", "220 x\r\n|250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n"
	const rest = "250 m\r\n|250 a\r\n|250 b\r\n|354 d\r\n|250 t\r\n|221 q\r\n"
	for _, seed := range []string{
		hi + "|" + rest, strings.Replace(hi+"|"+rest, "250 a", "550 a", 1), strings.Replace(hi+"|"+rest, "250 m", "421 m", 1), "220 x\r\n|500 x\r\n|250 x\r\n|" + rest,
		p + "|250 m\r\n250 a\r\n450 b\r\n354 d\r\n|250 t\r\n221 q\r\n", p + "|250 m\r\n550 a\r\n550 b\r\n354 d\r\n|250 t\r\n221 q\r\n",
		p + "|250 m\r\n250 a\r\n250 b\r\n354 d\r\n|250 early\r\n554 t\r\n221 q\r\n", p + "|250 m\r\n250 a\r\n250 b\r\n354 d\r\n250 t\r\n221 q\r\n",
		p + "|250 m\r\n250 a\r\n354 b\r\n354 d\r\n|250 t\r\n", p + "|250 m\r\n250 a\r\n250 b\r\n250 d\r\n|250 t\r\n",
		c + "|250 m\r\n250 a\r\n550 b\r\n250 t\r\n221 q\r\n", c + "|250 m\r\n250 a\r\n550 b\r\n250 t\r\n", c, c + "|250 m\r\n", hi + "|" + strings.Replace(rest, "250 t", "421 t", 1), hi + "|250", "220 x\r\n250",
	} {
		for mode := range byte(4) {
			f.Add([]byte(seed), mode)
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, mode byte) {
		if len(said) > maxReplyLine/2 { // a chunk is read at once
			return
		}
		synctest.Test(t, func(t *testing.T) {
			o := &oracle{chunks: bytes.Split(said, []byte("|")), left: 1, silent: mode&1 != 0}
			o.cond = sync.NewCond(&o.mu)
			options := testOptions()
			options.Timeouts = DefaultTimeouts()
			if mode&2 != 0 {
				options.Pipelining = Never
			}
			d := newDelivery("", nil)
			s := NewSession(o, options)
			began := time.Now()
			err := standard(d).Run(context.Background(), s)
			if took := time.Since(began); took > 15*time.Minute {
				t.Errorf("it took %v", took)
			}
			o.judge(t, d, strings.ReplaceAll(string(said), "|", ""))
			if got := verdict(d, s, err); err != nil && strings.Contains(got, "not an *Error") {
				t.Error(got)
			}
		})
	})
}

// judge holds the outcomes against what was said and heard, place by place: the
// banner's reply is the first, then one for each command and the message.
func (o *oracle) judge(t *testing.T, d *Delivery, said string) {
	heard := o.heard.String()
	replies, _ := refReplies(said)
	class := func(place int) byte {
		if place >= len(replies) {
			return 0
		}
		return replies[place].code[0]
	}
	head, _, sent := strings.Cut(heard, "Subject: x\r\n\r\n..hidden\r\n.\r\n")
	before, _, chunked := strings.Cut(heard, "BDAT 23 LAST\r\n"+short)
	if chunked {
		head, sent = before, true
	}
	commands := strings.Split(strings.TrimSuffix(head, "\r\n"), "\r\n")
	for _, to := range d.To {
		rcpt := 1 + slices.Index(commands, "RCPT TO:<"+to.Address+">")
		text := 1 + len(commands)
		switch to.Outcome {
		case Accepted:
			if !sent || rcpt == 0 || class(rcpt) != '2' || class(text) != '2' {
				t.Errorf("%s is accepted; said %q, heard %q", to.Address, said, heard)
			}
		case Unknown:
			// Without a reply to RCPT only a BDAT of the same group can have gone out.
			if !sent || class(rcpt) != '2' && !(chunked && class(rcpt) == 0) {
				t.Errorf("%s is unknown; said %q, heard %q", to.Address, said, heard)
			}
		case Refused, Deferred:
			if want := map[Outcome]byte{Refused: '5', Deferred: '4'}[to.Outcome]; to.Reply == nil || to.Reply.Codes()[0] != want ||
				!strings.Contains(said, string(to.Reply.Raw)) {
				t.Errorf("%s is %s by %v; said %q", to.Address, to.Outcome, to.Reply, said)
			}
		}
	}
}
