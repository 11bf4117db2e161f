package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// talk greets and serves commands until the connection ends, and says why it did.
func (x *session) talk() error {
	defer func() { _ = x.out.Flush() }()
	ok, err := x.answer(x.banner(), "CONNECT")
	if err != nil {
		return err
	}
	if !ok {
		return errQuit
	}
	for {
		err := x.command()
		var slow net.Error
		switch {
		case err == nil, errors.Is(err, errLine):
			continue
		case errors.As(err, &slow) && slow.Timeout():
			_ = x.conn.SetDeadline(time.Now().Add(drainTime))
			return errors.Join(os.ErrDeadlineExceeded,
				x.say(oneLine(421, "4.4.2", x.name+" waited too long for the client")))
		}
		return err
	}
}

// banner is what begins a session.
func (x *session) banner() reply {
	if x.spec.LMTP {
		return reply{code: 220, text: x.name + " LMTP ehlo sandbox"}
	}
	return reply{code: 220, text: x.name + " ESMTP ehlo sandbox"}
}

// command reads one command and serves it.
func (x *session) command() error {
	line, err := x.line()
	if err != nil {
		return err
	}
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	arg = strings.TrimRight(arg, " \t") // RFC 5321 section 4.1.1: trailing white space is tolerated
	if x.early(verb) {
		return errors.Join(x.say(oneLine(503, "5.5.1", verb+" must end its group: the reply was not waited for")), errQuit)
	}
	switch verb {
	case "EHLO", "HELO", "LHLO":
		return x.hello(verb, arg)
	case "STARTTLS":
		return x.startTLS(arg)
	case "MAIL":
		return x.mailFrom(arg)
	case "RCPT":
		return x.rcptTo(arg)
	case "DATA":
		return x.data(arg)
	case "BDAT":
		return x.bdat(arg)
	case "RSET":
		if arg != "" {
			return x.syntax("RSET takes no argument")
		}
		x.mail, x.origin = nil, nil
		return x.ask(verb, "", oneLine(250, "2.0.0", "Ok"))
	case "QUIT":
		if arg != "" {
			return x.syntax("QUIT takes no argument")
		}
		return errors.Join(x.ask(verb, "", oneLine(221, "2.0.0", x.name+" closing")), errQuit)
	case "NOOP":
		return x.ask(verb, arg, oneLine(250, "2.0.0", "Ok"))
	case "HELP":
		return x.ask(verb, arg, reply{code: 214, enhanced: "2.0.0", text: "Commands: EHLO HELO MAIL RCPT DATA RSET",
			more: []string{"VRFY EXPN HELP NOOP QUIT" + x.extra(), "See RFC 5321"}})
	case "VRFY":
		if arg == "" {
			return x.syntax("VRFY needs a name")
		}
		return x.ask(verb, x.bare(arg), oneLine(252, "2.0.0", "cannot VRFY, but will take a message for it and try"))
	case "EXPN":
		if arg == "" {
			return x.syntax("EXPN needs a list")
		}
		return x.ask(verb, x.bare(arg), oneLine(502, "5.5.1", "EXPN is not implemented"))
	case "ETRN":
		return x.etrn(arg)
	case "XCLIENT":
		return x.xclient(arg)
	case "XFORWARD":
		return x.xforward(arg)
	case "AUTH":
		return x.authenticate(arg)
	case "SEND", "SOML", "SAML", "TURN": // RFC 5321 appendix F
		return x.ask(verb, arg, oneLine(502, "5.5.1", verb+" is not implemented"))
	}
	if slices.Contains([]string{"CONNECT", "TLS", "RESPONSE", "VERDICT", "RRVS", "BODY", "DOT"}, verb) { // events of ours, not commands
		return x.say(unknown())
	}
	return x.ask(verb, arg, unknown())
}

func unknown() reply { return oneLine(500, "5.5.2", "command not recognized") }

// early reports whether the client sent more without waiting for the reply to
// verb, though PIPELINING was not offered or the verb has to end a group
// (RFC 2920 section 3.1). A chunk follows its BDAT at once, what follows
// STARTTLS is thrown away there, behind QUIT nothing matters, and a Lax server does not look.
func (x *session) early(verb string) bool {
	if x.r.Buffered() == 0 || x.spec.Lax || verb == "BDAT" || verb == "STARTTLS" || verb == "QUIT" {
		return false
	}
	return !x.offered("PIPELINING") || slices.Contains([]string{"EHLO", "HELO", "LHLO", "XCLIENT", "DATA"}, verb)
}

// ask answers a command that changes nothing.
func (x *session) ask(verb, arg string, usual reply) error {
	_, err := x.answer(usual, verb, arg)
	return err
}

