package dialog

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// conn is a connection as Exchange has it, which writes in its caller's goroutine, and
// reads there while it waits: each reply goes to the oldest step that owes one. Once a
// write has to wait for the server, or for more of a message, a goroutine reads.
type conn struct {
	nc     net.Conn
	wire   *wire // below nc
	secure bool
	opened time.Time
	stream *transcript.Stream
	reader *replyReader // the reading goroutine's alone, once it runs
	begun  bool         // somebody has listened

	// The writer's alone: what goes out with the next write.
	out    []byte
	ready  []*owing // steps whose last byte is in out
	items  []SentItem
	writer groupWriter
	debts  []owing     // memory for the steps of the exchange that is under way
	timer  *time.Timer // of await, once there is one
	held   *time.Timer // of watch, likewise

	mu      sync.Mutex
	owed    []*owing  // oldest first
	spare   []*owing  // owed's memory, for when it is empty
	limits  *Timeouts // of who waits for what is owed; nil if it is to be told of every reply
	heard   time.Time
	body    *Turn  // whose body is partly written
	inData  bool   // a 354 waits for its text
	inAuth  bool   // a 334 waits for its answer
	ahead   bool   // bytes have come that no command asked for
	early   bool   // a body was refused before its end
	refusal *Reply // of a body that was invited and not begun
	goodbye *Reply // the 421 with which the server closes
	end     error  // why nothing more will be read
	broken  bool   // what was written is not a whole number of commands
	cut     bool   // writing and waiting are over: the deadlines stay in the past
	unread  bool   // reading is over: what still comes is nobody's

	writing   time.Time // since when a group is under way
	armed     bool      // held will fire
	listening bool      // the reading goroutine has been started
	ended     bool      // nobody reads any more
	wake      chan struct{}
}

// owing is a step from just before the write that carries its last byte.
type owing struct {
	turns []Turn // of its exchange; the last reply of its own is at index
	index int
	left  time.Time // when its group began to leave
	since time.Time // when its last byte did
	group bool      // several commands left together
	until int       // the end of its last byte in out
	cut   bool      // that byte could not be written
}

func (o *owing) turn() *Turn { return &o.turns[o.index] }

func newConn(nc net.Conn, secure bool, stream *transcript.Stream) *conn {
	return &conn{nc: nc, wire: wireOf(nc), secure: secure, stream: stream, opened: time.Now(), wake: make(chan struct{}, 1)}
}

func (c *conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take gives a reply to the step that is owed it, and reports whether to read on.
func (c *conn) take(reply *Reply, err error) (on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	quiet := false
	defer func() {
		c.ended = !on
		if !quiet {
			c.signal()
		}
	}()
	if c.unread {
		return false
	}
	if err != nil {
		if c.end == nil { // a breach of the protocol weighs more
			c.end = lost(err)
		}
		c.unblock()
		return false
	}
	live := c.stream.Live()
	if live || len(c.owed) == 0 || c.owed[0].cut || reply.Code == 421 { // it will be kept
		reply = reply.clone()
	}
	if len(c.owed) == 0 || c.owed[0].cut && reply.Code < 400 {
		c.stray(reply)
		c.unblock() // the server may have stopped reading
		return false
	}
	if reply.Code == 421 {
		c.goodbye = reply
	}
	now := time.Now()
	o := c.owed[0]
	turn := o.turn()
	reply.Took, reply.Came = now.Sub(o.left), now
	turn.hear(reply)
	c.heard = now
	if turn.Step.More == nil || !turn.Step.More(o.turns[:o.index+1]) {
		turn.State = Answered
		c.owed = c.owed[1:]
	}
	c.inData = turn.Step.Phase == PhaseData && reply.Intermediate()
	c.inAuth = turn.Step.Phase == PhaseAuth && reply.Code == 334
	if live {
		where, answers := "the banner", subject(turn.Step)
		if turn.Step.More != nil {
			answers = replyOf(o.turns[:o.index+1])
		}
		if answers != "" {
			where = "the reply to " + answers
		}
		c.show(reply, where, answers, o.group || turn.Step.More != nil, reply.Oddities)
	}
	buffered := c.reader.r.Buffered()
	if turn.Step.Phase == PhaseTLS && reply.Code == 220 {
		if buffered > 0 {
			injected, _ := c.reader.r.Peek(buffered)
			injected, _ = c.reader.mask.Hide(injected)
			c.end = &ProtocolError{Reason: "bytes between the 220 and the handshake: somebody injects replies, or the server would take injected commands (RFC 3207 section 6)", Quote: quote(injected)}
		}
		return false
	}
	if turn.Step.Phase == PhaseQuit && reply.Code == 221 && len(c.owed) == 0 && buffered == 0 {
		return false
	}
	c.ahead = len(c.owed) == 0 && buffered > 0
	quiet = c.goodbye == nil && c.patient(turn)
	return true
}

// patient reports whether whoever waits need not be woken by the reply to turn:
// more is owed, and may take as long at least; c.mu is held.
func (c *conn) patient(turn *Turn) bool {
	return c.limits != nil && len(c.owed) > 0 && c.limits.of(c.owed[0].turn().Step.Phase) >= c.limits.of(turn.Step.Phase)
}

// stopReading leaves every reply from now on unread.
func (c *conn) stopReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unread = true
	c.listens() // a socket that is closed before it is read is reset
}

