package reach

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// Target is where the user wants to go.
type Target struct {
	Text     string // as the user wrote it
	Name     string // a domain, a host in A-labels, or an address
	Direct   bool   // Name is a host or an address: no MX is asked for
	Port     uint16 // 0 if a socket or a command leads there
	Implicit bool   // TLS from the first byte
	LMTP     bool   // it speaks LMTP (RFC 2033) where nothing else is said
	Socket   string // the path of a UNIX socket, or ""
	Command  string // a command that is the server, on its standard input and output, or ""
}

// Local reports whether the target is a process on this host, without an
// address. Its name is localhost: a certificate has to prove that, or the name
// that is asked for.
func (t Target) Local() bool { return t.Socket != "" || t.Command != "" }

// Submission reports whether the target takes messages from users rather than
// from servers (RFC 6409, RFC 8314): a certificate has to be proven there.
func (t Target) Submission() bool { return t.Port == 465 || t.Port == 587 }

type scheme struct {
	name     string
	port     uint16
	implicit bool
	lmtp     bool
}

var schemes = [...]scheme{
	{name: "smtp", port: 25},
	{name: "smtps", port: 465, implicit: true},
	{name: "submission", port: 587},
	{name: "submissions", port: 465, implicit: true},
	{name: "lmtp", port: 24, lmtp: true}, // a port for any private mail system
}

// ParseTarget reads a domain (whose MX is asked for, port 25), host:port,
// [address], [address]:port, or a URL with one of the schemes smtp, smtps,
// submission, submissions and lmtp. A bare name is a host rather than a domain if
// direct is set. The error names the rule that text breaks. What it takes leads
// to the network alone, wherever text comes from: see ParseLocal.
func ParseTarget(text string, direct bool) (Target, error) {
	t := Target{Text: text, Port: 25, Direct: direct}
	rest := text
	if name, after, ok := strings.Cut(text, "://"); ok {
		known := false
		for _, s := range schemes {
			if strings.EqualFold(name, s.name) {
				t.Port, t.Implicit, t.LMTP, t.Direct, known = s.port, s.implicit, s.lmtp, true, true
			}
		}
		if !known {
			return t, fmt.Errorf("target %q: the scheme %q is none of smtp, smtps, submission, submissions, lmtp", text, name)
		}
		rest = strings.TrimSuffix(after, "/")
		if _, host, ok := strings.Cut(rest, "@"); ok { // there may be a password before it
			return t, fmt.Errorf("target %q: a user and a password do not belong there", name+"://[hidden]@"+host)
		}
		if strings.ContainsAny(rest, "/?#@") {
			return t, fmt.Errorf("target %q: behind %s:// only a host and a port may stand", text, name)
		}
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return t, fmt.Errorf("target %q: %w", text, err)
	}
	if port != 0 {
		t.Port, t.Direct = port, true
		t.Implicit = t.Implicit || port == 465
	}
	if addr, ok, err := parseAddress(host); ok {
		if err != nil {
			return t, fmt.Errorf("target %q: %w", text, err)
		}
		t.Name, t.Direct = addr.String(), true
		return t, nil
	}
	if _, t.Name, err = route.ParseDomain(host); err != nil {
		return t, fmt.Errorf("target: %w", err)
	}
	return t, nil
}

// ParseLocal reads unix:PATH and exec:COMMAND, spelt so; ok is false for any other
// text. It is for what stands on the command line alone: text from anywhere else
// must not start programs nor open files.
func ParseLocal(text string) (t Target, ok bool, err error) {
	kind, what, _ := strings.Cut(text, ":")
	t = Target{Text: text, Name: "localhost", Direct: true}
	switch kind {
	case "unix": // nearly every mail server's socket is for local delivery
		t.Socket, t.LMTP = what, true
	case "exec":
		t.Command = what
	default:
		return Target{}, false, nil
	}
	if strings.TrimSpace(what) == "" {
		return t, true, fmt.Errorf("target %q: nothing stands behind the colon", text)
	}
	if strings.ContainsRune(what, 0) {
		return t, true, fmt.Errorf("target %q: it holds a NUL", text)
	}
	return t, true, nil
}

