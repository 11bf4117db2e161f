package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/mime"
)

// mailParams are the parameters of MAIL that the flags ask for. Those written by
// hand are sent whatever the server offers.
func (r *run) mailParams() []dialog.Param {
	var list []dialog.Param
	add := func(needs, text string) { list = append(list, dialog.Param{Text: text, Needs: needs}) }
	if v := r.String("dsn-ret"); v != "" {
		add("DSN", "RET="+v)
	}
	if v := r.String("dsn-envid"); v != "" {
		add("DSN", dialog.Xtext("ENVID", v))
	}
	if v := r.String("deliver-by"); v != "" {
		add("DELIVERBY", "BY="+v)
	}
	if d := r.Duration("hold-for"); d > 0 {
		add("FUTURERELEASE", fmt.Sprintf("HOLDFOR=%d", (d+time.Second-1)/time.Second))
	}
	if t, ok := r.Time("hold-until"); ok {
		add("FUTURERELEASE", "HOLDUNTIL="+t.UTC().Format(time.RFC3339))
	}
	if r.Set("mt-priority") {
		add("MT-PRIORITY", "MT-PRIORITY="+strconv.Itoa(r.Int("mt-priority")))
	}
	if r.Bool("require-tls") {
		add("REQUIRETLS", "REQUIRETLS")
	}
	if v := r.String("mail-auth"); v != "" {
		address := "<>"
		if m, err := mime.ParseReversePath(v); err == nil && !m.IsNull() {
			address = m.Path()
		}
		add("AUTH", dialog.Xtext("AUTH", address))
	}
	if r.Bool("verp") {
		add("XVERP", "XVERP")
	}
	return replaced(list, byHand(r.Strings("mail-param")))
}

// rcptParams are those of every RCPT, and own what a recipient has of its own.
func (r *run) rcptParams() []dialog.Param {
	var list []dialog.Param
	if v := r.String("dsn-notify"); v != "" {
		list = append(list, dialog.Param{Text: "NOTIFY=" + strings.ToUpper(v), Needs: "DSN"})
	}
	if t, ok := r.Time("rrvs"); ok {
		list = append(list, dialog.Param{Text: "RRVS=" + t.UTC().Format(time.RFC3339), Needs: "RRVS"})
	}
	return replaced(list, byHand(r.Strings("rcpt-param")))
}

// ownParams are the parameters of one recipient's RCPT: the address that it was
// first sent to, in reports of delivery (RFC 3461 section 4.2). One that is not ASCII
// has a type of its own, in the form that needs no SMTPUTF8 (RFC 6533 section 3).
func (r *run) ownParams(to mime.Mailbox) []dialog.Param {
	original := r.String("dsn-orcpt")
	switch {
	case original == "" || holds(byHand(r.Strings("rcpt-param")), "ORCPT"):
		return nil
	case original == "auto":
		original = to.Path()
	}
	kind, address := originalType(original)
	if strings.EqualFold(kind, "utf-8") {
		return []dialog.Param{{Text: "ORCPT=" + kind + ";" + unicodeXtext(address), Needs: "DSN"}}
	}
	_, encoded, _ := strings.Cut(dialog.Xtext("ORCPT", address), "=")
	return []dialog.Param{{Text: "ORCPT=" + kind + ";" + encoded, Needs: "DSN"}}
}

// originalType takes the type off an original recipient, or finds it. A quoted local
// part may hold a semicolon, too.
func originalType(original string) (kind, address string) {
	kind, address, typed := strings.Cut(original, ";")
	switch {
	case typed && !strings.Contains(kind, `"`):
		return kind, address
	case strings.ContainsFunc(original, func(r rune) bool { return r >= 0x80 }):
		return "utf-8", original
	}
	return "rfc822", original
}

