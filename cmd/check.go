package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/check"
	"github.com/ehlo-mail/ehlo/dialog/route"
	"github.com/ehlo-mail/ehlo/dialog/transcript"
	"github.com/ehlo-mail/ehlo/mime"
)

// checkResult is the document of check.
type checkResult struct {
	Schema string `json:"schema"` // "ehlo.check/1"
	OK     bool   `json:"ok"`
	verdict
	Targets []checkTarget  `json:"targets"`
	Checks  []checkVerdict `json:"checks"`
	TookMS  float64        `json:"took_ms"`
	lines   []transcript.Line
	strict  bool // warnings count as failures
}

// Kind is that of a result.
func (checkResult) Kind() string { return transcript.ResultKind }

// Lines is the closing block.
func (r checkResult) Lines() []transcript.Line { return r.lines }

// checkTarget is one subject, and how many checks came to what.
type checkTarget struct {
	Target      string `json:"target"` // the domain; without one the sender, the address or the message
	Pass        int    `json:"pass"`
	Info        int    `json:"info"`
	Warn        int    `json:"warn"`
	Fail        int    `json:"fail"`
	Skip        int    `json:"skip"`
	Error       int    `json:"error"`
	Lookups     int    `json:"lookups"`
	Connections int    `json:"connections"`
	outcomes    []check.Outcome
}

// checkVerdict is one thing that a check found.
type checkVerdict struct {
	Target string `json:"target"`
	check.Result
}

// checking is one run of check.
type checking struct {
	*run
	*outlook
	options  check.Options
	checks   []check.Check
	lookups  atomic.Int64
	dialled  atomic.Int64
	explicit bool // single checks were asked for, so all of each is shown
}

// checkPause is how long a public server is left alone between two connections.
const checkPause = time.Second

func runCheck(ctx context.Context, r *run) (exit, error) {
	began := time.Now()
	c := &checking{run: r, explicit: r.Set("only")}
	if err := c.ask(); err != nil {
		return exit{Status: StatusUsage}, err
	}
	ctx, cancel := r.limited(ctx)
	defer cancel()
	if path := r.String("message"); path != "" {
		source := mime.File(path)
		if path == "-" {
			source = mime.Reader(r.In)
		}
		var err error
		if c.options.Message, err = r.load(ctx, source); err != nil {
			return exit{Status: StatusUsage}, err
		}
		defer c.options.Message.Close()
	}
	var err error
	if c.outlook, err = r.open(ctx); err != nil {
		return exit{Status: StatusUsage}, err
	}
	c.ready()
	result := checkResult{Schema: "ehlo.check/1", Checks: []checkVerdict{}, strict: r.String("fail-on") == "warn"}
	domains := distinct(r.args)
	if len(domains) == 0 {
		domains = []string{""}
	}
	var all []verdict
	for _, domain := range domains {
		t, err := c.judge(ctx, domain)
		if err != nil { // ask has looked at the domain before
			return exit{Status: StatusUsage}, errors.Join(err, c.outlook.close())
		}
		result.Targets = append(result.Targets, t)
		for _, o := range t.outcomes {
			for _, found := range o.Results {
				result.Checks = append(result.Checks, checkVerdict{t.Target, found})
			}
		}
		all = append(all, c.verdict(ctx, t, result.strict))
	}
	result.verdict = r.advise(sumChecks(all))
	result.OK = result.Status == StatusDone
	result.TookMS = transcript.Millis(time.Since(began))
	result.lines = result.closing(time.Since(began), targetLines(domains, all))
	c.stream.Emit(result)
	end := exit{Status: result.Status}
	if r.String("format") == "nagios" {
		end.Status, _ = result.nagios()
	}
	return end, c.outlook.close()
}

// distinct are the domains without those that are there before, in another spelling perhaps:
// in a format for programs a name stands for one target.
func distinct(domains []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(domains), func(domain string) bool {
		_, ascii, _ := route.ParseDomain(domain) // ask has looked at it
		again := seen[ascii]
		seen[ascii] = true
		return again
	})
}

// ask reads what is to be checked. The error is a *usageError.
func (c *checking) ask() error {
	usage := func(format string, args ...any) error {
		return &usageError{msg: fmt.Sprintf(format, args...), next: c.run.next}
	}
	var groups []check.Group
	for _, g := range []check.Group{check.Receiving, check.Sending, check.Message} {
		if c.Bool(string(g)) || g == check.Message && c.Set("message") {
			groups = append(groups, g)
		}
	}
	only, skip := ids(c.Strings("only")), ids(c.Strings("skip"))
	if len(groups) == 0 {
		groups = []check.Group{check.Receiving, check.Sending}
	}
	var err error
	if c.checks, err = check.Select(groups, only, skip); err != nil {
		return usage("%v", err)
	}
	for _, domain := range c.args {
		_, _, err := route.ParseDomain(domain)
		if err == nil {
			continue
		}
		wrong := &usageError{msg: err.Error(), next: c.run.next}
		if at := strings.LastIndexByte(domain, '@'); at >= 0 && route.ValidDomain(domain[at+1:]) {
			wrong.msg = "a domain is wanted, not an address: " + quote(domain)
			wrong.next = "ehlo check " + domain[at+1:]
		} else if addr := parseAddr(domain); addr.IsValid() {
			wrong.msg = "a domain is wanted, not the address of a server: " + quote(domain)
			wrong.next = "ehlo tls [" + addr.String() + "]"
		}
		return wrong
	}
	c.options = check.Options{
		IP: parseAddr(c.String("ip")), HELO: c.String("helo"), MailFrom: c.String("mail-from"),
		Selectors: ids(c.Strings("selector")), DNSBLs: ids(c.Strings("dnsbl")),
		Active: c.Bool("active"), RelayOpen: c.Bool("relay-open"), Smuggling: c.Bool("smuggling"),
		WarnDays: c.Int("warn-days"), FailDays: c.Int("fail-days"),
	}
	if len(c.checks) == 0 {
		return usage("--only and --skip leave no check")
	}
	if g := c.idle(groups); g != "" {
		return usage("--%s needs a DOMAIN", g)
	}
	if len(c.args) == 0 && !c.possible() {
		return usage("check needs a DOMAIN, or --message FILE")
	}
	if lacking, all := c.lacking(); all {
		return usage("%s: nothing can be tested without %s", strings.Join(c.Strings("only"), ","), lacking)
	}
	return nil
}

