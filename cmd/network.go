package cmd

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/sandbox"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// network is how a run reaches its targets: in the real world, or the sandbox.
type network struct {
	*reach.Reach
	resolver *route.Client
	sandbox  *sandbox.World // nil in the real one
	keyLog   io.Closer      // the file of --tls-keylog, or nil
}

func (n *network) close() {
	_ = n.resolver.Close()
	if n.keyLog != nil {
		_ = n.keyLog.Close()
	}
	if n.sandbox != nil {
		_ = n.sandbox.Close()
	}
}

// network builds what the flags ask for; its events go to stream.
func (r *run) network(ctx context.Context, stream *transcript.Stream, progress *progress) (*network, error) {
	n := &network{resolver: &route.Client{}}
	var err error
	options := dialog.Options{
		Stream: stream, Timeouts: r.timeouts(), Hello: r.hello(), Now: r.clock(),
		TLS: dialog.TLS{
			Name: r.String("tls-verify-target"), SNI: r.String("tls-sni"), Store: "the system's store",
		},
		Waiting: progress.wait(), Writing: progress.write(), Hurry: r.Hurry, ShowSecrets: r.Bool("show-secrets"),
	}
	hosts := route.SystemHosts()
	if r.Bool("sandbox") {
		if n.sandbox, err = sandbox.Start(context.WithoutCancel(ctx), sandbox.Options{Now: options.Now}); err != nil {
			return nil, err
		}
		hosts = ""
		n.resolver.Servers = []route.Server{{Addr: netip.MustParseAddrPort(n.sandbox.DNS())}}
		if options.Hello == "" {
			options.Hello = "client.test"
		}
		options.TLS.Roots, options.TLS.Store = n.sandbox.Roots(), "the sandbox's store"
	} else if err := r.servers(n.resolver); err != nil {
		return nil, err
	}
	if options.Hello == "" {
		options.Hello = r.fqdn()
	} else if options.Hello, err = helloName(options.Hello); err != nil {
		n.close()
		return nil, &usageError{msg: "--helo: " + err.Error(), next: r.next}
	}
	if err := r.handshake(&options.TLS); err != nil {
		n.close()
		return nil, err
	}
	if r.sandboxCertificate() {
		if err := n.identify(&options.TLS, r.String("auth-user")); err != nil {
			n.close()
			return nil, err
		}
	}
	if n.keyLog, err = r.keyLog(&options.TLS); err != nil {
		n.close()
		return nil, err
	}
	n.resolver.Timeout, n.resolver.TrustAD = r.Timeouts()["dns"], r.Bool("dns-trust-ad")
	n.resolver.Roots, n.resolver.Now = options.TLS.Roots, options.Now
	if r.Bool("verbose") {
		n.resolver.Trace = func(q route.Query) { stream.Emit(q) }
	}
	n.Reach = &reach.Reach{
		Resolver: n.resolver, HostsFile: hosts, Via: r.String("via"), PublicOnly: r.Bool("public-only"),
		ConnectTimeout: r.Duration("connect-timeout"), Session: options,
		Discover: r.discovery(options.TLS, options.Now),
	}
	if r.Bool("require-tls") {
		fetch := r.fetcher(options.TLS, options.Now)
		n.Vouch = &fetch
	}
	if t, ok := r.Timeouts()["connect"]; ok {
		n.ConnectTimeout = t
	}
	switch {
	case r.Bool("ipv4"):
		n.Family = route.IPv4
	case r.Bool("ipv6"):
		n.Family = route.IPv6
	}
	n.Said = r.overheard(progress)
	if n.Proxied, err = r.proxied(); err == nil {
		err = r.dialer(ctx, n)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	for _, s := range r.Strings("connect-to") {
		to, err := reach.ParseRedirect(s)
		if err != nil {
			n.close()
			return nil, &usageError{msg: "--connect-to: " + err.Error(), next: r.next}
		}
		n.ConnectTo = append(n.ConnectTo, to)
	}
	return n, nil
}

// identify shows a client certificate of the sandbox's own for user.
func (n *network) identify(t *dialog.TLS, user string) error {
	chain, key, err := n.sandbox.ClientPEM(user)
	if err != nil {
		return err
	}
	pair, err := dialog.LoadPair(chain, key, transcript.Secret{})
	t.Certificates = append(t.Certificates, pair)
	return err
}

// servers are the resolver's: those of --dns-server, else the system's, which are looked
// for only when a name has to be looked up.
func (r *run) servers(client *route.Client) error {
	for _, s := range r.Strings("dns-server") {
		server, err := route.ParseServer(s)
		if err != nil {
			return &usageError{msg: "--dns-server: " + err.Error(), next: r.next}
		}
		client.Servers = append(client.Servers, server)
	}
	client.Find = sync.OnceValues(route.SystemServers)
	return nil
}

// target reads a TARGET and lays the flags over it.
func (r *run) target(text string, direct bool) (reach.Target, error) {
	t, err := reach.ParseTarget(text, direct)
	if err != nil {
		return t, &usageError{msg: err.Error(), next: r.next}
	}
	if port := r.Int("port"); port > 0 && t.Port == 25 {
		t.Port = uint16(port)
		t.Implicit = t.Implicit || port == 465
	}
	if protocol := r.String("protocol"); t.Port == 25 && !r.Set("port") && !namesPort(text) {
		switch { // their own ports, where none is named
		case strings.HasPrefix(protocol, "SSMTP"):
			t.Port = 465
		case strings.HasPrefix(protocol, "LMTP"):
			t.Port = 24
		}
	}
	t.Implicit = t.Implicit || r.Bool("tls-on-connect") || strings.HasPrefix(r.String("protocol"), "SSMTP")
	if t.Implicit && r.String("tls-policy") == "never" {
		return t, &usageError{msg: fmt.Sprintf("target %s is TLS from the first byte: --no-tls contradicts it", quote(text)), next: r.next}
	}
	if strings.HasSuffix(strings.TrimSuffix(r.String("protocol"), "A"), "S") && r.String("tls-policy") == "never" {
		return t, &usageError{msg: "--protocol " + r.String("protocol") + " demands TLS: --no-tls contradicts it", next: r.next}
	}
	return t, nil
}

// namesPort reports whether a TARGET names its port itself.
func namesPort(text string) bool {
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = strings.TrimSuffix(rest, "/")
	}
	_, port, err := net.SplitHostPort(text)
	return err == nil && port != ""
}

