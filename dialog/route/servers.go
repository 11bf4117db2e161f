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
)

// SystemServers gives the servers that the system asks. The error is a
// *NoServers where there is no resolv.conf or none is in it.
func SystemServers() ([]netip.AddrPort, error) { return serversIn(resolvConf) }

func serversIn(path string) ([]netip.AddrPort, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &NoServers{err}
	}
	defer f.Close()
	conf, err := dns.ClientConfigFromReader(f)
	if err != nil {
		return nil, &NoServers{fmt.Errorf("%s: %w", path, err)}
	}
	var servers []netip.AddrPort
	for _, s := range conf.Servers {
		if addr, err := netip.ParseAddr(s); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, dnsPort))
		}
	}
	if len(servers) == 0 {
		return nil, &NoServers{errors.New(path + " names none")}
	}
	return servers, nil
}

// ParseServer reads ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT; the port is 53 if
// it is left out. A name is refused: who would look it up?
func ParseServer(s string) (netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		if ap.Port() == 0 {
			return netip.AddrPort{}, fmt.Errorf("dns server %q: port 0", s)
		}
		return ap, nil
	}
	bare := s
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			bare = inner
		}
	}
	addr, err := netip.ParseAddr(bare)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("dns server %q: not ADDR or ADDR:PORT, such as 192.0.2.53 or [2001:db8::53]:5353", s)
	}
	return netip.AddrPortFrom(addr, dnsPort), nil
}