// stray judges a reply that no step is owed.
func (c *conn) stray(reply *Reply) {
	switch {
	case c.body != nil && reply.Code >= 400:
		c.early = true
		c.body.Replies, c.body.State = append(c.body.Replies, *reply), Answered
		c.show(reply, "the reply to the message", "message", true, append(reply.Oddities, "the server answers before the message is complete"))
	case c.inData && c.refusal == nil && reply.Code >= 400 && reply.Code != 421:
		c.refusal, c.ahead = reply, false
		c.show(reply, "the reply to the message", "message", true, append(reply.Oddities, "the server answers before the message has begun"))
	case reply.Code == 421:
		c.goodbye = reply
		c.show(reply, "a reply to nothing", "", false, append(reply.Oddities, "no command was waiting for this reply: the server says goodbye"))
	default:
		c.end = &ProtocolError{Reason: "a reply before its command", outOfStep: true, Quote: quote(reply.Raw)}
		c.show(reply, "a reply to nothing", "", false, reply.Oddities)
	}
}

// show emits a reply; where is what to call it in a finding.
func (c *conn) show(reply *Reply, where, answers string, group bool, findings []string) {
	if !c.stream.Live() {
		return
	}
	if n := transcript.Hostile(string(reply.Raw)); n > 0 {
		findings = append(findings, fmt.Sprintf("%s in %s, shown escaped", transcript.Count(n, "control character"), where))
	}
	c.stream.Emit(Received{Secure: c.secure, Reply: reply, Answers: answers, Group: group, Findings: findings})
}

// subject is what a reply to s is said to answer.
func subject(s Step) string {
	if s.Command.IsZero() {
		if s.Body == nil {
			return ""
		}
		return "message"
	}
	return s.Command.subject()
}

func lost(err error) error {
	var protocol *ProtocolError
	alert, _, _ := alertOf(err)
	_, ofClient := aboutClient(alert, false)
	text, alerted := alertText(err)
	switch {
	case errors.As(err, &protocol):
		return err
	case alerted && ofClient: // TLS 1.3 says so only behind the handshake
		return &TLSError{Kind: TLSClientCertificate, Reason: text}
	case alerted:
		err = errors.New(text)
	case errors.Is(err, io.EOF):
		err = errors.New("the server closed the connection")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the server closed the connection within a reply")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		err = errors.New("the connection was reset")
	}
	return &LostError{Err: err}
}

// lostAt says what the end of the connection left unanswered.
func lostAt(end error, step Step, since time.Time) error {
	if l, ok := end.(*LostError); ok {
		return &LostError{For: replyTo(step), After: time.Since(since), Err: l.Err}
	}
	return end
}

// unblock ends a write that is under way or a reading that is waited for, and any
// later one; c.mu is held.
func (c *conn) unblock() {
	c.cut = true
	_ = c.nc.SetWriteDeadline(time.Unix(1, 0))
	if !c.listening {
		_ = c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// bound sets how long writes may take until the next call; c.mu is held.
func (c *conn) bound(limit time.Duration) {
	if !c.cut {
		_ = c.nc.SetWriteDeadline(time.Now().Add(limit))
	}
}

// over is why nothing more may be written, or nil; c.mu is held.
func (c *conn) over() error {
	if !c.early && c.end == nil && c.goodbye == nil {
		return nil
	}
	var protocol *ProtocolError
	switch {
	case c.early:
		return errEarly
	case errors.As(c.end, &protocol):
		return c.end
	case c.goodbye != nil:
		return &Refusal{Reply: c.goodbye}
	}
	return c.end
}
