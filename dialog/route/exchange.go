package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// exchange asks one server: over TLS, or over UDP with EDNS0 (RFC 6891), without it if
// the server knows none, and over TCP what does not fit (RFC 7766 section 5).
func (c *Client) exchange(ctx context.Context, server Server, q question) (*reply, error) {
	m, err := c.converse(ctx, server, q)
	if err != nil {
		return nil, err
	}
	var kind Kind
	switch m.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		if !m.Truncated {
			r, err := decode(q, m, server.String())
			if err == nil {
				r.proof = c.proof(server, m.AuthenticatedData)
			}
			return r, err
		}
		return nil, q.fail(server, Malformed, errors.New("truncated, though not over UDP"))
	case dns.RcodeServerFailure:
		kind = ServFail
	case dns.RcodeRefused:
		kind = Refused
	default:
		return nil, q.fail(server, OtherCode, errors.New(withDetails(rcode(m.Rcode), m)))
	}
	e := q.fail(server, kind, nil)
	e.Bogus = kind == ServFail && bogus(m)
	if text := withDetails("", m); text != "" {
		e.Err = errors.New(text)
	}
	return nil, e
}

// converse is what the server answers, whatever that is.
func (c *Client) converse(ctx context.Context, server Server, q question) (*dns.Msg, error) {
	if server.TLS {
		return c.overTLS(ctx, server, q)
	}
	m, err := c.talk(ctx, server, "udp", q)
	if err == nil && m.Truncated {
		if m, err = c.talk(ctx, server, "tcp", q); err != nil {
			err = overTCP(err)
		}
	}
	return m, err
}

// overTCP says why TCP was tried.
func overTCP(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	why := "truncated, and over TCP too"
	told := *e
	if told.Err = errors.New(why); e.Err != nil {
		told.Err = fmt.Errorf("%s: %w", why, e.Err)
	}
	return &told
}

// errTry ends a try whose time is up, as opposed to the caller's.
var errTry = errors.New("the time for one try is up")

// talk holds one conversation over network on a socket, and thus a port, of
// its own: a query with EDNS0, and perhaps one without.
func (c *Client) talk(ctx context.Context, server Server, network string, q question) (*dns.Msg, error) {
	limit := c.timeout()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTry)
	defer cancel()
	start := time.Now()
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, network, server.Addr.String())
	if err != nil {
		err = c.netError(ctx, server, q, err, 0)
		c.trace(q, server, network, nil, start, err)
		return nil, err
	}
	conn := &dns.Conn{Conn: socket, UDPSize: readSize}
	defer conn.Close()
	unhook := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer unhook()

	m, err := c.once(ctx, conn, server, network, q, true)
	if err == nil && noEDNS(m) {
		m, err = c.once(ctx, conn, server, network, q, false)
	}
	return m, err
}

// noEDNS reports whether m turns down EDNS0 rather than the question (RFC 6891
// section 7).
func noEDNS(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented || m.Rcode == dns.RcodeBadVers
}

// once sends one query and waits for its answer. What answers something else is
// passed over: it may be forged, and the true answer still under way (RFC 5452 section 9.1).
func (c *Client) once(ctx context.Context, conn *dns.Conn, server Server, network string, q question, edns bool) (m *dns.Msg, err error) {
	start := time.Now()
	defer func() { c.trace(q, server, network, m, start, err) }()
	query := q.message(edns)
	if err := conn.WriteMsg(query); err != nil {
		return nil, c.netError(ctx, server, q, err, 0)
	}
	for passed := 0; ; passed++ {
		m, err := conn.ReadMsg()
		switch {
		case m == nil && !errors.Is(err, dns.ErrShortRead):
			return nil, c.netError(ctx, server, q, err, passed)
		case m == nil || !answers(query, m):
		case err != nil:
			return nil, q.fail(server, Malformed, err)
		default:
			return m, nil
		}
	}
}

// message is the query for q. AD asks for the AD bit (RFC 6840 section 5.7), and
// so does DO, for servers that know only that one.
func (q question) message(edns bool) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(q.name, q.typ) // with a random id
	m.AuthenticatedData = true
	if edns {
		m.SetEdns0(ednsSize, true)
	}
	return m
}

// answers reports whether m is an answer to query. A server that could not read
// the question may leave it out.
func answers(query, m *dns.Msg) bool {
	if !m.Response || m.Id != query.Id || m.Opcode != query.Opcode {
		return false
	}
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
	}
	got, asked := m.Question[0], query.Question[0]
	return len(m.Question) == 1 && got.Qtype == asked.Qtype && got.Qclass == asked.Qclass &&
		strings.EqualFold(got.Name, asked.Name)
}

func (q question) fail(server Server, kind Kind, err error) *Error {
	return &Error{Name: trim(q.name), Type: dns.TypeToString[q.typ], Server: server.String(), Kind: kind, Err: err}
}

// netError is what a socket reports, as an *Error; passed counts the messages that were
// no answer.
func (c *Client) netError(ctx context.Context, server Server, q question, err error, passed int) error {
	kind, err := c.kindOf(ctx, err)
	if kind == Timeout && passed > 0 {
		err = fmt.Errorf("%w (%d packets that answer something else)", err, passed)
	}
	return q.fail(server, kind, err)
}

// kindOf tells apart what a socket reports, and words it; ctx has the time limit of the
// try.
func (c *Client) kindOf(ctx context.Context, err error) (Kind, error) {
	var timeout net.Error
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		<-ctx.Done() // a socket may notice the time earlier than the context does
	}
	switch {
	case ctx.Err() != nil && context.Cause(ctx) != errTry:
		return Stopped, context.Cause(ctx)
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout, fmt.Errorf("within %g s", c.timeout().Seconds())
	}
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		err = op.Err // the address is told already
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("it closed the connection: %w", err)
	}
	return Network, err
}

// reasons is what the server says of its reasons (RFC 8914).
func reasons(m *dns.Msg) []*dns.EDNS0_EDE {
	opt := m.IsEdns0()
	if opt == nil {
		return nil
	}
	var told []*dns.EDNS0_EDE
	for _, option := range opt.Option {
		if ede, ok := option.(*dns.EDNS0_EDE); ok && len(told) < maxReasons {
			told = append(told, ede)
		}
	}
	return told
}

// bogus reports whether a reason is that DNSSEC validation failed: DNSSEC Bogus
// to NSEC Missing (RFC 8914 sections 4.7 to 4.13).
func bogus(m *dns.Msg) bool {
	return slices.ContainsFunc(reasons(m), func(ede *dns.EDNS0_EDE) bool {
		return dns.ExtendedErrorCodeDNSBogus <= ede.InfoCode && ede.InfoCode <= dns.ExtendedErrorCodeNSECMissing
	})
}

// withDetails adds the server's reasons to text.
func withDetails(text string, m *dns.Msg) string {
	var parts []string
	if text != "" {
		parts = append(parts, text)
	}
	for _, ede := range reasons(m) {
		name, known := dns.ExtendedErrorCodeToString[ede.InfoCode]
		if !known {
			name = fmt.Sprintf("extended error %d", ede.InfoCode)
		}
		parts = append(parts, strings.TrimSuffix(name+": "+ede.ExtraText, ": "))
	}
	return strings.Join(parts, ", ")
}

func rcode(code int) string {
	if name, ok := dns.RcodeToString[code]; ok {
		return name
	}
	return fmt.Sprintf("response code %d", code)
}
