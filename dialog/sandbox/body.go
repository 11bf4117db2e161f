package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// body collects a message and notes what a server need not take.
type body struct {
	text  bytes.Buffer
	limit int64 // beyond it, bytes are counted and dropped
	size  int64
	line  int  // length of the line so far
	cr    bool // the last byte was CR

	bare, long, eight, nul bool
}

// maxText is the longest line without its CR LF (RFC 5321 section 4.5.3.1.6).
const maxText = 998

func (b *body) Write(p []byte) (int, error) {
	b.size += int64(len(p))
	if b.size <= b.limit {
		b.text.Write(p)
	}
	for _, c := range p {
		switch {
		case c == '\n':
			b.bare = b.bare || !b.cr
			b.line = 0
		case b.cr:
			b.bare = true
		}
		if c != '\n' && c != '\r' {
			b.line++
		}
		b.cr = c == '\r'
		b.eight = b.eight || c >= 0x80
		b.nul = b.nul || c == 0
		b.long = b.long || b.line > maxText
	}
	return len(p), nil
}

// verdict refuses a message that breaks its limit, or what its envelope declares.
func (b *body) verdict(e *envelope) reply {
	switch {
	case b.size > b.limit:
		return oneLine(552, "5.3.4", "message too big")
	case e.binary:
		return reply{}
	case b.bare || b.cr:
		return oneLine(554, "5.6.0", "the message has a CR or LF that is not part of a line end")
	case b.nul:
		return oneLine(554, "5.6.0", "the message has a NUL")
	case b.long:
		return oneLine(554, "5.6.0", "the message has a line over 998 octets")
	case b.eight && !e.eight && !e.utf8:
		return oneLine(554, "5.6.3", "the message has 8-bit octets, and BODY=8BITMIME was not declared")
	}
	return reply{}
}

// ready refuses what may not follow yet; the zero reply lets it.
func (x *session) ready() reply {
	switch {
	case x.mail == nil:
		return oneLine(503, "5.5.1", "MAIL first")
	case len(x.mail.to) == 0 && x.spec.LMTP: // RFC 2033 section 4.2
		return oneLine(503, "5.5.1", "no valid recipients")
	case len(x.mail.to) == 0:
		return oneLine(554, "5.5.1", "no valid recipients")
	}
	return reply{}
}

// data serves DATA (RFC 5321 section 4.1.1.4).
func (x *session) data(arg string) error {
	if arg != "" {
		return x.syntax("DATA takes no argument")
	}
	r := x.ready()
	switch {
	case r.code != 0:
		return x.say(r)
	case x.mail.chunked:
		return x.order("BDAT has begun")
	case x.mail.binary: // RFC 3030 section 3
		return x.order("BINARYMIME needs BDAT")
	}
	ok, err := x.answer(oneLine(354, "", "end with <CRLF>.<CRLF>"), "DATA", x.mail.addresses()...)
	if err != nil || !ok {
		return err
	}
	if err := x.play(x.rule("BODY", x.mail.addresses()), reply{}, x.mail.addresses()); err != nil {
		return err
	}
	b := &body{limit: x.offers().size}
	read := unstuff
	if x.spec.Lax {
		read = unstuffLax
	}
	if err := read(b, x.r); err != nil {
		return err
	}
	x.mail.body = b
	return x.dot()
}

// unstuff copies lines up to the lone dot and takes the first dot of each away
// (RFC 5321 section 4.5.2). Only CR LF ends a line: anything laxer would let a
// message smuggle commands in.
func unstuff(w io.Writer, r *bufio.Reader) error {
	start, cr := true, false // at the start of a line; just behind a CR
	for {
		chunk, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if start && string(chunk) == ".\r\n" {
			return nil
		}
		text := chunk
		if start && chunk[0] == '.' {
			text = chunk[1:]
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		start = bytes.HasSuffix(chunk, []byte("\r\n")) || cr && string(chunk) == "\n"
		cr = chunk[len(chunk)-1] == '\r'
	}
}

// bdat serves BDAT (RFC 3030 section 2): its chunk is read whatever the reply,
// for the client has sent it.
func (x *session) bdat(arg string) error {
	word, rest, _ := strings.Cut(arg, " ")
	last := strings.EqualFold(strings.TrimSpace(rest), "LAST")
	n, err := strconv.ParseUint(word, 10, 63)
	switch {
	case !x.offered("CHUNKING"):
		return x.ask("BDAT", arg, oneLine(502, "5.5.1", "BDAT is not implemented"))
	case err != nil, rest != "" && !last:
		return x.syntax("expected BDAT length [LAST]")
	}
	r := x.ready()
	if r.code == 0 && x.mail.failed {
		r = oneLine(503, "5.5.1", "a chunk was refused: RSET first")
	}
	into := io.Discard
	if r.code == 0 {
		if x.mail.body == nil {
			x.mail.body = &body{limit: x.offers().size}
		}
		into = x.mail.body
	}
	if _, err := io.CopyN(into, x.r, int64(n)); err != nil {
		return err
	}
	if r.code != 0 {
		return x.say(r)
	}
	e, usual := x.mail, oneLine(250, "2.0.0", word+" octets received")
	first := !e.chunked
	e.chunked = true
	if first {
		if rule := x.rule("DATA", e.addresses()); !rule.takes(usual) {
			return x.endChunk(last, x.play(rule, usual, e.addresses()))
		}
	}
	switch {
	case last:
		return x.dot()
	case e.body.size > e.body.limit:
		return x.endChunk(false, x.say(oneLine(552, "5.3.4", "message too big")))
	}
	return x.say(usual)
}

// endChunk is what a refused chunk does: the last one ends the transaction, any
// other leaves it open and failed.
func (x *session) endChunk(last bool, err error) error {
	x.mail.failed = true
	if last {
		x.mail = nil
	}
	return err
}

// dot ends the message and its transaction. A message that is taken has been
// delivered before its reply goes out.
func (x *session) dot() error {
	e := x.mail
	defer func() { x.mail, x.origin = nil, nil }()
	if x.r.Buffered() > 0 && !x.offered("PIPELINING") && !x.spec.Lax {
		return errors.Join(x.order("PIPELINING is not offered: the reply was not waited for"), errQuit)
	}
	usual := e.body.verdict(e)
	if x.spec.LMTP || e.each && usual.code == 0 {
		return x.dots(e, usual)
	}
	if usual.code == 0 {
		usual = oneLine(250, "2.0.0", "Ok")
	}
	rule := x.rule("DOT", e.addresses())
	if rule.takes(usual) {
		id := x.world.id()
		usual.text = "Ok: queued as " + id
		if err := x.deliver(e, id); err != nil {
			x.log("--", err.Error())
			return x.say(oneLine(451, "4.3.0", "the message could not be kept"))
		}
	}
	return x.play(rule, usual, e.addresses())
}
