package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/ehlo-mail/ehlo/dialog/route"
)

// halt ends a whole evaluation.
type halt struct {
	outcome Outcome
	reason  string
}

func (h *halt) Error() string { return string(h.outcome) + ": " + h.reason }

// permError and tempError make a halt.
func permError(format string, args ...any) error {
	return &halt{PermError, fmt.Sprintf(format, args...)}
}

func tempError(err error) error { return &halt{TempError, err.Error()} }

// errNoName is a name that cannot be asked for: its term does not match.
var errNoName = errors.New("it is not asked for")

// texts, addresses, exchangers and names ask, and note the question in asked. A
// definite "there is none" is no error and no records.
func (e *evaluation) texts(asked *[]Question, name string) ([]string, error) {
	return ask(e, asked, "TXT", name, e.resolver.TXT, quoted)
}

func (e *evaluation) addresses(asked *[]Question, name string, family route.Family) ([]netip.Addr, error) {
	kind := "A"
	if family == route.IPv6 {
		kind = "AAAA"
	}
	return ask(e, asked, kind, name, func(ctx context.Context, name string) (route.Answer[netip.Addr], error) {
		return e.resolver.Addr(ctx, name, family)
	}, netip.Addr.String)
}

func (e *evaluation) exchangers(asked *[]Question, name string) ([]route.MX, error) {
	return ask(e, asked, "MX", name, e.resolver.MX, func(mx route.MX) string { return fmt.Sprintf("%d %s", mx.Pref, mx.Host) })
}

func (e *evaluation) names(asked *[]Question) ([]string, error) {
	return ask(e, asked, "PTR", e.ip.String(), func(ctx context.Context, _ string) (route.Answer[string], error) {
		return e.resolver.PTR(ctx, e.ip)
	}, func(name string) string { return name })
}

func quoted(text string) string { return `"` + text + `"` }

func ask[T any](e *evaluation, asked *[]Question, kind, name string,
	do func(context.Context, string) (route.Answer[T], error), show func(T) string) ([]T, error) {
	q := Question{Type: kind, Name: name}
	defer func() { *asked = append(*asked, q) }()
	answer, err := do(e.ctx, presentation(name))
	for _, record := range answer.Records {
		q.Answer = append(q.Answer, show(record))
	}
	if err == nil {
		return answer.Records, nil
	}
	q.Error = err.Error()
	var failed *route.Error
	if !errors.As(err, &failed) {
		return nil, err
	}
	q.Error = failed.Reason()
	switch {
	case failed.Definite():
		q.Void = true
		return nil, nil
	case failed.Kind == route.BadName:
		return nil, errNoName
	}
	return nil, err
}

// count counts a term that asks the DNS (section 4.6.4).
func (e *evaluation) count() error {
	if e.uncounted {
		return nil
	}
	if e.result.Lookups == MaxLookups {
		return permError("more than %d terms that ask the DNS (section 4.6.4)", MaxLookups)
	}
	e.result.Lookups++
	return nil
}

// void counts the last question asked, if no records came.
func (e *evaluation) void(asked []Question) error {
	if e.uncounted || len(asked) == 0 || !asked[len(asked)-1].Void {
		return nil
	}
	if e.result.Voids == MaxVoids {
		return permError("more than %d look-ups that find nothing (section 4.6.4)", MaxVoids)
	}
	e.result.Voids++
	return nil
}

// family is that of the address that is checked.
func (e *evaluation) family() route.Family {
	if e.ip.Is4() {
		return route.IPv4
	}
	return route.IPv6
}

// validated are the names of the host that lead back to it (section 5.5). A failed
// question costs a name, and does not end the evaluation.
func (e *evaluation) validated(asked *[]Question) ([]string, error) {
	if e.proven != nil {
		return *e.proven, nil
	}
	names, err := e.names(asked)
	if err != nil {
		return nil, errNoName
	}
	if err := e.void(*asked); err != nil {
		return nil, err
	}
	var proven []string
	for _, name := range names[:min(len(names), maxNames)] {
		addrs, err := e.addresses(asked, name, e.family())
		if err != nil {
			continue
		}
		for _, addr := range addrs {
			if addr == e.ip {
				proven = append(proven, name)
				break
			}
		}
	}
	e.proven = &proven
	return proven, nil
}
