package dialog

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
)

// wire is a connection that can also be asked for what has come already. One that
// cannot, like a pipe or a proxy's, has no peek.
type wire struct {
	net.Conn
	peek *peek
}

// peek reads without waiting, while it is on.
type peek struct {
	on   bool
	raw  syscall.RawConn
	read func(fd uintptr) bool // takes n and err from a read into p, made once
	p    []byte
	n    int
	err  error
}

// newWire is nc as a wire, and w itself if that is one.
func newWire(nc net.Conn) *wire {
	w := &wire{Conn: nc}
	var raw syscall.RawConn
	switch c := nc.(type) {
	case *wire:
		return c
	case *net.TCPConn:
		raw, _ = c.SyscallConn()
	case *net.UnixConn:
		raw, _ = c.SyscallConn()
	}
	if raw != nil && canPeek {
		w.peek = &peek{raw: raw}
		w.peek.read = w.peek.readNow
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

// Read waits for something to read; while peek is on, it gives errNothing instead.
func (w *wire) Read(p []byte) (int, error) {
	if w.peek == nil || !w.peek.on {
		return w.Conn.Read(p)
	}
	return w.peek.take(p)
}

func (k *peek) take(p []byte) (int, error) {
	k.p = p
	err := k.raw.Read(k.read)
	k.p = nil
	switch {
	case err != nil:
		return 0, err
	case k.err == syscall.EAGAIN:
		return 0, errNothing
	case k.err != nil:
		return 0, k.err
	case k.n == 0:
		return 0, io.EOF
	}
	return k.n, nil
}

// errNothing says that nothing has come. To crypto/tls it is an error that passes.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read yet" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }
