package sasl

import (
	"errors"
	"fmt"
	"strings"
)

// maxDirectives is how many directives of a challenge are read.
const maxDirectives = 64

// directive is one name=value of DIGEST-MD5 (RFC 2831 section 7.2); the name is
// in lower case, the value without its quotes.
type directive struct{ name, value string }

// parseDirectives reads a list of directives in any order. White space and empty
// members are allowed wherever RFC 2616's list rule (#) allows them.
func parseDirectives(s string) ([]directive, error) {
	const space = " \t\r\n"
	var list []directive
	for {
		s = strings.TrimLeft(s, space+",")
		if s == "" {
			return list, nil
		}
		if len(list) == maxDirectives {
			return nil, fmt.Errorf("it has more than %d directives", maxDirectives)
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.TrimRight(name, space)
		if !ok || name == "" || strings.ContainsAny(name, space+`,"`) {
			return nil, errors.New("it is not a list of NAME=VALUE")
		}
		rest = strings.TrimLeft(rest, space)
		var value string
		if strings.HasPrefix(rest, `"`) {
			if value, rest, ok = unquote(rest[1:]); !ok {
				return nil, errors.New("a quote in it does not end")
			}
		} else {
			end := strings.IndexAny(rest, space+",")
			if end < 0 {
				end = len(rest)
			}
			value, rest = rest[:end], rest[end:]
		}
		rest = strings.TrimLeft(rest, space)
		if rest != "" && rest[0] != ',' {
			return nil, errors.New("there is no comma between two directives")
		}
		list = append(list, directive{strings.ToLower(name), value})
		s = rest
	}
}

// unquote reads a quoted string behind its first quote, and gives what follows
// the last.
func unquote(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// digestChallenge is what is used of a challenge (RFC 2831 section 2.1.1).
type digestChallenge struct {
	realms []string
	nonce  string
	utf8   bool // the server reads UTF-8, and not ISO 8859-1
}

func parseDigestChallenge(text string) (c digestChallenge, err error) {
	list, err := parseDirectives(text)
	if err != nil {
		return c, err
	}
	seen := map[string]bool{}
	qop, algorithm := "auth", ""
	for _, d := range list {
		if seen[d.name] && d.name != "realm" {
			switch d.name {
			case "nonce", "qop", "algorithm", "charset":
				return c, fmt.Errorf("it has two directives %s", d.name)
			}
		}
		seen[d.name] = true
		switch d.name {
		case "realm":
			c.realms = append(c.realms, d.value)
		case "nonce":
			c.nonce = d.value
		case "qop":
			qop = d.value
		case "algorithm":
			algorithm = d.value
		case "charset":
			if !strings.EqualFold(d.value, "utf-8") {
				return c, errors.New("its charset is not utf-8")
			}
			c.utf8 = true
		}
	}
	switch {
	case c.nonce == "":
		return c, errors.New("it has no nonce")
	case !strings.EqualFold(algorithm, "md5-sess"):
		return c, errors.New("its algorithm is not md5-sess, the only one there is")
	case !offersAuth(qop):
		return c, errors.New("its qop has no auth, the only one that SMTP needs")
	}
	return c, nil
}

func offersAuth(qop string) bool {
	for option := range strings.SplitSeq(qop, ",") {
		if strings.EqualFold(strings.TrimSpace(option), "auth") {
			return true
		}
	}
	return false
}
