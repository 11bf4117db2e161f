package route

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseDomain(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tt := range []struct{ in, u, a string }{
		{"example.net", "example.net", "example.net"},
		{"Example.NET.", "example.net", "example.net"},
		{"test", "test", "test"},
		{"1.2.example", "1.2.example", "1.2.example"},
		{"r3---sn-x.example", "r3---sn-x.example", "r3---sn-x.example"},
		{"BÜCHER.example", "bücher.example", "xn--bcher-kva.example"},
		{"xn--bcher-kva.example", "bücher.example", "xn--bcher-kva.example"},
		{"XN--BCHER-KVA.example", "bücher.example", "xn--bcher-kva.example"},
		{"例え。テスト", "例え.テスト", "xn--r8jz45g.xn--zckzah"},
		{"straße.example", "straße.example", "xn--strae-oqa.example"},
		{long + "." + long + "." + long + "." + long[:61], "", long + "." + long + "." + long + "." + long[:61]},
	} {
		u, a, err := ParseDomain(tt.in)
		if err != nil || a != tt.a || tt.u != "" && u != tt.u {
			t.Errorf("%s: %q %q %v", tt.in, u, a, err)
		}
		if !ValidDomain(tt.in) {
			t.Errorf("%s is not valid", tt.in)
		}
	}
	for in, rule := range map[string]string{
		"":                                "it is empty",
		".":                               "it is empty",
		"a..b":                            "an empty label",
		".a":                              "an empty label",
		"a.b..":                           "an empty label",
		long + "a.test":                   "a label of 64 octets",
		strings.Repeat("ü", 60) + ".test": "a label of 6",
		long + "." + long + "." + long + "." + long[:62]: "254 octets",
		"a b.test":      "the character ' '",
		"a_b.test":      "the character '_'",
		"a\r\nb.test":   "the character '\\r'",
		"a@b.test":      "the character '@'",
		`a\.b.test`:     "the character '\\\\'",
		"-a.test":       "begins or ends with a hyphen",
		"a-.test":       "begins or ends with a hyphen",
		"192.0.2.1":     "an address, not a domain: write [192.0.2.1]",
		"2001:db8::1":   "an address, not a domain",
		"[192.0.2.1]":   "an address literal",
		"1.2.3":         "all digits",
		"256.0.0.1":     "all digits",
		"\xff.test":     "",
		"a\u202eb.test": "",
		"xn--a.test":    "",
		"٠.١.٢.٣":       "",
	} {
		_, _, err := ParseDomain(in)
		var e *DomainError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), rule) || e.Domain != in {
			t.Errorf("%q: want %q, got %v", in, rule, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q: an error of several lines: %v", in, err)
		}
	}
}

func TestParseLiteral(t *testing.T) {
	for in, want := range map[string]string{
		"[192.0.2.1]": "192.0.2.1", "[IPv6:2001:db8::1]": "2001:db8::1", "[ipv6:::1]": "::1",
		"[2001:db8::1]": "2001:db8::1", "[fe80::1%eth0]": "fe80::1%eth0",
	} {
		if addr, ok, err := parseLiteral(in); !ok || err != nil || addr.String() != want {
			t.Errorf("%s: %v %v %v", in, addr, ok, err)
		}
	}
	for _, in := range []string{"[", "[]", "[192.0.2.1", "[192.0.2]", "[IPv6:192.0.2.1]", "[IPv6:fe80::1%eth0]", "[example.net]", "[IPv6:]"} {
		var e *DomainError
		if _, ok, err := parseLiteral(in); !ok || !errors.As(err, &e) {
			t.Errorf("%s: %v %v", in, ok, err)
		}
	}
}

