package route

import (
	"context"

	"github.com/miekg/dns"
)

// CAA is a record that says which authorities may issue certificates for a name
// (RFC 8659 section 4.1).
type CAA struct {
	Critical bool   // an authority that does not know the tag must not issue
	Tag      string // "issue", "issuewild", "iodef", in lower case
	Value    string // raw bytes
}

// CAA asks which authorities may issue certificates for name, and looks no further
// up the tree (RFC 8659 section 3).
func (c *Client) CAA(ctx context.Context, name string) (Answer[CAA], error) {
	return lookup(ctx, c.ask, name, dns.TypeCAA, pickCAA)
}

func pickCAA(rr dns.RR) (CAA, bool) {
	caa, ok := rr.(*dns.CAA)
	if !ok {
		return CAA{}, false
	}
	return CAA{Critical: caa.Flag&0x80 != 0, Tag: lowerASCII(caa.Tag), Value: unescape(caa.Value)}, true
}

// lowerASCII is s with the letters that a tag may have in lower case.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
