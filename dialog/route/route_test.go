package route

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// unshuffled leaves hosts of the same preference as the answer has them.
func unshuffled(int, func(int, int)) {}

// drawn is a route and its findings on lines: what a caller would act on.
func drawn(rt Route, err error) string {
	var b strings.Builder
	for _, f := range rt.Findings {
		fmt.Fprintf(&b, "%s\n", f.ID)
	}
	for _, h := range rt.Hosts {
		fmt.Fprintf(&b, "%d %s [%s]", h.Pref, h.Name, spaced(h.Addrs))
		for _, f := range h.Findings {
			fmt.Fprintf(&b, " %s", f.ID)
			if f.Fail {
				b.WriteString("!")
			}
		}
		b.WriteString("\n")
	}
	var none *NoRoute
	if errors.As(err, &none) {
		fmt.Fprintf(&b, "%s, definite %v\n", none.Why, none.Definite())
	} else if err != nil {
		fmt.Fprintf(&b, "%v\n", err)
	}
	return b.String()
}

func TestTo(t *testing.T) {
	c, _ := world(t, `
		mx1.test. 300 IN A 192.0.2.10
		mx1.test. 300 IN AAAA 2001:db8::10
		mx2.test. 300 IN A 192.0.2.20
		text.test. 300 IN TXT "no address"
		alias.test. 300 IN CNAME mx1.test.
		broken.test. SERVFAIL
		closed.test. REFUSED
		localhost. 300 IN A 192.0.2.66
		192.0.2.9. 300 IN A 192.0.2.66
		a\.b.test. 300 IN A 192.0.2.66
		x_y.test. 300 IN A 192.0.2.30
		single. 300 IN A 192.0.2.31

		two.test. 300 IN MX 20 mx2.test.
		two.test. 300 IN MX 10 MX1.test.
		implicit.test. 300 IN A 192.0.2.1
		nothing.test. 300 IN TXT "x"
		null.test. 300 IN MX 0 .
		nullodd.test. 300 IN MX 10 .
		nullamong.test. 300 IN MX 0 .
		nullamong.test. 300 IN MX 10 mx1.test.
		dead.test. 300 IN MX 10 gone.test.
		dead.test. 300 IN MX 20 text.test.
		half.test. 300 IN MX 10 broken.test.
		half.test. 300 IN MX 20 mx2.test.
		unknown.test. 300 IN MX 10 broken.test.
		unknown.test. 300 IN MX 20 gone.test.
		cname.test. 300 IN MX 10 alias.test.
		names.test. 300 IN MX 10 192.0.2.9.
		names.test. 300 IN MX 20 localhost.
		names.test. 300 IN MX 30 a\.b.test.
		names.test. 300 IN MX 40 x_y.test.
		names.test. 300 IN MX 50 single.
		names.test. 300 IN MX 60 -bad.test.
		twice.test. 300 IN MX 10 mx1.test.
		twice.test. 300 IN MX 20 mx1.test.
		inside.test. 300 IN MX 10 inside-mx.test.
		inside-mx.test. 300 IN A 10.0.0.5
		inside-mx.test. 300 IN A 0.0.0.0
		inside-mx.test. 300 IN AAAA ::ffff:127.0.0.1
		zero.test. 300 IN MX 10 zero-mx.test.
		zero-mx.test. 300 IN A 0.0.0.0
		zero-mx.test. 300 IN AAAA ff02::1
		moved.test. 300 IN CNAME two.test.
		xn--r8jz45g.test. 300 IN MX 10 mx2.test.
	`)
	for _, tt := range []struct{ domain, want string }{
		{"two.test", "10 mx1.test [192.0.2.10 2001:db8::10]\n20 mx2.test [192.0.2.20]\n"},
		{"moved.test", "10 mx1.test [192.0.2.10 2001:db8::10]\n20 mx2.test [192.0.2.20]\n"},
		{"例え.test", "10 mx2.test [192.0.2.20]\n"},
		{"implicit.test", "0 implicit.test [192.0.2.1]\n"},
		{"nothing.test", "0 nothing.test []\nno MX record and no address, definite true\n"},
		{"gone.test", "no such name (NXDOMAIN), definite true\n"},
		{"broken.test", "the DNS could not say, definite false\n"},
		{"closed.test", "the DNS could not say, definite false\n"},
		{"null.test", "takes no mail, as its null MX says (RFC 7505), definite true\n"},
		{"nullodd.test", "null-odd\ntakes no mail, as its null MX says (RFC 7505), definite true\n"},
		{"nullamong.test", "null-among-others\n10 mx1.test [192.0.2.10 2001:db8::10]\n"},
		{"dead.test", "10 gone.test [] no-such-host!\n20 text.test [] no-address!\nno host with an address to connect to, definite true\n"},
		{"half.test", "10 broken.test [] lookup-failed!\n20 mx2.test [192.0.2.20]\n"},
		{"unknown.test", "10 broken.test [] lookup-failed!\n20 gone.test [] no-such-host!\nthe DNS could not say, definite false\n"},
		{"cname.test", "10 alias.test [192.0.2.10 2001:db8::10] alias\n"},
		{"names.test", "10 192.0.2.9 [] address-as-name!\n20 localhost [] localhost!\n30 a\\.b.test [] bad-name!\n" +
			"40 x_y.test [192.0.2.30] underscore\n50 single [192.0.2.31] single-label\n60 -bad.test [] bad-name!\n"},
		{"twice.test", "10 mx1.test [192.0.2.10 2001:db8::10] duplicate\n"},
		{"inside.test", "10 inside-mx.test [10.0.0.5 ::ffff:127.0.0.1] private loopback mapped unspecified!\n"},
		{"zero.test", "10 zero-mx.test [] unspecified! multicast!\nno host with an address to connect to, definite true\n"},
		{"localhost", "0 localhost [127.0.0.1 ::1]\n"},
		{"[192.0.2.1]", "0  [192.0.2.1]\n"},
		{"[IPv6:2001:db8::1]", "0  [2001:db8::1]\n"},
		{"[IPv6:x]", "domain \"[IPv6:x]\": not an address: write [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 section 4.1.3)\n"},
		{"a..b", "domain \"a..b\": an empty label: two dots in a row, or one at the start\n"},
	} {
		rt, err := To(background(t), c, tt.domain, 25, Options{Shuffle: unshuffled})
		if diff := cmp.Diff(tt.want, drawn(rt, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.domain, diff)
		}
		if rt.Port != 25 || rt.Domain != tt.domain {
			t.Errorf("%s: domain %q, port %d", tt.domain, rt.Domain, rt.Port)
		}
	}
}

