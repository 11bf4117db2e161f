// Package sandbox is a whole mail world in the process: a DNS server, SMTP and
// HTTPS servers good and bad, and a certificate authority, all on loopback.
//
//	Scenarios  the domains of the world, one row each: to add a misbehaving server, add a row
//	Scenario   a domain: its zone, its hosts, what a correct client makes of it
//	Service    how one port of a host behaves: keywords, certificate, TLSA records, rules
//	Cert       what is unusual about a certificate, and what that breaks
//	Page       what an HTTPS server has in place of an MTA-STS policy
//	Rule       what happens at one event ("RCPT carol@"), as a list of acts
//	Trick      what its DNS server does in place of an honest answer
//	World      a running world: its resolver (DNS), its Dial, its Roots, its SOCKS port, its Ports
//	Accounts   who may authenticate, at every server that knows AUTH
//	Received   a message that a server took
//
// The world's hosts have documentation addresses (RFC 5737, RFC 3849). No
// packet goes there: Dial leads to the loopback listener that plays the host.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Options are the world's settings; the zero value is a world that keeps nothing.
type Options struct {
	Now       func() time.Time // what certificates are dated by; nil: time.Now
	DNSAddr   string           // host:port of the DNS server; "": a free port of 127.0.0.1
	SOCKSAddr string           // host:port of the SOCKS server; "": none
	Ports     string           // host:port of the first service; each further one has the next port. Port 0: free ones. "": none listens before it is dialled
	Maildir   string           // a Maildir for every message received, made if missing; "": none
	Scenarios []Scenario       // the domains; nil: Scenarios()
	// Received is told of every message taken, before its sender is. Neither it nor
	// Log is called twice at a time, and neither may call Close.
	Received func(Received)
	// Log is told every line that a server hears or says, as "HOST:PORT C: line"
	// or "S:"; "--" begins a remark. The client's bytes are as they came.
	Log func(string)
}

// World is a running mail world. Its methods are safe for concurrent use.
type World struct {
	opt       Options
	scenarios []Scenario
	zones     *zones
	ca        *authority
	hosts     func() map[string]*host // by address, as netip.Addr prints it

	udp, tcp *dns.Server
	started  sync.WaitGroup // both DNS servers
	dnsAddr  string
	socks    net.Listener

	listening []Port // by Options.Ports

	ctx    context.Context // ends with the world
	cancel context.CancelFunc
	forget func() bool // ends the watch on the caller's context
	end    sync.Once
	group  sync.WaitGroup // every goroutine of the world

	mu    sync.Mutex // guards what follows
	open  map[io.Closer]bool
	over  bool
	queue int            // queue ids given
	heard map[string]int // how often a rule with a limit was met, by rule and triplet

	ports sync.Mutex // held while a loopback port is looked for
	given uint16     // ports of Options.Ports that are taken
	tell  sync.Mutex // one call of Received or Log at a time
}

// Start starts a world, which lives until ctx ends or Close is called. Only the
// DNS server (and the SOCKS server, where asked for) starts now: listeners and
// certificates are made by the first dial that needs them.
func Start(ctx context.Context, o Options) (*World, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Maildir != "" {
		for _, d := range []string{"tmp", "new", "cur"} {
			if err := os.MkdirAll(filepath.Join(o.Maildir, d), 0o700); err != nil {
				return nil, fmt.Errorf("sandbox: maildir: %w", err)
			}
		}
	}
	w := &World{
		opt:       o,
		scenarios: o.Scenarios,
		ca:        newAuthority(o.Now),
		open:      map[io.Closer]bool{},
		heard:     map[string]int{},
	}
	if w.scenarios == nil {
		w.scenarios = Scenarios()
	}
	w.zones = newZones(w.scenarios, w.ca)
	w.hosts = sync.OnceValue(w.listHosts)
	w.ctx, w.cancel = context.WithCancel(ctx)
	if err := w.serveDNS(); err != nil {
		w.cancel()
		return nil, err
	}
	if err := w.serveSOCKS(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.listenAll(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.mu.Lock()
	w.forget = context.AfterFunc(ctx, func() { _ = w.Close() })
	w.mu.Unlock()
	return w, nil
}

// DNS is the host:port of the DNS server, on UDP and TCP.
func (w *World) DNS() string { return w.dnsAddr }

// SOCKS is the host:port of the SOCKS server; "" if there is none.
func (w *World) SOCKS() string {
	if w.socks == nil {
		return ""
	}
	return w.socks.Addr().String()
}

// Close ends the world: every socket is closed and every goroutine has ended
// when it returns.
func (w *World) Close() error {
	var err error
	w.end.Do(func() {
		w.cancel()
		w.started.Wait()
		err = errors.Join(w.udp.Shutdown(), w.tcp.Shutdown())
		w.mu.Lock()
		w.over = true
		if w.forget != nil {
			w.forget()
		}
		for c := range w.open {
			_ = c.Close()
		}
		w.mu.Unlock()
	})
	w.group.Wait()
	return err
}

// run runs f in a goroutine of the world with c, which is closed when f returns
// or the world ends. In a world that is over it closes c and gives false.
func (w *World) run(c io.Closer, f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		_ = c.Close()
		return false
	}
	w.open[c] = true
	w.group.Go(func() {
		f()
		_ = c.Close()
		w.mu.Lock()
		delete(w.open, c)
		w.mu.Unlock()
	})
	return true
}

// accept runs serve for every connection that l accepts, until l is closed.
func (w *World) accept(l net.Listener, serve func(*net.TCPConn)) {
	w.run(l, func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if tcp, ok := c.(*net.TCPConn); ok {
				w.run(tcp, func() { serve(tcp) })
			}
		}
	})
}

// log tells Log one line, made only if somebody listens.
func (w *World) log(who, mark, line string) {
	if w.opt.Log == nil {
		return
	}
	w.tell.Lock()
	defer w.tell.Unlock()
	w.opt.Log(who + " " + mark + " " + line)
}
