package cmd

import "github.com/ehlo-mail/ehlo/dialog/transcript"

// flagTable is every flag, in the order in which help lists them. It is only read.
var flagTable = [...]flag{
	{name: "server", group: "route", only: "send verify", kind: isText, value: "TARGET", check: checkFilled,
		about: "this server instead of the domain's MX hosts"},
	{name: "port", group: "route", only: "probe send verify tls", kind: isInt, value: "PORT", least: 1, most: 65535,
		about: "port, where the target names none (25)"},
	{name: "ipv4", short: "4", group: "route", only: "mx probe send verify tls", kind: isBool, def: "false",
		about: "IPv4 addresses only"},
	{name: "ipv6", short: "6", group: "route", only: "mx probe send verify tls", kind: isBool, def: "false",
		about: "IPv6 addresses only"},
	{name: "all-mx", group: "route", only: "probe tls", kind: isBool, def: "false",
		about: "every address of every MX host, one after the other"},
	{name: "connect-to", group: "route", only: "probe send verify tls", kind: isList, value: "HOST:PORT:ADDR:PORT", check: checkConnectTo,
		about: "dial ADDR:PORT where HOST:PORT is meant; an empty part matches or keeps all"},
	{name: "dns-server", group: "route", only: "mx probe send verify tls", kind: isList, value: "SERVER", check: checkDNSServer,
		about: "ask this DNS server, not the system's: ADDR[:PORT], or over TLS tls://ADDR[:PORT][#NAME]"},
	{name: "dns-trust-ad", group: "route", only: "mx probe send verify tls", kind: isBool, def: "false",
		about: "believe a DNS server that says DNSSEC secure, wherever it is"},
	{name: "via", group: "route", only: "probe send verify tls", kind: isText, value: "URL", check: checkVia,
		about: "connect through a proxy: socks5://ADDR[:PORT]"},
	{name: "local-interface", group: "route", only: "probe send verify tls", kind: isText, value: "ADDR", check: checkAddress,
		about: "connect from this local address"},
	{name: "sandbox", group: "route", only: "mx probe send verify tls", kind: isBool, def: "false",
		about: "stay in the offline mail world: no network is touched"},

	{name: "timeout", group: "time", only: "mx probe send verify tls", kind: isList, value: "[CLASS=]TIME", check: checkTimeout,
		about: "wait so long for a reply; CLASS is dns, connect, banner, reply, dot, quit or https"},
	{name: "connect-timeout", group: "time", only: "probe send verify tls", kind: isTime, value: "TIME", def: "15s",
		about: "wait so long for a connection to one address"},
	{name: "max-time", group: "time", only: "mx probe send verify tls", kind: isTime, value: "TIME", def: "5m",
		about: "end the whole run after so long"},
	{name: "retry-for", group: "time", only: "send", kind: isTime, value: "TIME",
		about: "try again for so long if refused for now or cut off"},
	{name: "now", group: "time", only: "probe send verify tls", kind: isText, value: "TIME", check: checkTime,
		about: "judge certificates and date messages as of this time (RFC 3339)"},

	{name: "helo", group: "protocol", only: "probe send verify tls", kind: isText, value: "NAME", check: checkWord,
		about: "the name to greet with (this host's, else its address)"},
	{name: "pipeline", group: "protocol", only: "send", kind: isBool,
		about: "demand PIPELINING; --no-pipeline never uses it (used where offered)"},
	{name: "chunking", group: "protocol", only: "send", kind: isBool, def: "true",
		about: "use DATA even where CHUNKING is offered"},
	{name: "quit-after", group: "protocol", only: "send", kind: isWord, value: "PHASE", words: phases,
		about: "say QUIT after this phase: " + phaseWords},
	{name: "drop-after", group: "protocol", only: "send", kind: isWord, value: "PHASE", words: phases,
		about: "drop the connection after this phase's reply"},
	{name: "drop-after-send", group: "protocol", only: "send", kind: isWord, value: "PHASE", words: phases,
		about: "drop the connection before reading this phase's reply"},

	{name: "tls-policy", group: "TLS", only: "probe send verify", kind: isWord, value: "POLICY", words: policies,
		about: "never, may, must, verify, dane, mta-sts or auto: what the domain publishes (may; verify for submission)"},
	{name: "no-tls", group: "TLS", only: "probe send verify", kind: isBool, writes: "tls-policy", as: "never",
		about: "--tls-policy never: in the clear"},
	{name: "tls-optional", group: "TLS", only: "probe send verify", kind: isBool, writes: "tls-policy", as: "may",
		about: "--tls-policy may: TLS if offered"},
	{name: "tls", group: "TLS", only: "probe send verify", kind: isBool, writes: "tls-policy", as: "must",
		about: "--tls-policy must: TLS or nothing"},
	{name: "tls-verify", group: "TLS", only: "probe send verify", kind: isBool, writes: "tls-policy", as: "verify",
		about: "--tls-policy verify: TLS with a certificate that proves the name"},
	{name: "dane", group: "TLS", only: "probe send verify", kind: isBool, writes: "tls-policy", as: "dane",
		about: "--tls-policy dane: TLS as the TLSA records demand it"},
	{name: "mta-sts", group: "TLS", only: "probe send verify", kind: isBool, writes: "tls-policy", as: "mta-sts",
		about: "--tls-policy mta-sts: TLS as the domain's MTA-STS policy demands it"},
	{name: "tls-on-connect", group: "TLS", kind: isBool, def: "false",
		about: "TLS from the first byte, without STARTTLS"},
	{name: "tls-verify-target", group: "TLS", kind: isText, value: "NAME", check: checkWord,
		about: "the name that the certificate has to prove"},
	{name: "tls-ca-path", group: "TLS", kind: isText, value: "PATH", check: checkFilled, complete: files,
		about: "trust the CAs in this file or directory, not the system's"},
	{name: "tls-sni", group: "TLS", kind: isText, value: "NAME", check: checkWord,
		about: "the server name to send in the handshake"},
	{name: "tls-cert", group: "TLS", kind: isText, value: "FILE", check: checkFilled, complete: files,
		about: "a client certificate, with its chain, in PEM"},
	{name: "tls-key", group: "TLS", kind: isText, value: "FILE", check: checkFilled, complete: files,
		about: "its key, in PEM (the file of --tls-cert)"},
	{name: "tls-key-password-file", group: "TLS", kind: isText, value: "FILE", check: checkFilled, complete: files,
		about: "the file with the password of an encrypted key"},
	{name: "tls-protocol", group: "TLS", kind: isText, value: "VERSIONS", check: checkTLSVersions,
		about: "the versions to offer: 1.2, 1.2-1.3, or as swaks has it: tlsv1_2,no_tlsv1_3 (1.0-1.3)"},
	{name: "tls-cipher", group: "TLS", kind: isText, value: "SUITES", check: checkTLSSuites,
		about: "the suites of TLS 1.0 to 1.2 to offer, by their names in OpenSSL or at IANA"},
	{name: "tls-groups", group: "TLS", kind: isText, value: "GROUPS", check: checkTLSGroups,
		about: "the key exchanges to offer: X25519MLKEM768,X25519,P-256"},
	{name: "tls-get-peer-chain", group: "TLS", kind: isText, value: "FILE", check: checkFilled, complete: files, from: commandLine,
		about: "write the server's certificates to this file, in PEM"},
	{name: "tls-keylog", group: "TLS", kind: isText, value: "FILE", check: checkFilled, complete: files, from: commandLine,
		about: "append the session's keys to this file: whoever has it can read the session"},

	{name: "auth", group: "auth", kind: isWords, value: "MECHANISMS", words: authWords(), optional: "any", check: checkAuth,
		about: "log in, by any mechanism or by these in order, separated by commas"},
	{name: "no-auth", group: "auth", kind: isBool, writes: "auth", as: "none",
		about: "--auth none: do not log in"},
	{name: "auth-user", group: "auth", kind: isText, value: "USER", check: checkFilled,
		about: "the user to log in as"},
	{name: "auth-password-file", group: "auth", kind: isText, value: "FILE", file: true, check: checkSecretFile, complete: files,
		about: "read the password from this file, - (standard input) or fd:N"},
	{name: "auth-password-command", group: "auth", kind: isText, value: "COMMAND", from: commandLine, check: checkFilled,
		about: "the password is what this command prints"},
	{name: "auth-password", group: "auth", kind: isText, value: "PASSWORD", secret: true, from: commandLine, check: checkFilled,
		about: "the password itself: others can see it in the list of processes"},
	{name: "auth-password-keyring", group: "auth", kind: isText, value: "SERVICE", optional: "true", check: checkFilled,
		about: "take the password from the system's keyring (service ehlo)"},
	{name: "auth-token-file", group: "auth", kind: isText, value: "FILE", file: true, check: checkSecretFile, complete: files,
		about: "read an OAuth token from this file, - (standard input) or fd:N"},
	{name: "auth-token-command", group: "auth", kind: isText, value: "COMMAND", from: commandLine, check: checkFilled,
		about: "the token is what this command prints"},
	{name: "auth-token", group: "auth", kind: isText, value: "TOKEN", secret: true, from: commandLine, check: checkFilled,
		about: "the token itself: others can see it in the list of processes"},
	{name: "auth-authzid", group: "auth", kind: isText, value: "USER", check: checkFilled,
		about: "act as this user, having logged in as another"},
	{name: "auth-optional", group: "auth", kind: isBool, def: "false",
		about: "go on without a login if none is offered or it fails"},
	{name: "auth-cleartext", group: "auth", kind: isBool, def: "false", from: commandLine,
		about: "log in without TLS, too: anyone on the path can read it"},
	{name: "auth-unverified", group: "auth", kind: isBool, def: "false", from: commandLine,
		about: "log in to a server that proves no name, too"},
	{name: "netrc", group: "auth", kind: isText, value: "FILE", optional: "true", check: checkFilled, complete: files,
		about: "take user and password from this file, $NETRC or ~/.netrc"},
	{name: "auth-binding", group: "auth", kind: isWord, value: "TYPE", words: bindings,
		about: "the channel binding of -PLUS mechanisms: " + bindingWords},

	{name: "from", group: "envelope", kind: isText, value: "MAILBOX",
		about: "the sender; <> is the null sender (user@host)"},
	{name: "to", group: "envelope", kind: isList, value: "MAILBOX", file: true, check: checkFilled, complete: atFiles,
		about: "recipients, separated by commas, or @FILE with one a line"},
	{name: "mail-param", group: "envelope", kind: isList, value: "K[=V]", check: checkParam,
		about: "a parameter of MAIL FROM"},
	{name: "rcpt-param", group: "envelope", kind: isList, value: "K[=V]", check: checkParam,
		about: "a parameter of every RCPT TO"},

	{name: "data", group: "message", kind: isText, value: "@FILE", file: true, lines: true, complete: atFiles,
		about: "a whole message, sent as it is: @FILE, - for standard input, or text"},
	{name: "fixup", group: "message", kind: isBool, def: "false",
		about: "mend what breaks the rules: line ends, long lines, Date, Message-ID"},
	{name: "subject", group: "message", kind: isText, value: "TEXT",
		about: "the subject"},
	{name: "body", group: "message", kind: isText, value: "TEXT", file: true, lines: true, complete: atFiles,
		about: "the text: TEXT, @FILE or -"},
	{name: "html", group: "message", kind: isText, value: "TEXT", file: true, lines: true, complete: atFiles,
		about: "the text in HTML: TEXT, @FILE or -"},
	{name: "attach", group: "message", kind: isList, value: "@FILE", file: true, from: commandLine, check: checkFile, complete: atFiles,
		about: "attach a file"},
	{name: "inline", group: "message", kind: isList, value: "@FILE", file: true, from: commandLine, check: checkFile, complete: atFiles,
		about: "a file that the HTML shows; its Content-ID is its name"},
	{name: "attach-type", group: "message", kind: isList, value: "TYPE", from: commandLine, check: checkMediaType,
		about: "the media type of the next attachment"},
	{name: "attach-name", group: "message", kind: isList, value: "NAME", from: commandLine, check: checkFilled,
		about: "the file name of the next attachment"},
	{name: "inline-cid", group: "message", kind: isList, value: "ID", from: commandLine, check: checkWord,
		about: "the Content-ID of the next --inline"},
	{name: "cc", group: "message", kind: isList, value: "MAILBOX", check: checkFilled,
		about: "a recipient that the Cc header shows"},
	{name: "bcc", group: "message", kind: isList, value: "MAILBOX", check: checkFilled,
		about: "a recipient that no header shows"},
	{name: "header", group: "message", kind: isList, value: "'N: V'", check: checkHeader,
		about: "a header field, in place of one of that name"},
	{name: "add-header", group: "message", kind: isList, value: "'N: V'", check: checkHeader,
		about: "a header field, beside others of that name"},

	{name: "help-topic", group: "probe", kind: isList, value: "TOPIC",
		about: "ask HELP TOPIC; '' asks plain HELP"},
	{name: "vrfy", group: "probe", kind: isList, value: "ADDR", check: checkFilled,
		about: "ask VRFY ADDR"},
	{name: "expn", group: "probe", kind: isList, value: "LIST", check: checkFilled,
		about: "ask EXPN LIST"},
	{name: "command", group: "probe", kind: isList, value: "LINE", check: checkFilled,
		about: "send any command line, such as NOOP"},

	{name: "short", group: "MX", kind: isBool, def: "false",
		about: "lines of PREFERENCE HOST ADDRESS, nothing else"},

	{name: "list", group: "sandbox", kind: isBool, def: "false", from: commandLine,
		about: "list the domains and what each does, then end"},
	{name: "maildir", group: "sandbox", kind: isText, value: "DIR", check: checkFilled, complete: dirs,
		about: "keep the messages that arrive in this Maildir"},
	{name: "ca-file", group: "sandbox", kind: isText, value: "FILE", check: checkFilled, complete: files,
		about: "write the CA's certificate to this file, for --tls-ca-path"},
	{name: "dns-listen", group: "sandbox", kind: isText, value: "ADDR:PORT", def: "127.0.0.1:0", check: checkListen,
		about: "answer DNS at this address; port 0 takes a free one"},
	{name: "socks-listen", group: "sandbox", kind: isText, value: "ADDR:PORT", def: "127.0.0.1:0", check: checkListen,
		about: "serve SOCKS5 at this address; port 0 takes a free one"},

	{name: "format", group: "output", kind: isWord, value: "FORMAT", words: formats, def: "text",
		about: "text, json (one document), jsonl (a record a line) or none"},
	{name: "json", group: "output", kind: isBool, writes: "format", as: "json",
		about: "--format json"},
	{name: "color", group: "output", kind: isWord, value: "WHEN", words: colors, def: "auto", optional: "always",
		about: "auto, always or never"},
	{name: "quiet", short: "q", group: "output", kind: isBool, def: "false",
		about: "no transcript: what went wrong, and the report if there is one"},
	{name: "verbose", short: "v", group: "output", kind: isBool, def: "false",
		about: "add notes: queries, addresses, certificates, choices"},
	{name: "raw", group: "output", only: "probe send verify tls", kind: isBool, def: "false",
		about: "show each line as its bytes, line ends too"},
	{name: "show-data", group: "output", only: "send sandbox", kind: isWord, value: "WHAT", words: dataShown, def: "none",
		about: "of the message show none, headers or all"},
	{name: "show-secrets", group: "output", only: "probe send verify tls", kind: isBool, def: "false", from: commandLine,
		about: "show passwords and tokens, too"},
	{name: "output", group: "output", kind: isText, value: "FILE", check: checkFilled, complete: files,
		about: "write to this file instead of standard output"},
	{name: "exit-codes", group: "output", kind: isWord, value: "SCHEME", words: schemes, def: "ehlo",
		about: "end with the exit status of ehlo, swaks or sysexits"},

	{name: "suites", group: "scan", kind: isBool, def: "false",
		about: "try every suite of TLS 1.0 to 1.2 and every key exchange, one connection each"},
	{name: "active", group: "scan", kind: isBool, def: "false",
		about: "send a command along with STARTTLS: it must not be answered under TLS"},
	{name: "warn-days", group: "scan", kind: isInt, value: "DAYS", def: "14", least: 0, most: 3650,
		about: "warn of a certificate that has so many days left or less"},
	{name: "fail-days", group: "scan", kind: isInt, value: "DAYS", def: "0", least: 0, most: 3650,
		about: "fail for a certificate that has so many days left or less"},

	{name: "profile", group: "settings", kind: isText, value: "NAME", from: environment, check: checkFilled,
		about: "take settings from [profile.NAME] of the configuration"},
	{name: "config", group: "settings", kind: isText, value: "FILE", from: environment, check: checkFilled, complete: files,
		about: "the configuration file"},
	{name: "dump", group: "settings", kind: isBool, def: "false", from: commandLine,
		about: "print every setting and where it came from; send nothing"},

	{name: "help", short: "h", group: "help", kind: isBool, def: "false", from: commandLine,
		about: "print this help"},
	{name: "version", group: "help", kind: isBool, def: "false", from: commandLine,
		about: "print the version"},
}

