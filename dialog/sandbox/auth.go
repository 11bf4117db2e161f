package sandbox

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// exchange is one AUTH from the server's side (RFC 4954 section 4, RFC 4422).
type exchange struct {
	*session
	name    string   // of the mechanism
	initial []byte   // the initial response until it is taken; nil: none
	user    string   // whom the client claims to be
	secret  string   // the password or token that it showed, if the mechanism shows it
	heard   []string // the first maxHeard responses, as they came
}

// failure is an error that says how AUTH is answered.
type failure struct{ reply reply }

func (f failure) Error() string { return f.reply.text }

func denied() error {
	return failure{oneLine(535, "5.7.8", "authentication credentials invalid")}
}

func malformed(text string) error { return failure{oneLine(501, "5.5.2", text)} }

// errAnswered is the end of an exchange that a rule has answered.
var errAnswered = errors.New("answered by a rule")

const (
	maxAuthLine = 12288 // of AUTH and the responses behind it, with their CR LF (RFC 4954 section 4)
	maxHeard    = 8     // responses that are kept of an exchange
)

// mechanisms are the SASL mechanisms that the server takes at this moment.
func (x *session) mechanisms() []string {
	return append(x.offers().mechanisms(), strings.Fields(x.spec.Hidden)...)
}

// mechanisms are those that AUTH lists, in its form of today and in the one
// before RFC 2554: "AUTH=LOGIN".
func (o offers) mechanisms() []string {
	var all []string
	for _, line := range o.lines {
		if rest, ok := strings.CutPrefix(line, "AUTH"); ok && rest != "" {
			all = append(all, strings.Fields(rest[1:])...)
		}
	}
	return all
}

// authenticate serves AUTH.
func (x *session) authenticate(arg string) error {
	name, initial, given := strings.Cut(arg, " ")
	name = strings.ToUpper(name)
	m := findMechanism(name)
	switch later := x.state == nil && len(x.secure.mechanisms()) > 0; {
	case len(x.mechanisms()) == 0 && !later:
		return x.ask("AUTH", name, oneLine(502, "5.5.1", "AUTH is not implemented"))
	case !x.esmtp:
		return x.order("EHLO first")
	case x.user != "":
		return x.order("already authenticated")
	case x.mail != nil:
		return x.order("AUTH is not allowed in a transaction")
	case arg == "" || strings.Contains(initial, " "):
		return x.syntax("AUTH needs a mechanism and at most one initial response")
	case !slices.Contains(x.mechanisms(), name) && later && slices.Contains(x.secure.mechanisms(), name):
		return x.say(oneLine(538, "5.7.11", "encryption is required for this mechanism: STARTTLS first"))
	case !slices.Contains(x.mechanisms(), name) || m.serve == nil:
		return x.say(oneLine(504, "5.5.4", "mechanism not recognized: "+name))
	case given && !m.initial:
		return x.say(oneLine(501, "5.7.0", name+" has no initial response: the server begins"))
	case x.r.Buffered() > 0 && !(given && m.single): // RFC 4954 section 4
		return errors.Join(x.order("AUTH must end its group: the reply was not waited for"), errQuit)
	}
	e := &exchange{session: x, name: name}
	x.auth = e
	defer func() { x.auth = nil }()
	return e.end(e.run(m, initial, given))
}

// run has a mechanism serve the exchange, behind what a rule says to AUTH.
func (e *exchange) run(m mechanism, initial string, given bool) error {
	if given {
		if initial == "=" { // an empty one
			initial = ""
		}
		var err error
		if e.initial, err = e.decode(initial); err != nil {
			return err
		}
	}
	asked, err := e.heed("AUTH")
	if err == nil && asked {
		_, err = e.response()
	}
	if err != nil {
		return err
	}
	return m.serve(e)
}

// end answers AUTH: err is nil if the client has proved who it is.
func (e *exchange) end(err error) error {
	usual := oneLine(235, "2.7.0", "authentication successful")
	var no failure
	switch {
	case errors.Is(err, errAnswered), errors.Is(err, errLine):
		return nil
	case errors.As(err, &no):
		if no.reply.code != 535 {
			return e.say(no.reply)
		}
		usual = no.reply
	case err != nil:
		return err
	}
	ok, err := e.answer(usual, "VERDICT", e.user)
	if ok && err == nil {
		e.session.user = cmp.Or(e.user, somebody)
	}
	return err
}

// heed plays the rule for an event of the exchange. It reports whether the rule
// asked the client for something; errAnswered is any other reply of the rule.
func (e *exchange) heed(event string) (asked bool, err error) {
	rule := e.rule(event, []string{e.name})
	said, err := e.perform(rule, []string{e.name})
	switch {
	case err != nil || !said:
		return false, err
	case rule.asks():
		return true, nil
	case rule.takes(reply{}):
		e.session.user = cmp.Or(e.user, somebody)
	}
	return false, errAnswered
}

// asks reports whether the last that a rule says is a challenge.
func (r Rule) asks() bool {
	asks := false
	for _, act := range r.acts {
		if act.kind == actSay {
			asks = strings.HasPrefix(act.lines[len(act.lines)-1], "334")
		}
	}
	return asks
}

// ask sends a challenge and gives the client's response; the initial one if it
// stands, and then the challenge is not sent.
func (e *exchange) ask(challenge string) ([]byte, error) {
	if initial := e.initial; initial != nil {
		e.initial = nil
		return initial, nil
	}
	if err := e.say(reply{code: 334, text: base64.StdEncoding.EncodeToString([]byte(challenge))}); err != nil {
		return nil, err
	}
	return e.response()
}

// response reads a response; each one that a rule answers with a challenge is
// thrown away.
func (e *exchange) response() ([]byte, error) {
	for {
		line, err := e.line()
		if err != nil {
			return nil, err
		}
		if line == "*" {
			return nil, failure{oneLine(501, "5.7.0", "authentication cancelled")}
		}
		response, err := e.decode(line)
		if err != nil {
			return nil, err
		}
		asked, err := e.heed("RESPONSE")
		if err != nil || !asked {
			return response, err
		}
	}
}

// decode gives the bytes of a response, never nil without an error.
func (e *exchange) decode(line string) ([]byte, error) {
	if len(e.heard) < maxHeard {
		e.heard = append(e.heard, line)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(line)
	if err != nil {
		return nil, malformed("cannot decode the response: not base64")
	}
	return append([]byte{}, b...), nil
}

// carries reports whether a line carries what the log must not show and may be
// long: AUTH or a response.
func (x *session) carries(raw []byte) bool {
	return x.auth != nil || len(raw) >= 5 && bytes.EqualFold(raw[:5], []byte("AUTH "))
}

// hide is a line for the log, without the client's response.
func (x *session) hide(line string) string {
	if x.auth != nil {
		if line == "*" || line == "" {
			return line
		}
		return "[hidden]"
	}
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 || !x.carries([]byte(line)) {
		return line
	}
	return words[0] + " " + words[1] + " [hidden]"
}
