package transcript

import (
	"fmt"
	"strings"
	"time"
)

// Duration writes d for people with the digits that matter: 0.4 ms, 84 ms,
// 1.24 s, 15.0 s, 5 min 01 s, 2 h 05 min. A negative d counts as none.
func Duration(d time.Duration) string {
	ms := float64(max(d, 0)) / float64(time.Millisecond)
	// Each bound is where rounding would reach the next form's first value.
	switch s := ms / 1000; {
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case s < 9.995:
		return fmt.Sprintf("%.2f s", s)
	case s < 59.95:
		return fmt.Sprintf("%.1f s", s)
	}
	if s := int64(d.Round(time.Second) / time.Second); s < 3600 {
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	m := int64(d.Round(time.Minute) / time.Minute)
	return fmt.Sprintf("%d h %02d min", m/60, m%60)
}

// Bytes writes a size for people: 1 byte, 812 bytes, 18.4 MiB. A unit is 1024
// of the one below.
func Bytes(n int64) string {
	switch {
	case n == 1:
		return "1 byte"
	case n < 1024:
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n)/1024, 0
	for v >= 1023.95 { // which would be written as 1024.0
		v /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTPE"[unit])
}

// Millis is d as JSON has it in a field *_ms: milliseconds, to the microsecond.
func Millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Count is a number of things: "1 host", "2 addresses".
func Count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
