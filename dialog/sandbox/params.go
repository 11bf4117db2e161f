package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// optional takes a parameter of MAIL that an extension brings beside those that
// every good server has, or says why not: 555 where it was not offered.
func (x *session) optional(e *envelope, p param) reply {
	extension, valid := "", false
	switch p.keyword {
	case "BY":
		extension, valid = "DELIVERBY", validBy(p.value)
	case "HOLDFOR", "HOLDUNTIL":
		extension, valid = "FUTURERELEASE", x.validHold(p)
	case "MT-PRIORITY":
		extension, valid = "MT-PRIORITY", validPriority(p.value)
	case "REQUIRETLS": // RFC 8689 section 2
		extension, valid = "REQUIRETLS", p.value == ""
	case "XVERP": // two delimiters
		extension, valid = "XVERP", len(p.value) != 1 && len(p.value) < 3
	case "PRDR":
		extension, valid = "PRDR", p.value == ""
	}
	switch {
	case extension == "" || !x.offered(extension):
		return oneLine(555, "5.5.4", "parameter not recognized: "+p.keyword)
	case !valid:
		return oneLine(501, "5.5.4", "bad value: "+p.String())
	}
	e.each = e.each || extension == "PRDR"
	return x.beyond(p)
}

// beyond refuses a deadline below or a delay above what was declared.
func (x *session) beyond(p param) reply {
	number := func(text string) int {
		n, _ := strconv.Atoi(text)
		return n
	}
	declared := x.offers().keywords
	switch p.keyword {
	case "BY": // RFC 2852 section 4.1.3
		seconds, mode, _ := strings.Cut(strings.ToUpper(p.value), ";")
		if mode[0] == 'R' && number(seconds) < number(declared["DELIVERBY"]) {
			return oneLine(555, "5.5.4", "the deadline is too near")
		}
	case "HOLDFOR": // RFC 4865 section 4.2
		longest, _, _ := strings.Cut(declared["FUTURERELEASE"], " ")
		if number(p.value) > number(longest) {
			return oneLine(501, "5.5.4", "held too long")
		}
	}
	return reply{}
}

// validBy follows RFC 2852 section 4: seconds, which are positive with R, then the
// mode, then perhaps a trace.
func validBy(s string) bool {
	seconds, mode, _ := strings.Cut(strings.ToUpper(s), ";")
	n, err := strconv.Atoi(seconds)
	return err == nil && len(strings.TrimPrefix(seconds, "-")) <= 9 && seconds[0] != '+' &&
		slices.Contains([]string{"R", "N", "RT", "NT"}, mode) && (n > 0 || mode[0] == 'N')
}

// validHold follows RFC 4865 section 5: seconds of up to nine digits, or a time of
// RFC 3339 in UTC that is still to come.
func (x *session) validHold(p param) bool {
	if p.keyword == "HOLDFOR" {
		n, err := strconv.ParseUint(p.value, 10, 32)
		return err == nil && n > 0 && len(p.value) <= 9 && p.value[0] != '0'
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", p.value)
	return err == nil && t.After(x.world.opt.Now())
}

// validPriority follows RFC 6710 section 5: -9 to 9, without a plus.
func validPriority(s string) bool {
	digit := strings.TrimPrefix(s, "-")
	return len(digit) == 1 && '0' <= digit[0] && digit[0] <= '9' && s != "-0"
}

// validSince follows RFC 7293 section 3.2: a time, then perhaps what to do if the
// next server lacks RRVS.
func validSince(s string) bool {
	since, action, more := strings.Cut(strings.ToUpper(s), ";")
	_, err := time.Parse(time.RFC3339, since)
	return err == nil && (!more || action == "C" || action == "R")
}

// limit reports whether n exceeds a limit that LIMITS declares (RFC 9422).
func (x *session) limit(name string, n int) bool {
	if !x.esmtp {
		return false
	}
	for _, word := range strings.Fields(x.offers().keywords["LIMITS"]) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			most, err := strconv.Atoi(value)
			return err == nil && n > most
		}
	}
	return false
}

// admit takes the domain of a recipient among those of the session, unless they
// are as many as LIMITS allows (RCPTDOMAINMAX).
func (x *session) admit(path string) bool {
	domain := strings.ToLower(path[strings.LastIndexByte(path, '@')+1:])
	if slices.Contains(x.domains, domain) {
		return true
	}
	if x.limit("RCPTDOMAINMAX", len(x.domains)+1) {
		return false
	}
	if len(x.domains) < maxRecipients {
		x.domains = append(x.domains, domain)
	}
	return true
}
