package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// Proxied is the header of the PROXY protocol that a connection begins with, as if
// a load balancer had passed it on (HAProxy's proxy-protocol.txt). What it leaves
// out is the connection's own.
type Proxied struct {
	Version  int    // 1, a line of text, or 2, of bytes
	Family   string // one of ProxyFamilies, or "": that of the addresses
	Datagram bool   // version 2: DGRAM rather than STREAM
	Local    bool   // version 2: LOCAL rather than PROXY: the balancer speaks for itself

	Source, Dest         netip.Addr // not valid: the connection's own
	SourcePort, DestPort uint16     // 0: the connection's own
}

// ProxyFamilies are the words for a family of addresses, of version 1 and of
// version 2; each version takes both.
func ProxyFamilies() []string {
	return []string{"TCP4", "TCP6", "UNKNOWN", "AF_INET", "AF_INET6", "AF_UNSPEC"}
}

// kind is the family as version 1 spells it, "" if the addresses decide.
func (p *Proxied) kind() string {
	switch p.Family {
	case "AF_INET":
		return "TCP4"
	case "AF_INET6":
		return "TCP6"
	case "AF_UNSPEC":
		return "UNKNOWN"
	}
	return p.Family
}

// addressed reports whether p names any address or port.
func (p *Proxied) addressed() bool {
	return p.Source.IsValid() || p.Dest.IsValid() || p.SourcePort != 0 || p.DestPort != 0
}

// Check says what in p contradicts itself, before any connection.
func (p *Proxied) Check() error {
	switch {
	case p.Version != 1 && p.Version != 2:
		return fmt.Errorf("the PROXY protocol has the versions 1 and 2, not %d", p.Version)
	case p.Version == 1 && p.Local:
		return errors.New("LOCAL is of version 2 of the PROXY protocol")
	case p.Version == 1 && p.Datagram:
		return errors.New("DGRAM is of version 2 of the PROXY protocol")
	case p.kind() == "UNKNOWN" && p.addressed():
		return fmt.Errorf("a PROXY header of the family %s has no addresses", p.Family)
	}
	for _, addr := range []netip.Addr{p.Source, p.Dest} {
		if p.kind() == "TCP4" && addr.IsValid() && !addr.Unmap().Is4() {
			return fmt.Errorf("%s does not go with the family %s of the PROXY header", addr, p.Family)
		}
	}
	return nil
}

// header is p on a connection between two addresses, which are not valid where
// the connection has none.
func (p *Proxied) header(local, remote netip.AddrPort) (*proxyproto.Header, error) {
	h := &proxyproto.Header{Version: byte(p.Version), Command: proxyproto.PROXY, TransportProtocol: proxyproto.UNSPEC}
	if p.Local {
		h.Command = proxyproto.LOCAL
	}
	source, dest := p.ends(local, remote)
	kind := p.kind()
	if kind == "" {
		kind = p.choose(source, dest)
	}
	if kind == "UNKNOWN" {
		return h, nil
	}
	if !source.Addr().IsValid() || !dest.Addr().IsValid() {
		return nil, errors.New("the connection has no addresses: its PROXY header needs a source and a destination")
	}
	if kind == "TCP4" && (!source.Addr().Is4() || !dest.Addr().Is4()) {
		return nil, fmt.Errorf("the PROXY header is of the family %s, and the connection's own addresses are not: %s, %s", p.Family, source.Addr(), dest.Addr())
	}
	switch {
	case kind == "TCP4" && p.Datagram:
		h.TransportProtocol = proxyproto.UDPv4
	case kind == "TCP4":
		h.TransportProtocol = proxyproto.TCPv4
	case p.Datagram:
		h.TransportProtocol = proxyproto.UDPv6
	default:
		h.TransportProtocol = proxyproto.TCPv6
	}
	if p.Datagram {
		h.SourceAddr, h.DestinationAddr = net.UDPAddrFromAddrPort(source), net.UDPAddrFromAddrPort(dest)
	} else {
		h.SourceAddr, h.DestinationAddr = net.TCPAddrFromAddrPort(source), net.TCPAddrFromAddrPort(dest)
	}
	return h, nil
}

// ends are what p says of both ends, and what it leaves out from the connection.
func (p *Proxied) ends(local, remote netip.AddrPort) (source, dest netip.AddrPort) {
	end := func(addr netip.Addr, port uint16, own netip.AddrPort) netip.AddrPort {
		if !addr.IsValid() {
			addr = own.Addr()
		}
		if port == 0 {
			port = own.Port()
		}
		return netip.AddrPortFrom(addr.Unmap().WithZone(""), port)
	}
	return end(p.Source, p.SourcePort, local), end(p.Dest, p.DestPort, remote)
}

// choose is the family that both ends can be written in: an IPv4 address beside an
// IPv6 one is mapped into IPv6, as HAProxy does.
func (p *Proxied) choose(source, dest netip.AddrPort) string {
	switch {
	case !p.addressed() && (p.Local || !source.IsValid() || !dest.IsValid()):
		return "UNKNOWN"
	case source.Addr().Is4() && dest.Addr().Is4():
		return "TCP4"
	}
	return "TCP6"
}

// write begins nc, which leads to target, with the header, and gives its words for
// the transcript and, in full, for a note.
func (p *Proxied) write(ctx context.Context, nc net.Conn, target string) (brief, full string, err error) {
	local, _ := netip.ParseAddrPort(addrText(nc.LocalAddr()))
	remote, err := netip.ParseAddrPort(target) // behind a proxy, nc itself leads to that
	if err != nil {
		remote, _ = netip.ParseAddrPort(addrText(nc.RemoteAddr()))
	}
	h, err := p.header(local, remote)
	if err != nil {
		return "", "", err
	}
	bytes, err := h.Format()
	if err != nil {
		return "", "", err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetWriteDeadline(deadline)
		defer func() { _ = nc.SetWriteDeadline(time.Time{}) }()
	}
	if _, err := nc.Write(bytes); err != nil { // whole and at once, as section 2 has it
		return "", "", err
	}
	brief, full = describe(h)
	if p.Version == 1 {
		full = string(bytes[:len(bytes)-len("\r\n")])
	}
	return brief, full, nil
}

// describe says what a header says, in a few words and in full.
func describe(h *proxyproto.Header) (brief, full string) {
	version := fmt.Sprintf("PROXY v%d", h.Version)
	switch {
	case !h.TransportProtocol.IsUnspec():
		return version + " as " + h.SourceAddr.String(), fmt.Sprintf("%s from %s to %s", version, h.SourceAddr, h.DestinationAddr)
	case h.Command.IsLocal():
		version += " LOCAL"
	default:
		version += " UNKNOWN"
	}
	return version, version
}

// addrText is an address as text, "" for none.
func addrText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
