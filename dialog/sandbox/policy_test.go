package sandbox

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// secureAsk asks as a client does that wants to know what is secure.
func secureAsk(t *testing.T, w *World, name string, qtype uint16) *dns.Msg {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), qtype)
	q.AuthenticatedData = true
	m, _, err := (&dns.Client{Net: "tcp", Timeout: 10 * time.Second}).Exchange(q, w.DNS())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tlsaOf are the TLSA records of an answer.
func tlsaOf(m *dns.Msg) []*dns.TLSA {
	var all []*dns.TLSA
	for _, rr := range m.Answer {
		if r, ok := rr.(*dns.TLSA); ok {
			all = append(all, r)
		}
	}
	return all
}

// firstMX is the domain's best MX host.
func firstMX(t *testing.T, w *World, domain string) (host string, secure bool) {
	t.Helper()
	m := secureAsk(t, w, domain, dns.TypeMX)
	if len(m.Answer) == 0 {
		t.Fatalf("%s: no MX", domain)
	}
	return m.Answer[0].(*dns.MX).Mx, m.AuthenticatedData
}

// daneOf is what RFC 7672 makes of a domain's first MX host.
func daneOf(t *testing.T, w *World, domain string) string {
	t.Helper()
	host, secure := firstMX(t, w, domain)
	a := secureAsk(t, w, host, dns.TypeA)
	base := a.Answer[len(a.Answer)-1].Header().Name // behind any CNAME
	answer := secureAsk(t, w, "_25._tcp."+base, dns.TypeTLSA)
	records := tlsaOf(answer)
	switch {
	case answer.Rcode == dns.RcodeServerFailure:
		return "bogus"
	case !secure, !a.AuthenticatedData, !answer.AuthenticatedData:
		return "insecure"
	case len(records) == 0:
		return "missing"
	}
	records = slices.DeleteFunc(records, func(r *dns.TLSA) bool { return r.Usage < 2 || r.Usage > 3 || r.Selector > 1 || r.MatchingType > 2 })
	if len(records) == 0 {
		return "unusable"
	}
	c, err := handshake(t, w, strings.TrimSuffix(base, ".")+":25", anyTLS(t, w))
	if err != nil {
		t.Fatal(err)
	}
	chain := c.ConnectionState().PeerCertificates
	if slices.ContainsFunc(records, func(r *dns.TLSA) bool { return proves(r, chain, strings.TrimSuffix(base, ".")) }) {
		return "match"
	}
	return "mismatch"
}

// proves reports whether a record proves a chain (RFC 7671 section 5).
func proves(r *dns.TLSA, chain []*x509.Certificate, name string) bool {
	if r.Usage == 3 {
		return r.Verify(chain[0]) == nil
	}
	anchors := chain[1:]
	if der, err := hex.DecodeString(r.Certificate); err == nil && r.Selector == 0 && r.MatchingType == 0 {
		if whole, err := x509.ParseCertificate(der); err == nil {
			anchors = append(slices.Clone(anchors), whole)
		}
	}
	for _, anchor := range anchors {
		roots := x509.NewCertPool()
		roots.AddCert(anchor)
		if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); r.Verify(anchor) == nil && err == nil {
			return true
		}
	}
	return false
}

func TestDANE(t *testing.T) {
	w := start(t, Options{})
	seen := map[string]bool{}
	for _, s := range w.scenarios {
		if s.DANE == "" {
			continue
		}
		seen[s.DANE] = true
		if got := daneOf(t, w, s.domain()); got != s.DANE {
			t.Errorf("%s: %s, want %s", s.Name, got, s.DANE)
		}
	}
	for _, word := range []string{"match", "mismatch", "missing", "insecure", "bogus", "unusable"} {
		if !seen[word] {
			t.Errorf("no domain finds %s", word)
		}
	}
	second := secureAsk(t, w, "_25._tcp.mx2.dane-mixed.test.", dns.TypeTLSA)
	c, err := handshake(t, w, "mx2.dane-mixed.test:25", anyTLS(t, w))
	if err != nil {
		t.Fatal(err)
	}
	if all := tlsaOf(second); len(all) != 1 || all[0].Verify(c.ConnectionState().PeerCertificates[0]) != nil {
		t.Errorf("the second host of dane-mixed: %v", all)
	}
	if m := secureAsk(t, w, "_25._tcp.mx1.dane-notls.test.", dns.TypeTLSA); len(tlsaOf(m)) != 1 || !m.AuthenticatedData {
		t.Errorf("dane-notls: %v", m)
	}
}

