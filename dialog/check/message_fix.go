package check

import (
	"net/textproto"
	"strings"

	"github.com/ehlo-mail/ehlo/mime"
)

// formFix is what to do about a finding on the form of a message that is not good.
func formFix(f mime.Finding) string {
	if name, ok := strings.CutPrefix(f.ID, "doubled-"); ok {
		return "leave one " + textproto.CanonicalMIMEHeaderKey(name) + " field, and take the others out"
	}
	switch f.ID {
	case "bare-cr", "bare-lf", "nul", "long-line":
		return "send it with --fixup, which mends it"
	case "no-date", "no-message-id":
		return "let the sending program write it, or send the message with --fixup, which adds it"
	case "no-from":
		return "add a line to the header: From: NAME <ADDRESS>"
	case "bad-from", "bad-sender", "bad-reply-to", "bad-to", "bad-cc":
		return "write the field as NAME <LOCAL@DOMAIN>, with commas between several, and a name that has other signs than letters in quotes"
	case "no-sender":
		return "add a Sender field with one of the addresses, or leave one in From"
	case "bad-date", "wrong-weekday":
		return "write the date as in: Date: Sun, 22 Nov 2026 01:14:02 +0000"
	case "bad-message-id":
		return "write it as in: Message-ID: <UNIQUE@DOMAIN>"
	case "bcc":
		return "take the Bcc field out: who gets the message is said in its envelope"
	case "no-header":
		return "begin the message with its header, and end that with an empty line"
	case "stray-line", "blank-fold", "no-blank-line":
		return "mend the line, or put an empty line before it if the body begins there"
	case "mbox-line":
		return "take the line out"
	case "space-before-colon":
		return "take the space before the colon out"
	case "header-8bit", "bad-word":
		return "write the field in UTF-8, or as RFC 2047 words: =?utf-8?q?...?="
	case "header-control":
		return "take the control characters out of the field"
	case "long-header":
		return "send less header: many servers refuse or cut so much"
	case "no-mime-version", "odd-mime-version":
		return "write the field: MIME-Version: 1.0"
	case "bad-content-type", "bad-disposition", "unsafe-name":
		return `write the field as in: Content-Type: text/plain; charset=utf-8, with values that have other signs than letters in quotes`
	case "unknown-encoding", "encoded-parts":
		return "use 7bit, 8bit or binary for what has parts, and one of these, base64 or quoted-printable for the rest"
	case "no-boundary", "long-boundary", "odd-boundary", "same-boundary":
		return "choose a boundary of at most 70 letters and digits, another for each multipart, and name it in boundary="
	case "many-parts", "deep":
		return "send fewer parts, and less deep ones"
	}
	if f.Ref == "" {
		return ""
	}
	return "have the program that writes the message follow " + f.Ref
}
