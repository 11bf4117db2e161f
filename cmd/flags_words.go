package cmd

// The words of flags, each list the whole of what is allowed.
var (
	phases       = []string{"connect", "first-hello", "tls", "hello", "auth", "mail", "rcpt", "data", "dot"}
	policies     = []string{"never", "may", "auto", "must", "verify", "mta-sts", "dane"} // weakest first
	bindings     = []string{"tls-exporter", "tls-server-end-point", "tls-unique"}
	protocols    = []string{"SMTP", "SSMTP", "SSMTPA", "ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA", "LMTP", "LMTPA", "LMTPS", "LMTPSA"}
	formats      = formatWords()
	watchFormats = append(formatWords(), watchWords()...)
	colors       = []string{"auto", "always", "never"}
	dataShown    = []string{"none", "headers", "all"}
	schemes      = []string{"ehlo", "swaks", "sysexits"}
)

const proxyFamilyWords = "TCP4, TCP6, UNKNOWN, or as version 2 names them AF_INET, AF_INET6, AF_UNSPEC"

const phaseWords = "connect, first-hello, tls, hello, auth, mail, rcpt, data or dot"

const bindingWords = "tls-exporter, tls-server-end-point or tls-unique"
