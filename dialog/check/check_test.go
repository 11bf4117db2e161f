package check

import (
	"context"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// The table is sound: an id means one thing, and each row says what it is about.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, c := range All() {
		switch {
		case seen[c.ID]:
			t.Errorf("%s is there twice", c.ID)
		case !id.MatchString(c.ID):
			t.Errorf("%q is no id", c.ID)
		case c.About == "" || strings.HasSuffix(c.About, ".") || c.Topic == "" || c.Run == nil:
			t.Errorf("%s lacks its topic, its meaning or its function", c.ID)
		case !slices.Contains(c.Gives, Pass):
			t.Errorf("%s never passes", c.ID)
		case len(slices.Compact(slices.Clone(c.Gives))) != len(c.Gives) || slices.Contains(c.Gives, Unknown):
			t.Errorf("%s gives %v", c.ID, c.Gives)
		case c.Ref == "" && !strings.HasPrefix(c.ID, "ext-"):
			t.Errorf("%s names no rule", c.ID)
		}
		for _, n := range c.Needs {
			if n.String() == "" {
				t.Errorf("%s has a need without a name", c.ID)
			}
		}
		seen[c.ID] = true
	}
}

func TestVerdicts(t *testing.T) {
	var zero Verdict
	if zero.String() != "unknown" {
		t.Errorf("the zero verdict is %s", zero)
	}
	order := []Verdict{Unknown, Skip, Pass, Info, Warn, Error, Fail}
	if !slices.IsSorted(order) {
		t.Error("the worst verdict does not stand for all")
	}
	for _, v := range order {
		if text, err := v.MarshalText(); err != nil || string(text) != v.String() {
			t.Errorf("%s marshals as %s, %v", v, text, err)
		}
	}
}

func TestSelect(t *testing.T) {
	list := func(checks []Check) string {
		var names []string
		for _, c := range checks {
			names = append(names, c.ID)
		}
		return strings.Join(names, " ")
	}
	for _, test := range []struct {
		groups     []Group
		only, skip []string
		want       string
	}{
		{nil, []string{"mx-n*"}, nil, "domain mx-null"},
		{nil, []string{"mx-n*"}, []string{"dom*"}, "mx-null"},
		{nil, []string{"spf-eval", "msg-*"}, []string{"msg-[d-u]*"}, "spf-eval"},
		{[]Group{Sending}, []string{"tlsrpt", "mx-null"}, nil, "domain mx-null tlsrpt"},
		{nil, []string{"mtasts-*"}, []string{"mtasts-[dpm]*"}, ""},
		{nil, nil, nil, "domain"},
		{nil, nil, []string{"domain"}, ""},
	} {
		chosen, err := Select(test.groups, test.only, test.skip)
		if got := list(chosen); err != nil || got != test.want {
			t.Errorf("%v %v %v: %q, %v; want %q", test.groups, test.only, test.skip, got, err, test.want)
		}
	}
	var unknown *UnknownError
	if _, err := Select(nil, []string{"expiry"}, nil); !errors.As(err, &unknown) || unknown.Nearest() != "cert-expiry" {
		t.Errorf("an unknown id: %v", err)
	}
}

// world is a resolver with one name; what it does not know fails.
type world struct {
	Resolver
	mx    map[string]error
	txt   map[string]error // as mx where it is not there
	asked atomic.Int64
}

func (w *world) MX(_ context.Context, domain string) (route.Answer[route.MX], error) {
	w.asked.Add(1)
	err, ok := w.mx[domain]
	if !ok {
		err = &route.Error{Name: domain, Type: "MX", Kind: route.NXDomain}
	}
	return route.Answer[route.MX]{Records: []route.MX{{Pref: 10, Host: "mx1." + domain}}}, err
}

func (w *world) TXT(_ context.Context, domain string) (route.Answer[string], error) {
	err, ok := w.txt[domain]
	if !ok {
		err = w.mx[domain]
	}
	return route.Answer[string]{}, err
}

