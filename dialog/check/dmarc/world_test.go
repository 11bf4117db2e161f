package dmarc

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// zone is what the test's DNS server says: TXT records by name. "SERVFAIL" in place of a
// record is that; a name that is not there exists if one below it is.
type zone map[string][]string

func (z zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	name := strings.ToLower(strings.TrimSuffix(q.Question[0].Name, "."))
	texts, ok := z[name]
	if !ok {
		m.Rcode = dns.RcodeNameError
		for other := range z {
			if strings.HasSuffix(other, "."+name) {
				m.Rcode = dns.RcodeSuccess
			}
		}
	}
	for _, text := range texts {
		if text == "SERVFAIL" {
			m.Rcode = dns.RcodeServerFailure
			break
		}
		var parts []string
		for ; len(text) > 200; text = text[200:] {
			parts = append(parts, text[:200])
		}
		m.Answer = append(m.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT,
			Class: dns.ClassINET, Ttl: 60}, Txt: append(parts, text)})
	}
	_ = w.WriteMsg(m)
}

// serve asks a real server that knows z; asked gives the names that it was asked for.
func serve(t testing.TB, z zone) (l Lookup, asked func() []string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: pc, Handler: z}
	started := make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	server, err := route.ParseServer(pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	c := &route.Client{Servers: []route.Server{server}, Timeout: 5 * time.Second,
		Trace: func(q route.Query) { names = append(names, q.Name) }}
	return c, func() []string { return names }
}
