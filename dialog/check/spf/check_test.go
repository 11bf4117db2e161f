package spf

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

const world = `
pass.com. TXT "v=spf1 ip4:192.0.2.0/24 -all"
split.com. TXT "v=spf1 ip4:192." "0.2.1 -all"
six.com. TXT "v=spf1 ip6:2001:db8::/32 -all"
failed.com. SERVFAIL
a.com. TXT "v=spf1 a:failed.com -all"
mx.com. TXT "v=spf1 mx:failed.com -all"
mxhost.com. TXT "v=spf1 mx -all"
mxhost.com. MX 10 failed.com.
null.com. TXT "v=spf1 mx a:gone1.com a:gone2.com ?all"
null.com. MX 0 .
exists.com. TXT "v=spf1 exists:failed.com -all"
include.com. TXT "v=spf1 include:failed.com -all"
redirect.com. TXT "v=spf1 redirect=failed.com"
ptr.com. TXT "v=spf1 ptr -all"
9.2.0.192.in-addr.arpa. SERVFAIL
8.2.0.192.in-addr.arpa. PTR failed.com.
8.2.0.192.in-addr.arpa. PTR host.ptr.com.
host.ptr.com. A 192.0.2.8
exp.com. TXT "v=spf1 exp=failed.com -all"
exp2.com. TXT "v=spf1 exp=two.com -all"
two.com. TXT "one"
two.com. TXT "two"
exp3.com. TXT "v=spf1 exp=text.com -all"
text.com. TXT "%{c} %{r} %{t} %{h} %{p} %{S} 100%%"
silent.com. SILENT
local.com. TXT "v=spf1 exists:%{l}._x.local.com ?all"
*._x.local.com. A 127.0.0.2
odd.com. TXT "v=spf1 exists:%{l}.odd.com -all"
a\032b\\c.odd.com. A 127.0.0.2
_under_score.com. TXT "v=spf1 -all"
xn--bcher-kva.com. TXT "v=spf1 -all"
long.com. TXT "v=spf1 a:0123456789012345678901234567890123456789012345678901234567890123.com a:a..b.com ?all"
longs.com. TXT "v=spf1 redirect=0123456789012345678901234567890123456789012345678901234567890123.com"
cut.com. TXT "v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.cut.com -all"
open.com. TXT "v=spf1 include:pass.com +all"
moved.com. TXT "v=spf1 redirect=open.com"
mapped.com. TXT "v=spf1 ip6:::ffff:192.0.2.1 -all"
cidr.com. TXT "v=spf1 a/24//64 -all"
cidr.com. A 192.0.2.200
cidr.com. AAAA 2001:db8::1
`

func TestCheck(t *testing.T) {
	server := serve(t, newZone(t, world))
	for _, test := range []struct {
		ip, helo, from string
		want           Outcome
		reason         string // that the reason holds
	}{
		{"192.0.2.1", "h.com", "a@pass.com", Pass, "192.0.2.1 is in 192.0.2.0/24"},
		{"192.0.2.1", "h.com", "A@Pass.COM.", Pass, ""},
		{"::ffff:192.0.2.1", "h.com", "a@pass.com", Pass, ""},
		{"192.0.2.1", "h.com", "a@mapped.com", Fail, ""},
		{"2001:db8::1", "h.com", "a@pass.com", Fail, "-all"},
		{"2001:db8::1", "h.com", "a@six.com", Pass, ""},
		{"192.0.2.1", "h.com", "a@split.com", Pass, ""},
		{"192.0.2.1", "pass.com", "", Pass, ""},
		{"192.0.2.1", "", "", None, "empty name"},
		{"192.0.2.1", "h.com", "a@[192.0.2.1]", None, "an address"},
		{"192.0.2.1", "192.0.2.1", "", None, "an address"},
		{"192.0.2.1", "h.com", "a@localhost", None, "one label"},
		{"192.0.2.1", "h.com", "a@b..com", None, "empty label"},
		{"192.0.2.1", "h.com", "a@" + strings.Repeat("a", 64) + ".com", None, "64 octets"},
		{"192.0.2.1", "h.com", "a@" + strings.Repeat("a.", 126) + "com", None, "255 octets"},
		{"192.0.2.1", "h.com", "a@gone.com", None, "no SPF record"},
		{"192.0.2.1", "h.com", "a@_under_score.com", Fail, ""},
		{"192.0.2.1", "h.com", "a@bücher.com", Fail, ""},
		{"192.0.2.1", "h.com", "a@\xff.com", None, "IDNA"},
		{"192.0.2.1", "h.com", "a@failed.com", TempError, "SERVFAIL"},
		{"192.0.2.1", "h.com", "a@silent.com", TempError, "no answer"},
		{"192.0.2.1", "h.com", "a@a.com", TempError, ""},
		{"192.0.2.1", "h.com", "a@mx.com", TempError, ""},
		{"192.0.2.1", "h.com", "a@mxhost.com", TempError, ""},
		{"192.0.2.1", "h.com", "a@exists.com", TempError, ""},
		{"192.0.2.1", "h.com", "a@include.com", TempError, "within the include of failed.com"},
		{"192.0.2.1", "h.com", "a@redirect.com", TempError, ""},
		{"192.0.2.9", "h.com", "a@ptr.com", Fail, ""}, // section 5.5: no match
		{"192.0.2.8", "h.com", "a@ptr.com", Pass, "host.ptr.com"},
		{"192.0.2.1", "h.com", "a@null.com", Neutral, ""}, // a null MX is not asked for
		{"192.0.2.1", "h.com", "any@local.com", Neutral, ""},
		{"192.0.2.1", "h.com", "grüße@local.com", Neutral, ""},
		{"192.0.2.1", "h.com", `a b\c@odd.com`, Pass, ""},
		{"192.0.2.1", "h.com", "a@long.com", Neutral, ""},
		{"192.0.2.1", "h.com", "a@longs.com", PermError, "leads nowhere"},
		{"192.0.2.1", "h.com", strings.Repeat("x.", 30) + "y@cut.com", Fail, ""},
		{"192.0.2.77", "h.com", "a@cidr.com", Pass, ""},
		{"2001:db8::77", "h.com", "a@cidr.com", Pass, ""},
		{"2001:db8:0:1::77", "h.com", "a@cidr.com", Fail, ""},
	} {
		c := client(server)
		got := Check(t.Context(), c, netip.MustParseAddr(test.ip), test.helo, test.from)
		if got.Outcome != test.want || !strings.Contains(got.Reason, test.reason) {
			t.Errorf("%s %s %q: %s, %s, want %s\n%s", test.ip, test.helo, test.from, got.Outcome, got.Reason, test.want,
				strings.Join(got.Lines(), "\n"))
		}
	}
}

