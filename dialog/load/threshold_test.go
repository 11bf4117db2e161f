package load

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
)

func TestThreshold(t *testing.T) {
	r := newResult()
	r.Accepted, r.Refused, r.Took = 98, 2, 2*time.Second
	for i := range 98 {
		r.Whole.Add(time.Duration(i+1) * time.Millisecond)
		r.Latency[dialog.PhaseRcpt].Add(time.Millisecond)
	}
	for text, want := range map[string]string{
		"max>97ms": "max is 98 ms", "max>98ms": "", "max>=98ms": "max is 98 ms", "min<1ms": "", "min < 2ms": "min is 1.0 ms",
		"p50>40ms": "p50 is 49 ms", "p99.9>1s": "", "mean>49ms": "mean is 50 ms", "rcpt.max>=1ms": "rcpt max is 1.0 ms", "tls.p50>0s": "",
		"message.max>97ms": "max is 98 ms", "message.p50>60ms": "", "p50.0>40ms": "p50.0 is 49 ms",
		"errors>1": "errors is 2", "errors>2": "", "errors>1%": "errors is 2%", "errors>=2%": "errors is 2%", "errors>2%": "",
		"rate<50": "rate is 49 a second", "rate<49": "",
	} {
		bound, err := ParseThreshold(text)
		if got := bound.Broken(r); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	if bound, _ := ParseThreshold("errors>1%"); bound.Broken(newResult()) != "" || !bound.Errors() {
		t.Error("a share of nothing is none")
	}
}

// TestThresholdRefused takes plain numbers alone.
func TestThresholdRefused(t *testing.T) {
	for _, text := range []string{
		"", "p99", "p99>", "p99>250", "p101>1s", "p>1s", "p.>1s", "p1e1>1s", "p+5>1s", "pinf>1s", "p0x1p2>1s", "p5%>1s",
		"p99>+1s", "p99>-1s", "p99>1e3ms", "body.max>1s", "message.errors>1", "message.late>1", "mail.rate<1", "errors>inf", "errors>NaN",
		"errors>0x1p2", "errors>1e2", "errors>+1", "errors>-1", "errors>1_0", "errors>1%%", "rate<5%", "rate<1e400", "errors>" + strings.Repeat("9", 400),
	} {
		if bound, err := ParseThreshold(text); err == nil {
			t.Errorf("%q reads as %+v", text, bound)
		}
	}
}

// TestMeasured tells a bound that holds from one of a phase that never came.
func TestMeasured(t *testing.T) {
	r := newResult()
	r.Accepted, r.Took = 1, time.Second
	r.Whole.Add(time.Millisecond)
	for text, want := range map[string]bool{"p99>1s": true, "errors>1": true, "errors>1%": true, "rate<1": true, "late>1%": true, "tls.max>1s": false, "data.min>0s": false} {
		bound, err := ParseThreshold(text)
		if err != nil || bound.Measured(r) != want {
			t.Errorf("%s: %v, %v", text, bound.Measured(r), err)
		}
	}
	for _, text := range []string{"p99>1s", "errors>1%", "late>1%"} {
		if bound, err := ParseThreshold(text); err != nil || bound.Measured(newResult()) {
			t.Errorf("%s is measured without a message: %v", text, err)
		}
	}
}

func FuzzThreshold(f *testing.F) {
	for _, text := range []string{"p99>250ms", "rcpt.p50>=1s", "errors>1%", "rate<5", "p101>1s", "x>1", "p99", "body.max>1s", "errors>NaN", "p-1>1s", "max>-1s"} {
		f.Add(text)
	}
	r := newResult()
	r.Accepted, r.Took = 1, time.Second
	r.Whole.Add(time.Millisecond)
	f.Fuzz(func(t *testing.T, text string) {
		bound, err := ParseThreshold(text)
		if err != nil {
			return
		}
		again, err := ParseThreshold(bound.Text)
		if err != nil || again != bound {
			t.Fatalf("%q reads as %+v, and again as %+v, %v", text, bound, again, err)
		}
		if math.IsInf(bound.limit, 0) || math.IsNaN(bound.limit) || bound.limit < 0 || bound.q < 0 || bound.q > 1 {
			t.Fatalf("%q bounds by %v, p %v", text, bound.limit, bound.q)
		}
		_ = bound.Broken(r)
	})
}
