package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// ConnectError is a connection that was not made.
type ConnectError struct {
	Addr  string
	After time.Duration // that it was tried for
	Err   error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("%s: %s", e.Addr, e.Short()) }
func (e *ConnectError) Unwrap() error { return e.Err }

// Short is what happened in a few words.
func (e *ConnectError) Short() string {
	var proxy *ProxyError
	var call *os.SyscallError
	var name *net.DNSError
	switch {
	case errors.As(e.Err, &proxy):
		return proxy.short(e.After)
	case errors.As(e.Err, &call) && call.Syscall == "bind":
		return "was not tried: the local address or port cannot be had: " + call.Err.Error()
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "refused the connection"
	case errors.Is(e.Err, syscall.EHOSTUNREACH):
		return "cannot be reached: no route to the host"
	case errors.Is(e.Err, syscall.ENETUNREACH):
		return "cannot be reached: no route to its network"
	case isTimeout(e.Err):
		return fmt.Sprintf("did not answer within %s", transcript.Duration(e.After))
	case errors.As(e.Err, &name):
		return "was not found: " + name.Err
	case errors.As(e.Err, &call):
		return "cannot be reached: " + call.Err.Error()
	}
	if op, ok := e.Err.(*net.OpError); ok {
		return op.Err.Error()
	}
	return e.Err.Error()
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// SpecialError is an address that was not dialled, as only public ones were to be.
type SpecialError struct {
	Addr string        // with its port
	Why  route.Finding // what kind of address it is
}

func (e *SpecialError) Error() string { return e.Addr + ": " + e.Short() }

// Short is what is wrong with the address in a few words.
func (e *SpecialError) Short() string { return "is not dialled: " + e.Why.Text }

// connect dials a hop within the time limit for one address, and shows it.
func (r *Reach) connect(ctx context.Context, hop Hop, o *dialog.Options) (net.Conn, error) {
	target := r.Address(hop)
	event := Connected{Host: hop.Host, Addr: target}
	if !hop.local() {
		event.Via = r.Via
	}
	if _, ok := r.redirect(hop); ok {
		event.Instead = net.JoinHostPort(hop.Host, strconv.Itoa(int(hop.Port)))
	}
	if o.Waiting != nil {
		o.Waiting(dialog.Waiting{For: "connection to " + target, Limit: r.ConnectTimeout})
	}
	within, cancel := context.WithTimeout(ctx, r.ConnectTimeout)
	defer cancel()
	began := time.Now()
	nc, err := r.open(within, hop, target)
	if err == nil && r.Proxied != nil {
		event.Header, event.HeaderFull, err = r.Proxied.write(within, nc, target)
		if err != nil {
			finish(ctx, nc, o)
			_ = nc.Close()
		}
	}
	event.Took = time.Since(began)
	if end, ok := ctx.Deadline(); ok && err != nil && !time.Now().Before(end) {
		<-ctx.Done() // a deadline on the connection may be a moment ahead of it
	}
	if err != nil && ctx.Err() != nil {
		if isTimeout(ctx.Err()) { // an interrupt says nothing of the other side
			event.Failed = (&ConnectError{Addr: target, After: event.Took, Err: err}).Short()
			o.Stream.Emit(event)
		}
		return nil, context.Cause(ctx)
	}
	var special *SpecialError
	if errors.As(err, &special) {
		event.Failed = special.Short()
		o.Stream.Emit(event)
		return nil, special
	}
	if err != nil {
		failed := &ConnectError{Addr: target, After: r.ConnectTimeout, Err: err}
		event.Failed = failed.Short()
		o.Stream.Emit(event)
		return nil, failed
	}
	if local := nc.LocalAddr(); local != nil && !hop.local() {
		event.Local = local.String()
	}
	o.Stream.Emit(event)
	return nc, nil
}

// open makes the connection of a hop.
func (r *Reach) open(ctx context.Context, hop Hop, target string) (net.Conn, error) {
	switch {
	case hop.Socket != "":
		return new(net.Dialer).DialContext(ctx, "unix", hop.Socket)
	case hop.Command != "":
		c, err := startChild(hop.Command, r.Said)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return r.dial(ctx, "tcp", target)
}

// dial dials an address unless it is special and only public ones are to be. A
// name is the user's own word, by --connect-to, and is dialled.
func (r *Reach) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if addr, err := netip.ParseAddrPort(address); r.PublicOnly && err == nil {
		if why, special := route.Special(addr.Addr()); special {
			return nil, &SpecialError{Addr: address, Why: why}
		}
	}
	return r.Dial(ctx, network, address)
}
