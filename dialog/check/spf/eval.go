package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// evaluation is one check under way.
type evaluation struct {
	ctx      context.Context
	resolver route.Resolver
	ip       netip.Addr
	helo     string
	local    string // of the sender
	domain   string // of the sender
	receiver string
	now      func() time.Time

	result    *Result
	proven    *[]string // the host's validated names, once they are known
	uncounted bool      // while an explanation is looked for
}

// checkHost is check_host() of section 4 for one domain. The outermost, and what it
// redirects to, decides what Result tells of directive and explanation.
func (e *evaluation) checkHost(domain string, outer bool) *Trace {
	t := &Trace{Domain: domain}
	if err := e.run(t, outer); err != nil {
		t.Outcome, t.Reason = TempError, err.Error()
		var h *halt
		if errors.As(err, &h) {
			t.Outcome, t.Reason = h.outcome, h.reason
		}
	}
	return t
}

func (e *evaluation) run(t *Trace, outer bool) error {
	texts, err := e.texts(&t.Asked, t.Domain)
	if errors.Is(err, errNoName) {
		t.Outcome, t.Reason = None, "no domain name (section 4.3)"
		return nil
	}
	if err != nil {
		return tempError(err)
	}
	found := records(texts)
	switch {
	case len(found) == 0:
		t.Outcome, t.Reason = None, "it publishes no SPF record"
		return nil
	case len(found) > 1:
		return permError("%d SPF records: one is allowed (section 4.5)", len(found))
	}
	t.Record = found[0]
	record, err := Parse(t.Record)
	if err != nil {
		return permError("a syntax error: %v", err)
	}
	return e.evaluate(t, record, outer)
}

// records picks those of SPF.
func records(texts []string) []string {
	var found []string
	for _, text := range texts {
		if IsRecord(text) {
			found = append(found, text)
		}
	}
	return found
}

// evaluate goes through the directives, the first match decides (section 4.6.2).
func (e *evaluation) evaluate(t *Trace, record *Record, outer bool) error {
	for i := range record.Terms {
		term := &record.Terms[i]
		if term.Modifier() {
			continue
		}
		step := Step{Term: term.Text}
		var err error
		step.Matched, err = e.match(&step, term, t.Domain)
		if err != nil && !errors.As(err, new(*halt)) { // a name that cannot be asked for (section 4.8)
			step.Why, err = "does not match: "+err.Error(), nil
		}
		if err != nil {
			step.Why = err.Error()
		}
		t.Steps = append(t.Steps, step)
		if err != nil {
			return err
		}
		if step.Matched {
			t.Outcome, t.Reason = term.Outcome(), fmt.Sprintf("%s matches: %s", term.Text, step.Why)
			if term.Name == "all" {
				t.Reason = term.Text + ", as nothing before it matches"
			}
			if outer {
				e.result.Directive, e.result.At = term.Text, t.Domain
				if t.Outcome == Fail {
					e.explain(t, record)
				}
			}
			return nil
		}
	}
	if redirect := record.Modifier("redirect"); redirect != nil && record.All() == nil {
		return e.redirect(t, redirect, outer)
	}
	t.Outcome, t.Reason = Neutral, "no directive matches (section 4.7)"
	return nil
}

// redirect goes on with another domain's record (section 6.1).
func (e *evaluation) redirect(t *Trace, term *Term, outer bool) error {
	t.Steps = append(t.Steps, Step{Term: term.Text})
	step := &t.Steps[len(t.Steps)-1]
	fail := func(err error) error {
		step.Why = err.Error()
		return err
	}
	if err := e.count(); err != nil {
		return fail(err)
	}
	name, err := e.target(term, &step.Asked, t.Domain)
	if err != nil {
		if !errors.As(err, new(*halt)) {
			err = permError("redirect leads nowhere: %v", err)
		}
		return fail(err)
	}
	step.Within = e.checkHost(name, outer)
	if step.Within.Outcome == None {
		return fail(permError("redirect to %s, which has no SPF record (section 6.1)", name))
	}
	step.Matched, step.Why = true, "what "+name+" says holds here"
	t.Outcome, t.Reason = step.Within.Outcome, step.Within.Reason
	return nil
}

// explain finds the words of the domain for a fail (section 6.2). Whatever goes
// wrong, there are none; it costs no look-ups.
func (e *evaluation) explain(t *Trace, record *Record) {
	term := record.Modifier("exp")
	if term == nil {
		return
	}
	e.uncounted = true
	step := Step{Term: term.Text}
	text, err := e.explanation(&step, term, t.Domain)
	e.uncounted = false
	if step.Why = "explains the fail"; err != nil {
		step.Why = "no explanation: " + err.Error()
	}
	t.Steps = append(t.Steps, step)
	e.result.Explanation = text
}

func (e *evaluation) explanation(step *Step, term *Term, domain string) (string, error) {
	name, err := e.target(term, &step.Asked, domain)
	if err != nil {
		return "", err
	}
	texts, err := e.texts(&step.Asked, name)
	switch {
	case err != nil:
		return "", err
	case len(texts) != 1:
		return "", fmt.Errorf("%d TXT records: it has to be one", len(texts))
	}
	m, wrong := parseMacro(texts[0], true)
	if wrong != nil {
		wrong.Term = texts[0]
		return "", wrong
	}
	return e.expand(m, &step.Asked, domain)
}