func TestRun(t *testing.T) {
	result := func(r ...Result) func(context.Context, *Subject) []Result {
		return func(context.Context, *Subject) []Result { return r }
	}
	many := make([]Result, maxResults+5)
	for i := range many {
		many[i] = Passed("x")
	}
	many[0] = Passed("%s", strings.Repeat("x", 2*maxText)).With(make([]string, 2*maxEvidence)...)
	checks := []Check{
		{ID: "worst", Ref: "RFC 1", Gives: []Verdict{Pass, Warn, Skip}, Run: result(Passed("a"), Warned("b").By("RFC 2"), Skipped("c"))},
		{ID: "none", Run: result()},
		{ID: "panics", Run: func(context.Context, *Subject) []Result { panic("a fault of ours") }},
		{ID: "lacks", Needs: []Need{NeedActive}, Run: result(Failed("it ran"))},
		{ID: "many", Gives: []Verdict{Pass}, Run: result(many...)},
		{ID: "domain", Group: Receiving, Needs: []Need{NeedDomain}, Gives: []Verdict{Pass}, Run: result(Passed("d"))},
		{ID: "unnamed", Gives: []Verdict{Pass}, Run: result(Passed("e"), Failed("f").On("host"))},
	}
	s, err := NewSubject(Options{Domain: "good.test"}, &world{mx: map[string]error{"good.test": nil}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := Run(t.Context(), s, checks)
	for i, want := range []Verdict{Warn, Pass, Error, Skip, Error, Pass, Error} {
		if all[i].Check.ID != checks[i].ID || all[i].Verdict != want {
			t.Errorf("%s: %s is %s, not %s", checks[i].ID, all[i].Check.ID, all[i].Verdict, want)
		}
	}
	if r := all[0].Results; r[0].Ref != "RFC 1" || r[1].Ref != "RFC 2" || r[1].ID != "worst" {
		t.Errorf("ids and references: %+v", r)
	}
	if r := all[4].Results; len(r) != maxResults+1 || len(r[0].Evidence) != maxEvidence+1 || len(r[0].Summary) > maxText+10 {
		t.Errorf("%d results, the first with %d lines of evidence: not bounded", len(r), len(r[0].Evidence))
	}

	// What the table does not name is a defect, and is told as one.
	if r := all[6].Results; r[0].Verdict != Pass || r[1].Verdict != Error || r[1].Subject != "host" || !strings.HasSuffix(r[1].Summary, "unnamed can be fail: f") {
		t.Errorf("a verdict that is not in the table: %+v", r)
	}

	// Where there is no such domain, one answer says so.
	s, _ = NewSubject(Options{Domain: "nosuch.test"}, &world{}, nil)
	for _, o := range Run(t.Context(), s, append([]Check{checks[5]}, domainChecks()...)) {
		if want := map[Group]Verdict{Receiving: Skip, Always: Fail}[o.Check.Group]; o.Verdict != want {
			t.Errorf("no such domain: %s is %s, not %s", o.Check.ID, o.Verdict, want)
		}
	}

	// A run that has ended says nothing good or bad.
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("time is up"))
	s, _ = NewSubject(Options{Domain: "good.test"}, &world{mx: map[string]error{"good.test": nil}}, nil)
	if o := Run(ctx, s, checks[:1])[0]; o.Verdict != Error || o.Results[0].Summary != "time is up" {
		t.Errorf("behind the end of time: %+v", o)
	}
}

// A domain is judged once, whatever the resolver says to that.
func TestDomain(t *testing.T) {
	failed := func(k route.Kind) error { return &route.Error{Type: "MX", Kind: k} }
	for domain, test := range map[string]struct {
		err  error
		want Verdict
	}{
		"good.test":   {nil, Pass},
		"nomx.test":   {failed(route.NoData), Pass},
		"nosuch.test": {failed(route.NXDomain), Fail},
		"late.test":   {failed(route.Timeout), Error},
		"lost.test":   {failed(route.ServFail), Error},
		"mute.test":   {failed(route.Timeout), Pass}, // at MX alone
		"gone.test":   {failed(route.Timeout), Fail},
		"refused.t":   {failed(route.Refused), Error},
		"bogus.test":  {&route.Error{Kind: route.ServFail, Bogus: true}, Info},
		"none.test":   {&route.NoServers{}, Error},
		"co.uk":       {nil, Warn},
		"com":         {failed(route.NoData), Fail},
		"github.io":   {nil, Pass}, // a suffix by its owner's word alone: mail may go there
	} {
		w := &world{mx: map[string]error{domain: test.err}, txt: map[string]error{"mute.test": nil, "gone.test": failed(route.NXDomain)}}
		s, err := NewSubject(Options{Domain: domain + "."}, w, nil)
		if err != nil {
			t.Fatal(err)
		}
		var all []Outcome
		all = append(all, Run(t.Context(), s, domainChecks())...)
		all = append(all, Run(t.Context(), s, domainChecks())...)
		if all[0].Verdict != test.want || all[1].Verdict != test.want || w.asked.Load() != 1 {
			t.Errorf("%s: %s, %s in %d questions; want %s in one", domain, all[0].Verdict, all[1].Verdict, w.asked.Load(), test.want)
		}
	}
}

// Facts are found out once, by whoever comes first, and by their type.
func TestOnce(t *testing.T) {
	s := &Subject{}
	var found atomic.Int64
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if n := Once(s, "n", func() int64 { return found.Add(1) }); n != 1 {
				t.Errorf("found out again: %d", n)
			}
		})
	}
	group.Wait()
	if word := Once(s, "n", func() string { return "other" }); word != "other" || found.Load() != 1 {
		t.Errorf("%q, found out %d times", word, found.Load())
	}
}

