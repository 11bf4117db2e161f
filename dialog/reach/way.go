package reach

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Way is how connections leave this host. The zero Way is the system's own.
type Way struct {
	Local    string            // an address of this host, or the name of one of its interfaces; "" is any
	Port     uint16            // the local port; 0 is any
	Brief    bool              // connections are short: none is probed while it is silent (RFC 9293 section 3.8.4)
	Via      string            // the URL of a proxy, as ParseProxy has it; "" is none
	Password transcript.Secret // of the user that Via names
	Roots    *x509.CertPool    // what the certificate of an https proxy has to lead to; nil is the system's store
	Now      func() time.Time  // the clock it is judged by; nil is the system's
}

// Proxy is a proxy and who we are there.
type Proxy struct {
	Scheme string // "socks5", "http" or "https"
	Host   string
	Port   string
	User   string // "" logs nobody in
}

// ParseProxy reads socks5://HOST[:PORT] (RFC 1928; port 1080), http://HOST[:PORT]
// and https://HOST[:PORT] (CONNECT, RFC 9110 section 9.3.6; ports 80 and 443),
// with USER@ before the host or without. The error names the rule that text
// breaks, and repeats nothing of a password.
func ParseProxy(text string) (Proxy, error) {
	ports := map[string]string{"socks5": "1080", "http": "80", "https": "443"}
	u, err := url.Parse(text)
	if err != nil || ports[u.Scheme] == "" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Proxy{}, errors.New("it is socks5://HOST:PORT, http://HOST:PORT or https://HOST:PORT")
	}
	p := Proxy{Scheme: u.Scheme, Host: u.Hostname(), Port: u.Port(), User: u.User.Username()}
	if _, ok := u.User.Password(); ok {
		return Proxy{}, errors.New("a password is not taken in it: it belongs in a file")
	}
	if p.Port == "" {
		p.Port = ports[p.Scheme]
	}
	if _, port, err := splitPort("x:" + p.Port); err != nil || port == 0 {
		return Proxy{}, fmt.Errorf("%q is no port: a port is a number from 1 to 65535", p.Port)
	}
	if strings.Contains(p.User, ":") && p.Scheme != "socks5" {
		return Proxy{}, errors.New("a user's name holds no colon (RFC 7617 section 2)")
	}
	return p, nil
}

// addr is where the proxy listens: host:port.
func (p Proxy) addr() string { return net.JoinHostPort(p.Host, p.Port) }

// ProxyError is a proxy that did not lead on.
type ProxyError struct {
	Addr    string // the proxy's own
	Reached bool   // it was connected to
	Code    int    // the status of an HTTP proxy's answer, 0 without one
	Login   bool   // a user was named
	Said    string // what it gave as the reason, as it came; "" if nothing
	Err     error  // what happened instead; nil if it said something
}

func (e *ProxyError) Error() string {
	if e.Said != "" {
		return "the proxy " + e.Addr + " says " + e.Said
	}
	return "the proxy " + e.Addr + ": " + e.Err.Error()
}
func (e *ProxyError) Unwrap() error { return e.Err }

// short says of a target what the proxy did.
func (e *ProxyError) short(after time.Duration) string {
	if e.Said != "" {
		return "cannot be reached, says the proxy: " + e.Said
	}
	why := (&ConnectError{After: after, Err: e.Err}).Short()
	if e.Reached && isTimeout(e.Err) {
		why = "took the connection and " + why
	}
	return "cannot be reached: the proxy " + e.Addr + " " + why
}

// NewDialer gives the dialer that takes a way. Its connections end with the time
// of their context; errors behind a proxy are *ProxyErrors.
func NewDialer(w Way) (Dialer, error) {
	direct, err := w.direct()
	if err != nil || w.Via == "" {
		return direct, err
	}
	p, err := ParseProxy(w.Via)
	if err != nil {
		return nil, err
	}
	switch {
	case p.User != "" && w.Password.Empty():
		return nil, fmt.Errorf("the proxy's user %s needs a password", p.User)
	case p.User == "" && !w.Password.Empty():
		return nil, errors.New("the proxy's password is no use without a user: " + p.Scheme + "://USER@" + p.addr())
	}
	toProxy := func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := direct(ctx, network, address)
		if err != nil {
			return nil, &ProxyError{Addr: p.addr(), Err: err}
		}
		return nc, nil
	}
	if p.Scheme == "socks5" {
		return socks(p, w.Password, toProxy)
	}
	h := &httpProxy{Proxy: p, password: w.Password, roots: w.Roots, now: w.Now, dial: toProxy}
	return h.DialContext, nil
}

