package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// envelope is a transaction from MAIL on.
type envelope struct {
	from    string
	params  []string
	to      []Recipient
	utf8    bool // SMTPUTF8 was declared (RFC 6531)
	eight   bool // BODY=8BITMIME (RFC 6152)
	binary  bool // BODY=BINARYMIME (RFC 3030)
	body    *body
	chunked bool // BDAT has begun
	failed  bool // a chunk was refused: only RSET helps (RFC 3030 section 2)
	each    bool // PRDR was asked for
	rcpts   int  // RCPT commands so far
}

// addresses lists the recipients accepted so far.
func (e *envelope) addresses() []string {
	all := make([]string, len(e.to))
	for i, to := range e.to {
		all[i] = to.Address
	}
	return all
}

// mailFrom serves MAIL (RFC 5321 section 4.1.1.2).
func (x *session) mailFrom(arg string) error {
	switch {
	case x.helo == "":
		return x.order("EHLO first")
	case x.spec.Login && x.user == "":
		return x.say(oneLine(530, "5.7.0", "authentication required"))
	case x.mail != nil:
		return x.order("a transaction is open: RSET ends it")
	}
	if x.mails++; x.limit("MAILMAX", x.mails) { // RFC 9422 section 6.1: it counts every MAIL
		return errors.Join(x.say(oneLine(421, "4.7.0", "no more messages on this connection")), errQuit)
	}
	path, params, err := parsePath("FROM:", arg)
	if err != nil {
		return x.syntax(err.Error())
	}
	e := &envelope{from: path}
	for _, p := range params {
		if r := x.mailParam(e, p); r.code != 0 {
			return x.say(r)
		}
		e.params = append(e.params, p.String())
	}
	if path != "" {
		if r := x.checkMailbox(path, e.utf8, "5.1.7"); r.code != 0 {
			return x.say(r)
		}
	}
	ok, err := x.answer(oneLine(250, "2.1.0", "Ok"), "MAIL", path)
	if ok && err == nil {
		x.mail = e
	}
	return err
}

func (p param) String() string {
	if p.value == "" {
		return p.keyword
	}
	return p.keyword + "=" + p.value
}

// mailParam takes one parameter of MAIL into e, or says why not.
func (x *session) mailParam(e *envelope, p param) reply {
	value := strings.ToUpper(p.value)
	bad := oneLine(501, "5.5.4", "bad value: "+p.String())
	switch {
	case p.keyword == "SIZE" && x.offered("SIZE"): // RFC 1870
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil || len(value) > 20 {
			return bad
		}
		if int64(n) > x.offers().size {
			return oneLine(552, "5.3.4", "message too big")
		}
	case p.keyword == "BODY" && value == "7BIT" && (x.offered("8BITMIME") || x.offered("BINARYMIME")):
	case p.keyword == "BODY" && value == "8BITMIME" && x.offered("8BITMIME"):
		e.eight = true
	case p.keyword == "BODY" && value == "BINARYMIME" && x.offered("BINARYMIME"):
		e.binary = true
	case p.keyword == "BODY" && x.offered("8BITMIME"):
		return bad
	case p.keyword == "SMTPUTF8" && x.offered("SMTPUTF8"):
		if value != "" {
			return bad
		}
		e.utf8 = true
	case p.keyword == "RET" && x.offered("DSN"): // RFC 3461 section 4.3
		if value != "FULL" && value != "HDRS" {
			return bad
		}
	case p.keyword == "ENVID" && x.offered("DSN"):
		if !validXtext(p.value) || len(p.value) > 100 {
			return bad
		}
	case p.keyword == "AUTH" && x.offered("AUTH"): // RFC 4954 section 5
		if p.value == "" || p.value != "<>" && !validXtext(p.value) {
			return bad
		}
	default:
		return x.optional(e, p)
	}
	return reply{}
}

