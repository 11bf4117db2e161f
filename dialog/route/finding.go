package route

import "net/netip"

// Finding is something about a domain or a host that its owner should know.
type Finding struct {
	ID      string     `json:"id"`
	Fail    bool       `json:"fail"` // mail is lost or delayed by it
	Text    string     `json:"text"`
	Address netip.Addr `json:"address,omitzero"` // the address it concerns, if one
}

// special is a block of addresses that no stranger reaches.
type special struct {
	prefix string
	id     string
	text   string
	fail   bool // no host has such an address: it is never dialled
}

// specials is what the registries of RFC 6890 set apart, without the blocks for
// documentation (RFC 5737, RFC 3849), on which examples and tests live. The first that fits counts.
func specials() []special {
	const inside = "private address: only a sender inside that network reaches it "
	return []special{
		{"0.0.0.0/8", "unspecified", "address of no host: a sender cannot use it (RFC 1122 section 3.2.1.3)", true},
		{"10.0.0.0/8", "private", inside + "(RFC 1918)", false},
		{"100.64.0.0/10", "shared", "carrier's shared address: only a sender inside that network reaches it (RFC 6598)", false},
		{"127.0.0.0/8", "loopback", "loopback address: each sender reaches itself (RFC 1122 section 3.2.1.3)", false},
		{"169.254.0.0/16", "link-local", "link-local address: only a sender on the same link reaches it (RFC 3927)", false},
		{"172.16.0.0/12", "private", inside + "(RFC 1918)", false},
		{"192.168.0.0/16", "private", inside + "(RFC 1918)", false},
		{"198.18.0.0/15", "benchmark", "address for benchmarks: nobody reaches it over the Internet (RFC 2544)", false},
		{"224.0.0.0/4", "multicast", "multicast address: a sender cannot connect to it (RFC 5771)", true},
		{"240.0.0.0/4", "reserved", "reserved address: a sender cannot connect to it (RFC 1112 section 4)", true},
		{"::/128", "unspecified", "address of no host: a sender cannot use it (RFC 4291 section 2.5.2)", true},
		{"::1/128", "loopback", "loopback address: each sender reaches itself (RFC 4291 section 2.5.3)", false},
		{"64:ff9b:1::/48", "private", "translated address: only a sender inside that network reaches it (RFC 8215)", false},
		{"100::/64", "discard", "discard-only address: what is sent there is thrown away (RFC 6666)", false},
		{"fc00::/7", "private", inside + "(RFC 4193)", false},
		{"fe80::/10", "link-local", "link-local address: only a sender on the same link reaches it (RFC 4291 section 2.5.6)", false},
		{"fec0::/10", "private", "site-local address: only a sender inside that network reaches it (RFC 3879)", false},
		{"ff00::/8", "multicast", "multicast address: a sender cannot connect to it (RFC 4291 section 2.7)", true},
	}
}

// Special tells whether addr is one that a stranger on the Internet does not
// reach, and why. An IPv4 address mapped into IPv6 is judged as itself.
func Special(addr netip.Addr) (Finding, bool) {
	plain := addr.Unmap().WithZone("")
	for _, s := range specials() {
		if netip.MustParsePrefix(s.prefix).Contains(plain) {
			return Finding{ID: s.id, Fail: s.fail, Text: s.text, Address: addr}, true
		}
	}
	return Finding{}, false
}
