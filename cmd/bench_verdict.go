package cmd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ehlo-mail/ehlo/dialog/load"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// judge is the verdict on a load: thresholds that are broken, else messages that
// were not accepted, unless a threshold says how many may be, and what was not sent or
// not tested.
func (b *benching) judge(r *load.Result, thresholds []benchThreshold) verdict {
	v := verdict{Status: StatusDone}
	tolerant, untested := false, int64(0)
	for i, t := range thresholds {
		tolerant = tolerant || b.thresholds[i].Errors()
		if t.Untested {
			untested++
		}
		if t.Broken != "" {
			v.Status = StatusRefused
		}
	}
	count := fmt.Sprintf("%s accepted", counted(r.Accepted, "message"))
	if n := r.Messages(); n > r.Accepted {
		count = fmt.Sprintf("%s of %s accepted", grouped(r.Accepted), counted(n, "message"))
	}
	if n := b.unserved(r); n > 0 {
		count += " · not for " + counted(n, "recipient")
	}
	missing := ""
	if n := b.left(r); n > 0 {
		missing = " · " + grouped(n) + " not sent"
	}
	if untested > 0 {
		missing += " · " + counted(untested, "bound") + " not tested"
	}
	v.Sentence = fmt.Sprintf("%s%s · %s a second · %s/s", count, missing, grouped(int64(r.Speed()+0.5)), transcript.Bytes(int64(float64(r.Bytes)/max(r.Took.Seconds(), 1e-3))))
	var limit *maxTimeError
	if errors.As(r.Interrupted, &limit) {
		v.Seen = limit.Error()
	}
	switch {
	case r.Unknown > 0 && !tolerant:
		v.Status = StatusUnknown
		v.Means = fmt.Sprintf("every byte of %s was sent, and no reply came that can be trusted: each may be delivered, or lost", counted(r.Unknown, "message"))
	case errors.Is(r.Interrupted, ErrInterrupted):
		v.Status = StatusInterrupted
	case v.Status == StatusRefused:
		v.Outcome = "failed"
		return v
	case r.Accepted == 0 && r.Err != nil && !errors.Is(r.Err, context.Canceled):
		v = b.advise(judge(r.Err, b.target.Text))
		v.Sentence += missing
		return v
	default:
		v.Status = combine(b.statuses(r, tolerant, untested > 0)...)
		if v.Status == StatusPartly && b.short(r) {
			b.why(&v, r)
		}
	}
	v.Outcome = endingOf(v.Status).word
	return v
}

// statuses are those of the messages: of the ones that were not accepted unless
// tolerant, and of what is missing to a run that had some accepted.
func (b *benching) statuses(r *load.Result, tolerant, untested bool) []Status {
	var all []Status
	for _, n := range []struct {
		count  int64
		status Status
	}{{r.Accepted, StatusDone}, {r.Deferred, StatusDeferred}, {r.Refused, StatusRefused}, {r.Unknown, StatusUnknown}, {r.Failed, StatusProtocol}} {
		if n.count > 0 {
			all = append(all, n.status)
		}
	}
	if b.unserved(r) > 0 {
		all = append(all, StatusRefused)
	}
	if tolerant && r.Accepted > 0 {
		all = []Status{StatusDone}
	}
	// Without any message it was the time that was up.
	if missing := r.Accepted > 0 && (untested || b.short(r)); missing || len(all) == 0 {
		all = append(all, StatusNoAnswer)
	}
	return all
}

// left is how many messages were asked for and not sent: of --messages, else of those
// that --rate makes due in the time of the run. A run of neither leaves nothing when its
// time is up.
func (b *benching) left(r *load.Result) int64 {
	switch {
	case b.Set("messages"):
	case b.offer.Rate > 0:
		due := b.offer.Due(b.offer.Duration)
		if b.offer.Count == 0 || due < b.offer.Count {
			return max(0, due-r.Messages())
		}
	case !b.early(r):
		return 0
	}
	return r.Left
}

// early reports whether something else ended the run than its own bounds.
func (b *benching) early(r *load.Result) bool {
	return r.Interrupted != nil || r.GaveUp >= int64(b.offer.Sessions)
}

// short reports whether less was done than was asked for: a message is left, unless a
// threshold says how many may be late, or a run that only --duration bounds ended
// before that.
func (b *benching) short(r *load.Result) bool {
	left := b.left(r)
	if slices.ContainsFunc(b.thresholds, load.Threshold.Late) {
		left -= r.Late
	}
	return left > 0 || b.offer.Count == 0 && b.early(r)
}

// why says why a run came short, and what would help.
func (b *benching) why(v *verdict, r *load.Result) {
	switch {
	case r.Interrupted != nil: // by what has been said
	case b.early(r):
		v.Seen = "every session gave up, as connection after connection carried no message"
	case b.left(r) == r.Late: // the report says it
		n := math.Ceil(float64(b.offer.Sessions) * (1 + float64(r.Late)/float64(r.Messages())))
		v.Next = fmt.Sprintf("again with --sessions %.0f   # or a lower --rate", min(n, 10000))
	default:
		v.Seen = "time is up: --duration is " + transcript.Duration(b.offer.Duration)
		if enough := b.enough(r); enough < b.Duration("max-time").Seconds() {
			v.Next = fmt.Sprintf("again with --duration %.0fs   # about as long as all of them take", enough)
		}
	}
}

// enough is about how many full seconds all of --messages take at the speed of
// this run, or at --rate.
func (b *benching) enough(r *load.Result) float64 {
	each := b.offer.Duration.Seconds() / float64(r.Messages())
	if b.offer.Rate > 0 {
		each = max(each, 1/b.offer.Rate)
	}
	const margin = 1.1
	return math.Ceil(margin * each * float64(b.offer.Count))
}

// unserved is how many recipients of accepted messages were not accepted.
func (b *benching) unserved(r *load.Result) int64 {
	return r.Accepted*int64(len(b.offer.To)) - r.Recipients
}
