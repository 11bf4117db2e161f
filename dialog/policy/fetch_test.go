package policy

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// site is the policy host of one domain: the certificate that it shows, and what it
// does with a request.
type site struct {
	certs []*issued
	serve func(net.Conn)
}

// says answers every request with an HTTP response as it is written here.
func says(response string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = c.Write([]byte(response))
		}
	}
}

func ok(kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body)
}

// web is a Fetcher for policy hosts whose addresses are 192.0.2.N, for site N.
func web(t *testing.T, roots *x509.CertPool, sites map[string]site) Fetcher {
	t.Helper()
	at := map[string]string{}
	for addr, s := range sites {
		at[addr+":443"] = listenTLS(t, chain(s.certs...), s.serve)
	}
	return Fetcher{Roots: roots, Store: "the test's store", Now: noon, Agent: "ehlo/test",
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			to, known := at[address]
			if !known {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		}}
}

func TestFindSTS(t *testing.T) {
	root := authorityCert(t, "root", nil)
	good := func(name string, change ...func(*x509.Certificate)) []*issued {
		return []*issued{leafCert(t, "mta-sts."+name, root, change...)}
	}
	policy := ok("text/plain", goodPolicy)
	big := ok("text/plain", goodPolicy+strings.Repeat("x: "+strings.Repeat("y", 1021)+"\n", 64))
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		name  string // of the domain, below .test
		zone  string // beside the record and the address of the policy host
		certs []*issued
		serve func(net.Conn)
		stage Stage
		step  FetchStep
		why   string
		bad   string // the checks of the certificate that fail
	}{
		{"good", "", good("good.test"), says(policy), Fetched, "", "", ""},
		{"parameters", "", good("parameters.test"), says(ok("Text/Plain; charset=us-ascii; x=y", goodPolicy)), Fetched, "", "", ""},
		{"chunks", "", good("chunks.test"), says(fmt.Sprintf("%s%x\r\n%s\r\n0\r\n\r\n", chunked, len(goodPolicy), goodPolicy)), Fetched, "", "", ""},
		{"closes", "", good("closes.test"), says("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + goodPolicy), Fetched, "", "", ""},
		{"interim", "", good("interim.test"), says("HTTP/1.1 103 Early Hints\r\n\r\n" + policy), Fetched, "", "", ""},
		{"wildcard", "", good("wildcard.test", names("*.wildcard.test")), says(policy), Fetched, "", "", ""},
		{"second", "mta-sts.second.test. 60 IN A 192.0.2.250", good("second.test"), says(policy), Fetched, "", "", ""},

		{"name", "", good("name.test", names("www.name.test")), says(policy), NotFetched, StepTLS, "the certificate does not prove mta-sts.name.test", "name"},
		{"dates", "", good("dates.test", expired), says(policy), NotFetched, StepTLS, "the certificate does not prove mta-sts.dates.test", "dates"},
		{"chain", "", []*issued{leafCert(t, "mta-sts.chain.test", nil)}, says(policy), NotFetched, StepTLS, "the certificate does not prove mta-sts.chain.test", "chain"},
		{"all", "", []*issued{leafCert(t, "x.test", nil, expired)}, says(policy), NotFetched, StepTLS, "the certificate does not prove mta-sts.all.test", "name dates chain"},
		{"plain", "", good("plain.test"), nil, NotFetched, StepTLS, "the TLS handshake failed: first record does not look like a TLS handshake", ""},

		{"moved", "", good("moved.test"), says("HTTP/1.1 301 Moved Permanently\r\nLocation: https://www.moved.test/\r\n\r\n"), NotFetched, StepHTTP,
			"the answer is 301 Moved Permanently to https://www.moved.test/, and senders follow no redirect (RFC 8461 section 3.3)", ""},
		{"absent", "", good("absent.test"), says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), NotFetched, StepHTTP,
			"the answer is 404 Not Found, and only 200 counts (RFC 8461 section 3.3)", ""},
		{"partial", "", good("partial.test"), says("HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx"), NotFetched, StepHTTP,
			"the answer is 206 Partial Content, and only 200 counts (RFC 8461 section 3.3)", ""},
		{"hints", "", good("hints.test"), says(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100)), NotFetched, StepHTTP,
			"the answer is 103 Early Hints, and only 200 counts (RFC 8461 section 3.3)", ""},
		{"html", "", good("html.test"), says(ok("text/html", goodPolicy)), NotFetched, StepType,
			"it is text/html, where senders want text/plain (RFC 8461 section 3.2)", ""},
		{"typeless", "", good("typeless.test"), says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), NotFetched, StepType,
			"it has no Content-Type, where senders want text/plain (RFC 8461 section 3.2)", ""},
		{"zip", "", good("zip.test"), says("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"), NotFetched, StepHTTP,
			"it is encoded as gzip, which was not asked for", ""},
		{"big", "", good("big.test"), says(big), NotFetched, StepSize, "the policy is larger than 64 KiB", ""},
		{"crumbs", "", good("crumbs.test"), says(chunked + strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\ny\r\n", 300)), NotFetched, StepHTTP,
			"the policy was cut off after 16 bytes: chunked encoding contains too much non-data", ""},
		{"header", "", good("header.test"), says("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Y: "+strings.Repeat("z", 1000)+"\r\n", 100)), NotFetched, StepHTTP,
			"no HTTP response: unexpected EOF", ""},
		{"short", "", good("short.test"), says(strings.TrimSuffix(policy, "604800\r\n")), NotFetched, StepHTTP, "the policy was cut off after 81 bytes: unexpected EOF", ""},
		{"smtp", "", good("smtp.test"), says("220 mx.smtp.test ESMTP\r\n"), NotFetched, StepHTTP, `no HTTP response: malformed HTTP status code "mx.smtp.test"`, ""},
		{"silent", "", good("silent.test"), says(""), NotFetched, StepHTTP, "no HTTP response: unexpected EOF", ""},
		{"refused", "", nil, nil, NotFetched, StepConnect, "ADDR:443: no connection: connection refused", ""},
		{"broken", "mta-sts.broken.test. SERVFAIL", nil, nil, NotFetched, StepResolve,
			"A of mta-sts.broken.test: the server could not find out (SERVFAIL)", ""},
		{"invalid", "", good("invalid.test"), says(ok("text/plain", "version: STSv1\nmode: on\n")), BadPolicy, "", "line 2: the mode is 'on', not enforce, testing or none", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			roots := x509.NewCertPool()
			roots.AddCert(root.Certificate)
			domain, addr := tt.name+".test", "192.0.2.1"
			c, _ := world(t, fmt.Sprintf("_mta-sts.%s. 60 IN TXT \"v=STSv1; id=1\"\n%s\nmta-sts.%s. 60 IN A %s", domain, tt.zone, domain, addr))
			sites := map[string]site{}
			if tt.serve != nil {
				sites[addr] = site{tt.certs, tt.serve}
			}
			f := web(t, roots, sites)
			if tt.name == "plain" {
				f.Dial = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() { _, _ = io.Copy(io.Discard, theirs) }()
					go func() { _, _ = theirs.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }()
					return ours, nil
				}
			}
			s := FindSTS(background(t), c, f, domain)
			why := ""
			var failed *FetchError
			switch {
			case errors.As(s.Err, &failed):
				why = strings.ReplaceAll(failed.Reason, addr, "ADDR")
				if failed.Step != tt.step || failed.URL != "https://mta-sts."+domain+"/.well-known/mta-sts.txt" {
					t.Errorf("%s at %s", failed.URL, failed.Step)
				}
			case s.Err != nil:
				why = s.Err.Error()
			}
			var bad []string
			for _, l := range s.Checks {
				if !l.OK {
					bad = append(bad, l.Check)
				}
			}
			if s.Stage != tt.stage || why != tt.why || strings.Join(bad, " ") != tt.bad {
				t.Errorf("%v: %s, fails %q", s.Stage, why, bad)
			}
			if s.ID != "1" || s.Active() != (tt.stage == Fetched) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestFindSTSRecord(t *testing.T) {
	c, _ := world(t, `
		_mta-sts.bare.test. 60 IN TXT "x"
		_mta-sts.two.test. 60 IN TXT "v=STSv1; id=1"
		_mta-sts.two.test. 60 IN TXT "v=STSv1; id=2"
		_mta-sts.bad.test. 60 IN TXT "v=STSv1; id=a-b"
		_mta-sts.broken.test. SERVFAIL
		_mta-sts.alias.test. 60 IN CNAME _mta-sts.host.test.
		_mta-sts.host.test. 60 IN TXT "v=STS" "v1; id=7"
		mta-sts.alias.test. 60 IN TXT x
	`)
	for domain, want := range map[string]string{
		"none.test":   "none ",
		"bare.test":   "none ",
		"two.test":    "invalid-record 2 records begin with v=STSv1: senders take that for none",
		"bad.test":    "invalid-record the id 'a-b' is not 1 to 32 letters and digits",
		"broken.test": "unknown the server could not find out (SERVFAIL)",
		"alias.test":  "not-fetched A or AAAA of mta-sts.alias.test: no A or AAAA record (NODATA)",
		"a..b":        `none domain "a..b": an empty label: two dots in a row, or one at the start`,
	} {
		s := FindSTS(background(t), c, Fetcher{}, domain)
		why := ""
		var failed *FetchError
		switch {
		case errors.As(s.Err, &failed):
			why = failed.Reason
		case s.Stage == Unknown:
			_, why, _ = strings.Cut(s.Err.Error(), ": ")
		case s.Err != nil:
			why = s.Err.Error()
		}
		if got := s.Stage.String() + " " + why; got != want {
			t.Errorf("%s: %s", domain, got)
		}
	}
}

