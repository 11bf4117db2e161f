package check

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
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

// routed is the route of the subject's domain.
type routed struct {
	route.Route
	err error
}

// Route finds where mail for the domain goes, once. Hosts of the same preference
// keep the order of the answer, so that a run is like the next.
func (s *Subject) Route(ctx context.Context) (route.Route, error) {
	r := Once(s, "route", func() routed {
		o := route.Options{Shuffle: func(int, func(i, j int)) {}}
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
	DANE   *policy.DANE
	at     time.Time // what certificates are judged by
	hop    reach.Hop
	lone   bool // it is the only address of its host
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
		m := newManners(s.Reach.Dial, s.Pause, s.Own)
		r := *s.Reach
		r.Dial = m.Dial
		return way{&r, m}
	})
	return w.Reach, w.manners
}

// Servers visits every address of every MX host, all hosts side by side, once: a
// conversation up to the second EHLO, and a handshake for each version of TLS.
func (s *Subject) Servers(ctx context.Context) []*Server {
	return Once(s, "servers", func() []*Server {
		all := s.addresses(ctx)
		var group sync.WaitGroup
		for _, v := range all {
			group.Go(func() { s.visit(ctx, v) })
		}
		group.Wait()
		return all
	})
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
			all = append(all, &Server{Host: h.Name, Addr: addr, hop: hop, lone: len(h.Addrs) == 1})
		}
	}
	return all
}

// visit fills in what v shows.
func (s *Subject) visit(ctx context.Context, v *Server) {
	r, manners := s.polite()
	v.at = r.Session.Now()
	v.DANE = Once(s, "dane "+v.Host, func() *policy.DANE { return r.DANE(ctx, v.hop) })
	err := manners.converse(ctx, v.Addr, func() {
		here := *r
		here.Session.TLS.Name = v.Host
		if v.DANE != nil && v.DANE.State == policy.Usable && here.Session.TLS.SNI == "" {
			here.Session.TLS.SNI = v.DANE.Base // RFC 7672 section 8.1
		}
		v.Report = scan.Run(ctx, &here, v.hop, scan.Options{Brief: true, Active: s.Active})
	})
	if err != nil {
		v.Report.Visit.Err = err
	}
}

// each judges every server that fits, and tells of a host once where all of its
// addresses come to the same.
func each(all []*Server, fits func(*Server) bool, judge func(*Server) []Result) []Result {
	var results []Result
	for start := 0; start < len(all); {
		end := start
		for end < len(all) && all[end].Host == all[start].Host {
			end++
		}
		results = append(results, hostResults(all[start:end], fits, judge)...)
		start = end
	}
	return results
}

// hostResults are those of the addresses of one host.
func hostResults(host []*Server, fits func(*Server) bool, judge func(*Server) []Result) []Result {
	var lists [][]Result
	var judged []*Server
	for _, v := range host {
		if fits(v) {
			lists, judged = append(lists, judge(v)), append(judged, v)
		}
	}
	if len(judged) == 0 {
		return nil
	}
	same := len(judged) == len(host) && !slices.ContainsFunc(lists, func(l []Result) bool { return !slices.EqualFunc(l, lists[0], alike) })
	var results []Result
	for i, v := range judged {
		name := v.Name()
		if same {
			name = v.title()
		}
		for _, r := range lists[i] {
			results = append(results, r.On(name))
		}
		if same {
			break
		}
	}
	return results
}

func alike(a, b Result) bool {
	return a.Verdict == b.Verdict && a.Summary == b.Summary && a.Means == b.Means && a.Fix == b.Fix && slices.Equal(a.Evidence, b.Evidence)
}

// onServers is the Run of a check that judges each server that fits.
func onServers(fits func(*Server) bool, lacking string, judge func(context.Context, *Subject, *Server) []Result) func(context.Context, *Subject) []Result {
	return func(ctx context.Context, s *Subject) []Result {
		all := s.Servers(ctx)
		results := each(all, fits, func(v *Server) []Result { return judge(ctx, s, v) })
		if len(results) == 0 {
			return one(s.without(ctx, lacking))
		}
		return append(results, unfit(all, fits, lacking)...)
	}
}

// unfit tells of each host none of whose addresses could be judged, for nothing is known
// of it.
func unfit(all []*Server, fits func(*Server) bool, lacking string) []Result {
	var results []Result
	told := map[string]bool{}
	for _, v := range all {
		same := func(other *Server) bool { return other.Host == v.Host && fits(other) }
		if !told[v.Host] && !slices.ContainsFunc(all, same) {
			told[v.Host] = true
			results = append(results, Untested("%s", strings.Replace(lacking, "no server", "nobody there", 1)).On(v.title()))
		}
	}
	return results
}

// without says why no server was judged. Where there are some, that is no answer: what
// would have been seen there is not known.
func (s *Subject) without(ctx context.Context, lacking string) Result {
	found, err := s.Route(ctx)
	var none *route.NoRoute
	switch {
	case ctx.Err() != nil:
		return Untested("%v", context.Cause(ctx))
	case found.Null:
		return Skipped("the domain takes no mail")
	case errors.As(err, &none) && none.Why == route.NoMailHost, s.Reach == nil:
		return Skipped("no server is known")
	case err != nil:
		return Untested("no server is known")
	}
	r := Untested("%s", lacking)
	all := s.Servers(ctx)
	for _, v := range all {
		if err := v.Report.Visit.Err; err != nil {
			r = r.With(v.Name() + " " + reason(err).Error())
		}
	}
	if len(all) == 1 && len(r.Evidence) == 1 { // then in the line that a watching program shows, too
		r.Summary += ": " + r.Evidence[0]
		r.Evidence = nil
	}
	return r
}
