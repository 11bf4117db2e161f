package route

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// links are a Client's connections of DNS over TLS, at most one a server, each
// kept for the questions to come and asked many at the same time (RFC 7858
// sections 3.3 and 3.4). The zero value is ready.
type links struct {
	mu   sync.Mutex
	open map[Server]*link // those that the next question may use
}

// link is one connection.
type link struct {
	all    *links // its lock guards what is without a remark
	server Server
	users  int // who may still ask
	asked  map[uint16]*asked
	worked bool // an answer has come
	strays int  // messages that answered nothing

	dialed chan struct{} // closed when conn, or kind and err, are set
	conn   *dns.Conn
	kind   Kind // of err, which is why there is no connection
	err    error

	writing sync.Mutex
	ended   chan struct{} // closed when why is set
	why     error         // why nothing more is read
}

// asked is a query that is under way.
type asked struct {
	query  *dns.Msg
	answer chan heard // holds one
}

type heard struct {
	m   *dns.Msg
	err error // m could not be read whole
}

// join gives the connection to s, and opens one if there is none. Whoever joins leaves.
func (ls *links) join(s Server, dial func() (*dns.Conn, Kind, error)) *link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if l := ls.open[s]; l != nil {
		l.users++
		return l
	}
	l := &link{all: ls, server: s, users: 2, asked: map[uint16]*asked{}, dialed: make(chan struct{}), ended: make(chan struct{})}
	if ls.open == nil {
		ls.open = map[Server]*link{}
	}
	ls.open[s] = l
	go func() {
		l.conn, l.kind, l.err = dial()
		if l.err != nil {
			l.retire()
			close(l.dialed)
			return
		}
		close(l.dialed)
		l.leave()
		l.read()
	}()
	return l
}

// retire lets no further question join; the last to leave closes the connection.
func (l *link) retire() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	if l.all.open[l.server] == l {
		delete(l.all.open, l.server)
		l.drop()
	}
}

func (l *link) leave() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.users--
	if l.all.open[l.server] != l {
		l.drop()
	}
}

// drop closes what nobody uses; the lock is held. Dialing counts as a user, and for
// ever if it failed, so that there is a connection.
func (l *link) drop() {
	if l.users == 0 {
		_ = l.conn.Close()
	}
}

// close retires all.
func (ls *links) close() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for s, l := range ls.open {
		delete(ls.open, s)
		l.drop()
	}
}

// read hands each message to the query that it answers, until the connection ends. What
// answers nothing is passed over as over UDP: it may be late.
func (l *link) read() {
	err := errors.New("too many messages that answer nothing")
	for stray := 0; stray < maxStrays; {
		m, broken := l.conn.ReadMsg()
		if m == nil && !errors.Is(broken, dns.ErrShortRead) {
			err = broken
			break
		}
		if !l.deliver(m, broken) {
			stray++
		}
	}
	l.retire()
	_ = l.conn.Close()
	l.why = err
	close(l.ended)
}

// deliver reports whether m, which is nil if it was too short, answers a query that
// is under way.
func (l *link) deliver(m *dns.Msg, broken error) bool {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	var a *asked
	if m != nil {
		a = l.asked[m.Id]
	}
	if a == nil || !answers(a.query, m) {
		l.strays++
		return false
	}
	delete(l.asked, m.Id)
	l.worked = true
	a.answer <- heard{m, broken}
	return true
}

// ask sends query under an id that no other has, and waits for its answer. The error is an
// *endedError where the connection is over, that of ctx where the time is.
func (l *link) ask(ctx context.Context, query *dns.Msg, idle time.Duration) (*dns.Msg, error) {
	a := l.enter(query)
	defer l.forget(a)
	if err := l.write(ctx, query, idle); err != nil {
		return nil, err
	}
	select {
	case h := <-a.answer:
		return h.m, h.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.ended:
	}
	select {
	case h := <-a.answer: // it came just before the end
		return h.m, h.err
	default:
		return nil, l.over(l.why)
	}
}

func (l *link) write(ctx context.Context, query *dns.Msg, idle time.Duration) error {
	packet, err := query.Pack()
	if err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	end, _ := ctx.Deadline()
	_ = l.conn.SetWriteDeadline(end)
	_ = l.conn.SetReadDeadline(end.Add(idle))
	if _, err := l.conn.Write(packet); err != nil {
		l.retire()
		select {
		case <-l.ended: // with all that came before
		case <-ctx.Done():
			return ctx.Err()
		}
		return l.over(err)
	}
	return nil
}

// enter notes query as under way.
func (l *link) enter(query *dns.Msg) *asked {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	for l.asked[query.Id] != nil {
		query.Id = dns.Id()
	}
	a := &asked{query, make(chan heard, 1)}
	l.asked[query.Id] = a
	return a
}

func (l *link) forget(a *asked) {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	if l.asked[a.query.Id] == a {
		delete(l.asked, a.query.Id)
	}
}

// passed counts the messages so far that answered nothing.
func (l *link) passed() int {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	return l.strays
}

// endedError is a connection that ended before the answer came.
type endedError struct {
	why    error
	worked bool // it has answered before, so that a new one may do better
}

func (e *endedError) Error() string { return e.why.Error() }

func (l *link) over(why error) error {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	return &endedError{why, l.worked}
}
