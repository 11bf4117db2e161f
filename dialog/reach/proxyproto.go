package reach

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
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

// proxyHeader is p on one connection.
type proxyHeader struct {
	*Proxied
	family       string // "TCP4", "TCP6", "UNKNOWN"
	source, dest netip.AddrPort
}

// header is p on a connection between two addresses, which are not valid where
// the connection has none.
func (p *Proxied) header(local, remote netip.AddrPort) (*proxyHeader, error) {
	source, dest := p.ends(local, remote)
	h := &proxyHeader{p, p.kind(), source, dest}
	if h.family == "" {
		h.family = p.choose(source, dest)
	}
	switch {
	case h.family == "UNKNOWN":
	case !source.Addr().IsValid() || !dest.Addr().IsValid():
		return nil, errors.New("the connection has no addresses: its PROXY header needs a source and a destination")
	case h.family == "TCP4" && (!source.Addr().Is4() || !dest.Addr().Is4()):
		return nil, fmt.Errorf("the PROXY header is of the family %s, and the connection's own addresses are not: %s, %s", p.Family, source.Addr(), dest.Addr())
	}
	return h, nil
}

// bytes are the header as it is sent (sections 2.1 and 2.2).
func (h *proxyHeader) bytes() []byte {
	switch {
	case h.Version == 1 && h.family == "UNKNOWN":
		return []byte("PROXY UNKNOWN\r\n")
	case h.Version == 1 && h.family == "TCP6":
		return fmt.Appendf(nil, "PROXY TCP6 %s %s %d %d\r\n", mapped(h.source.Addr()), mapped(h.dest.Addr()), h.source.Port(), h.dest.Port())
	case h.Version == 1:
		return fmt.Appendf(nil, "PROXY TCP4 %s %s %d %d\r\n", h.source.Addr(), h.dest.Addr(), h.source.Port(), h.dest.Port())
	}
	var addresses []byte
	transport := byte(0x01) // STREAM
	if h.Datagram {
		transport = 0x02
	}
	switch h.family {
	case "UNKNOWN":
		transport = 0
	case "TCP4":
		transport |= 0x10
		addresses = append(h.source.Addr().AsSlice(), h.dest.Addr().AsSlice()...)
	case "TCP6":
		transport |= 0x20
		addresses = append(mapped(h.source.Addr()).AsSlice(), mapped(h.dest.Addr()).AsSlice()...)
	}
	if transport != 0 {
		addresses = binary.BigEndian.AppendUint16(addresses, h.source.Port())
		addresses = binary.BigEndian.AppendUint16(addresses, h.dest.Port())
	}
	command := byte(0x21) // version 2, PROXY
	if h.Local {
		command = 0x20
	}
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, transport)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(addresses))), addresses...)
}

// mapped is an address as one of IPv6 (RFC 4291 section 2.5.5.2).
func mapped(addr netip.Addr) netip.Addr { return netip.AddrFrom16(addr.As16()) }

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
	bytes := h.bytes()
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetWriteDeadline(deadline)
		defer func() { _ = nc.SetWriteDeadline(time.Time{}) }()
	}
	if _, err := nc.Write(bytes); err != nil { // whole and at once, as section 2 has it
		return "", "", err
	}
	brief, full = h.describe()
	if p.Version == 1 {
		full = string(bytes[:len(bytes)-len("\r\n")])
	}
	return brief, full, nil
}

// describe says what a header says, in a few words and in full.
func (h *proxyHeader) describe() (brief, full string) {
	version := fmt.Sprintf("PROXY v%d", h.Version)
	switch {
	case h.family != "UNKNOWN":
		return fmt.Sprintf("%s as %s", version, h.source), fmt.Sprintf("%s from %s to %s", version, h.source, h.dest)
	case h.Local:
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