func (r *run) timeouts() dialog.Timeouts {
	t, given := dialog.DefaultTimeouts(), r.Timeouts()
	if d, ok := given[""]; ok {
		t.Banner, t.Reply, t.Quit, t.Data = d, d, min(d, t.Quit), min(d, t.Data)
	}
	for class, wait := range map[string]*time.Duration{"banner": &t.Banner, "reply": &t.Reply, "data": &t.Data, "dot": &t.Dot, "quit": &t.Quit} {
		if d, ok := given[class]; ok {
			*wait = d
		}
	}
	return t
}

// clock is the time that certificates are judged by and messages are dated with.
func (r *run) clock() func() time.Time {
	if fixed, ok := r.Time("now"); ok {
		return func() time.Time { return fixed }
	}
	return r.Now
}

// limited is ctx with the end of --max-time. Its default counts for one try: the
// time of --retry-for comes on top.
func (r *run) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := r.Duration("max-time")
	if !r.Set("max-time") {
		limit += r.Duration("retry-for")
	}
	return context.WithTimeoutCause(ctx, limit, &maxTimeError{limit})
}

// maxTimeError ends a run at --max-time.
type maxTimeError struct{ limit time.Duration }

func (e *maxTimeError) Error() string {
	return fmt.Sprintf("time is up: --max-time is %s", transcript.Duration(e.limit))
}

// hello is the name to greet with, "" if none was given. That of check is the name
// of whom it judges.
func (r *run) hello() string {
	if r.command.name == "check" {
		return ""
	}
	return r.String("helo")
}

// helloName is a name for EHLO: a domain in A-labels, or an address literal (RFC
// 5321 section 4.1.1.1).
func helloName(name string) (string, error) {
	if strings.HasPrefix(name, "[") {
		if addr := strings.TrimPrefix(strings.Trim(name, "[]"), "IPv6:"); !parseAddr(addr).IsValid() {
			return "", fmt.Errorf("%s is no address literal: [192.0.2.1], [IPv6:2001:db8::1]", quote(name))
		}
		return name, nil
	}
	_, ascii, err := route.ParseDomain(name)
	return ascii, err
}

// fqdn is this host's name if it has a domain, else "": EHLO has the address
// then (RFC 5321 section 4.1.1.1).
func (r *run) fqdn() string {
	name, err := r.Hostname()
	if _, ascii, bad := route.ParseDomain(name); err == nil && bad == nil && strings.Contains(strings.Trim(ascii, "."), ".") {
		return ascii
	}
	return ""
}

func parseAddr(s string) netip.Addr {
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// ownAddress is an address of this host as an address literal, for senders of a
// host without a name.
func ownAddress() string {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return "[" + ip.IP.String() + "]"
		}
	}
	return "[127.0.0.1]"
}

// loadRoots reads the CAs of a PEM file, or of every file of a directory.
func loadRoots(path string) (*x509.CertPool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	files := []string{path}
	if info.IsDir() {
		files = nil
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, file := range files {
		pem, err := readFile(file)
		if err != nil {
			return nil, err
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, fmt.Errorf("%s holds no PEM certificate", path)
	}
	return pool, nil
}