// The words of flags, each list the whole of what is allowed.
var (
	phases    = []string{"connect", "first-hello", "tls", "hello", "auth", "mail", "rcpt", "data", "dot"}
	policies  = []string{"never", "may", "auto", "must", "verify", "mta-sts", "dane"} // weakest first
	bindings  = []string{"tls-exporter", "tls-server-end-point", "tls-unique"}
	formats   = formatNames()
	colors    = []string{"auto", "always", "never"}
	dataShown = []string{"none", "headers", "all"}
	schemes   = []string{"ehlo", "swaks", "sysexits"}
)

const phaseWords = "connect, first-hello, tls, hello, auth, mail, rcpt, data or dot"

const bindingWords = "tls-exporter, tls-server-end-point or tls-unique"

// conflict is two settings that contradict each other; one may be bound to a
// value ("tls-policy=never"). Set by different layers, the lower one makes way,
// unless it is a and a stays.
type conflict struct {
	a, b  string
	stays bool
}

var conflicts = [...]conflict{
	{a: "ipv4", b: "ipv6"},
	{a: "quiet", b: "verbose"},
	{a: "data", b: "subject"}, {a: "data", b: "body"}, {a: "data", b: "html"}, {a: "data", b: "attach"}, {a: "data", b: "inline"},
	{a: "data", b: "cc"}, {a: "data", b: "bcc"}, {a: "data", b: "header"}, {a: "data", b: "add-header"},
	{a: "quit-after", b: "drop-after"}, {a: "quit-after", b: "drop-after-send"}, {a: "drop-after", b: "drop-after-send"},
	// A world that somebody set up to be offline is not left by a flag.
	{a: "sandbox", b: "dns-server", stays: true}, {a: "sandbox", b: "via", stays: true},
	{a: "tls-on-connect", b: "tls-policy=never"},
}

func formatNames() []string {
	var names []string
	for _, f := range transcript.Formats {
		names = append(names, f.Name)
	}
	return names
}
