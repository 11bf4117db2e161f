package route

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

// FuzzRoute takes arbitrary bytes as the packets of a server: those up to the first
// mark answer the first question, and so on by turns. Whatever they hold, a route keeps
// to its limits, dials only addresses that the owner chain of an answer led to,
// and only hosts whose names are host names.
func FuzzRoute(f *testing.F) {
	const mark = "\x00\xff\x00\xff"
	for _, text := range []string{
		chain(3), chain(9), "example.net. 0 IN MX 0 .",
		"example.net. 60 IN MX 10 mx.test.\nexample.net. 60 IN MX 10 192.0.2.1.\nmx.test. 60 IN A 192.0.2.1\nmx.test. 60 IN AAAA ::1",
		"example.net. 60 IN A 0.0.0.0\nexample.net. 60 IN AAAA ff02::1",
		"example.net. 60 IN CNAME a0.test.\n" + chain(2),
		`example.net. 60 IN MX 1 a\.b\000.test.`,
	} {
		z := newZone(f, text)
		var packets []string
		for _, q := range []question{{"example.net.", dns.TypeMX}, {"mx.test.", dns.TypeA}, {"mx.test.", dns.TypeAAAA}} {
			packets = append(packets, string(pack(f, z.message(q))))
		}
		f.Add([]byte(strings.Join(packets, mark)), uint8(0))
	}
	f.Add([]byte("garbage"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, family uint8) {
		packets := strings.Split(string(data), mark)
		asked, led := 0, map[netip.Addr]bool{}
		ask := func(_ context.Context, q question) (*reply, error) {
			packet := []byte(packets[asked%len(packets)])
			asked++
			m := answerOf(packet)
			if m == nil {
				return nil, q.fail(Server{}, Malformed, nil)
			}
			ledTo(led, m, q)
			return decode(q, m, "test")
		}
		rt, err := To(t.Context(), counted(ask), "example.net", 25, Options{Family: Family(family % 3)})

		if asked > maxQueries || len(rt.Hosts) > maxHosts || len(rt.Aliases) > maxAliases {
			t.Errorf("%d questions, %d hosts, aliases %q", asked, len(rt.Hosts), rt.Aliases)
		}
		dialled := 0
		for _, h := range rt.Hosts {
			if len(h.Addrs) > maxAddresses || len(h.Aliases) > maxAliases {
				t.Errorf("%d addresses, aliases %q", len(h.Addrs), h.Aliases)
			}
			for _, addr := range h.Addrs {
				if !led[addr] {
					t.Errorf("%s: %s came from nowhere", h.Name, addr)
				}
				if f, bad := Special(addr); bad && f.Fail {
					t.Errorf("%s: %s would be dialled", h.Name, addr)
				}
			}
			dialled += len(h.Addrs)
			if len(h.Addrs) > 0 && looseRule(h.Name) != "" {
				t.Errorf("%q would be dialled", h.Name)
			}
		}
		var none *NoRoute
		if (err == nil) != (dialled > 0) || err != nil && !errors.As(err, &none) {
			t.Errorf("%d addresses and %v", dialled, err)
		}
		event := Resolved{rt, err}
		if _, err := json.Marshal(event); err != nil || len(event.Lines()) == 0 {
			t.Error(err)
		}
	})
}

// answerOf reads packet as an answer, whatever its id and
// question are.
func answerOf(packet []byte) *dns.Msg {
	if len(packet) < 12 {
		return nil
	}
	m := new(dns.Msg)
	binary.BigEndian.PutUint16(packet, 1)
	if err := m.Unpack(packet); err != nil {
		return nil
	}
	return m
}

