package spf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParse(t *testing.T) {
	for _, test := range []struct{ record, want string }{
		{"v=spf1", "v=spf1"},
		{"V=SPF1  +A  -ALL ", "v=spf1 a -all"},
		{"v=spf1 a:mail.example.com/24//64 mx//0 a/0 -ip4:192.0.2.1/32", "v=spf1 a:mail.example.com/24//64 mx//0 a/0 -ip4:192.0.2.1"},
		{"v=spf1 ip6:2001:DB8::1/128 ip6:::1/64 ~ip4:192.0.2.0/24", "v=spf1 ip6:2001:db8::1 ip6:::1/64 ~ip4:192.0.2.0/24"},
		{"v=spf1 ?include:%{d2}.example.com exists:%{ir}.%{l1r+-}._spf.%{d} ptr", "v=spf1 ?include:%{d2}.example.com exists:%{ir}.%{l1r+-}._spf.%{d} ptr"},
		{"v=spf1 a:a/b.example.com/8 a:_x.1-2 a:%{d}/24", "v=spf1 a:a/b.example.com/8 a:_x.1-2 a:%{d}/24"},
		{"v=spf1 foo=%{i}%%%_%- Redirect=_spf.example.com. exp=%{d}", "v=spf1 foo=%{i}%%%_%- redirect=_spf.example.com. exp=%{d}"},
		{"v=spf1 moo.cow-far_out=man:dog/cat all= include=x", "v=spf1 moo.cow-far_out=man:dog/cat all= include=x"},
	} {
		r, err := Parse(test.record)
		if err != nil || r.String() != test.want {
			t.Errorf("%s: %s, %v", test.record, r, err)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, test := range []struct {
		record string
		want   []SyntaxError
	}{
		{"v=spf10 -all", []SyntaxError{{0, "v=spf10", "begins with v=spf1"}}},
		{"v=spf1 all:x", []SyntaxError{{10, "all:x", "nothing behind it"}}},
		{"v=spf1 al +foo:bar.com a", []SyntaxError{{7, "al", "no such mechanism"}, {11, "+foo:bar.com", "no such mechanism"}}},
		{"v=spf1 ip4:1.2.3.256", []SyntaxError{{11, "ip4:1.2.3.256", `"1.2.3.256" is no ip4 address`}}},
		{"v=spf1 ip4:2001:db8::1", []SyntaxError{{11, "ip4:2001:db8::1", "is no ip4 address"}}},
		{"v=spf1 ip4:1.2.3.4/33", []SyntaxError{{18, "ip4:1.2.3.4/33", "0 to 32"}}},
		{"v=spf1 ip4:1.2.3.4/032", []SyntaxError{{18, "ip4:1.2.3.4/032", "0 to 32"}}},
		{"v=spf1 ip6:fe80::1%eth0", []SyntaxError{{11, "ip6:fe80::1%eth0", "is no ip6 address"}}},
		{"v=spf1 ip4", []SyntaxError{{10, "ip4", "needs an address"}}},
		{"v=spf1 include", []SyntaxError{{14, "include", "needs a domain"}}},
		{"v=spf1 include:", []SyntaxError{{15, "include:", "no domain"}}},
		{"v=spf1 include:example.com/24", []SyntaxError{{15, "include:example.com/24", "a top label"}}},
		{"v=spf1 a:192.0.2.1", []SyntaxError{{9, "a:192.0.2.1", "write ip4:192.0.2.1"}}},
		{"v=spf1 a:example", []SyntaxError{{9, "a:example", "a top label"}}},
		{"v=spf1 a:example.com-", []SyntaxError{{9, "a:example.com-", "a top label"}}},
		{"v=spf1 a/33", []SyntaxError{{8, "a/33", "/0 to /32"}}},
		{"v=spf1 a//129", []SyntaxError{{8, "a//129", "//0 to //128"}}},
		{"v=spf1 a/24//", []SyntaxError{{8, "a/24//", "//0 to //128"}}},
		{"v=spf1 mx/", []SyntaxError{{9, "mx/", "/0 to /32"}}},
		{"v=spf1 ptr/24", []SyntaxError{{10, "ptr/24", "prefix length"}}},
		{"v=spf1 -redirect=example.com", []SyntaxError{{7, "-redirect=example.com", "no qualifier"}}},
		{"v=spf1 redirect=a.com redirect=b.com", []SyntaxError{{22, "redirect=b.com", "comes again"}}},
		{"v=spf1 exp=a.com EXP=b.com", []SyntaxError{{17, "EXP=b.com", "comes again"}}},
		{"v=spf1 exists:%{x}.com", []SyntaxError{{14, "exists:%{x}.com", "no such macro letter"}}},
		{"v=spf1 exists:%{c}.com", []SyntaxError{{14, "exists:%{c}.com", "explanations only"}}},
		{"v=spf1 exists:%{d0}.com", []SyntaxError{{14, "exists:%{d0}.com", "keeps 0 labels"}}},
		{"v=spf1 exists:a.%{d.com", []SyntaxError{{16, "exists:a.%{d.com", "without its }"}}},
		{"v=spf1 exists:%{d2x}.com", []SyntaxError{{14, "exists:%{d2x}.com", "no delimiter"}}},
		{"v=spf1 exists:%{}.com", []SyntaxError{{14, "exists:%{}.com", "without a letter"}}},
		{"v=spf1 exists:a%.com", []SyntaxError{{15, "exists:a%.com", "begins no macro"}}},
		{"v=spf1 foo=%", []SyntaxError{{11, "foo=%", "a percent sign alone"}}},
		{"v=spf1 a:b\xff.com", []SyntaxError{{10, "a:b\xff.com", "not ASCII"}}},
		{"v=spf1 a:b\t.com", []SyntaxError{{10, "a:b\t.com", "a control character"}}},
		{"v=spf1 a\tmx", []SyntaxError{{8, "a\tmx", "neither a directive"}}},
		{"v=spf1 a,mx", []SyntaxError{{8, "a,mx", "neither a directive"}}},
		{"v=spf1 =", []SyntaxError{{7, "=", "neither a directive"}}},
	} {
		_, err := Parse(test.record)
		var wrong SyntaxErrors
		if !errors.As(err, &wrong) {
			t.Errorf("%q: %v", test.record, err)
			continue
		}
		var got []SyntaxError
		for _, e := range wrong {
			got = append(got, *e)
		}
		contains := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Rule" },
			cmp.Comparer(func(a, b string) bool { return strings.Contains(a, b) || strings.Contains(b, a) }))
		if diff := cmp.Diff(test.want, got, contains, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: %s", test.record, diff)
		}
	}
}

func TestLint(t *testing.T) {
	long := "v=spf1 " + strings.Repeat("ip4:192.0.2.1 ", 40) + "-all"
	for _, test := range []struct {
		record string
		want   []string
	}{
		{"v=spf1 include:_spf.example.com -all", nil},
		{"v=spf1 a -all mx redirect=b.com", []string{"14 mx: stands behind all", "17 redirect=b.com: is ignored, as there is -all"}},
		{"v=spf1 ptr exists:%{p}.com ~all", []string{"7 ptr: ptr is slow", "11 exists:%{p}.com: %{p} is slow"}},
		{"v=spf1 redirect=b.com a", []string{"minor 7 redirect=b.com: is evaluated last"}},
		{"v=spf1 a +A -all", []string{"9 +A: comes a second time"}},
		{"v=spf1 include=b.com x-y=1 -all", []string{"7 include=b.com: is an unknown modifier, and ignored: write include:b.com", "minor 21 x-y=1: is an unknown"}},
	} {
		r, err := Parse(test.record)
		if err != nil {
			t.Errorf("%s: %v", test.record, err)
			continue
		}
		found := r.Lint(test.record)
		if len(found) != len(test.want) {
			t.Errorf("%s: %+v", test.record, found)
			continue
		}
		for i, m := range found {
			if got := remark(m); !strings.HasPrefix(got, test.want[i]) {
				t.Errorf("%s: %q, want %q", test.record, got, test.want[i])
			}
		}
	}
	r, _ := Parse(long)
	last := r.Lint(long)
	if got := remark(last[len(last)-1]); got != "0 : 571 octets: more than 450 may not fit an answer over UDP" {
		t.Errorf("%q", got)
	}
}

func remark(m Remark) string {
	text := fmt.Sprintf("%d %s: %s", m.Offset, m.Term, m.Text)
	if m.Minor {
		text = "minor " + text
	}
	return text
}
