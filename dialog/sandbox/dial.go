package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// host is a host of the world as Dial finds it.
type host struct {
	ports map[uint16]func() (*server, error) // makes the listener, once
}

// listHosts indexes all hosts by their addresses.
func (w *World) listHosts() map[string]*host {
	hosts := map[string]*host{}
	for i := range w.scenarios {
		s := &w.scenarios[i]
		for j := range s.Hosts {
			spec := &s.Hosts[j]
			h := &host{ports: map[uint16]func() (*server, error){}}
			for k := range spec.Services {
				v := &spec.Services[k]
				port := v.port()
				h.ports[port] = sync.OnceValues(func() (*server, error) { return w.listen(s, spec, v, port) })
			}
			for _, a := range strings.Fields(spec.Addrs) {
				if addr, err := netip.ParseAddr(a); err == nil {
					hosts[addr.String()] = h
				}
			}
		}
	}
	return hosts
}

// documentation reports whether a is of the networks that the world has
// (RFC 5737, RFC 3849).
func documentation(a netip.Addr) bool {
	for _, n := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"} {
		if netip.MustParsePrefix(n).Contains(a) {
			return true
		}
	}
	return false
}

// Dial connects to a host of the world by TCP: addr is a documentation address,
// or a name under .test, with a port. A port that nobody plays is refused by the
// kernel; an address that no host has is a host unreachable, and one outside
// the documentation networks a network unreachable: nothing leaves loopback.
// The errors are *net.OpError with the address asked for.
func (w *World) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	target, err := w.resolve(network, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	remote := net.TCPAddrFromAddrPort(target)
	fail := func(err error) (net.Conn, error) {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, &net.OpError{Op: "dial", Net: network, Addr: remote, Err: err}
	}
	h, known := w.hosts()[target.Addr().String()]
	switch {
	case !documentation(target.Addr()):
		return fail(os.NewSyscallError("connect", syscall.ENETUNREACH))
	case !known:
		return fail(os.NewSyscallError("connect", syscall.EHOSTUNREACH))
	}
	local, release, err := w.local(h, target.Port())
	if err != nil {
		return fail(err)
	}
	defer release()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", local)
	if err != nil {
		return fail(err)
	}
	return &conn{TCPConn: c.(*net.TCPConn), remote: remote}, nil
}

// conn is a connection whose remote address is the one that was asked for.
type conn struct {
	*net.TCPConn
	remote net.Addr
}

func (c *conn) RemoteAddr() net.Addr { return c.remote }

// local is the loopback address that plays a port of h, to be released after the
// dial; for a port that nobody plays, one where nobody listens.
func (w *World) local(h *host, port uint16) (addr string, release func(), err error) {
	if w.ctx.Err() != nil {
		return "", nil, net.ErrClosed
	}
	if listen, ok := h.ports[port]; ok {
		s, err := listen()
		if err != nil {
			return "", nil, err
		}
		return s.addr, func() {}, nil
	}
	return w.closedPort()
}

// closedPort gives a loopback port that was free a moment ago. Until it is
// released no server of the world starts, so none of them takes it.
func (w *World) closedPort() (addr string, release func(), err error) {
	w.ports.Lock()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.ports.Unlock()
		return "", nil, err
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		w.ports.Unlock()
		return "", nil, err
	}
	return addr, w.ports.Unlock, nil
}

// resolve gives the address and port that addr means.
func (w *World) resolve(network, addr string) (netip.AddrPort, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return netip.AddrPort{}, net.UnknownNetworkError(network)
	}
	name, p, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port of %q: %w", addr, err)
	}
	found := w.zones.addrs(name)
	if a, err := netip.ParseAddr(name); err == nil {
		found = []netip.Addr{a.Unmap()}
	}
	for _, a := range found {
		if network == "tcp" || a.Is4() == (network == "tcp4") {
			return netip.AddrPortFrom(a, uint16(port)), nil
		}
	}
	return netip.AddrPort{}, &net.DNSError{Err: "no such host in the sandbox", Name: name, IsNotFound: true}
}
