package dialog

// Who reads: whoever waits for a reply, by hear. Before a group leaves, glance looks for what
// has come meanwhile; where it does not leave at once, and where there is no looking, a
// goroutine reads from then on, which listen starts.

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/stack"
)

// from is where replies are read.
func (c *conn) from() io.Reader {
	if _, ok := c.nc.(*tls.Conn); ok {
		return c.nc
	}
	return c.wire
}

// listen starts the reading goroutine if it does not run. It ends with the
// connection, with a protocol error, behind the 220 to STARTTLS or the 221 to QUIT.
func (c *conn) listen() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listens()
}

// listens is listen where c.mu is held.
func (c *conn) listens() {
	if c.listening || c.ended {
		return
	}
	c.listening = true
	_ = c.nc.SetReadDeadline(time.Time{}) // of a wait
	go func() {
		stack.Reserve()
		for c.take(c.reader.next()) {
		}
	}()
}

// hear reads a reply, or the end of the connection, and reports whether either came
// before the time until, or the end of the exchange's context. What has come counts
// also when it is looked at late, as behind output that nobody took.
func (c *conn) hear(until time.Time) (came bool) {
	if !c.until(until) {
		return false
	}
	reply, err := c.reader.next()
	if pauses(err) && c.until(time.Time{}) {
		c.wire.looks = true
		reply, err = c.reader.next()
		c.wire.looks = false
	}
	if pauses(err) {
		return false
	}
	c.take(reply, err)
	return true
}

// pauses reports whether err says that nothing more has come yet.
func pauses(err error) bool { return err == errNothing || errors.Is(err, os.ErrDeadlineExceeded) }

// until bounds what is read from now on, and what TLS writes meanwhile, and reports
// whether waiting is not over.
func (c *conn) until(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cut:
	case c.secure:
		_ = c.nc.SetDeadline(t)
	default:
		_ = c.nc.SetReadDeadline(t)
	}
	return !c.cut
}

// glance looks for what has come unasked while nobody read.
func (c *conn) glance() {
	c.mu.Lock()
	reads := c.listening || c.ended || !c.begun || len(c.owed) > 0 || c.over() != nil
	c.mu.Unlock()
	if reads {
		return
	}
	switch err := c.reader.glance(c.wire); {
	case err == errNothing:
	case errors.Is(err, os.ErrDeadlineExceeded): // of the last wait
		if c.until(time.Time{}) {
			c.glance()
		}
	case err == nil:
		c.mu.Lock()
		c.ahead = true
		c.mu.Unlock()
	default:
		c.take(nil, err)
	}
}

// mostHeld is how long a group may take to leave before replies are read beside it.
const mostHeld = 20 * time.Millisecond

// watch has replies read beside the group if that takes longer to write than what
// the system takes at once: the server does not read, or a message comes slowly. It
// lasts until unwatch. One timer goes on through many groups, as setting one wakes
// a thread.
func (c *conn) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.listening || !c.begun:
		return
	case c.held == nil:
		c.held = time.AfterFunc(mostHeld, c.check)
	case !c.armed:
		c.held.Reset(mostHeld)
	}
	c.writing, c.armed = time.Now(), true
}

// check starts the reading goroutine if the group that is under way takes too long.
func (c *conn) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	if c.writing.IsZero() {
		return
	}
	if left := time.Until(c.writing.Add(mostHeld)); left > 0 {
		c.held.Reset(left)
		c.armed = true
		return
	}
	c.listens()
}

func (c *conn) unwatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = time.Time{}
}
