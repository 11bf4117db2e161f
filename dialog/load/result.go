package load

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
)

// Result is what came of an offer.
type Result struct {
	Took        time.Duration // until it was known what became of the last message
	Accepted    int64         // messages that the server took, for one recipient at least
	Deferred    int64         // refused for now
	Refused     int64         // refused for good
	Unknown     int64         // written to their end, and the reply is missing or cannot be trusted
	Failed      int64         // that did not get so far
	Late        int64         // were due by the rate, and never begun
	Left        int64         // of the messages in all, those that were not begun
	GaveUp      int64         // sessions that ended early, as one connection after the other carried no message
	Recipients  int64         // of the accepted messages, those that were accepted
	Bytes       int64         // of the accepted messages, as they are
	Connections int64         // that were made
	Interrupted error         // why ctx ended, or nil
	Err         error         // the first that ended a connection
	// Latency is that of the replies of each phase, from the moment at which their
	// group left, or from the reply before if that came later; of PhaseConnect it
	// is from the first packet to the banner, of PhaseTLS all of STARTTLS, of PhaseAuth
	// all of the login. A reply that was waited for in vain counts with its wait.
	Latency [dialog.PhaseQuit + 1]Histogram
	// Whole is the time of accepted messages from the moment at which they were due,
	// or else begun, to their last reply: one that left behind the text of another is
	// begun by the reply to that. The first of a connection that is not kept has the
	// making of it in its time. Messages whose reply was waited for in vain count with
	// their wait, and those that turned out to be unknown later are in it.
	Whole  Histogram
	Report dialog.Report // of a connection that carried a message

	faults map[Fault]int64
	ended  time.Time // when it was known what became of the last message
}

// Fault is why messages or recipients were not accepted: a reply, or an error.
type Fault struct {
	Phase dialog.Phase
	Codes string // of a reply, else ""
	Text  string // of the first such reply, or of the error
}

// Count is a fault with how often it was met.
type Count struct {
	Fault
	Times int64
}

// mostFaults is how many kinds are told apart.
const mostFaults = 50

func newResult() *Result { return &Result{faults: map[Fault]int64{}} }

// Messages is how many were tried.
func (r *Result) Messages() int64 {
	return r.Accepted + r.Deferred + r.Refused + r.Unknown + r.Failed
}

// Errors is how many of them were not accepted.
func (r *Result) Errors() int64 { return r.Messages() - r.Accepted }

// Speed is the messages that were accepted in a second.
func (r *Result) Speed() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Accepted) / r.Took.Seconds()
}

// Faults are what went wrong, the most frequent first.
func (r *Result) Faults() []Count {
	var list []Count
	for f, n := range r.faults {
		list = append(list, Count{f, n})
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Text, b.Text))
	})
	return list
}

// add adds what came of another part of the offer.
func (r *Result) add(part *Result) {
	r.Accepted += part.Accepted
	r.Deferred += part.Deferred
	r.Refused += part.Refused
	r.Unknown += part.Unknown
	r.Failed += part.Failed
	r.Recipients += part.Recipients
	r.Bytes += part.Bytes
	r.Connections += part.Connections
	r.GaveUp += part.GaveUp
	if part.ended.After(r.ended) {
		r.ended = part.ended
	}
	for i := range r.Latency {
		r.Latency[i].Merge(&part.Latency[i])
	}
	r.Whole.Merge(&part.Whole)
	if r.Report.Banner == nil {
		r.Report = part.Report
	}
	if r.Err == nil {
		r.Err = part.Err
	}
	for f, n := range part.faults {
		r.fault(f, n)
	}
}

// fault counts f, which goes by its phase and its codes where it is a reply: texts
// carry queue ids and times.
func (r *Result) fault(f Fault, times int64) {
	for known := range r.faults {
		if known.Phase == f.Phase && known.Codes == f.Codes && (f.Codes != "" || known.Text == f.Text) {
			r.faults[known] += times
			return
		}
	}
	if len(r.faults) >= mostFaults {
		f = Fault{Phase: f.Phase, Text: "others"}
	}
	r.faults[f] += times
}

// refused counts a reply that says no.
func (r *Result) refused(p dialog.Phase, reply *dialog.Reply) {
	r.fault(Fault{Phase: p, Codes: reply.Codes(), Text: reply.Text()}, 1)
}

// failed counts what ended a connection, or with it a message that came no further
// than to phase p.
func (r *Result) failed(err error, p dialog.Phase) {
	f := faultOf(err)
	f.Phase = min(f.Phase, p) // one exchange may hold what another message was owed
	r.fault(f, 1)
}

// faultOf is what ended a connection, without the times and addresses that make each
// one another.
func faultOf(err error) Fault {
	f := Fault{Phase: dialog.PhaseConnect, Text: err.Error()}
	var (
		at      *dialog.Error
		refusal *dialog.Refusal
		lost    *dialog.LostError
		connect *reach.ConnectError
		timeout *dialog.TimeoutError
	)
	if errors.As(err, &at) {
		f.Phase = at.Phase
	}
	if f.Phase == dialog.PhaseAsk { // RSET, which the next message needs
		f.Phase = dialog.PhaseMail
	}
	switch {
	case errors.As(err, &refusal):
		f.Codes, f.Text = refusal.Reply.Codes(), refusal.Reply.Text()
	case errors.As(err, &connect):
		f.Text = "the server " + connect.Short()
	case errors.As(err, &lost):
		f.Text = lost.Err.Error()
	case errors.As(err, &timeout):
		f.Text = "no reply in time"
	}
	return f
}
