package check

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

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

// byName is judge, where it rests on what a server shows by its host's own name.
func byName(judge func(context.Context, *Subject, *Server) []Result) func(context.Context, *Subject, *Server) []Result {
	return func(ctx context.Context, s *Subject, v *Server) []Result {
		if v.apart != nil {
			return one(v.unseen())
		}
		return judge(ctx, s, v)
	}
}

// unseen is the verdict where v was not seen by its name.
func (v *Server) unseen() Result { return Untested("%v", v.apart).Fixed("ehlo tls %s", v.Host) }

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
