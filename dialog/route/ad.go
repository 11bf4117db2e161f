package route

import (
	"cmp"

	"github.com/miekg/dns"
)

// proof is what answers say of DNSSEC by their AD bit (RFC 4035 section 3.2.3),
// and whether it is believed.
type proof struct {
	ad      bool   // set in every answer
	doubted string // a server that set it, and may not vouch for it
}

// proof is what an answer of s with this AD bit is worth.
func (c *Client) proof(s Server, ad bool) proof {
	if ad && !c.TrustAD && !s.vouches() {
		return proof{ad: true, doubted: s.String()}
	}
	return proof{ad: ad}
}

// and joins what two answers are worth together.
func (p proof) and(o proof) proof {
	return proof{ad: p.ad && o.ad, doubted: cmp.Or(p.doubted, o.doubted)}
}

// verdict gives the fields of an Answer.
func (p proof) verdict() (authentic bool, doubted string) {
	if !p.ad {
		return false, ""
	}
	return p.doubted == "", p.doubted
}

// proven is the proof that verdict gave these fields of.
func proven(authentic bool, doubted string) proof {
	return proof{ad: authentic || doubted != "", doubted: doubted}
}

// saysDefinite reports whether m has or denies records: the AD bit of a failure means nothing.
func saysDefinite(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError
}
