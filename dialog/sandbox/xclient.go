package sandbox

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// xclient serves XCLIENT: the client speaks for another one, and the session
// begins anew for it, with a banner.
func (x *session) xclient(arg string) error {
	pairs, r := x.attributes("XCLIENT", arg)
	if r.code != 0 {
		return x.say(r)
	}
	ok, err := x.answer(x.banner(), "XCLIENT", arg)
	if err != nil || !ok {
		return err
	}
	before := x.claims
	x.restart()
	x.claims = before
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		x.claims = slices.DeleteFunc(slices.Clone(x.claims), func(old string) bool { return strings.HasPrefix(old, name+"=") })
		x.claims = append(x.claims, pair)
		switch {
		case unavailable(value):
		case name == "ADDR":
			x.client = strings.TrimPrefix(value, "IPV6:")
		case name == "LOGIN":
			x.user = value
		}
	}
	return nil
}

// xforward serves XFORWARD: where the next message came from. The attributes
// last as long as its transaction.
func (x *session) xforward(arg string) error {
	pairs, r := x.attributes("XFORWARD", arg)
	if r.code != 0 {
		return x.say(r)
	}
	ok, err := x.answer(oneLine(250, "2.0.0", "Ok"), "XFORWARD", arg)
	if ok && err == nil {
		x.origin = append(x.origin, pairs...)
	}
	return err
}

// attributes reads the NAME=value pairs of XCLIENT and XFORWARD, whose values are
// xtext, or says what is wrong with them.
func (x *session) attributes(verb, arg string) ([]string, reply) {
	switch {
	case !x.offered(verb):
		return nil, unknown()
	case x.mail != nil:
		return nil, oneLine(503, "5.5.1", verb+" is not allowed in a transaction")
	case arg == "":
		return nil, oneLine(501, "5.5.4", verb+" needs attributes")
	}
	offered := strings.Fields(x.offers().keywords[verb])
	var pairs []string
	for _, word := range strings.Fields(arg) {
		name, value, _ := strings.Cut(word, "=")
		name = strings.ToUpper(name)
		if !slices.Contains(offered, name) {
			return nil, oneLine(501, "5.5.4", "attribute not recognized: "+name)
		}
		if !validXtext(value) || !unavailable(value) && !validAttribute(name, unxtext(value)) {
			return nil, oneLine(501, "5.5.4", "bad value: "+word)
		}
		pairs = append(pairs, name+"="+unxtext(value))
	}
	return pairs, reply{}
}

// unavailable reports whether a value says that there is none, for now or for good.
func unavailable(value string) bool { return value == "[UNAVAILABLE]" || value == "[TEMPUNAVAIL]" }

func validAttribute(name, value string) bool {
	switch name {
	case "ADDR", "DESTADDR":
		rest, v6 := strings.CutPrefix(value, "IPV6:")
		a, err := netip.ParseAddr(rest)
		return err == nil && a.Zone() == "" && a.Is4() != v6
	case "PORT", "DESTPORT":
		n, err := strconv.ParseUint(value, 10, 16)
		return err == nil && n > 0
	case "PROTO":
		return value == "SMTP" || value == "ESMTP"
	}
	return true
}

// unxtext decodes what validXtext has passed.
func unxtext(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '+' {
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			b.WriteByte(byte(n))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
