package check_test

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ehlo-mail/ehlo/dialog/check"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// counted runs checks on domains in one run, at servers that count as strangers' where o.Own
// is not set, and gives the outcomes by domain and id, and how many connections were made.
func counted(t *testing.T, w *sandbox.World, o check.Options, only []string, domains ...string) (map[string]check.Outcome, int64) {
	t.Helper()
	checks, err := check.Select([]check.Group{check.Receiving}, only, nil)
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	visits, all, own := &check.Visits{}, map[string]check.Outcome{}, o.Own
	for _, domain := range domains {
		o.Domain, o.Visits = domain, visits
		s := subject(t, w, o, w.DNS())
		s.Own = own
		dial := s.Reach.Dial
		s.Reach.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			connections.Add(1)
			return dial(ctx, network, address)
		}
		for _, outcome := range check.Run(t.Context(), s, checks) {
			all[domain+" "+outcome.Check.ID] = outcome
		}
	}
	return all, connections.Load()
}

// An address is visited once in a run, whatever names and domains lead to it, and only for
// what the checks need. What depends on the name takes a handshake for each.
func TestVisitedOnce(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	active := check.Options{Active: true}
	for _, test := range []struct {
		o       check.Options
		only    string
		domains string
		want    int64
	}{
		{only: "mx-dup", domains: "shared.test", want: 0},
		{only: "mx-fcrdns,mx-addr,dnssec,caa", domains: "shared.test", want: 0},
		{only: "mx-reach", domains: "shared.test", want: 1},
		{only: "mx-*,auth-plain-clear", domains: "shared.test", want: 1},
		{only: "ext-*", domains: "shared.test", want: 1},
		{only: "cert-*", domains: "shared.test", want: 3},      // a name each
		{only: "tls-version", domains: "shared.test", want: 4}, // and the versions beside the first
		{only: "", domains: "shared.test", want: 6},            // both
		{o: active, only: "", domains: "shared.test", want: 8}, // a command injected, and the mailboxes
		{only: "", domains: "good.test good.test", want: 18},   // four addresses, each of one name, and the policy host of each domain
		{only: "", domains: "shared.test other.shared.test", want: 6},
		{only: "mx-reach", domains: "shared.test other.shared.test crowd.shared.test", want: 1},
		{o: active, only: "postmaster", domains: "shared.test", want: 2},
		{o: active, only: "starttls-injection", domains: "shared.test", want: 2},
		{o: active, only: "postmaster", domains: "shared.test other.shared.test", want: 3}, // mailboxes are those of a domain
		{o: check.Options{RelayOpen: true}, only: "relay-open", domains: "shared.test", want: 2},
	} {
		var only []string
		if test.only != "" {
			only = strings.Split(test.only, ",")
		}
		all, connections := counted(t, w, test.o, only, strings.Fields(test.domains)...)
		if connections != test.want {
			t.Errorf("%q of %s: %d connections, not %d", test.only, test.domains, connections, test.want)
		}
		for id, o := range all {
			if o.Verdict == check.Error || o.Verdict == check.Fail {
				t.Errorf("%q of %s: %s is %s: %+v", test.only, test.domains, id, o.Verdict, o.Results)
			}
		}
	}
}

// Where a stranger's address has seen as many connections as a run makes, what is left is not
// known, and whose limit that is is said. Nothing fails for it.
func TestConnectionsEnd(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	const limit = "ehlo makes no more than 8 connections to 203.0.113.241:25 in a run"
	for _, test := range []struct {
		o       check.Options
		domains string
		unknown []string // checks that are not known of the last domain; all others are
	}{
		// Nine names: the first, three versions, and four more names.
		{check.Options{}, "crowd.shared.test", []string{"cert-chain", "cert-name", "cert-expiry", "cert-key"}},
		// Connections are kept for what nothing else shows.
		{check.Options{Active: true}, "crowd.shared.test", []string{"cert-chain", "cert-name", "cert-expiry", "cert-key"}},
		{check.Options{Active: true}, "shared.test other.shared.test", []string{"vrfy-expn", "postmaster", "abuse", "catch-all"}},
	} {
		domains := strings.Fields(test.domains)
		all, connections := counted(t, w, test.o, nil, domains...)
		if connections != 8 {
			t.Errorf("%s: %d connections", test.domains, connections)
		}
		for id, o := range all {
			unknown := strings.HasPrefix(id, domains[len(domains)-1]+" ") && slices.Contains(test.unknown, o.Check.ID)
			if (o.Verdict == check.Error) != unknown || o.Verdict == check.Fail {
				t.Errorf("%s: %s is %s: %+v", test.domains, id, o.Verdict, o.Results)
			}
			for _, r := range o.Results {
				if r.Verdict == check.Error && !strings.Contains(r.Summary, limit) {
					t.Errorf("%s: %s does not say whose limit it was: %s", test.domains, id, r.Summary)
				}
			}
		}
	}
}

// A check says the same by itself as among all the others: its row names all that it looks at.
func TestEachAlone(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	o := check.Options{Own: true, Active: true, RelayOpen: true}
	for _, domain := range []string{"good.test", "shared.test", "dane.test", "sts-selfsigned.test", "tlsold.test", "tlsodd.test", "helo-only.test", "reply-554.test", "plain.test"} {
		whole, _ := counted(t, w, o, nil, domain)
		for _, c := range check.All() {
			if c.Group != check.Receiving {
				continue
			}
			alone, _ := counted(t, w, o, []string{c.ID}, domain)
			one, among := alone[domain+" "+c.ID], whole[domain+" "+c.ID]
			if !reflect.DeepEqual(one.Results, among.Results) {
				t.Errorf("%s of %s: by itself %s\namong the others %s", c.ID, domain, drawn(one), drawn(among))
			}
		}
	}
}

func drawn(o check.Outcome) string {
	var b strings.Builder
	for _, r := range o.Results {
		fmt.Fprintf(&b, "%s %s: %s %q; ", r.Verdict, r.Subject, r.Summary, r.Evidence)
	}
	return b.String()
}

// Ten MX hosts of two kinds of addresses are within what the route of a check may ask.
func TestTenHosts(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	all, _ := counted(t, w, check.Options{}, []string{"mx-dup", "mx-addr"}, "ten.shared.test")
	for id, o := range all {
		if o.Verdict != check.Pass {
			t.Errorf("%s is %s: %s", id, o.Verdict, drawn(o))
		}
	}
}
