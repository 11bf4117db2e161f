package check_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/check"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// subject is a domain of the sandbox, whose DNS server is asked at dns.
func subject(t *testing.T, w *sandbox.World, o check.Options, dns string) *check.Subject {
	t.Helper()
	client := &route.Client{Servers: []route.Server{{Addr: netip.MustParseAddrPort(dns)}}}
	trust := dialog.TLS{Roots: w.Roots(), Store: "the sandbox's store", Policy: dialog.PolicyMust}
	to := &reach.Reach{Resolver: client, Dial: w.Dial, ConnectTimeout: 10 * time.Second,
		Session: dialog.Options{Hello: "client.test", TLS: trust, Now: time.Now, Timeouts: dialog.DefaultTimeouts()}}
	o.Own, o.WarnDays = true, 14
	o.Fetch = policy.Fetcher{Roots: w.Roots(), Store: "the sandbox's store"}
	s, err := check.NewSubject(o, client, to)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func startWorld(t *testing.T) *sandbox.World {
	t.Helper()
	w, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// late is a resolver whose answers take their time. Who asks again has the answer with who
// asked first.
type late struct {
	check.Resolver
	latency time.Duration
	asked   sync.Map // question: a channel that is closed when its answer is there
	sum     atomic.Int64
}

func (r *late) wait(question ...any) {
	here := make(chan struct{})
	if there, known := r.asked.LoadOrStore(fmt.Sprint(question...), here); known {
		<-there.(chan struct{})
		return
	}
	time.Sleep(r.latency)
	r.sum.Add(int64(r.latency))
	close(here)
}

func (r *late) MX(ctx context.Context, name string) (route.Answer[route.MX], error) {
	r.wait("MX", name)
	return r.Resolver.MX(ctx, name)
}

func (r *late) Addr(ctx context.Context, name string, f route.Family) (route.Answer[netip.Addr], error) {
	r.wait("Addr", name, f) // A and AAAA at the same time
	return r.Resolver.Addr(ctx, name, f)
}

func (r *late) TXT(ctx context.Context, name string) (route.Answer[string], error) {
	r.wait("TXT", name)
	return r.Resolver.TXT(ctx, name)
}

func (r *late) TLSA(ctx context.Context, name string, port uint16) (route.Answer[route.TLSA], error) {
	r.wait("TLSA", name)
	return r.Resolver.TLSA(ctx, name, port)
}

func (r *late) PTR(ctx context.Context, addr netip.Addr) (route.Answer[string], error) {
	r.wait("PTR", addr)
	return r.Resolver.PTR(ctx, addr)
}

func (r *late) CNAME(ctx context.Context, name string) (route.Answer[string], error) {
	r.wait("CNAME", name)
	return r.Resolver.CNAME(ctx, name)
}

func (r *late) CAA(ctx context.Context, name string) (route.Answer[route.CAA], error) {
	r.wait("CAA", name)
	return r.Resolver.CAA(ctx, name)
}

// Independent checks run side by side, and look-ups are shared: where each answer of the DNS
// takes 10 ms, a run takes as many as its longest chain of look-ups has, each of which needs
// the one before it. No other time passes there, so that the run takes exactly that.
func TestLongestChain(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	const latency = 10 * time.Millisecond
	for _, test := range []struct {
		skip  []string
		chain int
	}{
		{nil, 5},             // MX of good.test, addresses of mx1.good.test, CAA of mx1.good.test, of good.test, of test
		{[]string{"caa"}, 3}, // MX of good.test, addresses of mx1.good.test, PTR of them
	} {
		checks, err := check.Select([]check.Group{check.Receiving, check.Sending}, nil, test.skip)
		if err != nil {
			t.Fatal(err)
		}
		options := check.Options{Domain: "good.test", IP: netip.MustParseAddr("192.0.2.10"), HELO: "mx1.good.test", Selectors: []string{"ed"}, Active: true}
		before := subject(t, w, options, w.DNS())
		check.Run(t.Context(), before, checks) // the servers listen now
		now := time.Now()
		synctest.Test(t, func(t *testing.T) {
			s := subject(t, w, options, w.DNS())
			resolver := &late{Resolver: s.Resolver, latency: latency}
			s.Resolver, s.Reach.Resolver = resolver, resolver
			s.Reach.Session.Now = func() time.Time { return now }
			began := time.Now()
			all := check.Run(t.Context(), s, checks)
			took, sum := time.Since(began), time.Duration(resolver.sum.Load())
			if want := time.Duration(test.chain) * latency; took != want {
				t.Errorf("without %q: %d checks take %s, not %s; their look-ups one by one would take %s", test.skip, len(all), took, want, sum)
			}
			for _, o := range all {
				if o.Verdict == check.Error {
					t.Errorf("%s: %s", o.Check.ID, o.Results[0].Summary)
				}
			}
		})
	}
}

// A resolver that never answers proves nothing: no check fails, and none passes for having
// nothing to judge.
func TestSilentResolver(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	s := subject(t, w, check.Options{Domain: "good.test", Active: true, RelayOpen: true}, silent.LocalAddr().String())
	s.Resolver.(*route.Client).Timeout = 100 * time.Millisecond
	checks, err := check.Select([]check.Group{check.Receiving, check.Sending}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range check.Run(t.Context(), s, checks) {
		switch o.Verdict {
		case check.Error:
		case check.Skip:
			if o.Check.Lacks(s) == 0 {
				t.Errorf("%s is skipped, as if there was nothing to judge: %s", o.Check.ID, o.Results[0].Summary)
			}
		default:
			t.Errorf("%s is %s: %s", o.Check.ID, o.Verdict, o.Results[0].Summary)
		}
	}
}

// A server at a public address is sent no messages, whatever was asked for.
func TestSmugglingSparesStrangers(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	s := subject(t, w, check.Options{Domain: "smuggle.test", Smuggling: true}, w.DNS())
	s.Own = false
	s.Reach.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		return nil, fmt.Errorf("%s was dialled", address)
	}
	checks, err := check.Select(nil, []string{"smuggling"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := check.Run(t.Context(), s, checks)
	if o := all[len(all)-1]; o.Verdict != check.Skip {
		t.Errorf("%s: %s", o.Verdict, o.Results[0].Summary)
	}
}

// local is a resolver that knows localhost, with an address and no MX record.
type local struct{ check.Resolver }

func (r local) MX(_ context.Context, name string) (route.Answer[route.MX], error) {
	return route.Answer[route.MX]{}, &route.Error{Kind: route.NoData, Name: name, Type: "MX"}
}

// No MX record is shown that the DNS does not have.
func TestLocalhost(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	s := subject(t, w, check.Options{Domain: "localhost"}, w.DNS())
	s.Resolver = local{s.Resolver}
	checks, err := check.Select(nil, []string{"mx-present"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := check.Run(t.Context(), s, checks)
	if r := all[len(all)-1].Results[0]; r.Verdict != check.Info || len(r.Evidence) > 0 {
		t.Errorf("%s: %s %q", r.Verdict, r.Summary, r.Evidence)
	}
}
