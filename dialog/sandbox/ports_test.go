package sandbox

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestPorts(t *testing.T) {
	w := start(t, Options{Ports: "127.0.0.1:0"})
	services := 0
	for _, s := range w.scenarios {
		for _, h := range s.Hosts {
			services += len(h.Services)
		}
	}
	if got := len(w.Ports()); got != services {
		t.Fatalf("%d ports for %d services", got, services)
	}
	for _, p := range w.Ports() {
		if p.Domain != "plain.test" {
			continue
		}
		c, err := net.Dial("tcp", p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "220 "+p.Host+" ") || p.Port != 25 || p.TLS {
			t.Errorf("%+v: %q, %v", p, line, err)
		}
		_ = c.Close()
	}
	if w := start(t, Options{}); w.Ports() != nil {
		t.Error("ports that nobody asked for")
	}
}

// TestPortsInOrder wants each service at the port behind the one before it.
func TestPortsInOrder(t *testing.T) {
	few := Scenarios()[:3]
	var w *World
	for try := 0; w == nil; try++ { // the ports behind a free one may be taken
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		first := l.Addr().String()
		_ = l.Close()
		if w, err = Start(t.Context(), Options{Ports: first, Scenarios: few}); err != nil && try > 20 {
			t.Fatal(err)
		}
	}
	defer func() { _ = w.Close() }()
	for i, p := range w.Ports() {
		want := netip.MustParseAddrPort(w.Ports()[0].Addr).Port() + uint16(i)
		if got := netip.MustParseAddrPort(p.Addr).Port(); got != want {
			t.Errorf("%s: %d, want %d", p.Host, got, want)
		}
	}
	for _, bad := range []string{"127.0.0.1:65535", "localhost", "192.0.2.1:1"} {
		if w, err := Start(t.Context(), Options{Ports: bad}); err == nil {
			_ = w.Close()
			t.Errorf("%s was taken", bad)
		}
	}
}