// A policy host that drips, or says nothing at all, takes no longer than the limit, and
// no longer than the caller has.
func TestFetchTime(t *testing.T) {
	root := authorityCert(t, "root", nil)
	roots := x509.NewCertPool()
	roots.AddCert(root.Certificate)
	c, _ := world(t, "_mta-sts.slow.test. 60 IN TXT \"v=STSv1; id=1\"\nmta-sts.slow.test. 60 IN A 192.0.2.1")
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	f := web(t, roots, map[string]site{"192.0.2.1": {[]*issued{leafCert(t, "mta-sts.slow.test", root)}, func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n"))
		<-done
	}}})
	f.Limit = 200 * time.Millisecond
	s := FindSTS(background(t), c, f, "slow.test")
	var failed *FetchError
	if !errors.As(s.Err, &failed) || failed.Step != StepTime || failed.Reason != "not done within 0.2 s" {
		t.Errorf("%v", s.Err)
	}
	f.Limit = 0
	gone := errors.New("the caller has gone")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, gone)
	defer cancel()
	if s := FindSTS(ctx, c, f, "slow.test"); s.Stage != NotFetched || !errors.Is(s.Err, gone) {
		t.Errorf("%v, %v", s.Stage, s.Err)
	}
}

func TestRequest(t *testing.T) {
	root := authorityCert(t, "root", nil)
	roots := x509.NewCertPool()
	roots.AddCert(root.Certificate)
	t.Setenv("HTTPS_PROXY", "http://192.0.2.99:3128")
	c, _ := world(t, "_mta-sts.good.test. 60 IN TXT \"v=STSv1; id=1\"\nmta-sts.good.test. 60 IN A 192.0.2.1")
	got := make(chan *http.Request, 1)
	f := web(t, roots, map[string]site{"192.0.2.1": {[]*issued{leafCert(t, "mta-sts.good.test", root)}, func(c net.Conn) {
		if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			got <- req
			_, _ = c.Write([]byte(ok("text/plain", goodPolicy)))
		}
	}}})
	s := FindSTS(background(t), c, f, "Good.TEST")
	if s.Err != nil || s.Address != "192.0.2.1:443" || s.Domain != "good.test" || !s.Allows("a.mail.good.test") {
		t.Fatalf("%+v", s)
	}
	req := <-got
	if req.Method != "GET" || req.URL.String() != "/.well-known/mta-sts.txt" || req.Host != "mta-sts.good.test" || req.Proto != "HTTP/1.1" {
		t.Errorf("%+v", req)
	}
	for name, want := range map[string]string{"User-Agent": "ehlo/test", "Accept-Encoding": "", "Cookie": "", "Cache-Control": ""} {
		if got := req.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestFindReports(t *testing.T) {
	c, _ := world(t, `
		_smtp._tls.good.test. 60 IN TXT "v=TLSRPTv1; rua=mailto:" "tls@good.test"
		_smtp._tls.two.test. 60 IN TXT "v=TLSRPTv1; rua=mailto:tls@good.test"
		_smtp._tls.two.test. 60 IN TXT "v=TLSRPTv1; rua=mailto:tls@good.test"
		_smtp._tls.broken.test. SERVFAIL
	`)
	for domain, want := range map[string]string{
		"good.test":   "TLS-RPT to mailto:tls@good.test",
		"none.test":   "TLS-RPT: no record at _smtp._tls.none.test",
		"two.test":    "TLS-RPT: the record of two.test does not count: 2 records begin with v=TLSRPTv1: senders take that for none (RFC 8460 section 3)",
		"broken.test": "TLS-RPT: not known: TXT of _smtp._tls.broken.test from SERVER: the server could not find out (SERVFAIL)",
	} {
		p := FindReports(background(t), c, domain)
		if got := strings.ReplaceAll(p.Lines()[0].Text, c.Servers[0].String(), "SERVER"); got != want {
			t.Errorf("%s: %s", domain, got)
		}
	}
}
