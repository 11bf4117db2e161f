package check

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/scan"
)

// smtpPort is where servers take mail from servers.
const smtpPort = 25

// routeQueries is how many questions the route of a domain may take: those for both kinds of
// addresses of ten MX hosts, and for some aliases of each.
const routeQueries = 100

// routed is the route of the subject's domain.
type routed struct {
	route.Route
	err error
}

// Route finds where mail for the domain goes, once. Hosts of the same preference
// keep the order of the answer, so that a run is like the next.
func (s *Subject) Route(ctx context.Context) (route.Route, error) {
	r := Once(s, "route", func() routed {
		o := route.Options{Shuffle: func(int, func(i, j int)) {}, Queries: routeQueries}
		if s.Reach != nil {
			o.Family = s.Reach.Family
		}
		found, err := route.To(ctx, s.Resolver, s.ASCII, smtpPort, o)
		slices.SortStableFunc(found.Hosts, func(a, b route.Host) int {
			if a.Pref != b.Pref {
				return 0 // in order already
			}
			return compareNames(a.Name, b.Name)
		})
		return routed{found, err}
	})
	return r.Route, r.err
}

func compareNames(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Server is one address of one MX host, and what a visit there showed.
type Server struct {
	Host   string
	Addr   netip.Addr
	Report scan.Report
	DANE   *policy.DANE // nil unless a check looks at what depends on its name
	// apart is why Report says nothing of what depends on the name of the host: at
	// its address the server was seen by the name of another. nil if it was seen by its own.
	apart   error
	at      time.Time // what certificates are judged by
	hop     reach.Hop
	address string // that is dialled
	lone    bool   // it is the only address of its host
}

// Name is the host and its port, for people, and its address where it has several.
func (v *Server) Name() string {
	if v.lone {
		return v.title()
	}
	return fmt.Sprintf("%s [%s]", v.title(), v.Addr)
}

func (v *Server) title() string { return fmt.Sprintf("%s:%d", route.Unicode(v.Host), smtpPort) }

// TLS is what the first conversation negotiated, nil without.
func (v *Server) TLS() *dialog.TLSReport { return v.Report.Visit.Report.TLS }

// greeted reports whether the server said who it is and what it offers.
func (v *Server) greeted() bool { return len(v.Report.Visit.Report.Offers) > 0 }

// offers is what the server offers: under TLS where that came about.
func (v *Server) offers() dialog.Offers {
	all := v.Report.Visit.Report.Offers
	if len(all) == 0 {
		return dialog.Offers{}
	}
	return all[len(all)-1]
}

// polite gives the way to servers that keeps to the manners.
func (s *Subject) polite() (*reach.Reach, *manners) {
	type way struct {
		*reach.Reach
		*manners
	}
	w := Once(s, "way", func() way {
		m := &manners{dial: s.Reach.Dial, pause: s.Pause, own: s.Own, visits: s.Visits}
		if m.visits == nil {
			m.visits = &Visits{}
		}
		r := *s.Reach
		r.Dial = m.Dial
		return way{&r, m}
	})
	return w.Reach, w.manners
}

// Servers visits every address of every MX host once, all addresses side by side, and
// looks at what the checks of s that were run need.
func (s *Subject) Servers(ctx context.Context) []*Server {
	looks := Look(s.looks.Load())
	return Once(s, fmt.Sprintf("servers %b", looks), func() []*Server {
		all := s.addresses(ctx)
		if looks == 0 {
			return all
		}
		var group sync.WaitGroup
		for _, there := range byAddress(all) {
			group.Go(func() {
				if looks.has(lookName) {
					s.promises(ctx, there)
				}
				for _, v := range there { // in their order, so that a run is like the next
					s.visit(ctx, v, looks)
				}
			})
		}
		group.Wait()
		return all
	})
}

// byAddress parts servers by the address that they are visited at.
func byAddress(all []*Server) [][]*Server {
	var lists [][]*Server
	at := map[string]int{}
	for _, v := range all {
		i, known := at[v.address]
		if !known {
			i = len(lists)
			at[v.address], lists = i, append(lists, nil)
		}
		lists[i] = append(lists[i], v)
	}
	return lists
}

// asked converses with every server that greeted, side by side, and with each address once.
// What T is of a server that did not greet is its zero value.
func asked[T any](s *Subject, what string, all []*Server, ask func(*Server) T) map[*Server]T {
	var group sync.WaitGroup
	answers := make([]T, len(all))
	for i, v := range all {
		if v.greeted() {
			group.Go(func() { answers[i] = Once(s, what+" "+v.address, func() T { return ask(v) }) })
		}
	}
	group.Wait()
	by := make(map[*Server]T, len(all))
	for i, v := range all {
		by[v] = answers[i]
	}
	return by
}

// promises finds what the DNS says of the certificates of servers.
func (s *Subject) promises(ctx context.Context, all []*Server) {
	r, _ := s.polite()
	var group sync.WaitGroup
	for _, v := range all {
		group.Go(func() {
			v.DANE = Once(s, "dane "+v.Host, func() *policy.DANE { return r.DANE(ctx, v.hop) })
		})
	}
	group.Wait()
}

// addresses are the servers as the route names them.
func (s *Subject) addresses(ctx context.Context) []*Server {
	if s.Reach == nil {
		return nil
	}
	found, _ := s.Route(ctx)
	var all []*Server
	for _, h := range found.Hosts {
		for _, addr := range h.Addrs {
			hop := reach.Hop{Host: h.Name, Addr: netip.AddrPortFrom(addr, smtpPort), Port: smtpPort, Domain: found.Domain, Signed: found.Authentic}
			all = append(all, &Server{Host: h.Name, Addr: addr, hop: hop, address: s.Reach.Address(hop), lone: len(h.Addrs) == 1})
		}
	}
	return all
}