// A public address sees a pause between connections and no more than eight; one's own
// neither. Whoever talks to an address talks alone.
func TestManners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		m := &manners{dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			_ = server.Close()
			return client, nil
		}, pause: time.Second, visits: &Visits{}}
		began := time.Now()
		for range 8 {
			nc, err := m.Dial(t.Context(), "tcp", "192.0.2.1:25")
			if err != nil {
				t.Fatal(err)
			}
			_ = nc.Close()
			_ = nc.Close() // its end counts once
		}
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("8 connections took %s, not the pauses", took)
		}
		var limit *LimitError
		if _, err := m.Dial(t.Context(), "tcp", "[::ffff:192.0.2.1]:25"); !errors.As(err, &limit) {
			t.Errorf("a ninth connection: %v", err)
		}
		other := *m // of the run's next subject
		for range 2 {
			_, _ = m.Dial(t.Context(), "tcp", "192.0.2.3:25")
			nc, err := m.Dial(t.Context(), "tcp", "192.0.2.4:25")
			if err != nil {
				t.Fatal(err)
			}
			_ = nc.Close()
			m = &other
		}
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("between two subjects an address was left alone for %s", took-7*time.Second)
		}
		began = time.Now()
		for range 20 {
			for _, address := range []string{"127.0.0.1:25", "10.0.0.1:25", "[fd00::1]:25", "[::1]:25"} {
				if _, err := m.Dial(t.Context(), "tcp", address); err != nil {
					t.Fatal(err)
				}
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("one's own servers were spared for %s", took)
		}
		for range 5 {
			go func() {
				_ = m.converse(t.Context(), "192.0.2.1:25", func() {
					most.Store(max(most.Load(), now.Add(1)))
					time.Sleep(time.Second)
					now.Add(-1)
				})
			}()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if most.Load() != 1 {
			t.Errorf("%d conversations with one address at a time", most.Load())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := m.Dial(ctx, "tcp", "192.0.2.2:25"); !errors.Is(err, context.Canceled) {
			t.Errorf("a run that has ended: %v", err)
		}
	})
}

// A server is told to be smuggled through where it obeyed, and to be safe where it was seen
// to be; all else is not known.
func TestSmuggledVerdict(t *testing.T) {
	const untested, refused, kept, unclear, done = dialog.SmugglingUntested, dialog.SmugglingRefused, dialog.SmugglingKept, dialog.SmugglingUnclear, dialog.SmugglingDone
	for _, test := range []struct {
		plain, first, others dialog.Smuggling
		err                  error
		want                 Verdict
	}{
		{kept, refused, refused, nil, Pass},
		{kept, kept, refused, nil, Info},
		{kept, done, refused, nil, Fail},
		{kept, done, untested, nil, Fail},
		{kept, done, unclear, nil, Fail},
		{refused, done, refused, nil, Fail},
		{kept, unclear, refused, nil, Error},
		{kept, untested, kept, nil, Error},
		{refused, refused, refused, nil, Error},
		{unclear, untested, untested, nil, Error},
		{done, untested, untested, nil, Error},
		{untested, untested, untested, errors.New("no mail from you"), Error},
	} {
		seen := &smugglings{plain: test.plain, err: test.err}
		for range dialog.SmuggledEndings() {
			seen.endings = append(seen.endings, test.others)
		}
		seen.endings[0] = test.first
		if got := smuggled(seen); got.Verdict != test.want {
			t.Errorf("%+v: %s: %s", test, got.Verdict, got.Summary)
		}
	}
}
