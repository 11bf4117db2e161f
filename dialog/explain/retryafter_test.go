package explain

import (
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration // 0: none is asked for
	}{
		{"try again in 300 seconds", 300 * time.Second},
		{"Greylisted, please try again in 5 minutes.", 5 * time.Minute},
		{"greylisted for 300 seconds", 300 * time.Second},
		{"Greylisting in action, please come back in 00:04:59", 4*time.Minute + 59*time.Second},
		{"come back in 4:59", 4*time.Minute + 59*time.Second},
		{"Please retry in 300s", 300 * time.Second},
		{"please wait 60 sec and try again", time.Minute},
		{"try again later (in 10 min)", 10 * time.Minute},
		{"Try again in 1 hour and 30 minutes", 90 * time.Minute},
		{"try again in an hour", time.Hour},
		{"retry after 1h30m", 90 * time.Minute},
		{"TRY AGAIN AFTER AT LEAST 2 HOURS", 2 * time.Hour},
		{"retry in 0 seconds; else wait 7 s", 7 * time.Second},

		{"", 0},
		{"try again later", 0},
		{"try again in a few minutes", 0},
		{"try again in 300", 0},
		{"100 messages in 60 minutes", 0},
		{"try again. 60 minutes is the limit", 0},
		{"closed after 300 seconds of silence", 0},
		{"try again in 5 messages", 0},
		{"try again in 4.5 minutes", 0},
		{"try again in 0 seconds", 0},
		{"try again in 99999999999999999999 hours", 0},
		{"try again in 999999 hours", 0},
		{"come back in 1:2:3:4", 0},
		{"come back in :::", 0},
		{"come back in 5:", 0},
	}
	for _, tt := range tests {
		got, ok := RetryAfter(tt.text)
		if got != tt.want || ok != (tt.want > 0) {
			t.Errorf("%q: %v %v, want %v", tt.text, got, ok, tt.want)
		}
	}
}

// FuzzRetryAfter: a waiting time is positive, bounded, the same in capitals, and
// asked for by a digit or an article in the text.
func FuzzRetryAfter(f *testing.F) {
	f.Add("try again in 5 minutes and 30 seconds")
	f.Add("come back in 00:04:59")
	f.Add("wait an hour")
	f.Add("retry 9999999 h 1:1")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := RetryAfter(text)
		if ok != (d > 0) || d < 0 || d > longestWait {
			t.Fatalf("%v %v", d, ok)
		}
		if ascii := printable(text); ascii {
			if upper, _ := RetryAfter(strings.ToUpper(text)); upper != d {
				t.Errorf("%v, in capitals %v", d, upper)
			}
		}
		if ok && !strings.ContainsAny(strings.ToLower(text), "0123456789ao") {
			t.Errorf("%v out of nothing", d)
		}
	})
}
