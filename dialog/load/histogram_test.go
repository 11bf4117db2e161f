package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQuantile compares with sorted times: never too short, at most 1/64 and a
// microsecond too long.
func TestQuantile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var h, a, b Histogram
		times := make([]time.Duration, 1+random.IntN(500))
		for i := range times {
			times[i] = time.Duration(math.Exp(random.Float64() * math.Log(float64(longest))))
			h.Add(times[i])
			if i%2 == 0 {
				a.Add(times[i])
			} else {
				b.Add(times[i])
			}
		}
		a.Merge(&b)
		slices.Sort(times)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
			want := times[max(0, int(math.Ceil(q*float64(len(times))))-1)]
			got := h.Quantile(q)
			if got < want || got > want+want/64+time.Microsecond {
				t.Fatalf("p%v of %d is %v, want %v", 100*q, len(times), got, want)
			}
			if merged := a.Quantile(q); merged != got {
				t.Fatalf("p%v is %v merged, %v otherwise", 100*q, merged, got)
			}
		}
		if h.Min() != times[0] || h.Max() != times[len(times)-1] || h.Count() != int64(len(times)) {
			t.Fatal(h.Min(), h.Max(), h.Count())
		}
		checkBars(t, a.Bars(), times)
	}
}

// checkBars wants bars that join, the outer ones full, each with exactly the times
// between its bounds, which are sorted.
func checkBars(t *testing.T, bars []Bar, times []time.Duration) {
	t.Helper()
	rest := times
	for i, bar := range bars {
		n := 0
		for n < len(rest) && rest[n] < bar.To {
			n++
		}
		if n > 0 && rest[0] < bar.From || int64(n) != bar.Count || i > 0 && bar.From != bars[i-1].To {
			t.Fatalf("%v holds %d times", bar, n)
		}
		rest = rest[n:]
	}
	if len(rest) > 0 || len(bars) == 0 || bars[0].Count == 0 || bars[len(bars)-1].Count == 0 {
		t.Fatalf("%v leave %d of %d", bars, len(rest), len(times))
	}
}

// TestBars has a time on the side of a bound on which it is.
func TestBars(t *testing.T) {
	var all Histogram
	all.Add(0)
	all.Add(longest)
	for _, bar := range all.Bars() {
		for _, d := range []time.Duration{bar.From, bar.From + 1, bar.To - 1} {
			var h Histogram
			h.Add(d)
			checkBars(t, h.Bars(), []time.Duration{min(d, longest)})
		}
	}
	if n := len(all.Bars()); n != bars {
		t.Errorf("%d bars", n)
	}
}

func TestBucket(t *testing.T) {
	last := -1
	for d := time.Duration(0); d <= longest; d += d/200 + 400*time.Nanosecond {
		i := bucket(d)
		if i < last || top(i) <= d || i > 0 && top(i-1) > d {
			t.Fatalf("%v is in bucket %d, which ends at %v, after %d", d, i, top(i), last)
		}
		last = i
	}
}

func TestEmpty(t *testing.T) {
	var h, other Histogram
	h.Merge(&other)
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Max() != 0 || len(h.Bars()) != 0 {
		t.Error(h)
	}
	h.Add(-time.Second)
	h.Add(2 * longest)
	if h.Min() != 0 || h.Max() != longest || h.Quantile(1) != longest {
		t.Error(h.Min(), h.Max(), h.Quantile(1))
	}
}

func BenchmarkHistogram(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	for b.Loop() {
		h.Add(time.Duration(h.n) % time.Second)
	}
}
