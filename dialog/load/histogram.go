package load

import (
	"math"
	"math/bits"
	"time"
)

// Histogram counts times in buckets that are at most 1/64 of their time wide, from
// a microsecond to an hour; what is longer is counted there. The zero Histogram is
// empty.
type Histogram struct {
	counts   []uint32 // by bucket, as far as one was needed
	n        int64
	sum      time.Duration
	min, max time.Duration
}

const (
	fine    = 6 // 1<<fine buckets for each doubling
	longest = time.Hour
)

// Add counts d once.
func (h *Histogram) Add(d time.Duration) {
	d = min(max(d, 0), longest)
	i := bucket(d)
	if i >= len(h.counts) {
		h.grow(i + 1)
	}
	h.counts[i]++
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.n++
	h.sum += d
}

// grow makes room for n buckets, to the end of their doubling.
func (h *Histogram) grow(n int) {
	if n <= len(h.counts) {
		return
	}
	counts := make([]uint32, (n+1<<fine-1)>>fine<<fine)
	copy(counts, h.counts)
	h.counts = counts
}

// Merge adds what other counts.
func (h *Histogram) Merge(other *Histogram) {
	if other.n == 0 {
		return
	}
	h.grow(len(other.counts))
	for i, n := range other.counts {
		h.counts[i] += n
	}
	if h.n == 0 || other.min < h.min {
		h.min = other.min
	}
	h.max = max(h.max, other.max)
	h.n += other.n
	h.sum += other.sum
}

// Count is how many times are counted.
func (h *Histogram) Count() int64 { return h.n }

// Min is the shortest time, exactly; 0 if there is none.
func (h *Histogram) Min() time.Duration { return h.min }

// Max is the longest time, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean is the mean, exactly.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return h.sum / time.Duration(h.n)
}

// Quantile is the time that a share q of all, from 0 to 1, did not exceed, at most
// 1/64 too long.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := min(max(1, int64(math.Ceil(q*float64(h.n)))), h.n)
	for i, n := range h.counts {
		if rank -= int64(n); rank <= 0 {
			return min(max(top(i), h.min), h.max)
		}
	}
	return h.max
}

// Bar is how many times lie from From up to To.
type Bar struct {
	From, To time.Duration
	Count    int64
}

// Bars are the counts between bounds in steps of 1, 2, 5, 10, from the first bar that
// counts anything to the last. A time within 1/64 of a bound may stand on its
// other side.
func (h *Histogram) Bars() []Bar {
	var bars []Bar
	from, i := time.Duration(0), 0
	for unit := 10 * time.Microsecond; i < len(h.counts); unit *= 10 {
		for _, step := range [...]time.Duration{1, 2, 5} {
			bar := Bar{From: from, To: step * unit}
			for ; i < len(h.counts) && top(i) <= bar.To; i++ {
				bar.Count += int64(h.counts[i])
			}
			from = bar.To
			if bar.Count > 0 || len(bars) > 0 {
				bars = append(bars, bar)
			}
		}
	}
	for len(bars) > 0 && bars[len(bars)-1].Count == 0 {
		bars = bars[:len(bars)-1]
	}
	return bars
}

// bucket is where d is counted: below 1<<fine microseconds each has its own, and
// from there each doubling has 1<<fine of them.
func bucket(d time.Duration) int {
	us := uint64(d / time.Microsecond)
	if us < 1<<fine {
		return int(us)
	}
	shift := bits.Len64(us) - fine - 1
	return shift<<fine + int(us>>shift)
}

// top is the end of bucket i: the first time that is not counted in it.
func top(i int) time.Duration {
	shift := max(0, i>>fine-1)
	return time.Duration(uint64(i-shift<<fine+1)<<shift) * time.Microsecond
}
