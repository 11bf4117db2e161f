package dialog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// replyReader reads replies strictly: what could be misread is an error, never
// an answer. It allows no more than the limits of limits.go.
type replyReader struct {
	from io.Reader
	r    *bufio.Reader // of from
	last Reply         // that next gave, whose memory the one after it takes
	part bool          // last is a part: the time was up
	read int           // bytes of all replies so far
	mask masker        // of what a reply must not repeat
	veil masker        // of what it is to hold, and is not to be shown
}

func newReplyReader(r io.Reader) *replyReader { return new(Memory).replyReader(r) }

// next reads one reply, which is good until the next call. Its errors are a *ProtocolError, io.EOF when the
// connection ended between replies, io.ErrUnexpectedEOF when it ended within
// one, or what the connection gave; behind one that pauses it goes on where it was.
func (rr *replyReader) next() (*Reply, error) {
	if !rr.part {
		rr.last = Reply{Raw: rr.last.Raw[:0]}
	}
	rr.part = false
	reply := &rr.last
	for more := true; more; {
		came, err := rr.line()
		if pauses(err) {
			rr.part = true
			rr.again(came, rr.r.Size())
			return nil, err
		}
		rr.read += len(came)
		line, echo := rr.hide(reply, came)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, &ProtocolError{Reason: fmt.Sprintf("a reply line of over %d bytes", maxReplyLine), Quote: quote(line)}
		case errors.Is(err, io.EOF) && len(line)+len(reply.Raw) > 0:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case len(reply.Raw)+len(line) > maxReply:
			return nil, &ProtocolError{Reason: fmt.Sprintf("a reply of over %d bytes", maxReply), Quote: quote(line)}
		case rr.read > maxReplies:
			return nil, &ProtocolError{Reason: fmt.Sprintf("replies of over %d bytes in one session", maxReplies), Quote: quote(line)}
		}
		if more, err = reply.add(line); err != nil {
			return nil, err
		}
		if echo {
			reply.odd(repeats)
		}
	}
	if rr.unfold(reply) {
		reply.odd(repeats)
	}
	return reply, nil
}

// line reads to the end of a line, in a buffer of usual size as long as that will do.
func (rr *replyReader) line() ([]byte, error) {
	line, err := rr.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) && rr.r.Size() < maxReplyLine {
		rr.again(line, maxReplyLine)
		return rr.r.ReadSlice('\n')
	}
	return line, err
}

// again has what was read of a line read once more, into a buffer of that size.
func (rr *replyReader) again(line []byte, size int) {
	if len(line) > 0 || rr.r.Size() < size {
		rr.r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(line)), rr.from), size)
	}
}

// glance is nil if something is there to be read, or else an error: errNothing or
// what the connection gave.
func (rr *replyReader) glance(w *wire) error {
	w.looks = true
	_, err := rr.r.Peek(1)
	w.looks = false
	return err
}

const repeats = "the reply repeated the password; it is masked"

// hide masks the secrets that a line repeats, behind its code. What a 334 asks
// is kept as it came, for the mechanism, and hidden whole if there is a secret in
// it, written in whatever way.
func (rr *replyReader) hide(reply *Reply, line []byte) (hidden []byte, echo bool) {
	if rr.mask.empty() && rr.veil.empty() {
		if text := trimEnd(line); len(reply.Raw) == 0 && bytes.HasPrefix(text, []byte("334")) {
			reply.asked = string(text[min(4, len(text)):])
		}
		return line, false
	}
	from := 0
	text := trimEnd(line)
	if code, _, ok := lineCode(text); ok {
		from = min(4, len(text))
		if code == 334 && len(reply.Raw) == 0 {
			reply.asked = string(text[from:])
			if challenge, err := reply.challenge(); err == nil && len(rr.mask.find(challenge)) > 0 {
				return slices.Concat(line[:from], []byte(transcript.Hidden), line[len(text):]), true
			}
		}
	}
	text, echo = rr.mask.Hide(line[from:])
	text, proof := rr.veil.Hide(text)
	if !echo && !proof {
		return line, false
	}
	return append(bytes.Clone(line[:from]), text...), echo
}

// unfold masks what runs on from one line of a reply to the next, and reports
// whether a secret did.
func (rr *replyReader) unfold(reply *Reply) bool {
	if rr.mask.empty() && rr.veil.empty() {
		return false
	}
	var text []byte
	var from []int // where each byte of text stands in the reply
	begin := 0
	for line := range bytes.Lines(reply.Raw) {
		said := trimEnd(line)
		_, rest, _ := cutEnhanced(string(said[min(4, len(said)):]))
		for i := len(said) - len(rest); i < len(said); i++ {
			text, from = append(text, said[i]), append(from, begin+i)
		}
		begin += len(line)
	}
	echoes, proofs := rr.mask.find(text), rr.veil.find(text)
	if len(echoes)+len(proofs) == 0 {
		return false
	}
	gone := make([]bool, len(reply.Raw))
	for _, part := range append(echoes, proofs...) {
		for _, i := range from[part.from:part.to] {
			gone[i] = true
		}
	}
	var raw []byte
	for i, c := range reply.Raw {
		switch {
		case !gone[i]:
			raw = append(raw, c)
		case !gone[i-1]:
			raw = append(raw, transcript.Hidden...)
		}
	}
	reply.Raw = raw
	return len(echoes) > 0
}

// add takes the next line, line end included, and reports whether another one
// follows.
func (r *Reply) add(line []byte) (more bool, err error) {
	text := trimEnd(line)
	code, more, ok := lineCode(text)
	switch {
	case !ok:
		return false, &ProtocolError{Reason: "not a reply (RFC 5321 section 4.2)", Quote: quote(line)}
	case r.Code != 0 && code != r.Code:
		return false, &ProtocolError{Reason: fmt.Sprintf("the code changes from %d within one reply", r.Code), Quote: quote(line)}
	}
	first := r.Code == 0
	r.Code = code
	r.Raw = append(r.Raw, line...)
	if len(line) < 2 || line[len(line)-2] != '\r' {
		r.odd("a line ends in LF without CR")
	}
	if len(text) > 4 && (text[len(text)-1] == ' ' || text[len(text)-1] == '\t') {
		r.odd("spaces at the end of a line")
	}
	if len(text) == 3 {
		r.odd("no space behind the code")
	}
	if !first {
		return more, nil
	}
	if enhanced, n := enhancedIn(text[min(4, len(text)):]); n > 0 {
		if enhanced.Class == code/100 {
			r.Enhanced = enhanced
		} else {
			r.odd(fmt.Sprintf("the enhanced code %s contradicts %d (RFC 3463 section 3.1)", enhanced, code))
		}
	}
	return more, nil
}

func (r *Reply) odd(what string) {
	if !slices.Contains(r.Oddities, what) {
		r.Oddities = append(r.Oddities, what)
	}
}

// lineCode reads the code of a line without its end: three digits from 200 to
// 599, then "-" if more lines follow, a space, or nothing.
func lineCode(line []byte) (code int, more, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return 0, false, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, false
		}
		code = code*10 + int(c-'0')
	}
	if len(line) == 3 {
		return code, false, true
	}
	return code, line[3] == '-', line[3] == '-' || line[3] == ' '
}

// splitLine parts a line into its code with what follows it, and the text.
func splitLine(line string) (code, text string) {
	n := min(4, len(line))
	return line[:n], line[n:]
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}

// quote keeps the beginning of what a server sent, to show it.
func quote(line []byte) []byte { return bytes.Clone(trimEnd(line[:min(len(line), 200)])) }
