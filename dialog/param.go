package dialog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Param is a parameter of MAIL or RCPT (RFC 5321 section 4.1.1.11).
type Param struct {
	Text  string // "RET=HDRS", "REQUIRETLS"
	Needs string // the EHLO keyword that allows it; "" sends it whatever is offered
}

func (p Param) keyword() string {
	keyword, _, _ := strings.Cut(p.Text, "=")
	return capitals(keyword)
}

// texts are parameters as words of a command.
func texts(params ...[]Param) []any {
	var words []any
	for _, list := range params {
		for _, p := range list {
			words = append(words, p.Text)
		}
	}
	return words
}

// allows says which parameter the server has not offered to take.
func (s *Session) allows(d *Delivery) error {
	check := func(params []Param) error {
		for _, p := range params {
			if reason := s.lacks(p); reason != "" {
				return &UnmetError{Keyword: p.Needs, Reason: reason, Param: p.Text}
			}
			if reason := s.exceeds(p); reason != "" {
				return &UnmetError{Keyword: p.Needs, Reason: reason}
			}
		}
		return nil
	}
	for _, params := range [][]Param{d.Mail, d.Rcpt} {
		if err := check(params); err != nil {
			return err
		}
	}
	for i := range d.To {
		if d.To[i].Outcome.Final() {
			continue
		}
		if err := check(d.To[i].Params); err != nil {
			return err
		}
	}
	return nil
}

// lacks says which extension the server would have to offer for a parameter, "" if
// it does.
func (s *Session) lacks(p Param) string {
	if _, offered := s.Offers(p.Needs); offered || p.Needs == "" {
		return ""
	}
	name, behind := p.keyword(), ""
	if e, _ := LookupExtension(p.Needs); e.RFC != "" {
		behind = " (" + e.RFC + ")"
	}
	if name == p.Needs {
		return "the server does not offer " + name + behind
	}
	return fmt.Sprintf("%s needs %s, which the server does not offer%s", name, p.Needs, behind)
}

// contradicts tells of a BODY by hand that is not true of the message, or of how it
// travels (RFC 6152 section 2, RFC 3030 section 3).
func (s *Session) contradicts(d *Delivery, content Content) {
	for _, p := range d.Mail {
		_, value, _ := strings.Cut(capitals(p.Text), "=")
		switch {
		case p.keyword() != "BODY":
		case value == "7BIT" && (slices.Contains(content.Needs(), "8BITMIME") || slices.Contains(content.Needs(), "BINARYMIME")):
			s.Stream.Emit(Finding{Text: "BODY=7BIT says that the message is ASCII, and it is not"})
		case value == "BINARYMIME" && !s.chunks():
			s.Stream.Emit(Finding{Text: "BODY=BINARYMIME is for BDAT, and the message travels by DATA (RFC 3030 section 3)"})
		}
	}
}

// exceeds says how a parameter goes beyond what its extension declares, "" if it
// does not: the nearest deadline of DELIVERBY (RFC 2852 section 3), the longest time
// of FUTURERELEASE (RFC 4865 section 4).
func (s *Session) exceeds(p Param) string {
	offer, _ := s.Offers(p.Needs)
	if len(offer.Params) == 0 {
		return ""
	}
	_, value, _ := strings.Cut(p.Text, "=")
	seconds, mode, _ := strings.Cut(capitals(value), ";")
	n, err := strconv.Atoi(seconds)
	bound, none := strconv.Atoi(offer.Params[0])
	switch {
	case err != nil || none != nil:
	case p.keyword() == "BY" && strings.HasPrefix(mode, "R") && n < bound:
		return fmt.Sprintf("the deadline is in %d seconds, and the server returns no message in less than %d (DELIVERBY)", n, bound)
	case p.keyword() == "HOLDFOR" && n > bound:
		return fmt.Sprintf("the message is to be held for %d seconds, and the server holds none for more than %d (FUTURERELEASE)", n, bound)
	}
	return ""
}

// xtext is how addresses and ids are written in parameters: what is not
// printable ASCII, and "+" and "=", by its code (RFC 3461 section 4).
func xtext(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Xtext gives KEY=value with its value in xtext (RFC 3461 section 4).
func Xtext(keyword, value string) string { return keyword + "=" + xtext(value) }

// limits are what the server says that it takes (RFC 9422); 0 is no limit.
type limits struct{ mails, recipients, domains int }

func (s *Session) limits() limits {
	var l limits
	offer, _ := s.Offers("LIMITS")
	for _, param := range offer.Params {
		name, value, _ := strings.Cut(capitals(param), "=")
		n, err := strconv.Atoi(value)
		if err != nil || n <= 0 || len(value) > 6 { // RFC 9422 section 4: one to six digits, not zero
			continue
		}
		switch name {
		case "MAILMAX":
			l.mails = n
		case "RCPTMAX":
			l.recipients = n
		case "RCPTDOMAINMAX":
			l.domains = n
		}
	}
	return l
}

// MostMessages is how many messages the server says that it takes on one connection
// (MAILMAX, RFC 9422 section 4.1); 0 is no limit.
func (s *Session) MostMessages() int { return s.limits().mails }

// share divides the messages to the recipients that are left, but for those whom
// an earlier connection had, into the transactions that this connection may carry;
// rest says that it may not carry all. At least one is carried.
func (l limits) share(messages []*Delivery, had map[*Recipient]bool) (all []transaction, rest bool) {
	var domains []string // RFC 9422 section 6.3: of the session, not of one transaction
	for _, d := range messages {
		var batch []int
		for i := range d.To {
			to := &d.To[i]
			if to.Outcome.Final() || had[to] {
				continue
			}
			if domain := strings.ToLower(to.Address[strings.LastIndexByte(to.Address, '@')+1:]); l.domains > 0 && !slices.Contains(domains, domain) {
				if len(domains) == l.domains {
					rest = true
					continue
				}
				domains = append(domains, domain)
			}
			if l.recipients > 0 && len(batch) == l.recipients {
				all, batch = append(all, transaction{Delivery: d, batch: batch}), nil
			}
			batch = append(batch, i)
		}
		if len(batch) > 0 {
			all = append(all, transaction{Delivery: d, batch: batch})
		}
	}
	if l.mails > 0 && len(all) > l.mails {
		return all[:l.mails], true
	}
	return all, rest
}
