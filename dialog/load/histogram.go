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
	bars     [bars]uint32
	n        int64
	sum      time.Duration
	min, max time.Duration
}

const (
	fine    = 6 // 1<<fine buckets for each doubling
	longest = time.Hour
	narrow  = 10 * time.Microsecond // the first bar ends there
	bars    = 27                    // up to longest
)

// Add counts d once.
func (h *Histogram) Add(d time.Duration) {
	d = min(max(d, 0), longest)
	i := bucket(d)
	if i >= len(h.counts) {
		h.grow(i + 1)
	}
	h.counts[i]++
	h.bars[bar(d)]++
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
	for i, n := range other.bars {
		h.bars[i] += n
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
// counts anything to the last.
func (h *Histogram) Bars() []Bar {
	var list []Bar
	full := 0 // up to the last that counts
	from, to := time.Duration(0), narrow
	for i, n := range h.bars {
		if n > 0 || len(list) > 0 {
			list = append(list, Bar{from, to, int64(n)})
		}
		if n > 0 {
			full = len(list)
		}
		if from = to; i%3 == 1 {
			to = to / 2 * 5
		} else {
			to *= 2
		}
	}
	return list[:full]
}

// bar is the bar that counts d.
func bar(d time.Duration) int {
	for i, unit := 0, narrow; ; i, unit = i+3, unit*10 {
		switch {
		case d < unit:
			return i
		case d < 2*unit:
			return i + 1
		case d < 5*unit:
			return i + 2
		}
	}
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
