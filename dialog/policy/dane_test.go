package policy

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

func sha(digit string) string { return strings.Repeat(digit, 64) }

func daneWorld(t *testing.T) (*route.Client, *zone) {
	return world(t, `
		mx.good.test.   60 IN A 192.0.2.1
		mx.good.test.   60 IN AAAA 2001:db8::1
		_25._tcp.mx.good.test. 60 IN TLSA 3 1 1 `+sha("a")+`
		_25._tcp.mx.good.test. 60 IN TLSA 2 0 2 `+sha("b")+sha("b")+`
		mx.plain.test.  60 IN A 192.0.2.2
		_25._tcp.mx.plain.test. 60 IN TLSA 3 1 1 `+sha("a")+`
		plain.test. UNSIGNED
		mx.bogus.test.  60 IN A 192.0.2.3
		_25._tcp.mx.bogus.test. SERVFAIL
		mx.none.test.   60 IN A 192.0.2.4
		mx.nodata.test. 60 IN A 192.0.2.4
		_25._tcp.mx.nodata.test. 60 IN TXT x
		mx.useless.test. 60 IN A 192.0.2.5
		_25._tcp.mx.useless.test. 60 IN TLSA 0 0 1 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 1 1 1 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 4 1 1 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 3 2 1 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 3 1 3 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 3 1 1 `+sha("a")+`aa
		_25._tcp.mx.useless.test. 60 IN TLSA 3 1 2 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 3 1 0 `+sha("a")+`
		_25._tcp.mx.useless.test. 60 IN TLSA 2 0 0 `+sha("a")+`
		mx.alias.test.  60 IN CNAME mx.good.test.
		mx.own.test.    60 IN CNAME mx.none.test.
		_25._tcp.mx.own.test. 60 IN TLSA 3 1 1 `+sha("c")+`
		mx.leaves.test. 60 IN CNAME mx.plain.test.
		_25._tcp.mx.leaves.test. 60 IN TLSA 3 1 1 `+sha("d")+`
		mx.shady.plain.test. 60 IN CNAME mx.good.test.
		mx.both.test.   60 IN CNAME mx.aim.test.
		mx.aim.test.    60 IN A 192.0.2.6
		_25._tcp.mx.aim.test. 60 IN TLSA 3 1 1 `+sha("e")+`
		_25._tcp.mx.both.test. 60 IN TLSA 3 1 1 `+sha("f")+`
		mx.sent.test.   60 IN A 192.0.2.7
		_25._tcp.mx.sent.test. 60 IN CNAME _25._tcp.mx.good.test.
		mx.astray.test. 60 IN A 192.0.2.8
		_25._tcp.mx.astray.test. 60 IN CNAME _25._tcp.mx.plain.test.
		mx.dead.test. SERVFAIL
		mx.elsewhere.test. 60 IN TXT x
		_25._tcp.mx.elsewhere.test. 60 IN TLSA 3 1 1 `+sha("a")+`
		mx.agile.test. 60 IN A 192.0.2.9
		_25._tcp.mx.agile.test. 60 IN TLSA 3 1 1 `+sha("a")+`
		_25._tcp.mx.agile.test. 60 IN TLSA 3 1 2 `+sha("a")+sha("a")+`
		_25._tcp.mx.agile.test. 60 IN TLSA 3 0 1 `+sha("a")+`
	`)
}

func TestFindDANE(t *testing.T) {
	c, z := daneWorld(t)
	server := c.Servers[0].String()
	for _, tt := range []struct {
		host   string
		state  State
		base   string
		usable int
		why    string
	}{
		{"mx.good.test", Usable, "mx.good.test", 2, ""},
		{"mx.plain.test", Insecure, "", 0, "its addresses are not signed"},
		{"mx.bogus.test", Bogus, "", 0, "TLSA of _25._tcp.mx.bogus.test: the server could not find out (SERVFAIL)"},
		{"mx.none.test", Missing, "", 0, ""},
		{"mx.nodata.test", Missing, "", 0, ""},
		{"mx.useless.test", Unusable, "mx.useless.test", 0, ""},
		{"mx.alias.test", Usable, "mx.good.test", 2, ""},
		{"mx.own.test", Usable, "mx.own.test", 1, ""},
		{"mx.leaves.test", Usable, "mx.leaves.test", 1, ""},
		{"mx.shady.plain.test", Insecure, "", 0, "its addresses, behind the alias mx.shady.plain.test, are not signed"},
		{"mx.both.test", Usable, "mx.aim.test", 1, ""},
		{"mx.sent.test", Usable, "mx.sent.test", 2, ""},
		{"mx.astray.test", Insecure, "", 0, "its TLSA records are not signed"},
		{"mx.dead.test", Bogus, "", 0, "A of mx.dead.test: the server could not find out (SERVFAIL)"},
		{"mx.elsewhere.test", Usable, "mx.elsewhere.test", 1, ""},
		{"gone.plain.test", Insecure, "", 0, "the answers on its addresses are not signed"},
		{"mx.agile.test", Usable, "mx.agile.test", 2, ""},
		{"192.0.2.1", Insecure, "", 0, "an address has no TLSA records"},
		{"localhost", Insecure, "", 0, "localhost is not asked for in the DNS (RFC 6761 section 6.3)"},
	} {
		d := FindDANE(background(t), c, Query{Host: tt.host, Port: 25})
		if d.State != tt.state || d.Base != tt.base || len(d.Usable()) != tt.usable || d.Why != tt.why {
			t.Errorf("%s: %v at %q with %d usable of %v, %q", tt.host, d.State, d.Base, len(d.Usable()), d.Records, d.Why)
		}
		if (d.State == Bogus) != (d.Err != nil) {
			t.Errorf("%s: %v", tt.host, d.Err)
		}
		if d.State >= Missing && d.Server != server {
			t.Errorf("%s: vouched for by %q", tt.host, d.Server)
		}
	}
	// RFC 7672 section 2.2.2: where the addresses are not signed, no TLSA record is asked for.
	for _, name := range []string{"_25._tcp.mx.plain.test.", "_25._tcp.mx.shady.plain.test."} {
		if slices.Contains(z.questions(), "TLSA "+name) {
			t.Errorf("%s was asked for", name)
		}
	}
}

