package load

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

// ways are the extensions that make for another way of sending.
var ways = []string{"", "PIPELINING", "CHUNKING", "PIPELINING CHUNKING"}

// each runs test for each of the ways, at the same time.
func each(t *testing.T, test func(t *testing.T, offers []string)) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			test(t, strings.Fields(way))
		})
	}
}

// ends reports whether a reply to verb is the one to a message.
func ends(verb string) bool { return verb == "." || verb == "BDAT" }

// TestHeldUp charges what a server does behind a message to that message, once, and
// to nothing else.
func TestHeldUp(t *testing.T) {
	const held = 100 * time.Millisecond
	each(t, func(t *testing.T, offers []string) {
		s := &server{offers: offers, answer: func(verb, _ string, _ int) string {
			if ends(verb) {
				time.Sleep(held)
			}
			return ""
		}}
		r := run(t, t.Context(), s.start(t), Offer{Count: 8})
		dot := &r.Latency[dialog.PhaseDot] // counted from when the reply before was read, be that late
		if r.Accepted != 8 || r.Whole.Min() < held || dot.Min() < held*9/10 {
			t.Errorf("%d accepted, the fastest in %v, its end in %v", r.Accepted, r.Whole.Min(), dot.Min())
		}
		if p := r.Whole.Quantile(0.5); p > held*18/10 {
			t.Errorf("half the messages took over %v", p)
		}
		for _, p := range []dialog.Phase{dialog.PhaseMail, dialog.PhaseRcpt, dialog.PhaseData} {
			if q := r.Latency[p].Quantile(0.5); q > held/2 {
				t.Errorf("half the replies to %v took over %v", p, q)
			}
		}
	})
}

// TestFirstOfGroup counts a reply from the one before it: three that come together,
// each as late as the server is with it, are not three times as late.
func TestFirstOfGroup(t *testing.T) {
	const held = 100 * time.Millisecond
	s := &server{offers: []string{"PIPELINING"}, answer: func(verb, _ string, _ int) string {
		if verb == "RCPT" {
			time.Sleep(held)
		}
		return ""
	}}
	r := run(t, t.Context(), s.start(t), Offer{Count: 4})
	rcpt, data := &r.Latency[dialog.PhaseRcpt], &r.Latency[dialog.PhaseData]
	if rcpt.Count() != 8 || rcpt.Min() < held*9/10 || rcpt.Quantile(0.5) > held*18/10 || data.Quantile(0.5) > held/2 {
		t.Errorf("%d RCPT from %v, half of them up to %v, DATA %v", rcpt.Count(), rcpt.Min(), rcpt.Quantile(0.5), data.Quantile(0.5))
	}
}

// TestIdleSessions sends what is due by a session that is free: where a server is long
// with every tenth message, no other one waits.
func TestIdleSessions(t *testing.T) {
	const held = 500 * time.Millisecond
	each(t, func(t *testing.T, offers []string) {
		var n atomic.Int64
		s := &server{offers: offers, answer: func(verb, _ string, _ int) string {
			if ends(verb) && n.Add(1)%10 == 0 {
				time.Sleep(held)
			}
			return ""
		}}
		r := run(t, t.Context(), s.start(t), Offer{Count: 40, Rate: 50, Sessions: 8})
		if r.Accepted != 40 || r.Late != 0 || r.Whole.Quantile(0.925) < held {
			t.Errorf("%d accepted, %d late, 4 of them took %v", r.Accepted, r.Late, r.Whole.Quantile(0.925))
		}
		if q := r.Whole.Quantile(0.85); q > held/2 { // two more than 4 may be the machine's
			t.Errorf("over 6 of 40 took %v", q)
		}
	})
}

// TestRamp ends with the last message, not with the session that begins last, nor
// with what follows the messages.
func TestRamp(t *testing.T) {
	const farewell = 300 * time.Millisecond
	s := &server{answer: func(verb, _ string, _ int) string {
		if verb == "QUIT" {
			time.Sleep(farewell)
		}
		return ""
	}}
	for _, o := range []Offer{{Count: 20}, {Duration: 200 * time.Millisecond}, {Count: 20, Rate: 200}} {
		o.Sessions, o.Ramp = 4, time.Hour
		began := time.Now()
		r := run(t, t.Context(), s.start(t), o)
		if took := time.Since(began); r.Accepted == 0 || r.Errors() != 0 || r.Left != 0 || r.Connections != 1 || took > 4*time.Second || r.Took > took-farewell {
			t.Errorf("%d accepted, %d left in %v, after %v", r.Accepted, r.Left, r.Took, took)
		}
	}
}

// TestInVain has what was waited for until the time was up among the latencies.
func TestInVain(t *testing.T) {
	const limit = 100 * time.Millisecond
	for _, test := range []struct {
		verb  string
		phase dialog.Phase
	}{{"EHLO", dialog.PhaseFirstHello}, {"MAIL", dialog.PhaseMail}, {"DATA", dialog.PhaseData}, {".", dialog.PhaseDot}, {"BDAT", dialog.PhaseDot}} {
		each(t, func(t *testing.T, offers []string) {
			if chunks := strings.Contains(strings.Join(offers, ""), "CHUNKING"); chunks && (test.verb == "DATA" || test.verb == ".") || !chunks && test.verb == "BDAT" {
				return
			}
			over := make(chan struct{})
			var n atomic.Int64
			s := &server{offers: offers, answer: func(verb, _ string, _ int) string {
				if verb == test.verb && (verb == "EHLO" || n.Add(1) > 2) {
					<-over
				}
				return ""
			}}
			defer close(over)
			r := reaching()
			r.Session.Timeouts.Reply, r.Session.Timeouts.Dot = limit, limit
			result, err := Run(t.Context(), r, s.start(t), offer(Offer{Count: 4}), nil)
			if err != nil {
				t.Fatal(err)
			}
			vain := result.Unknown + result.Failed
			if vain == 0 || result.Whole.Count() != result.Messages() || result.Whole.Max() < limit {
				t.Errorf("%s: %d of %d had no answer, %d times up to %v", test.verb, vain, result.Messages(), result.Whole.Count(), result.Whole.Max())
			}
			if h := &result.Latency[test.phase]; h.Max() < limit || h.Max() > limit+3*time.Second {
				t.Errorf("%s: the slowest reply took %v", test.verb, h.Max())
			}
		})
	}
}

// TestSilentGreeting has connections in vain among the latencies.
func TestSilentGreeting(t *testing.T) {
	const limit = 50 * time.Millisecond
	r := reaching()
	r.Session.Timeouts.Banner = limit
	result, err := Run(t.Context(), r, mute(t), offer(Offer{Count: 6}), nil)
	connect := &result.Latency[dialog.PhaseConnect]
	if err != nil || result.Failed != patience || result.Left != 1 || result.GaveUp != 1 || result.Whole.Min() < limit || result.Whole.Count() != patience || connect.Count() != patience || connect.Min() < limit {
		t.Errorf("failed %d, left %d, %d times from %v, %v", result.Failed, result.Left, result.Whole.Count(), result.Whole.Min(), err)
	}
}
