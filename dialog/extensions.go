package dialog

import "slices"

// Extensions is every EHLO keyword known, in byte order of the keyword: those that
// IANA registers (the SMTP Service Extensions registry, RFC 5321 section 2.2.2) and
// those that servers are known to send without. Read it, never write to it.
//
// Status is "current" for what an RFC defines and servers offer, "obsolete" for what
// another extension replaced, "historic" for what has fallen out of use, "vendor" for
// what one product or an unfinished draft defines.
var Extensions = []Extension{
	{"8BITMIME", "RFC 6152", "bodies may hold bytes above 127, in lines", []string{"BODY"}, nil, "current"},
	{"ATRN", "RFC 2645", "after a login the roles are swapped and waiting mail flows back", nil, nil, "current"},
	{"AUTH", "RFC 4954", "login; the mechanisms follow", []string{"AUTH"}, nil, "current"},
	{"AUTH=LOGIN", "", "the AUTH line once more, spelt for clients of an early draft", nil, nil, "historic"},
	{"BINARYMIME", "RFC 3030", "bodies may be any bytes without lines; needs CHUNKING", []string{"BODY"}, nil, "current"},
	{"BURL", "RFC 4468", "the server fetches the message from an IMAP URL", nil, nil, "current"},
	{"CHECKPOINT", "RFC 1845", "a broken transfer can go on where it stopped", []string{"TRANSID"}, nil, "historic"},
	{"CHUNKING", "RFC 3030", "BDAT sends the message in counted chunks", nil, nil, "current"},
	{"CLIENTID", "", "a device may identify itself before AUTH, under TLS (a draft)", nil, nil, "vendor"},
	{"CONNEG", "RFC 4141", "tells what content a recipient can handle", nil, []string{"CONNEG"}, "current"},
	{"CONPERM", "RFC 4141", "the sender may permit conversion of the content", []string{"CONPERM"}, nil, "current"},
	{"COREMAIL", "", "Coremail's own mark, its value opaque", nil, nil, "vendor"},
	{"DELIVERBY", "RFC 2852", "the sender may set a deadline for delivery", []string{"BY"}, nil, "current"},
	{"DSN", "RFC 3461", "the sender may choose the delivery reports", []string{"RET", "ENVID"}, []string{"NOTIFY", "ORCPT"}, "current"},
	{"ENHANCEDSTATUSCODES", "RFC 2034", "replies carry codes such as 5.1.1", nil, nil, "current"},
	{"ETRN", "RFC 1985", "a host may ask for the mail that waits for it", nil, nil, "current"},
	{"EXPN", "RFC 5321", "names the members of a mailing list", nil, nil, "current"},
	{"FUTURERELEASE", "RFC 4865", "holds a message until a given time", []string{"HOLDFOR", "HOLDUNTIL"}, nil, "current"},
	{"HELP", "RFC 5321", "help for people", nil, nil, "current"},
	{"ID", "", "Coremail: the client may name its software, as in IMAP", nil, nil, "vendor"},
	{"LIMITS", "RFC 9422", "limits of a session and of a transaction, told in advance", nil, nil, "current"},
	{"MAE-SMTP", "", "a mark of 263.net without a published meaning", nil, nil, "vendor"},
	{"MT-PRIORITY", "RFC 6710", "messages may have a priority, -9 to 9", []string{"MT-PRIORITY"}, nil, "current"},
	{"MTRK", "RFC 3885", "a message may be tracked by its sender later", []string{"MTRK", "ENVID"}, []string{"ORCPT"}, "current"},
	{"NO-SOLICITING", "RFC 3865", "no advertising, or not of the kinds named", []string{"SOLICIT"}, nil, "current"},
	{"OK", "", "no extension: Microsoft's servers end the list with it", nil, nil, "vendor"},
	{"ONEX", "", "sendmail: one message only on this connection", nil, nil, "historic"},
	{"PIPECONNECT", "", "Exim: a client that remembers it may begin before the banner", nil, nil, "vendor"},
	{"PIPELINING", "RFC 2920", "commands may be sent in groups", nil, nil, "current"},
	{"PIPE_CONNECT", "", "Exim: PIPECONNECT as it was first spelt", nil, nil, "obsolete"},
	{"PRDR", "", "after the message a reply for each recipient (a draft; Exim)", []string{"PRDR"}, nil, "vendor"},
	{"REQUIRETLS", "RFC 8689", "the sender may demand verified TLS all the way", []string{"REQUIRETLS"}, nil, "current"},
	{"RRVS", "RFC 7293", "deliver only if the mailbox has not changed hands", nil, []string{"RRVS"}, "current"},
	{"SAML", "RFC 821", "wrote to the terminal and to the mailbox", nil, nil, "obsolete"},
	{"SEND", "RFC 821", "wrote to the terminal of a user", nil, nil, "obsolete"},
	{"SIZE", "RFC 1870", "the largest message taken, in bytes", []string{"SIZE"}, nil, "current"},
	{"SMTPUTF8", "RFC 6531", "addresses and headers may be UTF-8", []string{"SMTPUTF8"}, nil, "current"},
	{"SOML", "RFC 821", "wrote to the terminal, or else to the mailbox", nil, nil, "obsolete"},
	{"STARTTLS", "RFC 3207", "the connection can be secured by TLS", nil, nil, "current"},
	{"SUBMITTER", "RFC 4405", "names who is responsible for the message (Sender ID)", []string{"SUBMITTER"}, nil, "historic"},
	{"TIME", "", "a verb in lists of attacks; no specification is known", nil, nil, "historic"},
	{"TURN", "RFC 821", "swapped the roles without asking who the client is", nil, nil, "obsolete"},
	{"UTF8REPLY", "RFC 5336", "no extension: a VRFY and EXPN parameter of UTF8SMTP", nil, nil, "obsolete"},
	{"UTF8SMTP", "RFC 5336", "the experiment before SMTPUTF8", []string{"ALT-ADDRESS"}, []string{"ALT-ADDRESS"}, "obsolete"},
	{"VERB", "", "sendmail: shows the delivery as it goes", nil, nil, "historic"},
	{"VERP", "", "a bounce address for each recipient (a draft)", []string{"VERP"}, nil, "historic"},
	{"VRFY", "RFC 5321", "says whether a mailbox exists", nil, nil, "current"},
	{"X-ANONYMOUSTLS", "", "Exchange: TLS between its own servers, without certificates", nil, nil, "vendor"},
	{"X-EXPS", "", "Exchange: AUTH between its own servers", nil, nil, "vendor"},
	{"X-EXPS=LOGIN", "", "Exchange: X-EXPS as Exchange 5.5 spelt it", nil, nil, "historic"},
	{"X-LINK2STATE", "", "Exchange 2000: link states between its own servers", nil, nil, "historic"},
	{"XADR", "", "PMDF, Oracle: shows how an address would be routed", nil, nil, "vendor"},
	{"XAUTH", "", "a private login verb; no specification is known", nil, nil, "historic"},
	{"XCIR", "", "PMDF, Oracle: shows its circuit checks", nil, nil, "vendor"},
	{"XCLIENT", "", "Postfix: a trusted proxy may name the real client", nil, nil, "vendor"},
	{"XDSN", "", "what some servers called DSN before its RFC", nil, nil, "historic"},
	{"XEXCH50", "", "Exchange: message properties as a binary block", nil, nil, "historic"},
	{"XFORWARD", "", "Postfix: a filter may name the real client, for the log", nil, nil, "vendor"},
	{"XGEN", "", "PMDF, Oracle: says if its compiled configuration is in use", nil, nil, "vendor"},
	{"XLICENSE", "", "a private verb; no specification is known", nil, nil, "historic"},
	{"XLONGADDR", "", "Exchange: addresses longer than the limits of SMTP", nil, nil, "vendor"},
	{"XLOOP", "", "Oracle: a fingerprint that shows a connection to itself", nil, nil, "vendor"},
	{"XOORG", "", "Exchange: names the organisation a message came from", []string{"XOORG"}, nil, "vendor"},
	{"XORAR", "", "Exchange: carries the alternate recipient asked for", nil, []string{"XORAR"}, "vendor"},
	{"XPROXY", "", "Exchange: its front end hands a session to its back end", nil, nil, "vendor"},
	{"XPROXYFROM", "", "Exchange: its proxy names the real client", nil, nil, "vendor"},
	{"XPROXYTO", "", "Exchange: its proxy asks to be connected on", nil, nil, "vendor"},
	{"XQUE", "", "a private queue verb; no specification is known", nil, nil, "historic"},
	{"XRDST", "", "Exchange: where a message is routed to", nil, []string{"XRDST"}, "vendor"},
	{"XREMOTEQUEUE", "", "what some servers called ETRN before its RFC", nil, nil, "historic"},
	{"XSESSIONPARAMS", "", "Exchange: settings of a session between its own servers", nil, nil, "vendor"},
	{"XSHADOW", "", "Exchange: the peer keeps a copy until a message is delivered", []string{"XSHADOW"}, nil, "vendor"},
	{"XSTA", "", "PMDF, Oracle: counts the messages in its queues", nil, nil, "vendor"},
	{"XTRN", "", "a private verb like TURN; no specification is known", nil, nil, "historic"},
	{"XUSR", "", "sendmail: marks a message as newly submitted by a user", nil, nil, "historic"},
	{"XVERP", "", "Postfix: a bounce address for each recipient", []string{"XVERP"}, nil, "vendor"},
	{"XXXXXXXA", "", "STARTTLS, made unreadable by a firewall in between", nil, nil, "vendor"},
}

// LookupExtension is the row of a keyword, in any case (RFC 5321 section 2.4);
// false if the keyword is not known.
func LookupExtension(keyword string) (Extension, bool) {
	i, ok := slices.BinarySearchFunc(Extensions, keyword, func(e Extension, keyword string) int {
		return compareCapitals(e.Keyword, keyword)
	})
	if !ok {
		return Extension{}, false
	}
	return Extensions[i], true
}

// compareCapitals compares a, which is in capitals, with b in capitals. Only ASCII
// letters have two cases here: strings.EqualFold would take "ſIZE" for SIZE.
func compareCapitals(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		c := b[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if a[i] != c {
			return int(a[i]) - int(c)
		}
	}
	return len(a) - len(b)
}
