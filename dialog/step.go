package dialog

import "io"

// Step is one thing to do on the wire, and the replies that it is owed.
type Step struct {
	Phase   Phase
	Command Command
	// Body is DATA's text or a BDAT chunk, written behind Command. With neither
	// the step only listens: the banner is owed to such a step.
	Body io.WriterTo
	// Waits holds the step back until every step before it is answered. Steps
	// that do not wait leave in one write with the one before them.
	Waits bool
	// More is asked after each reply whether another one is owed (LMTP, PRDR);
	// done ends with this step's turn. Nil: one reply.
	More func(done []Turn) bool
	// Unless is asked when the step's group is formed, and leaves it out if
	// true. It must be pure, and find turns by their phase.
	Unless func(done []Turn) bool

	prdr bool // a 353 announces replies to each recipient and to the whole
}

// TurnState is how far a step got.
type TurnState int

// The states of a turn.
const (
	Unsent   TurnState = iota // nothing of it was written
	Begun                     // a part of it was written
	Written                   // all of it was handed to the network
	Answered                  // every reply that it was owed has come
)

// Turn is what became of a step.
type Turn struct {
	Step      Step
	State     TurnState
	BodyBytes int64 // of the body, as the message counts them: without stuffed dots
	Replies   []Reply
}

// Reply is the last reply, or nil.
func (t *Turn) Reply() *Reply {
	if len(t.Replies) == 0 {
		return nil
	}
	return &t.Replies[len(t.Replies)-1]
}

// hear adds a copy of a reply, in the memory of one that stood there before if
// there was one.
func (t *Turn) hear(reply *Reply) {
	n := len(t.Replies)
	if n == cap(t.Replies) {
		t.Replies = append(t.Replies, *reply.clone())
		return
	}
	t.Replies = t.Replies[:n+1]
	raw := append(t.Replies[n].Raw[:0], reply.Raw...)
	t.Replies[n] = *reply
	t.Replies[n].Raw = raw
}
