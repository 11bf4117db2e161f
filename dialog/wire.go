package dialog

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
)

// wire is a connection that can also be asked for what has come already. One that
// cannot, like a pipe or a proxy's, has no now.
type wire struct {
	net.Conn
	now   looker
	looks bool // Read takes from now
}

// looker reads what has come already, or gives errNothing.
type looker interface {
	readNow(p []byte) (int, error)
}

// newWire is nc as a wire, and nc itself if it is one.
func newWire(nc net.Conn) *wire {
	w := &wire{Conn: nc}
	switch c := nc.(type) {
	case *wire:
		return c
	case looker:
		w.now = c
	case *net.TCPConn:
		w.now = lookAt(c)
	case *net.UnixConn:
		w.now = lookAt(c)
	}
	return w
}

// wireOf is the wire below nc.
func wireOf(nc net.Conn) *wire {
	if t, ok := nc.(*tls.Conn); ok {
		if o, ok := t.NetConn().(*opening); ok {
			return o.wire
		}
	}
	return newWire(nc)
}

// Read waits for something to read, but while it only looks.
func (w *wire) Read(p []byte) (int, error) {
	if w.looks {
		return w.now.readNow(p)
	}
	return w.Conn.Read(p)
}

// descriptor is a socket of the system, which is read in place, as the library has no
// reading that does not wait.
type descriptor struct {
	raw  syscall.RawConn
	read func(fd uintptr) bool // tries, made once
	p    []byte
	n    int
	err  error
}

// lookAt is nil where the system cannot say.
func lookAt(c syscall.Conn) looker {
	raw, err := c.SyscallConn()
	if err != nil || !canLook {
		return nil
	}
	d := &descriptor{raw: raw}
	d.read = d.try
	return d
}

func (d *descriptor) readNow(p []byte) (int, error) {
	d.p = p
	err := d.raw.Read(d.read)
	d.p = nil
	switch {
	case err != nil:
		return 0, err
	case d.err == syscall.EAGAIN:
		return 0, errNothing
	case d.err != nil:
		return 0, d.err
	case d.n == 0:
		return 0, io.EOF
	}
	return d.n, nil
}

// errNothing says that nothing has come. To crypto/tls it is an error that passes.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read yet" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }
