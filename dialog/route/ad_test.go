package route

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"github.com/miekg/dns"
)

// Whose AD bit is believed, for records and for denials.
func TestWhoVouches(t *testing.T) {
	a := newAuthority(t)
	for _, tt := range []struct {
		at       string
		tls      bool
		trust    bool
		believed bool
	}{
		{"127.0.0.1", false, false, true},
		{"::1", false, false, true},
		{"127.0.0.2", false, false, false},
		{"127.0.0.11", false, false, false}, // a container's forwarder
		{"127.0.0.53", false, false, false}, // systemd-resolved
		{"127.0.0.2", false, true, true},
		{"127.0.0.2", true, false, true},
	} {
		name := tt.at
		if tt.tls {
			name += " over TLS"
		}
		if tt.trust {
			name += " trusted"
		}
		t.Run(name, func(t *testing.T) {
			z := newZone(t, `
				SECURE
				example.net. 60 IN MX 10 mx.example.net.
				mx.example.net. 60 IN A 192.0.2.1
				insecure.test. 60 IN MX 10 mx.example.net.
			`)
			var server Server
			if tt.tls {
				server = tlsZone(t, a, tt.at, z)
			} else {
				server = serveAt(t, tt.at, z.ServeDNS)
			}
			c := dotClient(t, a, server)
			c.TrustAD = tt.trust
			var told []Query
			c.Trace = func(q Query) { told = append(told, q) }
			doubted := server.String()
			if tt.believed {
				doubted = ""
			}

			ctx := background(t)
			mx, err := c.MX(ctx, "example.net")
			if err != nil || mx.Authentic != tt.believed || mx.Doubted != doubted || mx.Server != server.String() {
				t.Errorf("%+v, %v", mx, err)
			}
			addr, err := c.Addr(ctx, "mx.example.net", Both)
			if err != nil || addr.Authentic != tt.believed || addr.Doubted != doubted {
				t.Errorf("%+v, %v", addr, err)
			}
			for name, kind := range map[string]Kind{"gone.test": NXDomain, "mx.example.net": NoData} {
				_, err := c.TXT(ctx, name)
				if e := wantKind(t, err, kind); e.Authentic != tt.believed || e.Doubted != doubted || e.Server != server.String() {
					t.Errorf("%+v", e)
				}
			}
			if mx, err := c.MX(ctx, "insecure.test"); err != nil || mx.Authentic || mx.Doubted != "" {
				t.Errorf("%+v, %v", mx, err)
			}
			_, err = c.MX(ctx, "gone.insecure.test")
			if e := wantKind(t, err, NXDomain); e.Authentic || e.Doubted != "" {
				t.Errorf("%+v", e)
			}
			if q := told[0]; !q.AD || q.Authentic != tt.believed {
				t.Errorf("%+v", q)
			}

			rt, err := To(ctx, c, "example.net", 25, Options{})
			if err != nil || rt.Authentic != tt.believed || rt.Doubted != doubted || rt.Hosts[0].Authentic != tt.believed || rt.Hosts[0].Doubted != doubted {
				t.Errorf("%+v, %v", rt, err)
			}
		})
	}
}

// tlsZone serves z over TLS at addr, without a name to prove.
func tlsZone(t *testing.T, a *authority, addr string, z *zone) Server {
	t.Helper()
	udp, tcp := listenAt(t, addr)
	_ = udp.Close()
	cert := a.issue(t, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.ParseIP(addr)} })
	started := make(chan struct{})
	s := &dns.Server{Listener: tls.NewListener(tcp, &tls.Config{Certificates: []tls.Certificate{cert}}),
		Handler: dns.HandlerFunc(z.ServeDNS), NotifyStartedFunc: func() { close(started) }}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	server := at(tcp.Addr())
	server.TLS = true
	return server
}

