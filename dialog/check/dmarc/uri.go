package dmarc

import (
	"net/url"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// URI is where reports are to be sent (RFC 9989 section 4.6).
type URI struct {
	Text    string // without its size limit
	Scheme  string // in lower case
	Address string // of mailto: whom to write to; else ""
	Host    string // the domain of Address, or the host of another scheme; in A-labels
}

// uris reads a list of URIs; those that are not valid are left out.
func (p *parser) uris(name, value string, offset int) []URI {
	var all []URI
	for text := range strings.SplitSeq(value, ",") {
		text = trim(text)
		if len(all) == urisMost {
			p.note(BadURI, name, offset, "over %d addresses in %s=", urisMost, name)
			break
		}
		before, limit, limited := strings.Cut(text, "!")
		if limited && sizeLimit(limit) {
			p.note(SizeLimit, name, offset, "!%s: a size limit means nothing any more", clip(limit))
			text = before
		}
		u, why := parseURI(text)
		if why != "" {
			p.note(BadURI, name, offset, "%s in %s=: %s", clip(text), name, why)
			continue
		}
		all = append(all, u)
	}
	return all
}

// sizeLimit reports whether s is what stood behind '!' in RFC 7489.
func sizeLimit(s string) bool {
	digits := strings.TrimRight(strings.ToLower(s), "kmgt")
	return digits != "" && len(s)-len(digits) <= 1 && strings.Trim(digits, "0123456789") == ""
}

// parseURI reads a URI (RFC 3986, RFC 6068); why says what is wrong with it.
func parseURI(text string) (u URI, why string) {
	if text == "" {
		return u, "it is empty"
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '!' {
			return u, "a character that has to be percent-encoded"
		}
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return u, "no URI"
	case parsed.Scheme == "" && strings.Contains(text, "@"):
		return u, "no URI: mailto: has to stand before the address"
	case parsed.Scheme == "":
		return u, "no URI: it has no scheme, such as mailto:"
	}
	u = URI{Text: text, Scheme: parsed.Scheme, Host: parsed.Hostname()}
	if u.Scheme == "mailto" {
		if u.Address, err = url.PathUnescape(parsed.Opaque); err != nil {
			return u, "its percent-encoding is broken"
		}
		at := strings.LastIndexByte(u.Address, '@')
		if at <= 0 {
			return u, "no address behind mailto:"
		}
		u.Host = u.Address[at+1:]
	}
	if u.Host == "" {
		return u, "" // a scheme without hosts, which nobody is known to support
	}
	if _, u.Host, err = route.ParseDomain(u.Host); err != nil {
		return u, "its domain cannot be one"
	}
	return u, ""
}
