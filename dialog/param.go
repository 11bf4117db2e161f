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
			if _, offered := s.Offers(p.Needs); p.Needs != "" && !offered {
				return &UnmetError{Keyword: p.Needs, Reason: fmt.Sprintf("%s needs %s, which the server does not offer", p.keyword(), p.Needs)}
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

// batches divides the recipients that are left, indexes into d.To, so that each
// transaction keeps to the limits.
func (l limits) batches(d *Delivery) [][]int {
	var batches [][]int
	var batch []int
	var domains []string
	for i := range d.To {
		to := &d.To[i]
		if to.Outcome.Final() {
			continue
		}
		domain := strings.ToLower(to.Address[strings.LastIndexByte(to.Address, '@')+1:])
		known := slices.Contains(domains, domain)
		if l.recipients > 0 && len(batch) == l.recipients || l.domains > 0 && !known && len(domains) == l.domains {
			batches = append(batches, batch)
			batch, domains, known = nil, nil, false
		}
		batch = append(batch, i)
		if !known && l.domains > 0 {
			domains = append(domains, domain)
		}
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}
