package sandbox

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// session is one connection of a server.
type session struct {
	*server
	tcp     *net.TCPConn
	conn    net.Conn // tcp or the TLS connection over it
	client  string   // the client's address
	r       *bufio.Reader
	out     *bufio.Writer
	state   *tls.ConnectionState // nil: in the clear
	helo    string               // "": not greeted yet
	esmtp   bool
	mail    *envelope // nil: no transaction
	mails   int       // MAIL commands so far
	domains []string  // of the recipients so far
	claims  []string  // NAME=value of XCLIENT, decoded
	origin  []string  // NAME=value of XFORWARD, for the next transaction
	auth    *exchange // nil: no AUTH is under way
	user    string    // who has authenticated; "": nobody
}

var (
	errQuit   = errors.New("closed")
	errHangUp = errors.New("hung up")
)

// Bounds of what a client may send (RFC 5321 section 4.5.3.1, with room for the
// parameters of extensions).
const (
	maxLine       = 4096
	maxRecipients = 1000
	idle          = 5 * time.Minute
)

// attach makes c what the session reads and writes.
func (x *session) attach(c net.Conn) {
	x.conn = c
	x.out = bufio.NewWriterSize(c, 16<<10)
	x.r = bufio.NewReaderSize(flushing{x}, 32<<10)
}

// flushing reads from the client and, just before it waits for it, writes the
// replies that stand: a pipelined group is answered in one write (RFC 2920
// section 3.2), and no client ever waits for a reply that is held back.
type flushing struct{ x *session }

func (f flushing) Read(p []byte) (int, error) {
	limit := f.x.patience()
	if err := f.x.conn.SetWriteDeadline(time.Now().Add(idle)); err != nil {
		return 0, err
	}
	if err := f.x.out.Flush(); err != nil {
		return 0, err
	}
	if err := f.x.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	return f.x.conn.Read(p)
}

// patience is the longest silence of a client.
func (x *session) patience() time.Duration { return cmp.Or(x.spec.Idle, idle) }

// closeNotify says under TLS that the end is meant (RFC 8446 section 6.1).
func (x *session) closeNotify() {
	if c, ok := x.conn.(*tls.Conn); ok {
		_ = c.CloseWrite()
	}
}

// handshake puts TLS over the connection and forgets all that was said
// (RFC 3207 section 4.2).
func (x *session) handshake() error {
	conf, err := x.tls()
	if err != nil {
		x.log("--", err.Error())
		return err
	}
	c := tls.Server(x.tcp, conf)
	_ = c.SetDeadline(time.Now().Add(idle))
	if err := c.HandshakeContext(x.world.ctx); err != nil {
		x.log("--", "TLS handshake failed: "+err.Error())
		return err
	}
	_ = c.SetDeadline(time.Time{})
	state := c.ConnectionState()
	x.state = &state
	x.restart()
	x.attach(c)
	x.log("--", tls.VersionName(state.Version)+" "+tls.CipherSuiteName(state.CipherSuite))
	return nil
}

// restart forgets all that the client has said.
func (x *session) restart() {
	x.helo, x.esmtp, x.mail, x.user, x.mails, x.domains, x.claims, x.origin = "", false, nil, "", 0, nil, nil, nil
}

// offers are the keywords of this moment.
func (x *session) offers() offers {
	if x.state != nil {
		return x.secure
	}
	return x.clear
}

// offered reports whether the client was told of an extension: only EHLO tells.
func (x *session) offered(keyword string) bool { return x.esmtp && x.offers().has(keyword) }

// reply is what a server says: one line unless more has further ones. The enhanced
// code goes out only where ENHANCEDSTATUSCODES was offered (RFC 2034).
type reply struct {
	code     int
	enhanced string
	text     string
	more     []string
}

// oneLine makes a reply of one line; the zero reply stands for none.
func oneLine(code int, enhanced, text string) reply {
	return reply{code: code, enhanced: enhanced, text: text}
}

