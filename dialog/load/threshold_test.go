package load

import (
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
		_ = bound.Broken(r)
	})
}
