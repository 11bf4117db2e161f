package policy

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Fetcher gets a policy by HTTPS. It uses no proxy, no cookie, no cache, and follows
// no redirect.
type Fetcher struct {
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Instead func(netip.AddrPort) string // what is dialled for an address of the policy host; nil is itself
	Roots   *x509.CertPool              // what the policy host's certificate must lead to; nil is the system's store
	Store   string                      // what to call Roots: "the system's store"
	Now     func() time.Time            // what certificates are judged by; nil is time.Now
	Agent   string                      // names us to the policy host; "" sends no User-Agent
	Family  route.Family                // of the policy host's addresses
	Limit   time.Duration               // for the whole fetch; 0 is 60 s
}

// FetchStep is where the fetch of a policy failed.
type FetchStep string

// The steps.
const (
	StepResolve FetchStep = "resolve" // the policy host has no address that is known
	StepConnect FetchStep = "connect" // no address could be connected to
	StepTLS     FetchStep = "tls"     // the handshake, or the certificate
	StepHTTP    FetchStep = "http"    // the response, or its status
	StepType    FetchStep = "type"    // it is not text/plain
	StepSize    FetchStep = "size"    // it is too large
	StepTime    FetchStep = "time"    // it took too long
)

// FetchError is a policy that could not be had.
type FetchError struct {
	URL    string
	Step   FetchStep
	Reason string
	Err    error // details, or nil
}

func (e *FetchError) Error() string { return e.URL + ": " + e.Reason }

// Unwrap gives the details.
func (e *FetchError) Unwrap() error { return e.Err }

// errFetchTime ends a fetch whose time is up, as opposed to the caller's.
var errFetchTime = errors.New("the time for fetching a policy is up")

// fetching is one fetch on its way.
type fetching struct {
	Fetcher
	*STS
	host string
	url  string
}

// fetch gets the policy. The error is a *FetchError, or the cause of the caller's
// context.
func (s *STS) fetch(ctx context.Context, r route.Resolver, f Fetcher) ([]byte, error) {
	limit := f.Limit
	if limit == 0 {
		limit = fetchTime
	}
	within, cancel := context.WithTimeoutCause(ctx, limit, errFetchTime)
	defer cancel()
	host := "mta-sts." + s.Domain
	get := &fetching{Fetcher: f, STS: s, host: host, url: "https://" + host + "/.well-known/mta-sts.txt"}
	body, err := get.run(within, r)
	switch {
	case err == nil:
		return body, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case within.Err() != nil:
		return nil, &FetchError{get.url, StepTime, fmt.Sprintf("not done within %g s", limit.Seconds()), err}
	}
	return nil, err
}

func (f *fetching) fail(at FetchStep, err error, format string, args ...any) error {
	return &FetchError{f.url, at, fmt.Sprintf(format, args...), err}
}

func (f *fetching) run(ctx context.Context, r route.Resolver) ([]byte, error) {
	a, err := r.Addr(ctx, f.host, f.Family)
	var e *route.Error
	switch {
	case errors.As(err, &e):
		return nil, f.fail(StepResolve, err, "%s of %s: %s", e.Type, e.Name, e.Reason())
	case err != nil:
		return nil, f.fail(StepResolve, err, "%s: %v", f.host, err)
	}
	nc, err := f.connect(ctx, a.Records)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	conn, err := f.secure(ctx, nc)
	if err != nil {
		return nil, err
	}
	return f.get(conn)
}