func TestExplanation(t *testing.T) {
	server := serve(t, newZone(t, world))
	for _, test := range []struct{ from, want string }{
		{"a@pass.com", ""},
		{"a@exp.com", ""},  // section 6.2: a failure is none
		{"a@exp2.com", ""}, // and so are two records
		{"a+b@exp3.com", "203.0.113.1 mx.example.net 1795000000 h.com unknown a%2Bb%40exp3.com 100%"},
	} {
		c := Checker{Resolver: client(server), Receiver: "mx.example.net", Now: func() time.Time { return time.Unix(1795000000, 0) }}
		got := c.Check(t.Context(), netip.MustParseAddr("203.0.113.1"), "h.com", test.from)
		if got.Outcome != Fail || got.Explanation != test.want {
			t.Errorf("%s: %s %q, want %q\n%s", test.from, got.Outcome, got.Explanation, test.want, strings.Join(got.Lines(), "\n"))
		}
	}
}

// TestTimeLimit: a check ends when its time is up, and when its caller's is.
func TestTimeLimit(t *testing.T) {
	c := Checker{Resolver: client(serve(t, newZone(t, world))), Timeout: 50 * time.Millisecond}
	start := time.Now()
	got := c.Check(t.Context(), netip.MustParseAddr("192.0.2.1"), "h.com", "a@silent.com")
	if got.Outcome != TempError || !strings.Contains(got.Reason, "the time for the whole check is up: 50ms") {
		t.Errorf("%s: %s", got.Outcome, got.Reason)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got := c.Check(ended, netip.MustParseAddr("192.0.2.1"), "h.com", "a@pass.com"); got.Outcome != TempError {
		t.Errorf("%s: %s", got.Outcome, got.Reason)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestResult(t *testing.T) {
	got := Check(t.Context(), client(serve(t, newZone(t, world))), netip.MustParseAddr("192.0.2.1"), "pass.com", "")
	if got.Identity != "helo" || got.Sender != "postmaster@pass.com" || got.Domain != "pass.com" ||
		got.Directive != "ip4:192.0.2.0/24" || got.At != "pass.com" || got.Lookups != 0 {
		t.Errorf("%+v", got)
	}
	want := []string{
		"check_host(192.0.2.1, pass.com, postmaster@pass.com)",
		`TXT of pass.com: "v=spf1 ip4:192.0.2.0/24 -all"`,
		"  ip4:192.0.2.0/24: 192.0.2.1 is in 192.0.2.0/24",
		"pass: ip4:192.0.2.0/24 matches: 192.0.2.1 is in 192.0.2.0/24",
		"0 of 10 look-ups, 0 of 2 void",
	}
	if !slices.Equal(got.Lines(), want) {
		t.Errorf("%q", got.Lines())
	}
	got = Check(t.Context(), client(serve(t, newZone(t, world))), netip.MustParseAddr("203.0.113.1"), "h.com", "a@moved.com")
	if got.Directive != "+all" || got.At != "open.com" || got.Domain != "moved.com" || got.Lookups != 2 {
		t.Errorf("%+v", got)
	}
}

func TestTally(t *testing.T) {
	server := serve(t, newZone(t, world+`
many.com. TXT "v=spf1 a mx include:pass.com include:many2.com a:gone.com ptr exists:%{i}.x.com exists:%{d} -all a a a"
many.com. A 192.0.2.1
many.com. MX 10 gone.com.
many2.com. TXT "v=spf1 exists:%{p}.x.com redirect=six.com"
loop.com. TXT "v=spf1 include:loop2.com -all"
loop2.com. TXT "v=spf1 a:loop.com redirect=loop.com"
each.com. TXT "v=spf1 exists:each.com exists:gone.com -exists:each.com -all"
each.com. A 127.0.0.2
not.com. TXT "v=spf1 -include:open.com ~include:nested.com -all"
nested.com. TXT "v=spf1 include:open.com -all"
inner.com. TXT "v=spf1 include:denies.com -all"
denies.com. TXT "v=spf1 -include:open.com -all"
neutral.com. TXT "v=spf1 ?include:nested.com -all"
decided.com. TXT "v=spf1 -ip4:0.0.0.0/0 -ip6:::/0 +all"
halved.com. TXT "v=spf1 -ip4:0.0.0.0/0 +all"
`))
	for _, test := range []struct {
		domain         string
		lookups, voids int
		partial        bool
		notes, open    string
	}{
		{"pass.com", 0, 0, false, "", ""},
		{"many.com", 11, 2, true, "gone.com has no address|its name depends on the message: not followed|gone.com has no address|" +
			"its name depends on the message: not followed", "exists:%{d} of many.com"},
		{"each.com", 3, 1, false, "gone.com has no address", "exists:each.com of each.com"},
		{"not.com", 5, 0, false, "", ""},
		{"inner.com", 3, 0, false, "", ""},
		{"neutral.com", 3, 0, false, "", "?+all of open.com"},
		{"decided.com", 0, 0, false, "", ""},
		{"halved.com", 0, 0, false, "", "+all of halved.com"},
		{"loop.com", 3, 1, false, "loop.com has no address|!loop.com leads back to itself: evaluations run into the limit", ""},
		{"moved.com", 2, 0, false, "", "+all of open.com"},
		{"include.com", 1, 0, true, "the server could not find out (SERVFAIL)", ""},
		{"long.com", 2, 0, false, "it is not asked for: a name with a label of 64 octets: it has at most 63|it is not asked for: a name with an empty label", ""},
		{"longs.com", 1, 0, false, "!it is not asked for: a name with a label of 64 octets: it has at most 63", ""},
	} {
		c := client(server)
		found, err := Find(t.Context(), c, test.domain)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", test.domain, found, err)
		}
		record, err := Parse(found[0])
		if err != nil {
			t.Fatal(err)
		}
		got := Tally(t.Context(), c, test.domain, record)
		var notes []string
		for _, charge := range got.Charges {
			note := charge.Note
			if _, after, ok := strings.Cut(note, "127.0.0.1:"); ok {
				_, note, _ = strings.Cut(after, ": ")
			}
			if charge.Broken {
				note = "!" + note
			}
			if note != "" {
				notes = append(notes, note)
			}
		}
		open := got.Open
		for _, unsaid := range got.Unsaid {
			open = append(open, "?"+unsaid)
		}
		if got.Lookups != test.lookups || got.Voids != test.voids || got.Partial != test.partial ||
			strings.Join(notes, "|") != test.notes || strings.Join(open, "|") != test.open {
			t.Errorf("%s: %d look-ups, %d void, partial %v, open %q, %q", test.domain, got.Lookups, got.Voids, got.Partial, got.Open, notes)
		}
	}
}

func TestFind(t *testing.T) {
	c := client(serve(t, newZone(t, world)))
	if found, err := Find(t.Context(), c, "gone.com"); len(found) != 0 || err != nil {
		t.Errorf("%q, %v", found, err)
	}
	if _, err := Find(t.Context(), c, "failed.com"); err == nil {
		t.Error("a failure is taken for no record")
	}
	if _, err := Find(t.Context(), &route.Client{}, "pass.com"); err == nil {
		t.Error("no server is taken for no record")
	}
}

func TestEnding(t *testing.T) {
	c := client(serve(t, newZone(t, world+"example.com.test. TXT \"v=spf1 ~all\"\n")))
	for record, want := range map[string]string{
		"v=spf1 -all":                   "-all",
		"v=spf1 a":                      "",
		"v=spf1 redirect=moved.com":     "+all",
		"v=spf1 ~all redirect=open.com": "~all",
		"v=spf1 redirect=gone.com":      "error",
		"v=spf1 redirect=%{l}.com":      "error",
		"v=spf1 redirect=failed.com":    "error",
		"v=spf1 redirect=%{d2}.test":    "~all", // the same for every message
	} {
		r, err := Parse(record)
		if err != nil {
			t.Fatal(err)
		}
		end, err := Ending(t.Context(), c, "example.com", r)
		got := ""
		switch {
		case err != nil:
			got = "error"
		case end != nil:
			got = end.Text
		}
		if got != want {
			t.Errorf("%s: %q, %v, want %q", record, got, err, want)
		}
	}
}
