package sandbox

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// serveCRAM serves CRAM-MD5 (RFC 2195): HMAC-MD5 of the challenge under the password.
func serveCRAM(e *exchange) error {
	challenge := fmt.Sprintf("<%s@%s>", rand.Text(), e.session.name)
	message, err := e.ask(challenge)
	if err != nil {
		return err
	}
	i := strings.LastIndex(string(message), " ")
	if i < 0 {
		return malformed("bad CRAM-MD5 message")
	}
	e.user = string(message[:i])
	a, ok := findAccount(e.user)
	if !ok || cramDigest(prepare(a.Password), challenge) != string(message[i+1:]) {
		return denied()
	}
	return e.as("", a)
}

func cramDigest(password, challenge string) string {
	return hex.EncodeToString(sumMD5(password, challenge))
}

// sumMD5 is HMAC-MD5 of the joined texts under key.
func sumMD5(key string, texts ...string) []byte {
	mac := hmac.New(md5.New, []byte(key))
	for _, text := range texts {
		mac.Write([]byte(text))
	}
	return mac.Sum(nil)
}

// serveDigest serves DIGEST-MD5 (RFC 2831): quality "auth", no fast reauthentication.
func serveDigest(e *exchange) error {
	nonce := rand.Text()
	message, err := e.ask(fmt.Sprintf(`realm="%s",nonce="%s",qop="auth",charset=utf-8,algorithm=md5-sess`, e.session.name, nonce))
	if err != nil {
		return err
	}
	d, ok := directives(string(message))
	if !ok || d["username"] == "" || d["cnonce"] == "" || d["response"] == "" || d["digest-uri"] == "" {
		return malformed("bad DIGEST-MD5 message")
	}
	e.user = d["username"]
	a, ok := findAccount(e.user)
	switch {
	case !ok, d["realm"] != e.session.name, d["nonce"] != nonce, d["nc"] != "00000001",
		d["qop"] != "" && d["qop"] != "auth", !strings.EqualFold(d["charset"], "utf-8") && !isASCII(e.user+a.Password):
		return denied()
	}
	// digest-uri is service/host, or service/host/name (RFC 2831 section 2.1.2).
	if service, host, _ := strings.Cut(d["digest-uri"], "/"); service != "smtp" || !e.local(strings.Split(host, "/")[0]) {
		return denied()
	}
	digest, proof := digestMD5(d, a.Password)
	if digest != d["response"] {
		return denied()
	}
	if err := e.as(d["authzid"], a); err != nil {
		return err
	}
	return e.prove("rspauth=" + proof)
}

// prove sends the server's own proof, to which the client answers nothing.
func (e *exchange) prove(proof string) error {
	answer, err := e.ask(proof)
	if err == nil && len(answer) > 0 {
		return malformed("expected an empty response")
	}
	return err
}

// digestMD5 computes the response for the directives of a client and what
// the server proves itself by (RFC 2831 section 2.1.2.1 and 2.1.3).
func digestMD5(d map[string]string, password string) (response, rspauth string) {
	secret := md5.Sum([]byte(latin1(d["username"]) + ":" + latin1(d["realm"]) + ":" + latin1(password)))
	a1 := string(secret[:]) + ":" + d["nonce"] + ":" + d["cnonce"]
	if authzid, ok := d["authzid"]; ok {
		a1 += ":" + authzid
	}
	keyed := func(a2 string) string {
		return hexMD5(strings.Join([]string{hexMD5(a1), d["nonce"], d["nc"], d["cnonce"], "auth", hexMD5(a2)}, ":"))
	}
	return keyed("AUTHENTICATE:" + d["digest-uri"]), keyed(":" + d["digest-uri"])
}

func hexMD5(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// latin1 is s in ISO 8859-1 if all of it is there, else in UTF-8: so RFC 2831
// section 2.1.2.1 wants it before hashing.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r))
	}
	return string(b)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// directives parses a list of key=value and key="value" (RFC 2831 section 7.1);
// none may stand twice.
func directives(s string) (map[string]string, bool) {
	d := map[string]string{}
	for s = strings.TrimLeft(s, " \t,"); s != ""; s = strings.TrimLeft(s, " \t,") {
		key, rest, ok := strings.Cut(s, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if _, twice := d[key]; !ok || key == "" || twice {
			return nil, false
		}
		if rest, ok = strings.CutPrefix(rest, `"`); ok {
			d[key], s, ok = unquote(rest)
		} else {
			end := strings.IndexAny(rest+",", ", \t")
			d[key], s, ok = rest[:end], rest[end:], end > 0
		}
		if trimmed := strings.TrimLeft(s, " \t"); !ok || trimmed != "" && trimmed[0] != ',' {
			return nil, false
		}
	}
	return d, true
}

// unquote reads a quoted string behind its opening quote, and gives what follows it.
func unquote(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