// connect dials the addresses in their order until one answers.
func (f *fetching) connect(ctx context.Context, addrs []netip.Addr) (net.Conn, error) {
	var failed error
	for _, addr := range addrs[:min(len(addrs), maxAddresses)] {
		meant := netip.AddrPortFrom(addr, 443)
		to := meant.String()
		if f.Instead != nil {
			to = f.Instead(meant)
		}
		if special, bad := route.Special(addr); bad && special.Fail {
			failed = f.fail(StepConnect, nil, "%s: %s", addr, special.Text)
			continue
		}
		nc, err := f.Dial(ctx, "tcp", to)
		if err == nil {
			f.Address = to
			return nc, nil
		}
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // the address is told already
		}
		failed = f.fail(StepConnect, err, "%s: no connection: %v", to, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, failed
}

// secure does the handshake, and judges the certificate as browsers do: RFC 8461
// section 3.3 wants it to be for the policy host.
func (f *fetching) secure(ctx context.Context, nc net.Conn) (*tls.Conn, error) {
	conn := tls.Client(nc, &tls.Config{
		ServerName:         f.host,
		NextProtos:         []string{"http/1.1"},
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // webPKI judges, with every reason
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, f.fail(StepTLS, err, "the TLS handshake failed: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	now := time.Now
	if f.Now != nil {
		now = f.Now
	}
	store := f.Store
	if store == "" {
		store = "the system's store"
	}
	f.Checks = webPKI(conn.ConnectionState().PeerCertificates, f.host, f.Roots, store, now())
	if !allOK(f.Checks) {
		return nil, f.fail(StepTLS, nil, "the certificate does not prove %s", f.host)
	}
	return conn, nil
}

// get asks for the policy on a connection that is secured.
func (f *fetching) get(conn io.ReadWriter) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, f.url, nil)
	if err != nil {
		return nil, f.fail(StepHTTP, err, "%v", err)
	}
	req.Close = true // "Connection: close": there is nothing more to ask
	req.Header.Set("User-Agent", f.Agent)
	req.Header.Set("Accept", "text/plain")
	if err := req.Write(conn); err != nil {
		return nil, f.fail(StepHTTP, err, "the request could not be sent: %v", err)
	}
	wire := &io.LimitedReader{R: conn}
	in := bufio.NewReader(wire)
	var resp *http.Response
	for interim := 0; ; interim++ {
		wire.N = maxHeader
		if resp, err = http.ReadResponse(in, req); err != nil {
			return nil, f.fail(StepHTTP, err, "no HTTP response: %s", clip(err.Error()))
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols || interim == maxInterim {
			break
		}
	}
	defer resp.Body.Close()
	if err := f.accept(resp); err != nil {
		return nil, err
	}
	wire.N = maxWire
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPolicy+1))
	switch {
	case len(body) > maxPolicy, err != nil && wire.N <= 0:
		return nil, f.fail(StepSize, nil, "the policy is larger than %d KiB", maxPolicy>>10)
	case err != nil:
		return nil, f.fail(StepHTTP, err, "the policy was cut off after %s: %v", transcript.Count(len(body), "byte"), err)
	}
	return body, nil
}

// accept judges what comes before the body. RFC 8461 section 3.3: only 200 counts,
// and no redirect is followed.
func (f *fetching) accept(resp *http.Response) error {
	status := clip(strings.TrimSpace(resp.Status))
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode/100 == 3 {
		return f.fail(StepHTTP, nil, "the answer is %s to %s, and senders follow no redirect (RFC 8461 section 3.3)", status, clip(to))
	}
	if resp.StatusCode != http.StatusOK {
		return f.fail(StepHTTP, nil, "the answer is %s, and only 200 counts (RFC 8461 section 3.3)", status)
	}
	// RFC 8461 section 3.2: senders SHOULD validate the media type, lest a page that anyone can
	// write becomes a policy. Those that do make it a must for the domain; parameters do not count.
	kind := resp.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(kind)
	switch {
	case kind == "":
		return f.fail(StepType, nil, "it has no Content-Type, where senders want text/plain (RFC 8461 section 3.2)")
	case media != "text/plain":
		return f.fail(StepType, err, "it is %s, where senders want text/plain (RFC 8461 section 3.2)", clip(kind))
	}
	if code := resp.Header.Get("Content-Encoding"); code != "" && !strings.EqualFold(code, "identity") {
		return f.fail(StepHTTP, nil, "it is encoded as %s, which was not asked for", clip(code))
	}
	return nil
}
