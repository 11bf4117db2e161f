package sandbox

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestTricks asks each domain that has a trick, octet by octet.
func TestTricks(t *testing.T) {
	w := start(t, Options{})
	seen := map[Trick]bool{NoTrick: true}
	for _, s := range w.scenarios {
		if s.Trick == NoTrick {
			continue
		}
		seen[s.Trick] = true
		q := new(dns.Msg)
		q.SetQuestion(s.domain()+".", dns.TypeMX)
		octets, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("udp", w.DNS())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(octets); err != nil {
			t.Fatal(err)
		}
		if s.Trick == TrickMute {
			_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		} else {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		}
		buf := make([]byte, 1<<16)
		n, err := c.Read(buf)
		_ = c.Close()
		m := new(dns.Msg)
		broken := err == nil && m.Unpack(buf[:n]) != nil
		ok := false
		switch s.Trick {
		case TrickMute:
			ok = err != nil
		case TrickGarbage, TrickShort:
			ok = broken
		case TrickID, TrickForged:
			ok = !broken && m.Id != q.Id
		case TrickQuestion:
			ok = m.Id == q.Id && m.Question[0].Name != q.Question[0].Name
		case TrickOwner:
			ok = m.Id == q.Id && len(m.Answer) == 1 && m.Answer[0].Header().Name != q.Question[0].Name
		case TrickCut, TrickLater:
			ok = m.Truncated && len(m.Answer) == 0
		case TrickLarge:
			ok = n > 50_000 && len(m.Answer) == 1
		case TrickPoison:
			ok = len(m.Answer) == 1 && len(m.Extra) == 2
		}
		if !ok {
			t.Errorf("%s: %v, %v", s.Name, m, err)
		}
	}
	for trick := NoTrick; trick <= TrickPoison; trick++ {
		if !seen[trick] {
			t.Errorf("no domain has trick %d", trick)
		}
	}
}

// TestZonesThatLeadAstray is what the odd zones say.
func TestZonesThatLeadAstray(t *testing.T) {
	w := start(t, Options{})
	for _, test := range []struct {
		name    string
		qtype   uint16
		answers int
	}{
		{"dns-manymx.test.", dns.TypeMX, 301},
		{"mx1.dns-manyaddr.test.", dns.TypeAAAA, 500},
		{"a0.dns-chain.test.", dns.TypeA, 13},
		{"dns-nullmix.test.", dns.TypeMX, 2},
		{`\027[31m\226\128\174mx1.dns-evil.test.`, dns.TypeA, 1},
	} {
		q := new(dns.Msg)
		q.SetQuestion(test.name, test.qtype)
		m, _, err := (&dns.Client{Net: "tcp"}).Exchange(q, w.DNS())
		if err != nil || len(m.Answer) != test.answers {
			t.Errorf("%s: %d records, want %d: %v", test.name, len(m.Answer), test.answers, err)
		}
	}
}
