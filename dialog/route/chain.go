package route

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// reply is what one answer says to a question, its aliases followed as far as
// it holds them. It may have no records.
type reply struct {
	name     string   // the owner of the records, or where the aliases end
	aliases  []string // the owners of the CNAMEs followed, the name asked for first
	records  []dns.RR
	nxdomain bool
	final    bool // without records: the end of the aliases was looked at (RFC 2308 section 2.2)
	proof    proof
	ttl      time.Duration
	keep     time.Duration // how long it may be remembered
	server   string
}

// asker asks one question and follows nothing.
type asker func(context.Context, question) (*reply, error)

// decode reads m as the answer to q. Only what the owner chain from q.name leads
// to counts: whatever else is in the message is nobody's answer.
func decode(q question, m *dns.Msg, server string) (*reply, error) {
	fail := func(kind Kind, err error) (*reply, error) {
		return nil, &Error{Name: trim(q.name), Type: dns.TypeToString[q.typ], Server: server, Kind: kind, Err: err}
	}
	records, aliases := byOwner(q.typ, m.Answer)
	r := &reply{name: q.name, proof: proof{ad: m.AuthenticatedData}, server: server, nxdomain: m.Rcode == dns.RcodeNameError}
	seen := map[string]bool{q.name: true}
	var passed []dns.RR
	for records[r.name] == nil && q.typ != dns.TypeCNAME {
		alias := aliases[r.name]
		if alias == nil {
			break
		}
		r.aliases = append(r.aliases, r.name)
		passed = append(passed, alias)
		r.name = strings.ToLower(alias.Target)
		if seen[r.name] {
			return fail(Loop, nil)
		}
		if len(r.aliases) > maxAliases {
			return fail(TooMany, errTooManyAliases())
		}
		seen[r.name] = true
	}
	if !r.nxdomain {
		r.records = records[r.name]
	}
	r.ttl = leastTTL(append(passed, r.records...))
	r.keep = r.ttl
	if len(r.records) > 0 {
		return r, nil
	}
	soa := startOfAuthority(m.Ns, r.name)
	r.final = r.nxdomain || soa != nil || len(r.aliases) == 0
	r.keep = 0
	if soa != nil { // RFC 2308 section 5
		r.keep = time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second
	}
	if soa == nil && !r.nxdomain && len(r.aliases) == 0 && isReferral(m) {
		return fail(Refused, errors.New("it refers to other servers: it does not look names up for its clients"))
	}
	return r, nil
}

func errTooManyAliases() error {
	return fmt.Errorf("more than %d CNAME records in a row", maxAliases)
}

// byOwner sorts an answer section: the records of the type asked for, and the
// first CNAME of every name.
func byOwner(typ uint16, section []dns.RR) (records map[string][]dns.RR, aliases map[string]*dns.CNAME) {
	records, aliases = map[string][]dns.RR{}, map[string]*dns.CNAME{}
	for _, rr := range section {
		h := rr.Header()
		if h.Class != dns.ClassINET {
			continue
		}
		owner := strings.ToLower(h.Name)
		if h.Rrtype == typ {
			records[owner] = append(records[owner], rr)
		}
		if cname, ok := rr.(*dns.CNAME); ok && aliases[owner] == nil {
			aliases[owner] = cname
		}
	}
	return records, aliases
}

// startOfAuthority finds the SOA that makes a missing record definite for name.
func startOfAuthority(section []dns.RR, name string) *dns.SOA {
	for _, rr := range section {
		if soa, ok := rr.(*dns.SOA); ok && dns.IsSubDomain(soa.Hdr.Name, name) {
			return soa
		}
	}
	return nil
}

// isReferral reports whether m only says whom else to ask (RFC 1034 section 4.3.1).
func isReferral(m *dns.Msg) bool {
	if m.Authoritative || m.RecursionAvailable {
		return false
	}
	for _, rr := range m.Ns {
		if rr.Header().Rrtype == dns.TypeNS {
			return true
		}
	}
	return false
}

// leastTTL is the shortest life among rrs. One with the top bit set is 0
// (RFC 2181 section 8).
func leastTTL(rrs []dns.RR) time.Duration {
	least := uint32(0)
	for i, rr := range rrs {
		ttl := rr.Header().Ttl
		if ttl > 1<<31-1 {
			ttl = 0
		}
		if i == 0 || ttl < least {
			least = ttl
		}
	}
	return time.Duration(least) * time.Second
}

// lookup asks for name, asks again where the aliases of an answer lead out of
// it, and picks its records.
func lookup[T any](ctx context.Context, ask asker, name string, typ uint16, pick func(dns.RR) (T, bool)) (Answer[T], error) {
	start := time.Now()
	r, err := follow(ctx, ask, name, typ)
	if err != nil {
		return Answer[T]{}, err
	}
	a := Answer[T]{TTL: r.ttl, Name: trim(r.name), Server: r.server}
	a.Authentic, a.Doubted = r.proof.verdict()
	for _, alias := range r.aliases {
		a.Aliases = append(a.Aliases, trim(alias))
	}
	for _, rr := range r.records {
		if record, ok := pick(rr); ok {
			a.Records = append(a.Records, record)
		}
	}
	if len(a.Records) == 0 {
		return Answer[T]{}, &Error{Name: trim(r.name), Type: dns.TypeToString[typ], Server: r.server,
			Kind: Malformed, Err: errors.New("its records are empty")}
	}
	a.Took = time.Since(start)
	return a, nil
}

// follow joins the replies along the aliases of name; the last has records.
func follow(ctx context.Context, ask asker, name string, typ uint16) (*reply, error) {
	fqdn, ok := canonical(name)
	if !ok {
		return nil, &Error{Name: name, Type: dns.TypeToString[typ], Kind: BadName}
	}
	all := &reply{name: fqdn, proof: proof{ad: true}}
	seen := map[string]bool{}
	for {
		seen[all.name] = true
		r, err := ask(ctx, question{all.name, typ})
		if err != nil {
			return nil, err
		}
		fail := func(kind Kind, err error) (*reply, error) {
			e := &Error{Name: trim(fqdn), Type: dns.TypeToString[typ], Server: r.server, Kind: kind, Err: err}
			if e.Definite() {
				e.Authentic, e.Doubted = all.proof.verdict()
			}
			return nil, e
		}
		all.proof = all.proof.and(r.proof)
		if len(all.aliases) == 0 || r.ttl < all.ttl {
			all.ttl = r.ttl
		}
		all.aliases = append(all.aliases, r.aliases...)
		all.name, all.records, all.server = r.name, r.records, r.server
		switch {
		case len(all.aliases) > maxAliases:
			return fail(TooMany, errTooManyAliases())
		case len(r.records) > 0:
			return all, nil
		case r.nxdomain:
			return fail(NXDomain, behind(all))
		case r.final:
			return fail(NoData, behind(all))
		case seen[all.name]:
			return fail(Loop, nil)
		}
	}
}

// behind says which name is missing, if that is not the one asked for.
func behind(r *reply) error {
	if len(r.aliases) == 0 {
		return nil
	}
	return fmt.Errorf("it is an alias of %s", trim(r.name))
}
