package cmd

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
	{a: "data", b: "cc"}, {a: "data", b: "bcc"}, {a: "data", b: "header"}, {a: "data", b: "add-header"}, {a: "data", b: "data-template"}, {a: "data", b: "data-folder"}, {a: "data", b: "data-mbox"}, {a: "data-folder", b: "data-mbox"}, {a: "data-template", b: "data-folder"}, {a: "data-template", b: "data-mbox"}, {a: "count", b: "data-folder"}, {a: "count", b: "data-mbox"},
	{a: "data", b: "calendar"}, {a: "data-template", b: "attach"}, {a: "data-template", b: "html"},
	{a: "data-folder", b: "subject"}, {a: "data-folder", b: "body"}, {a: "data-folder", b: "html"}, {a: "data-folder", b: "attach"}, {a: "data-folder", b: "inline"}, {a: "data-folder", b: "calendar"}, {a: "data-folder", b: "cc"}, {a: "data-folder", b: "bcc"}, {a: "data-folder", b: "header"}, {a: "data-folder", b: "add-header"},
	{a: "data-mbox", b: "subject"}, {a: "data-mbox", b: "body"}, {a: "data-mbox", b: "html"}, {a: "data-mbox", b: "attach"}, {a: "data-mbox", b: "inline"}, {a: "data-mbox", b: "calendar"}, {a: "data-mbox", b: "cc"}, {a: "data-mbox", b: "bcc"}, {a: "data-mbox", b: "header"}, {a: "data-mbox", b: "add-header"},
	{a: "malformed", b: "fixup"}, {a: "corpus", b: "size"},
	{a: "hold-for", b: "hold-until"}, {a: "short", b: "probe"},
	{a: "quit-after", b: "drop-after"}, {a: "quit-after", b: "drop-after-send"}, {a: "drop-after", b: "drop-after-send"},
	{a: "server", b: "socket"}, {a: "server", b: "pipe"}, {a: "server", b: "copy-routing"},
	{a: "socket", b: "pipe"}, {a: "socket", b: "copy-routing"}, {a: "pipe", b: "copy-routing"},
	// A world that somebody set up to be offline is not left by a flag.
	{a: "sandbox", b: "dns-server", stays: true}, {a: "sandbox", b: "via", stays: true},
	{a: "tls-on-connect", b: "tls-policy=never"},
	{a: "require-tls", b: "tls-policy=never"},
}
