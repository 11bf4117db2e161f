package check

import (
	"fmt"
	"slices"
	"strings"
)

// misstated says what is wrong with the parameters that stand behind SIZE or LIMITS in the
// reply to EHLO, "" if nothing is, and by which rule.
func misstated(keyword string, params []string) (fault, ref string) {
	switch keyword {
	case "SIZE": // RFC 1870 section 3: size-param ::= [1*DIGIT]
		ref = "RFC 1870 section 3"
		switch odd := slices.DeleteFunc(slices.Clone(params), digits); {
		case len(odd) > 0:
			return fmt.Sprintf("%s is no number of octets", odd[0]), ref
		case len(params) > 1:
			return "more numbers than one: " + strings.Join(params, ", "), ref
		}
	case "LIMITS":
		if odd := slices.DeleteFunc(slices.Clone(params), isLimit); len(odd) > 0 {
			return "no limits: " + strings.Join(odd, ", "), "RFC 9422 sections 3 and 4"
		}
	}
	return "", ""
}

// stated is how the parameters of a keyword are to be.
func stated(keyword string) string {
	if keyword == "SIZE" {
		return "250-SIZE 52428800   # one number of octets, or none; Postfix: message_size_limit"
	}
	return "250-LIMITS RCPTMAX=100   # NAME=NUMBER, one to six digits, with spaces between"
}

// digits reports whether text is a number: one digit or more, and nothing else.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// isLimit reports whether an item of LIMITS has the form NAME or NAME=VALUE (RFC 9422 section
// 3), and where it is one of the three that the RFC has, whether its value is a number of one
// to six digits that does not begin with 0 (section 4).
func isLimit(item string) bool {
	name, value, has := strings.Cut(item, "=")
	if name == "" || has && value == "" || strings.Contains(value, ";") || strings.ContainsFunc(name, notOfName) || strings.ContainsFunc(value, notPrintable) {
		return false
	}
	switch strings.ToUpper(name) {
	case "MAILMAX", "RCPTMAX", "RCPTDOMAINMAX":
		return digits(value) && value[0] != '0' && len(value) <= 6
	}
	return true
}

// notOfName reports whether c stands in no name of a limit: a letter, a digit, "-" or "_".
func notOfName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
}

func notPrintable(c rune) bool { return c <= ' ' || c > '~' }
