package cmd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// named reads a TARGET that the command line names itself, which may be a process
// on this host, too. The error is a *usageError.
func (r *run) named(text string, direct bool) (reach.Target, error) {
	t, local, err := reach.ParseLocal(text)
	switch {
	case !local:
		return r.target(text, direct)
	case err != nil:
		return t, &usageError{msg: err.Error(), next: r.next}
	case r.Bool("sandbox"):
		return t, &usageError{msg: fmt.Sprintf("target %s is outside of the sandbox", quote(text)), next: r.next}
	}
	t.Implicit = r.Bool("tls-on-connect")
	return t, nil
}

// allNamed are the targets of the command line, in order.
func (r *run) allNamed() ([]reach.Target, error) {
	var targets []reach.Target
	for _, arg := range r.args {
		t, err := r.named(arg, false)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// fixed is where every recipient's mail goes if the flags say so: to --server,
// --socket or --pipe, or to the MX hosts of --copy-routing. It is nil if each
// domain has its own way. The error is a *usageError.
func (r *run) fixed() (*reach.Target, error) {
	var t reach.Target
	var err error
	switch {
	case r.String("server") != "":
		t, err = r.named(r.String("server"), true)
	case r.String("socket") != "":
		t, err = r.named("unix:"+r.String("socket"), true)
	case r.String("pipe") != "":
		t, err = r.named("exec:"+r.String("pipe"), true)
	case r.String("copy-routing") != "":
		t, err = r.target(r.String("copy-routing"), false)
	default:
		return nil, nil
	}
	return &t, err
}

// dialer gives n the way in which connections leave this host, or enter the
// sandbox. The error is a *usageError, or says that the run was interrupted.
func (r *run) dialer(ctx context.Context, n *network) error {
	if n.sandbox != nil {
		n.Dial = n.sandbox.Dial
		return nil
	}
	w := reach.Way{
		Local: r.String("local-interface"), Port: uint16(r.Int("local-port")), Brief: r.command.name == "bench", Via: n.Via,
		Roots: n.Session.TLS.Roots, Now: n.Session.Now,
	}
	if r.String("via-password-file") != "" {
		if w.Via == "" {
			return &usageError{msg: "--via-password-file is no use without --via", next: r.next}
		}
		raw, err := r.secretFile(ctx, "via-password-file")
		if err != nil {
			return r.sourceError("via-password-file", err)
		}
		w.Password = transcript.NewSecret(string(trimLine(raw)))
		clear(raw)
	}
	dial, err := reach.NewDialer(w)
	if err != nil {
		return &usageError{msg: err.Error(), next: r.next}
	}
	n.Dial = dial
	return nil
}

// proxied is the PROXY header that the flags ask for, nil without any of them. The
// error is a *usageError.
func (r *run) proxied() (*reach.Proxied, error) {
	asked := false
	for i := range flagTable {
		f := &flagTable[i]
		asked = asked || strings.HasPrefix(f.name, "proxy-") && r.Set(f.name)
	}
	if !asked {
		return nil, nil
	}
	addr := func(name string) netip.Addr { return parseAddr(r.String(name)) }
	p := &reach.Proxied{
		Version: r.Int("proxy-version"), Family: r.String("proxy-family"),
		Datagram: r.String("proxy-protocol") == "DGRAM", Local: r.String("proxy-command") == "LOCAL",
		Source: addr("proxy-source"), SourcePort: uint16(r.Int("proxy-source-port")),
		Dest: addr("proxy-dest"), DestPort: uint16(r.Int("proxy-dest-port")),
	}
	if err := p.Check(); err != nil {
		return nil, &usageError{msg: err.Error(), next: r.next}
	}
	return p, nil
}

// headOf heads the report on a server: host and port, or the process that it is,
// and behind it its address if that says more.
func headOf(host string, port uint16, address string) (label, behind string) {
	if port == 0 {
		return address, ""
	}
	if addr, _, err := net.SplitHostPort(address); err == nil && addr != host {
		behind = addr
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), behind
}

// overheard shows what a server that is a command says beside the conversation,
// on standard error, as programs do.
func (r *run) overheard(progress *progress) func(string) {
	if r.Bool("quiet") {
		return nil
	}
	ascii := transcript.ASCII(r.Getenv)
	return func(line string) {
		progress.clear()
		_, _ = io.WriteString(r.Err, "pipe: "+transcript.Escape(line, ascii)+"\n")
	}
}
