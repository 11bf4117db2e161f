package sandbox

import (
	"strings"
)

// serveXOAUTH2 serves XOAUTH2, as Google's and Microsoft's documentation has it.
func serveXOAUTH2(e *exchange) error {
	message, err := e.ask("")
	if err != nil {
		return err
	}
	pairs, ok := pairs(string(message))
	if !ok || pairs["user"] == "" || pairs["auth"] == "" {
		return malformed("bad XOAUTH2 message")
	}
	e.user = pairs["user"]
	if a, ok := e.bearer(pairs["auth"]); ok && e.as(pairs["user"], a) == nil {
		return nil
	}
	return e.refuse(`{"status":"401","schemes":"bearer","scope":"https://mail.`+e.scenario.domain()+`/"}`, "")
}

// serveBearer serves OAUTHBEARER (RFC 7628): a GS2 header, then pairs.
func serveBearer(e *exchange) error {
	message, err := e.ask("")
	if err != nil {
		return err
	}
	parts := strings.SplitN(string(message), ",", 3)
	if len(parts) != 3 || parts[0] != "n" && parts[0] != "y" || !strings.HasPrefix(parts[2], "\x01") {
		return malformed("bad OAUTHBEARER message: GS2 header")
	}
	authzid := ""
	if parts[1] != "" {
		var ok bool
		if authzid, ok = saslname(parts[1], "a="); !ok {
			return malformed("bad OAUTHBEARER message: authorization identity")
		}
	}
	pairs, ok := pairs(parts[2][1:])
	if !ok || pairs["auth"] == "" || strings.Trim(pairs["port"], "0123456789") != "" {
		return malformed("bad OAUTHBEARER message")
	}
	e.user = authzid
	host := pairs["host"]
	if a, ok := e.bearer(pairs["auth"]); ok && e.as(authzid, a) == nil && (host == "" || e.local(host)) {
		return nil
	}
	return e.refuse(`{"status":"invalid_token","scope":"mail","openid-configuration":"https://`+
		e.scenario.domain()+`/.well-known/openid-configuration"}`, "\x01")
}

// pairs parses key=value, each behind which a 0x01 stands, and one more at the
// end (RFC 7628 section 3.1).
func pairs(s string) (map[string]string, bool) {
	s, ok := strings.CutSuffix(s, "\x01\x01")
	if !ok {
		return nil, false
	}
	all := map[string]string{}
	for _, pair := range strings.Split(s, "\x01") {
		key, value, ok := strings.Cut(pair, "=")
		if _, twice := all[key]; !ok || twice {
			return nil, false
		}
		all[key] = value
	}
	return all, true
}

// bearer finds whose token an Authorization value carries (RFC 6750 section 2.1).
func (e *exchange) bearer(value string) (Account, bool) {
	scheme, token, _ := strings.Cut(value, " ")
	e.secret = token
	for _, a := range Accounts() {
		if strings.EqualFold(scheme, "bearer") && a.Token != "" && a.Token == token {
			return a, true
		}
	}
	return Account{}, false
}

// refuse sends why, hears the dummy response (RFC 7628 section 3.2.3; XOAUTH2's
// is empty) and denies.
func (e *exchange) refuse(why, dummy string) error {
	answer, err := e.ask(why)
	if err != nil {
		return err
	}
	if string(answer) != dummy {
		return malformed("expected the dummy response to the error")
	}
	return denied()
}