// direct dials without a proxy.
func (w Way) direct() (Dialer, error) {
	local, err := w.addresses()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &net.Dialer{}
		if w.Brief {
			d.KeepAlive = -1
		}
		if len(local) > 0 || w.Port != 0 {
			from, err := near(local, address)
			if err != nil {
				return nil, fmt.Errorf("%s %w", w.Local, err)
			}
			d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, w.Port))
			if !from.IsValid() {
				d.LocalAddr = &net.TCPAddr{Port: int(w.Port)}
			}
		}
		if w.Port != 0 {
			d.Control = reusePort
		}
		return d.DialContext(ctx, network, address)
	}, nil
}

// addresses are those that Local stands for; none is any.
func (w Way) addresses() ([]netip.Addr, error) {
	if w.Local == "" {
		return nil, nil
	}
	if addr, ok, err := parseAddress(w.Local); ok && err == nil {
		return []netip.Addr{addr}, nil
	}
	i, err := net.InterfaceByName(w.Local)
	if err != nil {
		return nil, fmt.Errorf("%q is neither an IP address nor an interface of this host", w.Local)
	}
	nets, err := i.Addrs()
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", w.Local, err)
	}
	var wide, narrow []netip.Addr
	for _, n := range nets {
		prefix, err := netip.ParsePrefix(n.String())
		switch {
		case err != nil:
		case prefix.Addr().IsLinkLocalUnicast():
			narrow = append(narrow, prefix.Addr().WithZone(w.Local))
		default:
			wide = append(wide, prefix.Addr())
		}
	}
	if len(wide)+len(narrow) == 0 {
		return nil, fmt.Errorf("interface %s has no address", w.Local)
	}
	return append(wide, narrow...), nil
}

// near is the first of our addresses that can speak with an address; any will do
// for a name.
func near(local []netip.Addr, address string) (netip.Addr, error) {
	if len(local) == 0 {
		return netip.Addr{}, nil
	}
	remote, err := netip.ParseAddrPort(address)
	if err != nil {
		return local[0], nil
	}
	for _, addr := range local {
		if addr.Unmap().Is4() == remote.Addr().Unmap().Is4() {
			return addr, nil
		}
	}
	if remote.Addr().Unmap().Is4() {
		return netip.Addr{}, errors.New("has no IPv4 address to connect from")
	}
	return netip.Addr{}, errors.New("has no IPv6 address to connect from")
}

// socks dials through a SOCKS5 proxy, with a password as RFC 1929 has it.
func socks(p Proxy, password transcript.Secret, toProxy Dialer) (Dialer, error) {
	var auth *proxy.Auth
	if p.User != "" {
		auth = &proxy.Auth{User: p.User, Password: password.Reveal()}
		if len(auth.User) > 255 || len(auth.Password) > 255 {
			return nil, errors.New("a user's name and a password for SOCKS5 have at most 255 bytes (RFC 1929)")
		}
	}
	forward := toProxy
	if auth == nil { // the library judges the choice between the two methods that a user has
		forward = func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := toProxy(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &onlyMethod{Conn: nc}, nil
		}
	}
	dialer, err := proxy.SOCKS5("tcp", p.addr(), auth, forward)
	if err != nil {
		return nil, err
	}
	contextual, ok := dialer.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the SOCKS5 dialer cannot be interrupted")
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := contextual.DialContext(ctx, network, address)
		if err == nil || errors.As(err, new(*ProxyError)) {
			return nc, err
		}
		var op *net.OpError
		if errors.As(err, &op) {
			// The library's words for a reply that is not success (RFC 1928 section 6).
			if said, ok := strings.CutPrefix(op.Err.Error(), "unknown error "); ok {
				return nil, &ProxyError{Addr: p.addr(), Reached: true, Said: said}
			}
			err = op.Err
		}
		return nil, &ProxyError{Addr: p.addr(), Reached: true, Err: err}
	}, nil
}

// onlyMethod is a connection to a SOCKS5 proxy that was offered no login alone: its
// second octet is the method that it chooses (RFC 1928 section 3), and any other
// is a breach, as what follows would belong to that method. FF, none, passes.
type onlyMethod struct {
	net.Conn
	read int // octets so far, up to 2
}

func (c *onlyMethod) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if at := 1 - c.read; at >= 0 && at < n && b[at] != 0 && b[at] != 0xff {
		return 0, fmt.Errorf("chose method %d, which was not offered: it does not speak SOCKS5 (RFC 1928 section 3)", b[at])
	}
	c.read = min(c.read+n, 2)
	return n, err
}

// Dial dials without a limit. It and DialContext make a Dialer what the SOCKS5
// library dials with.
func (d Dialer) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

// DialContext dials within ctx.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}