// The character that makes a name no host's is named as it came.
func TestEscapedNames(t *testing.T) {
	c, _ := world(t, `
		odd.test. 300 IN MX 10 a\027[2J.odd.test.
		odd.test. 300 IN MX 20 b\228.odd.test.
		odd.test. 300 IN MX 30 c\.d.odd.test.
		odd.test. 300 IN MX 40 e\032f.odd.test.
	`)
	rt, _ := To(background(t), c, "odd.test", 25, Options{})
	if len(rt.Hosts) != 4 {
		t.Fatalf("%d hosts", len(rt.Hosts))
	}
	for i, want := range []string{"\x1b", "\xe4", ".", " "} {
		if f := rt.Hosts[i].Findings; len(f) != 1 || f[0].Text != "not a host name: the character '"+want+"': a name has letters, digits and hyphens (RFC 1123 section 2.1)" {
			t.Errorf("%s: %+v", rt.Hosts[i].Name, f)
		}
	}
}

func TestToFamilies(t *testing.T) {
	c, z := world(t, `
		v6.test. 300 IN MX 10 mx.v6.test.
		mx.v6.test. 300 IN AAAA 2001:db8::1
		own.test. 300 IN A 192.0.2.1
	`)
	for _, tt := range []struct {
		domain string
		family Family
		want   string
	}{
		{"v6.test", IPv6, "10 mx.v6.test [2001:db8::1]\n"},
		{"v6.test", IPv4, "10 mx.v6.test [] no-address!\nno address of the family asked for, definite true\n"},
		{"own.test", IPv6, "0 own.test []\nno address of the family asked for, definite true\n"},
		{"localhost", IPv6, "0 localhost [::1]\n"},
		{"[192.0.2.1]", IPv6, "0  []\nno address of the family asked for, definite true\n"},
	} {
		rt, err := To(background(t), c, tt.domain, 25, Options{Family: tt.family})
		if diff := cmp.Diff(tt.want, drawn(rt, err)); diff != "" {
			t.Errorf("%s, family %d (-want +got):\n%s", tt.domain, tt.family, diff)
		}
	}
	for _, q := range z.questions() {
		if q == "A own.test." {
			t.Error("asked for A with -6")
		}
	}
}

