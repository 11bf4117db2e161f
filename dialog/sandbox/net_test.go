package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/smtp"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"golang.org/x/net/proxy"
)

// ask asks the world's DNS server; the answer's records in text, tabs as spaces.
func ask(t *testing.T, w *World, network, name string, qtype uint16) (m *dns.Msg, answer, authority []string) {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	c := &dns.Client{Net: network, Timeout: 10 * time.Second}
	m, _, err := c.Exchange(q, w.DNS())
	if err != nil {
		t.Fatal(err)
	}
	text := func(all []dns.RR) (s []string) {
		for _, rr := range all {
			s = append(s, strings.Join(strings.Fields(rr.String()), " "))
		}
		return s
	}
	return m, text(m.Answer), text(m.Ns)
}

func TestDNS(t *testing.T) {
	w := start(t, Options{})
	soa := func(apex string) []string {
		return []string{apex + " 3600 IN SOA ns.test. hostmaster.test. 1 3600 600 86400 300"}
	}
	for _, test := range []struct {
		name      string
		qtype     uint16
		rcode     int
		answer    []string
		authority []string
	}{
		{"good.test.", dns.TypeMX, 0, []string{"good.test. 3600 IN MX 10 mx1.good.test.", "good.test. 3600 IN MX 20 mx2.good.test."}, nil},
		{"GOOD.test.", dns.TypeMX, 0, []string{"good.test. 3600 IN MX 10 mx1.good.test.", "good.test. 3600 IN MX 20 mx2.good.test."}, nil},
		{"mx1.good.test.", dns.TypeA, 0, []string{"mx1.good.test. 3600 IN A 192.0.2.10"}, nil},
		{"mx1.good.test.", dns.TypeAAAA, 0, []string{"mx1.good.test. 3600 IN AAAA 2001:db8::10"}, nil},
		{"mx1.good.test.", dns.TypeTXT, 0, nil, soa("good.test.")},
		{"no.good.test.", dns.TypeA, dns.RcodeNameError, nil, soa("good.test.")},
		{"good.test.", dns.TypeNS, 0, []string{"good.test. 3600 IN NS ns.test."}, nil},
		{"unknown.test.", dns.TypeMX, dns.RcodeNameError, nil, soa("test.")},
		{"test.", dns.TypeSOA, 0, soa("test."), nil},
		{"ns.test.", dns.TypeA, 0, []string{"ns.test. 3600 IN A 127.0.0.1"}, nil},
		{"nullmx.test.", dns.TypeMX, 0, []string{"nullmx.test. 3600 IN MX 0 ."}, nil},
		{"nomx.test.", dns.TypeMX, 0, nil, soa("nomx.test.")},
		{"nomx.test.", dns.TypeA, 0, nil, soa("nomx.test.")},
		{"implicit.test.", dns.TypeMX, 0, nil, soa("implicit.test.")},
		{"implicit.test.", dns.TypeA, 0, []string{"implicit.test. 3600 IN A 192.0.2.21"}, nil},
		{"privatemx.test.", dns.TypeMX, 0, []string{"privatemx.test. 3600 IN MX 10 mx1.privatemx.test."}, nil},
		{"mx1.privatemx.test.", dns.TypeA, 0, []string{"mx1.privatemx.test. 3600 IN A 10.0.0.5"}, nil},
		{"mail.cnamemx.test.", dns.TypeA, 0, []string{"mail.cnamemx.test. 3600 IN CNAME mx1.cnamemx.test.",
			"mx1.cnamemx.test. 3600 IN A 192.0.2.38"}, nil},
		{"mail.cnamemx.test.", dns.TypeAAAA, 0, []string{"mail.cnamemx.test. 3600 IN CNAME mx1.cnamemx.test."}, soa("cnamemx.test.")},
		{"mail.cnamemx.test.", dns.TypeCNAME, 0, []string{"mail.cnamemx.test. 3600 IN CNAME mx1.cnamemx.test."}, nil},
		{"a.loop.test.", dns.TypeA, 0, []string{"a.loop.test. 3600 IN CNAME b.loop.test.", "b.loop.test. 3600 IN CNAME a.loop.test."}, nil},
		{"banner.drops.test.", dns.TypeMX, 0, []string{"banner.drops.test. 3600 IN MX 10 mx2.drops.test."}, nil},
		{"servfail.test.", dns.TypeMX, dns.RcodeServerFailure, nil, nil},
		{"mx1.servfail.test.", dns.TypeA, dns.RcodeServerFailure, nil, nil},
		{"xn--bcher-kva.test.", dns.TypeMX, 0, []string{"xn--bcher-kva.test. 3600 IN MX 10 mx1.xn--bcher-kva.test."}, nil},
		{"10.2.0.192.in-addr.arpa.", dns.TypePTR, 0, []string{"10.2.0.192.in-addr.arpa. 3600 IN PTR mx1.good.test."}, nil},
		{"9.2.0.192.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, nil, soa("2.0.192.in-addr.arpa.")},
		{"5.0.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, nil, soa("10.in-addr.arpa.")},
		{"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", dns.TypePTR, 0,
			[]string{"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 3600 IN PTR mx1.good.test."}, nil},
		{"0.0.8.b.d.0.1.0.0.2.ip6.arpa.", dns.TypePTR, 0, nil, soa("8.b.d.0.1.0.0.2.ip6.arpa.")},
		{"example.com.", dns.TypeMX, dns.RcodeRefused, nil, nil},
		{"1.1.1.1.in-addr.arpa.", dns.TypePTR, dns.RcodeRefused, nil, nil},
		{".", dns.TypeNS, dns.RcodeRefused, nil, nil},
	} {
		for _, network := range []string{"udp", "tcp"} {
			m, answer, authority := ask(t, w, network, test.name, test.qtype)
			if m.Rcode != test.rcode || m.Authoritative != (test.rcode != dns.RcodeRefused) || m.Truncated {
				t.Errorf("%s %s: %v", network, test.name, &m.MsgHdr)
			}
			if d := cmp.Diff(test.answer, answer) + cmp.Diff(test.authority, authority); d != "" {
				t.Errorf("%s %s %s: %s", network, test.name, dns.TypeToString[test.qtype], d)
			}
		}
	}
}

func TestDNSTruncates(t *testing.T) {
	w := start(t, Options{Scenarios: []Scenario{{Name: "big", Zone: "@ TXT " + strings.Repeat("x", 200) +
		"\n@ TXT " + strings.Repeat("y", 200) + "\n@ TXT " + strings.Repeat("z", 200)}}})
	if m, _, _ := ask(t, w, "udp", "big.test.", dns.TypeTXT); !m.Truncated {
		t.Error("over 512 octets without TC")
	}
	if m, answer, _ := ask(t, w, "tcp", "big.test.", dns.TypeTXT); m.Truncated || len(answer) != 3 {
		t.Errorf("TCP: %v", m)
	}
	q := new(dns.Msg)
	q.SetQuestion("big.test.", dns.TypeTXT).SetEdns0(1232, true)
	m, _, err := new(dns.Client).Exchange(q, w.DNS())
	if err != nil || m.Truncated || len(m.Answer) != 3 || m.IsEdns0() == nil || !m.IsEdns0().Do() {
		t.Errorf("EDNS0: %v, %v", m, err)
	}
}

func TestDial(t *testing.T) {
	w := start(t, Options{})
	for _, test := range []struct {
		network, addr, remote string
		err                   error
	}{
		{"tcp", "192.0.2.10:25", "192.0.2.10:25", nil},
		{"tcp", "[2001:db8::10]:25", "[2001:db8::10]:25", nil},
		{"tcp", "[::ffff:192.0.2.10]:25", "192.0.2.10:25", nil},
		{"tcp", "MX1.good.test:25", "192.0.2.10:25", nil},
		{"tcp6", "mx1.good.test:25", "[2001:db8::10]:25", nil},
		{"tcp", "mail.cnamemx.test:25", "192.0.2.38:25", nil},
		{"tcp", "192.0.2.10:26", "192.0.2.10:26", syscall.ECONNREFUSED},
		{"tcp", "192.0.2.15:25", "192.0.2.15:25", syscall.ECONNREFUSED},
		{"tcp", "192.0.2.22:25", "192.0.2.22:25", syscall.ECONNREFUSED},
		{"tcp", "203.0.113.253:25", "203.0.113.253:25", syscall.EHOSTUNREACH},
		{"tcp", "10.0.0.5:25", "10.0.0.5:25", syscall.ENETUNREACH},
		{"tcp", "127.0.0.1:25", "127.0.0.1:25", syscall.ENETUNREACH},
		{"tcp", w.DNS(), w.DNS(), syscall.ENETUNREACH},
	} {
		c, err := w.Dial(t.Context(), test.network, test.addr)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v, want %v", test.addr, err, test.err)
		}
		if err == nil {
			if got := c.RemoteAddr().String(); got != test.remote {
				t.Errorf("%s: remote address %s", test.addr, got)
			}
			_ = c.Close()
			continue
		}
		var op *net.OpError
		if !errors.As(err, &op) || op.Addr.String() != test.remote || op.Op != "dial" {
			t.Errorf("%s: %#v", test.addr, err)
		}
	}
	for _, addr := range []string{"nosuch.test:25", "example.com:25", "192.0.2.10", "192.0.2.10:smtp", "192.0.2.10:70000", ":25"} {
		if _, err := w.Dial(t.Context(), "tcp", addr); err == nil {
			t.Errorf("%s: no error", addr)
		}
	}
	if _, err := w.Dial(t.Context(), "udp", "192.0.2.10:25"); err == nil {
		t.Error("udp: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Dial(ctx, "tcp", "192.0.2.10:25"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestCertificates(t *testing.T) {
	now := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	w := start(t, Options{Now: func() time.Time { return now }})
	for _, test := range []struct {
		addr, name string
		days       int // until it expires
		check      func(error) bool
	}{
		{"192.0.2.10:25", "mx1.good.test", 61, func(err error) bool { return err == nil }},
		{"[2001:db8::11]:25", "mx2.good.test", 61, func(err error) bool { return err == nil }},
		{"192.0.2.31:25", "mx1.expired.test", -20, invalid(x509.Expired)},
		{"192.0.2.32:25", "mx1.notyet.test", 100, invalid(x509.Expired)},
		{"192.0.2.33:25", "mx1.selfsigned.test", 61, func(err error) bool {
			var unknown x509.UnknownAuthorityError
			return errors.As(err, &unknown)
		}},
		{"192.0.2.34:25", "mx1.wrongname.test", 61, func(err error) bool {
			var host x509.HostnameError
			return errors.As(err, &host) && slices.Contains(host.Certificate.DNSNames, "*.hosting.example")
		}},
	} {
		c, err := smtp.NewClient(dial(t, w, test.addr), test.name)
		if err != nil {
			t.Fatal(err)
		}
		var leaf *x509.Certificate
		err = c.StartTLS(&tls.Config{ServerName: test.name, RootCAs: w.Roots(), Time: w.opt.Now,
			VerifyConnection: func(s tls.ConnectionState) error { return nil }})
		if !test.check(err) {
			t.Errorf("%s: %v", test.addr, err)
		}
		c, err = smtp.NewClient(dial(t, w, test.addr), test.name)
		if err != nil {
			t.Fatal(err)
		}
		err = c.StartTLS(&tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
			leaf = s.PeerCertificates[0]
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		hours := leaf.NotAfter.Sub(now).Hours()
		if days := int(hours / 24); days != test.days {
			t.Errorf("%s: %d days left, want %d", test.addr, days, test.days)
		}
	}
	block, rest := pem.Decode(w.CAPEM())
	if block == nil || len(rest) > 0 {
		t.Fatalf("%q", w.CAPEM())
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if pool := x509.NewCertPool(); err != nil {
		t.Error(err)
	} else if pool.AddCert(root); !pool.Equal(w.Roots()) {
		t.Error("CAPEM is not what Roots holds")
	}
}

func invalid(reason x509.InvalidReason) func(error) bool {
	return func(err error) bool {
		var e x509.CertificateInvalidError
		return errors.As(err, &e) && e.Reason == reason
	}
}

// TestLibraryClient lets a client that is not ours deliver a message.
func TestLibraryClient(t *testing.T) {
	var got []Received
	w := start(t, Options{Received: func(r Received) { got = append(got, r) }})
	c, err := smtp.NewClient(dial(t, w, "192.0.2.10:25"), "mx1.good.test")
	if err != nil {
		t.Fatal(err)
	}
	body := "Subject: x\r\n\r\n.\r\n..\r\nend\r\n"
	steps := []error{c.Hello("client.test"), c.StartTLS(&tls.Config{ServerName: "mx1.good.test", RootCAs: w.Roots()}),
		c.Mail("a@client.test"), c.Rcpt("alice@good.test")}
	wc, err := c.Data()
	if err = errors.Join(append(steps, err)...); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(wc, body)
	if err = errors.Join(err, wc.Close(), c.Quit()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || string(got[0].Data) != body || got[0].TLS != tls.VersionTLS13 {
		t.Errorf("%+v", got)
	}
}

func TestSOCKS(t *testing.T) {
	w := start(t, Options{SOCKSAddr: "127.0.0.1:0"})
	dialer, err := proxy.FromURL(&url.URL{Scheme: "socks5", Host: w.SOCKS()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"192.0.2.10:25", "[2001:db8::10]:25", "mx1.good.test:25"} {
		c, err := dialer.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("%s: %v", addr, err)
		}
		_, _ = io.WriteString(c, "QUIT\r\n")
		all, err := io.ReadAll(c)
		if want := "220 mx1.good.test ESMTP ehlo sandbox\r\n221 mx1.good.test closing\r\n"; string(all) != want || err != nil {
			t.Errorf("%s: %q, %v", addr, all, err)
		}
		_ = c.Close()
	}
	for addr, want := range map[string]string{
		"192.0.2.10:26":                 "connection refused",
		"203.0.113.253:25":              "host unreachable",
		"nosuch.test:25":                "host unreachable",
		"10.0.0.5:25":                   "not allowed",
		w.SOCKS():                       "not allowed",
		"[::1]:25":                      "not allowed",
		strings.Repeat("x", 250) + ":1": "host unreachable",
	} {
		if _, err := dialer.Dial("tcp", addr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", addr, err, want)
		}
	}
	for _, test := range []struct{ sent, want string }{
		{"\x05\x01\x02", "\x05\xff"},                 // only by password
		{"\x04\x01\x00\x19\xc0\x00\x02\x0a\x00", ""}, // SOCKS 4
		{"\x05\x01\x00\x05\x02\x00\x01\xc0\x00\x02\x0a\x00\x19", "\x05\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"}, // BIND
		{"\x05\x01\x00\x05\x01\x00\x09", "\x05\x00\x05\x08\x00\x01\x00\x00\x00\x00\x00\x00"},                         // no such type
	} {
		c, err := net.Dial("tcp", w.SOCKS())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, test.sent)
		_ = c.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(c)
		if string(got) != test.want {
			t.Errorf("%q: %q, want %q", test.sent, got, test.want)
		}
		_ = c.Close()
	}
}

func TestAddressesInUse(t *testing.T) {
	w := start(t, Options{})
	if _, err := Start(t.Context(), Options{DNSAddr: w.DNS()}); err == nil {
		t.Error("two DNS servers on one port")
	}
	if _, err := Start(t.Context(), Options{SOCKSAddr: w.DNS()}); err == nil {
		t.Error("a SOCKS server on the DNS server's port")
	}
}