func TestFaults(t *testing.T) {
	c, _ := daneWorld(t)
	d := FindDANE(background(t), c, Query{Host: "mx.useless.test", Port: 25})
	got := map[string]string{}
	for _, r := range d.Records {
		got[r.String()+" "+string(rune('0'+len(r.Data)/32))] = r.Fault
	}
	agile := FindDANE(background(t), c, Query{Host: "mx.agile.test", Port: 25})
	for _, r := range agile.Records {
		if !r.Usable() {
			got["agile "+r.String()] = r.Fault
		}
	}
	want := map[string]string{
		"0 0 1 aaaaaaaa… 1":     "usage 0 has no meaning for SMTP (RFC 7672 section 3.1.3)",
		"1 1 1 aaaaaaaa… 1":     "usage 1 has no meaning for SMTP (RFC 7672 section 3.1.3)",
		"4 1 1 aaaaaaaa… 1":     "usage 4 is unknown",
		"3 2 1 aaaaaaaa… 1":     "selector 2 is unknown",
		"3 1 3 aaaaaaaa… 1":     "matching type 3 is unknown",
		"3 1 1 aaaaaaaa… 1":     "its hash has 33 bytes, not 32",
		"3 1 2 aaaaaaaa… 1":     "its hash has 32 bytes, not 64",
		"3 1 0 aaaaaaaa… 1":     "its data is no public key",
		"2 0 0 aaaaaaaa… 1":     "its data is no certificate",
		"agile 3 1 1 aaaaaaaa…": "passed over for a record 3 1 2: the strongest hash counts (RFC 7671 section 9)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNames(t *testing.T) {
	c, _ := daneWorld(t)
	for _, tt := range []struct {
		q    Query
		want []string
	}{
		{Query{Host: "mx.good.test"}, []string{"mx.good.test"}},
		{Query{Host: "mx.good.test", Domain: "good.test", Signed: true}, []string{"mx.good.test", "good.test"}},
		{Query{Host: "mx.good.test", Domain: "good.test"}, []string{"mx.good.test"}},
		{Query{Host: "mx.alias.test", Domain: "alias.test", Signed: true}, []string{"mx.good.test", "mx.alias.test", "alias.test"}},
		{Query{Host: "mx.own.test", Domain: "mx.own.test", Signed: true}, []string{"mx.own.test"}},
	} {
		tt.q.Port = 25
		if d := FindDANE(background(t), c, tt.q); !slices.Equal(d.Names, tt.want) {
			t.Errorf("%+v: %q", tt.q, d.Names)
		}
	}
}

// doubting is a resolver whose word is not protected.
type doubting struct{ route.Resolver }

func (r doubting) Addr(ctx context.Context, host string, f route.Family) (route.Answer[netip.Addr], error) {
	a, err := r.Resolver.Addr(ctx, host, f)
	a.Authentic, a.Doubted = false, "192.0.2.53:53"
	return a, err
}

func TestDoubted(t *testing.T) {
	c, _ := daneWorld(t)
	d := FindDANE(background(t), doubting{c}, Query{Host: "mx.good.test", Port: 25})
	const want = "its addresses are signed by the word of 192.0.2.53:53, which is not protected on its way (--dns-trust-ad believes it)"
	if d.State != Insecure || d.Why != want || d.Doubted != "192.0.2.53:53" {
		t.Errorf("%v: %s", d.State, d.Why)
	}
}

func TestDANEInterrupted(t *testing.T) {
	c, _ := daneWorld(t)
	ctx, cancel := context.WithCancel(background(t))
	cancel()
	if d := FindDANE(ctx, c, Query{Host: "mx.good.test", Port: 25}); d.State != Bogus || d.Err == nil {
		t.Errorf("%v, %v", d.State, d.Err)
	}
}
