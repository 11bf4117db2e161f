package route

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/ehlo-mail/ehlo/dialog/transcript"
)

// Query is one query as it was sent, and what came of it. It is an event, shown
// in the verbose transcript.
type Query struct {
	Name      string
	Type      string // "MX"
	Server    string // as Server.String gives it
	Net       string // "udp", "tcp" or "tls"
	Rcode     string // "NOERROR"; "" if no answer came
	Truncated bool   // the answer did not fit, so TCP follows
	Records   int    // in the answer section
	AD        bool   // the AD bit: the server says that DNSSEC validated the answer
	Authentic bool   // and it may vouch for it
	Took      time.Duration
	Err       error // why no answer came; an *Error
}

// Kind is "query".
func (q Query) Kind() string { return "query" }

// Lines is one note.
func (q Query) Lines() []transcript.Line {
	return []transcript.Line{{Mark: transcript.Note, Text: q.text(), Took: q.Took}}
}

func (q Query) text() string {
	text := fmt.Sprintf("%s %s at %s (%s)", q.Type, q.Name, q.Server, q.Net)
	if e, ok := q.Err.(*Error); ok {
		return text + ": " + e.Reason()
	}
	text += ": " + q.Rcode
	switch {
	case q.Truncated:
		text += ", truncated"
	case q.Records == 1:
		text += ", 1 record"
	case q.Records > 1:
		text += fmt.Sprintf(", %d records", q.Records)
	}
	switch {
	case q.Authentic:
		text += ", DNSSEC secure"
	case q.AD:
		text += ", AD bit not believed"
	}
	return text
}

// MarshalJSON gives the fields in snake_case.
func (q Query) MarshalJSON() ([]byte, error) {
	doc := struct {
		Name      string  `json:"name"`
		Type      string  `json:"type"`
		Server    string  `json:"server"`
		Net       string  `json:"net"`
		Rcode     string  `json:"rcode,omitempty"`
		Truncated bool    `json:"truncated,omitempty"`
		Records   int     `json:"records"`
		AD        bool    `json:"ad"`
		Authentic bool    `json:"authentic"`
		Took      float64 `json:"took_ms"`
		Err       string  `json:"error,omitempty"`
	}{q.Name, q.Type, q.Server, q.Net, q.Rcode, q.Truncated, q.Records, q.AD, q.Authentic, transcript.Millis(q.Took), ""}
	if q.Err != nil {
		doc.Err = q.Err.Error()
	}
	return json.Marshal(doc)
}

// trace tells of a query; m is nil if no answer came.
func (c *Client) trace(q question, server Server, network string, m *dns.Msg, start time.Time, err error) {
	if c.Trace == nil {
		return
	}
	told := Query{Name: trim(q.name), Type: dns.TypeToString[q.typ], Server: server.String(), Net: network,
		Took: time.Since(start), Err: err}
	if m != nil {
		told.Rcode, told.AD = rcode(m.Rcode), m.AuthenticatedData && saysDefinite(m)
		told.Authentic, _ = c.proof(server, told.AD).verdict()
		told.Truncated, told.Records = m.Truncated, len(m.Answer)
	}
	c.tracing.Lock()
	defer c.tracing.Unlock()
	c.Trace(told)
}

type budgetKey struct{}

// budget is how many questions a route may take, and how many of them are left.
type budget struct {
	whole int
	left  atomic.Int64
}

// withBudget limits the questions that a Client takes from the context; what
// an alias adds counts too.
func withBudget(ctx context.Context, questions int) context.Context {
	return within(ctx, questions, questions)
}

// withShare gives a part of the budget of ctx.
func withShare(ctx context.Context, questions int) context.Context {
	return within(ctx, questions, whole(ctx))
}

func within(ctx context.Context, questions, whole int) context.Context {
	b := &budget{whole: whole}
	b.left.Store(int64(questions))
	return context.WithValue(ctx, budgetKey{}, b)
}

// whole is the budget of the route that ctx is of.
func whole(ctx context.Context) int {
	if b, ok := ctx.Value(budgetKey{}).(*budget); ok {
		return b.whole
	}
	return maxQueries
}

// left is what remains of the budget.
func left(ctx context.Context) int {
	if b, ok := ctx.Value(budgetKey{}).(*budget); ok {
		return int(max(0, b.left.Load()))
	}
	return maxQueries
}

// spend takes one question from the budget, if there is one.
func spend(ctx context.Context) bool {
	b, ok := ctx.Value(budgetKey{}).(*budget)
	return !ok || b.left.Add(-1) >= 0
}

func tooManyQueries(name, typ string, most int) *Error {
	return &Error{Name: name, Type: typ, Kind: TooMany, Err: fmt.Errorf("a route takes at most %d queries", most)}
}