// rcptTo serves RCPT (RFC 5321 section 4.1.1.3).
func (x *session) rcptTo(arg string) error {
	switch {
	case x.mail == nil:
		return x.order("MAIL first")
	case x.mail.chunked:
		return x.order("BDAT has begun")
	}
	path, params, err := parsePath("TO:", arg)
	if err != nil {
		return x.syntax(err.Error())
	}
	x.mail.rcpts++
	to := Recipient{Address: path}
	checked := false // whether RRVS is to be
	for _, p := range params {
		if r := x.rcptParam(p); r.code != 0 {
			return x.say(r)
		}
		to.Params = append(to.Params, p.String())
		checked = checked || p.keyword == "RRVS"
	}
	usual, r := oneLine(250, "2.1.5", "Ok"), reply{}
	if !strings.EqualFold(path, "postmaster") { // RFC 5321 section 4.5.1: with no domain too
		if r = x.checkMailbox(path, x.mail.utf8, "5.1.3"); r.code != 0 {
			return x.say(r)
		}
		usual = x.recipient(path)
	}
	if len(x.mail.to) >= maxRecipients || x.limit("RCPTMAX", x.mail.rcpts) {
		return x.say(oneLine(452, "4.5.3", "too many recipients"))
	}
	if !x.admit(path) {
		return x.say(oneLine(452, "4.5.3", "too many domains on this connection"))
	}
	if r := x.rule("RRVS", []string{path}); checked && usual.positive() && len(r.acts) > 0 {
		return x.play(r, usual, []string{path})
	}
	ok, err := x.answer(usual, "RCPT", path)
	if ok && err == nil {
		x.mail.to = append(x.mail.to, to)
	}
	return err
}

// rcptParam checks one parameter of RCPT (RFC 3461 sections 4.1 and 4.2).
func (x *session) rcptParam(p param) reply {
	ok := false
	switch {
	case p.keyword == "NOTIFY" && x.offered("DSN"):
		words := strings.Split(strings.ToUpper(p.value), ",")
		ok = true
		for _, w := range words {
			ok = ok && (w == "SUCCESS" || w == "FAILURE" || w == "DELAY" || w == "NEVER" && len(words) == 1)
		}
	case p.keyword == "ORCPT" && x.offered("DSN"):
		kind, address, _ := strings.Cut(p.value, ";")
		// utf-8-addr-unitext is not ASCII (RFC 6533 section 3).
		ok = validKeyword(strings.ToUpper(kind)) && (validXtext(address) || strings.EqualFold(kind, "utf-8") && address != "")
	case p.keyword == "RRVS" && x.offered("RRVS"):
		ok = validSince(p.value)
	default:
		return oneLine(555, "5.5.4", "parameter not recognized: "+p.keyword)
	}
	if !ok {
		return oneLine(501, "5.5.4", "bad value: "+p.String())
	}
	return reply{}
}

// checkMailbox refuses an address that breaks the syntax.
func (x *session) checkMailbox(s string, international bool, enhanced string) reply {
	if _, _, ok := splitMailbox(s, international); ok {
		return reply{}
	}
	if _, _, ok := splitMailbox(s, true); ok { // RFC 6531 section 3.5
		return oneLine(553, "5.6.7", "a non-ASCII address needs SMTPUTF8")
	}
	return oneLine(553, enhanced, "bad address syntax")
}

// recipient is the usual reply to a well-formed recipient: is the domain ours,
// and is there such a mailbox. A "+detail" belongs to the mailbox before it.
func (x *session) recipient(path string) reply {
	local, domain, _ := splitMailbox(path, true)
	local, _, _ = strings.Cut(local, "+")
	switch {
	case !x.local(domain) && x.user != "" && x.user != anonymous:
	case !x.local(domain):
		return oneLine(550, "5.7.1", fmt.Sprintf("<%s> relaying denied", path))
	case !x.mailbox(local):
		return oneLine(550, "5.1.1", fmt.Sprintf("<%s> no such user here", path))
	}
	return oneLine(250, "2.1.5", "Ok")
}
