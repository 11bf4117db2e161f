package route

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// Client is a Resolver that asks recursive servers. Set its fields before the
// first question; it is safe for concurrent use, and remembers what it was told
// as long as the TTL allows. It reads no hosts file. Close it where it asks over TLS.
type Client struct {
	// Servers are asked in turn: the next one when one fails or is silent, and
	// first of all the one that answered last.
	Servers []Server
	Find    func() ([]Server, error) // if Servers is empty says which, at each question; may be nil
	Timeout time.Duration            // for one try, and for a connection with its handshake; 0 is 2 s
	// TrustAD believes the AD bit of every server. Else only those on 127.0.0.1 and ::1 and
	// those asked over TLS vouch for DNSSEC: nobody else can have set it on the way.
	TrustAD bool
	Roots   *x509.CertPool   // what certificates of servers must lead to; nil is the system's store
	Now     func() time.Time // what they are judged by; nil is time.Now
	// Trace, if set, is told of every query as its answer comes or fails, one
	// at a time.
	Trace func(Query)

	cache   cache
	links   links        // of DNS over TLS
	first   atomic.Int64 // index of the server that answered last
	tracing sync.Mutex
}

var _ Resolver = (*Client)(nil)

// MX asks for the mail exchangers of domain.
func (c *Client) MX(ctx context.Context, domain string) (Answer[MX], error) {
	return lookup(ctx, c.ask, domain, dns.TypeMX, pickMX)
}

// Addr asks for the addresses of host.
func (c *Client) Addr(ctx context.Context, host string, f Family) (Answer[netip.Addr], error) {
	return addresses(ctx, c.ask, host, f)
}

// TXT asks for the text at name.
func (c *Client) TXT(ctx context.Context, name string) (Answer[string], error) {
	return lookup(ctx, c.ask, name, dns.TypeTXT, pickTXT)
}

// TLSA asks for the certificate associations of a TCP port of host.
func (c *Client) TLSA(ctx context.Context, host string, port uint16) (Answer[TLSA], error) {
	return lookup(ctx, c.ask, fmt.Sprintf("_%d._tcp.%s", port, host), dns.TypeTLSA, pickTLSA)
}

// PTR asks for the names of addr.
func (c *Client) PTR(ctx context.Context, addr netip.Addr) (Answer[string], error) {
	name, err := dns.ReverseAddr(addr.Unmap().WithZone("").String())
	if err != nil {
		return Answer[string]{}, &Error{Name: addr.String(), Type: "PTR", Kind: BadName, Err: err}
	}
	return lookup(ctx, c.ask, name, dns.TypePTR, pickPTR)
}

// CNAME asks what name is an alias of.
func (c *Client) CNAME(ctx context.Context, name string) (Answer[string], error) {
	return lookup(ctx, c.ask, name, dns.TypeCNAME, pickCNAME)
}

// ask is the asker: from memory, or of the servers.
func (c *Client) ask(ctx context.Context, q question) (*reply, error) {
	if !spend(ctx) {
		return nil, tooManyQueries(trim(q.name), dns.TypeToString[q.typ], whole(ctx))
	}
	return c.cache.do(ctx, q, func() (*reply, error) { return c.rotate(ctx, q) })
}

// rotate asks one server after the other until one has an answer. Only a silent
// one is asked a second time: the packet may have been lost.
func (c *Client) rotate(ctx context.Context, q question) (*reply, error) {
	servers := c.Servers
	if len(servers) == 0 && c.Find != nil {
		var err error
		if servers, err = c.Find(); err != nil {
			return nil, err
		}
	}
	if len(servers) == 0 {
		return nil, &NoServers{}
	}
	var told *Error // the failure that says most
	failed := make([]bool, len(servers))
	first := int(c.first.Load())
	for try := range min(maxTries, maxRounds*len(servers)) {
		i := (first + try) % len(servers)
		if failed[i] {
			continue
		}
		r, err := c.exchange(ctx, servers[i], q)
		if err == nil {
			c.first.Store(int64(i))
			return r, nil
		}
		var e *Error
		if !errors.As(err, &e) {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, q.fail(servers[i], Stopped, context.Cause(ctx))
		}
		if told == nil || e.Kind < told.Kind {
			told = e
		}
		failed[i] = e.Kind != Timeout
	}
	return nil, told
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultTimeout
}
