package check

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// maxConnections is how many connections a public address sees of one run.
const maxConnections = 8

// manners keep a server from being bothered: one conversation at a time with an
// address, a pause between two connections, and no more than maxConnections. With a
// server of one's own, at a loopback or private address, there is neither pause nor end.
type manners struct {
	dial   reach.Dialer
	pause  time.Duration
	own    bool // every server is one's own
	visits *Visits
}

// LimitError is a connection that was not made, as its address has seen as many as a run
// makes. It says nothing of the server.
type LimitError struct{ Addr string }

func (e *LimitError) Error() string {
	return fmt.Sprintf("ehlo makes no more than %d connections to %s in a run", maxConnections, e.Addr)
}

// converse runs talk when nobody else talks to address. The error says that ctx
// ended before.
func (m *manners) converse(ctx context.Context, address string, talk func()) error {
	p := m.visits.at(address)
	select {
	case <-p.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { p.turn <- struct{}{} }()
	talk()
	return nil
}

// Dial waits until it is polite to connect again, and then does. It is a reach.Dialer.
func (m *manners) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	pause, err := m.knock(address)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	nc, err := m.dial(ctx, network, address)
	if err != nil {
		m.left(address)
		return nil, err
	}
	return &guest{Conn: nc, leave: sync.OnceFunc(func() { m.left(address) })}, nil
}

// knock counts a connection and gives the time to wait before it.
func (m *manners) knock(address string) (time.Duration, error) {
	p := m.visits.at(address)
	m.visits.mu.Lock()
	defer m.visits.mu.Unlock()
	if err := m.full(p, address, 0); err != nil {
		return 0, err
	}
	p.seen++
	if m.owns(address) {
		return 0, nil
	}
	return time.Until(p.last.Add(m.pause)), nil
}

// room is a *LimitError where address takes no further connection of ours, if some are
// kept for what is still to come.
func (m *manners) room(address string, kept int) error {
	p := m.visits.at(address)
	m.visits.mu.Lock()
	defer m.visits.mu.Unlock()
	return m.full(p, address, kept)
}

// full is room, where visits are locked already.
func (m *manners) full(p *place, address string, kept int) error {
	if !m.owns(address) && p.seen >= maxConnections-kept {
		return &LimitError{address}
	}
	return nil
}

// owns reports whether a server is one's own.
func (m *manners) owns(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return m.own || err == nil && own(at.Addr())
}

func (m *manners) left(address string) {
	p := m.visits.at(address)
	m.visits.mu.Lock()
	defer m.visits.mu.Unlock()
	p.last = time.Now()
}

// guest is a connection whose end is noted.
type guest struct {
	net.Conn
	leave func()
}

// Close ends the connection.
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

// own reports whether no stranger's server has such an address: loopback, private,
// link-local.
func own(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast()
}