// The chain of aliases is as authentic as its weakest link, in one answer or in
// several, of one server or of two; and each link can be asked for by itself (RFC 7672 section 2.2.2).
func TestAliasesAreAsAuthenticAsTheWeakest(t *testing.T) {
	const text = `
		SECURE
		alias.test.     60 IN CNAME mx.test.
		mx.test.        60 IN A 192.0.2.1
		out.test.       60 IN CNAME mx.insecure.test.
		mx.insecure.test. 60 IN A 192.0.2.1
		dead.test.      60 IN CNAME gone.insecure.test.
		nodata.test.    60 IN CNAME mx.test.
		_25._tcp.mx.test. 60 IN TLSA 3 1 1 00ff
		example.net.    60 IN MX 10 alias.test.
	`
	z := newZone(t, text)
	stepwise := serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		z.answer(m, q.Question[0])
		if len(m.Answer) > 0 { // the first alias, and no word of where it leads
			m.Answer, m.Ns, m.Rcode = m.Answer[:1], nil, dns.RcodeSuccess
		}
		m.AuthenticatedData = q.Question[0].Name != "mx.insecure.test." && q.Question[0].Name != "gone.insecure.test."
		_ = w.WriteMsg(m)
	})
	whole := serve(t, z.ServeDNS)
	for what, c := range map[string]*Client{"whole": client(whole), "stepwise": client(stepwise)} {
		ctx := background(t)
		a, err := c.Addr(ctx, "alias.test", IPv4)
		if err != nil || !a.Authentic || a.Name != "mx.test" || len(a.Aliases) != 1 {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
		if a, err = c.Addr(ctx, "out.test", IPv4); err != nil || a.Authentic || a.Name != "mx.insecure.test" {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
		_, err = c.TXT(ctx, "dead.test")
		if e := wantKind(t, err, NXDomain); e.Authentic {
			t.Errorf("%s: %+v", what, e)
		}
		_, err = c.TXT(ctx, "nodata.test")
		if e := wantKind(t, err, NoData); !e.Authentic {
			t.Errorf("%s: %+v", what, e)
		}
	}

	ctx := background(t)
	// A secure alias of an insecure name is seen to be one.
	if cname, err := client(stepwise).CNAME(ctx, "out.test"); err != nil || !cname.Authentic || cname.Records[0] != "mx.insecure.test" {
		t.Errorf("%+v, %v", cname, err)
	}
	c := client(whole)
	rt, err := To(ctx, c, "example.net", 25, Options{Family: IPv4})
	if err != nil || rt.Hosts[0].Canonical != "mx.test" || !rt.Hosts[0].Authentic {
		t.Fatalf("%+v, %v", rt, err)
	}
	if tlsa, err := c.TLSA(ctx, rt.Hosts[0].Canonical, 25); err != nil || !tlsa.Authentic || len(tlsa.Records) != 1 {
		t.Errorf("%+v, %v", tlsa, err)
	}
	_, err = c.TLSA(ctx, rt.Hosts[0].Name, 25)
	if e := wantKind(t, err, NXDomain); !e.Authentic {
		t.Errorf("%+v", e)
	}
}

// A server that says secure and one that may not vouch make nothing that is secure.
func TestDoubtSpreads(t *testing.T) {
	p, doubt, none := proof{ad: true}, proof{ad: true, doubted: "192.0.2.53:53"}, proof{}
	for _, tt := range []struct {
		of        proof
		authentic bool
		doubted   string
	}{
		{p.and(p), true, ""}, {p.and(doubt), false, "192.0.2.53:53"}, {doubt.and(p), false, "192.0.2.53:53"},
		{p.and(none), false, ""}, {doubt.and(none), false, ""}, {none.and(none), false, ""},
	} {
		authentic, doubted := tt.of.verdict()
		if authentic != tt.authentic || doubted != tt.doubted {
			t.Errorf("%+v: %v, %q", tt.of, authentic, doubted)
		}
		if proven(authentic, doubted).ad != tt.of.ad {
			t.Errorf("%+v is not kept", tt.of)
		}
	}
}

// Both families are one answer: each has to be authentic.
func TestFamiliesVouchTogether(t *testing.T) {
	typed := func(secureA, secureAAAA bool) *Client {
		return client(serve(t, func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetReply(q)
			m.AuthenticatedData = secureA
			rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN A 192.0.2.1")
			if q.Question[0].Qtype == dns.TypeAAAA {
				m.AuthenticatedData = secureAAAA
				rr, _ = dns.NewRR(q.Question[0].Name + " 60 IN AAAA 2001:db8::1")
			}
			m.Answer = []dns.RR{rr}
			_ = w.WriteMsg(m)
		}))
	}
	for _, tt := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		a, err := typed(tt[0], tt[1]).Addr(background(t), "mx.test", Both)
		if err != nil || a.Authentic != (tt[0] && tt[1]) {
			t.Errorf("%v: %+v, %v", tt, a, err)
		}
	}
}