// TestTLSA holds the records against what they are to be.
func TestTLSA(t *testing.T) {
	w := start(t, Options{})
	for name, want := range map[string]string{
		"mx1.good.test":          "3 1 1 32",
		"mx2.good.test":          "3 1 1 32",
		"mx1.dane.test":          "3 1 1 32",
		"mx1.dane-ta.test":       "2 1 1 32",
		"mx1.dane-sha512.test":   "3 1 2 64",
		"mx1.dane-rollover.test": "3 1 1 32, 3 1 1 32",
		"mx1.dane-unusable.test": "0 0 1 32, 1 1 1 32, 3 1 7 32",
		"mx1.dane-tafull.test":   "2 0 0 *",
		"mx1.dane-eefull.test":   "3 0 0 *",
		"mx1.plain.test":         "",
	} {
		var got []string
		for _, r := range tlsaOf(secureAsk(t, w, "_25._tcp."+name, dns.TypeTLSA)) {
			data, err := hex.DecodeString(r.Certificate)
			size := strconv.Itoa(len(data))
			if r.MatchingType == 0 {
				_, err = x509.ParseCertificate(data)
				size = "*"
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = append(got, strings.Join([]string{strconv.Itoa(int(r.Usage)), strconv.Itoa(int(r.Selector)), strconv.Itoa(int(r.MatchingType)), size}, " "))
		}
		if all := strings.Join(got, ", "); all != want {
			t.Errorf("%s: %s, want %s", name, all, want)
		}
	}
	// The record is of the key that is shown, asked for before it is or behind it.
	c, err := handshake(t, w, "mx1.good.test:25", anyTLS(t, w))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(c.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	if r := tlsaOf(secureAsk(t, w, "_25._tcp.mx1.good.test", dns.TypeTLSA))[0]; r.Certificate != hex.EncodeToString(sum[:]) {
		t.Errorf("%s is of another key", r)
	}
}

// TestAD: answers are secure where all of their zones are, for who asks.
func TestAD(t *testing.T) {
	w := start(t, Options{Scenarios: []Scenario{
		{Name: "safe", Signed: true, Zone: "@ MX 10 mx1\nout CNAME mx1.unsafe.test.", Bogus: "x MX, x TXT", Hosts: one("198.51.100.1", Service{TLSA: "3 1 1"})},
		{Name: "unsafe", Zone: "in CNAME mx1.safe.test.", Hosts: one("198.51.100.2", Service{TLSA: "3 1"})},
	}})
	for _, test := range []struct {
		name  string
		qtype uint16
		rcode int
		ad    bool
	}{
		{"safe.test.", dns.TypeMX, 0, true},
		{"mx1.safe.test.", dns.TypeTXT, 0, true},
		{"no.safe.test.", dns.TypeA, dns.RcodeNameError, true},
		{"_25._tcp.mx1.safe.test.", dns.TypeTLSA, 0, true},
		{"_25._tcp.MX1.safe.test.", dns.TypeANY, 0, true},
		{"_tcp.mx1.safe.test.", dns.TypeTLSA, 0, true},
		{"_465._tcp.mx1.safe.test.", dns.TypeTLSA, dns.RcodeNameError, true},
		{"out.safe.test.", dns.TypeA, 0, false},
		{"in.unsafe.test.", dns.TypeA, 0, false},
		{"mx1.unsafe.test.", dns.TypeA, 0, false},
		{"_25._tcp.mx1.unsafe.test.", dns.TypeTLSA, dns.RcodeServerFailure, false}, // its spec is none
		{"x.safe.test.", dns.TypeMX, dns.RcodeServerFailure, false},
		{"X.safe.test.", dns.TypeTXT, dns.RcodeServerFailure, false},
		{"x.safe.test.", dns.TypeA, dns.RcodeNameError, true},
		{"nosuch.test.", dns.TypeA, dns.RcodeNameError, false},
		{"1.100.51.198.in-addr.arpa.", dns.TypePTR, 0, false},
	} {
		for _, ask := range []struct {
			how string
			set func(*dns.Msg)
			ad  bool
		}{
			{"AD", func(q *dns.Msg) { q.AuthenticatedData = true }, test.ad},
			{"DO", func(q *dns.Msg) { q.SetEdns0(1232, true) }, test.ad},
			{"EDNS", func(q *dns.Msg) { q.SetEdns0(1232, false) }, false},
			{"nothing", func(*dns.Msg) {}, false},
		} {
			q := new(dns.Msg)
			q.SetQuestion(test.name, test.qtype)
			ask.set(q)
			m, _, err := new(dns.Client).Exchange(q, w.DNS())
			if err != nil {
				t.Fatal(err)
			}
			if m.Rcode != test.rcode || m.AuthenticatedData != ask.ad {
				t.Errorf("%s %s with %s: %s, AD %v", test.name, dns.TypeToString[test.qtype], ask.how, dns.RcodeToString[m.Rcode], m.AuthenticatedData)
			}
		}
	}
}

// browser is an HTTPS client in the world that follows no redirect.
func browser(t *testing.T, w *World) *http.Client {
	transport := &http.Transport{DialContext: w.Dial, TLSClientConfig: &tls.Config{RootCAs: w.Roots()}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// stsOf is what RFC 8461 makes of a domain, and the names that its policy allows.
func stsOf(t *testing.T, w *World, domain string) (mode string, mx []string) {
	t.Helper()
	records := secureAsk(t, w, "_mta-sts."+domain, dns.TypeTXT).Answer
	if len(records) == 0 {
		return "", nil
	}
	txt := records[0].(*dns.TXT).Txt[0]
	if id, ok := strings.CutPrefix(strings.TrimSuffix(txt, ";"), "v=STSv1; id="); len(records) > 1 || !ok ||
		strings.ContainsFunc(id, func(r rune) bool { return r > 0x7f || !alphanumeric(byte(r)) }) {
		return "broken", nil
	}
	client := browser(t, w)
	if domain == "sts-slow.test" || domain == "sts-stall.test" {
		client.Timeout = time.Second // the whole takes over a minute
	}
	r, err := client.Get("https://mta-sts." + domain + policyPath)
	if err != nil {
		return "broken", nil
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10+1))
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); err != nil || r.StatusCode != 200 || kind != "text/plain" || len(body) > 64<<10 {
		return "broken", nil
	}
	age := false
	for line := range strings.Lines(string(body)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "mode":
			mode = value
		case "mx":
			mx = append(mx, value)
		case "max_age":
			age = true
		}
		if !ok {
			return "broken", nil
		}
	}
	if !age || !slices.Contains([]string{"enforce", "testing", "none"}, mode) {
		return "broken", nil
	}
	return mode, mx
}

func TestSTS(t *testing.T) {
	w := start(t, Options{})
	for _, s := range w.scenarios {
		if s.Trick != NoTrick {
			continue // trick_test.go has them
		}
		mode, mx := stsOf(t, w, s.domain())
		if mode != s.STS {
			t.Errorf("%s: %q, want %q", s.Name, mode, s.STS)
		}
		if mode == "" {
			continue
		}
		if m := secureAsk(t, w, "_smtp._tls."+s.domain(), dns.TypeTXT); s.Name != "sts-short" && len(m.Answer) != 1 || len(m.Answer) > 0 &&
			m.Answer[0].(*dns.TXT).Txt[0] != "v=TLSRPTv1; rua=mailto:tls-reports@"+s.domain() {
			t.Errorf("%s: TLS-RPT %v", s.Name, m.Answer)
		}
		host, _ := firstMX(t, w, s.domain())
		_, parent, _ := strings.Cut(host, ".")
		listed := slices.ContainsFunc(mx, func(p string) bool { return p+"." == host || p+"." == "*."+parent })
		if outside := s.Name == "sts-wrongmx" || s.Name == "sts-dane"; mode != "broken" && listed == outside {
			t.Errorf("%s: %s listed by %q: %v", s.Name, host, mx, listed)
		}
	}
}

// TestPolicyHosts is why each policy is broken.
func TestPolicyHosts(t *testing.T) {
	w := start(t, Options{})
	for _, test := range []struct {
		url    string
		status int
		head   string // the media type and, of a redirect, where to
		size   int
	}{
		{"good.test" + policyPath, 200, "text/plain", 86},
		{"good.test/", 404, "text/plain", 0},
		{"sts-404.test" + policyPath, 404, "text/plain", 14},
		{"sts-redirect.test" + policyPath, 301, "text/plain https://mta-sts.sts-redirect.test/policy.txt", 0},
		{"sts-redirect.test/policy.txt", 200, "text/plain", 75},
		{"sts-wrongtype.test" + policyPath, 200, "text/html; charset=utf-8", 76},
		{"sts-toolarge.test" + policyPath, 200, "text/plain", 70000},
	} {
		r, err := browser(t, w).Get("https://mta-sts." + test.url)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		head := strings.TrimSpace(r.Header.Get("Content-Type") + " " + r.Header.Get("Location"))
		if err != nil || r.StatusCode != test.status || head != test.head || len(body) != test.size {
			t.Errorf("%s: %d %s, %d octets, %v", test.url, r.StatusCode, head, len(body), err)
		}
	}
	var expired x509.CertificateInvalidError
	if _, err := browser(t, w).Get("https://mta-sts.sts-expired.test" + policyPath); !errors.As(err, &expired) || expired.Reason != x509.Expired {
		t.Errorf("sts-expired: %v", err)
	}
	var name x509.HostnameError
	if _, err := browser(t, w).Get("https://mta-sts.sts-wrongname.test" + policyPath); !errors.As(err, &name) {
		t.Errorf("sts-wrongname: %v", err)
	}
	r, err := browser(t, w).Head("https://mta-sts.good.test" + policyPath)
	if err != nil || r.ContentLength != 86 {
		t.Errorf("HEAD: %v, %v", r, err)
	}
	if r, err = browser(t, w).Post("https://mta-sts.good.test"+policyPath, "text/plain", strings.NewReader("x")); err != nil || r.StatusCode != 405 {
		t.Errorf("POST: %v, %v", r, err)
	}
	// A client that ends, or sends no HTTP, does no harm.
	for _, sent := range []string{"", "EHLO client.test\r\n", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", maxRequest)} {
		c := tls.Client(dial(t, w, "mta-sts.good.test:443"), &tls.Config{RootCAs: w.Roots(), ServerName: "mta-sts.good.test"})
		_, err := io.WriteString(c, sent)
		if err = errors.Join(err, c.CloseWrite()); err != nil {
			t.Fatal(err)
		}
		if all, err := io.ReadAll(c); len(all) > 0 || err != nil {
			t.Errorf("%.20q: %q, %v", sent, all, err)
		}
	}
}

func TestPolicyLog(t *testing.T) {
	var log strings.Builder
	w, err := Start(t.Context(), Options{Log: func(s string) {
		s, _, _ = strings.Cut(s, " TLS_") // the suite is the processor's choice
		log.WriteString(s + "\n")
	}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := browser(t, w).Get("https://mta-sts.sts.test" + policyPath)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `mta-sts.sts.test:443 -- connection
mta-sts.sts.test:443 -- TLS 1.3
mta-sts.sts.test:443 C: GET /.well-known/mta-sts.txt
mta-sts.sts.test:443 S: 200 text/plain, 64 octets
mta-sts.sts.test:443 -- closed
`
	if d := cmp.Diff(want, log.String()); d != "" {
		t.Error(d)
	}
}
