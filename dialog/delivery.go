package dialog

import (
	"fmt"
	"time"
)

// Outcome is what became of a recipient. The zero value is not decided yet.
type Outcome int

// The outcomes. Accepted, Refused and Unknown are final: trying again could
// deliver twice or is no use.
const (
	Undecided Outcome = iota
	Accepted          // the server took responsibility
	Deferred          // refused for now, 4yz
	Refused           // refused for good, 5yz
	Unknown           // everything was sent and no reply came: it may be delivered, or lost
)

var outcomeNames = [...]string{"undecided", "accepted", "deferred", "refused", "unknown"}

// String is the outcome's word in the transcript and in JSON.
func (o Outcome) String() string {
	if o < 0 || int(o) >= len(outcomeNames) {
		return fmt.Sprintf("outcome %d", int(o))
	}
	return outcomeNames[o]
}

// MarshalText gives the word.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Final reports whether the recipient is not to be tried again.
func (o Outcome) Final() bool { return o == Accepted || o == Refused || o == Unknown }

// Recipient is one address that a message is for, and what became of it.
type Recipient struct {
	Address string // as RCPT has it, without the angle brackets
	Outcome Outcome
	Reply   *Reply  // that decided it, or nil
	Err     error   // that decided it instead of a reply, or nil
	Phase   Phase   // in which it was decided
	Params  []Param // of its RCPT, beside those of the delivery
	Hop     string  // the server that decided it
}

// Delivery is a message on its way. It goes from hop to hop; recipients with a
// final outcome are left out at the next one.
type Delivery struct {
	From    string // the reverse-path without its brackets; "" is the null one
	To      []Recipient
	Content []Content     // the first whose needs are all offered is sent
	Mail    []Param       // further parameters of MAIL
	Rcpt    []Param       // of every RCPT
	PRDR    bool          // a reply for each recipient is asked for behind the message, where PRDR is offered
	Pause   time.Duration // before it begins, on a connection that has carried another
}

// Open reports whether a recipient is left that may still be tried.
func (d *Delivery) Open() bool {
	for i := range d.To {
		if !d.To[i].Outcome.Final() {
			return true
		}
	}
	return false
}

// Decide gives every recipient that nothing was said of yet the outcome that a
// refusal of the whole conversation means: the server called hop said so in
// phase p. What a server said of a recipient alone tells more, and stays. A reply
// that is no refusal decides nothing: nobody accepts a message before it is sent.
func (d *Delivery) Decide(r *Reply, p Phase, hop string) {
	if !r.Temporary() && !r.Permanent() {
		return
	}
	for i := range d.To {
		if d.To[i].Outcome == Undecided {
			d.To[i].decide(r, p, hop)
		}
	}
}

func (to *Recipient) decide(r *Reply, p Phase, hop string) {
	to.Reply, to.Phase, to.Hop, to.Outcome = r, p, hop, r.outcome()
}

// message decides what a reply to the message means; nil is a missing one.
func (to *Recipient) message(r *Reply, hop string, doubt Doubt) {
	if vouches(r, doubt) {
		to.decide(r, PhaseDot, hop)
		return
	}
	to.Outcome, to.Reply, to.Phase, to.Hop = Unknown, r, PhaseDot, hop
}

// settle decides what the turns of one exchange mean for the recipients; it is
// the one place that does. The RCPT steps belong to the recipients sent, indexes
// into d.To. Where all is in doubt, what was said of MAIL and RCPT is so, too.
//
// Its error is a reply that fits no reading: a 354 to RCPT, a 250 to DATA.
func (d *Delivery) settle(turns []Turn, sent []int, hop string, doubt Doubt) error {
	if doubt == DoubtAll && NoRecipient(turns) {
		for _, i := range sent {
			d.To[i].message(nil, hop, doubt)
		}
		return nil
	}
	var taken []int // recipients that RCPT accepted, or left without an answer
	var odd error
	decide := func(which []int, r *Reply, p Phase) {
		for _, i := range which {
			d.To[i].decide(r, p, hop)
		}
	}
	for i := range turns {
		t, phase := &turns[i], turns[i].Step.Phase
		var to []int // whom this turn concerns
		switch phase {
		case PhaseMail:
			to = sent
		case PhaseRcpt:
			to, sent = sent[:1], sent[1:]
		case PhaseData, PhaseDot:
			to = taken
		}
		r := t.Reply()
		switch {
		case len(to) == 0:
		case phase == PhaseDot && t.State >= Written:
			for n, r := range t.each(len(to)) {
				d.To[to[n]].message(r, hop, doubt)
			}
		case phase == PhaseRcpt && t.State == Written:
			// In one group with its message, which may be taken for all we know.
			taken = append(taken, to...)
		case t.State != Answered || phase == PhaseData && r.Intermediate():
		case t.Unfit() != nil:
			if odd == nil {
				odd = t.Unfit()
			}
			if phase == PhaseMail {
				return odd // there is no transaction that the rest could belong to
			}
		case phase == PhaseRcpt && r.Positive():
			taken = append(taken, to...)
		case !r.Positive():
			decide(to, r, phase)
			if phase != PhaseRcpt {
				return odd
			}
		}
	}
	return odd
}