// ledTo notes the addresses in m that the name asked for leads to: each owner that
// is the name itself or the target of an alias whose owner is such a name.
func ledTo(led map[netip.Addr]bool, m *dns.Msg, q question) {
	names := map[string]bool{q.name: true}
	for range m.Answer {
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CNAME); ok && names[strings.ToLower(c.Hdr.Name)] {
				names[strings.ToLower(c.Target)] = true
			}
		}
	}
	for _, rr := range m.Answer {
		if !names[strings.ToLower(rr.Header().Name)] {
			continue
		}
		switch rr := rr.(type) {
		case *dns.A:
			addr, _ := netip.AddrFromSlice(rr.A.To4())
			led[addr] = true
		case *dns.AAAA:
			addr, _ := netip.AddrFromSlice(rr.AAAA)
			led[addr] = true
		}
	}
}

// FuzzTLSA: the data of a TLSA record is read as RFC 6698 section 2.1 lays it out, octet
// by octet, and stands for nothing if it is too short for that.
func FuzzTLSA(f *testing.F) {
	c := mutate.For(f)
	c.Add([]byte("\x03\x01\x01" + strings.Repeat("\xab", 32)))
	c.Add([]byte("\x02\x00\x00\x30\x82"))
	c.Add([]byte("\x03\x01"))
	c.Limits(3, 3+32, 3+64)
	packet := make([]byte, 0, 4096)
	mutate.Fuzz1(c, func(t testing.TB, rdata []byte) {
		packet = append(packet[:0], 0, 0, byte(dns.TypeTLSA), 0, byte(dns.ClassINET), 0, 0, 0, 60, byte(len(rdata)>>8), byte(len(rdata)))
		packet = append(packet, rdata...)
		rr, _, err := dns.UnpackRR(packet, 0)
		if err != nil {
			if len(rdata) >= 3 && len(rdata) < 1<<16 {
				t.Fatalf("%x is refused: %v", rdata, err)
			}
			return
		}
		r, ok := pickTLSA(rr)
		if len(rdata) < 3 {
			if ok && len(r.Data) > 0 {
				t.Fatalf("%x is %+v", rdata, r)
			}
			return
		}
		if !ok || len(rdata) < 1<<16 && (r.Usage != rdata[0] || r.Selector != rdata[1] || r.Matching != rdata[2] || !bytes.Equal(r.Data, rdata[3:])) {
			t.Fatalf("%x is %+v, %v", rdata, r, ok)
		}
	})
}

// FuzzParseDomain states that what is taken is a host name, and that both of its
// forms lead back to it.
func FuzzParseDomain(f *testing.F) {
	for _, s := range []string{"example.net.", "B\u00fccher.example", "xn--bcher-kva.example", "例え。テスト", "a..b", "192.0.2.1", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, a, err := ParseDomain(s)
		if err != nil {
			var e *DomainError
			if !errors.As(err, &e) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if hostRule(a) != "" || a != strings.ToLower(a) {
			t.Errorf("%q: took %q", s, a)
		}
		for _, form := range []string{u, a} {
			u2, a2, err := ParseDomain(form)
			if err != nil || u2 != u || a2 != a {
				t.Errorf("%q: %q and %q, again %q and %q, %v", s, u, a, u2, a2, err)
			}
		}
	})
}

// FuzzParseServer states that what is taken can be dialled, says itself the same again, and
// that what vouches is on this host or proves itself.
func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"192.0.2.53", "[2001:db8::53]:5353", "tls://192.0.2.53#dns.example", "tls://[::1]:853", "fe80::1%eth0",
		"tls://[fe80::1%a]b]#c", "::ffff:127.0.0.1", "127.0.0.53", "tls://dns.example", "192.0.2.53#x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		server, err := ParseServer(s)
		if err != nil {
			if server != (Server{}) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q: %v, %v", s, server, err)
			}
			return
		}
		if !server.Addr.IsValid() || server.Addr.Port() == 0 || server.Name != "" && (!server.TLS || hostRule(server.Name) != "") {
			t.Errorf("%q: took %+v", s, server)
		}
		if again, err := ParseServer(server.String()); err != nil || again != server {
			t.Errorf("%q: %v is read as %v, %v", s, server, again, err)
		}
		addr := server.Addr.Addr().String()
		if server.vouches() != (server.TLS || addr == "127.0.0.1" || addr == "::1") {
			t.Errorf("%q: vouches %v", s, server.vouches())
		}
	})
}
