package cmd

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sasl"
)

var (
	errNUL   = errors.New("it holds a NUL")
	errLines = errors.New("it holds a line end (CR or LF)")
	errEmpty = errors.New("it is empty")
)

// timeClasses are the waits that --timeout sets one by one.
var timeClasses = []string{"dns", "connect", "banner", "reply", "data", "dot", "quit", "https"}

// longest is the longest wait that makes sense; more is a slip of the finger.
const longest = 7 * 24 * time.Hour

// parseBool takes the words that people write for yes and no.
func parseBool(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, errors.New("it is true or false")
}

// parseDuration takes "30s", "5m", "1h30m", "2d" and a bare number of seconds:
// more than nothing and at most 7 days.
func parseDuration(v string) (time.Duration, error) {
	text := v
	if days, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n > 1000 || n < -1000 {
			return 0, errDuration
		}
		text = strconv.Itoa(24*n) + "h"
	} else if strings.Trim(v, "-0123456789.") == "" {
		text = v + "s"
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errDuration
	case d <= 0:
		return 0, errors.New("a time is more than 0")
	case d > longest:
		return 0, errors.New("a time is at most 7d")
	}
	return d, nil
}

var errDuration = errors.New("a time is written 500ms, 30s, 5m, 1h30m or 2d")

// parseTime takes an RFC 3339 time, or a date for its first second in UTC.
func parseTime(v string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.DateOnly, v)
	if err != nil {
		return time.Time{}, errors.New("a time is written 2026-11-22T01:14:02Z or 2026-11-22")
	}
	return t, nil
}

func checkTime(v string) error {
	_, err := parseTime(v)
	return err
}

// parseTimeout takes "banner=30s", and "30s" of no class for the banner, replies
// and the farewell.
func parseTimeout(v string) (class string, d time.Duration, err error) {
	class, text, named := strings.Cut(v, "=")
	if !named {
		class, text = "", v
	}
	if named && !slices.Contains(timeClasses, class) {
		return "", 0, fmt.Errorf("its class is one of %s", strings.Join(timeClasses, ", "))
	}
	d, err = parseDuration(text)
	return class, d, err
}

func checkTimeout(v string) error {
	_, _, err := parseTimeout(v)
	return err
}

func checkInt(v string, least, most int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return fmt.Errorf("it is a number from %d to %d", least, most)
	}
	return nil
}

func checkFilled(v string) error {
	if v == "" {
		return errEmpty
	}
	return nil
}

func checkWord(v string) error {
	if v == "" {
		return errEmpty
	}
	if strings.ContainsAny(v, " \t") {
		return errors.New("it holds a space")
	}
	return nil
}

// checkSender takes what SPF can be asked about: an address, <> or a domain. Only a quoted
// local part may hold an @ (RFC 5321 section 4.1.2).
func checkSender(v string) error {
	if v == "" {
		return errEmpty
	}
	address := strings.TrimSuffix(strings.TrimPrefix(v, "<"), ">")
	at := strings.LastIndexByte(address, '@')
	if at > 0 && strings.Contains(address[:at], "@") && !(strings.HasPrefix(address, `"`) && strings.HasSuffix(address[:at], `"`)) {
		return errors.New("an address has one @, but for one in quotes before it")
	}
	return nil
}

// checkZones takes the zones of lists, parted by commas.
func checkZones(v string) error {
	if v == "" {
		return errEmpty
	}
	for _, zone := range ids([]string{v}) {
		if !route.ValidDomain(zone) {
			return fmt.Errorf("%s is no domain", quote(zone))
		}
	}
	return nil
}

func checkAddress(v string) error {
	if _, err := netip.ParseAddr(v); err != nil {
		return errors.New("it is an IP address, such as 192.0.2.1")
	}
	return nil
}

func checkDNSServer(v string) error {
	_, err := route.ParseServer(v)
	if wrong := (*route.ServerError)(nil); errors.As(err, &wrong) {
		return errors.New(wrong.Rule)
	}
	return err
}

func checkListen(v string) error {
	if _, err := netip.ParseAddrPort(v); err != nil {
		return errors.New("it is an IP address and a port, such as 127.0.0.1:5300")
	}
	return nil
}

func checkVia(v string) error {
	_, err := reach.ParseProxy(v)
	return err
}