// match evaluates one mechanism. Of step it fills what was asked and why; an error
// other than a halt is why it does not match.
func (e *evaluation) match(step *Step, t *Term, domain string) (bool, error) {
	if t.Asks() {
		if err := e.count(); err != nil {
			return false, err
		}
	}
	switch t.Name {
	case "all":
		step.Why = "it matches every host"
		return true, nil
	case "ip4", "ip6":
		in := t.Network.Contains(e.ip)
		step.network, step.Why = true, e.ip.String()+within(in)+t.Network.String()
		return in, nil
	}
	name, err := e.target(t, &step.Asked, domain)
	if err != nil {
		return false, err
	}
	switch t.Name {
	case "include":
		return e.include(step, name)
	case "a":
		return e.host(step, t, name)
	case "mx":
		return e.mx(step, t, name)
	case "ptr":
		return e.ptr(step, name)
	default: // exists
		return e.exists(step, name)
	}
}

func within(in bool) string {
	if in {
		return " is in "
	}
	return " is not in "
}

// include matches if the other record passes the host (section 5.2).
func (e *evaluation) include(step *Step, name string) (bool, error) {
	step.Within = e.checkHost(name, false)
	outcome := step.Within.Outcome
	switch outcome {
	case TempError, PermError:
		return false, &halt{outcome, fmt.Sprintf("within the include of %s: %s", name, step.Within.Reason)}
	case None:
		return false, permError("include of %s, which has no SPF record (section 5.2)", name)
	}
	step.Why = fmt.Sprintf("%s says %s", name, outcome)
	return outcome == Pass, nil
}

// host is the mechanism a (section 5.3).
func (e *evaluation) host(step *Step, t *Term, name string) (bool, error) {
	addrs, err := e.resolve(step, name, e.family())
	if err != nil {
		return false, err
	}
	in := e.among(addrs, t)
	step.Why = e.ip.String() + isOne(in, len(addrs)) + name
	return in, nil
}

// mx matches the hosts that mail for a domain goes to (section 5.4).
func (e *evaluation) mx(step *Step, t *Term, name string) (bool, error) {
	exchangers, err := e.exchangers(&step.Asked, name)
	if err != nil {
		return false, failed(err)
	}
	if err := e.void(step.Asked); err != nil {
		return false, err
	}
	if len(exchangers) > maxHosts {
		return false, permError("%s has %d MX records: mx allows %d (section 4.6.4)", name, len(exchangers), maxHosts)
	}
	for _, mx := range exchangers {
		if mx.Host == "." { // a null MX (RFC 7505)
			continue
		}
		addrs, err := e.resolve(step, mx.Host, e.family())
		if errors.Is(err, errNoName) {
			continue
		}
		if err != nil {
			return false, err
		}
		if e.among(addrs, t) {
			step.Why = fmt.Sprintf("%s is %s, an MX host of %s", e.ip, mx.Host, name)
			return true, nil
		}
	}
	step.Why = fmt.Sprintf("%s is no MX host of %s", e.ip, name)
	return false, nil
}

// ptr matches a host whose validated names are at or below a domain (section 5.5).
func (e *evaluation) ptr(step *Step, name string) (bool, error) {
	proven, err := e.validated(&step.Asked)
	if errors.Is(err, errNoName) {
		step.Why = "the names of " + e.ip.String() + " are not known, so it does not match (section 5.5)"
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, host := range proven {
		if below(host, name) {
			step.Why = fmt.Sprintf("%s is a name of %s, and leads back to it", host, e.ip)
			return true, nil
		}
	}
	step.Why = fmt.Sprintf("no name of %s that leads back to it is at or below %s", e.ip, name)
	return false, nil
}

// exists matches if a name has an A record, whatever it is (section 5.7).
func (e *evaluation) exists(step *Step, name string) (bool, error) {
	addrs, err := e.resolve(step, name, route.IPv4)
	if err != nil {
		return false, err
	}
	if step.Why = name + " has an A record"; len(addrs) == 0 {
		step.Why = name + " has no A record"
	}
	return len(addrs) > 0, nil
}

// resolve asks for addresses and counts a void answer.
func (e *evaluation) resolve(step *Step, name string, family route.Family) ([]netip.Addr, error) {
	addrs, err := e.addresses(&step.Asked, name, family)
	if err != nil {
		return nil, failed(err)
	}
	return addrs, e.void(step.Asked)
}

// failed is a question's error as an evaluation sees it (section 5).
func failed(err error) error {
	if errors.Is(err, errNoName) {
		return err
	}
	return tempError(err)
}

// among reports whether one of the addresses is the host's, as far as the term's
// prefix lengths say that they count.
func (e *evaluation) among(addrs []netip.Addr, t *Term) bool {
	bits := t.Bits4
	if e.ip.Is6() {
		bits = t.Bits6
	}
	for _, addr := range addrs {
		if p, err := addr.Prefix(bits); err == nil && p.Contains(e.ip) {
			return true
		}
	}
	return false
}

func isOne(in bool, n int) string {
	switch {
	case in:
		return " is an address of "
	case n == 0:
		return " does not match: there is no such address of "
	}
	return " is no address of "
}
