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

// maxConnections is how many connections a public address sees of one subject.
const maxConnections = 8

// manners keep a server from being bothered: one conversation at a time with an
// address, a pause between two connections, and no more than maxConnections. With a
// server of one's own, at a loopback or private address, there is neither pause nor end.
type manners struct {
	dial  reach.Dialer
	pause time.Duration
	own   bool // every server is one's own

	mu    sync.Mutex
	turns map[netip.Addr]chan struct{} // holds a token while nobody converses
	doors map[string]*door
}

// door is what an address with its port has seen.
type door struct {
	seen int
	last time.Time // when the last connection ended
}

func newManners(dial reach.Dialer, pause time.Duration, own bool) *manners {
	return &manners{dial: dial, pause: pause, own: own, turns: map[netip.Addr]chan struct{}{}, doors: map[string]*door{}}
}

// converse runs talk when nobody else talks to addr. The error says that ctx
// ended before.
func (m *manners) converse(ctx context.Context, addr netip.Addr, talk func()) error {
	m.mu.Lock()
	turn := m.turns[addr]
	if turn == nil {
		turn = make(chan struct{}, 1)
		turn <- struct{}{}
		m.turns[addr] = turn
	}
	m.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { turn <- struct{}{} }()
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
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.doors[address]
	if d == nil {
		d = &door{}
		m.doors[address] = d
	}
	if at, err := netip.ParseAddrPort(address); m.own || err == nil && own(at.Addr()) {
		return 0, nil
	}
	if d.seen == maxConnections {
		return 0, fmt.Errorf("%s is left alone: it has seen %d connections", address, maxConnections)
	}
	d.seen++
	return time.Until(d.last.Add(m.pause)), nil
}

func (m *manners) left(address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doors[address].last = time.Now()
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