// splitPort takes a port off the end; IPv6 addresses need brackets for that.
func splitPort(s string) (host string, port uint16, err error) {
	host = s
	colon := strings.LastIndexByte(s, ':')
	if strings.HasPrefix(s, "[") && !strings.Contains(s, "]") {
		return host, 0, nil // parseAddress says what is wrong with it
	}
	if colon < 0 || colon < strings.LastIndexByte(s, ']') {
		return host, 0, nil
	}
	if strings.Count(s, ":") > 1 && !strings.HasPrefix(s, "[") {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(s[colon+1:], 10, 16)
	if err != nil || n == 0 {
		return host, 0, fmt.Errorf("%q is no port: a port is a number from 1 to 65535", s[colon+1:])
	}
	return s[:colon], uint16(n), nil
}

// parseAddress reads an address with or without brackets, and RFC 5321's form
// "IPv6:" (section 4.1.3) too.
func parseAddress(s string) (addr netip.Addr, ok bool, err error) {
	inner := s
	if strings.HasPrefix(s, "[") {
		if !strings.HasSuffix(s, "]") {
			return addr, true, fmt.Errorf("%q lacks its closing bracket", s)
		}
		inner = s[1 : len(s)-1]
		if len(inner) > 5 && strings.EqualFold(inner[:5], "IPv6:") {
			inner = inner[5:]
		}
		addr, err = netip.ParseAddr(inner)
		if err != nil || !plainZone(addr) {
			return addr, true, fmt.Errorf("%q is no IPv4 or IPv6 address", inner)
		}
		return addr, true, nil
	}
	addr, err = netip.ParseAddr(inner)
	return addr, err == nil && plainZone(addr), nil
}

// plainZone reports whether the zone of addr, if it has one, is spelt like the
// name of an interface: netip takes any bytes.
func plainZone(addr netip.Addr) bool {
	return !strings.ContainsFunc(addr.Zone(), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

// Redirect sends connections for one host and port somewhere else, as curl's
// --connect-to does.
type Redirect struct {
	Host string // "" is any
	Port string // "" is any; with any host too it is the SMTP servers' alone, and not that of a policy host
	To   string // the host or address to dial instead; "" keeps what was meant
	// ToPort is the port to dial; "" keeps what was meant.
	ToPort string
}

// ParseRedirect reads HOST:PORT:ADDR:PORT, IPv6 addresses in brackets. Each part
// may be empty, but not the last two at once.
func ParseRedirect(s string) (Redirect, error) {
	fields := splitColons(s)
	if len(fields) != 4 || fields[2] == "" && fields[3] == "" {
		return Redirect{}, fmt.Errorf("%q is not HOST:PORT:ADDR:PORT (IPv6 addresses in brackets)", s)
	}
	for _, port := range []string{fields[1], fields[3]} {
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
			return Redirect{}, fmt.Errorf("%q in %q is no port: a port is a number from 1 to 65535", port, s)
		}
	}
	return Redirect{Host: strings.Trim(fields[0], "[]"), Port: fields[1], To: strings.Trim(fields[2], "[]"), ToPort: fields[3]}, nil
}

// splitColons splits at colons outside brackets.
func splitColons(s string) []string {
	var fields []string
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		case ':':
			if depth == 0 {
				fields = append(fields, s[from:i])
				from = i + 1
			}
		}
	}
	return append(fields, s[from:])
}

// redirect is the first Redirect that concerns hop.
func (r *Reach) redirect(hop Hop) (Redirect, bool) {
	if hop.local() {
		return Redirect{}, false
	}
	for _, to := range r.ConnectTo {
		if to.Host == "" && to.Port == "" && hop.web {
			continue // it was written with the SMTP server in mind
		}
		if (to.Host == "" || strings.EqualFold(to.Host, hop.Host)) && (to.Port == "" || to.Port == strconv.Itoa(int(hop.Port))) {
			return to, true
		}
	}
	return Redirect{}, false
}

// Address is what is dialled for hop: its own, or where a Redirect leads.
func (r *Reach) Address(hop Hop) string {
	switch {
	case hop.Socket != "":
		return "unix:" + hop.Socket
	case hop.Command != "":
		return "exec:" + hop.Command
	}
	if to, ok := r.redirect(hop); ok {
		return to.address(hop)
	}
	return hop.Addr.String()
}

// address is what is dialled for hop: host:port.
func (to Redirect) address(hop Hop) string {
	host, port := to.To, to.ToPort
	if host == "" {
		host = hop.Addr.Addr().String()
	}
	if port == "" {
		port = strconv.Itoa(int(hop.Port))
	}
	return net.JoinHostPort(host, port)
}