// An MX that could not be looked up does not make the domain its own host: mail
// would go where it does not belong.
func TestFailureIsNotImplicit(t *testing.T) {
	c, z := world(t, "broken.test. SERVFAIL")
	if rt, err := To(background(t), c, "broken.test", 25, Options{}); err == nil || rt.Implicit {
		t.Errorf("%+v, %v", rt, err)
	}
	if diff := cmp.Diff([]string{"MX broken.test."}, z.questions()); diff != "" {
		t.Error(diff)
	}
}

func TestEqualHostsAreShuffled(t *testing.T) {
	c, _ := world(t, `
		three.test. 300 IN MX 10 a.test.
		three.test. 300 IN MX 10 b.test.
		three.test. 300 IN MX 5 c.test.
	`)
	reverse := func(n int, swap func(i, j int)) {
		for i := range n / 2 {
			swap(i, n-1-i)
		}
	}
	order := func(opts Options) string {
		rt, _ := To(background(t), c, "three.test", 25, opts)
		return rt.Hosts[0].Name + " " + rt.Hosts[1].Name + " " + rt.Hosts[2].Name
	}
	if got := order(Options{Shuffle: unshuffled}); got != "c.test a.test b.test" {
		t.Error(got)
	}
	if got := order(Options{Shuffle: reverse}); got != "c.test b.test a.test" {
		t.Error(got)
	}
	seen := map[string]bool{}
	for range 200 {
		seen[order(Options{})] = true
	}
	if len(seen) != 2 {
		t.Errorf("orders in 200 routes: %v", seen)
	}
}

func TestLimits(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, "many.test. 300 IN MX %d mx%d.test.\nmx%d.test. 300 IN A 192.0.2.1\nmx%d.test. 300 IN AAAA 2001:db8::1\n", i, i, i, i)
	}
	for i := range 30 {
		fmt.Fprintf(&b, "wide-mx.test. 300 IN A 192.0.2.%d\n", i)
	}
	b.WriteString("wide.test. 300 IN MX 10 wide-mx.test.\n")
	for i := range 10 {
		fmt.Fprintf(&b, "chained.test. 300 IN MX %d c%d.test.\nc%d.test. 300 IN CNAME d%d.test.\nd%d.test. 300 IN A 192.0.2.1\n", i, i, i, i, i)
	}
	c, z := world(t, b.String())

	rt, err := To(background(t), c, "many.test", 25, Options{})
	if err != nil || len(rt.Hosts) != maxHosts || len(rt.Findings) != 1 || rt.Findings[0].Text != "500 MX hosts: the best 10 are taken" {
		t.Errorf("%d hosts, %v, %v", len(rt.Hosts), rt.Findings, err)
	}
	asked := map[string]bool{} // the MX query was sent over UDP and over TCP
	for _, q := range z.questions() {
		asked[q] = true
	}
	if len(asked) != maxQueries {
		t.Errorf("%d questions: %v", len(asked), asked)
	}
	last := rt.Hosts[maxHosts-1]
	if spaced(last.Addrs) != "192.0.2.1" || len(last.Findings) != 1 || last.Findings[0].ID != "not-asked" {
		t.Errorf("the last host: %+v", last)
	}

	rt, err = To(background(t), c, "many.test", 25, Options{Queries: 21})
	if err != nil || slices.ContainsFunc(rt.Hosts, func(h Host) bool { return len(h.Findings) > 0 }) {
		t.Errorf("with 21 queries: %+v, %v", rt.Hosts, err)
	}

	rt, err = To(background(t), c, "wide.test", 25, Options{})
	if err != nil || len(rt.Hosts[0].Addrs) != maxAddresses || rt.Hosts[0].Findings[0].Text != "30 addresses: the first 5 are taken" {
		t.Errorf("%+v, %v", rt.Hosts, err)
	}
}

