package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/proxy"

	"github.com/ehlo-mail/ehlo/dialog"
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
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "refused the connection"
	case errors.Is(e.Err, syscall.EHOSTUNREACH):
		return "cannot be reached: no route to the host"
	case errors.Is(e.Err, syscall.ENETUNREACH):
		return "cannot be reached: no route to its network"
	case errors.As(e.Err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("did not answer within %s", transcript.Duration(e.After))
	}
	var op *net.OpError
	if errors.As(e.Err, &op) {
		// The SOCKS client's words for a reply that is not success (RFC 1928 section 6).
		if said, ok := strings.CutPrefix(op.Err.Error(), "unknown error "); ok {
			return "cannot be reached, says the proxy: " + said
		}
		return op.Err.Error()
	}
	return e.Err.Error()
}

// connect dials a hop within the time limit for one address, and shows it.
func (r *Reach) connect(ctx context.Context, hop Hop, o dialog.Options) (net.Conn, error) {
	target := r.address(hop)
	event := Connected{Host: hop.Host, Addr: target, Via: r.Via}
	if _, ok := r.redirect(hop); ok {
		event.Instead = net.JoinHostPort(hop.Host, strconv.Itoa(int(hop.Port)))
	}
	if o.Waiting != nil {
		o.Waiting(dialog.Waiting{For: "connection to " + target, Limit: r.ConnectTimeout})
	}
	within, cancel := context.WithTimeout(ctx, r.ConnectTimeout)
	defer cancel()
	began := time.Now()
	nc, err := r.Dial(within, "tcp", target)
	event.Took = time.Since(began)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		failed := &ConnectError{Addr: target, After: r.ConnectTimeout, Err: err}
		event.Failed = failed.Short()
		o.Stream.Emit(event)
		return nil, failed
	}
	if local := nc.LocalAddr(); local != nil {
		event.Local = local.String()
	}
	o.Stream.Emit(event)
	return nc, nil
}

// NewDialer dials from the local address (not valid: any), directly or through
// via: "" or a socks5:// URL (RFC 1928).
func NewDialer(local netip.Addr, via string) (Dialer, error) {
	direct := &net.Dialer{}
	if local.IsValid() {
		direct.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	if via == "" {
		return direct.DialContext, nil
	}
	u, err := url.Parse(via)
	if err != nil || u.Scheme != "socks5" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%q is not socks5://HOST:PORT", via)
	}
	if u.Port() == "" {
		u.Host += ":1080"
	}
	var auth *proxy.Auth
	if u.User != nil {
		return nil, fmt.Errorf("%q: a user and a password do not belong on the command line", u.Redacted())
	}
	dialer, err := proxy.SOCKS5("tcp", u.Host, auth, direct)
	if err != nil {
		return nil, err
	}
	contextual, ok := dialer.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the SOCKS5 dialer cannot be interrupted")
	}
	return contextual.DialContext, nil
}