// connectTo is one --connect-to: where Host and Port are meant ("" and 0 mean
// any), Addr and ToPort are dialled ("" and 0 keep what was meant).
type connectTo struct {
	Host   string
	Port   uint16
	Addr   string
	ToPort uint16
}

// parseConnectTo takes HOST:PORT:ADDR:PORT, IPv6 addresses in brackets, each part
// possibly empty, as curl has it.
func parseConnectTo(v string) (connectTo, error) {
	var parts []string
	rest, more := v, true
	for more {
		var part string
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return connectTo{}, errors.New("a bracket is left open")
			}
			if _, err := netip.ParseAddr(rest[1:end]); err != nil {
				return connectTo{}, errors.New("what is in brackets is no IP address")
			}
			part, rest = rest[1:end], rest[end+1:]
			if rest != "" && rest[0] != ':' {
				return connectTo{}, errors.New("a colon belongs behind the bracket")
			}
			more = rest != ""
			rest = strings.TrimPrefix(rest, ":")
		} else {
			part, rest, more = strings.Cut(rest, ":")
		}
		parts = append(parts, part)
	}
	if len(parts) != 4 {
		return connectTo{}, errors.New("it is HOST:PORT:ADDR:PORT, an IPv6 address in brackets")
	}
	if parts[2] == "" && parts[3] == "" {
		return connectTo{}, errors.New("it names nothing to connect to")
	}
	to := connectTo{Host: parts[0], Addr: parts[2]}
	for i, port := range []*uint16{1: &to.Port, 3: &to.ToPort} {
		if port == nil || parts[i] == "" {
			continue
		}
		n, err := strconv.ParseUint(parts[i], 10, 16)
		if err != nil || n == 0 {
			return connectTo{}, fmt.Errorf("%q is no port: a number from 1 to 65535", parts[i])
		}
		*port = uint16(n)
	}
	return to, nil
}

func checkConnectTo(v string) error {
	_, err := parseConnectTo(v)
	return err
}

// checkParam holds a MAIL or RCPT parameter to esmtp-param, RFC 5321 section 4.1.2.
func checkParam(v string) error {
	key, value, valued := strings.Cut(v, "=")
	if key == "" || key[0] == '-' || strings.TrimFunc(key, func(r rune) bool { return r == '-' || alphanumeric(r) }) != "" {
		return errors.New("its keyword is of letters, digits and hyphens (RFC 5321 section 4.1.2)")
	}
	if !valued {
		return nil
	}
	// SMTPUTF8 lets values be of any UTF-8 (RFC 6531 section 3.3).
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == '=' || r == 0x7f }) {
		return errors.New("its value is not empty and has no space, control character or = (RFC 5321 section 4.1.2)")
	}
	return nil
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// checkHeader holds a header field to RFC 5322 section 2.2: a name of printable
// US-ASCII without a colon, then the colon.
func checkHeader(v string) error {
	name, _, ok := strings.Cut(v, ":")
	if !ok {
		return errors.New("a header field is 'Name: value'")
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("its name is of printable US-ASCII without spaces (RFC 5322 section 2.2)")
	}
	return nil
}

// authWords are what --auth takes: any mechanism, none, or those of the table.
func authWords() []string {
	words := []string{"any", "none"}
	for _, m := range sasl.Mechanisms() {
		words = append(words, m.Name)
	}
	return words
}

// checkAuth keeps any and none to themselves.
func checkAuth(v string) error {
	for part := range strings.SplitSeq(v, ",") {
		if part != v && (strings.EqualFold(part, "any") || strings.EqualFold(part, "none")) {
			return fmt.Errorf("%s stands alone", strings.ToLower(part))
		}
	}
	return nil
}

func checkFile(v string) error {
	if v != "-" && (v == "@" || !strings.HasPrefix(v, "@")) {
		return errors.New("a file is written @FILE, standard input -")
	}
	return nil
}

// checkMediaType holds a media type to type "/" subtype, RFC 2045 section 5.1.
func checkMediaType(v string) error {
	full, _, _ := strings.Cut(v, ";")
	kind, sub, ok := strings.Cut(strings.TrimSpace(full), "/")
	token := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?=`, r)
		})
	}
	if !ok || !token(kind) || !token(sub) {
		return errors.New("a media type is type/subtype, such as image/png")
	}
	return nil
}