// Aliases that spend every query are no statement on the domain.
func TestQueriesAreBounded(t *testing.T) {
	z := newZone(t, chain(7)+`
		long.test. 60 IN MX 10 a0.test.
		long.test. 60 IN MX 20 a1.test.
		long.test. 60 IN MX 30 a2.test.
	`)
	asked := 0
	stepwise := func(_ context.Context, q question) (*reply, error) {
		asked++
		m := z.message(q)
		if q.typ == dns.TypeA && len(m.Answer) > 1 {
			m.Answer, m.Ns = m.Answer[:1], nil
		}
		return decode(q, m, "test")
	}
	rt, err := To(background(t), counted(stepwise), "long.test", 25, Options{})
	var none *NoRoute
	if !errors.As(err, &none) || none.Definite() {
		t.Errorf("%v", err)
	}
	wantKind(t, rt.Hosts[0].Err, TooMany)
	if asked > maxQueries {
		t.Errorf("%d queries", asked)
	}
}

func TestToHost(t *testing.T) {
	c, z := world(t, `
		mail.test. 300 IN MX 10 other.test.
		mail.test. 300 IN A 10.0.0.1
		mail_1.test. 300 IN A 192.0.2.5
		text.test. 300 IN TXT "x"
		broken.test. SERVFAIL
	`)
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.99 filed.test\n192.0.2.98 localhost\n")
	for _, tt := range []struct{ host, want string }{
		{"mail.test", "0 mail.test [10.0.0.1]\n"}, // chosen by the user: nothing to find
		{"mail_1.test", "0 mail_1.test [192.0.2.5]\n"},
		{"filed.test", "0 filed.test [192.0.2.99]\n"},
		{"localhost", "0 localhost [127.0.0.1 ::1]\n"},
		{"mx.localhost", "0 mx.localhost [127.0.0.1 ::1]\n"},
		{"127.0.0.1", "0  [127.0.0.1]\n"},
		{"::1", "0  [::1]\n"},
		{"[::1]", "0  [::1]\n"},
		{"gone.test", "0 gone.test []\nno such name (NXDOMAIN), definite true\n"},
		{"text.test", "0 text.test []\nno host with an address to connect to, definite true\n"},
		{"broken.test", "0 broken.test []\nthe DNS could not say, definite false\n"},
		{"a b", "domain \"a b\": the character ' ': a name has letters, digits and hyphens (RFC 1123 section 2.1)\n"},
	} {
		rt, err := ToHost(background(t), c, tt.host, 25, Options{HostsFile: path})
		if diff := cmp.Diff(tt.want, drawn(rt, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.host, diff)
		}
		if (rt.HostsFile != "") != (tt.host == "filed.test") || !rt.Direct {
			t.Errorf("%s: %+v", tt.host, rt)
		}
	}
	for _, q := range z.questions() {
		if strings.HasPrefix(q, "MX") || strings.Contains(q, "localhost") || strings.Contains(q, "filed") {
			t.Errorf("asked %s", q)
		}
	}
}

func TestToWithoutServers(t *testing.T) {
	_, err := To(background(t), new(Client), "example.net", 25, Options{})
	var servers *NoServers
	var none *NoRoute
	if !errors.As(err, &servers) || !errors.As(err, &none) || none.Definite() {
		t.Error(err)
	}
}
