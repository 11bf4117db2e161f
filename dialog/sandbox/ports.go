package sandbox

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Port is where one service of the world listens on loopback, for clients that
// know neither its DNS nor SOCKS.
type Port struct {
	Domain string // good.test
	Host   string // mx1.good.test
	Port   uint16 // that it plays: 25
	TLS    bool   // from the first byte on
	Addr   string // where it listens: 127.0.0.1:2500
}

// Ports are the services that listen because Options.Ports asked for it, in the
// order of the table; nil without.
func (w *World) Ports() []Port { return w.listening }

// listenAll starts every server at the ports from Options.Ports on.
func (w *World) listenAll() error {
	if w.opt.Ports == "" {
		return nil
	}
	hosts := w.hosts()
	for i := range w.scenarios {
		s := &w.scenarios[i]
		for _, h := range s.Hosts {
			for _, v := range h.Services {
				a := netip.MustParseAddr(strings.Fields(h.Addrs)[0]).String()
				server, err := hosts[a].ports[v.port()]()
				if err != nil {
					return fmt.Errorf("sandbox: port of %s: %w", s.hostname(h), err)
				}
				w.listening = append(w.listening, Port{Domain: s.domain(), Host: server.name, Port: v.port(),
					TLS: v.TLS, Addr: server.addr})
			}
		}
	}
	return nil
}

// listener is the next service's: at the next port of those asked for, else at
// a free one of 127.0.0.1.
func (w *World) listener() (net.Listener, error) {
	w.ports.Lock()
	defer w.ports.Unlock()
	if w.opt.Ports == "" {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	next, err := netip.ParseAddrPort(w.opt.Ports)
	if err != nil {
		return nil, err
	}
	if next.Port() != 0 {
		if int(next.Port())+int(w.given) >= 1<<16 {
			return nil, fmt.Errorf("no port is left from %s on", w.opt.Ports)
		}
		next = netip.AddrPortFrom(next.Addr(), next.Port()+w.given)
		w.given++
	}
	return net.Listen("tcp", next.String())
}
