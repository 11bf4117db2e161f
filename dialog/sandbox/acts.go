package sandbox

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Act is one thing that a server does at an event, in the order of its rule.
// If none of them answers or ends the connection, the usual reply follows.
type Act struct {
	kind  actKind
	lines []string
	wait  time.Duration
	count int
}

type actKind int

const (
	actSay actKind = iota
	actWait
	actWaitNamed
	actHangUp
	actSilence
	actAwait
	actRaw
	actEcho
	actReset
	actDeaf
	actDrip
	actFlood
	actSwallow
)

// Say answers with lines, each as it goes over the wire but for its CR LF, and
// with {host}, {client}, {from} and {to} replaced. The code of the last one decides
// whether the command took effect.
func Say(lines ...string) Act { return Act{kind: actSay, lines: lines} }

// Wait sends what was said so far and waits.
func Wait(d time.Duration) Act { return Act{kind: actWait, wait: d} }

// WaitNamed waits as long as the local part of the address names: 2s@, 1500ms@.
// At other addresses it does nothing.
func WaitNamed() Act { return Act{kind: actWaitNamed} }

// HangUp sends what was said so far and closes the connection: the client reads
// an end, and what it still writes is thrown away.
func HangUp() Act { return Act{kind: actHangUp} }

// Reset sends what was said so far and ends the connection by a TCP reset.
func Reset() Act { return Act{kind: actReset} }

// Silence sends what was said so far and then never says anything again, though
// the connection stays open until the client ends it or falls silent too.
func Silence() Act { return Act{kind: actSilence} }

// Deaf sends what was said so far and then neither says nor reads anything: the
// client's window closes. It lasts as long as the service's Idle.
func Deaf() Act { return Act{kind: actDeaf} }

// Await sends what was said so far and throws away what the client sends next:
// a ClientHello where no TLS is meant to come.
func Await() Act { return Act{kind: actAwait} }

// Swallow reads n octets and throws them away: the begin of a message.
func Swallow(n int) Act { return Act{kind: actSwallow, count: n} }

// Raw sends octets as they are, in place of a reply.
func Raw(octets string) Act { return Act{kind: actRaw, lines: []string{octets}} }

// Drip sends octets as they are, in place of a reply, with a wait of d behind each.
func Drip(octets string, d time.Duration) Act {
	return Act{kind: actDrip, lines: []string{octets}, wait: d}
}

// Flood sends octets n times, in place of a reply; with n 0 as long as the client
// takes them.
func Flood(octets string, n int) Act { return Act{kind: actFlood, lines: []string{octets}, count: n} }

// takes reports whether a command takes effect if r is played at it. Octets that
// are no reply do not change what the server would have done.
func (r Rule) takes(usual reply) bool {
	took := usual.positive()
	for _, act := range r.acts {
		switch act.kind {
		case actSay:
			last := act.lines[len(act.lines)-1]
			took = strings.HasPrefix(last, "2") || strings.HasPrefix(last, "3")
		case actFlood:
			took = took && act.count > 0
		case actHangUp, actReset, actSilence, actDeaf, actEcho:
			return false
		}
	}
	return took
}

// perform does what a rule says, and reports whether it said anything.
func (x *session) perform(rule Rule, subjects []string) (said bool, err error) {
	for _, act := range rule.acts {
		said = said || act.says()
		switch act.kind {
		case actSay:
			err = x.write(x.fill(act.lines, subjects))
		case actWait:
			err = x.wait(act.wait)
		case actWaitNamed:
			err = x.wait(named(subjects))
		case actHangUp:
			err = errors.Join(x.out.Flush(), errHangUp)
		case actReset:
			err = x.reset()
		case actSilence:
			err = x.silence()
		case actDeaf:
			err = x.deaf()
		case actAwait:
			err = x.await()
		case actSwallow:
			_, err = io.CopyN(io.Discard, x.r, int64(act.count))
		case actRaw:
			x.log("--", fmt.Sprintf("%d octets that are no reply", len(act.lines[0])))
			_, err = x.out.WriteString(act.lines[0])
		case actDrip:
			err = x.drip(act.lines[0], act.wait)
		case actFlood:
			err = x.flood(act.lines[0], act.count)
		case actEcho:
			err = x.echo()
		}
		if err != nil {
			return said, err
		}
	}
	return said, nil
}

// says reports whether a is something in place of the usual reply.
func (a Act) says() bool {
	switch a.kind {
	case actSay, actRaw, actDrip, actFlood, actEcho:
		return true
	}
	return false
}

// maxNamed bounds the wait that an address may ask for.
const maxNamed = time.Hour

// named is the time that a local part names; 0 if it names none.
func named(subjects []string) time.Duration {
	for _, s := range subjects {
		local, _, _ := strings.Cut(s, "@")
		if d, err := time.ParseDuration(local); err == nil {
			return min(d, maxNamed)
		}
	}
	return 0
}

// reset closes so that the kernel sends RST and not FIN.
func (x *session) reset() error {
	return errors.Join(x.out.Flush(), x.tcp.SetLinger(0), x.tcp.Close(), errHangUp)
}

// silence listens without a word until the client ends the connection.
func (x *session) silence() error {
	discard(x.r)
	return errHangUp
}

// deafBuffer is what the kernel may hold of what nobody reads: little, so that the
// client soon feels it.
const deafBuffer = 4 << 10

// deaf waits without reading; the client cannot be heard to leave.
func (x *session) deaf() error {
	if err := errors.Join(x.out.Flush(), x.tcp.SetReadBuffer(deafBuffer)); err != nil {
		return err
	}
	return errors.Join(x.wait(x.patience()), x.reset())
}

// await waits for the client and throws away what it sends.
func (x *session) await() error {
	if _, err := x.r.Peek(1); err != nil {
		return err
	}
	_, err := x.r.Discard(x.r.Buffered())
	return err
}

// drip writes octets one by one, with a wait behind each.
func (x *session) drip(octets string, d time.Duration) error {
	x.log("--", fmt.Sprintf("%d octets, one every %v", len(octets), d))
	for i := range len(octets) {
		if err := x.out.WriteByte(octets[i]); err != nil {
			return err
		}
		if err := x.wait(d); err != nil {
			return err
		}
	}
	return nil
}

// flood writes octets n times, or until the client or the world ends.
func (x *session) flood(octets string, n int) error {
	x.log("--", fmt.Sprintf("%d octets, time after time", len(octets)))
	if err := x.conn.SetWriteDeadline(time.Now().Add(x.patience())); err != nil {
		return err
	}
	for i := 0; n <= 0 || i < n; i++ {
		if _, err := x.out.WriteString(octets); err != nil {
			return err
		}
	}
	return nil
}
