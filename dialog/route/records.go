package route

import (
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

func pickMX(rr dns.RR) (MX, bool) {
	mx, ok := rr.(*dns.MX)
	if !ok || mx.Mx == "" {
		return MX{}, false
	}
	return MX{mx.Preference, trim(strings.ToLower(mx.Mx))}, true
}

func pickA(rr dns.RR) (netip.Addr, bool) {
	if a, ok := rr.(*dns.A); ok {
		addr, ok := netip.AddrFromSlice(a.A)
		return addr.Unmap(), ok
	}
	return netip.Addr{}, false
}

func pickAAAA(rr dns.RR) (netip.Addr, bool) {
	if a, ok := rr.(*dns.AAAA); ok {
		return netip.AddrFromSlice(a.AAAA)
	}
	return netip.Addr{}, false
}

func pickTXT(rr dns.RR) (string, bool) {
	txt, ok := rr.(*dns.TXT)
	if !ok {
		return "", false
	}
	return unescape(strings.Join(txt.Txt, "")), true
}

// unescape takes the escapes of RFC 1035 section 5.1, in which the library
// writes every string, back to bytes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i+2 < len(s) && isDigit(s[i]) && isDigit(s[i+1]) && isDigit(s[i+2]) {
			b.WriteByte((s[i]-'0')*100 + (s[i+1]-'0')*10 + s[i+2] - '0')
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func pickTLSA(rr dns.RR) (TLSA, bool) {
	t, ok := rr.(*dns.TLSA)
	if !ok {
		return TLSA{}, false
	}
	// Without data it is a record of no use, and not an answer without records.
	data, err := hex.DecodeString(t.Certificate)
	return TLSA{t.Usage, t.Selector, t.MatchingType, data}, err == nil
}

func pickPTR(rr dns.RR) (string, bool) {
	ptr, ok := rr.(*dns.PTR)
	if !ok || ptr.Ptr == "" {
		return "", false
	}
	return trim(strings.ToLower(ptr.Ptr)), true
}

func pickCNAME(rr dns.RR) (string, bool) {
	cname, ok := rr.(*dns.CNAME)
	if !ok || cname.Target == "" {
		return "", false
	}
	return trim(strings.ToLower(cname.Target)), true
}
