package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/explain"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// The pauses of --retry-for: each is twice the one before. RFC 5321 section
// 4.5.4.1 wants half an hour between the tries of a queue; a person who waits
// does not, and greylisting lets most through after a minute.
const (
	firstPause = 15 * time.Second
	maxPause   = 15 * time.Minute
)

// retry counts the tries of a run.
type retry struct {
	until time.Time // zero: one try only
	tries int
	pause time.Duration
}

func newRetry(began time.Time, window time.Duration) *retry {
	r := &retry{pause: firstPause}
	if window > 0 {
		r.until = began.Add(window)
	}
	return r
}

// wait pauses before the next try and reports whether there is one: the pause
// has to end within the window.
func (r *retry) wait(ctx context.Context, s *sending) bool {
	r.tries++
	pause, why := r.pause, ""
	// What the reply asks for is enough once; after that the pauses grow all the same.
	if asked := s.asked(); asked > pause || asked > 0 && r.tries == 1 {
		pause, why = asked, "the reply asks for "+transcript.Duration(asked)
	}
	r.pause = min(2*r.pause, maxPause)
	next := time.Now().Add(pause)
	if r.until.IsZero() || next.After(r.until) || ctx.Err() != nil {
		return false
	}
	s.stream.Emit(retrying{Try: r.tries + 1, Pause: pause, At: next, Why: why, Until: r.until})
	s.progress.begin("next try", pause)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		s.interrupted = errors.Is(context.Cause(ctx), ErrInterrupted)
		return false
	case <-timer.C:
		return true
	}
}

// asked is the longest pause that a reply to a deferred recipient asks for.
func (s *sending) asked() time.Duration {
	var longest time.Duration
	for _, p := range s.parts {
		for _, to := range p.recipients() {
			if to.Outcome != dialog.Deferred || to.Reply == nil {
				continue
			}
			if d, ok := explain.RetryAfter(to.Reply.Text()); ok {
				longest = max(longest, d)
			}
		}
	}
	return longest
}

// retrying says when and why the next try begins.
type retrying struct {
	Try       int
	Pause     time.Duration
	At, Until time.Time
	Why       string
}

// Kind is "retry".
func (retrying) Kind() string { return "retry" }

// Lines is one line, set off by a blank one from what was and what comes.
func (e retrying) Lines() []transcript.Line {
	text := fmt.Sprintf("try %d, in %s at %s", e.Try, transcript.Duration(e.Pause), clockTime(e.At))
	if e.Why != "" {
		text += ": " + e.Why
	}
	text += " · --retry-for ends at " + clockTime(e.Until)
	return []transcript.Line{{Mark: transcript.Blank}, {Mark: transcript.Phase, Label: "retry", Text: text}, {Mark: transcript.Blank}}
}

// MarshalJSON gives try, pause_ms, next_at, until and why.
func (e retrying) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Try     int       `json:"try"`
		PauseMS float64   `json:"pause_ms"`
		NextAt  time.Time `json:"next_at"` // "at" is the record's own
		Until   time.Time `json:"until"`
		Why     string    `json:"why,omitempty"`
	}{e.Try, float64(e.Pause.Milliseconds()), wholeMillis(e.At), wholeMillis(e.Until), e.Why})
}

// wholeMillis is t as JSON has times: in UTC, to the millisecond.
func wholeMillis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func clockTime(t time.Time) string { return t.UTC().Format("15:04:05Z") }
