package check_test

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/check"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
)

// subject is a domain of the sandbox, whose DNS server is asked at dns.
func subject(t *testing.T, w *sandbox.World, o check.Options, dns string) (*check.Subject, *atomic.Int64) {
	t.Helper()
	var lookups atomic.Int64
	client := &route.Client{Servers: []route.Server{{Addr: netip.MustParseAddrPort(dns)}}, Trace: func(route.Query) { lookups.Add(1) }}
	trust := dialog.TLS{Roots: w.Roots(), Store: "the sandbox's store", Policy: dialog.PolicyMust}
	to := &reach.Reach{Resolver: client, Dial: w.Dial, ConnectTimeout: 10 * time.Second,
		Session: dialog.Options{Hello: "client.test", TLS: trust, Now: time.Now, Timeouts: dialog.DefaultTimeouts()}}
	o.Own, o.WarnDays = true, 14
	o.Fetch = policy.Fetcher{Roots: w.Roots(), Store: "the sandbox's store"}
	s, err := check.NewSubject(o, client, to)
	if err != nil {
		t.Fatal(err)
	}
	return s, &lookups
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

// late is a DNS server at loopback that hands each question on and its answer back
// after a while.
func late(t *testing.T, to string, latency time.Duration) string {
	t.Helper()
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	go func() {
		for {
			question := make([]byte, 4096)
			n, from, err := front.ReadFrom(question)
			if err != nil {
				return
			}
			go func() {
				back, err := net.Dial("udp", to)
				if err != nil {
					return
				}
				defer back.Close()
				_, _ = back.Write(question[:n])
				answer := make([]byte, 4096)
				if n, err = back.Read(answer); err == nil {
					time.AfterFunc(latency, func() { _, _ = front.WriteTo(answer[:n], from) })
				}
			}()
		}
	}()
	return front.LocalAddr().String()
}

// Independent checks run side by side, and look-ups are shared: with a slow DNS a run
// takes the time of its longest chain, far from that of all look-ups one by one.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	const latency = 150 * time.Millisecond
	s, lookups := subject(t, w, check.Options{Domain: "good.test"}, late(t, w.DNS(), latency))
	checks, err := check.Select([]check.Group{check.Receiving, check.Sending}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	all := check.Run(t.Context(), s, checks)
	took, sum := time.Since(began), time.Duration(lookups.Load())*latency
	t.Logf("%d checks, %d look-ups: %s, one by one they would wait %s", len(all), lookups.Load(), took, sum)
	if took > sum/2+3*time.Second {
		t.Errorf("%d look-ups took %s: one by one they would take %s", lookups.Load(), took, sum)
	}
	for _, o := range all {
		if o.Verdict == check.Error {
			t.Errorf("%s: %s", o.Check.ID, o.Results[0].Summary)
		}
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
	s, _ := subject(t, w, check.Options{Domain: "good.test", Active: true, RelayOpen: true}, silent.LocalAddr().String())
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
	s, _ := subject(t, w, check.Options{Domain: "smuggle.test", Smuggling: true}, w.DNS())
	s.Own = false
	checks, err := check.Select(nil, []string{"smuggling"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := check.Run(t.Context(), s, checks)
	if o := all[len(all)-1]; o.Verdict != check.Skip {
		t.Errorf("%s: %s", o.Verdict, o.Results[0].Summary)
	}
}