func (r reply) positive() bool { return r.code < 400 }

// say writes a reply line by line.
func (x *session) say(r reply) error {
	prefix := ""
	if r.enhanced != "" && x.offered("ENHANCEDSTATUSCODES") {
		prefix = r.enhanced + " "
	}
	all := append([]string{r.text}, r.more...)
	lines := make([]string, len(all))
	for i, text := range all {
		between := "-"
		if i == len(all)-1 {
			between = " "
		}
		lines[i] = strconv.Itoa(r.code) + between + prefix + text
	}
	return x.write(lines)
}

// write writes a reply's lines, behind the service's delay.
func (x *session) write(lines []string) error {
	if err := x.wait(x.spec.Delay); err != nil {
		return err
	}
	for _, line := range lines {
		x.log("S:", line)
		if _, err := x.out.WriteString(line + "\r\n"); err != nil {
			return err
		}
	}
	return nil
}

// wait flushes what was said and waits, unless the world ends.
func (x *session) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := x.out.Flush(); err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-x.world.ctx.Done():
		return x.world.ctx.Err()
	}
}

// answer plays the first rule that concerns the event and any of subjects, or
// says usual. It reports whether the command takes effect; an error ends the session.
func (x *session) answer(usual reply, event string, subjects ...string) (bool, error) {
	rule := x.rule(event, subjects)
	return rule.takes(usual), x.play(rule, usual, subjects)
}

// play does what a rule says, and says usual if the rule says nothing.
func (x *session) play(rule Rule, usual reply, subjects []string) error {
	said, err := x.perform(rule, subjects)
	if err != nil || said || usual.code == 0 {
		return err
	}
	return x.say(usual)
}

// rule finds the rule for an event, the zero one if there is none.
func (x *session) rule(event string, subjects []string) Rule {
	for i, r := range x.spec.Rules {
		if !r.applies(event, subjects) {
			continue
		}
		if r.times > 0 {
			key := fmt.Sprintf("%s %d %s %q %q", x.who, i, x.client, x.from(), subjects)
			if x.world.again(key) > r.times {
				continue
			}
		}
		return r
	}
	return Rule{}
}

// from is the sender of the transaction.
func (x *session) from() string {
	if x.mail == nil {
		return ""
	}
	return x.mail.from
}

// fill replaces what Say knows to replace.
func (x *session) fill(lines, subjects []string) []string {
	fill := strings.NewReplacer("{host}", x.name, "{client}", x.client, "{from}", x.from(), "{to}", strings.Join(subjects, " "))
	filled := make([]string, len(lines))
	for i, line := range lines {
		filled[i] = fill.Replace(line)
	}
	return filled
}

func discard(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

// errLine is a line that is no command line: too long, or not ended by CR LF.
var errLine = errors.New("not a command line")

// line reads one command line without its CR LF. After errLine, which is
// answered here, the session goes on behind the line.
func (x *session) line() (string, error) {
	raw, err := x.r.ReadSlice('\n')
	limit, refused := maxLine, oneLine(500, "5.5.2", "line too long")
	if x.carries(raw) {
		limit, refused = maxAuthLine, oneLine(500, "5.5.6", "line too long for AUTH")
	}
	long := len(raw) > limit
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		raw, err = x.r.ReadSlice('\n')
	}
	if err != nil {
		return "", err
	}
	text, ok := bytes.CutSuffix(raw, []byte("\r\n"))
	refusal := reply{}
	switch {
	case long:
		refusal = refused
	case !ok:
		refusal = oneLine(500, "5.5.2", "line ended by a bare LF")
	case slices.ContainsFunc(text, func(b byte) bool { return b < ' ' && b != '\t' || b == 0x7f }):
		refusal = oneLine(500, "5.5.2", "control character in the line")
	default:
		x.log("C:", x.hide(string(text)))
		return string(text), nil
	}
	x.log("C:", "("+refusal.text+")")
	return "", errors.Join(x.say(refusal), errLine)
}
