package dialog

import (
	"bufio"
	"io"
	"time"
)

// Memory is what a conversation leaves to the next one, for whoever has one after
// the other. The zero Memory is empty. It serves one conversation at a time.
type Memory struct {
	reader       *bufio.Reader
	reply        []byte
	out, line    []byte
	debts        []owing
	ready, owed  []*owing
	timer        *time.Timer
	turns        []Turn
	ours, wanted []int
}

// lend gives all of m to a conversation that begins on a connection.
func (m *Memory) lend(s *Session) {
	c := s.conn
	c.reader = m.replyReader(c.from())
	if c.out = m.out; c.out == nil {
		c.out = make([]byte, 0, 1024)
	}
	c.writer.line, c.debts, c.ready, c.spare, c.timer = m.line, m.debts, m.ready, m.owed, m.timer
	s.turns, s.ours, s.wanted = m.turns, m.ours, m.wanted
	*m = Memory{}
}

// replyReader is a reader of r in the memory of one before.
func (m *Memory) replyReader(r io.Reader) *replyReader {
	rr := &replyReader{from: r, r: m.reader}
	rr.last.Raw = m.reply
	if rr.r == nil {
		rr.r = bufio.NewReaderSize(r, usualLine)
	}
	rr.r.Reset(r)
	return rr
}

// keep takes the memory of a conversation that leaves its connection, unless the
// reading goroutine may still use it, as behind a conversation without QUIT.
func (m *Memory) keep(s *Session) {
	c := s.conn
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listening && !c.ended || c.out == nil { // in use, or kept
		return
	}
	*m = Memory{
		reader: c.reader.r, reply: c.reader.last.Raw[:0],
		out: c.out[:0], line: c.writer.line, debts: c.debts[:0], ready: c.ready[:0], owed: c.spare[:0], timer: c.timer,
		turns: s.turns, ours: s.ours, wanted: s.wanted,
	}
	m.reader.Reset(nil)
	c.out, s.turns, s.ours, s.wanted = nil, nil, nil, nil
}
