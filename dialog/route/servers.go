package route

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/miekg/dns"
)

const (
	resolvConf = "/etc/resolv.conf"
	dnsPort    = 53
	tlsPort    = 853 // RFC 7858 section 3.1
	tlsScheme  = "tls://"
)

// Server is a recursive server to ask.
type Server struct {
	Addr netip.AddrPort
	TLS  bool   // DNS over TLS (RFC 7858), else UDP and TCP
	Name string // the name that its certificate has to prove; "" is its address
}

// String is the server for people, as ParseServer reads it: 192.0.2.53:53,
// tls://192.0.2.53:853#dns.example.
func (s Server) String() string {
	switch {
	case !s.TLS:
		return s.Addr.String()
	case s.Name == "":
		return tlsScheme + s.Addr.String()
	}
	return tlsScheme + s.Addr.String() + "#" + s.Name
}

// vouches reports whether the server's AD bit may be believed: nobody else can
// have set it on the way (RFC 4035 section 4.9.3, RFC 6698 section 4.1). That is so
// on 127.0.0.1 and ::1 and over TLS. The other addresses of loopback are those of forwarders,
// which hand on the AD bit of whomever they ask: a container's is 127.0.0.11, and
// systemd-resolved on 127.0.0.53 does so in some versions where DO is set.
func (s Server) vouches() bool {
	addr := s.Addr.Addr()
	return s.TLS || addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr == netip.IPv6Loopback()
}

// SystemServers gives the servers that the system asks. The error is a
// *NoServers where there is no resolv.conf or none is in it.
func SystemServers() ([]Server, error) { return serversIn(resolvConf) }

func serversIn(path string) ([]Server, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &NoServers{err}
	}
	defer f.Close()
	conf, err := dns.ClientConfigFromReader(f)
	if err != nil {
		return nil, &NoServers{fmt.Errorf("%s: %w", path, err)}
	}
	var servers []Server
	for _, s := range conf.Servers {
		if addr, err := netip.ParseAddr(s); err == nil {
			servers = append(servers, Server{Addr: netip.AddrPortFrom(addr.Unmap(), dnsPort)})
		}
	}
	if len(servers) == 0 {
		return nil, &NoServers{errors.New(path + " has no nameserver line with an address")}
	}
	return servers, nil
}

// ServerError is a text that names no server, and why.
type ServerError struct{ Server, Rule string }

func (e *ServerError) Error() string { return fmt.Sprintf("dns server %q: %s", e.Server, e.Rule) }

// ParseServer reads ADDR or ADDR:PORT, with ADDR in brackets if it is an IPv6
// address with a port, and tls://ADDR[:PORT][#NAME] for DNS over TLS, where an IPv6
// address always has brackets. The port is 53, with TLS 853, if it is left out. A name in place of
// the address is refused: who would look it up? The error is a *ServerError.
func ParseServer(s string) (Server, error) {
	wrong := func(rule string) (Server, error) { return Server{}, &ServerError{s, rule} }
	server, port, rest := Server{}, uint16(dnsPort), s
	if len(s) >= len(tlsScheme) && strings.EqualFold(s[:len(tlsScheme)], tlsScheme) {
		var name string
		var named bool
		if rest, name, named = strings.Cut(s[len(tlsScheme):], "#"); named {
			if _, err := netip.ParseAddr(name); err == nil {
				return wrong("without # and a name its certificate has to prove its address")
			}
			_, ascii, err := ParseDomain(name)
			if err != nil {
				return wrong("behind # stands the name that its certificate has to prove, or neither: " + ruleOf(err))
			}
			server.Name = ascii
		}
		server.TLS, port = true, tlsPort
	}
	addr, ok := parseAddrPort(rest, port)
	switch {
	case ok && server.TLS && addr.Addr().Is6() && !strings.HasPrefix(rest, "["):
		return wrong("an IPv6 address stands in brackets there: tls://[2001:db8::53]")
	case ok && addr.Port() == 0:
		return wrong("its port is 0")
	case ok:
		server.Addr = addr
		return server, nil
	case server.TLS:
		return wrong("it is tls://ADDR[:PORT][#NAME] with an IP address, such as tls://192.0.2.53#dns.example or tls://[2001:db8::53]")
	case strings.Contains(s, "://"):
		return wrong("it is an IP address, with a port or without, or tls:// and one")
	case strings.Contains(s, "#"):
		return wrong("a name to prove goes with TLS: tls://ADDR[:PORT]#NAME")
	}
	return wrong("it is an IP address, with a port or without, such as 192.0.2.53 or [2001:db8::53]:5353")
}

// parseAddrPort reads ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT.
func parseAddrPort(s string, port uint16) (netip.AddrPort, bool) {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		if inner, ok := strings.CutPrefix(s, "["); ok {
			if inner, ok = strings.CutSuffix(inner, "]"); ok {
				s = inner
			}
		}
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return ap, false
		}
		ap = netip.AddrPortFrom(addr, port)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}

// ruleOf is the rule that a domain breaks, without the domain.
func ruleOf(err error) string {
	var e *DomainError
	if errors.As(err, &e) {
		return e.Rule
	}
	return err.Error()
}
