package sandbox

import (
	"net"
	"strings"

	"github.com/miekg/dns"
)

// Trick is what a DNS server does in place of an honest answer.
type Trick int

// The tricks. NoTrick is an honest server.
const (
	NoTrick       Trick = iota
	TrickID             // the answer has the id of another question
	TrickQuestion       // the answer repeats another question
	TrickOwner          // the records are of another name than the one in question
	TrickCut            // every answer is cut short (TC) and empty, over TCP too
	TrickMute           // no answer at all
	TrickLater          // cut short over UDP, and no answer over TCP
	TrickGarbage        // octets that are no DNS message, behind the right id
	TrickShort          // half a header
	TrickLarge          // an answer of 60,000 octets, over UDP without regard to what the client takes
	TrickForged         // a hundred forged answers with wrong ids ahead of the right one
	TrickPoison         // addresses of other hosts in the additional section, and of the own one a wrong one
)

// trick gives what the server of the domain that name is of does.
func (z *zones) trick(name string) Trick {
	labels := dns.SplitDomainName(strings.ToLower(name))
	if n := len(labels); n >= 2 && labels[n-1] == "test" {
		for _, s := range z.all {
			if s.Name == labels[n-2] {
				return s.Trick
			}
		}
	}
	return NoTrick
}

// tricked are the messages that t makes of the honest answer m, in the order in
// which they go out.
func tricked(t Trick, m *dns.Msg, udp bool) ([][]byte, error) {
	switch t {
	case TrickMute:
		return nil, nil
	case TrickLater:
		if !udp {
			return nil, nil
		}
		cut(m)
	case TrickCut:
		cut(m)
	case TrickID:
		m.Id++
	case TrickQuestion:
		m.Question[0].Name = "elsewhere.test."
	case TrickOwner:
		for _, rr := range m.Answer {
			rr.Header().Name = "elsewhere.test."
		}
	case TrickLarge:
		filler := &dns.TXT{Hdr: header(m.Question[0].Name, dns.TypeTXT), Txt: []string{strings.Repeat("x", 200)}}
		for range 60_000 / 216 {
			m.Extra = append(m.Extra, filler)
		}
	case TrickPoison:
		m.Extra = append(m.Extra, address("mx1.dns-poison.test.", "192.0.2.18"), address("mx1.good.test.", "192.0.2.18"))
	}
	octets, err := m.Pack()
	if err != nil {
		return nil, err
	}
	switch t {
	case TrickGarbage:
		garbage := append([]byte{}, octets[:2]...)
		for i := range 300 {
			garbage = append(garbage, byte(i*7)|0x80)
		}
		return [][]byte{garbage}, nil
	case TrickShort:
		return [][]byte{octets[:6]}, nil
	case TrickForged:
		var all [][]byte
		forged := m.Copy()
		forged.Answer, forged.Rcode = nil, dns.RcodeNameError
		for i := range 100 {
			forged.Id = m.Id + uint16(i) + 1
			octets, err := forged.Pack()
			if err != nil {
				return nil, err
			}
			all = append(all, octets)
		}
		return append(all, octets), nil
	}
	return [][]byte{octets}, nil
}

// cut leaves nothing of an answer but that it was longer.
func cut(m *dns.Msg) { m.Truncated, m.Answer, m.Ns = true, nil, nil }

// overUDP reports whether a question came in a datagram.
func overUDP(rw dns.ResponseWriter) bool {
	_, udp := rw.LocalAddr().(*net.UDPAddr)
	return udp
}
