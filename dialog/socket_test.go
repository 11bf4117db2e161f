package dialog

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// sockets are two ends of a connection that holds what was written until it is read, as
// the system's do, in the time of a test's bubble.
func sockets() (ours, theirs net.Conn) {
	there, back := newStream(), newStream()
	return &socket{in: back, out: there}, &socket{in: there, out: back}
}

type socket struct {
	net.Conn
	in, out *stream
}

func (s *socket) Read(p []byte) (int, error)         { return s.in.read(p, true) }
func (s *socket) readNow(p []byte) (int, error)      { return s.in.read(p, false) }
func (s *socket) Write(p []byte) (int, error)        { return s.out.write(p) }
func (s *socket) SetReadDeadline(t time.Time) error  { return s.in.bound(&s.in.readBy, t) }
func (s *socket) SetWriteDeadline(t time.Time) error { return s.out.bound(&s.out.writeBy, t) }

func (s *socket) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

func (s *socket) Close() error {
	s.in.close(io.ErrClosedPipe)
	s.out.close(io.EOF)
	return nil
}

// stream is one direction, and holds a few KiB.
type stream struct {
	mu              sync.Mutex
	held            []byte
	end             error         // for who reads when held is empty
	changed         chan struct{} // closed and replaced at every change
	readBy, writeBy time.Time
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) bound(by *time.Time, t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	*by = t
	s.change()
	return nil
}

func (s *stream) close(end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = end
	}
	s.change()
}

// wait waits for a change, or the time by; s.mu is held.
func (s *stream) wait(by time.Time) error {
	var over <-chan time.Time
	if !by.IsZero() {
		left := time.Until(by)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(left)
		defer timer.Stop()
		over = timer.C
	}
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-changed:
	case <-over:
	}
	return nil
}

func (s *stream) read(p []byte, waits bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.held) == 0 {
		if s.end != nil {
			return 0, s.end
		}
		if !waits {
			return 0, errNothing
		}
		if err := s.wait(s.readBy); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.held)
	s.held = s.held[n:]
	s.change()
	return n, nil
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const most = 4 << 10
	for n < len(p) {
		if s.end != nil {
			return n, io.ErrClosedPipe
		}
		room := min(len(p)-n, most-len(s.held))
		if room == 0 {
			if err := s.wait(s.writeBy); err != nil {
				return n, err
			}
			continue
		}
		s.held = append(s.held, p[n:n+room]...)
		n += room
		s.change()
	}
	return n, nil
}