// bare takes from VRFY's and EXPN's argument what its rules need not know: the
// brackets, a domain that is ours, and SMTPUTF8 (RFC 6531 section 3.7.4.2).
func (x *session) bare(arg string) string {
	if x.offered("SMTPUTF8") {
		arg = strings.TrimSuffix(arg, " SMTPUTF8")
	}
	arg = strings.TrimSuffix(strings.TrimPrefix(arg, "<"), ">")
	if local, domain, ok := splitMailbox(arg, true); ok && x.local(domain) {
		return local
	}
	return arg
}

func (x *session) syntax(text string) error {
	return x.say(oneLine(501, "5.5.4", text))
}

func (x *session) order(text string) error {
	return x.say(oneLine(503, "5.5.1", text))
}

// extra names the commands of the extensions offered, for HELP.
func (x *session) extra() string {
	names := ""
	for _, e := range [][2]string{{"STARTTLS", "STARTTLS"}, {"CHUNKING", "BDAT"}, {"ETRN", "ETRN"}, {"AUTH", "AUTH"}, {"XCLIENT", "XCLIENT"}, {"XFORWARD", "XFORWARD"}} {
		if x.offered(e[0]) {
			names += " " + e[1]
		}
	}
	return names
}

// hello serves EHLO and HELO, or LHLO in place of both, which also end a transaction
// (RFC 5321 section 4.1.4, RFC 2033 section 4.1).
func (x *session) hello(verb, name string) error {
	if x.spec.LMTP != (verb == "LHLO") {
		return x.say(unknown())
	}
	if !validDomain(name, false) && !validLiteral(name) {
		return x.syntax(verb + " needs a domain or an address literal")
	}
	r := reply{code: 250, text: fmt.Sprintf("%s greets %s [%s]", x.name, name, x.client)}
	if verb != "HELO" {
		r.more = x.offers().lines
	}
	ok, err := x.answer(r, strings.Replace(verb, "LHLO", "EHLO", 1), name)
	if ok && err == nil {
		x.helo, x.esmtp, x.mail, x.origin = name, verb != "HELO", nil, nil
	}
	return err
}

// startTLS serves STARTTLS (RFC 3207). What the client sent behind it in the
// clear is counted and, unless the service is Injectable, Eager or Wary, thrown away.
func (x *session) startTLS(arg string) error {
	switch {
	case !x.offers().has("STARTTLS") && x.state == nil:
		return x.ask("STARTTLS", arg, oneLine(502, "5.5.1", "STARTTLS is not implemented"))
	case arg != "":
		return x.syntax("STARTTLS takes no argument")
	case x.state != nil:
		return x.order("TLS is active already")
	case x.mail != nil:
		return x.order("STARTTLS is not allowed in a transaction")
	}
	ok, err := x.answer(oneLine(220, "2.0.0", "go ahead"), "STARTTLS")
	if err != nil || !ok {
		return err
	}
	for x.spec.Eager && x.r.Buffered() > 0 {
		if err := x.command(); err != nil {
			return err
		}
	}
	injected, _ := x.r.Peek(x.r.Buffered())
	switch n := len(injected); {
	case n > 0 && x.spec.Injectable:
		x.log("--", fmt.Sprintf("%d bytes behind STARTTLS kept", n))
	case n > 0 && x.spec.Wary:
		return errors.Join(x.out.Flush(), errHangUp)
	case n > 0:
		x.log("--", fmt.Sprintf("%d bytes behind STARTTLS ignored", n))
		injected = nil
	}
	if err := x.out.Flush(); err != nil {
		return err
	}
	if err := x.handshake(); err != nil {
		return err
	}
	if injected != nil {
		x.r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(injected), flushing{x}), 32<<10)
	}
	return x.play(x.rule("TLS", nil), reply{}, nil)
}

// etrn serves ETRN (RFC 1985) for the server's own domain.
func (x *session) etrn(arg string) error {
	switch node := strings.TrimLeft(arg, "@#"); {
	case !x.offered("ETRN"):
		return x.ask("ETRN", arg, oneLine(502, "5.5.1", "ETRN is not implemented"))
	case !validDomain(node, false):
		return x.syntax("ETRN needs a domain")
	case x.mail != nil:
		return x.order("ETRN is not allowed in a transaction")
	case !x.local(node):
		return x.ask("ETRN", arg, oneLine(459, "4.7.1", "node "+node+" not allowed"))
	default:
		return x.ask("ETRN", arg, oneLine(250, "2.0.0", "queuing for node "+node+" started"))
	}
}