// unicodeXtext is utf-8-addr-xtext (RFC 6533 section 3): what is not printable ASCII,
// and "+", "=" and the backslash, by its code point.
func unicodeXtext(address string) string {
	var b strings.Builder
	for _, c := range address {
		if c < '!' || c > '~' || c == '+' || c == '=' || c == '\\' {
			fmt.Fprintf(&b, `\x{%02X}`, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// unmetParam is what to do where the server does not offer what a parameter needs:
// leave the flag out that asked for it, or write the parameter by hand.
func unmetParam(unmet *dialog.UnmetError) string {
	keyword, _, _ := strings.Cut(unmet.Param, "=")
	flag, by := "", "--mail-param"
	switch keyword {
	case "RET", "ENVID":
		flag = "--dsn-" + strings.ToLower(keyword)
	case "NOTIFY", "ORCPT":
		flag, by = "--dsn-"+strings.ToLower(keyword), "--rcpt-param"
	case "BY":
		flag = "--deliver-by"
	case "HOLDFOR":
		flag = "--hold-for"
	case "HOLDUNTIL":
		flag = "--hold-until"
	case "MT-PRIORITY":
		flag = "--mt-priority"
	case "REQUIRETLS":
		return "again without --require-tls   # nobody then promises TLS on the hops behind this server"
	case "RRVS":
		flag, by = "--rrvs", "--rcpt-param"
	case "AUTH":
		flag = "--mail-auth"
	case "XVERP":
		flag = "--verp"
	}
	return fmt.Sprintf("again without %s   # or with %s %s, sent whatever is offered", flag, by, shellWord(unmet.Param))
}

// recode fits the advice on a message that is not ASCII to what of it is not. A whole
// one can be written anew, but for addresses and ids: RFC 2047 has no words for them.
func (s *sending) recode(v *verdict, err error, m *mime.Message) {
	var unmet *dialog.UnmetError
	if !errors.As(err, &unmet) || unmet.Address || unmet.Keyword != "SMTPUTF8" && unmet.Keyword != "8BITMIME" {
		return
	}
	whole := s.Set("data") || s.Set("data-template") || s.Set("data-folder") || s.Set("data-mbox")
	switch name := m.Unencodable(); {
	case name != "":
		v.Next = "write " + name + " in ASCII: RFC 2047 has no words for addresses and ids"
	case whole && !s.Bool("fixup"):
		v.Next = "again with --fixup   # writes it in ASCII"
	}
}

// adviseTLS fits the advice on TLS that failed to flags that ask for more, or for
// less, than the policy that it speaks of.
func (r *run) adviseTLS(v *verdict) {
	if v.Status != StatusTLS || !strings.HasPrefix(v.Next, "again with") {
		return
	}
	switch protocol := r.String("protocol"); {
	case r.Bool("require-tls"):
		v.Next = "again without --require-tls"
	case protocol == "SMTP":
		v.Likely, v.Next = "--protocol SMTP says HELO, and nothing is offered then", "again with --protocol ESMTP"
	case protocol == "SSMTP", protocol == "SSMTPA":
		v.Next = "again with --protocol " + strings.Replace(protocol, "SSMTP", "ESMTPS", 1)
	case strings.HasSuffix(strings.TrimSuffix(protocol, "A"), "S"):
		v.Next = "again with --protocol " + strings.Replace(protocol, "MTPS", "MTP", 1)
	}
}

func byHand(texts []string) []dialog.Param {
	var list []dialog.Param
	for _, text := range texts {
		list = append(list, dialog.Param{Text: text})
	}
	return list
}

// replaced is list with those by hand in the place of what has their keywords.
func replaced(list, hand []dialog.Param) []dialog.Param {
	list = slices.DeleteFunc(list, func(p dialog.Param) bool { return holds(hand, keywordOf(p)) })
	return append(list, hand...)
}

func holds(list []dialog.Param, keyword string) bool {
	return slices.ContainsFunc(list, func(p dialog.Param) bool { return strings.EqualFold(keywordOf(p), keyword) })
}

func keywordOf(p dialog.Param) string {
	keyword, _, _ := strings.Cut(p.Text, "=")
	return keyword
}

var errNotify = errors.New("it is NEVER, or a list of SUCCESS, FAILURE and DELAY")

// checkNotify follows RFC 3461 section 4.1.
func checkNotify(v string) error {
	words := strings.Split(strings.ToUpper(v), ",")
	for i, w := range words {
		known := slices.Contains([]string{"SUCCESS", "FAILURE", "DELAY"}, w)
		if !known && (w != "NEVER" || len(words) > 1) || slices.Contains(words[:i], w) {
			return errNotify
		}
	}
	return nil
}

// checkOriginal follows RFC 3461 section 4.2: an atom as the type, and an address.
func checkOriginal(v string) error {
	kind, address := originalType(v)
	word := strings.TrimFunc(kind, func(r rune) bool { return r == '-' || alphanumeric(r) })
	if kind == "" || word != "" || address == "" || !utf8.ValidString(v) {
		return errors.New("it is auto, an address, or TYPE;ADDRESS, such as rfc822;alice@example.com")
	}
	return nil
}

// checkEnvelopeID follows RFC 3461 section 4.4: printable ASCII, of at most 100
// characters as it is sent.
func checkEnvelopeID(v string) error {
	_, sent, _ := strings.Cut(dialog.Xtext("ENVID", v), "=")
	if v == "" || len(sent) > 100 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("it is of printable ASCII, and at most 100 characters long in xtext (RFC 3461 section 4.4)")
	}
	return nil
}

// checkDeliverBy follows RFC 2852 section 4: seconds, then R to return the
// message when they are over or N to tell the sender, then T to trace.
func checkDeliverBy(v string) error {
	seconds, mode, _ := strings.Cut(strings.ToUpper(v), ";")
	n, err := strconv.Atoi(seconds)
	digits := strings.TrimLeft(seconds, "+-")
	if err != nil || len(digits) > 9 || !slices.Contains([]string{"R", "N", "RT", "NT"}, mode) || n <= 0 && mode[0] == 'R' {
		return errors.New("it is SECONDS;R (return it then) or SECONDS;N (tell the sender then), with a T to trace: 3600;R")
	}
	return nil
}

// checkAttributes follows XCLIENT and XFORWARD: NAME=VALUE, where an IPv6 address
// has a mark before it.
func checkAttributes(v string) error {
	name, value, ok := strings.Cut(v, "=")
	if !ok || value == "" || strings.Trim(strings.ToUpper(name), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || name == "" {
		return errors.New("it is NAME=VALUE, such as ADDR=192.0.2.1")
	}
	if addr := parseAddr(value); addr.Is6() && strings.HasSuffix(strings.ToUpper(name), "ADDR") {
		return fmt.Errorf("an IPv6 address is written %s=IPV6:%s", name, addr)
	}
	return nil
}

func checkReversePath(v string) error {
	_, err := mime.ParseReversePath(v)
	return err
}