func TestServers(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.53": "192.0.2.53:53", "192.0.2.53:5353": "192.0.2.53:5353", "2001:db8::53": "[2001:db8::53]:53",
		"::ffff:192.0.2.53": "192.0.2.53:53", "tls://192.0.2.53": "tls://192.0.2.53:853", "TLS://192.0.2.53:8853#Dns.Example.": "tls://192.0.2.53:8853#dns.example",
		"tls://[2001:db8::53]": "tls://[2001:db8::53]:853", "tls://[2001:db8::53]:853#dns.example": "tls://[2001:db8::53]:853#dns.example",
		"[2001:db8::53]": "[2001:db8::53]:53", "[2001:db8::53]:5353": "[2001:db8::53]:5353", "fe80::1%eth0": "[fe80::1%eth0]:53",
	} {
		if got, err := ParseServer(in); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "dns.test", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:70000", "[192.0.2.53", ":53", "192.0.2.53:53:53",
		"tls://", "tls://#dns.test", "tls://dns.test", "tls://dns.test:853#dns.test", "tls://192.0.2.53#", "tls://192.0.2.53#192.0.2.53",
		"tls://192.0.2.53#a..b", "tls://192.0.2.53#a#b", "tls://192.0.2.53/", "tls://2001:db8::53", "tls://192.0.2.53:0", "tcp://192.0.2.53",
		"https://192.0.2.53", "192.0.2.53#dns.test", "tls:192.0.2.53"} {
		got, err := ParseServer(in)
		var wrong *ServerError
		if !errors.As(err, &wrong) || wrong.Rule == "" || wrong.Server != in || got != (Server{}) {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}

	path := filepath.Join(t.TempDir(), "resolv.conf")
	write(t, path, "search test\nnameserver 192.0.2.53\nnameserver nonsense\nnameserver fe80::1%eth0\noptions rotate\n")
	servers, err := serversIn(path)
	if err != nil || len(servers) != 2 || servers[0].String() != "192.0.2.53:53" {
		t.Errorf("%v, %v", servers, err)
	}
	write(t, path, "search test\n")
	for _, path := range []string{path, path + ".missing"} {
		var none *NoServers
		if _, err := serversIn(path); !errors.As(err, &none) || !strings.Contains(err.Error(), "--dns-server") {
			t.Error(err)
		}
	}
}

func TestHostsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "# a comment\n127.0.0.1 localhost\n192.0.2.7\tMail.test. mail # mail2\nbad mail\n2001:db8::7 mail\n192.0.2.7 mail\n192.0.2.8\n")
	for host, want := range map[string]string{
		"mail": "192.0.2.7 2001:db8::7", "MAIL.TEST": "192.0.2.7", "mail.test.": "192.0.2.7", "mail2": "", "": "",
	} {
		addrs, err := HostsFile(path, host)
		if err != nil || spaced(addrs) != want {
			t.Errorf("%s: %v, %v", host, addrs, err)
		}
	}
	if addrs, err := HostsFile(path+".missing", "mail"); addrs != nil || err != nil {
		t.Error(addrs, err)
	}
	if _, err := HostsFile(filepath.Dir(path), "mail"); err == nil {
		t.Error("a directory was read")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every block begins and ends where its RFC says.
func TestSpecial(t *testing.T) {
	for addr, id := range map[string]string{
		"0.0.0.0": "unspecified", "9.255.255.255": "", "10.0.0.0": "private", "10.255.255.255": "private", "11.0.0.0": "",
		"100.63.255.255": "", "100.64.0.0": "shared", "100.127.255.255": "shared", "100.128.0.0": "",
		"127.0.0.1": "loopback", "169.254.1.1": "link-local", "172.15.255.255": "", "172.16.0.0": "private",
		"172.31.255.255": "private", "172.32.0.0": "", "192.168.1.1": "private", "192.169.0.0": "", "198.18.0.1": "benchmark",
		"224.0.0.1": "multicast", "255.255.255.255": "reserved", "192.0.2.1": "", "198.51.100.1": "", "203.0.113.1": "",
		"::": "unspecified", "::1": "loopback", "fc00::1": "private", "fdff::1": "private", "fe80::1": "link-local",
		"fe80::1%eth0": "link-local", "fec0::1": "private", "ff02::1": "multicast", "2001:db8::1": "", "2a00::1": "",
		"100::1": "discard", "64:ff9b:1::1": "private", "64:ff9b::1": "", "::ffff:10.0.0.1": "private", "::ffff:192.0.2.1": "",
	} {
		f, bad := Special(netip.MustParseAddr(addr))
		if f.ID != id || bad != (id != "") || bad && (f.Text == "" || !f.Address.IsValid()) {
			t.Errorf("%s: %+v", addr, f)
		}
		if wrong := id == "unspecified" || id == "multicast" || id == "reserved"; f.Fail != wrong {
			t.Errorf("%s: fail %v", addr, f.Fail)
		}
	}
}
