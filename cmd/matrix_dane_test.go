package cmd

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ehlo-mail/ehlo/dialog"
	"github.com/ehlo-mail/ehlo/dialog/policy"
	"github.com/ehlo-mail/ehlo/dialog/reach"
	"github.com/ehlo-mail/ehlo/dialog/route"
)

// TestDANEAt: a word for what the records and a server without TLS come to, and a status
// where senders that honour DANE do not deliver. Handshakes are in the scripts.
func TestDANEAt(t *testing.T) {
	at := func(s policy.State) *policy.DANE {
		return &policy.DANE{Query: policy.Query{Host: "mx1.good.test", Port: 25}, State: s}
	}
	unknown := func(e *route.Error) *policy.DANE {
		d := at(policy.Bogus)
		d.Err = e
		return d
	}
	spoke := dialog.Report{Offers: make([]dialog.Offers, 1)}
	failed := &dialog.Error{Phase: dialog.PhaseTLS, Err: &dialog.TLSError{}}
	tests := []struct {
		name   string
		d      *policy.DANE
		v      reach.Visit
		by     dialog.Policy
		want   string
		status Status // StatusDone: nothing is broken
	}{
		{"an address", nil, reach.Visit{Report: spoke}, dialog.PolicyMay, "", StatusDone},
		{"no records", at(policy.Missing), reach.Visit{Report: spoke}, dialog.PolicyMay, "missing", StatusDone},
		{"no DNSSEC", at(policy.Insecure), reach.Visit{Report: spoke}, dialog.PolicyMay, "insecure", StatusDone},
		{"records, no STARTTLS", at(policy.Usable), reach.Visit{Report: spoke}, dialog.PolicyMay, "no-tls", StatusTLS},
		{"unusable records, no STARTTLS", at(policy.Unusable), reach.Visit{Report: spoke}, dialog.PolicyMay, "no-tls", StatusTLS},
		{"records, a handshake that failed", at(policy.Usable), reach.Visit{Report: spoke, Err: failed}, dialog.PolicyMay, "no-tls", StatusTLS},
		{"records, TLS not asked for", at(policy.Usable), reach.Visit{Report: spoke}, dialog.PolicyNever, "usable", StatusDone},
		{"records, not reached", at(policy.Usable), reach.Visit{Err: errors.New("refused")}, dialog.PolicyMay, "usable", StatusDone},
		{"a failed look-up", unknown(&route.Error{Kind: route.ServFail}), reach.Visit{Report: spoke}, dialog.PolicyMay, "no-answer", StatusNoAnswer},
		{"a time-out", unknown(&route.Error{Kind: route.Timeout}), reach.Visit{Report: spoke}, dialog.PolicyMay, "no-answer", StatusNoAnswer},
		{"bad signatures", unknown(&route.Error{Kind: route.ServFail, Bogus: true}), reach.Visit{Report: spoke}, dialog.PolicyMay, "bogus", StatusNoAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, broken := daneAt(context.Background(), tt.d, tt.v, tt.by, time.Time{})
			status := StatusDone
			if broken != nil {
				status = broken.Status
			}
			if got != tt.want || status != tt.status {
				t.Errorf("%s, status %d; want %s, %d", got, status, tt.want, tt.status)
			}
		})
	}
	stopped, cancel := context.WithCancelCause(context.Background())
	cancel(ErrInterrupted)
	if got, broken := daneAt(stopped, unknown(&route.Error{}), reach.Visit{}, dialog.PolicyMay, time.Time{}); got != "no-answer" || broken == nil || broken.Status != StatusInterrupted {
		t.Errorf("interrupted: %s, %+v", got, broken)
	}
}
