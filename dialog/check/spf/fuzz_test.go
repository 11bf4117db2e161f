package spf

import (
	"context"
	"errors"
	"hash/fnv"
	"net/netip"
	"strings"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/testdata/mutate"
)

// maze is a DNS in which every name has whatever a hostile one might: the record, in
// any case, addresses, MX hosts by the dozen, nothing, or failures, as its hash has it.
type maze struct {
	route.Resolver
	record string
	seed   uint32
	asked  int
}

// die gives a number from 0 to n-1 for a name, the same each time, or an error.
func (m *maze) die(name string, n uint64) (int, error) {
	m.asked++
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.ToLower(name)))
	got := int((h.Sum64() ^ uint64(m.seed)*0x9e3779b97f4a7c15) >> 7 % (n + 4))
	switch got - int(n) {
	case 0:
		return 0, &route.Error{Name: name, Kind: route.NXDomain}
	case 1:
		return 0, &route.Error{Name: name, Kind: route.ServFail}
	}
	return got % int(n), nil
}

func (m *maze) TXT(_ context.Context, name string) (route.Answer[string], error) {
	n, err := m.die(name, 8)
	a := route.Answer[string]{Records: []string{m.record}}
	if n == 7 {
		a.Records = []string{"v=spf1 redirect=a.%{d}", "v=spf10"}
	}
	return a, err
}

func (m *maze) Addr(_ context.Context, name string, _ route.Family) (route.Answer[netip.Addr], error) {
	n, err := m.die(name, 3)
	return route.Answer[netip.Addr]{Records: []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})}}, err
}

func (m *maze) MX(_ context.Context, name string) (route.Answer[route.MX], error) {
	n, err := m.die(name, 13)
	var a route.Answer[route.MX]
	for i := range n {
		a.Records = append(a.Records, route.MX{Host: "mx" + string(rune('a'+i)) + "." + name})
	}
	return a, err
}

func (m *maze) PTR(context.Context, netip.Addr) (route.Answer[string], error) {
	n, err := m.die("ptr", 30)
	var a route.Answer[string]
	for i := range n {
		a.Records = append(a.Records, "host"+string(rune('a'+i))+".example.com")
	}
	return a, err
}

// FuzzRecord: a record that parses is written in a form that parses to the same, and
// whatever a record and a sender say, an evaluation ends within its limits.
func FuzzRecord(f *testing.F) {
	c := mutate.For(f)
	for _, s := range scenarios(f) {
		for _, records := range s.Zones {
			for _, record := range records {
				for _, node := range record {
					if IsRecord(node.Value) {
						c.Add(node.Value, "alice@example.com", uint32(len(node.Value)))
					}
				}
			}
		}
	}
	c.Add("v=spf1 a mx ptr exists:%{p}.%{S}%{h} include:%{ir}.%{v}.x.com redirect=%{o}.com exp=%{l}.com", "strong-bad@email.example.com", uint32(7))
	c.Add("%{c} %{R} %{t} %{L}", "", uint32(0))
	c.Tokens("v=spf1", " ", "a", "mx", "ptr", "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "include:", "exists:", "redirect=", "exp=", "-all", "~", "?", "/24", "//64",
		"%{", "}", "%{d2r-}", "%%", "%_", ".com", "%{p}", "ip4:", "::ffff:192.0.2.1")
	mutate.Fuzz3(c, func(t testing.TB, text, sender string, seed uint32) {
		if len(text) > 2000 || len(sender) > 500 {
			return
		}
		r, err := Parse(text)
		var wrong SyntaxErrors
		switch {
		case err == nil:
			again, err := Parse(r.String())
			if err != nil || again.String() != r.String() || len(again.Terms) != len(r.Terms) {
				t.Fatalf("%q is %q, which is %q, %v", text, r, again, err)
			}
			r.Lint(text)
		case !errors.As(err, &wrong) || len(wrong) == 0:
			t.Fatalf("%q: %v", text, err)
		}
		for _, e := range wrong {
			if e.Offset < 0 || e.Offset > len(text) || !strings.Contains(text, e.Term) {
				t.Fatalf("%q: %+v", text, e)
			}
		}
		m := &maze{record: text, seed: seed}
		got := Check(t.Context(), m, netip.AddrFrom4([4]byte{192, 0, 2, 1}), "helo.example.com", sender)
		// 1 record, 10 terms with a question and 10 hosts each, and for the explanation 1 and 11.
		if m.asked > 1+10*11+12 || got.Lookups > MaxLookups || got.Voids > MaxVoids {
			t.Fatalf("%d questions, %d look-ups, %d void", m.asked, got.Lookups, got.Voids)
		}
		if !strings.Contains(" none neutral pass fail softfail temperror permerror ", " "+string(got.Outcome)+" ") || got.Reason == "" {
			t.Fatalf("%+v", got)
		}
		if err == nil {
			m.asked = 0
			cost := Tally(t.Context(), m, "example.com", r)
			if m.asked > maxTally*11 {
				t.Fatalf("%d questions for %d look-ups", m.asked, cost.Lookups)
			}
		}
	})
}