// lacking gives the inputs that the checks lack, and whether every one of those that were
// asked for by name lacks one.
func (c *checking) lacking() (inputs string, all bool) {
	s := &check.Subject{Options: c.options}
	if len(c.args) > 0 {
		s.ASCII = c.args[0]
	}
	var words []string
	for _, row := range c.checks {
		need := row.Lacks(s)
		switch {
		case row.Joined:
		case need == 0, need == check.NeedMessage && c.Set("message"):
			return "", false
		case !slices.Contains(words, need.String()):
			words = append(words, need.String())
		}
	}
	return strings.Join(words, " and "), c.explicit
}

// idle is the first group that was asked for by its flag, and has nobody to judge: without
// a DOMAIN none of its checks has what it needs. It is "" if there is none.
func (c *checking) idle(groups []check.Group) check.Group {
	s := &check.Subject{Options: c.options}
	for _, g := range groups {
		judged := func(row check.Check) bool { return row.Group == g && row.Lacks(s) == 0 }
		if len(c.args) == 0 && !c.explicit && g != check.Message && c.Bool(string(g)) && !slices.ContainsFunc(c.checks, judged) {
			return g
		}
	}
	return ""
}

// possible reports whether there is something to check without a domain: what was asked
// for by name and needs none, or has all that it needs.
func (c *checking) possible() bool {
	s := &check.Subject{Options: c.options}
	return slices.ContainsFunc(c.checks, func(row check.Check) bool {
		lacking := row.Lacks(s)
		return lacking == 0 && row.Group != check.Always || c.explicit && lacking != check.NeedDomain ||
			lacking == check.NeedMessage && c.Set("message")
	})
}

// ids are the words of a repeatable flag, which may have several, parted by commas.
func ids(values []string) []string {
	var list []string
	for _, v := range values {
		for word := range strings.SplitSeq(v, ",") {
			if word = strings.TrimSpace(word); word != "" {
				list = append(list, word)
			}
		}
	}
	return list
}

// checkIDs says of --only and --skip which of their words names no check.
func checkIDs(value string) error {
	_, err := check.Select(nil, ids([]string{value}), nil)
	if unknown := (*check.UnknownError)(nil); errors.As(err, &unknown) {
		if near := unknown.Nearest(); near != "" {
			return fmt.Errorf("%w; perhaps %s", err, near)
		}
	}
	return err
}

// ready turns the outlook to what checks need: they converse in silence, are not
// held to policies, which they judge, and are counted.
func (c *checking) ready() {
	c.Session.Stream, c.Session.TLS.Policy, c.Discover = nil, dialog.PolicyMust, nil
	c.resolver.Trace = func(route.Query) { c.lookups.Add(1) }
	c.options.Visits = &check.Visits{} // an address is visited once, whichever domains lead to it
	c.options.Fetch = c.fetcher(c.Session.TLS, c.Session.Now)
	if c.options.Own = c.Bool("sandbox"); !c.options.Own {
		c.options.Pause = checkPause
	}
	dial := c.Dial
	c.Dial = func(ctx context.Context, network, address string) (nc net.Conn, err error) {
		if nc, err = dial(ctx, network, address); err == nil {
			c.dialled.Add(1)
		}
		return nc, err
	}
}

// judge runs the checks on one subject and shows what they found.
func (c *checking) judge(ctx context.Context, domain string) (checkTarget, error) {
	c.lookups.Store(0)
	c.dialled.Store(0)
	options := c.options
	options.Domain = domain
	s, err := check.NewSubject(options, c.resolver, c.Reach)
	if err != nil {
		return checkTarget{}, err
	}
	checks := c.checks
	if domain == "" && !c.explicit { // the rest has nobody to judge
		checks = slices.DeleteFunc(slices.Clone(checks), func(row check.Check) bool {
			return slices.Contains(row.Needs, check.NeedDomain)
		})
	}
	t := checkTarget{Target: c.subject(s), outcomes: slices.DeleteFunc(check.Run(ctx, s, checks), func(o check.Outcome) bool {
		return o.Check.Joined && (o.Verdict == check.Pass || o.Verdict == check.Skip)
	})}
	t.count()
	t.Lookups, t.Connections = int(c.lookups.Load()), int(c.dialled.Load())
	for _, e := range c.shown(t) {
		c.stream.Emit(e)
	}
	return t, nil
}

// subject names what is judged, for people.
func (c *checking) subject(s *check.Subject) string {
	switch {
	case s.Name != "":
		return s.Name
	case s.Sender() != "":
		return s.Sender()
	case s.HELO != "":
		return s.HELO
	case s.IP.IsValid():
		return s.IP.String()
	}
	return c.String("message")
}
