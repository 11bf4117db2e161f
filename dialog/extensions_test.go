package dialog

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// What IANA registers, and what servers are known to list beside it.
var wantKeywords = strings.Fields(`
	8BITMIME ATRN AUTH BINARYMIME BURL CHECKPOINT CHUNKING CONNEG CONPERM DELIVERBY DSN
	ENHANCEDSTATUSCODES ETRN EXPN FUTURERELEASE HELP LIMITS MT-PRIORITY MTRK NO-SOLICITING ONEX
	PIPELINING REQUIRETLS RRVS SAML SEND SIZE SMTPUTF8 SOML STARTTLS SUBMITTER TURN UTF8SMTP VERB VRFY

	AUTH=LOGIN CLIENTID COREMAIL ID MAE-SMTP OK PIPECONNECT PIPE_CONNECT PRDR TIME UTF8REPLY VERP
	X-ANONYMOUSTLS X-EXPS X-EXPS=LOGIN X-LINK2STATE XADR XAUTH XCIR XCLIENT XDSN XEXCH50 XFORWARD XGEN
	XLICENSE XLONGADDR XLOOP XOORG XORAR XPROXY XPROXYFROM XPROXYTO XQUE XRDST XREMOTEQUEUE
	XSESSIONPARAMS XSHADOW XSTA XTRN XUSR XVERP XXXXXXXA`)

func TestExtensionsAreComplete(t *testing.T) {
	var got []string
	for _, e := range Extensions {
		got = append(got, e.Keyword)
	}
	for _, k := range wantKeywords {
		if !slices.Contains(got, k) {
			t.Errorf("%s has no row", k)
		}
	}
	for _, k := range got {
		if !slices.Contains(wantKeywords, k) {
			t.Errorf("%s is not in this test's list", k)
		}
	}
}

func TestExtensionRows(t *testing.T) {
	rfc := regexp.MustCompile(`^RFC [1-9][0-9]{2,3}$`)
	param := regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]*$`) // esmtp-keyword, RFC 5321 section 4.1.2
	before := ""
	for _, e := range Extensions {
		if e.Keyword <= before {
			t.Errorf("%s stands behind %s", e.Keyword, before)
		}
		before = e.Keyword
		if e.Keyword != strings.ToUpper(e.Keyword) || strings.ContainsFunc(e.Keyword, unicode.IsSpace) {
			t.Errorf("%q is no keyword in capitals", e.Keyword)
		}
		if e.RFC != "" && !rfc.MatchString(e.RFC) {
			t.Errorf("%s: %q is no RFC", e.Keyword, e.RFC)
		}
		if e.About == "" || len(e.About) > 66 || strings.HasSuffix(e.About, ".") || strings.TrimSpace(e.About) != e.About {
			t.Errorf("%s: about %q (%d bytes)", e.Keyword, e.About, len(e.About))
		}
		switch e.Status {
		case "current":
			if e.RFC == "" {
				t.Errorf("%s is current without an RFC", e.Keyword)
			}
		case "vendor":
			if e.RFC != "" {
				t.Errorf("%s is a vendor's own and has %s", e.Keyword, e.RFC)
			}
		case "obsolete", "historic":
		default:
			t.Errorf("%s: status %q", e.Keyword, e.Status)
		}
		for _, p := range slices.Concat(e.Mail, e.Rcpt) {
			if !param.MatchString(p) {
				t.Errorf("%s: %q is no parameter", e.Keyword, p)
			}
		}
	}
}

// TestExtensionParameters names who brings each MAIL and RCPT parameter there is.
func TestExtensionParameters(t *testing.T) {
	mail := map[string]string{
		"SIZE": "SIZE", "BODY": "8BITMIME BINARYMIME", "SMTPUTF8": "SMTPUTF8", "AUTH": "AUTH", "RET": "DSN",
		"ENVID": "DSN MTRK", "BY": "DELIVERBY", "HOLDFOR": "FUTURERELEASE", "HOLDUNTIL": "FUTURERELEASE",
		"MT-PRIORITY": "MT-PRIORITY", "REQUIRETLS": "REQUIRETLS", "CONPERM": "CONPERM", "TRANSID": "CHECKPOINT",
		"SUBMITTER": "SUBMITTER", "SOLICIT": "NO-SOLICITING", "MTRK": "MTRK", "ALT-ADDRESS": "UTF8SMTP",
		"PRDR": "PRDR", "XVERP": "XVERP", "VERP": "VERP", "XSHADOW": "XSHADOW", "XOORG": "XOORG",
	}
	rcpt := map[string]string{
		"NOTIFY": "DSN", "ORCPT": "DSN MTRK", "RRVS": "RRVS", "CONNEG": "CONNEG", "ALT-ADDRESS": "UTF8SMTP",
		"XRDST": "XRDST", "XORAR": "XORAR",
	}
	check := func(verb string, want map[string]string, params func(Extension) []string) {
		got := map[string][]string{}
		for _, e := range Extensions {
			for _, p := range params(e) {
				got[p] = append(got[p], e.Keyword)
			}
		}
		for p, who := range want {
			if g := strings.Join(got[p], " "); g != who {
				t.Errorf("%s %s: brought by %q, want %q", verb, p, g, who)
			}
			delete(got, p)
		}
		for p, who := range got {
			t.Errorf("%s %s: not expected of %v", verb, p, who)
		}
	}
	check("MAIL", mail, func(e Extension) []string { return e.Mail })
	check("RCPT", rcpt, func(e Extension) []string { return e.Rcpt })
}

func TestLookupExtension(t *testing.T) {
	for _, e := range Extensions {
		for _, k := range []string{e.Keyword, strings.ToLower(e.Keyword), strings.ToUpper(e.Keyword[:1]) + strings.ToLower(e.Keyword[1:])} {
			if got, ok := LookupExtension(k); !ok || got.Keyword != e.Keyword {
				t.Errorf("%q: %q, %v", k, got.Keyword, ok)
			}
		}
	}
	for _, k := range []string{"", "SIZ", "SIZES", "XFOO", "8", "{", "\u017fIZE", "VRF\xff", "AUTH=PLAIN", "SIZE "} {
		if got, ok := LookupExtension(k); ok {
			t.Errorf("%q: %q", k, got.Keyword)
		}
	}
}
